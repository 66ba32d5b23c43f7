//! One who calls a plugin again and again, and what comes of it.

use crate::host::Tenant;
use crate::plugins::Loaded;
use crate::share::Share;
use crate::store::Store;
use hostcall::{Error, Export, Instance};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

const PAGES: [&str; 4] = ["/", "/about", "/blog", "/blog/hello-world"];

pub struct Caller {
    plugin: Loaded,
    pub number: u32,
    store: Store,
    ready: Option<Ready>,
    share: Share,
    /// How often each page was requested.
    views: [u64; PAGES.len()],
    outcome: Outcome,
}

/// An instance that can be called.
struct Ready {
    instance: Instance<Tenant>,
    handle: Export<&'static str, String>,
}

/// What came of all calls.
#[derive(Default)]
pub struct Outcome {
    pub calls: u64,
    /// Calls with the right response.
    pub answered: u64,
    /// Calls that were ended by a limit or a refusal.
    pub stopped: u64,
    /// Those of them that were ended by what is meant to.
    pub as_meant: u64,
    /// Instances that were poisoned by that.
    pub poisoned: u64,
    /// The first one that failed.
    pub failure: Option<Error>,
    pub times: Vec<Duration>,
}

impl Caller {
    pub fn new(plugin: Loaded, number: u32, store: Store) -> Caller {
        Caller {
            plugin,
            number,
            store,
            ready: None,
            share: Share::new(),
            views: [0; PAGES.len()],
            outcome: Outcome::default(),
        }
    }

    /// Has an instance made before the first call.
    pub async fn prepare(&mut self) -> Result<(), Error> {
        self.ready = Some(instantiate(&self.plugin, self.number, &self.store).await?);
        Ok(())
    }

    /// Makes calls until `time` is over: the first one, and then one every so often;
    /// or as fast as possible.
    pub async fn run(mut self, pace: Option<(Duration, Duration)>, time: Duration) -> Caller {
        let start = Instant::now();
        let mut clock = pace.map(|(first, pace)| {
            let mut clock = interval_at(start + first, pace);
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            clock
        });
        loop {
            // What waits for a thread waits, too: time counts from when it is due.
            let due = match &mut clock {
                Some(clock) => clock.tick().await,
                None => {
                    yield_now().await;
                    Instant::now()
                }
            };
            let page = self.outcome.calls as usize % PAGES.len();
            let result = self.request(page).await;
            self.outcome.times.push(due.elapsed());
            self.note(page, result);
            if start.elapsed() >= time {
                return self;
            }
        }
    }

    async fn request(&mut self, page: usize) -> Result<String, Error> {
        let (plugin, number, store) = (&self.plugin, self.number, &self.store);
        let request = async {
            let ready = match &mut self.ready {
                Some(ready) => ready,
                none => none.insert(instantiate(plugin, number, store).await?),
            };
            let call = ready.handle.call_async(&mut ready.instance, PAGES[page]);
            call.await
        };
        self.share.run(request).await
    }

    fn note(&mut self, page: usize, result: Result<String, Error>) {
        let outcome = &mut self.outcome;
        outcome.calls += 1;
        let error = match result {
            Ok(response) => {
                self.views[page] += 1;
                let right = format!("200 {} {}", PAGES[page], self.views[page]);
                if response == right {
                    outcome.answered += 1;
                    return;
                }
                Error::msg(format!("the response was `{}`", response.escape_debug()))
            }
            Err(error) => error,
        };
        outcome.stopped += u64::from(error.limit().is_some() || error.reentrancy().is_some());
        outcome.as_meant += u64::from(self.plugin.is_stop(&error));
        // A new one is cheap, and whatever the old one has taken is free again.
        let ready = self.ready.take();
        let poisoned = ready.is_some_and(|ready| ready.instance.is_poisoned());
        outcome.poisoned += u64::from(poisoned);
        outcome.failure.get_or_insert(error);
    }

    /// All views of a tenant's pages, as another instance of its plugin finds them.
    pub async fn total(&self) -> Result<u64, Error> {
        let mut ready = instantiate(&self.plugin, self.number, &self.store).await?;
        let total = ready.instance.export::<(), u64>("total")?;
        total.call_async(&mut ready.instance, ()).await
    }

    /// What came of the calls since this was last asked.
    pub fn outcome(&mut self) -> Outcome {
        std::mem::take(&mut self.outcome)
    }
}

async fn instantiate(plugin: &Loaded, number: u32, store: &Store) -> Result<Ready, Error> {
    let store = store.clone();
    let mut instance = plugin.instantiate(Tenant { number, store }).await?;
    let handle = instance.export("handle")?;
    Ok(Ready { instance, handle })
}

impl Outcome {
    /// Adds what came of other calls.
    pub fn add(&mut self, other: Outcome) {
        self.calls += other.calls;
        self.answered += other.answered;
        self.stopped += other.stopped;
        self.as_meant += other.as_meant;
        self.poisoned += other.poisoned;
        self.failure = self.failure.take().or(other.failure);
        self.times.extend(other.times);
    }
}
