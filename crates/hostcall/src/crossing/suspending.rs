//! Async host functions: the same crossing, with a future in the middle.

#![expect(
    unsafe_code,
    reason = "the guest is suspended while it is borrowed from"
)]

use super::{Bound, Linkage, Params, RawSlots, check_slots, define, lift_values};
use crate::args::Args;
use crate::error::Site;
use crate::fiber::{Poller, Waiting};
use crate::guest::AsyncGuest;
use crate::guest_type::Returns;
use crate::limits::HostDeadline;
use crate::memory::{Borrows, Source};
use crate::owned::{Owned, StoreData};
use crate::reach::{Access, StoreReach};
use crate::value::Value;
use std::sync::Arc;
use wasmtime::{Caller, Linker};

/// Lets `call` wait in a guest that it borrows from.
///
/// `call` gets what suspends the guest, which it must use only as [`Waiting`]
/// does: while the guest is suspended, nothing but the future touches it. So
/// neither what is borrowed of its memory and of the state can move or change,
/// nor is the store used by two.
#[inline(always)]
pub(crate) fn waiting<T: 'static, R>(
    caller: &mut Caller<'_, StoreData<T>>,
    call: impl FnOnce(&mut Caller<'_, StoreData<T>>, &mut Waiting<'_>) -> wasmtime::Result<R>,
) -> wasmtime::Result<R> {
    let fiber = caller.data().fiber.as_ref().map(Arc::as_ptr);
    // SAFETY: a store keeps its fiber once it has one, and exists while a host
    // function runs.
    let fiber = fiber.map(|fiber| unsafe { &*fiber });
    let raw = std::ptr::from_mut(&mut *caller);
    let deadline = HostDeadline::of(caller.data_mut());
    // SAFETY: used only before the fiber is suspended: to poll, or to note who is
    // to be woken.
    let waker = fiber.and_then(|fiber| unsafe { fiber.waker() });
    let mut suspend = |poller: Poller<'_>| match fiber {
        Some(fiber) => deadline.hold(waker, poller, |poller| {
            // SAFETY: `caller` exists until this function returns. Wasmtime uses
            // the store to suspend the fiber; it touches neither the memory of the
            // guest nor the data of the store, which is all that `call` borrows
            // through `caller` while it waits.
            fiber.suspend(unsafe { &mut *raw }, poller)
        }),
        None => Ok(()),
    };
    let mut waiting = Waiting {
        waker,
        suspend: &mut suspend,
    };
    call(caller, &mut waiting)
}

/// Links an async host function that borrows from state and guest memory.
pub(crate) fn link_async_func<T, M, G, P, R, F>(
    linker: &mut Linker<StoreData<T>>,
    linkage: &Linkage<'_>,
    access: Owned<G>,
    site: Arc<Site>,
    func: F,
) -> wasmtime::Result<()>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    P: Params,
    R: Returns,
    F: Fn(&mut M, &mut Args<'_>, &mut Waiting<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, StoreData<T>>, slots: RawSlots<'_>| {
        check_slots::<P>(slots);
        find_references!(references, P, bound, caller, slots);
        let value = waiting(caller, |caller, waiting| {
            let (source, plain, data) = match P::NEEDS.memory {
                true => bound.access.source(caller),
                false => (Source::Absent, true, caller.data_mut()),
            };
            let mut recorded;
            let borrows = if P::NEEDS.exclusive {
                recorded = Borrows::default();
                Some(&mut recorded)
            } else {
                None
            };
            let (state, transfer) = bound.access.state_and_transfer(data);
            // SAFETY: as in `link_func`.
            let args =
                unsafe { Args::new(slots, !plain && bound.wide, source, borrows, references) };
            let mut args = args.counted(transfer.filter(|_| !plain));
            func(state, &mut args, waiting)?.returned()
        })?;
        bound.lower::<_, R::Ok>(value, caller, slots)
    };
    // SAFETY: as in `link_func`.
    unsafe { define(linker, linkage, access, site, call) }
}

/// Links an async host function that takes the guest.
pub(crate) fn link_async_guest_func<T, M, G, P, V, R, L, F>(
    linker: &mut Linker<StoreData<T>>,
    linkage: &Linkage<'_>,
    access: Owned<G>,
    site: Arc<Site>,
    lift: L,
    func: F,
) -> wasmtime::Result<()>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    P: Params,
    R: Returns,
    L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
    F: Fn(&mut AsyncGuest<'_, M>, V, &mut Waiting<'_>) -> wasmtime::Result<R>
        + Send
        + Sync
        + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, StoreData<T>>, slots: RawSlots<'_>| {
        check_slots::<P>(slots);
        find_references!(references, P, bound, caller, slots);
        let values = {
            let (source, transfer) = match P::NEEDS.memory {
                true => bound.source_and_transfer(caller),
                false => (Source::Absent, None),
            };
            // SAFETY: as in `link_func`.
            let args = unsafe { Args::new(slots, bound.wide, source, None, references) };
            lift(&mut args.counted(transfer))?
        };
        let value = waiting(caller, |caller, waiting| {
            let mut reach = StoreReach::new(&mut *caller, bound.access.clone(), bound.wide);
            // SAFETY: `waiting` polls on fibers only.
            let mut guest = unsafe { AsyncGuest::new(&mut reach, &bound.caller) };
            func(&mut guest, values, waiting)?.returned()
        })?;
        bound.lower::<_, R::Ok>(value, caller, slots)
    };
    // SAFETY: as in `link_func`.
    unsafe { define(linker, linkage, access, site, call) }
}

/// Links an async host function whose types are known only at run time.
pub(crate) fn link_async_dynamic<T, F>(
    linker: &mut Linker<StoreData<T>>,
    linkage: &Linkage<'_>,
    access: Owned<impl Fn(&mut T) -> &mut T + Copy + Send + Sync + 'static>,
    site: Arc<Site>,
    func: F,
) -> wasmtime::Result<()>
where
    T: 'static,
    F: Fn(&mut AsyncGuest<'_, T>, &[Value], &mut [Value], &mut Waiting<'_>) -> wasmtime::Result<()>
        + Send
        + Sync
        + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, StoreData<T>>, slots: RawSlots<'_>| {
        let signature = &bound.site.signature;
        let mut results: Vec<_> = signature.results.iter().map(Value::zero).collect();
        waiting(caller, |caller, waiting| {
            let mut reach = StoreReach::new(&mut *caller, bound.access.clone(), bound.wide);
            let values = lift_values(&bound, &mut reach, slots)?;
            // SAFETY: `waiting` polls on fibers only.
            let mut guest = unsafe { AsyncGuest::new(&mut reach, &bound.caller) };
            func(&mut guest, &values, &mut results, waiting)
        })?;
        let mut reach = StoreReach::new(&mut *caller, bound.access.clone(), bound.wide);
        bound.lower_values(&results, &mut reach, slots)
    };
    // SAFETY: `lower_values` writes what the signature says, or fails.
    unsafe { define(linker, linkage, access, site, call) }
}
