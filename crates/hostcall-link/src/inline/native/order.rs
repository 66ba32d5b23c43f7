//! `min` and `max`. Of floats Rust leaves open which of two zeros they give;
//! both forms have to give the same.

/// An integer or a float: what has `min` and `max`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has neither `min` nor `max` in inline functions",
    label = "needs an integer or a float"
)]
pub trait Ordered: Sized {
    #[doc(hidden)]
    fn lesser(self, other: Self) -> Self;
    #[doc(hidden)]
    fn greater(self, other: Self) -> Self;
}

/// `a.min(b)`: of floats the other one if one is NaN, and `b` if both are zero.
#[inline]
pub fn min<T: Ordered>(a: T, b: T) -> T {
    a.lesser(b)
}

/// `a.max(b)`: of floats the other one if one is NaN, and `b` if both are zero.
#[inline]
pub fn max<T: Ordered>(a: T, b: T) -> T {
    a.greater(b)
}

macro_rules! integers {
    ($($ty:ty)*) => {
        $(impl Ordered for $ty {
            #[inline]
            fn lesser(self, other: Self) -> Self {
                Ord::min(self, other)
            }
            #[inline]
            fn greater(self, other: Self) -> Self {
                Ord::max(self, other)
            }
        })*
    };
}

integers! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

macro_rules! floats {
    ($($ty:ty)*) => {
        $(impl Ordered for $ty {
            #[inline]
            fn lesser(self, other: Self) -> Self {
                if self < other || other.is_nan() { self } else { other }
            }
            #[inline]
            fn greater(self, other: Self) -> Self {
                if self > other || other.is_nan() { self } else { other }
            }
        })*
    };
}

floats! { f32 f64 }
