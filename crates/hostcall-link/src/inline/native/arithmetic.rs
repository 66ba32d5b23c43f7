//! `+ - * / %`: integers trap where they overflow, floats never.

use super::super::messages::{ADD, DIV, DIV_ZERO, MUL, REM, REM_ZERO, SUB};
use super::BodyTrap;

/// An integer or a float: what can be added, subtracted, multiplied, divided.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no arithmetic in inline functions",
    label = "needs an integer or a float",
    note = "turn a `bool` into a number first: `flag as u32`"
)]
pub trait Arithmetic: Sized {
    #[doc(hidden)]
    fn added(self, other: Self) -> Result<Self, BodyTrap>;
    #[doc(hidden)]
    fn subtracted(self, other: Self) -> Result<Self, BodyTrap>;
    #[doc(hidden)]
    fn multiplied(self, other: Self) -> Result<Self, BodyTrap>;
    #[doc(hidden)]
    fn divided(self, other: Self) -> Result<Self, BodyTrap>;
}

/// A type that has `%`: an integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `%` in inline functions: Wasm has no remainder of floats",
    label = "needs an integer",
    note = "write `x - (x / y).trunc() * y` where its rounding is good enough"
)]
pub trait CheckedRemainder: Sized {
    #[doc(hidden)]
    fn remainder(self, other: Self) -> Result<Self, BodyTrap>;
    #[doc(hidden)]
    fn wrapping_divided(self, other: Self) -> Result<Self, BodyTrap>;
    #[doc(hidden)]
    fn wrapping_remainder(self, other: Self) -> Result<Self, BodyTrap>;
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident: $family:ident $method:ident;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        ///
        /// Where the operator traps.
        #[inline]
        pub fn $name<T: $family>(a: T, b: T) -> Result<T, BodyTrap> {
            a.$method(b)
        })*
    };
}

operators! {
    /// `a + b`.
    add: Arithmetic added;
    /// `a - b`.
    sub: Arithmetic subtracted;
    /// `a * b`.
    mul: Arithmetic multiplied;
    /// `a / b`.
    div: Arithmetic divided;
    /// `a % b`.
    rem: CheckedRemainder remainder;
    /// `a.wrapping_div(b)`.
    wrapping_div: CheckedRemainder wrapping_divided;
    /// `a.wrapping_rem(b)`.
    wrapping_rem: CheckedRemainder wrapping_remainder;
}

/// Rust looks for a zero first, then for an overflow.
macro_rules! integers {
    ($($ty:ty)*) => {
        $(impl Arithmetic for $ty {
            #[inline]
            fn added(self, other: Self) -> Result<Self, BodyTrap> {
                self.checked_add(other).ok_or_else(|| BodyTrap::new(ADD))
            }
            #[inline]
            fn subtracted(self, other: Self) -> Result<Self, BodyTrap> {
                self.checked_sub(other).ok_or_else(|| BodyTrap::new(SUB))
            }
            #[inline]
            fn multiplied(self, other: Self) -> Result<Self, BodyTrap> {
                self.checked_mul(other).ok_or_else(|| BodyTrap::new(MUL))
            }
            #[inline]
            fn divided(self, other: Self) -> Result<Self, BodyTrap> {
                let reason = if other == 0 { DIV_ZERO } else { DIV };
                self.checked_div(other).ok_or_else(|| BodyTrap::new(reason))
            }
        }

        impl CheckedRemainder for $ty {
            #[inline]
            fn remainder(self, other: Self) -> Result<Self, BodyTrap> {
                let reason = if other == 0 { REM_ZERO } else { REM };
                self.checked_rem(other).ok_or_else(|| BodyTrap::new(reason))
            }
            #[inline]
            fn wrapping_divided(self, other: Self) -> Result<Self, BodyTrap> {
                match other {
                    0 => Err(BodyTrap::new(DIV_ZERO)),
                    other => Ok(self.wrapping_div(other)),
                }
            }
            #[inline]
            fn wrapping_remainder(self, other: Self) -> Result<Self, BodyTrap> {
                match other {
                    0 => Err(BodyTrap::new(REM_ZERO)),
                    other => Ok(self.wrapping_rem(other)),
                }
            }
        })*
    };
}

integers! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

macro_rules! floats {
    ($($ty:ty)*) => {
        $(impl Arithmetic for $ty {
            #[inline]
            fn added(self, other: Self) -> Result<Self, BodyTrap> {
                Ok(self + other)
            }
            #[inline]
            fn subtracted(self, other: Self) -> Result<Self, BodyTrap> {
                Ok(self - other)
            }
            #[inline]
            fn multiplied(self, other: Self) -> Result<Self, BodyTrap> {
                Ok(self * other)
            }
            #[inline]
            fn divided(self, other: Self) -> Result<Self, BodyTrap> {
                Ok(self / other)
            }
        })*
    };
}

floats! { f32 f64 }
