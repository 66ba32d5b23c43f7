//! What happens: tenants request pages for a while, then go on while others call
//! malicious plugins again and again.

use crate::caller::{Caller, Outcome};
use crate::host::host;
use crate::plugins::{COUNTER, MALICIOUS};
use crate::store::Store;
use hostcall::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

/// Threads that guests run on.
const THREADS: usize = 2;
/// Bytes that a tenant may store.
const QUOTA: u64 = 64 << 10;
/// Tenants wait for a slow disk; they are what the host is for.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Scenario {
    pub tenants: u32,
    /// How long each of the two phases lasts.
    pub time: Duration,
    /// How often each tenant requests a page.
    pub pace: Duration,
    /// How long a call of a malicious plugin may take.
    pub timeout: Duration,
}

pub struct Report {
    /// The tenants, with nobody else.
    pub alone: Outcome,
    /// The tenants, with the others.
    pub beside: Outcome,
    /// The others, as in [`MALICIOUS`].
    pub malicious: Vec<Outcome>,
    /// Views that are in the store in the end, as the plugin adds them up.
    pub views: u64,
}

impl Report {
    /// Whether all requests were answered, and all that was malicious stopped.
    pub fn is_good(&self) -> bool {
        let answered = self.alone.answered + self.beside.answered;
        self.alone.calls + self.beside.calls == answered
            && self.views == answered
            && self.malicious.iter().all(|one| one.stopped == one.calls)
    }
}

impl Scenario {
    pub fn run(&self) -> Result<Report, Error> {
        let folder = Temporary::new().map_err(Error::msg)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .enable_time()
            // How many polls may come before timers are looked at: guests that
            // compute use up all of each.
            .event_interval(4)
            .build();
        let runtime = runtime.map_err(Error::msg)?;
        runtime.block_on(self.phases(&folder))
    }

    async fn phases(&self, folder: &Temporary) -> Result<Report, Error> {
        let store = Store::create(&folder.0.join("kv.redb"), QUOTA).map_err(Error::msg)?;
        let host = host();
        let counter = COUNTER.load(&host, PATIENCE)?;
        let tenants =
            (0..self.tenants).map(|number| Caller::new(counter.clone(), number, store.clone()));
        let mut malicious = Vec::new();
        for (plugin, number) in MALICIOUS.iter().zip(self.tenants..) {
            let loaded = plugin.load(&host, self.timeout)?;
            malicious.push(Caller::new(loaded, number, store.clone()));
        }

        let mut tenants = self.phase(tenants.collect(), vec![]).await;
        let alone = Outcome::of_all(&mut tenants);
        let mut all = self.phase(tenants, malicious).await;
        let mut malicious = all.split_off(self.tenants as usize);
        let beside = Outcome::of_all(&mut all);
        let mut views = 0;
        for tenant in &all {
            views += tenant.total().await?;
        }
        Ok(Report {
            alone,
            beside,
            malicious: malicious.iter_mut().map(Caller::outcome).collect(),
            views,
        })
    }

    /// Has all of them make calls at once, and gives them back in their order.
    async fn phase(&self, tenants: Vec<Caller>, malicious: Vec<Caller>) -> Vec<Caller> {
        let mut tasks = JoinSet::new();
        for (caller, n) in tenants.into_iter().zip(0..) {
            // Not all at the same moment.
            let first = self.pace * n / self.tenants;
            tasks.spawn(caller.run(Some((first, self.pace)), self.time));
        }
        for caller in malicious {
            tasks.spawn(caller.run(None, self.time));
        }
        let mut callers = tasks.join_all().await;
        callers.sort_by_key(|caller| caller.number);
        callers
    }
}

/// A folder that is removed at the end.
pub struct Temporary(pub PathBuf);

impl Temporary {
    pub fn new() -> std::io::Result<Temporary> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, n) = (std::process::id(), MADE.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(format!("hostcall-plugins-{process}-{n}"));
        fs::create_dir_all(&path)?;
        Ok(Temporary(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
