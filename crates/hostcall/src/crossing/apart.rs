//! Host functions that block: the same crossing, with another thread in the
//! middle.

#![expect(unsafe_code, reason = "arguments are lifted from raw values")]

use super::{Bound, Linkage, Params, RawSlots, define};
use crate::args::Args;
use crate::blocking_func::Running;
use crate::error::Site;
use crate::guest_type::Returns;
use crate::limits::Deadline;
use crate::memory::Source;
use crate::reach::Access;
use std::sync::Arc;
use wasmtime::{Caller, Linker};

/// Links a host function that runs on a thread of its own. `start` lifts its
/// arguments and gives what runs there; `wait` is how the guest waits for it.
pub(crate) fn link_blocking_func<D, A, P, R, L, J>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    access: A,
    site: Arc<Site>,
    start: L,
    wait: impl Fn(&mut Caller<'_, D>, Running<R>) -> wasmtime::Result<R> + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    D: 'static,
    A: Access<D>,
    P: Params,
    R: Returns + Send + 'static,
    L: Fn(&mut A::State, &mut Args<'_>) -> wasmtime::Result<J> + Send + Sync + 'static,
    J: FnOnce(Deadline) -> R + Send + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, D>, slots: RawSlots<'_>| {
        find_references!(references, P, bound, caller, slots);
        let job = {
            let (source, plain, data) = match P::NEEDS.memory {
                true => bound.access.source(caller),
                false => (Source::Absent, true, caller.data_mut()),
            };
            let (state, transfer) = bound.access.state_and_transfer(data);
            // SAFETY: as in `link_func`. Nothing is borrowed, so nothing overlaps.
            let args = unsafe { Args::new(slots, !plain && bound.wide, source, None, references) };
            start(state, &mut args.counted(transfer.filter(|_| !plain)))?
        };
        let limit = bound.access.host_limit(caller.data());
        let value = wait(caller, Running::start(limit, job))?.returned()?;
        bound.lower::<D, R::Ok>(value, caller, slots)
    };
    // SAFETY: as in `link_func`.
    unsafe { define(linker, linkage, access, site, call) }
}
