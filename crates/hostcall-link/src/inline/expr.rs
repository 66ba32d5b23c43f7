//! Expressions with the type that they have in Rust.

use std::marker::PhantomData;

use super::ast::{Binary, Logic, Node, Unary};
use super::scalar::{Bitwise, Float, Scalar};
use super::{CastTo, fold};

/// A value that the body computes: a tree of operations, not yet a number.
///
/// Operators and methods mean exactly what they mean for `T` in a debug build
/// of Rust: arithmetic that overflows traps. The tree is evaluated where it is
/// used; what has effects or costs something and is used twice goes into a
/// variable: [`Builder::local`](super::Builder::local).
#[must_use = "an expression does nothing until it is used; `Builder::eval` evaluates it"]
pub struct Expr<T> {
    pub(crate) node: Node,
    marker: PhantomData<fn() -> T>,
}

impl<T: Scalar> Expr<T> {
    pub(crate) fn new(node: Node) -> Expr<T> {
        Expr {
            node,
            marker: PhantomData,
        }
    }

    pub(crate) fn boxed(self) -> Box<Node> {
        Box::new(self.node)
    }

    /// An operation whose result may have another type.
    pub(crate) fn unary<U: Scalar>(self, op: Unary) -> Expr<U> {
        Expr::new(fold::unary(op, T::KIND, self.node))
    }

    pub(crate) fn binary<U: Scalar>(self, op: Binary, other: Expr<T>) -> Expr<U> {
        Expr::new(fold::binary(op, T::KIND, self.node, other.node))
    }
}

/// A constant: a literal, or any Rust expression whose value is known when the
/// body is built.
pub fn lit<T: Scalar>(value: T) -> Expr<T> {
    Expr::new(Node::Const(T::KIND, value.encode()))
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $op:ident;)*) => {
        $($(#[$doc])*
        pub fn $name<T: Scalar>(a: Expr<T>, b: Expr<T>) -> Expr<bool> {
            a.binary(Binary::$op, b)
        })*
    };
}

comparisons! {
    /// `a == b`.
    eq Eq;
    /// `a != b`.
    ne Ne;
    /// `a < b`.
    lt Lt;
    /// `a <= b`.
    le Le;
    /// `a > b`.
    gt Gt;
    /// `a >= b`.
    ge Ge;
}

/// `a && b`: `b` is evaluated only if `a` is true.
pub fn and(a: Expr<bool>, b: Expr<bool>) -> Expr<bool> {
    Expr::new(Node::Logic(Logic::And, a.boxed(), b.boxed()))
}

/// `a || b`: `b` is evaluated only if `a` is false.
pub fn or(a: Expr<bool>, b: Expr<bool>) -> Expr<bool> {
    Expr::new(Node::Logic(Logic::Or, a.boxed(), b.boxed()))
}

/// `!a`.
pub fn not<T: Bitwise>(a: Expr<T>) -> Expr<T> {
    a.unary(Unary::Not)
}

/// `a as U`: widens, wraps, rounds, or saturates, as Rust does.
pub fn cast<T: CastTo<U>, U: Scalar>(a: Expr<T>) -> Expr<U> {
    Expr::new(fold::cast(T::KIND, U::KIND, a.node))
}

/// `T::from_bits(bits)` of a float.
pub fn from_bits<T: Float>(bits: Expr<T::Bits>) -> Expr<T> {
    Expr::new(Node::Reinterpret(T::KIND, bits.boxed()))
}

/// `x.to_bits()` of a float.
pub fn to_bits<T: Float>(x: Expr<T>) -> Expr<T::Bits> {
    Expr::new(Node::Reinterpret(<T::Bits as Scalar>::KIND, x.boxed()))
}
