//! Calls of imports, counted in the guest.

mod queues;

use hostcall::{Host, Instance, Value};
use queues::*;

/// Counts by name, of functions that were called.
fn counts(instance: &Instance<App>) -> Vec<(String, u64)> {
    let calls = instance.calls();
    assert!(calls.iter().all(|calls| calls.module == "env"));
    let called = calls.into_iter().filter(|calls| calls.calls > 0);
    called.map(|calls| (calls.name, calls.calls)).collect()
}

/// Runs an export with calls counted, in all ways to cross; gives the counts,
/// which are the same.
#[track_caller]
fn counted(items: &str, run: impl Fn(&mut Instance<App>)) -> Vec<(String, u64)> {
    let guest = guest(items);
    let mut expected = None;
    for queue in [None, Some(0), Some(16), Some(24), Some(100), Some(4096)] {
        for inlining in [true, false] {
            for counting in [false, true] {
                let app = App::default();
                let mut host = host(&app);
                host.inlining(inlining).count_calls(counting);
                match queue {
                    Some(size) => host.queue_size(size),
                    None => host.deferring(false),
                };
                let program = host.program(guest.as_bytes()).expect("it links");
                let mut instance = program.instantiate(app.clone()).expect("it instantiates");
                run(&mut instance);
                let memory = instance.guest(|guest| guest.memory().unwrap().to_vec());
                let counts = counts(&instance);
                assert_eq!(counts.is_empty(), !counting);
                // Counting changes nothing else.
                let seen = (app.take(), memory);
                let (before, known) = expected.get_or_insert_with(|| (seen.clone(), None));
                assert!(*before == seen, "{:?} is not {:?}", seen.0, before.0);
                if counting {
                    assert_eq!(*known.get_or_insert(counts.clone()), counts, "{queue:?}");
                }
            }
        }
    }
    expected
        .and_then(|(_, counts)| counts)
        .expect("it was counted")
}

fn run(instance: &mut Instance<App>) {
    instance.call("run", &[]).expect("it runs");
}

#[track_caller]
fn assert_counts(counts: Vec<(String, u64)>, expected: &[(&str, u64)]) {
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, calls)| (name.as_str(), *calls))
        .collect();
    assert_eq!(counts, expected);
}

#[test]
fn every_kind_of_function() {
    let counts = counted(
        r#"(func (export "again") (param i32) (call $guest (local.get 0)))
        (func (export "run") (local $i i32)
            (loop $again
                (call $note (local.get $i))
                (call $text (i32.const 16) (local.get $i))
                (call $mixed (i32.const 16) (i32.const 2) (i32.const 0) (i32.const 0) (local.get $i))
                (call $sample (local.get $i) (f64.const 0))
                (call $sample (local.get $i) (f64.const 0))
                (call $small (local.get $i) (i32.const 1) (i32.const 2))
                (call $dynamic (local.get $i) (i32.const 0) (i32.const 9))
                (i32.store (i32.const 4) (call $add (i32.load (i32.const 4)) (local.get $i)))
                (if (i32.and (local.get $i) (i32.const 1)) (then (call $later (i32.const 1))))
                (if (i32.eqz (local.get $i)) (then
                    (call $now (i32.const 1)) (call $calm (i32.const 2)) (call $unknown (i32.const 3))
                    (drop (call $plain (i32.const 1))) (call $owned (i32.const 0) (i32.const 0))
                    (call $wide (i64.const 0) (f64.const 0)) (call $free (i32.const 7))))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const 10)))))"#,
        run,
    );
    assert_counts(
        counts,
        &[
            ("free", 1),
            ("note", 10),
            ("wide", 1),
            ("text", 10),
            ("mixed", 10),
            ("owned", 1),
            ("sample", 20),
            ("small", 10),
            ("dynamic", 10),
            // Called by `again`.
            ("guest", 7),
            ("later", 5),
            ("calm", 1),
            ("now", 1),
            ("plain", 1),
            ("add", 10),
            ("unknown", 1),
        ],
    );
}

/// What a body calls that stands in the guest is a call of the guest; what a
/// host function calls by itself is not.
#[test]
fn slow_paths() {
    let items = r#"(func (export "run")
        (drop (call $get (i32.const 3))) (drop (call $get (i32.const 13)))
        (drop (call $get (i32.const 14))) (drop (call $slow (i32.const 15)))
        (drop (call $find (i32.const 3))) (drop (call $find (i32.const 13))))"#;
    let calls = |inlining| {
        let app = App::default();
        let mut host = host(&app);
        host.inlining(inlining).count_calls(true);
        let program = host.program(guest(items).as_bytes()).expect("it links");
        let mut instance = program.instantiate(app.clone()).expect("it instantiates");
        run(&mut instance);
        assert_eq!(app.take(), ["slow 13", "slow 14", "slow 15", "hidden 13"]);
        counts(&instance)
    };
    assert_counts(calls(true), &[("get", 3), ("slow", 3), ("find", 2)]);
    assert_counts(calls(false), &[("get", 3), ("slow", 1), ("find", 2)]);
}

#[test]
fn calls_through_tables_and_exports() {
    let counts = counted(
        r#"(type $takes (func (param i32)))
        (table (export "table") funcref (elem $note $plain $add $get $guest))
        (export "note" (func $note)) (export "plain" (func $plain)) (export "add" (func $add))
        (func $tail (param i32) (result i32) (return_call $add (local.get 0) (i32.const 1)))
        (func (export "run")
            (call_indirect (param i32) (i32.const 1) (i32.const 0))
            (call_indirect (param i32) (i32.const 1) (i32.const 4))
            (drop (call_indirect (param i32) (result i32) (i32.const 1) (i32.const 1)))
            (drop (call_indirect (param i32 i32) (result i32) (i32.const 1) (i32.const 1) (i32.const 2)))
            (drop (call_indirect (param i32) (result i32) (i32.const 9) (i32.const 3)))
            (call_ref $takes (i32.const 1) (ref.func $note))
            (drop (call $tail (i32.const 5))))"#,
        |instance| {
            run(instance);
            instance.call("note", &[Value::S32(1)]).expect("it runs");
            instance.call("plain", &[Value::S32(1)]).expect("it runs");
            let add = instance.call("add", &[Value::S32(1), Value::S32(2)]);
            assert_eq!(add.expect("it runs"), [Value::S32(3)]);
            instance.guest(|guest| {
                let note = guest.table_func::<u32, ()>("table", 0).unwrap();
                guest.call(&note, 4).unwrap();
            });
        },
    );
    assert_counts(
        counts,
        &[
            ("note", 4),
            ("guest", 1),
            ("plain", 2),
            ("add", 3),
            ("get", 1),
        ],
    );
}

/// A call counts when it is made, whatever comes of it.
#[test]
fn calls_that_fail() {
    let counts = counted(
        r#"(func (export "text") (call $note (i32.const 1)) (call $text (i32.const 65536) (i32.const 1)))
        (func (export "trap") (call $note (i32.const 2)) (unreachable))"#,
        |instance| {
            instance
                .call("text", &[])
                .expect_err("that lies outside memory");
            instance.call("trap", &[]).expect_err("it traps");
            instance
                .call("text", &[])
                .expect_err("that lies outside memory");
        },
    );
    assert_counts(counts, &[("note", 3), ("text", 2)]);
}

#[test]
fn start_functions_and_optional_imports() {
    let mut host = Host::<Vec<u32>>::new();
    host.deferred_with_state("env", "later", |seen: &mut Vec<u32>, n: u32| seen.push(n))
        .optional("env", "optional")
        .optional("env", "struct")
        .count_calls(true);
    let guest = r#"(module
        (import "env" "later" (func $later (param i32)))
        (import "env" "optional" (func $optional (param externref) (result v128)))
        (import "env" "later" (func $same (param i32)))
        (func $start (call $later (i32.const 1)) (call $same (i32.const 2)) (call $same (i32.const 3)))
        (func (export "run") (drop (call $optional (ref.null extern))))
        (start $start))"#;
    for (deferring, size) in [(false, 0), (true, 0), (true, 16), (true, 1000)] {
        host.deferring(deferring).queue_size(size);
        let program = host.program(guest.as_bytes()).expect("it links");
        let mut instance = program.instantiate(Vec::new()).expect("it starts");
        instance
            .call("run", &[])
            .expect_err("the import is not there");
        assert_eq!(*instance.state(), [1, 2, 3]);
        let calls: Vec<_> = instance
            .calls()
            .into_iter()
            .map(|calls| (calls.name, calls.calls))
            .collect();
        // The same function twice is two imports.
        assert_eq!(
            calls,
            [
                ("later".into(), 1),
                ("optional".into(), 1),
                ("later".into(), 2)
            ]
        );
        // Each instance has counts of its own.
        let other = program.instantiate(Vec::new()).expect("it starts");
        assert_eq!(other.calls()[1].calls, 0);
    }
}

/// Other imports than functions are between them.
#[test]
fn memories_and_globals_are_not_counted() {
    let mut host = Host::<()>::new();
    host.memory("env", "memory", hostcall::MemoryType::new(1, None))
        .global("env", "global", false, Value::S32(1))
        .deferred("env", "a", |_: &str| ())
        .func("env", "b", |_: u32| ())
        .count_calls(true);
    let program = host.program(
        br#"(module
            (import "env" "memory" (memory 1))
            (import "env" "a" (func $a (param i32 i32)))
            (import "env" "global" (global i32))
            (import "env" "b" (func $b (param i32)))
            (func (export "run") (call $a (i32.const 0) (i32.const 3)) (call $a (i32.const 0) (i32.const 3))
                (call $b (global.get 0))))"#,
    );
    let mut instance = program.unwrap().instantiate(()).unwrap();
    instance.call("run", &[]).unwrap();
    let calls: Vec<_> = instance
        .calls()
        .into_iter()
        .map(|calls| (calls.name, calls.calls))
        .collect();
    assert_eq!(calls, [("a".into(), 2), ("b".into(), 1)]);
}

/// Guests that import nothing, and hosts that do not count.
#[test]
fn nothing_to_count() {
    let mut host = Host::<()>::new();
    let guest = b"(module (func (export \"f\")))";
    assert!(
        host.program(guest)
            .unwrap()
            .instantiate(())
            .unwrap()
            .calls()
            .is_empty()
    );
    host.count_calls(true);
    let program = host.program(guest).unwrap();
    assert!(program.instantiate(()).unwrap().calls().is_empty());
    let same = wat::parse_bytes(guest).unwrap();
    assert_eq!(program.linked(), &*same);
}

#[cfg(feature = "wasi")]
#[test]
fn wasi_is_counted() {
    use hostcall::wasi::WasiCtxBuilder;

    let mut host = Host::<()>::new();
    host.wasi(|()| WasiCtxBuilder::new().build_p1())
        .count_calls(true);
    let program = host.program(
        br#"(module
            (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start")
                (drop (call $yield)) (drop (call $yield)) (call $exit (i32.const 3))))"#,
    );
    let mut instance = program.unwrap().instantiate(()).unwrap();
    assert_eq!(instance.run().unwrap(), 3);
    let calls: Vec<_> = instance
        .calls()
        .into_iter()
        .map(|calls| calls.calls)
        .collect();
    assert_eq!(calls, [2, 1]);
}
