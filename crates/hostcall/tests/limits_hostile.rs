//! Guests that take all they can get: which limit stops them, and whether their
//! instance can be used afterwards. Everything is tried through `call`, and
//! through `call_async`.

mod common;

use common::runtime;
use hostcall::{Error, ErrorKind, Guest, Host, Instance, LimitKind, Limits, Program, Value};
use std::future::pending;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

const GUEST: &str = r#"(module
    (import "env" "ping" (func $ping))
    (import "env" "text" (func $text (param i32 i32)))
    (import "env" "name" (func $name (param i32)))
    (import "env" "sleep" (func $sleep (param i32)))
    (import "env" "costly" (func $costly (param i64)))
    (import "env" "dear" (func $dear))
    (import "env" "swallow" (func $swallow))
    (memory (export "memory") 2)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "nothing"))
    (func $spin (export "spin") (loop (br 0)))
    (func $deep (export "deep") (param i32) (result i32)
        (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func (export "flood") (loop (call $ping) (br 0)))
    (func (export "shout") (loop (call $text (i32.const 0) (i32.const 65536)) (br 0)))
    (func (export "listen") (loop (call $name (i32.const 8)) (br 0)))
    (func (export "doze") (loop (call $sleep (i32.const 3)) (br 0)))
    (func (export "sleep") (call $sleep (i32.const 300)))
    (func (export "pay") (call $costly (i64.const 1000000)))
    (func (export "pay_all") (call $costly (i64.const -1)))
    (func (export "pay_dearly") (loop (call $dear) (br 0)))
    (func (export "nested") (call $swallow)))"#;

fn host(limits: Limits) -> Host<()> {
    let mut host = Host::<()>::new();
    host.limits(limits);
    host.func("env", "ping", || {});
    host.func("env", "text", |_text: &[u8]| {});
    host.func("env", "name", || "x".repeat(40_000));
    host.func("env", "sleep", |ms: u32| {
        sleep(Duration::from_millis(ms.into()));
    });
    host.func(
        "env",
        "costly",
        |guest: &mut Guest<'_, ()>, fuel: u64| -> Result<(), Error> { guest.charge(fuel) },
    );
    host.func("env", "dear", || {});
    host.fuel_cost("env", "dear", 10_000);
    host.reentrant("env", "swallow", 1);
    host.func("env", "swallow", |guest: &mut Guest<'_, ()>| {
        let spin = guest.export::<(), ()>("spin").unwrap();
        spin.call_in(guest, ()).unwrap_err();
        // Nothing more can be done.
        let nothing = guest.export::<(), ()>("nothing").unwrap();
        assert!(nothing.call_in(guest, ()).unwrap_err().limit().is_some());
        assert!(guest.alloc(8, 8).unwrap_err().limit().is_some());
    });
    host
}

/// How the host calls the guest.
#[derive(Clone, Copy, Debug)]
enum Way {
    Sync,
    Async,
}

const WAYS: [Way; 2] = [Way::Sync, Way::Async];

fn call<T: Send>(way: Way, instance: &mut Instance<T>, name: &str) -> Result<(), Error> {
    let export = instance.export_dynamic(name).unwrap();
    let signature = export.signature();
    let args: Vec<_> = signature
        .params()
        .iter()
        .map(|(_, ty)| Value::zero(ty))
        .collect();
    let mut results: Vec<_> = signature.results().iter().map(Value::zero).collect();
    match way {
        Way::Sync => export.call(instance, &args, &mut results),
        Way::Async => runtime().block_on(export.call_async(instance, &args, &mut results)),
    }
}

/// A call of `export` reaches the limit, and leaves the instance poisoned or not.
#[track_caller]
fn check(program: &Program<()>, way: Way, export: &str, kind: LimitKind, poisoned: bool) -> Error {
    let mut instance = program.instantiate(()).unwrap();
    let mut last = None;
    for _ in 0..2 {
        let began = Instant::now();
        let error = call(way, &mut instance, export).unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(60));
        assert!(matches!(error.kind(), ErrorKind::Limit(_)), "{error:?}");
        let limit = error.limit().unwrap();
        assert_eq!(limit.limit, kind, "{way:?} {export}: {error}");
        assert!(limit.used >= limit.allowed, "{error}");
        assert_eq!(
            instance.is_poisoned(),
            poisoned,
            "{way:?} {export}: {error}"
        );
        if poisoned {
            let error = call(way, &mut instance, "nothing").unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Poisoned(_)), "{error:?}");
            assert!(error.to_string().contains("clear_poison"), "{error}");
            instance.clear_poison();
        }
        // The machine may be slow, and a limit short.
        let limits = instance.limits();
        let mut patient = limits;
        patient.timeout = None;
        instance.set_limits(patient).unwrap();
        call(way, &mut instance, "nothing").unwrap();
        instance.set_limits(limits).unwrap();
        last = Some(error);
    }
    last.unwrap()
}

#[test]
fn every_limit_stops_its_guest_and_says_what_became_of_it() {
    let none = Limits::NONE;
    let ms = Duration::from_millis;
    let cases: &[(&str, Limits, LimitKind, bool)] = &[
        ("spin", none.fuel(100_000), LimitKind::Fuel, true),
        ("spin", none.timeout(ms(20)), LimitKind::Time, true),
        ("deep", none.stack(64 << 10), LimitKind::Stack, true),
        ("flood", none.fuel(100_000), LimitKind::Fuel, true),
        ("flood", none.host_calls(100), LimitKind::HostCalls, false),
        (
            "shout",
            none.transferred(1 << 20),
            LimitKind::Transferred,
            false,
        ),
        (
            "listen",
            none.transferred(1 << 20),
            LimitKind::Transferred,
            false,
        ),
        ("doze", none.host_time(ms(10)), LimitKind::HostTime, false),
        ("sleep", none.host_time(ms(10)), LimitKind::HostTime, false),
        ("sleep", none.timeout(ms(10)), LimitKind::Time, false),
        ("pay", none.fuel(100_000), LimitKind::Fuel, false),
        ("pay_all", none.fuel(u64::MAX >> 1), LimitKind::Fuel, false),
        ("pay_dearly", none.fuel(100_000), LimitKind::Fuel, false),
        ("nested", none.fuel(100_000), LimitKind::Fuel, true),
        ("nested", none.timeout(ms(20)), LimitKind::Time, true),
    ];
    for (export, limits, kind, poisoned) in cases {
        let program = host(*limits).program(GUEST.as_bytes()).unwrap();
        for way in WAYS {
            check(&program, way, export, *kind, *poisoned);
        }
    }
}

/// Where it is stopped is a matter of chance.
#[test]
fn a_flood_of_calls_is_stopped_in_time() {
    let limits = Limits::NONE.timeout(Duration::from_millis(20));
    let program = host(limits).program(GUEST.as_bytes()).unwrap();
    for way in WAYS {
        let mut instance = program.instantiate(()).unwrap();
        let error = call(way, &mut instance, "flood").unwrap_err();
        assert_eq!(error.limit().unwrap().limit, LimitKind::Time, "{error}");
    }
}

/// Many deadlines on one engine, so that ticks come at any moment: none is lost
/// on any guest.
#[test]
fn no_guest_escapes_between_ticks() {
    let limits = Limits::NONE.timeout(Duration::from_micros(300));
    let program = host(limits).program(GUEST.as_bytes()).unwrap();
    std::thread::scope(|scope| {
        for i in 0..4 {
            let program = &program;
            scope.spawn(move || {
                let mut instance = program.instantiate(()).unwrap();
                let spin = instance.export::<(), ()>("spin").unwrap();
                for n in 0..100 {
                    let time = Duration::from_micros(50 + (n * 37 + i * 101) % 700);
                    let limits = Limits::NONE.timeout(time);
                    instance.set_limits(limits).unwrap();
                    let error = spin.call(&mut instance, ()).unwrap_err();
                    assert_eq!(error.limit().unwrap().limit, LimitKind::Time, "{error}");
                    instance.clear_poison();
                }
            });
        }
    });
}

#[test]
fn errors_say_what_was_allowed_and_used_and_where_the_guest_was() {
    let check = |limits, export, poisoned| {
        let program = host(limits).program(GUEST.as_bytes()).unwrap();
        let mut instance = program.instantiate(()).unwrap();
        let error = call(Way::Sync, &mut instance, export).unwrap_err();
        assert_eq!(instance.is_poisoned(), poisoned);
        error.to_string()
    };
    assert_eq!(
        check(Limits::NONE.fuel(1000), "spin", true),
        "the call may use 1000 units of fuel, and needs more; guest backtrace: spin; in a call of \
         export `spin`"
    );
    assert_eq!(
        check(Limits::NONE.host_calls(100), "flood", false),
        "the call may call host functions 100 times, and this was to be call 101, in host function \
         `env.ping`; guest backtrace: function 11; in a call of export `flood`"
    );
    assert_eq!(
        check(Limits::NONE.transferred(1 << 20), "shout", false),
        "the call may move 1 MiB across the boundary, and was to move 1.06 MiB, in host function \
         `env.text`; guest backtrace: function 12; in a call of export `shout`"
    );
    let text = check(Limits::NONE.stack(64 << 10), "deep", true);
    assert!(
        text.starts_with(
            "the guest may use 64 KiB of stack, and needs more; guest backtrace: deep <- deep <-"
        ),
        "{text}"
    );
    let text = check(
        Limits::NONE.timeout(Duration::from_millis(20)),
        "spin",
        true,
    );
    assert!(
        text.starts_with("the call may take 20 ms, and took "),
        "{text}"
    );
}

#[test]
fn budgets_are_renewed_at_each_call() {
    let limits = Limits::NONE.fuel(50_000).host_calls(3).transferred(100);
    let mut host = Host::<()>::new();
    host.limits(limits);
    host.func("env", "text", |_text: &str| {});
    let program = host
        .program(
            br#"(module
                (import "env" "text" (func $text (param i32 i32)))
                (memory (export "memory") 1)
                (func (export "run")
                    (call $text (i32.const 0) (i32.const 30))
                    (call $text (i32.const 0) (i32.const 30))
                    (call $text (i32.const 0) (i32.const 30))))"#,
        )
        .unwrap();
    let mut instance = program.instantiate(()).unwrap();
    for way in [Way::Sync, Way::Async, Way::Sync] {
        call(way, &mut instance, "run").unwrap();
        let usage = instance.usage();
        assert_eq!(usage.host_calls, Some(3));
        assert_eq!(usage.transferred, Some(90));
        assert!(usage.fuel.is_some_and(|fuel| (1..100).contains(&fuel)));
        assert_eq!((usage.time, usage.host_time), (None, None));
    }
}

#[test]
fn memory_that_was_denied_is_told_if_the_guest_traps_for_it() {
    let hog = br#"(module
        (memory (export "memory") 1)
        (func (export "hog")
            (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
            (unreachable))
        (func (export "trap") (unreachable)))"#;
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.memory(4 << 20));
    let program = host.program(hog).unwrap();
    for way in WAYS {
        let mut instance = program.instantiate(()).unwrap();
        let error = call(way, &mut instance, "hog").unwrap_err();
        assert!(error.trap().is_some());
        let limit = error.limit().unwrap();
        assert_eq!((limit.limit, limit.allowed), (LimitKind::Memory, 4 << 20));
        assert_eq!(
            error.to_string(),
            "the guest trapped: wasm `unreachable` instruction executed; before that, growth was \
             denied: a memory of the guest may have 4 MiB, and was to have 4.06 MiB; guest \
             backtrace: function 0; in a call of export `hog`"
        );
        assert!(!instance.is_poisoned());
        // That was then.
        let error = call(way, &mut instance, "trap").unwrap_err();
        assert!(error.limit().is_none());
    }
    let mut instance = program.instantiate(()).unwrap();
    let error = instance.guest(|guest| guest.grow(100)).unwrap_err();
    assert_eq!(error.limit().unwrap().limit, LimitKind::Memory);
}

/// A host whose async function never wakes its task.
fn forever(limits: Limits) -> Program<()> {
    let mut host = Host::<()>::new();
    host.limits(limits);
    host.func_async("env", "wait", |_ms: i32| pending::<()>());
    let guest = br#"(module
        (import "env" "wait" (func $wait (param i32)))
        (func (export "nothing"))
        (func (export "spin") (loop (br 0)))
        (func (export "wait") (call $wait (i32.const 1))))"#;
    host.program(guest).unwrap()
}

#[test]
fn what_never_wakes_is_dropped_in_time() {
    let ms = Duration::from_millis;
    for (limits, kind) in [
        (Limits::NONE.timeout(ms(20)), LimitKind::Time),
        (Limits::NONE.host_time(ms(20)), LimitKind::HostTime),
        (
            Limits::NONE.host_time(ms(20)).timeout(ms(60_000)),
            LimitKind::HostTime,
        ),
    ] {
        let error = check_async(&forever(limits), "wait", kind, false);
        assert_eq!(error.import(), Some(("env", "wait")));
    }
}

fn check_async(program: &Program<()>, export: &str, kind: LimitKind, poisoned: bool) -> Error {
    check(program, Way::Async, export, kind, poisoned)
}

#[test]
fn many_that_never_wake_are_dropped_in_time() {
    let program = forever(Limits::NONE.timeout(Duration::from_millis(50)));
    let runtime = runtime();
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let program = program.clone();
            runtime.spawn(async move {
                let mut instance = program.instantiate_async(()).await?;
                let wait = instance.export::<(), ()>("wait")?;
                wait.call_async(&mut instance, ()).await
            })
        })
        .collect();
    for call in calls {
        let error = runtime.block_on(call).unwrap().unwrap_err();
        assert_eq!(error.limit().unwrap().limit, LimitKind::Time);
    }
}

/// On one thread, where a guest that computes would let nothing else run.
#[test]
fn a_guest_that_computes_lets_others_have_their_turn() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let limits = Limits::NONE.time_slice(Duration::from_millis(2));
    for limits in [limits, limits.timeout(Duration::from_secs(600))] {
        let program = forever(limits);
        runtime.block_on(async {
            let mut instance = program.instantiate_async(()).await.unwrap();
            let spin = instance.export::<(), ()>("spin").unwrap();
            let spinning = spin.call_async(&mut instance, ());
            // The timer of the runtime runs on the same thread.
            let ended = tokio::time::timeout(Duration::from_millis(50), spinning).await;
            assert!(ended.is_err());
            // It was dropped amid the guest's code.
            assert!(instance.is_poisoned());
            let nothing = instance.export::<(), ()>("nothing").unwrap();
            let error = nothing.call_async(&mut instance, ()).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Poisoned(_)), "{error:?}");
            assert!(error.to_string().contains("dropped"), "{error}");
            instance.clear_poison();
            nothing.call_async(&mut instance, ()).await.unwrap();
        });
    }
}

#[test]
fn a_call_that_is_dropped_while_the_host_waits_poisons_nothing() {
    let program = forever(Limits::NONE.timeout(Duration::from_secs(600)));
    runtime().block_on(async {
        let mut instance = program.instantiate_async(()).await.unwrap();
        let wait = instance.export::<(), ()>("wait").unwrap();
        for _ in 0..3 {
            let waiting = wait.call_async(&mut instance, ());
            let ended = tokio::time::timeout(Duration::from_millis(10), waiting).await;
            assert!(ended.is_err());
            assert!(!instance.is_poisoned());
        }
        let nothing = instance.export::<(), ()>("nothing").unwrap();
        nothing.call_async(&mut instance, ()).await.unwrap();
    });
}

#[test]
fn ordinary_traps_and_errors_poison_nothing() {
    let mut host = Host::<()>::new();
    let limits = Limits::NONE.fuel(1000).host_calls(10);
    host.limits(limits.timeout(Duration::from_secs(600)));
    host.func("env", "fail", || -> Result<(), Error> {
        Err(Error::msg("no"))
    });
    host.func("env", "panic", || -> () { panic!("no") });
    let guest = br#"(module
        (import "env" "fail" (func $fail))
        (import "env" "panic" (func $panic))
        (func (export "nothing"))
        (func (export "fail") (call $fail))
        (func (export "panic") (call $panic))
        (func (export "trap") (unreachable)))"#;
    let program = host.program(guest).unwrap();
    for way in WAYS {
        let mut instance = program.instantiate(()).unwrap();
        for export in ["trap", "fail", "panic"] {
            let error = call(way, &mut instance, export).unwrap_err();
            assert!(error.limit().is_none(), "{error}");
            assert!(!instance.is_poisoned());
            call(way, &mut instance, "nothing").unwrap();
        }
    }
}

#[test]
fn a_host_function_that_looks_at_the_deadline_can_stop_by_itself() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.timeout(Duration::from_millis(20)));
    host.func("env", "wait", |guest: &mut Guest<'_, ()>| {
        let deadline = guest.deadline();
        assert!(deadline.remaining().is_some());
        while !deadline.is_over() {
            sleep(Duration::from_millis(1));
        }
    });
    let guest =
        br#"(module (import "env" "wait" (func $wait)) (func (export "run") (call $wait)))"#;
    let program = host.program(guest).unwrap();
    for way in WAYS {
        let mut instance = program.instantiate(()).unwrap();
        let error = call(way, &mut instance, "run").unwrap_err();
        assert_eq!(error.limit().unwrap().limit, LimitKind::Time);
    }
}

/// What waits when the time is over is dropped then, and nothing of it is kept.
#[test]
fn a_deadline_leaves_nothing_behind() {
    let alive = Arc::new(());
    let mut host = Host::<Arc<()>>::new();
    host.limits(Limits::NONE.timeout(Duration::from_millis(20)));
    let waiting = alive.clone();
    host.func_async("env", "wait", move || {
        let held = waiting.clone();
        async move {
            pending::<()>().await;
            drop(held);
        }
    });
    let guest =
        br#"(module (import "env" "wait" (func $wait)) (func (export "run") (call $wait)))"#;
    let program = host.program(guest).unwrap();
    let mut instance = program.instantiate(alive.clone()).unwrap();
    for _ in 0..3 {
        let error = call(Way::Async, &mut instance, "run").unwrap_err();
        assert_eq!(error.limit().unwrap().limit, LimitKind::Time);
        // Ours, that of the closure, and the state.
        assert_eq!(Arc::strong_count(&alive), 3);
    }
    // With its call, long before its deadline.
    let limits = Limits::NONE.timeout(Duration::from_secs(3600));
    instance.set_limits(limits).unwrap();
    runtime().block_on(async {
        let run = instance.export::<(), ()>("run").unwrap();
        let running = async { run.call_async(&mut instance, ()).await };
        assert!(
            tokio::time::timeout(Duration::from_millis(10), running)
                .await
                .is_err()
        );
    });
    assert_eq!(Arc::strong_count(&alive), 3);
    let engine = host.engine().weak();
    drop((instance, program, host));
    assert_eq!(Arc::strong_count(&alive), 1);
    assert!(engine.upgrade().is_none());
}
