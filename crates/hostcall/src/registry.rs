//! Where host functions are registered, in a [`Host`](crate::Host) or a plain
//! Wasmtime linker.

#![expect(unsafe_code, reason = "registering promises what is lifted")]

use crate::args::Args;
use crate::crossing::Params;
use crate::deferred::BatchRecord;
use crate::fiber::Waiting;
use crate::guest::{AsyncGuest, Guest};
use crate::guest_type::{GuestType, Lower, Returns};
use crate::inline::{InlineArgs, InlineBody};
use crate::limits::Deadline;
use crate::ty::{Signature, Type};

/// Name and parameter names of a host function.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Decl<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub params: &'a [&'a str],
    pub options: FuncOptions,
}

/// What a host function asks for beside its type.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuncOptions {
    /// Fuel that every call costs the guest.
    pub fuel: u64,
    /// How many calls of the guest from within this function there may be at
    /// once, one inside the other; none if zero.
    pub reentrant: u32,
}

/// How deep functions that are `reentrant` may call the guest, if they do not
/// say: deep enough for callbacks in callbacks, far from the end of a stack.
#[doc(hidden)]
pub const REENTRANT: u32 = 16;

impl<'a> Decl<'a> {
    pub const fn new(module: &'a str, name: &'a str, params: &'a [&'a str]) -> Decl<'a> {
        let options = FuncOptions {
            fuel: 0,
            reentrant: 0,
        };
        Decl {
            module,
            name,
            params,
            options,
        }
    }

    /// Charges the guest for every call.
    pub const fn fuel(mut self, fuel: u64) -> Decl<'a> {
        self.options.fuel = fuel;
        self
    }

    /// Lets the function call the guest, to a depth.
    pub const fn reentrant(mut self, depth: u32) -> Decl<'a> {
        self.options.reentrant = depth;
        self
    }
}

impl Decl<'_> {
    pub(crate) fn signature<P: Params, R: Returns>(&self) -> Signature {
        let mut types = Vec::new();
        P::types(&mut types);
        let names = self.params.iter().map(|name| (*name).to_owned());
        let unnamed = (self.params.len()..types.len()).map(|i| format!("p{i}"));
        let result = <R::Ok as GuestType>::ty();
        let results = (result != Type::Tuple(Vec::new())).then_some(result);
        Signature {
            outs: <R::Ok as Lower>::outs(),
            ..Signature::new(names.chain(unnamed).zip(types), results)
        }
    }
}

/// Takes the host functions that closures can be, over a state `T`.
///
/// Its functions are unsafe because arguments are read from raw values: what
/// lifts them must lift exactly `P`, in order.
#[doc(hidden)]
pub trait FuncRegistry<T> {
    /// A function that borrows from the state and from guest memory.
    ///
    /// # Safety
    ///
    /// `func` must lift exactly `P`.
    unsafe fn func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut T, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static;

    /// A function that takes the guest; `lift` gives its other arguments.
    ///
    /// # Safety
    ///
    /// `lift` must lift exactly `P`.
    unsafe fn guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, T>, V) -> R + Send + Sync + 'static;
}

/// Takes all that a host module has.
#[doc(hidden)]
pub trait Registry<T>: FuncRegistry<T> {
    /// A function that can be inlined; `func` is its native form.
    ///
    /// # Safety
    ///
    /// `func` must lift exactly `P`, which are scalars.
    unsafe fn inline_func<P, R, F>(&mut self, decl: Decl<'_>, body: InlineBody, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut T, &mut InlineArgs<'_>) -> wasmtime::Result<R> + Send + Sync + 'static;

    /// An async function, which may borrow from the state and from guest memory
    /// while it waits: the guest is suspended, so nothing else touches them.
    ///
    /// # Safety
    ///
    /// As [`FuncRegistry::func`].
    unsafe fn async_func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut T, &mut Args<'_>, &mut Waiting<'_>) -> wasmtime::Result<R>
            + Send
            + Sync
            + 'static;

    /// The same, and it takes the guest; `lift` gives its other arguments.
    ///
    /// # Safety
    ///
    /// As [`FuncRegistry::guest_func`].
    unsafe fn async_guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut AsyncGuest<'_, T>, V, &mut Waiting<'_>) -> wasmtime::Result<R>
            + Send
            + Sync
            + 'static;

    /// A function that runs on a thread of its own; `start` gives what runs there.
    ///
    /// # Safety
    ///
    /// `start` must lift exactly `P`.
    unsafe fn blocking_func<P, R, L, J>(&mut self, decl: Decl<'_>, start: L)
    where
        P: Params + 'static,
        R: Returns + Send + 'static,
        L: Fn(&mut T, &mut Args<'_>) -> wasmtime::Result<J> + Send + Sync + 'static,
        J: FnOnce(Deadline) -> R + Send + 'static;

    /// A function without a result, whose calls may be delivered later.
    ///
    /// # Safety
    ///
    /// As [`FuncRegistry::func`].
    unsafe fn deferred_func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut T, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static;

    /// The same, and it takes the guest.
    ///
    /// # Safety
    ///
    /// As [`FuncRegistry::guest_func`].
    unsafe fn deferred_guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns<Ok = ()> + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, T>, V) -> R + Send + Sync + 'static;

    /// A function that takes the arguments of many calls as a slice.
    fn batch_func<E, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        E: BatchRecord,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut T, &[E]) -> R + Send + Sync + 'static;
}
