//! Limits hold wherever a guest runs or the host works for it: in maps, start
//! functions, deliveries, results, and through `Instance::guest`.

use hostcall::{AsErrno, Error, ErrorKind, Host, Instance, LimitKind, Limits};
use std::num::NonZeroU16;
use std::time::Duration;

#[track_caller]
fn limit<R: std::fmt::Debug>(result: Result<R, Error>) -> LimitKind {
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit(_)), "{error:?}");
    error.limit().unwrap().limit
}

fn mapped(limits: Limits) -> Instance<()> {
    let mut host = Host::<()>::new();
    host.limits(limits).map_export("f").map_export("g");
    host.func("env", "ping", || {});
    let guest = br#"(module
        (import "env" "ping" (func $ping))
        (func (export "f") (param i32) (result i32)
            (loop (br_if 0 (i32.eq (local.get 0) (i32.const 7))))
            (local.get 0))
        (func (export "g") (param i32 i32) (result i32)
            (call $ping)
            (loop (br_if 0 (i32.eq (local.get 1) (i32.const 7))))
            (i32.add (local.get 0) (local.get 1))))"#;
    host.program(guest).unwrap().instantiate(()).unwrap()
}

#[test]
fn maps_and_folds() {
    let ms = Duration::from_millis;
    for (limits, kind) in [
        (Limits::NONE.fuel(100_000), LimitKind::Fuel),
        (Limits::NONE.timeout(ms(100)), LimitKind::Time),
    ] {
        let mut instance = mapped(limits);
        let inputs: Vec<i32> = (0..10).collect();
        let mut outputs = [0; 10];
        let error = instance.map("f", &inputs, &mut outputs).unwrap_err();
        assert_eq!(error.index(), Some(7));
        assert_eq!(limit(Err::<(), _>(error)), kind);
        assert_eq!(outputs[..7], inputs[..7]);
        assert!(instance.is_poisoned());
        let error = instance.map("f", &[1], &mut [0]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Poisoned(_)), "{error:?}");
        instance.clear_poison();
        instance.map("f", &[1], &mut [0]).unwrap();
        let mut sum = 0;
        assert_eq!(limit(instance.fold("g", &mut sum, &inputs)), kind);
        assert_eq!(sum, 21);
        instance.clear_poison();
        let results: Vec<_> = instance
            .map_iter::<i32, i32, _>("f", inputs)
            .unwrap()
            .collect();
        assert_eq!(results.len(), 8);
        assert_eq!(limit(results.into_iter().nth(7).unwrap()), kind);
    }
}

/// A whole fold is one call, however many chunks it has.
#[test]
fn a_fold_is_one_call() {
    let mut instance = mapped(Limits::NONE.host_calls(10_000));
    let mut sum = 0;
    assert!(instance.fold("g", &mut sum, &[1; 10_000]).is_ok());
    assert_eq!(instance.usage().host_calls, Some(10_000));
    let folded = instance.fold("g", &mut sum, &[1; 10_001]);
    assert_eq!(limit(folded), LimitKind::HostCalls);
    assert_eq!(sum, 20_000);
    assert!(!instance.is_poisoned());
}

#[test]
fn start_functions() {
    let spin = br#"(module (func $start (loop (br 0))) (start $start))"#;
    let deep = br#"(module (func $start (call $start)) (start $start))"#;
    let flood = br#"(module (import "env" "ping" (func $ping))
        (func $start (loop (call $ping) (br 0))) (start $start))"#;
    // With a queue, the start function runs as an export.
    let later = br#"(module (import "env" "later" (func $later)) (memory (export "memory") 1)
        (func $start (call $later) (loop (br 0))) (start $start))"#;
    let none = Limits::NONE;
    let timeout = none.timeout(Duration::from_millis(20));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (guest, limits, kind) in [
        (&spin[..], none.fuel(1000), LimitKind::Fuel),
        (spin, timeout, LimitKind::Time),
        (deep, none.stack(64 << 10), LimitKind::Stack),
        (flood, none.host_calls(10), LimitKind::HostCalls),
        (later, none.fuel(1000), LimitKind::Fuel),
        (later, timeout, LimitKind::Time),
    ] {
        let mut host = Host::<()>::new();
        host.limits(limits);
        host.func("env", "ping", || {});
        host.deferred("env", "later", || {});
        let program = host.program(guest).unwrap();
        assert_eq!(limit(program.instantiate(())), kind);
        let made = runtime.block_on(program.instantiate_async(()));
        assert_eq!(limit(made), kind);
    }
}

const QUEUEING: &[u8] = br#"(module
    (import "env" "add" (func $add (param i32)))
    (memory (export "memory") 1)
    (func (export "nothing"))
    (func (export "spin") (param i32)
        (loop
            (call $add (i32.const 1))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (loop (br 0)))
    (func (export "run") (param i32)
        (loop
            (call $add (i32.const 1))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

fn queueing(limits: Limits) -> Instance<i32> {
    let mut host = Host::<i32>::new();
    host.limits(limits);
    host.deferred_with_state("env", "add", |sum: &mut i32, n: i32| *sum += n);
    host.program(QUEUEING).unwrap().instantiate(0).unwrap()
}

#[test]
fn what_was_queued_is_delivered_when_a_limit_stops_the_guest() {
    let timeout = Limits::NONE.timeout(Duration::from_millis(100));
    for limits in [Limits::NONE.fuel(10_000), timeout] {
        let mut instance = queueing(limits);
        let spin = instance.export::<i32, ()>("spin").unwrap();
        limit(spin.call(&mut instance, 5));
        assert_eq!(*instance.state(), 5);
        assert!(instance.is_poisoned());
        assert!(instance.undelivered().is_empty());
    }
}

#[test]
fn deferred_calls_count_when_they_are_delivered() {
    let mut instance = queueing(Limits::NONE.host_calls(10));
    let run = instance.export::<i32, ()>("run").unwrap();
    run.call(&mut instance, 10).unwrap();
    assert_eq!(*instance.state(), 10);
    let error = run.call(&mut instance, 15).unwrap_err();
    assert_eq!(error.import(), Some(("env", "add")));
    assert_eq!(error.deferred().unwrap().record, 11);
    assert_eq!(limit(Err::<(), _>(error)), LimitKind::HostCalls);
    assert_eq!(*instance.state(), 20);
    assert!(!instance.is_poisoned());
    // One was refused, and those behind it were kept: they come next.
    assert_eq!(instance.undelivered()[0].calls, 4);
    run.call(&mut instance, 6).unwrap();
    assert_eq!(*instance.state(), 30);
}

#[test]
fn deliveries_cost_fuel() {
    let mut host = Host::<i32>::new();
    host.limits(Limits::NONE.fuel(100_000));
    host.deferred_with_state("env", "add", |sum: &mut i32, n: i32| *sum += n);
    host.fuel_cost("env", "add", 20_000);
    let mut instance = host.program(QUEUEING).unwrap().instantiate(0).unwrap();
    let run = instance.export::<i32, ()>("run").unwrap();
    run.call(&mut instance, 4).unwrap();
    assert!(instance.usage().fuel.is_some_and(|fuel| fuel > 80_000));
    assert_eq!(limit(run.call(&mut instance, 6)), LimitKind::Fuel);
    assert_eq!(*instance.state(), 8);
    assert!(!instance.is_poisoned());
}

#[test]
fn a_batch_is_as_many_calls_as_it_has_records() {
    let mut host = Host::<i32>::new();
    host.limits(Limits::NONE.host_calls(10));
    host.deferred_batch("env", "add", |sum: &mut i32, calls: &[i32]| {
        *sum += calls.iter().sum::<i32>();
    });
    let mut instance = host.program(QUEUEING).unwrap().instantiate(0).unwrap();
    let run = instance.export::<i32, ()>("run").unwrap();
    run.call(&mut instance, 10).unwrap();
    assert_eq!(instance.usage().host_calls, Some(10));
    let error = run.call(&mut instance, 11).unwrap_err();
    assert_eq!(error.deferred().unwrap().together, 11);
    assert_eq!(limit(Err::<(), _>(error)), LimitKind::HostCalls);
    assert_eq!(*instance.state(), 10);
    run.call(&mut instance, 1).unwrap();
    assert_eq!(*instance.state(), 11);
}

/// Everything has the same bytes: text that is at address 0, with length 1000.
const BYTES: &str = r#"(module
    (import "env" "f" (func $f (param PARAMS)))
    (memory (export "memory") 1)
    (data (i32.const 2000) "\00\00\00\00\e8\03\00\00")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "result") (result i32) (i32.const 2000))
    (func (export "argument") (param i32 i32))
    (func (export "run") (call $f ARGS)))"#;

fn bytes(host: &mut Host<()>, params: &str, args: &str, allowed: u64) -> Instance<()> {
    host.limits(Limits::NONE.transferred(allowed));
    let guest = BYTES.replace("PARAMS", params).replace("ARGS", args);
    let program = host.program(guest.as_bytes()).unwrap();
    program.instantiate(()).unwrap()
}

/// `run` moves so many bytes: neither more nor fewer are counted.
#[track_caller]
fn moves(host: &mut Host<()>, (params, args): (&str, &str), moved: u64) {
    let mut instance = bytes(host, params, args, moved);
    let run = instance.export::<(), ()>("run").unwrap();
    run.call(&mut instance, ()).unwrap();
    assert_eq!(instance.usage().transferred, Some(moved));
    let mut instance = bytes(host, params, args, moved - 1);
    let run = instance.export::<(), ()>("run").unwrap();
    let called = run.call(&mut instance, ());
    assert_eq!(limit(called), LimitKind::Transferred);
}

/// Bytes are counted even if they were not when the memory was found.
#[test]
fn bytes_that_are_limited_later() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: String| {});
    host.limits(Limits::NONE.host_calls(1));
    let guest = BYTES.replace("PARAMS", PAIR.0).replace("ARGS", PAIR.1);
    let program = host.program(guest.as_bytes()).unwrap();
    let mut instance = program.instantiate(()).unwrap();
    let run = instance.export::<(), ()>("run").unwrap();
    run.call(&mut instance, ()).unwrap();
    instance.set_limits(Limits::NONE.transferred(999)).unwrap();
    let called = run.call(&mut instance, ());
    assert_eq!(limit(called), LimitKind::Transferred);
}

const PAIR: (&str, &str) = ("i32 i32", "(i32.const 0) (i32.const 1000)");

#[test]
fn bytes_of_arguments() {
    let mut host = Host::new();
    moves(host.func("env", "f", |_: &str| {}), PAIR, 1000);
    let mut host = Host::new();
    moves(host.func("env", "f", |_: String| {}), PAIR, 1000);
    let mut host = Host::new();
    moves(host.func("env", "f", |_: &[u64]| {}), PAIR, 8000);
    let mut host = Host::new();
    moves(host.func("env", "f", |_: &mut [u16]| {}), PAIR, 2000);
    let mut host = Host::new();
    moves(host.func("env", "f", |_: Vec<u8>| {}), PAIR, 1000);
    let mut host = Host::new();
    moves(host.func("env", "f", |_: Vec<Option<u8>>| {}), PAIR, 2000);
    let mut host = Host::new();
    moves(host.func_blocking("env", "f", |_: String| {}), PAIR, 1000);
    let one = ("i32", "(i32.const 8)");
    let mut host = Host::new();
    moves(host.func("env", "f", |_: &u64| {}), one, 8);
    // A list with one string in it.
    let nested = ("i32 i32", "(i32.const 2000) (i32.const 1)");
    let mut host = Host::new();
    moves(host.func("env", "f", |_: Vec<String>| {}), nested, 1008);
    let mut host = Host::new();
    moves(host.func("env", "f", |_: Vec<&str>| {}), nested, 1008);
}

#[test]
fn bytes_of_dynamic_arguments() {
    for (ty, moved) in [("string", 1000), ("list<u8>", 1000), ("list<u32>", 4000)] {
        let mut host = Host::new();
        let signature = format!("func(a: {ty})").parse().unwrap();
        host.func_dynamic("env", "f", signature, |_, _, _| Ok::<(), Error>(()));
        moves(&mut host, PAIR, moved);
    }
}

#[test]
fn bytes_that_are_read_through_the_guest() {
    let mut host = Host::new();
    host.func(
        "env",
        "f",
        |guest: &mut hostcall::Guest<'_, ()>, text: hostcall::GuestStr| -> Result<(), Error> {
            guest.read_str(text).map(drop)
        },
    );
    moves(&mut host, PAIR, 1000);
}

#[test]
fn bytes_of_results_of_host_functions() {
    let at = ("i32", "(i32.const 64)");
    let mut host = Host::new();
    host.func("env", "f", || "x".repeat(500));
    // The pointer and the length are written, too.
    moves(&mut host, at, 508);
}

#[test]
fn bytes_behind_out_pointers() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.transferred(16));
    host.func("env", "f", |fails: bool| {
        AsErrno(if fails {
            Err(NonZeroU16::MIN)
        } else {
            Ok((1_u32, 2_u64))
        })
    });
    let guest = br#"(module
        (import "env" "f" (func $f (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (param i32) (result i32)
            (call $f (local.get 0) (i32.const 8) (i32.const 16)))
        (func (export "twice")
            (drop (call $f (i32.const 0) (i32.const 8) (i32.const 16)))
            (drop (call $f (i32.const 0) (i32.const 8) (i32.const 16)))))"#;
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    let run = instance.export::<u32, i32>("run").unwrap();
    for (fails, moved) in [(0, 12), (1, 0)] {
        run.call(&mut instance, fails).unwrap();
        assert_eq!(instance.usage().transferred, Some(moved));
    }
    let twice = instance.export::<(), ()>("twice").unwrap();
    let called = twice.call(&mut instance, ());
    assert_eq!(limit(called), LimitKind::Transferred);
}

#[test]
fn bytes_between_the_host_and_exports() {
    let mut host = Host::new();
    host.func("env", "f", || {});
    let mut instance = bytes(&mut host, "", "", 1008);
    let result = instance.export::<(), String>("result").unwrap();
    assert_eq!(result.call(&mut instance, ()).unwrap().len(), 1000);
    assert_eq!(instance.usage().transferred, Some(1008));
    let argument = instance.export::<&str, ()>("argument").unwrap();
    argument.call(&mut instance, &"x".repeat(1008)).unwrap();
    let called = argument.call(&mut instance, &"x".repeat(1009));
    assert_eq!(limit(called), LimitKind::Transferred);
    let mut instance = bytes(&mut host, "", "", 1007);
    let result = instance.export::<(), String>("result").unwrap();
    let called = result.call(&mut instance, ());
    assert_eq!(limit(called), LimitKind::Transferred);
    assert!(!instance.is_poisoned());
}

#[test]
fn calls_through_the_guest_handle() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.fuel(10_000));
    let guest = br#"(module (func (export "nothing")) (func (export "spin") (loop (br 0))))"#;
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    let spin = instance.export::<(), ()>("spin").unwrap();
    let nothing = instance.export::<(), ()>("nothing").unwrap();
    for _ in 0..2 {
        let called = instance.guest(|guest| spin.call_in(guest, ()));
        assert_eq!(limit(called), LimitKind::Fuel);
        let called = instance.guest(|guest| nothing.call_in(guest, ()));
        let error = called.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Poisoned(_)), "{error:?}");
        instance.clear_poison();
        instance.guest(|guest| nothing.call_in(guest, ())).unwrap();
    }
}

/// What waits in WASI is dropped with its call, and nobody knows where the guest was.
#[cfg(feature = "wasi")]
#[test]
fn waiting_in_wasi() {
    use hostcall::wasi::WasiCtxBuilder;
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.timeout(Duration::from_millis(50)));
    host.wasi_async(|()| WasiCtxBuilder::new().build_p1());
    // A subscription to a clock: in an hour.
    let guest = br#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff"
            (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "\00\00\00\00\01\00\00\00\00\a0\b8\30\46\03\00\00")
        (func (export "_start")
            (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;
    let program = host.program(guest).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    runtime.block_on(async {
        let mut instance = program.instantiate_async(()).await.unwrap();
        assert_eq!(limit(instance.run_async().await), LimitKind::Time);
        assert!(instance.is_poisoned());
    });
}

#[cfg(feature = "wasi")]
#[test]
fn guests_with_wasi() {
    use hostcall::wasi::WasiCtxBuilder;
    let mut host = Host::<()>::new();
    let limits = Limits::NONE.fuel(10_000);
    host.limits(limits.timeout(Duration::from_secs(600)));
    host.wasi(|()| WasiCtxBuilder::new().build_p1());
    let guest = br#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (loop (drop (call $yield)) (br 0))))"#;
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    assert_eq!(limit(instance.run()), LimitKind::Fuel);
    assert!(instance.is_poisoned());
}

/// The guest runs while a result is put into it, and can be stopped there.
#[test]
fn allocating_in_the_guest() {
    let guest = br#"(module
        (import "env" "name" (func $name (param i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) (unreachable))
        (func (export "take") (param i32 i32))
        (func (export "run") (call $name (i32.const 8))))"#;
    for (limits, kind) in [
        (Limits::NONE.fuel(10_000), LimitKind::Fuel),
        (
            Limits::NONE.timeout(Duration::from_millis(50)),
            LimitKind::Time,
        ),
    ] {
        let mut host = Host::<()>::new();
        host.limits(limits);
        host.func("env", "name", || "name".to_owned());
        let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
        let run = instance.export::<(), ()>("run").unwrap();
        assert_eq!(limit(run.call(&mut instance, ())), kind);
        assert!(instance.is_poisoned());
        instance.clear_poison();
        let take = instance.export::<&str, ()>("take").unwrap();
        assert_eq!(limit(take.call(&mut instance, "text")), kind);
        assert!(instance.is_poisoned());
        instance.clear_poison();
        let allocated = instance.guest(|guest| guest.alloc(8, 8));
        assert_eq!(limit(allocated), kind);
        assert!(instance.is_poisoned());
    }
}

/// A guest that has used its stack up may do so again where a host function calls
/// it. On a fiber there is room for that, else the process would end.
#[test]
fn stacks_that_are_used_up_twice() {
    let guest = br#"(module
        (import "env" "name" (func $name (param i32)))
        (memory (export "memory") 1)
        (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1)))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $deep))
        (func $run (export "run") (param i32)
            (if (local.get 0)
                (then
                    (call $run (i32.sub (local.get 0) (i32.const 1)))
                    (drop (call $deep)))
                (else (call $name (i32.const 8))))))"#;
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.stack(4 << 20));
    host.func("env", "name", || "name".to_owned());
    let program = host.program(guest).unwrap();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(async {
        let mut instance = program.instantiate_async(()).await.unwrap();
        let run = instance.export::<u32, ()>("run").unwrap();
        // The last are too deep by themselves.
        for depth in (0..200_000).step_by(10_000) {
            let called = run.call_async(&mut instance, depth).await;
            assert_eq!(limit(called), LimitKind::Stack);
            instance.clear_poison();
        }
    });
}

/// A thread that waits tells the limit that ended it, as a guest does that is
/// suspended.
#[test]
fn blocking_functions() {
    let ms = Duration::from_millis;
    for (limits, kind) in [
        (Limits::NONE.host_time(ms(10)), LimitKind::HostTime),
        (Limits::NONE.timeout(ms(10)), LimitKind::Time),
    ] {
        let mut host = Host::<()>::new();
        host.limits(limits);
        host.func_blocking("env", "block", move || std::thread::sleep(ms(100)));
        let guest = br#"(module
            (import "env" "block" (func $block))
            (func (export "run") (call $block)))"#;
        let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
        let run = instance.export::<(), ()>("run").unwrap();
        assert_eq!(limit(run.call(&mut instance, ())), kind);
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let called = runtime.build().unwrap();
        let called = called.block_on(run.call_async(&mut instance, ()));
        assert_eq!(limit(called), kind);
        assert!(!instance.is_poisoned());
    }
}
