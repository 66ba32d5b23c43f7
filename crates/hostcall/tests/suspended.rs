//! Guests that are suspended while async host functions wait.

mod common;

use common::runtime;
use hostcall::{Crossing, ErrorKind, Guest, Host, Instance, Program};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

const GUEST: &str = r#"(module
    (import "env" "wait" (func $wait (param i32) (result i32)))
    (import "env" "text" (func $text (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "hello")
    (global $runs (mut i32) (i32.const 0))
    (func (export "runs") (result i32) (global.get $runs))
    (func (export "wait") (param i32) (result i32)
        (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
        (call $wait (local.get 0)))
    (func (export "text") (result i32)
        (call $text (i32.const 8) (i32.const 5))))"#;

/// A host whose `wait(0)` is ready at once; others wait for some milliseconds.
fn host() -> Host<Vec<String>> {
    let mut host = Host::new();
    host.func_async("env", "wait", |n: u32| async move {
        if n > 0 {
            tokio::time::sleep(Duration::from_millis(u64::from(n))).await;
        }
        n + 1
    });
    host.func_async_with_state(
        "env",
        "text",
        |lines: &mut Vec<String>, (text,): (String,)| {
            Box::pin(async move {
                tokio::task::yield_now().await;
                lines.push(text);
                lines.len() as u32
            })
        },
    );
    host
}

fn program() -> Program<Vec<String>> {
    host().program(GUEST.as_bytes()).unwrap()
}

#[test]
fn the_plan_says_which_functions_wait() {
    let program = program();
    let crossings = program.plan().imports.iter().map(|import| import.crossing);
    assert!(crossings.eq([Some(Crossing::Async), Some(Crossing::Async)]));
}

#[test]
fn a_guest_waits_for_the_host() {
    runtime().block_on(async {
        let mut instance = program().instantiate_async(Vec::new()).await.unwrap();
        let wait = instance.export::<u32, u32>("wait").unwrap();
        for n in [0, 1, 0, 3] {
            assert_eq!(wait.call_async(&mut instance, n).await.unwrap(), n + 1);
        }
        let text = instance.export::<(), u32>("text").unwrap();
        assert_eq!(text.call_async(&mut instance, ()).await.unwrap(), 1);
        assert_eq!(*instance.state(), ["hello"]);
    });
}

#[test]
fn calls_move_between_threads_while_they_wait() {
    let runtime = runtime();
    let program = program();
    let calls: Vec<_> = (0..50)
        .map(|i| {
            let program = program.clone();
            runtime.spawn(async move {
                let mut instance = program.instantiate_async(Vec::new()).await?;
                let wait = instance.export::<u32, u32>("wait")?;
                let mut sum = 0;
                for n in 0..5 {
                    sum += wait.call_async(&mut instance, (n + i) % 4).await?;
                }
                Ok::<u32, hostcall::Error>(sum)
            })
        })
        .collect();
    for (i, call) in calls.into_iter().enumerate() {
        let expected: u32 = (0..5).map(|n| (n + i as u32) % 4 + 1).sum();
        assert_eq!(runtime.block_on(call).unwrap().unwrap(), expected);
    }
}

#[test]
fn a_synchronous_call_is_refused() {
    let mut instance = program().instantiate(Vec::new()).unwrap();
    let wait = instance.export::<u32, u32>("wait").unwrap();
    let error = wait.call(&mut instance, 0).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Async(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "`wait` was called synchronously, but the guest imports the async host function \
         `env.wait`: use `call_async`"
    );
    // Nothing has run.
    let runs = instance.export::<(), i32>("runs").unwrap();
    let runs = runtime().block_on(runs.call_async(&mut instance, ()));
    assert_eq!(runs.unwrap(), 0);
}

/// Counts values that exist.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Counted {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A host whose `wait(n)` waits to be notified `n` times.
fn counting(alive: &Arc<AtomicUsize>, notify: &Arc<Notify>) -> Program<Vec<String>> {
    let mut host = Host::new();
    let (alive, notify) = (alive.clone(), notify.clone());
    host.func_async("env", "wait", move |n: u32| {
        let (counted, notify) = (Counted::new(&alive), notify.clone());
        async move {
            for _ in 0..n {
                notify.notified().await;
            }
            drop(counted);
            n + 1
        }
    });
    host.optional("env", "text");
    host.program(GUEST.as_bytes()).unwrap()
}

/// Polls a future so often, then drops it.
async fn poll_times<F: Future>(times: usize, notify: &Notify, future: F) {
    let mut future = std::pin::pin!(future);
    for _ in 0..times {
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(future.as_mut().poll(context).is_ready())
        });
        assert!(!polled.await);
        notify.notify_one();
    }
}

#[test]
fn a_call_that_is_dropped_leaves_nothing_behind() {
    let (alive, notify) = (Arc::default(), Arc::new(Notify::new()));
    let program = counting(&alive, &notify);
    runtime().block_on(async {
        let mut instance = program.instantiate_async(Vec::new()).await.unwrap();
        let wait = instance.export::<u32, u32>("wait").unwrap();
        for times in 0..5 {
            poll_times(times, &notify, wait.call_async(&mut instance, 5)).await;
            assert_eq!(alive.load(Ordering::Relaxed), 0);
            // The instance can be used: the guest was stopped where it called the host.
            assert_eq!(wait.call_async(&mut instance, 0).await.unwrap(), 1);
        }
        let runs = instance.export::<(), i32>("runs").unwrap();
        // One was dropped before it began.
        assert_eq!(runs.call_async(&mut instance, ()).await.unwrap(), 9);
    });
}

#[test]
fn an_instance_can_be_dropped_with_its_call() {
    let (alive, notify) = (Arc::default(), Arc::new(Notify::new()));
    let program = counting(&alive, &notify);
    runtime().block_on(async {
        let owned = async {
            let mut instance: Instance<_> = program.instantiate_async(Vec::new()).await.unwrap();
            let wait = instance.export::<u32, u32>("wait").unwrap();
            wait.call_async(&mut instance, 5).await
        };
        poll_times(3, &notify, owned).await;
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_panic_while_a_host_function_waits_is_a_trap() {
    let mut host = Host::<()>::new();
    host.func_async("env", "wait", |n: i32| async move {
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        assert!(n > 3, "too short a wait: {n}");
        n
    });
    host.optional("env", "text");
    let program = host.program(GUEST.as_bytes()).unwrap();
    runtime().block_on(async {
        let mut instance = program.instantiate_async(()).await.unwrap();
        let wait = instance.export::<i32, i32>("wait").unwrap();
        for n in 0..4 {
            let error = wait.call_async(&mut instance, n).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Panic(_)), "{error:?}");
            assert_eq!(error.import(), Some(("env", "wait")));
        }
        assert_eq!(wait.call_async(&mut instance, 4).await.unwrap(), 4);
    });
}

#[test]
fn what_a_failure_has_kept_can_be_delivered() {
    let mut host = Host::<Vec<u32>>::new();
    host.func_async("env", "wait", std::future::pending::<()>);
    host.deferred_with_state("env", "log", |log: &mut Vec<u32>, n: u32| {
        log.push(n);
        assert!(n > 1, "this one fails");
    });
    let program = host.program(
        br#"(module
            (import "env" "wait" (func $wait))
            (import "env" "log" (func $log (param i32)))
            (func (export "log")
                (call $log (i32.const 1))
                (call $log (i32.const 2))
                (call $wait)))"#,
    );
    let program = program.unwrap();
    runtime().block_on(async {
        let mut instance = program.instantiate_async(Vec::new()).await.unwrap();
        let log = instance.export::<(), ()>("log").unwrap();
        log.call_async(&mut instance, ()).await.unwrap_err();
        assert_eq!(*instance.state(), [1]);
        // Nothing waits there, so it need not be asynchronous.
        instance.deliver_deferred().unwrap();
        assert_eq!(*instance.state(), [1, 2]);
    });
}

/// A future that is leaked unwinds nothing.
#[test]
fn a_call_that_is_forgotten_poisons_the_instance() {
    let mut host = Host::<Vec<u32>>::new();
    host.func_async("env", "wait", tokio::task::yield_now);
    host.deferred_with_state("env", "log", |log: &mut Vec<u32>, n: u32| log.push(n));
    host.func("env", "post", |guest: &mut Guest<'_, Vec<u32>>| {
        guest.post("log", [])
    });
    let program = host.program(
        br#"(module
            (import "env" "wait" (func $wait))
            (import "env" "log" (func $log (param i32)))
            (import "env" "post" (func $post))
            (func (export "wait") (call $wait))
            (func (export "log") (call $log (i32.const 1)))
            (func (export "post") (call $post) (call $log (i32.const 2)) (unreachable)))"#,
    );
    let program = program.unwrap();
    runtime().block_on(async {
        let mut instance = program.instantiate_async(Vec::new()).await.unwrap();
        let wait = instance.export::<(), ()>("wait").unwrap();
        let mut waiting = Box::pin(wait.call_async(&mut instance, ()));
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(waiting.as_mut().poll(context).is_ready())
        });
        assert!(!polled.await);
        std::mem::forget(waiting);

        assert!(instance.is_poisoned());
        let error = wait.call_async(&mut instance, ()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Poisoned(_)), "{error:?}");
        instance.clear_poison();
        assert!(!instance.is_poisoned());
        // What later calls leave is delivered and made, also of one that fails.
        let post = instance.export::<(), ()>("post").unwrap();
        let failed = instance.guest(|guest| post.call_in(guest, ()));
        assert!(failed.unwrap_err().trap().is_some());
        assert_eq!(*instance.state(), [2, 1]);
        wait.call_async(&mut instance, ()).await.unwrap();
    });
}
