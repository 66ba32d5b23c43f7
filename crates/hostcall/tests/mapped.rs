//! Mapped exports: one crossing for many calls.

mod common;

use common::*;
use hostcall::{Error, Fault, Host, Instance, Scalars};
use std::fmt::Debug;

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
