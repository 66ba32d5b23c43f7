//! Host modules in a plain Wasmtime linker, next to an embedder's own code.

#![expect(unsafe_code, reason = "`Registry` has unsafe functions")]

use crate::args::Args;
use crate::crossing::{self, Linkage, Params};
use crate::deferred::{BatchRecord, batch_signature, one};
use crate::error::Site;
use crate::fiber::Waiting;
use crate::guest::{AsyncGuest, Guest};
use crate::guest_type::Returns;
use crate::inline::{InlineArgs, InlineBody, InlinedCode, PageLayout};
use crate::limits::{Deadline, HostLimit, Limits};
use crate::posting::Posts;
use crate::reach::{Access, AnyStore, Exports, GuestMemory, Realloc};
use crate::reentry::frame_name;
use crate::registry::{Decl, FuncRegistry, Registry};
use crate::ty::Signature;
use std::sync::Arc;
use wasmtime::{Extern, FrameInfo, Linker, Memory};

/// Registers functions over a part `M` of the data `D` of a store.
pub(crate) struct LinkerRegistry<'l, D: 'static, G> {
    pub linker: &'l mut Linker<D>,
    pub get: G,
    /// The first failure; later functions are skipped.
    pub result: wasmtime::Result<()>,
}

/// Access to a guest in a store that hostcall does not own: everything is
/// looked up in the instance that calls.
#[derive(Clone)]
struct Foreign<G> {
    get: G,
}

impl<D, M, G> Access<D> for Foreign<G>
where
    D: 'static,
    M: 'static,
    G: Fn(&mut D) -> &mut M + Copy + Send + Sync + 'static,
{
    type State = M;
    const OWNED: bool = false;

    #[inline(always)]
    fn state<'d>(&self, data: &'d mut D) -> &'d mut M {
        (self.get)(data)
    }

    #[inline(always)]
    fn memory<S: Exports<Data = D>>(&self, store: &mut S) -> GuestMemory {
        GuestMemory::of(store.export("memory"))
    }

    fn realloc<S: Exports<Data = D>>(&self, store: &mut S) -> Realloc {
        let export = store.export(Realloc::NAME);
        Realloc::of(export, store)
    }

    fn export<S: Exports<Data = D>>(&self, store: &mut S, name: &str) -> Option<Extern> {
        store.export(name)
    }

    fn owner(&self, _: &D) -> u64 {
        0
    }

    fn limits(&self, _: &D) -> Limits {
        Limits::NONE
    }

    fn host_limit(&self, _: &D) -> Option<HostLimit> {
        None
    }

    fn posts<'d>(&self, _: &'d mut D) -> Option<&'d mut Posts> {
        None
    }

    fn function(&self, _: &D, frame: &FrameInfo) -> Option<String> {
        Some(frame_name(frame))
    }

    fn page<S: Exports<Data = D>>(&self, _: &mut S) -> Option<(Memory, Arc<PageLayout>)> {
        None
    }

    fn code(&self, _: &D) -> Option<Arc<InlinedCode>> {
        None
    }

    fn drain<S: Exports<Data = D>>(&self, _: &mut S) -> wasmtime::Result<()> {
        Ok(())
    }

    fn drain_kept<S: Exports<Data = D>>(&self, _: &mut S) -> wasmtime::Result<()> {
        Ok(())
    }

    fn is_unwinding<S: Exports<Data = D>>(&self, _: &mut S) -> bool {
        false
    }

    fn holds<S: Exports<Data = D>>(&self, _: &mut S) -> bool {
        false
    }

    fn hold<S: Exports<Data = D>>(
        &self,
        store: &mut S,
        job: &mut dyn FnMut(&mut AnyStore<'_, D>),
    ) -> wasmtime::Result<()> {
        job(&mut AnyStore(store));
        Ok(())
    }
}

impl<D: 'static, G> LinkerRegistry<'_, D, G> {
    fn refuse(&mut self, decl: Decl<'_>, why: &str) {
        if self.result.is_ok() {
            let Decl { module, name, .. } = decl;
            self.result = Err(wasmtime::format_err!("`{module}.{name}` {why}"));
        }
    }

    fn link(
        &mut self,
        decl: Decl<'_>,
        signature: Signature,
        link: impl FnOnce(&mut Linker<D>, &Linkage<'_>, Arc<Site>) -> wasmtime::Result<()>,
    ) {
        if self.result.is_ok() {
            self.result = link_as(self.linker, signature, decl, link);
        }
    }
}

/// Links a function under the first form of its signature.
fn link_as<D: 'static>(
    linker: &mut Linker<D>,
    signature: Signature,
    decl: Decl<'_>,
    link: impl FnOnce(&mut Linker<D>, &Linkage<'_>, Arc<Site>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    let wide = false;
    let (ty, form) = signature.import_forms(wide).swap_remove(0);
    let linkage = Linkage {
        module: decl.module,
        name: decl.name,
        ty: &ty,
        form,
        wide,
        options: decl.options,
        metered: false,
    };
    let site = Site {
        module: decl.module.to_owned(),
        name: decl.name.to_owned(),
        signature,
    };
    link(linker, &linkage, Arc::new(site))
}

impl<D, M, G> FuncRegistry<M> for LinkerRegistry<'_, D, G>
where
    D: 'static,
    M: 'static,
    G: Fn(&mut D) -> &mut M + Copy + Send + Sync + 'static,
{
    unsafe fn func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        let access = Foreign { get: self.get };
        self.link(decl, decl.signature::<P, R>(), |linker, linkage, site| {
            crossing::link_func::<_, _, P, R, _>(linker, linkage, access, site, func)
        });
    }

    unsafe fn guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
    {
        let access = Foreign { get: self.get };
        self.link(decl, decl.signature::<P, R>(), |linker, linkage, site| {
            crossing::link_guest_func::<_, _, P, V, R, _, _>(
                linker, linkage, access, site, lift, func,
            )
        });
    }
}

impl<D, M, G> Registry<M> for LinkerRegistry<'_, D, G>
where
    D: 'static,
    M: 'static,
    G: Fn(&mut D) -> &mut M + Copy + Send + Sync + 'static,
{
    unsafe fn inline_func<P, R, F>(&mut self, decl: Decl<'_>, body: InlineBody, func: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut InlineArgs<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        if !body.states.is_empty() {
            self.refuse(
                decl,
                "works on a struct in the host page, which only `Host` adds to a guest: link the \
                 guest by `Host::program`",
            );
        }
        let access = Foreign { get: self.get };
        self.link(decl, decl.signature::<P, R>(), |linker, linkage, site| {
            crossing::link_inline_func::<_, _, R, _>(linker, linkage, access, site, func)
        });
    }

    // What suspends a guest is made for stores of ours.

    unsafe fn async_func<P, R, F>(&mut self, decl: Decl<'_>, _: F)
    where
        P: Params + 'static,
        R: Returns + 'static,
        F: Fn(&mut M, &mut Args<'_>, &mut Waiting<'_>) -> wasmtime::Result<R>
            + Send
            + Sync
            + 'static,
    {
        self.refuse(
            decl,
            "is async, and only guests linked by `Host::program` can be suspended",
        );
    }

    unsafe fn async_guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, _: L, _: F)
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
        self.refuse(
            decl,
            "is async, and only guests linked by `Host::program` can be suspended",
        );
    }

    unsafe fn blocking_func<P, R, L, J>(&mut self, decl: Decl<'_>, start: L)
    where
        P: Params + 'static,
        R: Returns + Send + 'static,
        L: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<J> + Send + Sync + 'static,
        J: FnOnce(Deadline) -> R + Send + 'static,
    {
        let access = Foreign { get: self.get };
        self.link(decl, decl.signature::<P, R>(), |linker, linkage, site| {
            crossing::link_blocking_func::<_, _, P, R, _, J>(
                linker,
                linkage,
                access,
                site,
                start,
                |_, running| running.wait_here(),
            )
        });
    }

    // A plain linker has no queue to put calls into: they cross at once.

    unsafe fn deferred_func<P, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        P: Params + 'static,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
    {
        // SAFETY: promised by the caller.
        unsafe { self.func::<P, R, F>(decl, func) };
    }

    unsafe fn deferred_guest_func<P, V, R, L, F>(&mut self, decl: Decl<'_>, lift: L, func: F)
    where
        P: Params + 'static,
        V: 'static,
        R: Returns<Ok = ()> + 'static,
        L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
        F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
    {
        // SAFETY: promised by the caller.
        unsafe { self.guest_func::<P, V, R, L, F>(decl, lift, func) };
    }

    fn batch_func<E, R, F>(&mut self, decl: Decl<'_>, func: F)
    where
        E: BatchRecord,
        R: Returns<Ok = ()> + 'static,
        F: Fn(&mut M, &[E]) -> R + Send + Sync + 'static,
    {
        let access = Foreign { get: self.get };
        let signature = batch_signature::<E>();
        self.link(decl, signature, |linker, linkage, site| {
            crossing::link_func::<_, _, (E, ()), R, _>(linker, linkage, access, site, one(func))
        });
    }
}
