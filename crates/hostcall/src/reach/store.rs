//! What is reached through a store of Wasmtime.

#![expect(unsafe_code, reason = "raw calls and references of Wasmtime")]

use super::{Access, AnyStore, Exports, GuestMemory, Reach, RefKind};
use crate::core::from_func_type;
use crate::deferred::settle;
use crate::error::{Bad, Error};
use crate::fault::{Fault, Lifted};
use crate::inline::{InlinedCode, Page};
use crate::limits::{LimitExceeded, Limits, Transfer};
use crate::memory::{Source, check, check_align};
use crate::posting::Posts;
use crate::reference::{HostObject, Reference};
use crate::results::unusable;
use std::any::Any;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::{Extern, ExternRef, Func, Ref, RootScope, Val, ValRaw, WasmBacktrace};

/// [`Reach`] through a store.
pub(crate) struct StoreReach<S, A> {
    pub store: S,
    pub access: A,
    pub wide: bool,
    /// Found on first use.
    memory: Option<GuestMemory>,
}

impl<S: Exports, A> StoreReach<S, A>
where
    S::Data: 'static,
    A: Access<S::Data>,
{
    #[inline(always)]
    pub fn new(store: S, access: A, wide: bool) -> StoreReach<S, A> {
        StoreReach {
            store,
            access,
            wide,
            memory: None,
        }
    }

    #[inline(always)]
    pub fn memory(&mut self) -> GuestMemory {
        match self.memory {
            Some(memory) => memory,
            None => *self.memory.insert(self.access.memory(&mut self.store)),
        }
    }

    /// The guest's memory and the state of the host functions, at once.
    pub fn source_and_state(&mut self) -> (Source<'_>, &mut A::State) {
        let memory = self.memory();
        let (source, data) = memory.source(&mut self.store);
        (source, self.access.state(data))
    }
}

impl<S: Exports, A> Reach for StoreReach<S, A>
where
    S::Data: 'static,
    A: Access<S::Data>,
{
    fn wide(&self) -> bool {
        self.wide
    }

    fn source(&mut self) -> Source<'_> {
        self.source_and_state().0
    }

    fn grow(&mut self, pages: u64) -> wasmtime::Result<u64> {
        match self.memory() {
            GuestMemory::Plain(memory) | GuestMemory::Special(memory) => {
                memory.grow(&mut self.store, pages).map_err(|error| {
                    let denied = self.access.take_denied(self.store.data_mut());
                    denied.map_or(error, wasmtime::Error::from)
                })
            }
            GuestMemory::Absent => Err(unusable(Box::new(Fault::NoMemory))),
            GuestMemory::Shared => Err(unusable(Box::new(Fault::SharedMemory))),
        }
    }

    fn alloc(&mut self, size: u64, align: u64) -> wasmtime::Result<u64> {
        let realloc = self.access.realloc(&mut self.store);
        self.drain_kept()?;
        let mut allocated = Ok(0);
        let allocate = &mut |store: &mut AnyStore<'_, S::Data>| {
            allocated = realloc.call(store, size, align, A::OWNED);
        };
        match self.access.holds(&mut self.store) {
            true => self.access.hold(&mut self.store, allocate)?,
            false => allocate(&mut AnyStore(&mut self.store)),
        }
        let allocated =
            allocated.map_err(|error| self.access.stopped(self.store.data_mut(), error));
        let pointer = settle(self, allocated)?;
        let memory = self.bytes_mut().map_err(unusable)?.len();
        let usable = check(memory, pointer, size).and(check_align(pointer, align as usize));
        usable.map_err(|_| {
            wasmtime::Error::new(Bad::result(Box::new(Fault::BadRealloc {
                pointer,
                size,
                align,
            })))
        })?;
        Ok(pointer)
    }

    fn export(&mut self, name: &str) -> Option<Extern> {
        self.access.export(&mut self.store, name)
    }

    fn table_func(&mut self, table: &str, index: u64) -> Lifted<Func> {
        let Some(Extern::Table(found)) = self.export(table) else {
            return Err(Box::new(Fault::NoTable {
                name: table.to_owned(),
            }));
        };
        match found.get(&mut self.store, index) {
            Some(Ref::Func(Some(func))) => Ok(func),
            Some(_) => Err(Box::new(Fault::NullReference)),
            None => {
                let size = found.size(&self.store);
                Err(Box::new(Fault::TableIndex { index, size }))
            }
        }
    }

    fn func_type(&mut self, func: &Func) -> hostcall_link::FuncType {
        from_func_type(&func.ty(&self.store))
    }

    fn lower_func(&mut self, func: &Func) -> ValRaw {
        ValRaw::funcref(func.to_raw(&mut self.store))
    }

    fn lower_objects(
        &mut self,
        objects: &[(usize, Arc<dyn Any + Send + Sync>)],
        slots: &mut [MaybeUninit<ValRaw>],
    ) -> wasmtime::Result<()> {
        let mut scope = RootScope::new(&mut self.store);
        let objects = objects
            .iter()
            .map(|(at, object)| Ok((*at, ExternRef::new(&mut scope, HostObject(object.clone()))?)));
        // All are made, and so are roots, before the first becomes a raw value.
        let objects: Vec<_> = objects.collect::<wasmtime::Result<_>>()?;
        for (at, object) in objects {
            slots[at].write(ValRaw::externref(object.to_raw(&mut scope)?));
        }
        Ok(())
    }

    unsafe fn references(
        &mut self,
        slots: &[MaybeUninit<ValRaw>],
        positions: &[(usize, RefKind)],
    ) -> Vec<(usize, Reference)> {
        let mut found = Vec::new();
        let owner = self.owner();
        let mut scope = RootScope::new(&mut self.store);
        for &(at, kind) in positions {
            // SAFETY: the caller promises that the slot is initialised.
            let raw = unsafe { slots[at].assume_init() };
            let reference = match kind {
                RefKind::Func => {
                    // SAFETY: the caller promises that it is a function of
                    // this store.
                    let func = unsafe { Func::from_raw(&mut scope, raw.get_funcref()) };
                    func.map(|func| {
                        let ty = from_func_type(&func.ty(&scope));
                        Reference::Func(func, ty, owner)
                    })
                }
                RefKind::Extern => ExternRef::from_raw(&mut scope, raw.get_externref()).map(|r| {
                    let data = r.data(&scope).ok().flatten();
                    match data.and_then(|data| data.downcast_ref::<HostObject>()) {
                        Some(HostObject(object)) => Reference::Object(object.clone()),
                        None => Reference::Foreign,
                    }
                }),
            };
            found.extend(reference.map(|reference| (at, reference)));
        }
        found
    }

    fn owner(&self) -> u64 {
        // The pointer width is part of it: a callable is used only as it was
        // checked, even if stores were swapped.
        self.access.owner(self.store.as_context().data()) << 1 | u64::from(self.wide)
    }

    fn limits(&self) -> Limits {
        self.access.limits(self.store.as_context().data())
    }

    fn deadline(&self) -> Option<Instant> {
        let limit = self.access.host_limit(self.store.as_context().data());
        limit.map(|limit| limit.at)
    }

    fn source_and_transfer(&mut self) -> (Source<'_>, Option<&Transfer>) {
        let memory = self.memory();
        let (source, data) = memory.source(&mut self.store);
        (source, self.access.transfer(data))
    }

    fn transfer(&self, bytes: u64) -> Result<(), LimitExceeded> {
        let store = self.store.as_context();
        let transfer = self.access.transfer(store.data());
        transfer.map_or(Ok(()), |transfer| transfer.take(bytes))
    }

    fn charge(&mut self, fuel: u64) -> wasmtime::Result<()> {
        self.access.charge(&mut self.store, fuel)
    }

    fn usable(&self) -> Result<(), Error> {
        self.access.usable(self.store.as_context().data())
    }

    fn posts(&mut self) -> Option<&mut Posts> {
        self.access.posts(self.store.data_mut())
    }

    #[cold]
    fn outermost(&self) -> Option<String> {
        let backtrace = WasmBacktrace::force_capture(&self.store);
        let frames = backtrace.frames();
        if frames.len() >= FRAMES {
            return None;
        }
        let data = self.store.as_context();
        let mut names = frames.iter().rev();
        names.find_map(|frame| self.access.function(data.data(), frame))
    }

    fn page(&mut self) -> Option<Page<'_>> {
        let (memory, layout) = self.access.page(&mut self.store)?;
        Some(Page::new(layout, memory.data_mut(&mut self.store)))
    }

    fn code(&self) -> Option<Arc<InlinedCode>> {
        self.access.code(self.store.as_context().data())
    }

    #[inline(always)]
    fn drain(&mut self) -> wasmtime::Result<()> {
        self.access.drain(&mut self.store)
    }

    #[inline(always)]
    fn drain_kept(&mut self) -> wasmtime::Result<()> {
        self.access.drain_kept(&mut self.store)
    }

    fn is_unwinding(&mut self) -> bool {
        self.access.is_unwinding(&mut self.store)
    }

    fn holds(&mut self) -> bool {
        self.access.holds(&mut self.store)
    }

    fn hold(&mut self, job: &mut dyn FnMut(&mut dyn Reach)) -> wasmtime::Result<()> {
        let (access, wide) = (self.access.clone(), self.wide);
        self.access.hold(&mut self.store, &mut |store| {
            job(&mut StoreReach::new(store, access.clone(), wide));
        })
    }

    #[inline(always)]
    unsafe fn call(
        &mut self,
        func: &Func,
        slots: &mut [MaybeUninit<ValRaw>],
    ) -> wasmtime::Result<()> {
        if !A::OWNED {
            // SAFETY: promised by the caller.
            return unsafe { call_checked(&mut self.store, func, slots) };
        }
        let slots = std::ptr::from_mut(slots) as *mut [ValRaw];
        // SAFETY: the caller promises that the parameters are in place and
        // the results have room.
        let called = unsafe { func.call_unchecked(&mut self.store, slots) };
        called.map_err(|error| self.access.stopped(self.store.data_mut(), error))
    }
}

/// Calls a function as any user of Wasmtime does, who is told where that cannot
/// be: on a fiber, which might be suspended with frames of host functions on it.
///
/// # Safety
///
/// As [`Reach::call`].
unsafe fn call_checked(
    store: &mut impl Exports,
    func: &Func,
    slots: &mut [MaybeUninit<ValRaw>],
) -> wasmtime::Result<()> {
    let ty = func.ty(&*store);
    let mut scope = RootScope::new(store);
    let params = ty.params().zip(&*slots).map(|(ty, slot)| {
        // SAFETY: the caller promises parameters of these types.
        unsafe { Val::from_raw(&mut scope, slot.assume_init(), ty) }
    });
    let params: Vec<_> = params.collect();
    let mut results = vec![Val::I32(0); ty.results().len()];
    func.call(&mut scope, &params, &mut results)?;
    for (slot, result) in slots.iter_mut().zip(&results) {
        slot.write(result.to_raw(&mut scope)?);
    }
    Ok(())
}

/// Frames that Wasmtime captures at most: with as many, the outermost is missing.
const FRAMES: usize = 20;
