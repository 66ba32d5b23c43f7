//! What one call of the guest may use: renewed when it begins, looked at when it
//! ends.

use super::alarm::Alarm;
use super::exceeded::nanos;
use super::meter::{Meter, Transfer};
use super::ticker::{Running, Ticker};
use super::{HostLimit, LimitExceeded, LimitKind, Limits, Usage};
use crate::error::Crossed;
use crate::owned::StoreData;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wasmtime::{
    AsContextMut, PoolConcurrencyLimitError, Store, StoreContextMut, Trap, UpdateDeadline,
    WasmBacktrace,
};

/// What the call that is being made may use and has used, in the data of a
/// store; and what earlier ones have left.
#[derive(Default)]
pub(crate) struct Budget {
    /// Whether there has ever been a limit: otherwise nothing is looked at.
    pub limited: bool,
    /// Set if time counts in any way.
    began: Option<Instant>,
    /// A limit that was reached: until the call is over, all that is begun fails,
    /// so that no host function can go on in spite of it.
    pub exceeded: Option<LimitExceeded>,
    pub meter: Meter,
    /// Counts bytes, if they are limited.
    pub transfer: Option<Transfer>,
    /// Stops the guest in time, if the engine can.
    pub ticker: Option<Arc<Ticker>>,
    /// While a call is made that cannot be suspended.
    running: Option<Running>,
    /// Wakes the guest in time.
    alarm: Option<Arc<Alarm>>,
    poison: Option<Poison>,
    usage: Usage,
}

/// Why an instance should not be used any more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Poison {
    /// The guest was stopped in its own code.
    Stopped(LimitExceeded),
    /// The same, because the call was dropped.
    Dropped,
}

impl fmt::Display for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the instance is poisoned: ")?;
        match self {
            Poison::Stopped(limit) => {
                write!(
                    f,
                    "an earlier call was stopped amid the guest's code ({limit})"
                )?;
            }
            Poison::Dropped => f.write_str("an earlier call was dropped while the guest ran")?,
        }
        f.write_str("; make a new one, or use it as it is after `Instance::clear_poison`")
    }
}

/// Begins a call.
pub(crate) fn begin<T: 'static>(
    store: &mut impl AsContextMut<Data = StoreData<T>>,
) -> wasmtime::Result<()> {
    let mut store = store.as_context_mut();
    if !store.data().budget.limited {
        return Ok(());
    }
    let limits = store.data().limits;
    if let Some(fuel) = limits.fuel {
        store.set_fuel(fuel)?;
    }
    let data = store.data_mut();
    data.limiter.denied = None;
    let budget = &mut data.budget;
    budget.began = limits.times().then(Instant::now);
    budget.exceeded = None;
    budget.transfer = limits.transferred.map(Transfer::new);
    let ticks = budget.ticker.as_ref().map_or(0, |ticker| ticker.ticks());
    budget.meter = Meter::new(ticks);
    let timeout = budget.began.zip(limits.timeout);
    // One that is too far away is none.
    data.deadline = timeout.and_then(|(began, timeout)| began.checked_add(timeout));
    if budget.ticker.is_some() {
        store.set_epoch_deadline(1);
    }
    Ok(())
}

/// Has the guest stopped in time in a call that has begun, if that is made on the
/// caller's stack.
pub(crate) fn run_here<T: 'static>(store: &mut Store<StoreData<T>>) {
    let data = store.data_mut();
    if let (Some(ticker), Some(deadline)) = (&data.budget.ticker, data.deadline) {
        data.budget.running = Some(ticker.run(deadline));
    }
}

/// Has the guest look at the clock whenever an epoch of the engine ends.
pub(crate) fn watch<T: 'static>(store: &mut Store<StoreData<T>>, ticker: Arc<Ticker>) {
    store.epoch_deadline_callback(on_tick);
    store.data_mut().budget.ticker = Some(ticker);
}

/// Ends a call, and gives the limit by which it has failed whatever its result.
pub(crate) fn end<T: 'static>(store: &mut Store<StoreData<T>>) -> Option<LimitExceeded> {
    if !store.data().budget.limited {
        return None;
    }
    let fuel = store.data().limits.fuel.map(|given| {
        let left = store.get_fuel().unwrap_or_default();
        given.saturating_sub(left)
    });
    let data = store.data_mut();
    let over = data.time_over();
    data.deadline = None;
    let (limits, budget) = (&data.limits, &mut data.budget);
    let meter = &budget.meter;
    budget.usage = Usage {
        fuel,
        time: limits
            .timeout
            .and(budget.began)
            .map(|began| began.elapsed()),
        host_calls: limits.host_calls.map(|_| meter.calls),
        transferred: budget.transfer.as_ref().map(Transfer::used),
        host_time: limits.host_time.map(|_| meter.time),
    };
    let exceeded = data.exceeded();
    data.budget.exceeded = None;
    exceeded.or(over)
}

impl<T> StoreData<T> {
    /// Sets what calls may use from now on.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        let limited = limits != Limits::NONE;
        self.limits = limits;
        self.limiter.set(&limits);
        self.budget.limited |= limited;
        self.guarded |= limited;
        if limits.transferred.is_some() {
            self.count_bytes();
        }
    }

    /// A limit that was reached in the call that is being made.
    pub(crate) fn exceeded(&self) -> Option<LimitExceeded> {
        let transfer = self.budget.transfer.as_ref();
        let budget = self.budget.exceeded;
        budget.or_else(|| transfer.and_then(Transfer::exceeded))
    }

    /// The guest does not run on the caller's stack any more.
    pub(crate) fn stop_running(&mut self) {
        self.budget.running = None;
    }

    /// The time limit, if it has passed.
    pub(crate) fn time_over(&self) -> Option<LimitExceeded> {
        let limit = self.time_limit()?;
        (Instant::now() >= limit.at).then(|| limit.exceeded())
    }

    fn time_limit(&self) -> Option<HostLimit> {
        let (since, at) = (self.budget.began?, self.deadline?);
        let limit = LimitExceeded {
            limit: LimitKind::Time,
            allowed: nanos(at.saturating_duration_since(since)),
            used: 0,
        };
        Some(HostLimit { at, since, limit })
    }

    /// When the host function that is running has to be over, and why.
    pub(crate) fn host_limit(&self) -> Option<HostLimit> {
        let host_time = self.limits.host_time;
        let host_time = host_time.and_then(|allowed| self.budget.meter.until(allowed));
        let limits = self.time_limit().into_iter().chain(host_time);
        limits.min_by_key(|limit| limit.at)
    }

    /// Why the instance should not be used.
    pub(crate) fn poison(&self) -> Option<Poison> {
        let fiber = self.fiber.as_ref();
        let dropped = fiber.is_some_and(|fiber| fiber.was_interrupted());
        self.budget.poison.or(dropped.then_some(Poison::Dropped))
    }

    pub(crate) fn clear_poison(&mut self) {
        self.budget.poison = None;
        if let Some(fiber) = &self.fiber {
            fiber.clear_interrupted();
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.budget.usage
    }

    /// What ends the waiting of host functions.
    pub(crate) fn alarm(&mut self) -> Arc<Alarm> {
        self.budget.alarm.get_or_insert_with(Alarm::new).clone()
    }

    /// What keeps the guest from computing for too long while it is polled.
    pub(crate) fn watch(&mut self) -> Option<Watch> {
        let ticker = self.budget.ticker.clone()?;
        let limit = self.time_limit();
        Some(Watch {
            ticker,
            slice: self.limits.slice(),
            limit: limit.map(|limit| (limit, self.alarm())),
        })
    }
}

/// See [`StoreData::watch`].
pub(crate) struct Watch {
    ticker: Arc<Ticker>,
    slice: Duration,
    limit: Option<(HostLimit, Arc<Alarm>)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((_, alarm)) = &self.limit {
            alarm.clear();
        }
    }
}

impl Watch {
    /// When a guest that is polled now has to be stopped.
    fn until(&self) -> Instant {
        let now = Instant::now();
        let slice = now.checked_add(self.slice);
        // Without either, any time will do: then it is looked at again.
        let deadline = self.limit.as_ref().map(|(limit, _)| limit.at);
        let until = slice.into_iter().chain(deadline).min();
        until.unwrap_or(now + Duration::from_secs(1))
    }

    /// Has the guest stopped in time while it is polled.
    pub fn run(&self) -> Running {
        self.ticker.run(self.until())
    }

    /// What becomes of a call when the guest was suspended: it is woken at the
    /// deadline and fails then. What waits then is a host function that is not
    /// ours, for ours have stopped waiting by themselves.
    #[cold]
    pub fn suspended(&self, context: &mut Context<'_>) -> Poll<wasmtime::Error> {
        let Some((limit, alarm)) = &self.limit else {
            return Poll::Pending;
        };
        if Instant::now() >= limit.at {
            return Poll::Ready(limit.exceeded().into());
        }
        alarm.set_latest(limit.at, context.waker());
        Poll::Pending
    }
}

/// Looks at the clock, whenever an epoch of the engine has ended.
fn on_tick<T: 'static>(
    mut store: StoreContextMut<'_, StoreData<T>>,
) -> wasmtime::Result<UpdateDeadline> {
    let data = store.data_mut();
    if let Some(over) = data.time_over() {
        data.budget.exceeded.get_or_insert(over);
        return Err(over.into());
    }
    let fiber = data.fiber.as_ref();
    if fiber.is_some_and(|fiber| fiber.can_wait()) {
        return Ok(UpdateDeadline::Yield(1));
    }
    if let (Some(ticker), Some(deadline)) = (&data.budget.ticker, data.deadline) {
        ticker.arm(deadline);
    }
    Ok(UpdateDeadline::Continue(1))
}

/// Why an instance could not be made.
#[cold]
pub(crate) fn not_made<T: 'static>(
    store: &mut Store<StoreData<T>>,
    error: wasmtime::Error,
) -> wasmtime::Error {
    let pool = store.engine().get_pooling_config();
    let full = error.downcast_ref::<PoolConcurrencyLimitError>();
    if let (Some(_), Some(pool)) = (full, pool) {
        let allowed = u64::from(pool.get_total_core_instances());
        let limit = LimitKind::Instances;
        return LimitExceeded {
            limit,
            allowed,
            used: allowed + 1,
        }
        .into();
    }
    let data = store.data_mut();
    // Before the start function runs, nothing but its size can be wrong.
    match data.limiter.denied.take() {
        Some(denied) if error.downcast_ref::<WasmBacktrace>().is_none() => denied.into(),
        denied => {
            data.limiter.denied = denied;
            stopped(data, error)
        }
    }
}

/// Tells by which limit the guest was stopped in its own code, if it was: then
/// its instance is poisoned.
#[cold]
pub(crate) fn stopped<T>(data: &mut StoreData<T>, error: wasmtime::Error) -> wasmtime::Error {
    // It was stopped where it called a host function.
    if error.downcast_ref::<Crossed>().is_some() {
        return error;
    }
    let Limits { fuel, stack, .. } = data.limits;
    let reached = |limit, allowed| LimitExceeded {
        limit,
        allowed,
        used: allowed,
    };
    let limit = match (error.downcast_ref::<Trap>(), error.downcast_ref()) {
        (_, Some(limit)) => *limit,
        (Some(Trap::OutOfFuel), _) if fuel.is_some() => {
            reached(LimitKind::Fuel, fuel.unwrap_or_default())
        }
        (Some(Trap::StackOverflow), _) if stack.is_some() => {
            reached(LimitKind::Stack, stack.unwrap_or_default() as u64)
        }
        _ => return error,
    };
    data.budget.exceeded.get_or_insert(limit);
    data.budget.poison.get_or_insert(Poison::Stopped(limit));
    match error.downcast_ref::<LimitExceeded>() {
        Some(_) => error,
        None => error.context(limit),
    }
}
