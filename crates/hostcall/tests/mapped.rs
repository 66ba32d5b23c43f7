//! Mapped exports: one crossing for many calls.

mod common;

use common::*;
use hostcall::{Error, ErrorKind, Fault, Guest, Host, Instance, Program, Scalars, Trap};
use std::fmt::Debug;

/// An instance of a guest whose exports are mapped.
#[track_caller]
fn mapped(guest: &str, names: &[&str]) -> Instance<()> {
    let mut host = Host::<()>::new();
    for name in names {
        host.map_export(name);
    }
    instance(&host, guest, ())
}

/// Maps the identity of a type over these values, many times.
#[track_caller]
fn same<T: Scalars + Debug + PartialEq>(core: &str, values: &[T]) {
    let mut instance = mapped(
        &format!("(module (func (export \"f\") (param {core}) (result {core}) (local.get 0)))"),
        &["f"],
    );
    let inputs: Vec<T> = values.iter().copied().cycle().take(5000).collect();
    let mut outputs = vec![values[0]; inputs.len()];
    instance.map("f", &inputs, &mut outputs).expect("it maps");
    assert_eq!(outputs, inputs);
    let results = instance.map_iter::<T, T, _>("f", inputs.iter().copied());
    let results: Result<Vec<T>, _> = results.expect("it maps").collect();
    assert_eq!(results.expect("nothing fails"), inputs);
    // The accumulator, then the element: both are the first.
    let mut instance = mapped(
        &format!(
            "(module (func (export \"f\") (param {core} {core}) (result {core}) (local.get 1)))"
        ),
        &["f"],
    );
    let mut last = values[0];
    instance.fold("f", &mut last, &inputs).expect("it folds");
    assert_eq!(Some(&last), inputs.last());
}

#[test]
fn every_scalar() {
    same("i32", &[i8::MIN, -1, 0, 1, i8::MAX]);
    same("i32", &[0, 1, u8::MAX]);
    same("i32", &[i16::MIN, -1, 0, i16::MAX]);
    same("i32", &[0, 1, u16::MAX]);
    same("i32", &[i32::MIN, -1, 0, i32::MAX]);
    same("i32", &[0, 1, u32::MAX]);
    same("i64", &[i64::MIN, -1, 0, i64::MAX]);
    same("i64", &[0, 1, u64::MAX]);
    same("f32", &[f32::MIN, -0.0, 0.5, f32::INFINITY]);
    same("f64", &[f64::MIN, -0.0, 0.5, f64::INFINITY]);
    same("i32", &[false, true, true]);
    same("i32", &['\0', 'a', '\u{d7ff}', '\u{e000}', char::MAX]);
    same("i32", &[(7_i8,), (-7,)]);
}

/// Results are cut to their types as those of other exports are.
#[test]
fn narrow_results() {
    let mut instance = mapped(&forward_self("i32"), &["f"]);
    let bits = [
        0,
        1,
        0x80,
        0xff,
        0x100,
        0x8000,
        0xffff_ffff_u32,
        0xdead_beef,
    ];
    check_narrow::<u8>(&mut instance, &bits, |bits| bits as u8);
    check_narrow::<i8>(&mut instance, &bits, |bits| bits as i8);
    check_narrow::<u16>(&mut instance, &bits, |bits| bits as u16);
    check_narrow::<i16>(&mut instance, &bits, |bits| bits as i16);
    check_narrow::<bool>(&mut instance, &bits, |bits| bits != 0);
    // NaNs keep their bits.
    let mut instance = mapped(&forward_self("f32"), &["f"]);
    let nan = f32::from_bits(0x7fa0_1234);
    let mut out = [0.0_f32; 2];
    instance.map("f", &[nan, -nan], &mut out).unwrap();
    assert_eq!(out.map(f32::to_bits), [nan, -nan].map(f32::to_bits));
}

fn forward_self(core: &str) -> String {
    format!("(module (func (export \"f\") (param {core}) (result {core}) (local.get 0)))")
}

#[track_caller]
fn check_narrow<T: Scalars + Debug + PartialEq>(
    instance: &mut Instance<()>,
    bits: &[u32],
    cut: impl Fn(u32) -> T,
) {
    let mut out: Vec<T> = vec![cut(0); bits.len()];
    instance.map("f", bits, &mut out).expect("it maps");
    assert!(
        out.iter().copied().eq(bits.iter().map(|bits| cut(*bits))),
        "{out:?}"
    );
}

#[test]
fn what_is_no_char_is_refused() {
    let mut instance = mapped(&forward_self("i32"), &["f"]);
    for (at, bad) in [(0, 0xd800), (1, 0xdfff), (2, 0x11_0000), (3, u32::MAX)] {
        let mut inputs = [u32::from('x'); 5];
        inputs[at] = bad;
        let mut out = ['?'; 5];
        let error = instance.map("f", &inputs, &mut out).unwrap_err();
        assert_eq!(error.fault(), Some(&Fault::Char(bad)));
        assert_eq!(error.index(), Some(at));
        assert_eq!(
            error.to_string(),
            format!(
                "the host refused what the export returned: {}; in a call of export `f` for \
                 element {at}",
                Fault::Char(bad)
            )
        );
        assert_eq!(out[..at], vec!['x'; at]);
        assert_eq!(out[at..], vec!['?'; 5 - at]);
        let iterator = instance.map_iter::<u32, char, _>("f", inputs).unwrap();
        let results: Vec<_> = iterator.collect();
        assert_eq!(results.len(), at + 1);
        assert!(results[..at].iter().all(|result| matches!(result, Ok('x'))));
        assert_eq!(results[at].as_ref().unwrap_err().index(), Some(at));
    }
}

const MANY: &str = r#"(module
    (global $n (mut i32) (i32.const 0))
    (memory (export "memory") 1)
    (func (export "tick") (global.set $n (i32.add (global.get $n) (i32.const 1))))
    (func (export "ticks") (result i32) (global.get $n))
    (func (export "next") (result i32 i64)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (global.get $n) (i64.extend_i32_u (global.get $n)))
    (func (export "take") (param i64 i32 f64 f32)
        (global.set $n (i32.add (global.get $n) (local.get 1))))
    (func (export "swap") (param i32 f64 i32 i64) (result i64 i32 f64 i32)
        (local.get 3) (local.get 0) (local.get 1) (local.get 2))
    (func (export "pair") (param i32 i64 i32 i32) (result i32 i64)
        (i32.add (local.get 0) (i32.mul (local.get 2) (local.get 3)))
        (i64.add (local.get 1) (i64.const 1)))
    (func (export "count") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "twelve")
        (param i32 i64 i32 i64 i32 i64 i32 i64 i32 i64 f32 f64)
        (result f64 f32 i64 i32 i64 i32 i64 i32 i64 i32 i64 i32)
        (local.get 11) (local.get 10) (local.get 9) (local.get 8) (local.get 7) (local.get 6)
        (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))"#;

const NAMES: [&str; 8] = [
    "tick", "ticks", "next", "take", "swap", "pair", "count", "twelve",
];

#[test]
fn parameters_and_results_of_any_number() {
    let mut instance = mapped(MANY, &NAMES);
    let units = vec![(); 20_000];
    instance.map("tick", &units, &mut units.clone()).unwrap();
    let mut ticks = vec![0; 3];
    instance
        .map::<(), i32>("ticks", &units[..3], &mut ticks)
        .unwrap();
    assert_eq!(ticks, [20_000; 3]);
    let mut next = vec![(0, 0); 1500];
    instance
        .map::<(), (i32, i64)>("next", &units[..1500], &mut next)
        .unwrap();
    assert!(
        next.iter()
            .copied()
            .eq((20_001..21_501).map(|n| (n, i64::from(n))))
    );
    let takes = vec![(5_i64, 2_i32, 0.5_f64, 0.25_f32); 1000];
    instance
        .map("take", &takes, &mut units[..1000].to_vec())
        .unwrap();
    assert_eq!(instance.call("ticks", &[]).unwrap(), [w(23_500)]);

    let inputs: Vec<_> = (0..1000)
        .map(|n| (n, f64::from(n), -n, i64::from(n) << 40))
        .collect();
    let mut outputs = vec![(0, 0, 0.0, 0); 1000];
    instance
        .map::<(i32, f64, i32, i64), (i64, i32, f64, i32)>("swap", &inputs, &mut outputs)
        .unwrap();
    for ((a, b, c, d), output) in inputs.into_iter().zip(outputs) {
        assert_eq!(output, (d, a, b, c));
    }

    type Twelve = (i32, i64, i32, i64, i32, i64, i32, i64, i32, i64, f32, f64);
    type Reversed = (f64, f32, i64, i32, i64, i32, i64, i32, i64, i32, i64, i32);
    let input: Twelve = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.5, 12.5);
    let mut outputs: [Reversed; 300] = [(0.0, 0.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); 300];
    instance.map("twelve", &[input; 300], &mut outputs).unwrap();
    assert_eq!(outputs, [(12.5, 11.5, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1); 300]);
}

#[test]
fn folds_have_any_number_of_accumulators() {
    let mut instance = mapped(MANY, &NAMES);
    let elements: Vec<(i32, i32)> = (0..5000).map(|n| (n, 2)).collect();
    let mut both = (7, 70_i64);
    instance.fold("pair", &mut both, &elements).unwrap();
    assert_eq!(both, (7 + 4999 * 5000, 5070));
    // No element is left behind the accumulator.
    let mut count = 5;
    instance.fold("count", &mut count, &[(); 3000]).unwrap();
    assert_eq!(count, 3005);
    instance.fold::<i32, ()>("count", &mut count, &[]).unwrap();
    assert_eq!(count, 3005);
}

/// The number of elements in a chunk is not to be seen.
#[test]
fn lengths_around_chunks() {
    let mut instance = mapped(
        r#"(module
            (func (export "four") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))
            (func (export "wide") (param i32) (result i64) (i64.extend_i32_s (local.get 0)))
            (func (export "fold") (param i64 i32) (result i64)
                (i64.add (i64.mul (local.get 0) (i64.const 31)) (i64.extend_i32_s (local.get 1)))))"#,
        &["four", "wide", "fold"],
    );
    let fold = |inputs: &[i32]| {
        inputs.iter().fold(1_i64, |sum, n| {
            sum.wrapping_mul(31).wrapping_add(i64::from(*n))
        })
    };
    for chunk in [1024, 2048] {
        for length in [
            0,
            1,
            2,
            7,
            8,
            9,
            chunk - 1,
            chunk,
            chunk + 1,
            2 * chunk - 1,
            2 * chunk,
            3 * chunk + 7,
        ] {
            let inputs: Vec<i32> = (0..length).collect();
            let mut four = vec![0; inputs.len()];
            instance.map("four", &inputs, &mut four).unwrap();
            assert!(
                four.iter().copied().eq(inputs.iter().map(|n| n * 3)),
                "{length}"
            );
            let mut wide = vec![0_i64; inputs.len()];
            instance.map("wide", &inputs, &mut wide).unwrap();
            assert!(
                wide.iter()
                    .copied()
                    .eq(inputs.iter().map(|n| i64::from(*n))),
                "{length}"
            );
            let mut sum = 1_i64;
            instance.fold("fold", &mut sum, &inputs).unwrap();
            assert_eq!(sum, fold(&inputs), "{length}");
            let iterator = instance.map_iter::<i32, i32, _>("four", inputs.iter().copied());
            let results: Vec<i32> = iterator.unwrap().map(Result::unwrap).collect();
            assert_eq!(results, four);
        }
    }
}

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

#[track_caller]
fn message<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("it should be refused"),
        Err(error) => {
            assert_eq!(error.index(), None);
            error.to_string()
        }
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let mut instance = mapped(MANY, &NAMES);
    assert_eq!(
        message(instance.map::<i32, i32>("count", &[1, 2, 3], &mut [0, 0])),
        "export `count` was to be mapped over 3 elements, with room for 2 results"
    );
    assert_eq!(
        message(instance.map::<i64, i32>("count", &[1], &mut [0])),
        "export `count` has type (i32) -> i32, but func(p0: s64) -> s32 needs (i64) -> i32"
    );
    assert_eq!(
        message(instance.map::<(i32, i32), ()>("count", &[], &mut [])),
        "export `count` has type (i32) -> i32, but func(p0: s32, p1: s32) needs (i32, i32) -> ()"
    );
    assert_eq!(
        message(instance.fold::<i64, i32>("pair", &mut 1, &[])),
        "export `pair` has type (i32, i64, i32, i32) -> (i32, i64), but func(p0: s64, p1: s32) -> \
         s64 needs (i64, i32) -> i64"
    );
    assert_eq!(
        message(instance.map_iter::<f32, f64, _>("count", []).map(drop)),
        "export `count` has type (i32) -> i32, but func(p0: f32) -> f64 needs (f32) -> f64"
    );
    // No results, so there is nothing to fold.
    let refused = message(instance.fold::<(), ()>("tick", &mut (), &[]));
    assert!(
        refused.starts_with("export `tick` has type () -> ()"),
        "{refused}"
    );

    let unmapped = "export `ticks` has no loop around it: call `map_export(\"ticks\")` on the \
                    host before it makes the program";
    let mut instance = mapped(MANY, &["count"]);
    assert_eq!(
        message(instance.map::<(), i32>("ticks", &[], &mut [])),
        unmapped
    );
    assert_eq!(
        message(instance.fold::<i32, ()>("ticks", &mut 0, &[])),
        unmapped
    );
    assert_eq!(
        message(instance.map_iter::<(), i32, _>("ticks", []).map(drop)),
        unmapped
    );
}

#[test]
fn exports_that_cannot_be_mapped() {
    let program = |guest: &str, name: &str| {
        let mut host = Host::<()>::new();
        message(host.map_export(name).program(guest.as_bytes()))
    };
    assert_eq!(
        program("(module (func (export \"f\")))", "g"),
        "the guest has no export `g`; it exports `f`"
    );
    assert_eq!(
        program("(module (memory (export \"f\") 1))", "f"),
        "export `f` is a memory, not a function"
    );
    for ty in ["funcref", "externref", "v128"] {
        assert_eq!(
            program(
                &format!("(module (func (export \"f\") (param i32 {ty})))"),
                "f"
            ),
            format!(
                "export `f` has type (i32, {ty}) -> (), and {ty} has no place in a batch: what is \
                 mapped takes and returns i32, i64, f32 and f64"
            )
        );
    }
    // Twice is once.
    let instance = mapped(MANY, &["count", "count"]);
    let mapped = &instance.program().plan().mapped;
    assert_eq!(mapped.len(), 1);
    assert!(mapped[0].folds);
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

/// An export may be an import, however that crosses.
#[test]
fn imports_are_mapped() {
    let guest = r#"(module
        (import "env" "plain" (func $plain (param i32) (result i32)))
        (import "env" "later" (func $later (param i32)))
        (import "env" "inline" (func $inline (param i32) (result i32)))
        (export "plain" (func $plain)) (export "later" (func $later))
        (export "inline" (func $inline)))"#;
    let mut host = Host::<Vec<i32>>::new();
    host.func_with_state("env", "plain", |seen: &mut Vec<i32>, n: i32| {
        seen.push(-1);
        n + 1
    })
    .deferred_with_state("env", "later", |seen: &mut Vec<i32>, n: i32| seen.push(n))
    .inline_wat(
        "env",
        "inline",
        "(func (param i32) (result i32) (i32.mul (local.get 0) (i32.const 5)))",
    )
    .expect("it assembles")
    .map_export("plain")
    .map_export("later")
    .map_export("inline")
    .count_calls(true);
    for queue in [16, 100, 32 << 10] {
        host.queue_size(queue);
        let mut instance = instance(&host, guest, Vec::new());
        let inputs: Vec<i32> = (0..3000).collect();
        let mut outputs = vec![0; 3000];
        instance.map("inline", &inputs, &mut outputs).unwrap();
        assert!(outputs.iter().copied().eq(inputs.iter().map(|n| n * 5)));
        instance
            .map::<i32, ()>("later", &inputs, &mut [(); 3000])
            .unwrap();
        assert_eq!(*instance.state(), inputs);
        instance
            .map("plain", &inputs[..10], &mut outputs[..10])
            .unwrap();
        assert_eq!(outputs[..10], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let calls: Vec<u64> = instance.calls().iter().map(|calls| calls.calls).collect();
        assert_eq!(calls, [10, 3000, 3000]);
    }
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
