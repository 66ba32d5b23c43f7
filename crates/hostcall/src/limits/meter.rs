//! What host functions use of a call's budget: calls, fuel, time, bytes.

use super::exceeded::nanos;
use super::{HostLimit, LimitExceeded, LimitKind};
use crate::fault::{Fault, Lifted};
use crate::owned::StoreData;
use crate::reach::Exports;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What calls of functions that are not ours are counted by.
pub(crate) const LIMITS: (&str, &str) = ("hostcall:limits", "call");

/// What host functions have used in the call that is being made.
#[derive(Default)]
pub(crate) struct Meter {
    /// How often they were called.
    pub calls: u64,
    /// How long they took, but for the one that is running.
    pub time: Duration,
    /// When the outermost that is running began, if time in them is limited.
    since: Option<Instant>,
    /// What [`Ticker::ticks`](super::ticker::Ticker::ticks) gave last.
    ticks: u64,
}

impl Meter {
    pub fn new(ticks: u64) -> Meter {
        Meter {
            ticks,
            ..Meter::default()
        }
    }

    /// When the host function that is running has used up `allowed`.
    pub fn until(&self, allowed: Duration) -> Option<HostLimit> {
        let since = self.since?;
        let at = since.checked_add(allowed.saturating_sub(self.time))?;
        let limit = host_time(allowed, self.time);
        Some(HostLimit { at, since, limit })
    }
}

/// Makes a call of a host function, which costs the guest so much fuel. What
/// would go over a limit is refused before.
pub(crate) fn host_call<T: 'static, S: Exports<Data = StoreData<T>>>(
    store: &mut S,
    fuel: u64,
    call: impl FnOnce(&mut S) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    look_at_clock(store.data_mut())?;
    metered(store, (1, fuel), call)?;
    look_at_clock(store.data_mut())
}

/// Delivers so many calls, which cost so much fuel. That is done after the guest
/// was stopped, too.
pub(crate) fn metered<T: 'static, S: Exports<Data = StoreData<T>>>(
    store: &mut S,
    (calls, fuel): (u64, u64),
    call: impl FnOnce(&mut S) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    let data = store.data_mut();
    let before = data.exceeded();
    count(data, calls)?;
    if fuel > 0 {
        charge(store, fuel)?;
    }
    let outermost = start_clock(store.data_mut())?;
    let result = call(store);
    let data = store.data_mut();
    if outermost {
        stop_clock(data);
    }
    result?;
    // The function may have made nothing of a limit that it met.
    match data.exceeded() {
        Some(limit) if before.is_none() => Err(limit.into()),
        _ => Ok(()),
    }
}

/// Fails if the call is over already. The clock is looked at only if a deadline
/// may have passed: a tick tells that.
fn look_at_clock<T>(data: &mut StoreData<T>) -> wasmtime::Result<()> {
    let Some(ticker) = &data.budget.ticker else {
        return Ok(());
    };
    let ticks = ticker.ticks();
    if ticks == data.budget.meter.ticks {
        return Ok(());
    }
    data.budget.meter.ticks = ticks;
    match data.time_over() {
        Some(over) => Err(reached(data, over)),
        None => {
            if let (Some(ticker), Some(deadline)) = (&data.budget.ticker, data.deadline) {
                ticker.arm(deadline);
            }
            Ok(())
        }
    }
}

fn count<T>(data: &mut StoreData<T>, calls: u64) -> wasmtime::Result<()> {
    let used = data.budget.meter.calls.saturating_add(calls);
    match data.limits.host_calls {
        Some(allowed) if used > allowed => Err(reached(
            data,
            LimitExceeded {
                limit: LimitKind::HostCalls,
                allowed,
                used,
            },
        )),
        _ => {
            data.budget.meter.calls = used;
            Ok(())
        }
    }
}

/// Takes fuel from the guest, if that is limited.
pub(crate) fn charge<T: 'static>(
    store: &mut impl Exports<Data = StoreData<T>>,
    fuel: u64,
) -> wasmtime::Result<()> {
    let Some(allowed) = store.data_mut().limits.fuel else {
        return Ok(());
    };
    let mut context = store.as_context_mut();
    let left = context.get_fuel()?;
    context.set_fuel(left.saturating_sub(fuel))?;
    if fuel <= left {
        return Ok(());
    }
    let used = allowed.saturating_sub(left).saturating_add(fuel);
    let limit = LimitKind::Fuel;
    Err(reached(
        context.data_mut(),
        LimitExceeded {
            limit,
            allowed,
            used,
        },
    ))
}

/// Gives whether this is the outermost host function, whose time counts.
fn start_clock<T>(data: &mut StoreData<T>) -> wasmtime::Result<bool> {
    let Some(allowed) = data.limits.host_time else {
        return Ok(false);
    };
    let meter = &mut data.budget.meter;
    if meter.since.is_some() {
        return Ok(false);
    }
    if meter.time > allowed {
        let over = host_time(allowed, meter.time);
        return Err(reached(data, over));
    }
    meter.since = Some(Instant::now());
    Ok(true)
}

fn stop_clock<T>(data: &mut StoreData<T>) {
    let meter = &mut data.budget.meter;
    meter.time += meter.since.take().map_or(Duration::ZERO, |at| at.elapsed());
    let used = meter.time;
    if let Some(allowed) = data.limits.host_time.filter(|allowed| used > *allowed) {
        let over = host_time(allowed, used);
        data.budget.exceeded.get_or_insert(over);
    }
}

fn host_time(allowed: Duration, used: Duration) -> LimitExceeded {
    LimitExceeded {
        limit: LimitKind::HostTime,
        allowed: nanos(allowed),
        used: nanos(used),
    }
}

/// The error for a limit, which all that follows fails with as well.
#[cold]
fn reached<T>(data: &mut StoreData<T>, limit: LimitExceeded) -> wasmtime::Error {
    data.budget.exceeded.get_or_insert(limit);
    limit.into()
}

/// Bytes that the call moves across the boundary. Atomic because the data of a
/// store may be shared between threads, not because two would count.
pub(crate) struct Transfer {
    allowed: u64,
    used: AtomicU64,
}

impl Transfer {
    pub fn new(allowed: u64) -> Transfer {
        Transfer {
            allowed,
            used: AtomicU64::new(0),
        }
    }

    pub fn used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    /// Counts bytes that were lifted or are to be lowered.
    pub fn take(&self, bytes: u64) -> Result<(), LimitExceeded> {
        self.used.store(self.used().saturating_add(bytes), Relaxed);
        self.exceeded().map_or(Ok(()), Err)
    }

    /// The same while arguments are lifted.
    pub fn lift(&self, bytes: u64) -> Lifted<()> {
        let taken = self.take(bytes);
        taken.map_err(|limit| Box::new(Fault::Limit(limit)))
    }

    pub fn exceeded(&self) -> Option<LimitExceeded> {
        let (allowed, used) = (self.allowed, self.used());
        (used > allowed).then_some(LimitExceeded {
            limit: LimitKind::Transferred,
            allowed,
            used,
        })
    }
}
