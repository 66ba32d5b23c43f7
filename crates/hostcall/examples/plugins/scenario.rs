//! What happens, round by round: tenants request pages, then do so beside malicious
//! plugins that are called as fast as they let themselves be.

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
    /// So that what else the machine does falls on both halves of a round alike.
    pub rounds: u32,
    /// How long half a round takes.
    pub time: Duration,
    /// How often each tenant requests a page.
    pub pace: Duration,
    /// How long a call of a malicious plugin may take.
    pub timeout: Duration,
}

#[derive(Default)]
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
            .build();
        let runtime = runtime.map_err(Error::msg)?;
        runtime.block_on(self.run_rounds(&folder))
    }

    async fn run_rounds(&self, folder: &Temporary) -> Result<Report, Error> {
        let store = Store::create(&folder.0.join("kv.redb"), QUOTA).map_err(Error::msg)?;
        let (mut tenants, mut malicious) = self.callers(&store)?;
        for tenant in &mut tenants {
            tenant.prepare().await?;
        }
        let mut report = Report::default();
        report
            .malicious
            .resize_with(malicious.len(), Outcome::default);
        for _ in 0..self.rounds {
            (tenants, _) = self.half(tenants, vec![]).await;
            for tenant in &mut tenants {
                report.alone.add(tenant.outcome());
            }
            (tenants, malicious) = self.half(tenants, malicious).await;
            for tenant in &mut tenants {
                report.beside.add(tenant.outcome());
            }
            for (caller, all) in malicious.iter_mut().zip(&mut report.malicious) {
                all.add(caller.outcome());
            }
        }
        for tenant in &tenants {
            report.views += tenant.total().await?;
        }
        Ok(report)
    }

    /// The tenants, and those with the malicious plugins.
    fn callers(&self, store: &Store) -> Result<(Vec<Caller>, Vec<Caller>), Error> {
        let host = host();
        let counter = COUNTER.load(&host, PATIENCE)?;
        let tenants = 0..self.tenants;
        let tenants = tenants.map(|number| Caller::new(counter.clone(), number, store.clone()));
        let malicious = MALICIOUS
            .iter()
            .zip(self.tenants..)
            .map(|(plugin, number)| {
                let plugin = plugin.load(&host, self.timeout)?;
                Ok(Caller::new(plugin, number, store.clone()))
            });
        Ok((tenants.collect(), malicious.collect::<Result<_, Error>>()?))
    }

    /// Has all of them make calls at once, and gives them back.
    async fn half(
        &self,
        tenants: Vec<Caller>,
        malicious: Vec<Caller>,
    ) -> (Vec<Caller>, Vec<Caller>) {
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
        let malicious = callers.split_off(self.tenants as usize);
        (callers, malicious)
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
