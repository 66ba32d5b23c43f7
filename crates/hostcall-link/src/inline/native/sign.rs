//! `-x` and `x.abs()`: the least integer traps.

use super::super::messages::NEG;
use super::BodyTrap;

/// A signed integer or a float: what can be negated.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sign",
    label = "needs a signed integer or a float",
    note = "for unsigned integers write `x.wrapping_neg()`"
)]
pub trait CheckedSign: Sized {
    #[doc(hidden)]
    fn negated(self) -> Option<Self>;
    #[doc(hidden)]
    fn without_sign(self) -> Option<Self>;
}

/// `-x`.
///
/// # Errors
///
/// If `x` is the least integer.
#[inline]
pub fn neg<T: CheckedSign>(x: T) -> Result<T, BodyTrap> {
    x.negated().ok_or_else(|| BodyTrap::new(NEG))
}

/// `x.abs()`.
///
/// # Errors
///
/// If `x` is the least integer.
#[inline]
pub fn abs<T: CheckedSign>(x: T) -> Result<T, BodyTrap> {
    x.without_sign().ok_or_else(|| BodyTrap::new(NEG))
}

macro_rules! integers {
    ($($ty:ty)*) => {
        $(impl CheckedSign for $ty {
            #[inline]
            fn negated(self) -> Option<Self> {
                self.checked_neg()
            }
            #[inline]
            fn without_sign(self) -> Option<Self> {
                self.checked_abs()
            }
        })*
    };
}

integers! { i8 i16 i32 i64 isize }

macro_rules! floats {
    ($($ty:ty)*) => {
        $(impl CheckedSign for $ty {
            #[inline]
            fn negated(self) -> Option<Self> {
                Some(-self)
            }
            #[inline]
            fn without_sign(self) -> Option<Self> {
                Some(self.abs())
            }
        })*
    };
}

floats! { f32 f64 }
