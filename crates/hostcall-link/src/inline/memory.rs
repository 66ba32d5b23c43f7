//! The guest's memory, as a body sees it.

use super::ast::{Node, Place, Stmt};
use super::scalar::{GuestAddress, Scalar, Stored};
use super::{Builder, Expr};

/// The guest's own memory. Accesses out of its bounds trap.
#[derive(Clone, Copy)]
pub struct Memory {
    pub(crate) _private: (),
}

impl Memory {
    /// Reads a `T` at `address`, little-endian; any alignment will do.
    pub fn load<T: Stored>(&self, address: Expr<impl GuestAddress>) -> Expr<T> {
        Expr::new(Node::Load(T::KIND, Box::new(place(address))))
    }

    /// Writes `value` at `address`, little-endian; any alignment will do.
    pub fn store<T: Stored>(&self, b: &Builder, address: Expr<impl GuestAddress>, value: Expr<T>) {
        b.push(Stmt::Store(T::KIND, place(address), value.node));
    }

    /// Copies `len` bytes; the two ranges may overlap. Nothing is written if one
    /// is out of bounds.
    pub fn copy<A: GuestAddress>(&self, b: &Builder, to: Expr<A>, from: Expr<A>, len: Expr<A>) {
        b.push(Stmt::Copy {
            address: A::KIND,
            to: to.node,
            from: from.node,
            len: len.node,
        });
    }

    /// Sets `len` bytes to `byte`. Nothing is written if one is out of bounds.
    pub fn fill<A: GuestAddress>(&self, b: &Builder, to: Expr<A>, byte: Expr<u8>, len: Expr<A>) {
        b.push(Stmt::Fill {
            address: A::KIND,
            to: to.node,
            byte: byte.node,
            len: len.node,
        });
    }

    /// How many bytes it has now.
    pub fn size(&self) -> Expr<u64> {
        Expr::new(Node::MemorySize)
    }
}

fn place<A: Scalar>(address: Expr<A>) -> Place {
    Place::Guest(A::KIND, address.node)
}
