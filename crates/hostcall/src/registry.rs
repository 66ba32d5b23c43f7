//! Where host functions are registered, in a [`Host`](crate::Host) or a plain
//! Wasmtime linker.

#![expect(unsafe_code, reason = "registering promises what is lifted")]

use crate::args::Args;
use crate::crossing::Params;
use crate::deferred::BatchRecord;
use crate::guest::Guest;
use crate::guest_type::{GuestType, Returns};
use crate::inline::{InlineArgs, InlineBody};
use crate::ty::{Signature, Type};

/// Name and parameter names of a host function.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Decl<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub params: &'a [&'a str],
}

impl Decl<'_> {
    pub(crate) fn signature<P: Params, R: Returns>(&self) -> Signature {
        let mut types = Vec::new();
        P::types(&mut types);
        let names = self.params.iter().map(|name| (*name).to_owned());
        let unnamed = (self.params.len()..types.len()).map(|i| format!("p{i}"));
        let result = <R::Ok as GuestType>::ty();
        let results = (result != Type::Tuple(Vec::new())).then_some(result);
        Signature::new(names.chain(unnamed).zip(types), results)
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
