//! The kinds of host functions that take records.

use super::{AnyStore, BatchRecord, Deliver, Run};
use crate::args::Args;
use crate::call::{INLINE_SLOTS, slots};
use crate::crossing::Params;
use crate::guest::Guest;
use crate::guest_type::Returns;
use crate::owned::{Owned, StoreData, whole};
use crate::reach::{Exports, StoreReach};
use crate::ty::Signature;
use crate::value::{self, Value};
use std::mem::MaybeUninit;
use std::sync::Arc;
use wasmtime::ValRaw;

/// A host function that borrows from the state and from the record.
pub(crate) fn deliver_func<T, M, G, P, R, F>(get: G, func: Arc<F>) -> Arc<Deliver<T>>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    P: Params,
    R: Returns,
    F: Fn(&mut M, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
{
    Arc::new(
        move |store: &mut AnyStore<'_, StoreData<T>>, run: &mut Run<'_>| {
            let mut inline = [MaybeUninit::<ValRaw>::uninit(); INLINE_SLOTS];
            let mut spilled = Vec::new();
            let slots = &mut slots(&mut inline, &mut spilled, P::FLAT)[..P::FLAT];
            let (bytes, data) = Run::source(&mut run.place, store);
            let transfer = data.budget.transfer.as_ref();
            let state = get(&mut data.state);
            while run.at < run.end {
                Run::next(run.shape, &mut run.at, (bytes, transfer), slots, |args| {
                    func(state, args)?.returned().map(drop)
                })?;
            }
            Ok(())
        },
    )
}

/// A host function that takes the guest.
pub(crate) fn deliver_guest_func<T, M, G, V, R, L, F>(
    get: G,
    lift: Arc<L>,
    func: Arc<F>,
) -> Arc<Deliver<T>>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    R: Returns,
    L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
    F: Fn(&mut Guest<'_, M>, V) -> R + Send + Sync + 'static,
{
    Arc::new(
        move |store: &mut AnyStore<'_, StoreData<T>>, run: &mut Run<'_>| {
            each(
                get,
                store,
                run,
                |args| lift(args),
                |guest, values| func(guest, values).returned().map(drop),
            )
        },
    )
}

/// A host function whose types are known only at run time.
pub(crate) fn deliver_dynamic<T, F>(signature: Signature, func: Arc<F>) -> Arc<Deliver<T>>
where
    T: 'static,
    F: Fn(&mut Guest<'_, T>, &[Value]) -> wasmtime::Result<()> + Send + Sync + 'static,
{
    Arc::new(
        move |store: &mut AnyStore<'_, StoreData<T>>, run: &mut Run<'_>| {
            let lift = |args: &mut Args<'_>| {
                let values = signature.params.iter();
                let values = values.map(|(_, ty)| args.arg_with(|args| value::lift(args, ty)));
                values.collect::<wasmtime::Result<Vec<_>>>()
            };
            let call = |guest: &mut Guest<'_, T>, values: Vec<Value>| func(guest, &values);
            each(whole, store, run, lift, call)
        },
    )
}

/// Hands over record by record, until one has left something that must come
/// before the next: calls which its own calls of the guest could not deliver.
fn each<T, M, G, V>(
    get: G,
    store: &mut AnyStore<'_, StoreData<T>>,
    run: &mut Run<'_>,
    lift: impl Fn(&mut Args<'_>) -> wasmtime::Result<V>,
    call: impl Fn(&mut Guest<'_, M>, V) -> wasmtime::Result<()>,
) -> wasmtime::Result<()>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
{
    let mut inline = [MaybeUninit::<ValRaw>::uninit(); INLINE_SLOTS];
    let mut spilled = Vec::new();
    let params = run.shape.params();
    let slots = &mut slots(&mut inline, &mut spilled, params)[..params];
    while run.at < run.end && store.data_mut().kept.is_empty() {
        let values = {
            let (bytes, data) = Run::source(&mut run.place, store);
            let transfer = data.budget.transfer.as_ref();
            Run::next(run.shape, &mut run.at, (bytes, transfer), slots, &lift)?
        };
        let wide = run.shape.wide;
        let mut reach = StoreReach::new(AnyStore(&mut *store.0), Owned { get }, wide);
        call(&mut Guest::new(&mut reach, run.caller), values)?;
    }
    Ok(())
}

/// A host function that takes whole runs as slices.
pub(crate) fn deliver_batch<T, M, G, E, R, F>(get: G, func: Arc<F>) -> Arc<Deliver<T>>
where
    T: 'static,
    M: 'static,
    G: Fn(&mut T) -> &mut M + Copy + Send + Sync + 'static,
    E: BatchRecord,
    R: Returns<Ok = ()>,
    F: Fn(&mut M, &[E]) -> R + Send + Sync + 'static,
{
    Arc::new(
        move |store: &mut AnyStore<'_, StoreData<T>>, run: &mut Run<'_>| {
            let (bytes, data) = Run::source(&mut run.place, store);
            let records = E::records(&bytes[run.at..run.end])?;
            run.at = run.end;
            run.together = records.len() as u64;
            func(get(&mut data.state), records).returned()
        },
    )
}
