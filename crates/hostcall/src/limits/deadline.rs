//! When a call has to be over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Until when a call of the guest may take, for host functions that take long:
/// nothing can stop a synchronous one, so it looks now and then whether it should
/// go on. [`Guest::deadline`](crate::Guest::deadline) gives it.
#[derive(Clone, Debug, Default)]
pub struct Deadline {
    at: Option<Instant>,
    /// Set if nobody waits for the host function any more.
    abandoned: Option<Arc<AtomicBool>>,
}

impl Deadline {
    pub(crate) fn new(at: Option<Instant>) -> Deadline {
        Deadline {
            at,
            abandoned: None,
        }
    }

    /// The same, which is also over once the flag is set.
    pub(crate) fn or(self, abandoned: Arc<AtomicBool>) -> Deadline {
        let abandoned = Some(abandoned);
        Deadline { abandoned, ..self }
    }

    /// When that is; `None` if the call has no limit.
    pub fn instant(&self) -> Option<Instant> {
        self.at
    }

    /// How long until then; `None` if the call has no limit.
    pub fn remaining(&self) -> Option<Duration> {
        let at = self.at?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// Whether the host function should give up: the time is over, or nobody
    /// waits for it any more.
    pub fn is_over(&self) -> bool {
        let abandoned = self.abandoned.as_ref();
        abandoned.is_some_and(|flag| flag.load(Relaxed))
            || self.at.is_some_and(|at| Instant::now() >= at)
    }
}
