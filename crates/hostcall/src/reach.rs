//! What the boundary reaches of a guest through Wasmtime: its memory, its
//! allocator, its exports.

#![expect(unsafe_code, reason = "raw calls and references of Wasmtime")]

use crate::error::Error;
use crate::fault::{Fault, Lifted};
use crate::inline::{InlinedCode, Page, PageLayout};
use crate::limits::{HostLimit, LimitExceeded, Limits, Transfer};
use crate::memory::Source;
use crate::posting::Posts;
use crate::reference::Reference;
use crate::results::unusable;
use std::any::Any;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::{
    AsContext, AsContextMut, Caller, Extern, FrameInfo, Func, Memory, StoreContext,
    StoreContextMut, TypedFunc, ValRaw,
};

mod store;

pub(crate) use store::StoreReach;

/// The memory that pointers of a guest refer to.
#[derive(Clone, Copy, Default)]
pub(crate) enum GuestMemory {
    #[default]
    Absent,
    Shared,
    Plain(Memory),
    /// The same in a store of ours whose guest has pointers of 64 bits, or whose bytes
    /// may be counted: others need not ask for either.
    Special(Memory),
}

/// The guest's `cabi_realloc`.
#[derive(Clone, Default)]
pub(crate) enum Realloc {
    #[default]
    Absent,
    Narrow(TypedFunc<(u32, u32, u32, u32), u32>),
    Wide(TypedFunc<(u64, u64, u64, u64), u64>),
}

/// A store together with the instance whose exports are meant.
pub(crate) trait Exports: AsContextMut {
    fn export(&mut self, name: &str) -> Option<Extern>;
    fn data_mut(&mut self) -> &mut Self::Data;
}

impl<D: 'static> Exports for Caller<'_, D> {
    fn export(&mut self, name: &str) -> Option<Extern> {
        self.get_export(name)
    }

    #[inline(always)]
    fn data_mut(&mut self) -> &mut D {
        self.data_mut()
    }
}

impl<S: Exports> Exports for &mut S
where
    S::Data: 'static,
{
    fn export(&mut self, name: &str) -> Option<Extern> {
        S::export(self, name)
    }

    #[inline(always)]
    fn data_mut(&mut self) -> &mut S::Data {
        S::data_mut(self)
    }
}

/// Lends `caller` by value: then it needs no address, which calls that do not come here
/// would store it for.
#[inline(always)]
pub(crate) fn by_value<D: 'static, R>(
    caller: &mut Caller<'_, D>,
    job: impl FnOnce(Caller<'_, D>) -> R,
) -> R {
    const { assert!(!std::mem::needs_drop::<Caller<'_, D>>()) };
    // SAFETY: `caller` is borrowed mutably until the copy is gone, of whose lifetime
    // `job` knows nothing. Neither has anything to drop.
    job(unsafe { std::ptr::read(caller) })
}

/// A store, borrowed in whatever way.
pub(crate) struct AnyStore<'s, D: 'static>(pub &'s mut dyn Exports<Data = D>);

impl<D: 'static> AsContext for AnyStore<'_, D> {
    type Data = D;

    fn as_context(&self) -> StoreContext<'_, D> {
        self.0.as_context()
    }
}

impl<D: 'static> AsContextMut for AnyStore<'_, D> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, D> {
        self.0.as_context_mut()
    }
}

impl<D: 'static> Exports for AnyStore<'_, D> {
    fn export(&mut self, name: &str) -> Option<Extern> {
        self.0.export(name)
    }

    fn data_mut(&mut self) -> &mut D {
        self.0.data_mut()
    }
}

impl GuestMemory {
    #[inline(always)]
    pub fn of(export: Option<Extern>) -> GuestMemory {
        match export {
            Some(Extern::Memory(memory)) => GuestMemory::Plain(memory),
            Some(Extern::SharedMemory(_)) => GuestMemory::Shared,
            _ => GuestMemory::Absent,
        }
    }

    /// The bytes of the memory and the data of the store, at once.
    #[inline(always)]
    pub fn source<S: Exports>(self, store: &mut S) -> (Source<'_>, &mut S::Data)
    where
        S::Data: 'static,
    {
        match self {
            GuestMemory::Plain(memory) | GuestMemory::Special(memory) => {
                let (bytes, data) = memory.data_and_store_mut(store.as_context_mut());
                (Source::Bytes(bytes), data)
            }
            GuestMemory::Absent => (Source::Absent, store.data_mut()),
            GuestMemory::Shared => (Source::Shared, store.data_mut()),
        }
    }
}

impl Realloc {
    pub const NAME: &str = "cabi_realloc";

    pub fn of(export: Option<Extern>, store: &mut impl AsContextMut) -> Realloc {
        let Some(Extern::Func(func)) = export else {
            return Realloc::Absent;
        };
        if let Ok(func) = func.typed(&mut *store) {
            return Realloc::Narrow(func);
        }
        func.typed(store).map_or(Realloc::Absent, Realloc::Wide)
    }

    /// Wasmtime refuses the checked call in stores of which it knows that guests
    /// may be suspended there. In those that are ours they cannot be here.
    fn call(
        &self,
        store: impl AsContextMut,
        size: u64,
        align: u64,
        owned: bool,
    ) -> wasmtime::Result<u64> {
        match self {
            Realloc::Absent => Err(unusable(Box::new(Fault::NoRealloc))),
            Realloc::Narrow(func) => {
                // Beyond 32 bits, a 64-bit guest should have a 64-bit one.
                let size = u32::try_from(size).map_err(|_| unusable(Box::new(Fault::NoRealloc)))?;
                let align = align as u32;
                if !owned {
                    return Ok(u64::from(func.call(store, (0, 0, align, size))?));
                }
                let mut slots = [0, 0, align, size].map(ValRaw::u32);
                // SAFETY: the function has this type.
                unsafe { func.func().call_unchecked(store, &mut slots)? };
                Ok(u64::from(slots[0].get_u32()))
            }
            Realloc::Wide(func) if !owned => func.call(store, (0, 0, align, size)),
            Realloc::Wide(func) => {
                let mut slots = [0, 0, align, size].map(ValRaw::u64);
                // SAFETY: as above.
                unsafe { func.func().call_unchecked(store, &mut slots)? };
                Ok(slots[0].get_u64())
            }
        }
    }
}

/// How a host function finds its state and the guest it was called by, in a
/// store with data `D`.
pub(crate) trait Access<D: 'static>: Clone + Send + Sync + 'static {
    /// The state of the host functions.
    type State;
    /// Whether the store is ours.
    const OWNED: bool;

    fn state<'d>(&self, data: &'d mut D) -> &'d mut Self::State;
    fn memory<S: Exports<Data = D>>(&self, store: &mut S) -> GuestMemory;
    /// The bytes of the memory, whether it is known that pointers have 32 bits and
    /// nothing is counted, and the data of the store, at once.
    #[inline(always)]
    fn source<'s>(&self, caller: &'s mut Caller<'_, D>) -> (Source<'s>, bool, &'s mut D) {
        let (source, data) = self.memory(caller).source(caller);
        (source, false, data)
    }
    fn realloc<S: Exports<Data = D>>(&self, store: &mut S) -> Realloc;
    /// An export of the guest.
    fn export<S: Exports<Data = D>>(&self, store: &mut S, name: &str) -> Option<Extern>;
    /// A number that no other store has, or zero where that is not known.
    fn owner(&self, data: &D) -> u64;
    /// What the instance may use, where that is known.
    fn limits(&self, data: &D) -> Limits;
    /// Until when a host function may take, where that is known.
    fn host_limit(&self, data: &D) -> Option<HostLimit>;
    /// The state, and what counts bytes if they are limited.
    #[inline(always)]
    fn state_and_transfer<'d>(
        &self,
        data: &'d mut D,
    ) -> (&'d mut Self::State, Option<&'d Transfer>) {
        (self.state(data), None)
    }
    /// What counts bytes if they are limited.
    #[inline(always)]
    fn transfer<'d>(&self, _data: &'d D) -> Option<&'d Transfer> {
        None
    }
    /// Makes a call of a host function within the limits.
    fn host_call<S: Exports<Data = D>>(
        &self,
        store: &mut S,
        _fuel: u64,
        call: impl FnOnce(&mut S) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
        call(store)
    }
    /// Takes fuel from the guest.
    fn charge<S: Exports<Data = D>>(&self, _store: &mut S, _fuel: u64) -> wasmtime::Result<()> {
        Ok(())
    }
    /// Tells by which limit the guest was stopped, if it was.
    fn stopped(&self, _data: &mut D, error: wasmtime::Error) -> wasmtime::Error {
        error
    }
    /// Whether the guest may be called.
    fn usable(&self, _data: &D) -> Result<(), Error> {
        Ok(())
    }
    /// The limit for which memory has just not grown.
    fn take_denied(&self, _data: &mut D) -> Option<LimitExceeded> {
        None
    }
    /// The calls that were posted, where they are made.
    fn posts<'d>(&self, data: &'d mut D) -> Option<&'d mut Posts>;
    /// The name of the function of the guest that a frame is of: that of an export,
    /// if it is one. `None` for what linking has added.
    fn function(&self, data: &D, frame: &FrameInfo) -> Option<String>;
    /// The host page of the guest that called, if it has one.
    fn page<S: Exports<Data = D>>(&self, store: &mut S) -> Option<(Memory, Arc<PageLayout>)>;
    /// The code that linking has put into the guest, if that is known.
    fn code(&self, data: &D) -> Option<Arc<InlinedCode>>;
    /// Delivers the calls that the guest has queued.
    fn drain<S: Exports<Data = D>>(&self, store: &mut S) -> wasmtime::Result<()>;
    /// Delivers calls that were kept after a failure.
    fn drain_kept<S: Exports<Data = D>>(&self, store: &mut S) -> wasmtime::Result<()>;
    /// Whether the call of the guest was dropped, and is unwound.
    fn is_unwinding<S: Exports<Data = D>>(&self, store: &mut S) -> bool;
    /// Whether the guest might be suspended, so that calls from within host
    /// functions have to go through [`Access::hold`].
    fn holds<S: Exports<Data = D>>(&self, store: &mut S) -> bool;
    /// Runs `job`, and lets nothing suspend the guest meanwhile.
    fn hold<S: Exports<Data = D>>(
        &self,
        store: &mut S,
        job: &mut dyn FnMut(&mut AnyStore<'_, D>),
    ) -> wasmtime::Result<()>;
}

/// The guest on the other side of a call, whatever store it lives in.
pub(crate) trait Reach {
    /// Whether pointers are 64 bits wide.
    fn wide(&self) -> bool;
    /// The guest's memory.
    fn source(&mut self) -> Source<'_>;
    /// Grows the guest's memory by `pages`; gives its former size in pages.
    fn grow(&mut self, pages: u64) -> wasmtime::Result<u64>;
    /// Allocates in the guest by its `cabi_realloc`.
    fn alloc(&mut self, size: u64, align: u64) -> wasmtime::Result<u64>;
    /// An export of the guest.
    fn export(&mut self, name: &str) -> Option<Extern>;
    /// The function at `index` of an exported table; the fault says why there
    /// is none.
    fn table_func(&mut self, table: &str, index: u64) -> Lifted<Func>;
    /// The core type of a function.
    fn func_type(&mut self, func: &Func) -> hostcall_link::FuncType;
    /// A function as the guest holds it.
    fn lower_func(&mut self, func: &Func) -> ValRaw;
    /// Puts objects of the host into slots, as the guest holds them. They are
    /// roots no longer then, so the guest must be next to run.
    fn lower_objects(
        &mut self,
        objects: &[(usize, Arc<dyn Any + Send + Sync>)],
        slots: &mut [MaybeUninit<ValRaw>],
    ) -> wasmtime::Result<()>;
    /// The references among `slots`, which are at `positions`.
    ///
    /// # Safety
    ///
    /// Those slots must hold references of this store, of the kinds given.
    unsafe fn references(
        &mut self,
        slots: &[MaybeUninit<ValRaw>],
        positions: &[(usize, RefKind)],
    ) -> Vec<(usize, Reference)>;
    /// Which instance references belong to.
    fn owner(&self) -> u64;
    /// What the instance may use.
    fn limits(&self) -> Limits;
    /// Until when the call may take.
    fn deadline(&self) -> Option<Instant>;
    /// The guest's memory, and what counts bytes if they are limited.
    fn source_and_transfer(&mut self) -> (Source<'_>, Option<&Transfer>);
    /// Counts bytes that are moved across the boundary.
    fn transfer(&self, bytes: u64) -> Result<(), LimitExceeded>;
    /// Takes fuel from the guest.
    fn charge(&mut self, fuel: u64) -> wasmtime::Result<()>;
    /// Whether the guest may be called: its instance is not poisoned, and no limit
    /// was reached.
    fn usable(&self) -> Result<(), Error>;
    /// The calls that were posted, where they are made.
    fn posts(&mut self) -> Option<&mut Posts>;
    /// The function of the guest that the host has called, if that can be found.
    fn outermost(&self) -> Option<String>;
    /// Calls a function of the guest.
    ///
    /// # Safety
    ///
    /// `slots` must hold the parameters of `func`, and have room for its
    /// results.
    unsafe fn call(
        &mut self,
        func: &Func,
        slots: &mut [MaybeUninit<ValRaw>],
    ) -> wasmtime::Result<()>;

    /// The host page, if the guest has one.
    fn page(&mut self) -> Option<Page<'_>>;
    /// The code that linking has put into the guest, if that is known.
    fn code(&self) -> Option<Arc<InlinedCode>>;

    /// Delivers the calls that the guest has queued.
    fn drain(&mut self) -> wasmtime::Result<()>;
    /// Delivers calls that were kept after a failure.
    fn drain_kept(&mut self) -> wasmtime::Result<()>;

    /// Whether the call of the guest was dropped, and is unwound.
    fn is_unwinding(&mut self) -> bool;
    /// Whether the guest might be suspended, so that calls from within host
    /// functions have to go through [`Reach::hold`].
    fn holds(&mut self) -> bool;
    /// Runs `job`, and lets nothing suspend the guest meanwhile.
    fn hold(&mut self, job: &mut dyn FnMut(&mut dyn Reach)) -> wasmtime::Result<()>;

    /// What came out of a call of `export`.
    #[cold]
    fn failed(&self, error: wasmtime::Error, export: &str) -> Error {
        Error::from_call(error, export, self.code().as_deref())
    }

    fn bytes_mut(&mut self) -> Lifted<&mut [u8]> {
        match self.source() {
            Source::Bytes(bytes) => Ok(bytes),
            Source::Absent => Err(Box::new(Fault::NoMemory)),
            Source::Shared => Err(Box::new(Fault::SharedMemory)),
        }
    }
}

/// The kind of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefKind {
    Func,
    Extern,
}

/// The error for a function or object of another instance.
#[cold]
pub(crate) fn wrong_instance() -> Error {
    Error::of(crate::error::ErrorKind::Value(
        "this export or function reference belongs to another instance; resolve it on the \
         instance that it is used with"
            .to_owned(),
    ))
}
