//! Ends the waiting of host functions in time: wakes who polls a suspended call
//! when its deadline is due.

use super::timer::{Due, Slot, arm};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// The alarm of one instance.
pub(crate) struct Alarm {
    slot: Slot,
    /// When to wake whom; nobody while the guest is not suspended.
    set: Mutex<Option<(Instant, Waker)>>,
}

impl Alarm {
    pub fn new() -> Arc<Alarm> {
        Arc::new(Alarm {
            slot: Slot::new(),
            set: Mutex::new(None),
        })
    }

    /// Wakes at `at`.
    pub fn set(self: &Arc<Self>, at: Instant, waker: &Waker) {
        let mut set = self.lock();
        match &mut *set {
            Some((before, old)) if *before == at => old.clone_from(waker),
            set => *set = Some((at, waker.clone())),
        }
        drop(set);
        // What is armed for an earlier call comes too early, and again then: so
        // short calls need not change it.
        arm(self, at);
    }

    /// Wakes at `at`, unless it wakes earlier anyway.
    pub fn set_latest(self: &Arc<Self>, at: Instant, waker: &Waker) {
        let earlier = matches!(&*self.lock(), Some((before, _)) if *before < at);
        if !earlier {
            self.set(at, waker);
        }
    }

    pub fn clear(&self) {
        // A waker is anyone's code, so it is dropped when nothing is locked.
        let waker = self.lock().take();
        drop(waker);
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, Waker)>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Due for Alarm {
    fn slot(&self) -> &Slot {
        &self.slot
    }

    fn due(&self) -> Option<Instant> {
        let mut set = self.lock();
        let (at, _) = set.as_ref()?;
        if *at > Instant::now() {
            return Some(*at);
        }
        let waker = set.take();
        drop(set);
        if let Some((_, waker)) = waker {
            waker.wake();
        }
        None
    }
}
