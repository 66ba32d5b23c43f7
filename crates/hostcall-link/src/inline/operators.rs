//! Rust's operators on expressions.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub};

use super::ast::{Binary, Shift, Unary};
use super::scalar::{Bitwise, Int, Num, Remainder, Scalar, Signed};
use super::{Expr, fold};

macro_rules! binary {
    ($($family:ident: $($op:ident $method:ident $node:ident),*;)*) => {
        $($(impl<T: $family> $op for Expr<T> {
            type Output = Expr<T>;
            fn $method(self, other: Expr<T>) -> Expr<T> {
                self.binary(Binary::$node, other)
            }
        })*)*
    };
}

binary! {
    Num: Add add Add, Sub sub Sub, Mul mul Mul, Div div Div;
    Remainder: Rem rem Rem;
    Bitwise: BitAnd bitand And, BitOr bitor Or, BitXor bitxor Xor;
}

macro_rules! shifts {
    ($($op:ident $method:ident $node:ident;)*) => {
        $(impl<T: Int, U: Int> $op<Expr<U>> for Expr<T> {
            type Output = Expr<T>;
            fn $method(self, amount: Expr<U>) -> Expr<T> {
                self.shift(Shift::$node, amount)
            }
        })*
    };
}

shifts! {
    Shl shl Left;
    Shr shr Right;
}

impl<T: Scalar> Expr<T> {
    pub(crate) fn shift<U: Scalar>(self, op: Shift, amount: Expr<U>) -> Expr<T> {
        Expr::new(fold::shift(op, T::KIND, U::KIND, self.node, amount.node))
    }
}

impl<T: Signed> Neg for Expr<T> {
    type Output = Expr<T>;
    fn neg(self) -> Expr<T> {
        self.unary(Unary::Neg)
    }
}

impl<T: Bitwise> Not for Expr<T> {
    type Output = Expr<T>;
    fn not(self) -> Expr<T> {
        self.unary(Unary::Not)
    }
}
