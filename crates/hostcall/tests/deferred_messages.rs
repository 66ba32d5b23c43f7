//! What is said where something about deferred functions or mapped exports does
//! not fit.

use hostcall::{Crossing, Error, Fault, GuestType, Host, Trap};

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(u8)]
enum Color {
    Red,
    Green,
}

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Painted {
    count: u32,
    color: Color,
}

#[test]
fn a_record_of_a_batch_is_refused_as_a_whole() {
    let mut host = Host::<Vec<Color>>::new();
    host.deferred_batch(
        "env",
        "paint",
        |seen: &mut Vec<Color>, batch: &[Painted]| {
            seen.extend(batch.iter().filter(|it| it.count > 0).map(|it| it.color));
        },
    );
    let program = host.program(
        br#"(module
            (import "env" "paint" (func $paint (param i32 i32)))
            (func (export "run") (param i32)
                (call $paint (i32.const 1) (i32.const 0))
                (call $paint (i32.const 1) (local.get 0))))"#,
    );
    let mut instance = program.unwrap().instantiate(Vec::new()).unwrap();
    let run = instance.export::<u32, ()>("run").unwrap();
    run.call(&mut instance, 1).unwrap();
    let error = run.call(&mut instance, 2).unwrap_err();
    assert_eq!(error.fault(), Some(&Fault::Tag { tag: 2, cases: 2 }));
    assert_eq!(error.argument(), None);
    let message = "host function `env.paint` refused its record: discriminant 2 is out of range";
    assert!(error.to_string().starts_with(message), "{error}");
    let seen = format!("{:?}", instance.state());
    assert_eq!(seen, "[Red, Green, Red]");
}

#[test]
fn an_export_without_results_does_not_fold() {
    let mut host = Host::<()>::new();
    host.map_export("none").map_export("other");
    let program = host.program(
        br#"(module
            (func (export "none") (param i32))
            (func (export "other") (param f64 i32) (result i32) local.get 1))"#,
    );
    let mut instance = program.unwrap().instantiate(()).unwrap();
    for (name, ty) in [("none", "(i32) -> ()"), ("other", "(f64, i32) -> i32")] {
        let error = instance.fold::<i32, i32>(name, &mut 0, &[1]).unwrap_err();
        let message = format!("export `{name}` has type {ty}, which cannot be folded");
        assert!(error.to_string().starts_with(&message), "{error}");
    }
}

#[test]
fn a_failure_that_is_known_after_a_trap_has_the_backtrace_of_the_trap() {
    let mut host = Host::<()>::new();
    host.deferred("env", "fail", || -> Result<(), Error> {
        Err(Error::msg("no"))
    });
    let program = host.program(
        br#"(module
            (import "env" "fail" (func $fail))
            (func $inner (call $fail) unreachable)
            (func $run (export "run") (call $inner)))"#,
    );
    let mut instance = program.unwrap().instantiate(()).unwrap();
    let run = instance.export::<(), ()>("run").unwrap();
    let error = run.call(&mut instance, ()).unwrap_err();
    let frames: Vec<_> = error.backtrace().iter().map(ToString::to_string).collect();
    assert_eq!(frames, ["inner", "run"]);
    let stopped = error.deferred().unwrap().stopped_by.as_ref().unwrap();
    assert_eq!(stopped.trap(), Some(Trap::UnreachableCodeReached));
    assert_eq!(
        error.to_string(),
        "host function `env.fail` failed: no; in deferred call 1 of 1; after it, the guest \
         trapped: wasm `unreachable` instruction executed; guest backtrace: inner <- run; in a \
         call of export `run`"
    );
}

#[test]
fn why_a_queue_is_too_small() {
    let mut host = Host::<()>::new();
    host.queue_size(9);
    host.deferred("env", "two", |_: u32, _: u32| {});
    let program = host.program(br#"(module (import "env" "two" (func (param i32 i32))))"#);
    let program = program.unwrap();
    let planned = &program.plan().imports[0];
    assert_eq!(planned.crossing, Some(Crossing::Call));
    assert_eq!(
        planned.reason,
        "not deferred: a call takes 16 bytes and 8 for the function, which the queue of 16 has not"
    );
}

#[test]
fn calls_that_nothing_has_settled_are_undelivered() {
    let mut host = Host::<u32>::new();
    host.deferred_with_state("env", "add", |sum: &mut u32, n: u32| *sum += n);
    let program = host.program(
        br#"(module
            (import "env" "add" (func $add (param i32)))
            (func (export "run") (call $add (i32.const 3)) (call $add (i32.const 4))))"#,
    );
    let mut instance = program.unwrap().instantiate(0).unwrap();
    let by_wasmtime = |instance: &mut hostcall::Instance<u32>| {
        let inner = instance.wasmtime_instance();
        let store = instance.store_mut();
        let run = inner.get_typed_func::<(), ()>(&mut *store, "run").unwrap();
        run.call(store, ()).unwrap();
        instance.undelivered()[0].calls
    };
    assert_eq!(by_wasmtime(&mut instance), 2);
    assert_eq!(*instance.state(), 0);
    instance.deliver_deferred().unwrap();
    assert_eq!((*instance.state(), instance.undelivered().len()), (7, 0));

    assert_eq!(by_wasmtime(&mut instance), 2);
    instance.discard_deferred();
    instance.deliver_deferred().unwrap();
    assert_eq!((*instance.state(), instance.undelivered().len()), (7, 0));
}
