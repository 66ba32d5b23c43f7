//! Takes the functions of host modules and closures into a [`Host`].

#![expect(unsafe_code, reason = "`Registry` has unsafe functions")]

use super::{Host, HostFunc, ItemKind, LinkFunc};
use crate::args::Args;
use crate::crossing::{self, Params};
use crate::deferred::BatchRecord;
use crate::fiber::Waiting;
use crate::guest::{AsyncGuest, Guest};
use crate::guest_type::Returns;
use crate::inline::{Body, InlineArgs, InlineBody};
use crate::limits::Deadline;
use crate::owned::Owned;
use crate::registry::{Decl, FuncRegistry, Registry};
use std::sync::Arc;

/// Registers functions over a part `M` of the state `T`.
pub(crate) struct HostRegistry<'h, T: 'static, G> {
    host: &'h mut Host<T>,
    pub get: G,
    block: usize,
}

impl<'h, T, G> HostRegistry<'h, T, G> {
    pub fn new(host: &'h mut Host<T>, get: G) -> HostRegistry<'h, T, G> {
        // A number that no other registration has.
        let block = host.items.len();
        HostRegistry { host, get, block }
    }
}

impl<T, M, G> FuncRegistry<M> for HostRegistry<'_, T, G>
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
        let link = link_func::<T, M, G, P, R, F>(self.get, Arc::new(func));
        self.add(decl, HostFunc::native(decl.signature::<P, R>(), link));
    }

    unsafe fn guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
    {
        let (lift, func) = (Arc::new(lift), Arc::new(func));
        let link = link_guest_func::<T, M, G, P, V, R, L, F>(self.get, lift, func);
        self.add(decl, HostFunc::native(decl.signature::<P, R>(), link));
    }
}

impl<T, M, G> Registry<M> for HostRegistry<'_, T, G>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
{
    unsafe fn inline_func<P, R, F>(&mut self, decl: Decl<'_>, body: InlineBody, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut InlineArgs<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        let (get, func) = (self.get, Arc::new(func));
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let func = func.clone();
            crossing::link_inline_func::<_, _, R, _>(
                linker,
                linkage,
                Owned { get },
                site,
                move |state, args| func(state, args),
            )
        });
        let native = HostFunc::native(decl.signature::<P, R>(), link);
        let body = Some(Body::Rust(body));
        self.add(decl, HostFunc { body, ..native });
    }

    unsafe fn async_func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut Args<'_>, &mut Waiting<'_>) -> wasmtime::Result<R>
            + Send
            + Sync
            + 'static,
    {
        let (get, func) = (self.get, Arc::new(func));
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let (access, func) = (Owned { get }, func.clone());
            crossing::link_async_func::<T, M, G, P, R, _>(
                linker,
                linkage,
                access,
                site,
                move |state, args, waiting| func(state, args, waiting),
            )
        });
        let native = HostFunc::native(decl.signature::<P, R>(), link);
        let waits = true;
        self.add(decl, HostFunc { waits, ..native });
    }

    unsafe fn async_guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut AsyncGuest<'_, M>, V, &mut Waiting<'_>) -> wasmtime::Result<R>
            + Send
            + Sync
            + 'static,
    {
        let (get, lift, func) = (self.get, Arc::new(lift), Arc::new(func));
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let (access, lift, func) = (Owned { get }, lift.clone(), func.clone());
            crossing::link_async_guest_func::<T, M, G, P, V, R, _, _>(
                linker,
                linkage,
                access,
                site,
                move |args| lift(args),
                move |guest, values, waiting| func(guest, values, waiting),
            )
        });
        let native = HostFunc::native(decl.signature::<P, R>(), link);
        let waits = true;
        self.add(decl, HostFunc { waits, ..native });
    }

    unsafe fn blocking_func<P, R, L, J>(&mut self, decl: Decl<'_>, start: L)
    where
        P: Params + 'static,
        R: Returns + Send + 'static,
        L: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<J> + Send + Sync + 'static,
        J: FnOnce(Deadline) -> R + Send + 'static,
    {
        let (get, start) = (self.get, Arc::new(start));
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let (access, start) = (Owned { get }, start.clone());
            crossing::link_blocking_func::<_, _, P, R, _, J>(
                linker,
                linkage,
                access,
                site,
                move |state, args| start(state, args),
                |caller, running| crossing::waiting(caller, |_, waiting| running.wait(waiting)),
            )
        });
        let native = HostFunc::native(decl.signature::<P, R>(), link);
        let blocks = true;
        self.add(decl, HostFunc { blocks, ..native });
    }

    unsafe fn deferred_func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        self.add_deferred::<M, P, R, F>(decl, func);
    }

    unsafe fn deferred_guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns<Ok = ()> + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
    {
        self.add_deferred_guest::<M, P, V, R, L, F>(decl, lift, func);
    }

    fn batch_func<E, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        E: BatchRecord,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut M, &[E]) -> R + Send + Sync + 'static,
    {
        self.add_batch::<M, E, R, F>(decl, func);
    }
}

impl<T: 'static, G> HostRegistry<'_, T, G> {
    pub(crate) fn add(&mut self, decl: Decl<'_>, func: HostFunc<T>) {
        let block = Some(self.block);
        let options = decl.options;
        let func = HostFunc {
            block,
            options,
            ..func
        };
        self.host.item(decl.module, decl.name, ItemKind::Func(func));
    }
}

/// Links a function that borrows from the state and from guest memory.
pub(crate) fn link_func<T, M, G, P, R, F>(get: G, func: Arc<F>) -> Arc<LinkFunc<T>>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    P: Params + 'static,
    R: Returns + 'static,
    F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
{
    Arc::new(move |linker, linkage, site| {
        let (access, func) = (Owned { get }, func.clone());
        let func = move |state: &mut M, args: &mut Args<'_>| func(state, args);
        crossing::link_func::<_, _, P, R, _>(linker, linkage, access, site, func)
    })
}

/// Links a function that takes the guest.
pub(crate) fn link_guest_func<T, M, G, P, V, R, L, F>(
    get: G,
    lift: Arc<L>,
    func: Arc<F>,
) -> Arc<LinkFunc<T>>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    P: Params + 'static,
    V: 'static,
    R: Returns + 'static,
    L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
    F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
{
    Arc::new(move |linker, linkage, site| {
        let (access, lift, func) = (Owned { get }, lift.clone(), func.clone());
        let lift = move |args: &mut Args<'_>| lift(args);
        let func = move |guest: &mut Guest<'_, M>, values| func(guest, values);
        crossing::link_guest_func::<_, _, P, V, R, _, _>(linker, linkage, access, site, lift, func)
    })
}
