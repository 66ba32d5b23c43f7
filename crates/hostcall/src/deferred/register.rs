//! Registering deferred functions.

#![expect(unsafe_code, reason = "`Registry` has unsafe functions")]

use super::record::batch_params;
use super::{
    BatchRecord, DeferredFunc, deliver_batch, deliver_dynamic, deliver_func, deliver_guest_func,
};
use crate::args::Args;
use crate::closure::{Free, IntoHostFunc, WithState, WithoutResult};
use crate::crossing::{self, Params};
use crate::error::{Bad, Error, ErrorKind, Place};
use crate::guest::Guest;
use crate::guest_type::{Needs, Returns};
use crate::host::{Host, HostFunc, HostRegistry, ItemKind, LinkFunc, link_func, link_guest_func};
use crate::owned::{Owned, whole};
use crate::registry::{Decl, FuncRegistry, Registry};
use crate::ty::Signature;
use crate::value::Value;
use std::sync::Arc;

impl<T: 'static> Host<T> {
    /// Offers a closure without a result as `module.name`, whose calls are
    /// deferred: they are queued in the guest, and many are delivered for one
    /// crossing. Otherwise as [`Host::func`].
    ///
    /// The host sees the same calls in the same order as without: the queue is
    /// delivered when it is full, before any host function that is not deferred,
    /// before the export that the host has called returns, and after a trap.
    /// Strings, lists and structs behind pointers are copied at the call.
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// let mut host = Host::<Vec<String>>::new();
    /// host.deferred_with_state("env", "log", |lines: &mut Vec<String>, text: &str| {
    ///     lines.push(text.to_owned());
    /// });
    /// let program = host.program(
    ///     br#"(module
    ///         (import "env" "log" (func $log (param i32 i32)))
    ///         (memory (export "memory") 1)
    ///         (data (i32.const 8) "onetwo")
    ///         (func (export "run")
    ///             (call $log (i32.const 8) (i32.const 3))
    ///             (call $log (i32.const 11) (i32.const 3))))"#,
    /// )?;
    /// let mut instance = program.instantiate(Vec::new())?;
    /// instance.export::<(), ()>("run")?.call(&mut instance, ())?;
    /// assert_eq!(*instance.state(), ["one", "two"]);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// A closure that takes the guest takes `String` and `Vec<T>` next to it: the
    /// guest may have changed its memory since the call.
    ///
    /// What has a result cannot be deferred, nor what writes to the guest:
    ///
    /// ```compile_fail
    /// # let mut host = hostcall::Host::<()>::new();
    /// host.deferred("env", "next", |n: u32| n + 1);
    /// ```
    ///
    /// ```compile_fail
    /// # let mut host = hostcall::Host::<()>::new();
    /// host.deferred("env", "clear", |bytes: &mut [u8]| bytes.fill(0));
    /// ```
    ///
    /// An error or panic traps in the guest where the call is delivered, later
    /// than it was made; see [`Error::deferred`].
    pub fn deferred<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, Free<M>>,
    ) -> &mut Self
    where
        Free<M>: WithoutResult,
    {
        self.register_deferred(module, name, func)
    }

    /// Offers a closure that takes the state first, as `module.name`:
    /// `|state: &mut T, ...|`. Otherwise as [`Host::deferred`].
    pub fn deferred_with_state<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, WithState<M>>,
    ) -> &mut Self
    where
        WithState<M>: WithoutResult,
    {
        self.register_deferred(module, name, func)
    }

    /// Offers a closure that takes the arguments of many calls at once, as a
    /// slice that borrows the queue. The guest calls `module.name` with the fields
    /// of one `E` as arguments. Otherwise as [`Host::deferred`].
    ///
    /// Calls of one function that follow each other are handed over together,
    /// as many as the queue holds.
    ///
    /// ```
    /// use hostcall::{GuestType, Host};
    ///
    /// #[derive(GuestType, Clone, Copy)]
    /// #[repr(C)]
    /// struct Sample {
    ///     channel: u32,
    ///     value: f64,
    /// }
    ///
    /// let mut host = Host::<f64>::new();
    /// host.deferred_batch("env", "sample", |sum: &mut f64, batch: &[Sample]| {
    ///     *sum += batch.iter().map(|sample| sample.value).sum::<f64>();
    /// });
    /// let program = host.program(
    ///     br#"(module
    ///         (import "env" "sample" (func $sample (param i32 f64)))
    ///         (func (export "run")
    ///             (call $sample (i32.const 1) (f64.const 0.5))
    ///             (call $sample (i32.const 2) (f64.const 2))))"#,
    /// )?;
    /// let mut instance = program.instantiate(0.0)?;
    /// instance.export::<(), ()>("run")?.call(&mut instance, ())?;
    /// assert_eq!(*instance.state(), 2.5);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    pub fn deferred_batch<E, R>(
        &mut self,
        module: &str,
        name: &str,
        func: impl Fn(&mut T, &[E]) -> R + Send + Sync + 'static,
    ) -> &mut Self
    where
        E: BatchRecord,
        R: Returns<Ok = ()> + 'static,
    {
        let decl = Decl::new(module, name, &[]);
        HostRegistry::new(self, whole).batch_func(decl, func);
        self
    }

    /// Offers a function without a result whose type is known only at run time;
    /// otherwise as [`Host::deferred`].
    ///
    /// # Errors
    ///
    /// If the signature has a result.
    pub fn deferred_dynamic<E>(
        &mut self,
        module: &str,
        name: &str,
        signature: Signature,
        func: impl Fn(&mut Guest<'_, T>, &[Value]) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<&mut Self, Error>
    where
        E: Into<wasmtime::Error>,
    {
        if !signature.results.is_empty() {
            return Err(Error::of(ErrorKind::Signature(format!(
                "`{module}.{name}` is {signature}: a deferred function has no result, because \
                 the guest has gone on when it is called"
            ))));
        }
        let func = move |guest: &mut Guest<'_, T>, values: &[Value]| {
            func(guest, values).map_err(Into::into)
        };
        let func = Arc::new(func);
        let deferred = DeferredFunc {
            deliver: deliver_dynamic(signature.clone(), func.clone()),
            reenters: true,
            batch: false,
        };
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let func = func.clone();
            let call = move |guest: &mut Guest<'_, T>, values: &[Value], _: &mut [Value]| {
                func(guest, values)
            };
            crossing::link_dynamic(linker, linkage, Owned { get: whole }, site, call)
        });
        let func = HostFunc {
            deferred: Some(deferred),
            ..HostFunc::native(signature, link)
        };
        Ok(self.item(module, name, ItemKind::Func(func)))
    }

    /// Switches deferring off, or on again, for all functions: then their calls
    /// cross at once, to the same effect.
    pub fn deferring(&mut self, on: bool) -> &mut Self {
        self.batching.deferring = on;
        self
    }

    /// How many bytes of calls may be queued, 32 KiB if not set. It is rounded
    /// up to a multiple of 16.
    ///
    /// A call takes 8 bytes for each core value and what is copied for it, or
    /// the size of a record in a batch; and the first of a run of calls of one
    /// function 8 bytes more. What is larger than the whole queue crosses at once.
    pub fn queue_size(&mut self, bytes: u32) -> &mut Self {
        self.batching.queue_size = bytes;
        self
    }

    fn register_deferred<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, M>,
    ) -> &mut Self {
        let decl = Decl::new(module, name, &[]);
        let registry = HostRegistry::new(self, whole);
        func.register(decl, &mut DeferredRegistry(registry));
        self
    }
}

/// The signature of a function whose calls are handed over as records.
pub(crate) fn batch_signature<E: BatchRecord>() -> Signature {
    Signature::new(batch_params(&E::ty()), [])
}

/// The same function for one call.
pub(crate) fn one<S, E, R>(
    func: impl Fn(&mut S, &[E]) -> R + Send + Sync + 'static,
) -> impl Fn(&mut S, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static
where
    E: BatchRecord,
{
    move |state, args| {
        // Which of the arguments is refused, its type does not tell.
        let record = E::lift(args).map_err(|fault| Bad::at(Place::Record, fault))?;
        Ok(func(state, std::slice::from_ref(&record)))
    }
}

/// What arguments a deferred function can have, at compile time.
const fn check(needs: Needs) {
    assert!(
        !needs.exclusive,
        "a deferred function cannot take `&mut`: the guest has gone on when it is called"
    );
    assert!(
        !needs.handles,
        "a deferred function cannot take `GuestStr`, `GuestSlice` or `GuestPtr`, because the guest \
         may have changed its memory when it is called: take `String`, `Vec<T>` or `T`, which are \
         copied at the call"
    );
}

impl<T, G> HostRegistry<'_, T, G>
where
    T: 'static,
{
    pub(crate) fn add_deferred<M, P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        M: 'static,
        G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        const { check(P::NEEDS) };
        let (get, func) = (self.get, Arc::new(func));
        let deferred = DeferredFunc {
            deliver: deliver_func::<T, M, G, P, R, F>(get, func.clone()),
            reenters: false,
            batch: false,
        };
        let link = link_func::<T, M, G, P, R, F>(get, func);
        let native = HostFunc::native(decl.signature::<P, R>(), link);
        let deferred = Some(deferred);
        self.add(decl, HostFunc { deferred, ..native });
    }

    pub(crate) fn add_deferred_guest<M, P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        M: 'static,
        G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
    {
        const { check(P::NEEDS) };
        let (get, lift, func) = (self.get, Arc::new(lift), Arc::new(func));
        let deferred = DeferredFunc {
            deliver: deliver_guest_func::<T, M, G, V, R, L, F>(get, lift.clone(), func.clone()),
            reenters: true,
            batch: false,
        };
        let link = link_guest_func::<T, M, G, P, V, R, L, F>(get, lift, func);
        let native = HostFunc::native(decl.signature::<P, R>(), link);
        let deferred = Some(deferred);
        self.add(decl, HostFunc { deferred, ..native });
    }

    pub(crate) fn add_batch<M, E, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        M: 'static,
        G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
        E: BatchRecord,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut M, &[E]) -> R + Send + Sync + 'static,
    {
        let (get, func) = (self.get, Arc::new(func));
        let deferred = DeferredFunc {
            deliver: deliver_batch::<T, M, G, E, R, F>(get, func.clone()),
            reenters: false,
            batch: true,
        };
        let one = one(move |state: &mut M, records: &[E]| func(state, records));
        let link = link_func::<T, M, G, (E, ()), R, _>(get, Arc::new(one));
        let native = HostFunc::native(batch_signature::<E>(), link);
        let deferred = Some(deferred);
        self.add(decl, HostFunc { deferred, ..native });
    }
}

/// Registers every function as a deferred one.
struct DeferredRegistry<'h, T: 'static, G>(HostRegistry<'h, T, G>);

impl<T, M, G> FuncRegistry<M> for DeferredRegistry<'_, T, G>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
{
    unsafe fn func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        self.0.add_deferred::<M, P, R, F>(decl, func);
    }

    unsafe fn guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
    {
        self.0
            .add_deferred_guest::<M, P, V, R, L, F>(decl, lift, func);
    }
}
