//! Stops guests that compute for too long: an epoch of their engine ends when
//! the first deadline is due.

use super::timer::{Due, Slot, arm};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use wasmtime::{Engine, EngineWeak};

/// How long after a tick the next one comes while calls are being made, at the
/// latest. A tick that comes just before a guest's epoch deadline is set anew is
/// lost on it; so there is always another.
const AGAIN: Duration = Duration::from_millis(10);

/// The epochs of one engine, as far as deadlines need them.
pub(crate) struct Ticker {
    engine: EngineWeak,
    slot: Slot,
    /// Calls that are being made, of guests that are not suspended.
    active: AtomicUsize,
    ticks: AtomicU64,
}

impl Ticker {
    pub fn new(engine: &Engine) -> Arc<Ticker> {
        Arc::new(Ticker {
            engine: engine.weak(),
            slot: Slot::new(),
            active: AtomicUsize::new(0),
            ticks: AtomicU64::new(0),
        })
    }

    /// Begins a call, whose guest is stopped at `at` to look at the clock. The
    /// epoch deadline must have been set to the next epoch before.
    pub fn run(self: &Arc<Self>, at: Instant) -> Running {
        // If the timer sees no call here, `arm` sees that nothing is armed.
        self.active.fetch_add(1, SeqCst);
        arm(self, at);
        Running(self.clone())
    }

    /// Has the running guest stopped at `at`, too.
    pub fn arm(self: &Arc<Self>, at: Instant) {
        arm(self, at);
    }

    /// How often guests were stopped. While this stays the same, no deadline of
    /// a running call has passed.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(SeqCst)
    }
}

impl Due for Ticker {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn due(&self) -> Option<Instant> {
        let engine = self.engine.upgrade()?;
        self.ticks.fetch_add(1, SeqCst);
        engine.increment_epoch();
        match self.active.load(SeqCst) {
            0 => None,
            _ => Some(Instant::now() + AGAIN),
        }
    }
}

/// A call that is being made; dropped when it is over, or the guest suspended.
pub(crate) struct Running(Arc<Ticker>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, SeqCst);
    }
}
