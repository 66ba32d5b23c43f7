//! What blocks, calls and functions result in.

use super::Expr;
use super::ast::{Node, Stmt};
use super::builder::Builder;
use super::scalar::{Kind, Scalar};

/// The value of a block: `()` or an [`Expr`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a value in an inline body",
    label = "not an expression of the body",
    note = "blocks, calls and functions have no value, or one integer, float or `bool`"
)]
pub trait Value: sealed::Sealed {
    #[doc(hidden)]
    const KIND: Option<Kind>;
    #[doc(hidden)]
    fn into_node(self) -> Option<Node>;
    /// A node without a value becomes a statement at once, so that it keeps its
    /// turn.
    #[doc(hidden)]
    fn from_node(b: &Builder, node: Node) -> Self;
}

/// What a function returns: `()` or a [`Scalar`].
#[diagnostic::on_unimplemented(
    message = "an inline function cannot return `{Self}`",
    label = "not `()`, an integer, a float or `bool`",
    note = "return a number, or make this an ordinary host function by dropping `inline`"
)]
pub trait Returned {
    #[doc(hidden)]
    const RETURNED: Option<Kind>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<T> Sealed for super::Expr<T> {}
}

impl Value for () {
    const KIND: Option<Kind> = None;
    fn into_node(self) -> Option<Node> {
        None
    }
    fn from_node(b: &Builder, node: Node) {
        b.push(Stmt::Eval(node));
    }
}

impl<T: Scalar> Value for Expr<T> {
    const KIND: Option<Kind> = Some(T::KIND);
    fn into_node(self) -> Option<Node> {
        Some(self.node)
    }
    fn from_node(_: &Builder, node: Node) -> Expr<T> {
        Expr::new(node)
    }
}

impl Returned for () {
    const RETURNED: Option<Kind> = None;
}

impl<T: Scalar> Returned for T {
    const RETURNED: Option<Kind> = Some(T::KIND);
}

/// An argument of a call.
pub struct Arg {
    pub(crate) kind: Kind,
    pub(crate) node: Node,
}
