//! One thread for all deadlines of the process. It sleeps until the first that
//! is armed.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// What happens when something is due.
pub(crate) trait Due: Send + Sync {
    /// Its place in the queue.
    fn slot(&self) -> &Slot;
    /// Gives when it is to happen again, if it is.
    fn due(&self) -> Option<Instant>;
}

/// A place in the timer's queue. There is one entry for each at most, and none
/// when it is dropped.
pub(crate) struct Slot {
    id: u64,
    /// When it is armed for, in nanoseconds of [`since_start`]; `NEVER` if not.
    at: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Slot {
    pub fn new() -> Slot {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Slot {
            id: IDS.fetch_add(1, SeqCst),
            at: AtomicU64::new(NEVER),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let at = *self.at.get_mut();
        if at != NEVER {
            timer().queue().remove(&(at, self.id));
        }
    }
}

/// By when, and for which slot.
type Queue = BTreeMap<(u64, u64), Weak<dyn Due>>;

struct Timer {
    queue: Mutex<Queue>,
    /// Notified when something comes first in the queue.
    earlier: Condvar,
}

impl Timer {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it is locked.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn timer() -> &'static Timer {
    static TIMER: Timer = Timer {
        queue: Mutex::new(BTreeMap::new()),
        earlier: Condvar::new(),
    };
    &TIMER
}

/// Starts the thread, unless it runs.
///
/// # Errors
///
/// If the system has no thread to give.
pub(crate) fn start() -> io::Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        LazyLock::force(&START);
        thread::Builder::new()
            .name("hostcall-timer".to_owned())
            .spawn(|| run(timer()))?;
        *started = true;
    }
    Ok(())
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn since_start(at: Instant) -> u64 {
    super::exceeded::nanos(at.saturating_duration_since(*START)).min(NEVER - 1)
}

/// Has `due` happen at `at`, unless it is going to happen before that. In most
/// cases that is so, which costs next to nothing.
#[inline]
pub(crate) fn arm<D: Due + 'static>(due: &Arc<D>, at: Instant) {
    let at = since_start(at);
    if at < due.slot().at.load(SeqCst) {
        let due: Arc<D> = due.clone();
        insert(&(due as Arc<dyn Due>), at);
    }
}

#[cold]
fn insert(due: &Arc<dyn Due>, at: u64) {
    let (timer, slot) = (timer(), due.slot());
    let mut queue = timer.queue();
    // It changes only while the queue is locked.
    let before = slot.at.load(SeqCst);
    if at >= before {
        return;
    }
    queue.remove(&(before, slot.id));
    queue.insert((at, slot.id), Arc::downgrade(due));
    slot.at.store(at, SeqCst);
    let is_first = queue.keys().next() == Some(&(at, slot.id));
    drop(queue);
    if is_first {
        timer.earlier.notify_one();
    }
}

/// The thread.
fn run(timer: &Timer) {
    loop {
        for due in next(timer) {
            let happen = AssertUnwindSafe(|| {
                if let Some(again) = due.due() {
                    insert(&due, since_start(again));
                }
                // The last of them may be dropped here, with a waker in it.
                drop(due);
            });
            // A waker is anyone's code, and this thread is everyone's.
            drop(catch_unwind(happen));
        }
    }
}

/// Waits for what is due next.
fn next(timer: &Timer) -> Vec<Arc<dyn Due>> {
    let mut queue = timer.queue();
    loop {
        let now = since_start(Instant::now());
        let due = take_due(&mut queue, now);
        if !due.is_empty() {
            return due;
        }
        let first = queue.keys().next().map(|(at, _)| *at);
        queue = match first {
            Some(at) => {
                let wait = Duration::from_nanos(at.saturating_sub(now));
                let waited = timer.earlier.wait_timeout(queue, wait);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = timer.earlier.wait(queue);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
    }
}

fn take_due(queue: &mut Queue, now: u64) -> Vec<Arc<dyn Due>> {
    let mut taken = Vec::new();
    while let Some(entry) = queue.first_entry().filter(|entry| entry.key().0 <= now) {
        if let Some(due) = entry.remove().upgrade() {
            due.slot().at.store(NEVER, SeqCst);
            taken.push(due);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted(Slot, AtomicU64);

    impl Due for Counted {
        fn slot(&self) -> &Slot {
            &self.0
        }

        fn due(&self) -> Option<Instant> {
            self.1.fetch_add(1, SeqCst);
            None
        }
    }

    fn counted() -> Arc<Counted> {
        Arc::new(Counted(Slot::new(), AtomicU64::new(0)))
    }

    fn entries(id: u64) -> usize {
        let queue = timer().queue();
        queue.keys().filter(|(_, of)| *of == id).count()
    }

    /// The queue does not grow with the number of calls, and keeps nothing alive.
    #[test]
    fn there_is_one_entry_at_most() {
        let due = counted();
        let (id, later) = (due.0.id, Instant::now() + Duration::from_secs(3600));
        for i in 0..1000 {
            arm(&due, later - Duration::from_secs(i));
            arm(&due, later + Duration::from_secs(i));
            assert_eq!(entries(id), 1);
        }
        drop(due);
        assert_eq!(entries(id), 0);
    }

    #[test]
    fn what_is_due_happens_once() {
        start().expect("there is a thread");
        let due = counted();
        for _ in 0..10 {
            arm(&due, Instant::now() + Duration::from_millis(20));
        }
        let began = Instant::now();
        while due.1.load(SeqCst) == 0 && began.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(due.1.load(SeqCst), 1);
        assert_eq!(entries(due.0.id), 0);
    }
}
