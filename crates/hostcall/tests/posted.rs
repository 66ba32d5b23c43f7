//! Posted calls: made after the call in which they were posted, in order, and
//! reported to the host.

mod common;

use common::{instance, runtime, w};
use hostcall::{Error, ErrorKind, Guest, Host, Instance, LimitKind, Limits, Posted, Value};
use std::time::Duration;

type Log = Vec<String>;

/// `post(n)` posts `event(n)`, which logs, and traps if n is 13.
const GUEST: &str = r#"(module
    (import "env" "post" (func $post (param i32)))
    (import "env" "log" (func $log (param i32)))
    (func (export "event") (param i32) (result i32)
        (call $log (local.get 0))
        (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
        (i32.mul (local.get 0) (i32.const 2)))
    (func (export "chained") (param i32)
        (call $log (local.get 0))
        (if (local.get 0) (then (call $post (local.get 0)))))
    (func (export "run") (param i32 i32)
        (call $post (local.get 0))
        (call $log (i32.const 100))
        (call $post (local.get 1))
        (call $log (i32.const 101)))
    (func (export "one") (param i32) (call $post (local.get 0)))
    (func (export "trap") (param i32) (call $post (local.get 0)) unreachable)
    (func (export "flood") (param i32)
        (loop $again
            (call $post (i32.const 1))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $again (local.get 0))))
    (func (export "alive") (result i32) (i32.const 1)))"#;

fn posting(callee: &'static str) -> Host<Log> {
    let mut host = Host::<Log>::new();
    host.func("env", "post", move |guest: &mut Guest<'_, Log>, n: i32| {
        guest.post(callee, [Value::S32(n)])
    });
    host.func_with_state("env", "log", |log: &mut Log, n: i32| {
        log.push(n.to_string())
    });
    host
}

/// What became of posted calls, in words.
fn outcomes(posted: Vec<Posted>) -> Vec<String> {
    let outcomes = posted.into_iter().map(|posted| match posted.result {
        Ok(values) => format!("{} {values:?}", posted.name),
        Err(error) => format!("{} {error}", posted.name),
    });
    outcomes.collect()
}

#[track_caller]
fn is_full(error: &Error) {
    let message = error.to_string();
    assert!(message.contains("Instance::take_posted"), "{message}");
}

#[test]
fn posted_calls_come_after_the_call() {
    let mut guest = instance(&posting("event"), GUEST, Log::new());
    guest.call("run", &[w(1), w(2)]).unwrap();
    assert_eq!(*guest.state(), ["100", "101", "1", "2"]);
    assert_eq!(
        outcomes(guest.take_posted()),
        ["event [S32(2)]", "event [S32(4)]"]
    );
    assert!(guest.take_posted().is_empty());
    // Typed calls, too, and nothing is made twice.
    let one = guest.export::<i32, ()>("one").unwrap();
    one.call(&mut guest, 5).unwrap();
    assert_eq!(*guest.state(), ["100", "101", "1", "2", "5"]);
}

#[test]
fn a_trap_of_one_stops_neither_the_next_nor_the_call() {
    let mut guest = instance(&posting("event"), GUEST, Log::new());
    guest.call("run", &[w(13), w(2)]).unwrap();
    assert_eq!(*guest.state(), ["100", "101", "13", "2"]);
    let posted = guest.take_posted();
    let error = posted[0].result.as_ref().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Trap(_)), "{error}");
    assert_eq!(error.export(), Some("event"));
    assert_eq!(posted[1].result.as_ref().unwrap(), &[w(4)]);
    assert_eq!(guest.call("alive", &[]).unwrap(), [w(1)]);
}

#[test]
fn they_are_made_if_the_call_failed() {
    let mut guest = instance(&posting("event"), GUEST, Log::new());
    let error = guest.call("trap", &[w(3)]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Trap(_)), "{error}");
    assert_eq!(error.export(), Some("trap"));
    assert_eq!(outcomes(guest.take_posted()), ["event [S32(6)]"]);
}

/// Not after calls from within host functions, which are part of another.
#[test]
fn they_wait_for_the_outermost_call() {
    let mut host = posting("event");
    host.func("env", "nested", |guest: &mut Guest<'_, Log>| {
        let one = guest.export::<i32, ()>("one")?;
        one.call_in(guest, 1)?;
        guest.state_mut().push("nested is over".to_owned());
        Ok::<(), Error>(())
    });
    host.reentrant("env", "nested", 1);
    let guest = GUEST.replace(
        "(func (export \"event\")",
        "(import \"env\" \"nested\" (func $nested))
         (func (export \"nesting\") (call $nested) (call $log (i32.const 100)))
         (func (export \"event\")",
    );
    let mut guest = instance(&host, &guest, Log::new());
    guest.call("nesting", &[]).unwrap();
    assert_eq!(*guest.state(), ["nested is over", "100", "1"]);
}

#[test]
fn posted_calls_post() {
    let mut host = Host::<Log>::new();
    host.func("env", "post", |guest: &mut Guest<'_, Log>, n: i32| {
        guest.post("chained", [Value::S32(n - 1)])
    });
    host.func_with_state("env", "log", |log: &mut Log, n: i32| {
        log.push(n.to_string())
    });
    let mut guest = instance(&host, GUEST, Log::new());
    guest.call("run", &[w(3), w(2)]).unwrap();
    assert_eq!(*guest.state(), ["100", "101", "2", "1", "1", "0", "0"]);
    assert_eq!(guest.take_posted().len(), 5);
}

/// A guest that posts itself for ever is stopped by the bound.
#[test]
fn endless_posting_ends() {
    for limit in [None, Some(10)] {
        let mut host = posting("chained");
        if let Some(limit) = limit {
            host.limits(Limits::NONE.posted(limit));
        }
        let most = limit.unwrap_or(1024);
        let mut guest = instance(&host, GUEST, Log::new());
        guest.call("one", &[w(1)]).unwrap();
        assert_eq!(guest.state().len(), most);
        // Nobody has read what came of them.
        let error = guest.call("one", &[w(1)]).unwrap_err();
        is_full(&error);
        let posted = guest.take_posted();
        assert_eq!(posted.len(), most);
        let (last, others) = posted.split_last().unwrap();
        is_full(last.result.as_ref().unwrap_err());
        assert!(others.iter().all(|posted| posted.result.is_ok()));
        guest.call("one", &[w(0)]).unwrap();
        assert_eq!(guest.take_posted().len(), 1);
    }
}

#[test]
fn floods_are_refused() {
    let mut guest = instance(&posting("event"), GUEST, Log::new());
    let error = guest.call("flood", &[w(1_000_000)]).unwrap_err();
    is_full(&error);
    let limit = error.downcast_ref::<Error>().and_then(Error::limit);
    let limit = limit.or(error.limit()).unwrap();
    assert_eq!((limit.limit, limit.allowed), (LimitKind::Posted, 1024));
    assert_eq!(guest.state().len(), 1024);
    assert_eq!(guest.take_posted().len(), 1024);
    guest.call("flood", &[w(1024)]).unwrap();
}

/// What cannot be called is refused when it is posted.
#[test]
fn what_does_not_fit_is_refused_at_once() {
    let cases: [(&str, Vec<Value>, &str); 7] = [
        ("none", vec![], "the guest has no export `none`"),
        ("memory", vec![], "export `memory` is not a function"),
        ("event", vec![], "export `event` has type (i32) -> i32"),
        (
            "event",
            vec![1.5.into()],
            "export `event` has type (i32) -> i32",
        ),
        (
            "event",
            vec!["text".into()],
            "export `event` has type (i32) -> i32",
        ),
        (
            "event",
            vec![w(1), w(2)],
            "export `event` has type (i32) -> i32",
        ),
        ("event", vec![Value::Enum(1)], "does not tell its type"),
    ];
    for (name, args, expected) in cases {
        let mut host = Host::<Log>::new();
        host.func("env", "post", move |guest: &mut Guest<'_, Log>, _: i32| {
            guest.post(name, args.clone())
        });
        host.func("env", "log", |_: i32| {});
        let guest = GUEST.replace(
            "(func (export \"event\")",
            "(memory (export \"memory\") 1) (func (export \"event\")",
        );
        let mut guest = instance(&host, &guest, Log::new());
        let error = guest.call("one", &[w(1)]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(guest.take_posted().is_empty());
    }
}

/// Any values that fit the export: the guest allocates for them when it is called.
#[test]
fn strings_lists_and_references() {
    let mut host = Host::<Log>::new();
    host.func("env", "post", |guest: &mut Guest<'_, Log>| {
        let record = Value::Record(vec![Value::U8(7), Value::Bool(true)]);
        let list = Value::List(vec![Value::U16(1), Value::U16(2)]);
        guest.post("take", ["hello".into(), list, record, Value::Option(None)])
    });
    host.func_with_state(
        "env",
        "seen",
        |log: &mut Log, text: &str, list: &[u16], n: u32, flag: u32, null: u32| {
            log.push(format!("{text} {list:?} {n} {flag} {null}"));
        },
    );
    let guest = format!(
        r#"(module
            (import "env" "post" (func $post))
            (import "env" "seen" (func $seen (param i32 i32 i32 i32 i32 i32 i32)))
            (memory (export "memory") 1) {}
            (func (export "take") (param i32 i32 i32 i32 i32 i32 externref)
                (call $seen (local.get 0) (local.get 1) (local.get 2) (local.get 3)
                    (local.get 4) (local.get 5) (ref.is_null (local.get 6))))
            (func (export "run") (call $post)))"#,
        common::BUMP
    );
    let mut guest = instance(&host, &guest, Log::new());
    guest.call("run", &[]).unwrap();
    assert_eq!(*guest.state(), ["hello [1, 2] 7 1 1"]);
    assert_eq!(outcomes(guest.take_posted()), ["take []"]);
}

#[test]
fn functions_of_other_instances_are_refused() {
    let guest = r#"(module
        (import "env" "post" (func $post (param funcref)))
        (func $f (export "f"))
        (func (export "give") (result funcref) (ref.func $f))
        (func (export "take") (param funcref))
        (func (export "run") (param funcref) (call $post (local.get 0))))"#;
    let mut host = Host::<Log>::new();
    let signature = "func(f: option<funcref>)".parse().unwrap();
    host.func_dynamic("env", "post", signature, |guest, _, _| {
        let func = guest.state_mut().pop().map(|_| ()).is_some();
        assert!(!func);
        Ok::<(), Error>(())
    });
    let mut one = instance(&host, guest, Log::new());
    let mut two = instance(&host, guest, Log::new());
    let give = one.call("give", &[]).unwrap().remove(0);
    let Value::Option(Some(func)) = give else {
        panic!()
    };
    let error = two
        .guest(|guest| guest.post("take", [*func.clone()]))
        .unwrap_err();
    assert!(error.to_string().contains("another instance"), "{error}");
    one.guest(|guest| guest.post("take", [*func])).unwrap();
    assert_eq!(outcomes(one.take_posted()), ["take []"]);
}

#[test]
fn posted_from_start_functions() {
    let start = |items: &str| {
        format!(
            r#"(module
            (import "env" "post" (func $post (param i32)))
            (import "env" "log" (func $log (param i32)))
            (func (export "event") (param i32) (call $log (local.get 0)) {items})
            (func $start (call $post (i32.const 5)) (call $log (i32.const 1)))
            (start $start))"#
        )
    };
    for deferred in [false, true] {
        let mut host = posting("event");
        if deferred {
            host = Host::new();
            host.func("env", "post", |guest: &mut Guest<'_, Log>, n: i32| {
                guest.post("event", [Value::S32(n)])
            });
            host.deferred_with_state("env", "log", |log: &mut Log, n: i32| {
                log.push(n.to_string())
            });
        }
        let mut guest = instance(&host, &start(""), Log::new());
        assert_eq!(*guest.state(), ["1", "5"]);
        assert_eq!(outcomes(guest.take_posted()), ["event []"]);
        let mut guest = instance(&host, &start("unreachable"), Log::new());
        assert!(guest.take_posted()[0].result.is_err());
        runtime().block_on(async {
            let program = host.program(start("").as_bytes()).unwrap();
            let mut guest = program.instantiate_async(Log::new()).await.unwrap();
            assert_eq!(*guest.state(), ["1", "5"]);
            assert_eq!(outcomes(guest.take_posted()), ["event []"]);
        });
    }
}

/// A map or a fold is one call.
#[test]
fn posted_in_mapped_exports() {
    let mut host = posting("event");
    host.map_export("one");
    let mut guest = instance(&host, GUEST, Log::new());
    guest
        .map::<i32, ()>("one", &[1, 2, 3], &mut [(); 3])
        .unwrap();
    assert_eq!(
        outcomes(guest.take_posted()),
        ["event [S32(2)]", "event [S32(4)]", "event [S32(6)]"]
    );
    let count = guest.map_iter::<i32, (), _>("one", [1, 2]).unwrap().count();
    assert_eq!((count, guest.take_posted().len()), (2, 2));
}

/// Deferred calls are delivered before, and may post.
#[test]
fn posted_from_deferred_functions() {
    let mut host = Host::<Log>::new();
    host.deferred("env", "post", |guest: &mut Guest<'_, Log>, n: i32| {
        guest.state_mut().push(format!("posts {n}"));
        guest.post("event", [Value::S32(n)])
    });
    host.deferred_with_state("env", "log", |log: &mut Log, n: i32| {
        log.push(n.to_string())
    });
    let mut guest = instance(&host, GUEST, Log::new());
    guest.call("run", &[w(1), w(2)]).unwrap();
    assert_eq!(
        *guest.state(),
        ["posts 1", "100", "posts 2", "101", "1", "2"]
    );
    assert_eq!(guest.take_posted().len(), 2);
    assert_eq!(guest.undelivered(), []);
}

/// By a handle of the embedder they are made when it is given back.
#[test]
fn posted_by_the_embedder() {
    let mut guest = instance(&posting("event"), GUEST, Log::new());
    guest.guest(|guest| {
        guest.post("event", [Value::S32(1)]).unwrap();
        let one = guest.export::<i32, ()>("one").unwrap();
        one.call_in(guest, 2).unwrap();
        assert!(guest.state().is_empty());
    });
    assert_eq!(*guest.state(), ["1", "2"]);
    assert_eq!(guest.take_posted().len(), 2);
}

const WAITING: &str = r#"(module
    (import "env" "wait" (func $wait (param i32)))
    (import "env" "post" (func $post (param i32)))
    (func (export "event") (param i32) (call $wait (local.get 0)))
    (func (export "run") (param i32 i32)
        (call $post (local.get 0)) (call $post (local.get 1)))
    (func (export "wait") (param i32 i32)
        (call $post (local.get 0)) (call $wait (local.get 1)))
    (func (export "nothing")))"#;

/// `wait(n)` waits n milliseconds.
async fn waiting() -> Instance<Log> {
    let mut host = Host::<Log>::new();
    host.func_async_with_state("env", "wait", |log: &mut Log, (n,): (u64,)| {
        Box::pin(async move {
            log.push(format!("waits {n}"));
            tokio::time::sleep(Duration::from_millis(n)).await;
            log.push(format!("waited {n}"));
        })
    });
    host.func("env", "post", |guest: &mut Guest<'_, Log>, n: u64| {
        guest.post("event", [Value::U64(n)])
    });
    let guest = WAITING.replace("i32", "i64");
    let program = host.program(guest.as_bytes()).unwrap();
    program.instantiate_async(Log::new()).await.unwrap()
}

/// They run on the fiber of the call.
#[test]
fn posted_calls_may_wait() {
    runtime().block_on(async {
        let mut guest = waiting().await;
        let run = guest.export::<(u64, u64), ()>("run").unwrap();
        run.call_async(&mut guest, (3, 1)).await.unwrap();
        assert_eq!(
            *guest.state(),
            ["waits 3", "waited 3", "waits 1", "waited 1"]
        );
        assert_eq!(outcomes(guest.take_posted()), ["event []", "event []"]);
    });
}

/// What was posted by a call that was dropped is made after the next.
#[test]
fn posted_in_a_call_that_is_dropped() {
    const LONG: u64 = 1_000_000;
    runtime().block_on(async {
        let mut guest = waiting().await;
        let wait = guest.export::<(u64, u64), ()>("wait").unwrap();
        let nothing = guest.export::<(), ()>("nothing").unwrap();
        let call = wait.call_async(&mut guest, (1, LONG));
        tokio::time::timeout(Duration::from_millis(20), call)
            .await
            .unwrap_err();
        assert!(guest.take_posted().is_empty());
        nothing.call_async(&mut guest, ()).await.unwrap();
        let seen = ["waits 1000000", "waits 1", "waited 1"];
        assert_eq!(*guest.state(), seen);
        assert_eq!(outcomes(guest.take_posted()), ["event []"]);

        // The one that was being made is over, those behind it are not.
        guest.state_mut().clear();
        let run = guest.export::<(u64, u64), ()>("run").unwrap();
        let call = run.call_async(&mut guest, (LONG, 2));
        tokio::time::timeout(Duration::from_millis(20), call)
            .await
            .unwrap_err();
        assert_eq!(*guest.state(), ["waits 1000000"]);
        nothing.call_async(&mut guest, ()).await.unwrap();
        assert_eq!(*guest.state(), ["waits 1000000", "waits 2", "waited 2"]);
        let posted = guest.take_posted();
        assert_eq!(posted.len(), 2);
        assert!(posted[0].result.is_err() && posted[1].result.is_ok());
    });
}

/// The number of handles that are alive.
#[test]
fn nothing_is_left_of_instances_that_are_dropped() {
    use std::sync::Arc;
    let counter = Arc::new(());
    let mut host = Host::<Arc<()>>::new();
    host.func("env", "post", |guest: &mut Guest<'_, Arc<()>>, n: i32| {
        guest.post("event", [Value::S32(n)])
    });
    host.func("env", "log", |_: i32| {});
    let mut guest = instance(&host, GUEST, counter.clone());
    guest.call("run", &[w(1), w(2)]).unwrap();
    drop(guest);
    assert_eq!(Arc::strong_count(&counter), 1);
}

/// Posted calls have what is left of the call that they come after.
#[test]
fn posted_calls_share_the_limits_of_the_call() {
    let endless = GUEST.replace("(call $log (local.get 0))", "(loop (br 0))");
    let mut host = posting("event");
    host.limits(Limits::NONE.fuel(10_000));
    let mut guest = instance(&host, &endless, Log::new());
    let error = guest.call("run", &[w(1), w(2)]).unwrap_err();
    assert_eq!(
        error.limit().map(|limit| limit.limit),
        Some(LimitKind::Fuel)
    );
    assert!(guest.is_poisoned());
    // None is made in a poisoned instance.
    let posted = guest.take_posted();
    assert_eq!(posted.len(), 2);
    assert!(posted.iter().all(|posted| posted.result.is_err()));

    // After start functions, too.
    let start = endless.replace(
        "(func (export \"run\")",
        "(start $start) (func $start (call $post (i32.const 1))) (func (export \"run\")",
    );
    for limits in [
        Limits::NONE.fuel(10_000),
        Limits::NONE.timeout(Duration::from_millis(50)),
    ] {
        host.limits(limits);
        let program = host.program(start.as_bytes()).unwrap();
        let error = program.instantiate(Log::new()).unwrap_err();
        assert!(error.limit().is_some(), "{error}");
        let error = runtime()
            .block_on(program.instantiate_async(Log::new()))
            .unwrap_err();
        assert!(error.limit().is_some(), "{error}");
    }
}
