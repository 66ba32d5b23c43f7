//! What stops a mapped export: which element it was, and what is kept.

mod common;

use common::*;
use hostcall::{Error, ErrorKind, Guest, Host, Program, Trap};

/// It traps if it is told so, and counts what was done.
const TRAPPING: &str = r#"(module
    (global $done (mut i32) (i32.const 0))
    (func (export "done") (result i32) (global.get $done) (global.set $done (i32.const 0)))
    (func (export "f") (param i32) (result i32)
        (if (i32.lt_s (local.get 0) (i32.const 0)) (then (unreachable)))
        (global.set $done (i32.add (global.get $done) (i32.const 1)))
        (i32.add (local.get 0) (i32.const 1)))
    (func (export "sum") (param i64 i32) (result i64)
        (if (i32.lt_s (local.get 1) (i32.const 0)) (then (unreachable)))
        (global.set $done (i32.add (global.get $done) (i32.const 1)))
        (i64.add (local.get 0) (i64.extend_i32_s (local.get 1)))))"#;

#[test]
fn traps_near_borders_of_chunks() {
    let mut instance = mapped(TRAPPING, &["f", "sum"]);
    let done = instance.export::<(), u32>("done").unwrap();
    let length = 5000;
    let borders = [0, 2048, 4096]
        .into_iter()
        .flat_map(|border| border.max(20) - 20..border + 20);
    for at in borders.chain([length - 1]) {
        let mut inputs = vec![3; length];
        inputs[at] = -1;
        let mut outputs = vec![0; length];
        let error = instance.map("f", &inputs, &mut outputs).unwrap_err();
        assert_eq!(
            (error.index(), error.trap()),
            (Some(at), Some(Trap::UnreachableCodeReached))
        );
        assert!(
            error
                .to_string()
                .ends_with(&format!("in a call of export `f` for element {at}")),
            "{error}"
        );
        assert!(outputs[..at].iter().all(|n| *n == 4));
        assert!(outputs[at..].iter().all(|n| *n == 0));
        assert_eq!(done.call(&mut instance, ()).unwrap() as usize, at);

        let mut sum = 0_i64;
        let error = instance.fold("sum", &mut sum, &inputs).unwrap_err();
        assert_eq!((error.index(), sum), (Some(at), at as i64 * 3));
        assert_eq!(done.call(&mut instance, ()).unwrap() as usize, at);

        let results = instance.map_iter::<i32, i32, _>("f", inputs).unwrap();
        let results: Vec<_> = results.collect();
        assert_eq!(results.len(), at + 1);
        assert!(results[..at].iter().all(|result| matches!(result, Ok(4))));
        assert_eq!(results[at].as_ref().unwrap_err().index(), Some(at));
        assert_eq!(done.call(&mut instance, ()).unwrap() as usize, at);
    }
}

fn fuelled() -> Program<()> {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(true).epoch_interruption(true);
    let mut host = Host::<()>::with_engine(wasmtime::Engine::new(&config).unwrap());
    host.map_export("f").map_export("sum");
    host.program(TRAPPING.as_bytes()).expect("it links")
}

/// Wherever it stops, the index is that of the call that was not made, or not
/// to its end.
#[test]
fn fuel_runs_out_anywhere() {
    let program = fuelled();
    let inputs = vec![1; 2100];
    for fuel in (0..200).chain((20_000..70_000).step_by(97)) {
        let instance = program.instantiate_with((), |store| {
            store.set_epoch_deadline(1);
            store.set_fuel(1 << 40)
        });
        let mut instance = instance.expect("it instantiates");
        // What is left of a former run is no matter.
        instance.map("f", &inputs[..30], &mut [0; 30]).unwrap();
        let done = instance.export::<(), u32>("done").unwrap();
        assert_eq!(done.call(&mut instance, ()).unwrap(), 30);
        instance.store_mut().set_fuel(fuel).unwrap();
        let mut outputs = vec![0; inputs.len()];
        let result = instance.map("f", &inputs, &mut outputs);
        instance.store_mut().set_fuel(1 << 40).unwrap();
        let done = done.call(&mut instance, ()).unwrap() as usize;
        let results = outputs.iter().take_while(|n| **n == 2).count();
        match result {
            Ok(()) => assert_eq!((done, results), (2100, 2100)),
            Err(error) => {
                assert_eq!(error.trap(), Some(Trap::OutOfFuel));
                assert_eq!(error.index(), Some(results));
                assert!(done == results || done == results + 1, "{done} {results}");
            }
        }
        assert!(outputs[results..].iter().all(|n| *n == 0));
    }
}

#[test]
fn an_epoch_ends_before_the_first_call() {
    let program = fuelled();
    let instance = program.instantiate_with((), |store| {
        store.set_epoch_deadline(1);
        store.set_fuel(1 << 40)
    });
    let mut instance = instance.expect("it instantiates");
    instance.map("f", &[1; 2000], &mut [0; 2000]).unwrap();
    let mut sum = 0_i64;
    instance.fold("sum", &mut sum, &[1; 2000]).unwrap();
    instance.store_mut().engine().increment_epoch();
    let mut outputs = [0; 10];
    let error = instance.map("f", &[1; 10], &mut outputs).unwrap_err();
    assert_eq!(
        (error.index(), error.trap()),
        (Some(0), Some(Trap::Interrupt))
    );
    assert_eq!(outputs, [0; 10]);
    let error = instance.fold("sum", &mut sum, &[1; 10]).unwrap_err();
    assert_eq!((error.index(), sum), (Some(0), 2000));
    let mut results = instance.map_iter::<i32, i32, _>("f", [1; 10]).unwrap();
    assert_eq!(results.next().unwrap().unwrap_err().index(), Some(0));
    assert!(results.next().is_none());
}

/// Host functions of a mapped export fail, at once or later.
#[test]
fn errors_of_host_functions() {
    let guest = r#"(module
        (import "env" "plain" (func $plain (param i32)))
        (import "env" "later" (func $later (param i32)))
        (func (export "plain") (param i32) (call $plain (local.get 0)))
        (func (export "later") (param i32) (call $later (local.get 0))))"#;
    let fails = |n: i32| match n {
        700 => Err(Error::msg("seven hundred")),
        800 => panic!("eight hundred"),
        _ => Ok(()),
    };
    let mut host = Host::<()>::new();
    host.func("env", "plain", move |_: &mut Guest<'_, ()>, n: i32| {
        fails(n)
    })
    .deferred("env", "later", fails)
    .map_export("plain")
    .map_export("later");
    let mut instance = instance(&host, guest, ());
    let inputs: Vec<i32> = (0..1000).collect();
    let error = instance
        .map::<i32, ()>("plain", &inputs, &mut [(); 1000])
        .unwrap_err();
    assert_eq!(error.index(), Some(700));
    assert!(matches!(error.kind(), ErrorKind::Host));
    // After all calls of the guest: it is no element's.
    let error = instance
        .map::<i32, ()>("later", &inputs, &mut [(); 1000])
        .unwrap_err();
    assert_eq!(error.index(), None);
    let deferred = error.deferred().unwrap();
    assert_eq!((deferred.record, deferred.queued), (701, 1000));
    assert_eq!(
        error.to_string(),
        "host function `env.later` failed: seven hundred; in deferred call 701 of 1000; kept for \
         later: 299 calls of `env.later`; in a call of export `later`"
    );
    let error = instance.deliver_deferred().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Panic(_)));
    instance.deliver_deferred().unwrap();
}

#[test]
fn an_iterator_is_lazy() {
    let mut instance = mapped(TRAPPING, &["f"]);
    let taken = std::cell::Cell::new(0);
    let inputs = (0_i32..).inspect(|_| taken.set(taken.get() + 1));
    let mut results = instance.map_iter::<i32, i32, _>("f", inputs).unwrap();
    assert_eq!(taken.get(), 0);
    assert_eq!(results.next().unwrap().unwrap(), 1);
    assert_eq!(taken.get(), 2048);
    assert_eq!(
        results.by_ref().take(2047).map(Result::unwrap).last(),
        Some(2048)
    );
    assert_eq!(taken.get(), 2048);
    assert_eq!(results.next().unwrap().unwrap(), 2049);
    assert_eq!(taken.get(), 4096);
    drop(results);
    let done = instance.export::<(), u32>("done").unwrap();
    assert_eq!(done.call(&mut instance, ()).unwrap(), 4096);

    // Nothing comes after the end, or after an error.
    let mut results = instance.map_iter::<i32, i32, _>("f", [1, -1, 2]).unwrap();
    assert!(matches!(results.next(), Some(Ok(2))));
    assert!(matches!(results.next(), Some(Err(_))));
    assert!(results.next().is_none());
    assert!(results.next().is_none());
    let mut results = instance.map_iter::<i32, i32, _>("f", []).unwrap();
    assert!(results.next().is_none());
    assert!(format!("{results:?}").contains("\"f\""));
}
