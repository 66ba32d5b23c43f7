//! Methods of integers, under the names that they have in Rust.

use super::ast::{Binary, Shift, Unary};
use super::scalar::{Int, Scalar, SignedInt};
use super::{CastTo, Expr};

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(self, other: Expr<T>) -> Expr<T>
        where
            T: Int,
        {
            self.binary(Binary::$op, other)
        })*
    };
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident $op:ident -> $result:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(self) -> Expr<$result>
        where
            T: Int,
        {
            self.unary(Unary::$op)
        })*
    };
}

macro_rules! shift {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        $($(#[$doc])*
        pub fn $name(self, amount: Expr<u32>) -> Expr<T>
        where
            T: Int,
        {
            self.shift(Shift::$op, amount)
        })*
    };
}

impl<T: Scalar> Expr<T> {
    binary! {
        /// `self.wrapping_add(other)`: one operator, nothing to check.
        wrapping_add WrappingAdd;
        /// `self.wrapping_sub(other)`: one operator, nothing to check.
        wrapping_sub WrappingSub;
        /// `self.wrapping_mul(other)`: one operator, nothing to check.
        wrapping_mul WrappingMul;
        /// `self.wrapping_div(other)`; division by zero traps.
        wrapping_div WrappingDiv;
        /// `self.wrapping_rem(other)`; division by zero traps.
        wrapping_rem WrappingRem;
    }

    unary! {
        /// `self.wrapping_neg()`.
        wrapping_neg WrappingNeg -> T;
        /// `self.count_ones()`.
        count_ones CountOnes -> u32;
        /// `self.leading_zeros()`.
        leading_zeros LeadingZeros -> u32;
        /// `self.trailing_zeros()`.
        trailing_zeros TrailingZeros -> u32;
        /// `self.swap_bytes()`.
        swap_bytes SwapBytes -> T;
    }

    shift! {
        /// `self.wrapping_shl(amount)`: the amount modulo the width.
        wrapping_shl WrappingLeft;
        /// `self.wrapping_shr(amount)`: the amount modulo the width.
        wrapping_shr WrappingRight;
        /// `self.rotate_left(amount)`.
        rotate_left RotateLeft;
        /// `self.rotate_right(amount)`.
        rotate_right RotateRight;
    }

    /// `self.count_zeros()`.
    pub fn count_zeros(self) -> Expr<u32>
    where
        T: Int,
    {
        (!self).count_ones()
    }

    /// `self.leading_ones()`.
    pub fn leading_ones(self) -> Expr<u32>
    where
        T: Int,
    {
        (!self).leading_zeros()
    }

    /// `self.trailing_ones()`.
    pub fn trailing_ones(self) -> Expr<u32>
    where
        T: Int,
    {
        (!self).trailing_zeros()
    }

    /// `self.wrapping_abs()`.
    pub fn wrapping_abs(self) -> Expr<T>
    where
        T: SignedInt,
    {
        self.unary(Unary::WrappingAbs)
    }

    /// `self.unsigned_abs()`.
    pub fn unsigned_abs(self) -> Expr<T::Unsigned>
    where
        T: SignedInt + CastTo<T::Unsigned>,
    {
        super::cast(self.wrapping_abs())
    }
}
