//! Variables of a body, and the labels of its loops.

use std::marker::PhantomData;

use super::ast::{LabelId, LocalId, Node, Stmt};
use super::scalar::Scalar;
use super::{Builder, Expr};

/// A parameter or a variable.
pub struct Var<T> {
    pub(crate) local: LocalId,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Var<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Var<T> {}

impl<T: Scalar> Var<T> {
    pub(crate) fn new(local: LocalId) -> Var<T> {
        Var {
            local,
            marker: PhantomData,
        }
    }

    /// Its value at the time when the expression is evaluated.
    pub fn get(&self) -> Expr<T> {
        Expr::new(Node::Get(self.local))
    }

    /// Assigns to it.
    pub fn set(&self, b: &Builder, value: Expr<T>) {
        b.push(Stmt::Set(self.local, value.node));
    }
}

/// A loop that `break` and `continue` may name.
#[derive(Clone, Copy)]
pub struct Label {
    pub(crate) id: LabelId,
}

/// A loop that `break` leaves with a value.
pub struct ValueLabel<T> {
    label: Label,
    marker: PhantomData<fn(T)>,
}

impl<T> Clone for ValueLabel<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ValueLabel<T> {}

impl<T: Scalar> ValueLabel<T> {
    pub(crate) fn new(label: Label) -> ValueLabel<T> {
        ValueLabel {
            label,
            marker: PhantomData,
        }
    }

    /// To `continue` the loop with.
    pub fn label(&self) -> Label {
        self.label
    }
}
