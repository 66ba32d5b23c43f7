//! Stores that hostcall owns: one per instance, so what is found of the guest
//! once holds for every call.

use crate::deferred::{DeferredCalls, KeptRun, drain, drain_kept};
use crate::error::{Error, ErrorKind};
use crate::fiber::Fiber;
use crate::inline::{InlinedCode, PAGE, PageLayout};
use crate::limits::{self, Budget, HostLimit, LimitExceeded, Limiter, Limits, Transfer};
use crate::memory::Source;
use crate::posting::Posts;
use crate::program::Program;
use crate::reach::{Access, AnyStore, Exports, GuestMemory, Realloc, by_value};
use crate::shared::Hold;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use wasmtime::{Caller, Extern, FrameInfo, Func, Memory, Store, TypedFunc};

/// The data of an instance's Wasmtime store, reached by
/// [`Instance::store_mut`](crate::Instance::store_mut).
pub struct StoreData<T: 'static> {
    pub(crate) state: T,
    pub(crate) limits: Limits,
    pub(crate) limiter: Limiter,
    /// Name of the export whose memory pointers refer to.
    memory_name: Option<Arc<str>>,
    /// `None` until it is needed: a start function may call the host before
    /// the instance is complete.
    memory: Option<GuestMemory>,
    realloc: Option<Realloc>,
    pub(crate) instance: Option<wasmtime::Instance>,
    owner: u64,
    /// Where structs are in the host page, if there is one.
    pub(crate) page_layout: Option<Arc<PageLayout>>,
    /// The host page, once the instance is complete.
    pub(crate) page: Option<Memory>,
    pub(crate) code: Option<Arc<InlinedCode>>,
    /// The functions whose calls are queued, if there are any.
    pub(crate) deferred: Option<Arc<DeferredCalls<T>>>,
    /// Records of such calls that wait here, and come before those in the page.
    pub(crate) kept: VecDeque<KeptRun>,
    /// How often the guest has asked for a delivery.
    pub(crate) drains: u64,
    /// Where the stack was when such records began to be delivered, while they
    /// are.
    pub(crate) delivering: Option<usize>,
    /// What the guest is an instance of.
    pub(crate) program: Option<Program<T>>,
    /// The calls that host functions have posted.
    pub(crate) posts: Posts,
    /// By whom the instance is held, if it is shared.
    pub(crate) hold: Option<Arc<Hold>>,
    /// Until when the call that is being made may take.
    pub(crate) deadline: Option<Instant>,
    /// What it may use, and what became of those before it.
    pub(crate) budget: Budget,
    /// Whether calls from outside need more than being made, see
    /// [`Instance::enter`](crate::Instance).
    pub(crate) guarded: bool,
    /// Whether a call is being made that cannot be suspended, where others can.
    pub(crate) synchronous: bool,
    /// How the guest is suspended; stays once it is there.
    pub(crate) fiber: Option<Arc<Fiber<T>>>,
    /// Whether the embedder was given the store, and so may have fibers of its own.
    exposed: bool,
    /// Does nothing, if Wasmtime lets it be called; see [`check_call`].
    probe: Option<TypedFunc<(), ()>>,
    #[cfg(feature = "wasi")]
    pub(crate) wasi: Option<wasmtime_wasi::p1::WasiP1Ctx>,
}

impl<T: 'static> StoreData<T> {
    pub(crate) fn new(state: T, limits: Limits, memory_name: Option<Arc<str>>) -> StoreData<T> {
        static OWNERS: AtomicU64 = AtomicU64::new(1);
        StoreData {
            state,
            limiter: Limiter::default(),
            limits,
            memory_name,
            memory: None,
            realloc: None,
            instance: None,
            owner: OWNERS.fetch_add(1, Ordering::Relaxed),
            page_layout: None,
            page: None,
            code: None,
            deferred: None,
            kept: VecDeque::new(),
            drains: 0,
            delivering: None,
            program: None,
            posts: Posts::default(),
            hold: None,
            deadline: None,
            budget: Budget::default(),
            guarded: false,
            synchronous: false,
            fiber: None,
            // As it is made, to be configured: data may be swapped then.
            exposed: true,
            probe: None,
            #[cfg(feature = "wasi")]
            wasi: None,
        }
    }

    /// The state of the host functions.
    pub fn state(&self) -> &T {
        &self.state
    }

    /// The state of the host functions, to change it.
    pub fn state_mut(&mut self) -> &mut T {
        &mut self.state
    }

    /// Takes note of whether the embedder may have fibers of its own in the store.
    /// What is done synchronously then has to be known as that.
    pub(crate) fn set_exposed(&mut self, exposed: bool) {
        self.exposed = exposed;
        self.guarded |= exposed;
    }

    /// Whether Wasmtime can suspend the guest where it is now.
    pub(crate) fn can_suspend(&self) -> bool {
        match &self.fiber {
            Some(fiber) if fiber.is_polled() => fiber.can_wait(),
            // Where calls are not ours, Wasmtime lets only those be made that can.
            _ => !self.synchronous,
        }
    }

    fn guest_memory(&self, export: Option<Extern>) -> GuestMemory {
        let wide = self.program.as_ref().is_some_and(Program::wide);
        match GuestMemory::of(export) {
            GuestMemory::Plain(memory) if wide || self.limits.transferred.is_some() => {
                GuestMemory::Special(memory)
            }
            memory => memory,
        }
    }

    /// From now on, bytes that cross may be counted.
    pub(crate) fn count_bytes(&mut self) {
        if let Some(GuestMemory::Plain(memory)) = self.memory {
            self.memory = Some(GuestMemory::Special(memory));
        }
    }

    /// Takes note of what was made for an import: the first memory is the one
    /// that pointers refer to, if the guest exports none.
    pub(crate) fn imported(&mut self, item: &Option<Extern>) {
        if self.memory_name.is_none() && self.memory.is_none() {
            self.memory = match self.guest_memory(item.clone()) {
                GuestMemory::Absent => None,
                memory => Some(memory),
            };
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for StoreData<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreData")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<T: 'static> Exports for Store<StoreData<T>> {
    fn export(&mut self, name: &str) -> Option<Extern> {
        let instance = self.data().instance?;
        instance.get_export(self, name)
    }

    #[inline(always)]
    fn data_mut(&mut self) -> &mut StoreData<T> {
        self.data_mut()
    }
}

/// Access to the guest in a store of ours; `get` finds a module's part of the
/// state.
#[derive(Clone)]
pub(crate) struct Owned<G> {
    pub get: G,
}

/// The whole state, where a part of it could be meant.
#[inline(always)]
pub(crate) fn whole<T>(state: &mut T) -> &mut T {
    state
}

impl<T, M, G> Access<StoreData<T>> for Owned<G>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
{
    type State = M;
    const OWNED: bool = true;

    #[inline(always)]
    fn state<'d>(&self, data: &'d mut StoreData<T>) -> &'d mut M {
        (self.get)(&mut data.state)
    }

    #[inline(always)]
    fn memory<S: Exports<Data = StoreData<T>>>(&self, store: &mut S) -> GuestMemory {
        match store.data_mut().memory {
            Some(memory) => memory,
            None => find_memory(store),
        }
    }

    #[inline(always)]
    fn source<'s>(
        &self,
        caller: &'s mut Caller<'_, StoreData<T>>,
    ) -> (Source<'s>, bool, &'s mut StoreData<T>) {
        if let &Some(GuestMemory::Plain(memory)) = &caller.data_mut().memory {
            let (bytes, data) = memory.data_and_store_mut(caller);
            return (Source::Bytes(bytes), true, data);
        }
        let memory = by_value(caller, other_memory);
        let (source, data) = memory.source(caller);
        (source, false, data)
    }

    fn realloc<S: Exports<Data = StoreData<T>>>(&self, store: &mut S) -> Realloc {
        match &store.data_mut().realloc {
            Some(realloc) => realloc.clone(),
            None => find_realloc(store),
        }
    }

    fn export<S: Exports<Data = StoreData<T>>>(&self, store: &mut S, name: &str) -> Option<Extern> {
        find_export(store, name)
    }

    fn owner(&self, data: &StoreData<T>) -> u64 {
        data.owner
    }

    fn limits(&self, data: &StoreData<T>) -> Limits {
        data.limits
    }

    fn host_limit(&self, data: &StoreData<T>) -> Option<HostLimit> {
        data.host_limit()
    }

    #[inline(always)]
    fn state_and_transfer<'d>(
        &self,
        data: &'d mut StoreData<T>,
    ) -> (&'d mut M, Option<&'d Transfer>) {
        let transfer = data.budget.transfer.as_ref();
        ((self.get)(&mut data.state), transfer)
    }

    #[inline(always)]
    fn transfer<'d>(&self, data: &'d StoreData<T>) -> Option<&'d Transfer> {
        data.budget.transfer.as_ref()
    }

    fn host_call<S: Exports<Data = StoreData<T>>>(
        &self,
        store: &mut S,
        fuel: u64,
        call: impl FnOnce(&mut S) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
        limits::host_call(store, fuel, call)
    }

    fn charge<S: Exports<Data = StoreData<T>>>(
        &self,
        store: &mut S,
        fuel: u64,
    ) -> wasmtime::Result<()> {
        limits::charge(store, fuel)
    }

    fn stopped(&self, data: &mut StoreData<T>, error: wasmtime::Error) -> wasmtime::Error {
        limits::stopped(data, error)
    }

    fn usable(&self, data: &StoreData<T>) -> Result<(), Error> {
        match (data.exceeded(), data.poison()) {
            (Some(limit), _) => Err(Error::of(ErrorKind::Limit(limit))),
            (None, Some(poison)) => Err(Error::of(ErrorKind::Poisoned(poison.to_string()))),
            (None, None) => Ok(()),
        }
    }

    fn take_denied(&self, data: &mut StoreData<T>) -> Option<LimitExceeded> {
        data.limiter.denied.take()
    }

    fn posts<'d>(&self, data: &'d mut StoreData<T>) -> Option<&'d mut Posts> {
        Some(&mut data.posts)
    }

    fn function(&self, data: &StoreData<T>, frame: &FrameInfo) -> Option<String> {
        data.program.as_ref()?.function(frame)
    }

    fn page<S: Exports<Data = StoreData<T>>>(
        &self,
        store: &mut S,
    ) -> Option<(Memory, Arc<PageLayout>)> {
        let layout = store.data_mut().page_layout.clone()?;
        match store.data_mut().page {
            Some(page) => Some((page, layout)),
            // Not yet taken note of while the start function runs.
            None => Some((find_export(store, PAGE)?.into_memory()?, layout)),
        }
    }

    fn code(&self, data: &StoreData<T>) -> Option<Arc<InlinedCode>> {
        data.code.clone()
    }

    #[inline(always)]
    fn drain<S: Exports<Data = StoreData<T>>>(&self, store: &mut S) -> wasmtime::Result<()> {
        drain(store)
    }

    fn is_unwinding<S: Exports<Data = StoreData<T>>>(&self, store: &mut S) -> bool {
        let fiber = &store.data_mut().fiber;
        fiber.as_ref().is_some_and(|fiber| fiber.is_unwinding())
    }

    fn holds<S: Exports<Data = StoreData<T>>>(&self, store: &mut S) -> bool {
        let data = store.data_mut();
        data.fiber.is_some() || data.exposed
    }

    fn hold<S: Exports<Data = StoreData<T>>>(
        &self,
        store: &mut S,
        job: &mut dyn FnMut(&mut AnyStore<'_, StoreData<T>>),
    ) -> wasmtime::Result<()> {
        let data = store.data_mut();
        let fiber = data.fiber.clone();
        // In calls that are ours nothing but the fiber is suspended.
        let ours = data.synchronous || fiber.as_ref().is_some_and(|fiber| fiber.is_polled());
        if data.exposed && !ours {
            check_call(store)?;
        }
        match fiber {
            Some(fiber) => fiber.hold(store, |caller| job(&mut AnyStore(caller))),
            None => {
                job(&mut AnyStore(store));
                Ok(())
            }
        }
    }

    #[inline(always)]
    fn drain_kept<S: Exports<Data = StoreData<T>>>(&self, store: &mut S) -> wasmtime::Result<()> {
        drain_kept(store)
    }
}

/// Fails where Wasmtime lets nothing be called: there a fiber of the embedder's
/// might be suspended.
#[cold]
fn check_call<T: 'static>(store: &mut impl Exports<Data = StoreData<T>>) -> wasmtime::Result<()> {
    let probe = match &store.data_mut().probe {
        Some(probe) => probe.clone(),
        None => Func::wrap(&mut *store, || {}).typed(&*store)?,
    };
    store.data_mut().probe = Some(probe.clone());
    probe.call(store, ())
}

/// The instance is not known while its start function runs; then the caller
/// is it, if there is one.
fn find_export<T: 'static>(
    store: &mut impl Exports<Data = StoreData<T>>,
    name: &str,
) -> Option<Extern> {
    match store.data_mut().instance {
        Some(instance) => instance.get_export(&mut *store, name),
        None => store.export(name),
    }
}

/// The memory before it was found, or that is not a plain one.
#[cold]
#[inline(never)]
fn other_memory<T: 'static>(mut caller: Caller<'_, StoreData<T>>) -> GuestMemory {
    match caller.data().memory {
        Some(memory) => memory,
        None => find_memory(&mut caller),
    }
}

#[cold]
fn find_memory<T: 'static>(store: &mut impl Exports<Data = StoreData<T>>) -> GuestMemory {
    let name = store.data_mut().memory_name.clone();
    let export = name.and_then(|name| find_export(store, &name));
    let memory = store.data_mut().guest_memory(export);
    if store.data_mut().instance.is_some() {
        store.data_mut().memory = Some(memory);
    }
    memory
}

#[cold]
fn find_realloc<T: 'static>(store: &mut impl Exports<Data = StoreData<T>>) -> Realloc {
    let export = find_export(store, Realloc::NAME);
    let realloc = Realloc::of(export, store);
    if store.data_mut().instance.is_some() {
        store.data_mut().realloc = Some(realloc.clone());
    }
    realloc
}
