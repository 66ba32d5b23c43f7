//! The traits behind "Rust types choose the representation".
//!
//! A new guest type is a new implementation of these three, in the folder
//! beside this file.

#![expect(unsafe_code, reason = "`GuestType` is an unsafe trait")]

use crate::args::Args;
use crate::fault::Lifted;
use crate::layout::Layouts;
use crate::results::Results;
use crate::ty::Type;

mod compound;
mod handle;
mod list;
mod place;
mod scalar;
mod text;

pub use compound::{bad_tag, lift_case, load_tag, lower_case, max, store_tag};
pub use handle::{GuestPtr, GuestSlice, GuestStr};
pub use place::{GuestPlace, PlaceField, assert_unpadded};
pub(crate) use scalar::to_char;

/// A Rust type that can cross the boundary.
///
/// Implemented for scalars, `bool`, `char`, strings, slices, `Vec`, `Option`,
/// `Result`, tuples, arrays and references; derive it for your own structs and
/// enums:
///
/// ```
/// use hostcall::GuestType;
///
/// #[derive(GuestType, Debug, PartialEq)]
/// enum Shape {
///     Empty,
///     Circle { radius: f64 },
/// }
///
/// assert_eq!(Shape::ty().to_string(), "variant { empty, circle(record { radius: f64 }) }");
/// ```
///
/// # Safety
///
/// The constants must be those that the type [`ty`](GuestType::ty) has, and
/// [`Lift`] and [`Lower`] must read and write exactly the core values that it
/// flattens to: they are read from, and become, raw values of Wasm. Derived
/// implementations do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the boundary between guest and host",
    label = "not a guest type",
    note = "for a struct or enum of your own, add `#[derive(hostcall::GuestType)]`",
    note = "otherwise use a scalar, `bool`, `char`, `String`, `Vec<T>`, `Option<T>`, `Result<T, E>`, a tuple, `GuestFunc` or `HostRef`; arguments may also be `&str`, `&CStr`, `&[T]`, `&mut [T]`, `&T` or `&mut T`"
)]
pub unsafe trait GuestType {
    /// The interface type.
    fn ty() -> Type;

    /// Number of core values when passed by value.
    #[doc(hidden)]
    const FLAT: usize;
    /// Size and alignment in guest memory.
    #[doc(hidden)]
    const LAYOUT: Layouts;
    /// What crossing needs of the guest.
    #[doc(hidden)]
    const NEEDS: Needs;
    /// Whether `Option<Self>` is the nullable reference.
    #[doc(hidden)]
    const NULLABLE: bool = false;
    /// What goes through an out-pointer of its own, see
    /// [`AsErrno`](crate::AsErrno): the elements of a tuple, or the whole.
    #[doc(hidden)]
    const PARTS: &'static [Layouts] = &[Self::LAYOUT];
    /// The types of these.
    #[doc(hidden)]
    fn parts() -> Vec<Type> {
        vec![Self::ty()]
    }
}

/// A guest type that the host can receive: an argument of a host function or
/// the result of an export.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be received from a guest",
    label = "not an argument of a host function nor a result of an export",
    note = "for a struct or enum of your own, add `#[derive(hostcall::GuestType)]`; to borrow it with `&`, also `#[derive(Clone, Copy)]` and `#[repr(C)]`"
)]
pub trait Lift: GuestType {
    /// The type with its lifetime: `&'a str` for `&str`, `Self` if owned.
    type Value<'a>;

    /// Reads the value from its core values.
    #[doc(hidden)]
    fn lift<'a>(args: &mut Args<'a>) -> Lifted<Self::Value<'a>>;

    /// Reads the value from guest memory.
    #[doc(hidden)]
    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<Self::Value<'a>>;

    /// Reads `count` consecutive values from guest memory.
    #[doc(hidden)]
    fn load_list<'a>(args: &mut Args<'a>, at: u64, count: u64) -> Lifted<Vec<Self::Value<'a>>> {
        let stride = Self::LAYOUT[args.width()].size;
        let count = args.list(at, count, stride, size_of::<Self::Value<'a>>())?;
        (0..count as u64)
            .map(|i| Self::load(args, at + i * stride as u64))
            .collect()
    }
}

/// A guest type that the host can send: the result of a host function or an
/// argument of an export.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to a guest",
    label = "not a result of a host function nor an argument of an export",
    note = "for a struct or enum of your own, add `#[derive(hostcall::GuestType)]`"
)]
pub trait Lower: GuestType {
    /// The type with its lifetime: `&'a str` for `&str`, `Self` if owned.
    type Value<'a>;

    /// Writes the value as core values.
    #[doc(hidden)]
    fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()>;

    /// Writes the value into guest memory.
    #[doc(hidden)]
    fn store(value: Self::Value<'_>, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()>;

    /// Writes each of [`GuestType::PARTS`] where `outs` says.
    #[doc(hidden)]
    #[inline(always)]
    fn store_parts(
        value: Self::Value<'_>,
        results: &mut Results<'_>,
        outs: &[u64],
    ) -> wasmtime::Result<()> {
        Self::store(value, results, outs[0])
    }

    /// Number of out-pointers that lowering takes, and what goes through them,
    /// if this is an error code.
    #[doc(hidden)]
    const OUTS: usize = 0;
    #[doc(hidden)]
    fn outs() -> Option<Vec<Type>> {
        None
    }

    /// Writes consecutive values into guest memory.
    #[doc(hidden)]
    fn store_list<'v>(
        items: impl Iterator<Item = Self::Value<'v>>,
        results: &mut Results<'_>,
        at: u64,
    ) -> wasmtime::Result<()> {
        let stride = Self::LAYOUT[results.width()].size as u64;
        (at..)
            .step_by(stride.max(1) as usize)
            .zip(items)
            .try_for_each(|(at, item)| Self::store(item, results, at))
    }
}

/// What a host function may return: any [`Lower`] type, a `Result` of one whose
/// `Err` becomes a trap, or one whose `Err` the guest gets: [`AsResult`] or
/// [`AsErrno`].
///
/// [`AsResult`]: crate::AsResult
/// [`AsErrno`]: crate::AsErrno
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a host function",
    label = "not a result of a host function",
    note = "return a type that implements `GuestType`, or `Result<T, E>` of one, where `E` is an error that implements `std::error::Error + Send + Sync`",
    note = "for a message without an error type, use `hostcall::Error::msg`",
    note = "`#[hostcall(result)]` and `#[hostcall(errno)]`, `AsResult` and `AsErrno`, are for functions that return a `Result`"
)]
pub trait Returns {
    /// What the guest gets.
    #[doc(hidden)]
    type Ok: for<'a> Lower<Value<'a> = Self::Ok>;

    /// Splits off the trap.
    #[doc(hidden)]
    fn returned(self) -> wasmtime::Result<Self::Ok>;
}

impl<T, E> Returns for Result<T, E>
where
    T: for<'a> Lower<Value<'a> = T>,
    E: Into<wasmtime::Error>,
{
    type Ok = T;

    #[inline(always)]
    fn returned(self) -> wasmtime::Result<T> {
        self.map_err(Into::into)
    }
}

/// What a type needs of the guest to cross; known at compile time, so that
/// nothing is prepared that is not used.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Needs {
    /// Guest memory.
    pub memory: bool,
    /// A mutable borrow of guest memory, so that overlaps are watched for.
    pub exclusive: bool,
    /// Function or object references.
    pub references: bool,
    /// The guest's memory as it is when the host function looks.
    pub handles: bool,
}

impl Needs {
    pub const NOTHING: Needs = Needs {
        memory: false,
        exclusive: false,
        references: false,
        handles: false,
    };
    pub const MEMORY: Needs = Needs {
        memory: true,
        ..Needs::NOTHING
    };
    pub const EXCLUSIVE: Needs = Needs {
        exclusive: true,
        ..Needs::MEMORY
    };
    pub const REFERENCES: Needs = Needs {
        references: true,
        ..Needs::NOTHING
    };
    pub const HANDLES: Needs = Needs {
        handles: true,
        ..Needs::NOTHING
    };

    pub const fn and(self, other: Needs) -> Needs {
        Needs {
            memory: self.memory || other.memory,
            exclusive: self.exclusive || other.exclusive,
            references: self.references || other.references,
            handles: self.handles || other.handles,
        }
    }

    /// What all of `parts` need together.
    pub const fn all(parts: &[Needs]) -> Needs {
        let (mut needs, mut i) = (Needs::NOTHING, 0);
        while i < parts.len() {
            needs = needs.and(parts[i]);
            i += 1;
        }
        needs
    }
}

/// Makes owned types the results of host functions.
macro_rules! returns_self {
    (impl[$($generics:tt)*] $ty:ty) => {
        impl<$($generics)*> crate::guest_type::Returns for $ty
        where
            $ty: for<'a> crate::guest_type::Lower<Value<'a> = $ty>,
        {
            type Ok = $ty;

            #[inline(always)]
            fn returned(self) -> wasmtime::Result<$ty> {
                Ok(self)
            }
        }
    };
}
pub(crate) use returns_self;
