//! Host functions that wait: dropped when their time is over.

use super::LimitExceeded;
use super::alarm::Alarm;
use super::exceeded::nanos;
use crate::fiber::Poller;
use crate::owned::StoreData;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// Until when a host function may wait, and what wakes it then.
#[derive(Default)]
pub(crate) struct HostDeadline(Option<(HostLimit, Arc<Alarm>)>);

/// The limit of time that a host function reaches first.
#[derive(Clone, Copy)]
pub(crate) struct HostLimit {
    pub at: Instant,
    pub since: Instant,
    /// Without the time since then.
    pub limit: LimitExceeded,
}

impl HostLimit {
    /// What it is now.
    pub fn exceeded(mut self) -> LimitExceeded {
        self.limit.used += nanos(self.since.elapsed());
        self.limit
    }
}

impl HostDeadline {
    #[inline(always)]
    pub fn of<T>(data: &mut StoreData<T>) -> HostDeadline {
        // Without limits there is neither a deadline nor a time in host functions.
        match data.budget.limited {
            true => HostDeadline::new(data),
            false => HostDeadline(None),
        }
    }

    #[inline(never)]
    fn new<T>(data: &mut StoreData<T>) -> HostDeadline {
        let limit = data.host_limit();
        HostDeadline(limit.map(|limit| (limit, data.alarm())))
    }

    /// Has `suspend` wait until `poller` is ready or the time is over, which is
    /// an error. `waker` is that of the task which polls the guest now.
    #[inline(always)]
    pub fn hold(
        &self,
        waker: Option<&Waker>,
        poller: Poller<'_>,
        suspend: impl FnOnce(Poller<'_>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<()> {
        match &self.0 {
            None => suspend(poller),
            Some((limit, alarm)) => hold_until(limit, alarm, waker, poller, suspend),
        }
    }
}

#[inline(never)]
fn hold_until(
    limit: &HostLimit,
    alarm: &Arc<Alarm>,
    waker: Option<&Waker>,
    poller: Poller<'_>,
    suspend: impl FnOnce(Poller<'_>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    let _clear = Clear(alarm);
    let mut over = Instant::now() >= limit.at;
    if over {
        return Err(limit.exceeded().into());
    }
    if let Some(waker) = waker {
        alarm.set(limit.at, waker);
    }
    suspend(&mut |context: &mut Context<'_>| {
        // What is ready is ready, even if it is late.
        if poller(context).is_ready() {
            return Poll::Ready(());
        }
        over = Instant::now() >= limit.at;
        match over {
            true => Poll::Ready(()),
            false => {
                alarm.set(limit.at, context.waker());
                Poll::Pending
            }
        }
    })?;
    match over {
        true => Err(limit.exceeded().into()),
        false => Ok(()),
    }
}

/// Lets go of who polls, also if the call is dropped.
struct Clear<'a>(&'a Alarm);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}
