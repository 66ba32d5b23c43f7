//! Instances that several hold: what would wait for itself is refused, and what
//! waits for others waits.

mod common;

use common::runtime;
use hostcall::{Error, ErrorKind, Host, Instance, Program, Shared};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Barrier, OnceLock};
use std::time::Duration;

/// The state of instances that ask each other.
#[derive(Default)]
struct App {
    other: Option<Shared<App>>,
    asked: u32,
}

const GUEST: &str = r#"(module
    (import "env" "ask" (func $ask))
    (func (export "run") (call $ask))
    (func (export "rest")))"#;

fn ask(app: &mut App) -> Result<(), Error> {
    app.asked += 1;
    let Some(other) = &app.other else {
        return Ok(());
    };
    run(&mut *other.lock()?, "run")
}

fn run<T>(instance: &mut Instance<T>, name: &str) -> Result<(), Error> {
    instance.export::<(), ()>(name)?.call(instance, ())
}

fn program() -> Program<App> {
    let mut host = Host::<App>::new();
    host.func_with_state("env", "ask", ask);
    host.program(GUEST.as_bytes()).unwrap()
}

fn app(name: &str) -> Shared<App> {
    let instance = program().instantiate(App::default()).unwrap();
    instance.into_shared_as(name)
}

fn asks(from: &Shared<App>, other: &Shared<App>) {
    from.lock().unwrap().state_mut().other = Some(other.clone());
}

/// Handles that instances have of each other are no leak of these tests.
struct Forget<'s>(&'s [&'s Shared<App>]);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        for shared in self.0 {
            shared.lock().unwrap().state_mut().other = None;
        }
    }
}

#[track_caller]
fn chain(error: &Error) -> String {
    assert!(matches!(error.kind(), ErrorKind::Reentrancy(_)), "{error}");
    error.reentrancy().unwrap().chain().join(" -> ")
}

/// Runs `test` where it cannot hang the others.
fn within(time: Duration, test: impl FnOnce() + Send + 'static) {
    let (done, wait) = std::sync::mpsc::channel();
    let test = std::thread::spawn(move || {
        test();
        done.send(()).unwrap();
    });
    match wait.recv_timeout(time) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it hangs"),
        _ => test.join().unwrap(),
    }
}

const SOON: Duration = Duration::from_secs(60);

#[test]
fn one_after_the_other() {
    let (a, b) = (app("a"), app("b"));
    asks(&a, &b);
    for n in 1..4 {
        run(&mut a.lock().unwrap(), "run").unwrap();
        assert_eq!(b.lock().unwrap().state().asked, n);
    }
}

#[test]
fn an_instance_that_asks_itself() {
    let a = app("a");
    asks(&a, &a);
    let _forget = Forget(&[&a]);
    let error = run(&mut a.lock().unwrap(), "run").unwrap_err();
    assert_eq!(chain(&error), "a.run -> env.ask -> a");
    assert!(
        error
            .to_string()
            .contains("this chain of calls holds `a` already"),
        "{error}"
    );
    // It is as good as before.
    run(&mut a.lock().unwrap(), "rest").unwrap();
}

#[test]
fn two_instances_that_ask_each_other() {
    let (a, b) = (app("a"), app("b"));
    asks(&a, &b);
    asks(&b, &a);
    let _forget = Forget(&[&a, &b]);
    for _ in 0..3 {
        let error = run(&mut a.lock().unwrap(), "run").unwrap_err();
        assert_eq!(chain(&error), "a.run -> env.ask -> b.run -> env.ask -> a");
        let error = run(&mut b.lock().unwrap(), "run").unwrap_err();
        assert_eq!(chain(&error), "b.run -> env.ask -> a.run -> env.ask -> b");
    }
    assert!(a.try_lock().is_some() && b.try_lock().is_some());
}

#[test]
fn a_guard_that_is_held_already() {
    let (a, b) = (app("a"), app("b"));
    let held = a.lock().unwrap();
    assert_eq!(chain(&a.lock().unwrap_err()), "a -> a");
    assert!(a.try_lock().is_none());
    drop(b.lock().unwrap());
    drop(held);
    drop(a.lock().unwrap());
}

#[test]
fn a_ring_of_instances() {
    let ring: Vec<_> = (0..20).map(|i| app(&format!("app{i}"))).collect();
    for (i, from) in ring.iter().enumerate() {
        asks(from, &ring[(i + 1) % ring.len()]);
    }
    let error = run(&mut ring[3].lock().unwrap(), "run").unwrap_err();
    let chain = chain(&error);
    assert!(
        chain.starts_with("app3.run -> env.ask -> app4.run"),
        "{chain}"
    );
    assert!(chain.ends_with("app2.run -> env.ask -> app3"), "{chain}");
    ring.iter()
        .for_each(|shared| shared.lock().unwrap().state_mut().other = None);
}

/// One that nobody in the chain waits for is waited for.
#[test]
fn who_holds_it_for_a_while_is_waited_for() {
    within(SOON, || {
        let a = app("a");
        let held = Arc::new(Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = a.lock().unwrap();
                held.wait();
                std::thread::sleep(Duration::from_millis(50));
                guard.state_mut().asked = 7;
            });
            held.wait();
            assert!(a.try_lock().is_none());
            assert_eq!(a.lock().unwrap().state().asked, 7);
        });
    });
}

#[test]
fn many_threads_take_turns() {
    within(SOON, || {
        let a = app("a");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        run(&mut a.lock().unwrap(), "run").unwrap();
                    }
                });
            }
        });
        assert_eq!(a.lock().unwrap().state().asked, 4000);
    });
}

/// Two threads, each with what the other wants: one is refused.
#[test]
fn threads_that_wait_for_each_other() {
    within(SOON, || {
        for _ in 0..50 {
            let (a, b) = (app("a"), app("b"));
            let both = Barrier::new(2);
            let cross = |first: &Shared<App>, second: &Shared<App>| {
                let _first = first.lock().unwrap();
                both.wait();
                second.lock().map(drop)
            };
            let (one, two) = std::thread::scope(|scope| {
                let one = scope.spawn(|| cross(&a, &b));
                let two = scope.spawn(|| cross(&b, &a));
                (one.join().unwrap(), two.join().unwrap())
            });
            match (one, two) {
                (Err(error), Ok(())) => assert_eq!(chain(&error), "a -> b -> a"),
                (Ok(()), Err(error)) => {
                    assert_eq!(chain(&error), "b -> a -> b");
                    let message = error.to_string();
                    assert!(
                        message.contains("what holds `a` waits for this"),
                        "{message}"
                    );
                }
                both => panic!("{both:?}"),
            }
        }
    });
}

/// The same in calls of guests, with many more: all end, one way or the other.
#[test]
fn threads_whose_guests_ask_each_other() {
    within(SOON, || {
        let ring: Vec<_> = (0..4).map(|i| app(&format!("app{i}"))).collect();
        for (i, from) in ring.iter().enumerate() {
            asks(from, &ring[(i + 1) % ring.len()]);
        }
        std::thread::scope(|scope| {
            for shared in &ring {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let error = run(&mut shared.lock().unwrap(), "run").unwrap_err();
                        let chain = chain(&error);
                        assert!(
                            chain.starts_with("app") && chain.contains("env.ask"),
                            "{chain}"
                        );
                    }
                });
            }
        });
        ring.iter()
            .for_each(|shared| shared.lock().unwrap().state_mut().other = None);
    });
}

async fn ask_async(app: &mut App, wait: u64) -> Result<(), Error> {
    app.asked += 1;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let Some(other) = &app.other else {
        return Ok(());
    };
    let mut other = other.lock_async().await?;
    run_async(&mut other, "run").await
}

async fn run_async(instance: &mut Instance<App>, name: &str) -> Result<(), Error> {
    let run = instance.export::<(), ()>(name)?;
    run.call_async(instance, ()).await
}

async fn async_app(name: &str, wait: u64) -> Shared<App> {
    let mut host = Host::<App>::new();
    host.func_async_with_state("env", "ask", move |app: &mut App, (): ()| {
        Box::pin(ask_async(app, wait))
    });
    let program = host.program(GUEST.as_bytes()).unwrap();
    let instance = program.instantiate_async(App::default()).await.unwrap();
    instance.into_shared_as(name)
}

#[test]
fn async_calls_that_come_back() {
    within(SOON, || {
        runtime().block_on(async {
            let (a, b) = (async_app("a", 1).await, async_app("b", 1).await);
            asks(&a, &b);
            asks(&b, &a);
            let _forget = Forget(&[&a, &b]);
            for _ in 0..3 {
                let error = run_async(&mut a.lock_async().await.unwrap(), "run").await;
                assert_eq!(
                    chain(&error.unwrap_err()),
                    "a.run -> env.ask -> b.run -> env.ask -> a"
                );
            }
        });
    });
}

/// Tasks whose calls want what the others have: one is refused, the others go on.
#[test]
fn async_calls_that_wait_for_each_other() {
    within(SOON, || {
        runtime().block_on(async {
            let (a, b) = (async_app("a", 30).await, async_app("b", 30).await);
            asks(&a, &b);
            asks(&b, &a);
            let task = |shared: Shared<App>| {
                tokio::spawn(async move {
                    let mut instance = shared.lock_async().await?;
                    run_async(&mut instance, "run").await
                })
            };
            let (one, two) = (task(a.clone()), task(b.clone()));
            let results = [one.await.unwrap(), two.await.unwrap()];
            for error in results.into_iter().map(Result::unwrap_err) {
                let chain = chain(&error);
                assert!(
                    chain.starts_with("a.run -> env.ask") || chain.starts_with("b.run -> env.ask")
                );
            }
            drop(Forget(&[&a, &b]));
        });
    });
}

/// The same task, or others: who does not come back to itself just waits.
#[test]
fn async_calls_take_turns() {
    within(SOON, || {
        runtime().block_on(async {
            let a = async_app("a", 1).await;
            let tasks = (0..50).map(|_| {
                let a = a.clone();
                tokio::spawn(
                    async move { run_async(&mut a.lock_async().await.unwrap(), "run").await },
                )
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap().unwrap();
            }
            let call = async || run_async(&mut a.lock_async().await.unwrap(), "run").await;
            let (one, two) = join(call(), call()).await;
            one.and(two).unwrap();
            assert_eq!(a.lock_async().await.unwrap().state().asked, 52);
        });
    });
}

/// Who gives up waiting, or is dropped with the instance in its hands before it
/// knows, holds up nobody.
#[test]
fn waiting_that_is_dropped() {
    within(SOON, || {
        runtime().block_on(async {
            let a = app("a");
            let held = a.lock_async().await.unwrap();
            let mut first = Box::pin(a.lock_async());
            let mut second = Box::pin(a.lock_async());
            let mut third = Box::pin(a.lock_async());
            for waiting in [&mut first, &mut second, &mut third] {
                assert!(poll_once(waiting).await.is_none());
            }
            drop(first);
            drop(held); // It is the second's now.
            drop(second);
            drop(third.await.unwrap());
            assert!(a.try_lock().is_some());
        });
    });
}

/// Polls both in one task.
async fn join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|context| {
        if first.is_none()
            && let std::task::Poll::Ready(output) = a.as_mut().poll(context)
        {
            first = Some(output);
        }
        if second.is_none()
            && let std::task::Poll::Ready(output) = b.as_mut().poll(context)
        {
            second = Some(output);
        }
        match first.is_some() && second.is_some() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    (first.expect("it is done"), second.expect("it is done"))
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// A chain that waits for two at once, one of which becomes its own while the
/// other waits for that.
#[test]
fn chains_that_wait_for_several_at_once() {
    within(SOON, || {
        runtime().block_on(async {
            let (a, b) = (app("a"), app("b"));
            let (a, b) = (&a, &b);
            let hold_a = a.lock_async().await.unwrap();
            // The other chain has b, and waits for a behind this one.
            let one = hostcall::one_chain(async {
                let (first, second) = join(a.lock_async(), async {
                    tokio::time::sleep(Duration::from_millis(40)).await;
                    b.lock_async().await.map(drop)
                })
                .await;
                (first.map(drop), second)
            });
            let two = hostcall::one_chain(async {
                let _b = b.lock_async().await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                a.lock_async().await.map(drop)
            });
            let release = async {
                tokio::time::sleep(Duration::from_millis(80)).await;
                drop(hold_a);
            };
            let ((first, second), (third, ())) = join(one, join(two, release)).await;
            first.unwrap();
            chain(&second.unwrap_err());
            third.unwrap();
        });
    });
}

#[test]
fn tasks_that_take_several_in_one_chain() {
    within(SOON, || {
        runtime().block_on(async {
            let (a, b) = (app("a"), app("b"));
            let cross = |first: Shared<App>, second: Shared<App>| {
                tokio::spawn(hostcall::one_chain(async move {
                    let _first = first.lock_async().await?;
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    second.lock_async().await.map(drop)
                }))
            };
            let (one, two) = (cross(a.clone(), b.clone()), cross(b, a));
            let results = [one.await.unwrap(), two.await.unwrap()];
            assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
        });
    });
}

/// A synchronous host function in an async call belongs to its chain.
#[test]
fn synchronous_functions_in_async_calls() {
    within(SOON, || {
        runtime().block_on(async {
            let a = {
                let instance = program().instantiate_async(App::default()).await.unwrap();
                instance.into_shared_as("a")
            };
            asks(&a, &a);
            let error = run_async(&mut a.lock_async().await.unwrap(), "run").await;
            assert_eq!(chain(&error.unwrap_err()), "a.run -> env.ask -> a");
            a.lock_async().await.unwrap().state_mut().other = None;
        });
    });
}

/// A call that is dropped while it waits for an instance gives all it has back.
#[test]
fn calls_that_are_dropped_while_they_wait() {
    within(SOON, || {
        runtime().block_on(async {
            let (a, b) = (async_app("a", 0).await, async_app("b", 0).await);
            asks(&a, &b);
            let held = b.lock_async().await.unwrap();
            let call = async { run_async(&mut a.lock_async().await.unwrap(), "run").await };
            let waited = tokio::time::timeout(Duration::from_millis(20), call).await;
            waited.unwrap_err();
            drop(held);
            run_async(&mut a.lock_async().await.unwrap(), "run")
                .await
                .unwrap();
            assert_eq!(b.try_lock().unwrap().state().asked, 1);
        });
    });
}

/// A panic with a guard in hand gives it back.
#[test]
fn panics_give_the_instance_back() {
    static PANICS: AtomicU32 = AtomicU32::new(1);
    let mut host = Host::<App>::new();
    host.func_with_state("env", "ask", |app: &mut App| {
        let other = app.other.as_ref().unwrap();
        let _other = other.lock().unwrap();
        assert_ne!(PANICS.swap(0, Relaxed), 1, "oh no");
    });
    let a = host
        .program(GUEST.as_bytes())
        .unwrap()
        .instantiate(App::default())
        .unwrap();
    let (a, b) = (a.into_shared(), app("b"));
    asks(&a, &b);
    let error = run(&mut a.lock().unwrap(), "run").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Panic(_)), "{error}");
    run(&mut a.lock().unwrap(), "run").unwrap();
}

#[test]
fn instances_have_numbers_if_they_have_no_names() {
    let a = program().instantiate(App::default()).unwrap().into_shared();
    let held = a.lock().unwrap();
    let error = a.lock().unwrap_err();
    assert!(chain(&error).starts_with("instance "), "{error}");
    drop(held);
    fn sent<T: Send>(_: &T) {}
    sent(&a);
}

/// A blocking host function is part of the call, on whatever thread it runs.
#[test]
fn blocking_functions_belong_to_the_chain() {
    within(SOON, || {
        static SHARED: OnceLock<Shared<()>> = OnceLock::new();
        let mut host = Host::<()>::new();
        host.func_blocking("env", "ask", || -> Result<(), Error> {
            run(&mut *SHARED.get().unwrap().lock()?, "rest")
        });
        let instance = host
            .program(GUEST.as_bytes())
            .unwrap()
            .instantiate(())
            .unwrap();
        let a = SHARED.get_or_init(|| instance.into_shared_as("a"));
        let error = run(&mut a.lock().unwrap(), "run").unwrap_err();
        assert_eq!(chain(&error), "a.run -> env.ask -> a");
        runtime().block_on(async {
            let mut instance = a.lock_async().await.unwrap();
            let call = instance.export::<(), ()>("run").unwrap();
            let error = call.call_async(&mut instance, ()).await.unwrap_err();
            assert_eq!(chain(&error), "a.run -> env.ask -> a");
        });
    });
}

/// Waiting takes no wake-up from an executor further up the stack, which parks.
#[test]
fn waiting_leaves_the_token_of_the_thread_alone() {
    within(SOON, || {
        let a = app("a");
        let held = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _guard = a.lock().unwrap();
                held.wait();
                std::thread::sleep(Duration::from_millis(30));
            });
            held.wait();
            std::thread::current().unpark();
            drop(a.lock().unwrap());
            std::thread::park();
        });
    });
}

/// A call of an instance that is not shared is a chain, too.
#[test]
fn host_functions_that_take_several() {
    within(SOON, || {
        runtime().block_on(async {
            let (a, b) = (app("a"), app("b"));
            let crossing = |first: &Shared<App>, second: &Shared<App>| {
                let (first, second) = (first.clone(), second.clone());
                let mut host = Host::<()>::new();
                host.func_async("env", "ask", move || {
                    let (first, second) = (first.clone(), second.clone());
                    async move {
                        let _first = first.lock_async().await?;
                        tokio::time::sleep(Duration::from_millis(30)).await;
                        second.lock_async().await.map(drop)
                    }
                });
                let program = host.program(GUEST.as_bytes()).unwrap();
                tokio::spawn(async move {
                    let mut instance = program.instantiate_async(()).await?;
                    let run = instance.export::<(), ()>("run")?;
                    run.call_async(&mut instance, ()).await
                })
            };
            let (one, two) = (crossing(&a, &b), crossing(&b, &a));
            let results = [one.await.unwrap(), two.await.unwrap()];
            let errors = results.iter().filter_map(|result| result.as_ref().err());
            let chains: Vec<_> = errors.map(chain).collect();
            assert_eq!(chains.len(), 1);
            let expected = [
                "run -> env.ask -> a -> b -> a",
                "run -> env.ask -> b -> a -> b",
            ];
            assert!(expected.contains(&&*chains[0]), "{chains:?}");
        });
    });
}
