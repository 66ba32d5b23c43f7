//! Methods of floats, and those that integers and floats share, under the names
//! that they have in Rust.

use super::Expr;
use super::ast::{Binary, Unary};
use super::scalar::{Float, Num, Scalar, Signed};
use super::{eq, lit, lt};

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident $op:ident -> $result:ty;)*) => {
        $($(#[$doc])*
        pub fn $name(self) -> Expr<$result>
        where
            T: Float,
        {
            self.unary(Unary::$op)
        })*
    };
}

impl<T: Scalar> Expr<T> {
    unary! {
        /// `self.sqrt()`.
        sqrt Sqrt -> T;
        /// `self.floor()`.
        floor Floor -> T;
        /// `self.ceil()`.
        ceil Ceil -> T;
        /// `self.trunc()`.
        trunc Trunc -> T;
        /// `self.round_ties_even()`.
        round_ties_even RoundTiesEven -> T;
        /// `self.is_nan()`.
        is_nan IsNan -> bool;
    }

    /// `self.to_bits()`.
    pub fn to_bits(self) -> Expr<T::Bits>
    where
        T: Float,
    {
        super::expr::to_bits(self)
    }

    /// `self.is_finite()`.
    pub fn is_finite(self) -> Expr<bool>
    where
        T: Float,
    {
        lt(self.abs(), lit(T::INFINITY))
    }

    /// `self.is_infinite()`.
    pub fn is_infinite(self) -> Expr<bool>
    where
        T: Float,
    {
        eq(self.abs(), lit(T::INFINITY))
    }

    /// `self.copysign(sign)`.
    pub fn copysign(self, sign: Expr<T>) -> Expr<T>
    where
        T: Float,
    {
        self.binary(Binary::Copysign, sign)
    }

    /// `self.abs()`. Of the least integer it traps.
    pub fn abs(self) -> Expr<T>
    where
        T: Signed,
    {
        self.unary(Unary::Abs)
    }

    /// `self.signum()`.
    pub fn signum(self) -> Expr<T>
    where
        T: Signed,
    {
        self.unary(Unary::Signum)
    }

    /// `self.min(other)`. Of floats it is the other one if one is NaN, and
    /// `other` if both are zero.
    pub fn min(self, other: Expr<T>) -> Expr<T>
    where
        T: Num,
    {
        self.binary(Binary::Min, other)
    }

    /// `self.max(other)`. Of floats it is the other one if one is NaN, and
    /// `other` if both are zero.
    pub fn max(self, other: Expr<T>) -> Expr<T>
    where
        T: Num,
    {
        self.binary(Binary::Max, other)
    }
}
