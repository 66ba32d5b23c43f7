//! Errors that a guest can handle: results that reach it as values, and error
//! codes with values through out-pointers.

#![expect(unsafe_code, reason = "`GuestType` is an unsafe trait")]

use crate::error::Error;
use crate::guest_type::{GuestType, Lower, Needs, Returns};
use crate::layout::{self, Layouts};
use crate::results::Results;
use crate::ty::Type;
use std::num::{NonZeroI32, NonZeroU8, NonZeroU16};

/// A `Result` that the guest gets as a value: the canonical `result<T, E>`,
/// where both are guest types. Its `Err` does not trap.
///
/// This is what `#[hostcall(result)]` makes of a function in
/// `#[host_module]`; closures return it:
///
/// ```
/// use hostcall::{AsResult, Host};
///
/// let mut host = Host::<()>::new();
/// host.func("env", "digit", |c: char| {
///     AsResult(c.to_digit(10).ok_or_else(|| format!("{c:?} is no digit")))
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsResult<R>(pub R);

impl<T, E> Returns for AsResult<Result<T, E>>
where
    T: for<'a> Lower<Value<'a> = T>,
    E: for<'a> Lower<Value<'a> = E>,
{
    type Ok = Result<T, E>;

    #[inline(always)]
    fn returned(self) -> wasmtime::Result<Result<T, E>> {
        Ok(self.0)
    }
}

/// A `Result` of which the guest gets an error code: an `i32` that is 0 for
/// `Ok`, and [`Errno::errno`] for `Err`, which does not trap.
///
/// This is what `#[hostcall(errno)]` makes of a function in `#[host_module]`;
/// closures return it. The value of `Ok` goes through out-pointers, addresses
/// in guest memory, which are parameters behind all others: none for `()`, one
/// for a guest type, one for each element of a tuple.
///
/// ```
/// use hostcall::{AsErrno, Host};
/// use std::num::NonZeroU16;
///
/// const NOT_FOUND: NonZeroU16 = NonZeroU16::new(44).unwrap();
///
/// let mut host = Host::<()>::new();
/// host.func("env", "length", |name: &str| {
///     AsErrno(if name == "a" { Ok(1_u64) } else { Err(NOT_FOUND) })
/// });
/// let program = host.program(
///     br#"(module
///         (import "env" "length" (func $length (param i32 i32 i32) (result i32)))
///         (memory (export "memory") 1)
///         (data (i32.const 16) "ab")
///         (func (export "run") (param i32) (result i32)
///             (call $length (local.get 0) (i32.const 1) (i32.const 8))))"#,
/// )?;
/// let mut instance = program.instantiate(())?;
/// let run = instance.export::<u32, i32>("run")?;
/// assert_eq!(run.call(&mut instance, 16)?, 0); // and at address 8 there is 1
/// assert_eq!(run.call(&mut instance, 17)?, 44);
/// # Ok::<(), hostcall::Error>(())
/// ```
///
/// Out-pointers are looked at when there is something to write, so with an
/// `Err` they may be anything, such as null. They are checked together, before
/// the first value is written: each must be aligned, lie in memory, and overlap
/// no other; one that is not traps, and is a [`Fault`](crate::Fault) that names
/// it. They may overlap arguments, for the function is done with those. What it
/// has done stays done. A `String` or `Vec` is put where the guest's
/// `cabi_realloc` says; if that traps, values before it may have been written.
///
/// A function that may also trap returns `Result<AsErrno<Result<T, E>>, Error>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsErrno<R>(pub R);

impl<T, E> Returns for AsErrno<Result<T, E>>
where
    T: for<'a> Lower<Value<'a> = T>,
    E: Errno,
{
    type Ok = Coded<T>;

    #[inline(always)]
    fn returned(self) -> wasmtime::Result<Coded<T>> {
        Ok(Coded(self.0.map_err(|error| error.errno())))
    }
}

impl<R, E> Returns for Result<AsErrno<R>, E>
where
    AsErrno<R>: Returns,
    E: Into<wasmtime::Error>,
{
    type Ok = <AsErrno<R> as Returns>::Ok;

    #[inline(always)]
    fn returned(self) -> wasmtime::Result<<AsErrno<R> as Returns>::Ok> {
        self.map_err(Into::into)?.returned()
    }
}

/// An error that has a code for guests, see [`AsErrno`].
///
/// ```
/// use hostcall::Errno;
/// use std::num::NonZeroI32;
///
/// enum KvError {
///     NotFound,
///     Full,
/// }
///
/// impl Errno for KvError {
///     fn errno(&self) -> NonZeroI32 {
///         const NOT_FOUND: NonZeroI32 = NonZeroI32::new(1).unwrap();
///         const FULL: NonZeroI32 = NonZeroI32::new(2).unwrap();
///         match self {
///             KvError::NotFound => NOT_FOUND,
///             KvError::Full => FULL,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no error code for the guest",
    label = "its `Err` cannot become an error code",
    note = "implement `hostcall::Errno` for it, which says what number the guest gets, or return a code as it is: `NonZeroI32`, `NonZeroU16` or `NonZeroU8`",
    note = "for a guest that gets the error itself, derive `GuestType` for it and write `#[hostcall(result)]`, or return `hostcall::AsResult`"
)]
pub trait Errno {
    /// The code. It is not 0, which is what the guest gets for `Ok`.
    fn errno(&self) -> NonZeroI32;
}

impl Errno for NonZeroI32 {
    fn errno(&self) -> NonZeroI32 {
        *self
    }
}

impl Errno for NonZeroU16 {
    fn errno(&self) -> NonZeroI32 {
        (*self).into()
    }
}

impl Errno for NonZeroU8 {
    fn errno(&self) -> NonZeroI32 {
        (*self).into()
    }
}

/// What crosses of an [`AsErrno`].
#[doc(hidden)]
pub struct Coded<T>(Result<T, NonZeroI32>);

// SAFETY: the constants are those of `s32`, which is what `lower` writes.
unsafe impl<T: GuestType> GuestType for Coded<T> {
    fn ty() -> Type {
        Type::S32
    }
    const FLAT: usize = 1;
    const LAYOUT: Layouts = layout::scalar(4);
    const NEEDS: Needs = Needs::NOTHING;
}

impl<T> Lower for Coded<T>
where
    T: for<'a> Lower<Value<'a> = T>,
{
    type Value<'a> = Coded<T>;

    const OUTS: usize = T::PARTS.len();

    fn outs() -> Option<Vec<Type>> {
        Some(T::parts())
    }

    #[inline(always)]
    fn lower(value: Coded<T>, results: &mut Results<'_>) -> wasmtime::Result<()> {
        match value.0 {
            Ok(value) => {
                let outs = results.outs(T::PARTS)?;
                T::store_parts(value, results, outs)?;
                results.bits(0)
            }
            Err(code) => results.bits(u64::from(code.get() as u32)),
        }
    }

    fn store(_: Coded<T>, _: &mut Results<'_>, _: u64) -> wasmtime::Result<()> {
        Err(misplaced())
    }
}

/// What is said when there are no out-pointers, because this is no host
/// function.
#[cold]
pub(crate) fn misplaced() -> wasmtime::Error {
    wasmtime::Error::new(Error::msg(
        "an error code with out-pointers is what a host function returns, and nothing else",
    ))
}
