//! `<<` and `>>`: an amount that is negative, or as wide as the value, traps.

use super::super::messages::{SHL, SHR};
use super::BodyTrap;

/// What can be shifted: an integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shifted",
    label = "needs an integer",
    note = "cast a float first, as in `x as i64`, or take its bits with `x.to_bits()`"
)]
pub trait Shifted: Sized {
    #[doc(hidden)]
    fn left(self, amount: Option<u32>) -> Option<Self>;
    #[doc(hidden)]
    fn right(self, amount: Option<u32>) -> Option<Self>;
}

/// By how much can be shifted: an integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number of bits to shift by",
    label = "needs an integer"
)]
pub trait ShiftAmount {
    #[doc(hidden)]
    fn amount(self) -> Option<u32>;
}

/// `a << b`.
///
/// # Errors
///
/// If `b` is negative, or not less than the bits of `a`.
#[inline]
pub fn shl<T: Shifted>(a: T, b: impl ShiftAmount) -> Result<T, BodyTrap> {
    a.left(b.amount()).ok_or_else(|| BodyTrap::new(SHL))
}

/// `a >> b`.
///
/// # Errors
///
/// If `b` is negative, or not less than the bits of `a`.
#[inline]
pub fn shr<T: Shifted>(a: T, b: impl ShiftAmount) -> Result<T, BodyTrap> {
    a.right(b.amount()).ok_or_else(|| BodyTrap::new(SHR))
}

macro_rules! integers {
    ($($ty:ty)*) => {
        $(impl Shifted for $ty {
            #[inline]
            fn left(self, amount: Option<u32>) -> Option<Self> {
                self.checked_shl(amount?)
            }
            #[inline]
            fn right(self, amount: Option<u32>) -> Option<Self> {
                self.checked_shr(amount?)
            }
        }

        impl ShiftAmount for $ty {
            #[inline]
            fn amount(self) -> Option<u32> {
                u32::try_from(self).ok()
            }
        })*
    };
}

integers! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }
