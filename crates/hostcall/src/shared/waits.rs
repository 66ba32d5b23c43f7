//! Who holds which shared instance, and who waits for it.

use crate::reentry::{Reentrancy, link};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// One for all: it is held for as long as it takes to look who waits for whom.
static WAITS: Mutex<Waits> = Mutex::new(Waits {
    held: BTreeMap::new(),
    waiting: BTreeMap::new(),
    refused: BTreeMap::new(),
});

struct Waits {
    /// By instance.
    held: BTreeMap<u64, Held>,
    /// The instances that a chain waits for: one, unless it polls several futures
    /// at once.
    waiting: BTreeMap<u64, Vec<u64>>,
    /// Those who have waited, until it would have been for themselves.
    refused: BTreeMap<u64, Reentrancy>,
}

struct Held {
    by: Arc<Hold>,
    queue: VecDeque<(Arc<Hold>, Waker)>,
}

/// That a chain of calls holds an instance, or waits for it.
pub(crate) struct Hold {
    /// Later ones have higher numbers.
    number: u64,
    instance: u64,
    name: Arc<str>,
    pub chain: u64,
    /// The export that is being called; empty if none is.
    export: Mutex<String>,
}

impl Hold {
    /// Takes note of the export that is being called.
    pub fn calls(&self, export: &str) {
        let mut name = lock(&self.export);
        name.clear();
        name.push_str(export);
    }

    /// The same, until what it gives is dropped.
    pub fn calling(self: &Arc<Self>, export: &str) -> Calling {
        self.calls(export);
        Calling(self.clone())
    }

    fn call(&self) -> Option<String> {
        Some(lock(&self.export).clone()).filter(|export| !export.is_empty())
    }

    fn link(&self) -> String {
        match self.call() {
            None => link(&self.name),
            Some(export) => format!("{}.{}", link(&self.name), link(&export)),
        }
    }
}

/// As long as it is there, an export of an instance is being called.
pub(crate) struct Calling(Arc<Hold>);

impl Drop for Calling {
    fn drop(&mut self) {
        self.0.calls("");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One who waits for an instance and then holds it, until it is dropped.
pub(super) struct Ticket {
    pub hold: Arc<Hold>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Waiting,
    Holding,
    Refused,
}

impl Ticket {
    pub fn new(instance: u64, name: Arc<str>, chain: u64) -> Ticket {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let hold = Hold {
            number: NUMBERS.fetch_add(1, Relaxed),
            instance,
            name,
            chain,
            export: Mutex::default(),
        };
        Ticket {
            hold: Arc::new(hold),
            state: State::New,
        }
    }

    /// Takes the instance if it is free.
    pub fn take(&mut self) -> bool {
        let taken = lock(&WAITS).take(&self.hold);
        if taken {
            self.state = State::Holding;
        }
        taken
    }

    /// Ready once it holds the instance, or would wait for itself.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Reentrancy>> {
        if self.state == State::New && self.take() {
            return Poll::Ready(Ok(()));
        }
        // What wakers run when they are cloned or dropped may come here again.
        let mut waker = context.waker().clone();
        let mut waits = lock(&WAITS);
        let found = match self.state {
            State::New => waits.wait(&self.hold, &mut waker),
            _ => waits.look(&self.hold, &mut waker),
        };
        drop(waits);
        self.state = match &found {
            Poll::Ready(Ok(())) => State::Holding,
            Poll::Ready(Err(_)) => State::Refused,
            Poll::Pending => State::Waiting,
        };
        found
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let woken = match self.state {
            State::New | State::Refused => return,
            State::Waiting | State::Holding => lock(&WAITS).leave(&self.hold),
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Waits {
    fn take(&mut self, hold: &Arc<Hold>) -> bool {
        let free = !self.held.contains_key(&hold.instance);
        if free {
            let by = hold.clone();
            let queue = VecDeque::new();
            self.held.insert(hold.instance, Held { by, queue });
        }
        free
    }

    /// Queues, unless that would be for itself.
    fn wait(&mut self, hold: &Arc<Hold>, waker: &mut Waker) -> Poll<Result<(), Reentrancy>> {
        if self.take(hold) {
            return Poll::Ready(Ok(()));
        }
        if let Some(refusal) = self.cycle(hold) {
            return Poll::Ready(Err(refusal));
        }
        let waker = std::mem::replace(waker, Waker::noop().clone());
        if let Some(held) = self.held.get_mut(&hold.instance) {
            held.queue.push_back((hold.clone(), waker));
        }
        self.waiting
            .entry(hold.chain)
            .or_default()
            .push(hold.instance);
        Poll::Pending
    }

    /// What has become of one that has waited.
    fn look(&mut self, hold: &Arc<Hold>, waker: &mut Waker) -> Poll<Result<(), Reentrancy>> {
        if let Some(refusal) = self.refused.remove(&hold.number) {
            return Poll::Ready(Err(refusal));
        }
        let held = self.held.get_mut(&hold.instance);
        let queue = held.into_iter().flat_map(|held| &mut held.queue);
        let mut own = queue.filter(|(waiting, _)| waiting.number == hold.number);
        match own.next() {
            Some((_, old)) => {
                std::mem::swap(old, waker);
                Poll::Pending
            }
            None => Poll::Ready(Ok(())),
        }
    }

    /// Gives up an instance, or waits for it no longer. Gives whom to wake.
    fn leave(&mut self, hold: &Hold) -> Vec<Waker> {
        self.refused.remove(&hold.number);
        match self.held.get_mut(&hold.instance) {
            Some(held) if held.by.number == hold.number => self.hand_over(hold.instance),
            // Its waker is not to be dropped here, so it is woken, which is harmless.
            Some(_) => self.unqueue(hold).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Gives an instance to who has waited longest.
    fn hand_over(&mut self, instance: u64) -> Vec<Waker> {
        let next = self.held.get_mut(&instance).and_then(|held| {
            let (by, waker) = held.queue.pop_front()?;
            held.by = by.clone();
            Some((by, waker))
        });
        let Some((by, waker)) = next else {
            self.held.remove(&instance);
            return Vec::new();
        };
        self.waits_no_longer(&by);
        let mut woken = vec![waker];
        // What it waits for beside, the holder of that may wait for this.
        for other in self.waiting.get(&by.chain).cloned().unwrap_or_default() {
            woken.extend(self.refuse(by.chain, other));
        }
        woken
    }

    /// Refuses those of a chain that wait for `instance`, if they wait for
    /// themselves.
    fn refuse(&mut self, chain: u64, instance: u64) -> Option<Waker> {
        let mut queue = self.held.get(&instance)?.queue.iter();
        let hold = queue.find(|(hold, _)| hold.chain == chain)?.0.clone();
        let refusal = self.cycle(&hold)?;
        self.refused.insert(hold.number, refusal);
        self.unqueue(&hold)
    }

    fn unqueue(&mut self, hold: &Hold) -> Option<Waker> {
        let queue = &mut self.held.get_mut(&hold.instance)?.queue;
        let at = queue
            .iter()
            .position(|(own, _)| own.number == hold.number)?;
        let (_, waker) = queue.remove(at)?;
        self.waits_no_longer(hold);
        Some(waker)
    }

    fn waits_no_longer(&mut self, hold: &Hold) {
        if let Some(instances) = self.waiting.get_mut(&hold.chain) {
            if let Some(at) = instances.iter().position(|at| *at == hold.instance) {
                instances.swap_remove(at);
            }
            if instances.is_empty() {
                self.waiting.remove(&hold.chain);
            }
        }
    }

    /// Whether `hold` waits, or would wait, for what waits for its own chain.
    ///
    /// Who waits behind others for an instance waits for them, too; but what they
    /// wait for is that instance, whose holder is followed.
    fn cycle(&self, hold: &Hold) -> Option<Reentrancy> {
        let mut paths = vec![vec![hold.instance]];
        let mut seen = vec![hold.instance];
        while let Some(path) = paths.pop() {
            let Some(last) = path.last().and_then(|last| self.held.get(last)) else {
                continue;
            };
            if last.by.chain == hold.chain {
                return Some(self.refusal(hold, &path));
            }
            for next in self.waiting.get(&last.by.chain).into_iter().flatten() {
                if !seen.contains(next) {
                    seen.push(*next);
                    paths.push([&*path, &[*next]].concat());
                }
            }
        }
        None
    }

    /// The last instance of `path` is held by the chain itself; the holder of each
    /// other waits for the next.
    fn refusal(&self, hold: &Hold, path: &[u64]) -> Reentrancy {
        let (own, others) = (path[path.len() - 1], &path[..path.len() - 1]);
        let calls = self.holds(own).into_iter().map(Hold::call).collect();
        let order = std::iter::once(&own).chain(others);
        let links = order.flat_map(|at| self.holds(*at)).map(Hold::link);
        let last = self.held.get(&own).map(|held| link(&held.by.name));
        Reentrancy::waiting(links.chain(last).collect(), calls, &hold.name)
    }

    /// What the holder of an instance holds from that on.
    fn holds(&self, instance: u64) -> Vec<&Hold> {
        let Some(first) = self.held.get(&instance).map(|held| &held.by) else {
            return Vec::new();
        };
        let holds = self.held.values().map(|held| &*held.by);
        let later = holds.filter(|hold| hold.chain == first.chain && hold.number >= first.number);
        let mut later: Vec<_> = later.collect();
        later.sort_by_key(|hold| hold.number);
        later
    }
}
