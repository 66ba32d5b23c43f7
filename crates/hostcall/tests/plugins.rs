//! The plugins example, small: what becomes of every call, not how long it takes.

#[path = "../examples/plugins/caller.rs"]
mod caller;
#[path = "../examples/plugins/host.rs"]
mod host;
#[path = "../examples/plugins/plugins.rs"]
mod plugins;
#[path = "../examples/plugins/scenario.rs"]
mod scenario;
#[path = "../examples/plugins/share.rs"]
mod share;
#[path = "../examples/plugins/store.rs"]
mod store;

use host::Tenant;
use hostcall::{ErrorKind, Export, Instance};
use plugins::{COUNTER, MALICIOUS, Plugin};
use scenario::{Scenario, Temporary};
use std::future::Future;
use std::time::{Duration, Instant};
use store::{Refused, Store};
use tokio::runtime::{Builder, Runtime};

/// Time enough, even if the machine is busy, for what is not to be ended by time.
const TIMEOUT: Duration = Duration::from_secs(2);

#[test]
fn requests_are_answered_and_attacks_stopped() {
    let scenario = Scenario {
        tenants: 20,
        rounds: 1,
        time: Duration::from_millis(300),
        pace: Duration::from_millis(20),
        timeout: TIMEOUT,
    };
    let report = scenario.run().unwrap();
    for outcome in [&report.alone, &report.beside] {
        assert!(outcome.calls >= 20);
        assert_eq!(outcome.answered, outcome.calls, "{:?}", outcome.failure);
    }
    assert_eq!(report.views, report.alone.answered + report.beside.answered);
    assert_eq!(report.malicious.len(), MALICIOUS.len());
    for (plugin, outcome) in MALICIOUS.iter().zip(&report.malicious) {
        let (name, failure) = (plugin.name, &outcome.failure);
        assert!(outcome.calls > 0, "{name}");
        assert_eq!(outcome.answered, 0, "{name}");
        assert_eq!(outcome.as_meant, outcome.calls, "{name}: {failure:?}");
        let poisoned = if is_poisoned(plugin) {
            outcome.calls
        } else {
            0
        };
        assert_eq!(outcome.poisoned, poisoned, "{name}");
    }
    assert!(report.is_good());
}

/// Only `loop` is stopped amid its own code: the others call the host, or trap.
fn is_poisoned(plugin: &Plugin) -> bool {
    plugin.name == "loop"
}

#[test]
fn what_is_not_poisoned_is_stopped_again() {
    with_store(10_000, |store| async move {
        let host = host::host();
        for plugin in &MALICIOUS {
            let store = store.clone();
            let tenant = Tenant { number: 0, store };
            let loaded = plugin.load(&host, TIMEOUT / 2).unwrap();
            let mut instance = loaded.instantiate(tenant).await.unwrap();
            handle(&mut instance, "/").await.unwrap_err();
            let poisoned = is_poisoned(plugin);
            assert_eq!(instance.is_poisoned(), poisoned, "{}", plugin.name);
            let again = handle(&mut instance, "/").await.unwrap_err();
            let refused = matches!(again.kind(), ErrorKind::Poisoned(_));
            assert_eq!(refused, poisoned, "{}: {again}", plugin.name);
        }
    });
}

#[test]
fn a_guest_handles_what_the_store_refuses() {
    with_store(25, |store| async move {
        let loaded = COUNTER.load(&host::host(), TIMEOUT).unwrap();
        let tenants = [3, 4].map(|number| Tenant {
            number,
            store: store.clone(),
        });
        let [one, other] = tenants;
        let mut one = loaded.instantiate(one).await.unwrap();
        assert_eq!(handle(&mut one, "/").await.unwrap(), "200 / 1");
        assert_eq!(handle(&mut one, "/").await.unwrap(), "200 / 2");
        assert_eq!(handle(&mut one, "/12345").await.unwrap(), "200 /12345 1");
        // 9 bytes and 14 are used.
        assert_eq!(handle(&mut one, "/x").await.unwrap(), "507 /x");
        assert_eq!(handle(&mut one, "/").await.unwrap(), "200 / 3");

        // Which is another's business, whatever its keys are.
        let mut other = loaded.instantiate(other).await.unwrap();
        assert_eq!(handle(&mut other, "/x").await.unwrap(), "200 /x 1");
        assert_eq!(handle(&mut other, "/").await.unwrap(), "200 / 1");
        let keys = |number| {
            store
                .entries(number)
                .unwrap()
                .into_iter()
                .map(|(key, _)| key)
        };
        assert!(keys(3).eq(["/", "/12345"]));
        assert!(keys(4).eq(["/", "/x"]));

        // A value that is none of the counter's.
        store.put(4, "/", b"much too long").await.unwrap().unwrap();
        assert_eq!(handle(&mut other, "/").await.unwrap(), "500 /");
    });
}

#[test]
fn puts_that_come_together_are_all_answered() {
    with_store(1_000, |store| async move {
        let puts = (0..500).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.put(n % 10, &format!("{n:09}"), &[7; 16]).await })
        });
        let puts: Vec<_> = puts.collect();
        let mut refused = 0;
        for put in puts {
            match put.await.unwrap().unwrap() {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error, Refused::QuotaExceeded);
                    refused += 1;
                }
            }
        }
        // Of 50 puts of 25 bytes, 40 fit.
        assert_eq!(refused, 100);
        for number in 0..10 {
            assert_eq!(store.entries(number).unwrap().len(), 40);
        }
        // One that gets smaller makes room.
        let (key, _) = store.entries(0).unwrap().swap_remove(0);
        assert_eq!(store.put(0, &key, b"").await.unwrap(), Ok(()));
        assert_eq!(store.put(0, "more", &[1; 12]).await.unwrap(), Ok(()));
        assert_eq!(store.get(0, "more").unwrap(), Some(vec![1; 12]));
        assert_eq!(store.get(1, "more").unwrap(), None);
    });
}

#[test]
fn who_computes_rests() {
    let runtime = runtime();
    let mut share = share::Share::new();
    let start = Instant::now();
    runtime.block_on(share.run(async {
        for _ in 0..20 {
            let computing = Instant::now();
            while computing.elapsed() < Duration::from_millis(1) {}
            tokio::task::yield_now().await;
        }
    }));
    // 19 times 10 ms, but for 100 ms that may be owed.
    assert!(start.elapsed() >= Duration::from_millis(90));
}

async fn handle(instance: &mut Instance<Tenant>, path: &str) -> Result<String, hostcall::Error> {
    let handle: Export<&str, String> = instance.export("handle")?;
    handle.call_async(instance, path).await
}

/// Runs a test with a store of its own.
fn with_store<F: Future<Output = ()>>(quota: u64, test: impl FnOnce(Store) -> F) {
    let folder = Temporary::new().unwrap();
    let runtime = runtime();
    runtime.block_on(async {
        let store = Store::create(&folder.0.join("kv.redb"), quota).unwrap();
        test(store).await;
    });
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_time().build().unwrap()
}
