//! Ten thousand guests, all suspended at once.

use hostcall::Host;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

const GUESTS: usize = 10_000;

const GUEST: &str = r#"(module
    (import "env" "wait" (func $wait (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32)
        (i32.store (i32.const 8) (local.get 0))
        (i32.add (call $wait (local.get 0)) (i32.load (i32.const 8)))))"#;

#[test]
fn ten_thousand_suspended_calls_finish() {
    suspend_many("one by one", Host::new());
    let mut pooled = Host::new();
    pooled.pooling(GUESTS as u32, 64 << 10);
    suspend_many("from a pool", pooled);
}

fn suspend_many(allocated: &str, mut host: Host<()>) {
    let (waiting, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (count, turnstile) = (waiting.clone(), gate.clone());
    host.func_async("env", "wait", move |n: u32| {
        let (count, turnstile) = (count.clone(), turnstile.clone());
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            turnstile.acquire().await.unwrap().forget();
            n + 1
        }
    });
    let program = host.program(GUEST.as_bytes()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let before = resident();
    let calls: Vec<_> = (0..GUESTS as u32)
        .map(|n| {
            let program = program.clone();
            runtime.spawn(async move {
                let mut instance = program.instantiate_async(()).await?;
                let run = instance.export::<u32, u32>("run")?;
                run.call_async(&mut instance, n).await
            })
        })
        .collect();
    while waiting.load(Ordering::Relaxed) < GUESTS {
        assert!(calls.iter().all(|call| !call.is_finished()));
        std::thread::yield_now();
    }
    if let (Some(before), Some(now)) = (before, resident()) {
        let each = now.saturating_sub(before) / GUESTS;
        println!("allocated {allocated}: {each} bytes a suspended guest");
    }
    gate.add_permits(GUESTS);
    for (n, call) in calls.into_iter().enumerate() {
        let n = n as u32;
        assert_eq!(runtime.block_on(call).unwrap().unwrap(), 2 * n + 1);
    }
}

/// Bytes of this process in memory, where that can be known.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = status.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
