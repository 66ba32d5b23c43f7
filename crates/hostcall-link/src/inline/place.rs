//! Host states in the host page: their fields as places.

use std::marker::PhantomData;

use super::ast::{self, Binary, Node, Stmt};
use super::scalar::{Kind, Stored};
use super::{Builder, Expr};

/// A type that can stand in the host page: implemented by
/// `#[derive(HostState)]`, and for integers, floats and arrays.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a host state",
    label = "needs an integer of a fixed size, a float, an array, or a struct with `#[derive(HostState)]`",
    note = "use u8 instead of `bool`, and u64 or i64 instead of `usize` and `isize`"
)]
pub trait Fields: 'static {
    /// Its fields as places.
    type Place;
    /// Its size in bytes.
    const SIZE: u32;
    /// Its alignment in bytes.
    const ALIGN: u32;
    /// The places of its fields if it starts at `at`.
    fn place(at: Address) -> Self::Place;
}

/// Where in the host page something starts.
#[derive(Clone)]
pub struct Address {
    state: u32,
    offset: u32,
    index: Option<Node>,
}

impl Address {
    pub(crate) fn state(state: u32) -> Address {
        Address {
            state,
            offset: 0,
            index: None,
        }
    }

    /// So many bytes further on.
    pub fn offset(&self, bytes: usize) -> Address {
        let bytes = u32::try_from(bytes).expect("a host state is smaller than 4 GiB");
        Address {
            offset: self.offset + bytes,
            ..self.clone()
        }
    }

    fn element(self, index: Node, len: u32, size: u32) -> Address {
        if let Some(at) = constant_index(&index, len) {
            return self.offset((at * size) as usize);
        }
        let more = Node::Index {
            index: Box::new(index),
            len,
            size,
        };
        let index = match self.index {
            None => more,
            Some(index) => Node::Binary(
                Binary::WrappingAdd,
                Kind::U32,
                Box::new(index),
                Box::new(more),
            ),
        };
        Address {
            index: Some(index),
            ..self
        }
    }

    fn place(&self) -> ast::Place {
        ast::Place::Page {
            state: self.state,
            offset: self.offset,
            index: self.index.clone(),
        }
    }
}

/// An index known to be within bounds.
fn constant_index(index: &Node, len: u32) -> Option<u32> {
    match index {
        Node::Const(_, at) if *at < len.into() => Some(*at as u32),
        _ => None,
    }
}

/// A field of a host state, or an element of one of its arrays.
pub struct Place<T> {
    at: Address,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        Place::new(self.at.clone())
    }
}

impl<T> Place<T> {
    fn new(at: Address) -> Place<T> {
        Place {
            at,
            marker: PhantomData,
        }
    }
}

impl<T: Stored> Place<T> {
    /// Its value at the time when the expression is evaluated.
    pub fn get(&self) -> Expr<T> {
        Expr::new(Node::Load(T::KIND, Box::new(self.at.place())))
    }

    /// Assigns to it.
    pub fn set(&self, b: &Builder, value: Expr<T>) {
        b.push(Stmt::Store(T::KIND, self.at.place(), value.node));
    }

    /// The same place with its index computed and checked now, once: for
    /// `place += value`, which reads and writes it.
    #[must_use]
    pub fn held(&self, b: &Builder) -> Place<T> {
        let index = self.at.index.clone().map(|index| {
            let offset = b.local(Expr::<u32>::new(index));
            offset.get().node
        });
        Place::new(Address {
            index,
            ..self.at.clone()
        })
    }
}

impl<T: Fields, const N: usize> Place<[T; N]> {
    /// The place of an element. An index out of bounds traps when the place is
    /// read or written.
    pub fn at(&self, index: Expr<usize>) -> T::Place {
        let at = self.at.clone();
        T::place(at.element(index.node, <[T; N]>::LEN, T::SIZE))
    }

    /// `self.len()`.
    pub fn len(&self) -> Expr<usize> {
        super::lit(N)
    }

    /// `self.is_empty()`.
    pub fn is_empty(&self) -> Expr<bool> {
        super::lit(N == 0)
    }
}

trait Array {
    const LEN: u32;
}

impl<T: Fields, const N: usize> Array for [T; N] {
    const LEN: u32 = {
        assert!(
            (N as u64) * (T::SIZE as u64) <= u32::MAX as u64,
            "a host state is smaller than 4 GiB"
        );
        N as u32
    };
}

impl<T: Fields, const N: usize> Fields for [T; N] {
    type Place = Place<[T; N]>;
    const SIZE: u32 = <[T; N] as Array>::LEN * T::SIZE;
    const ALIGN: u32 = T::ALIGN;
    fn place(at: Address) -> Place<[T; N]> {
        Place::new(at)
    }
}

macro_rules! scalar_fields {
    ($($ty:ty)*) => {
        $(impl Fields for $ty {
            type Place = Place<$ty>;
            const SIZE: u32 = size_of::<$ty>() as u32;
            const ALIGN: u32 = align_of::<$ty>() as u32;
            fn place(at: Address) -> Place<$ty> {
                Place::new(at)
            }
        })*
    };
}

scalar_fields! { i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 }
