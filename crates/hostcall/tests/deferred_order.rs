//! Deferred functions: the host sees the calls of a guest in their order.

mod queues;

use hostcall::{Crossing, Host};
use queues::*;

/// Runs an export with deferring off and with queues of many sizes; gives what
/// the host saw, which is the same.
#[track_caller]
fn same(items: &str) -> Vec<String> {
    let guest = guest(items);
    let run = |queue| {
        let (mut instance, app) = start(&guest, queue);
        let run = instance.export::<(), i32>("run").expect("it is exported");
        let result = run.call(&mut instance, ()).map_err(|error| error.trap());
        assert_eq!(instance.undelivered(), []);
        (result, app.log())
    };
    let expected = run(None);
    for queue in QUEUES {
        assert_eq!(run(Some(*queue)), expected, "with a queue of {queue}");
    }
    expected.1
}

fn body(calls: &str) -> String {
    format!("(func (export \"run\") (result i32) {calls} (i32.const 0))")
}

/// Every deferred function once.
const ALL: &str = r#"
    (call $free (i32.const 1))
    (call $note (i32.const 2))
    (call $wide (i64.const -3) (f64.const 0.5))
    (call $text (i32.const 16) (i32.const 3))
    (call $mixed (i32.const 19) (i32.const 3) (i32.const 4) (i32.const 16) (i32.const 2))
    (call $owned (i32.const 22) (i32.const 5))
    (call $sample (i32.const 5) (f64.const 1.5))
    (call $sample (i32.const 6) (f64.const 2.5))
    (call $small (i32.const 7) (i32.const 1) (i32.const -1))
    (call $small (i32.const 8) (i32.const 0) (i32.const -2))
    (call $small (i32.const 9) (i32.const 256) (i32.const -3))
    (call $dynamic (i32.const 10) (i32.const 27) (i32.const 4))
    (call $guest (i32.const 11))"#;

const ALL_SEEN: [&str; 13] = [
    "free 1",
    "note 2",
    "wide -3 0.5",
    "text one",
    "mixed two 4 [28271, 29797]",
    "owned three",
    "sample 5 1.5",
    "sample 6 2.5",
    "small 7 true -1",
    "small 8 false -2",
    "small 9 true -3",
    "dynamic 10 🦀",
    "guest 11",
];

#[test]
fn functions_of_all_kinds_keep_their_order() {
    assert_eq!(same(&body(ALL)), ALL_SEEN);
    let twice = same(&body(&ALL.repeat(2)));
    assert_eq!(twice, [ALL_SEEN, ALL_SEEN].concat());
}

#[test]
fn they_are_deferred() {
    let (instance, _) = start(&guest(""), Some(1000));
    let imports = &instance.program().plan().imports;
    let crossing = |crossing| {
        let imports = imports.iter();
        let such = imports.filter(|import| import.crossing == Some(crossing));
        such.map(|import| import.import.name.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        crossing(Crossing::Deferred),
        [
            "free", "note", "wide", "text", "mixed", "owned", "sample", "small", "dynamic",
            "guest", "later", "calm"
        ]
    );
    assert_eq!(crossing(Crossing::Inline), ["add", "get"]);
    assert_eq!(
        crossing(Crossing::Call),
        ["now", "plain", "slow", "find", "unknown"]
    );
    let find = imports.iter().find(|import| import.import.name == "find");
    assert_eq!(
        find.map(|import| import.reason.as_str()),
        Some(
            "not inlined: its body calls a function that is not imported, which deferred calls \
             must come before"
        )
    );
}

/// What is not deferred, each between deferred calls.
#[test]
fn other_functions_come_behind_what_is_queued() {
    let others = [
        ("(drop (call $plain (i32.const 1)))", vec!["plain 1"]),
        ("(call $unknown (i32.const 2))", vec!["unknown [S32(2)]"]),
        ("(drop (call $add (i32.const 2) (i32.const 3)))", vec![]),
        ("(drop (call $get (i32.const 3)))", vec![]),
        ("(drop (call $get (i32.const 13)))", vec!["slow 13"]),
        ("(drop (call $find (i32.const 4)))", vec![]),
        ("(drop (call $find (i32.const 14)))", vec!["hidden 14"]),
        (
            "(call $now (i32.const 5))",
            vec!["now 5", "text again", "free 5"],
        ),
        (
            "(call $later (i32.const 6))",
            vec!["later 6", "text again", "free 6"],
        ),
        (
            "(drop (call_indirect (param i32) (result i32) (i32.const 7) (i32.const 0)))",
            vec!["plain 7"],
        ),
        (
            "(call_indirect (param i32) (i32.const 8) (i32.const 1))",
            vec!["note 8"],
        ),
        (
            "(call_ref $takes (i32.const 9) (ref.func $free))",
            vec!["free 9"],
        ),
        ("(call $tail (i32.const 10))", vec!["guest 10"]),
    ];
    let functions = r#"
        (type $takes (func (param i32)))
        (table funcref (elem $plain $note $free))
        (data (i32.const 64) "again")
        (func $tail (param i32) (return_call $guest (local.get 0)))
        (func (export "again") (param i32)
            (call $text (i32.const 64) (i32.const 5))
            (call $free (local.get 0)))"#;
    let mut calls = String::new();
    let mut expected = Vec::new();
    for (call, seen) in others {
        let between = "(call $note (i32.const 0)) (call $sample (i32.const 1) (f64.const 0))";
        calls += &format!("{between} {call} {between}\n");
        expected.extend(["note 0", "sample 1 0"]);
        expected.extend(seen);
        expected.extend(["note 0", "sample 1 0"]);
    }
    let run = body(&calls);
    assert_eq!(same(&format!("{functions} {run}")), expected);
}

/// A queue that is full is delivered, whatever the sizes of records.
#[test]
fn a_loop_of_many_calls_keeps_its_order() {
    let calls = format!(
        r#"(local $i i32)
        (loop $again
            (call $text (i32.const 16) (i32.rem_u (local.get $i) (i32.const 12)))
            (if (i32.rem_u (local.get $i) (i32.const 7))
                (then (call $small (local.get $i) (local.get $i) (local.get $i)))
                (else (drop (call $plain (local.get $i)))))
            (call $note (local.get $i))
            (if (i32.and (local.get $i) (i32.const 1)) (then {ALL}))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 50))))"#
    );
    assert_eq!(same(&body(&calls)).len(), 150 + 25 * ALL_SEEN.len());
}

#[test]
fn calls_are_delivered_many_at_once() {
    let calls = "(local $i i32)
        (loop $again
            (call $sample (local.get $i) (f64.const 1))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 10))))";
    for (queue, slices) in [
        (0, vec![1; 10]),
        (16, vec![1; 10]),
        (32, vec![1; 10]),
        (48, vec![2; 5]),
        (64, vec![3, 3, 3, 1]),
        (1000, vec![10]),
    ] {
        let (mut instance, app) = start(&guest(&body(calls)), Some(queue));
        instance.call("run", &[]).expect("it runs");
        assert_eq!(app.seen().slices, slices, "with a queue of {queue}");
    }
}

/// Between calls, strings lie where there was no memory before.
#[test]
fn memory_grows_between_calls() {
    let seen = same(&body(
        r#"(call $text (i32.const 65533) (i32.const 3))
        (drop (memory.grow (i32.const 1)))
        (memory.copy (i32.const 65530) (i32.const 16) (i32.const 11))
        (call $text (i32.const 65530) (i32.const 11))
        (call $guest (i32.const 1))
        (drop (memory.grow (i32.const 2)))
        (memory.copy (i32.const 262133) (i32.const 16) (i32.const 11))
        (call $mixed (i32.const 262133) (i32.const 11) (i32.const 2) (i32.const 262144) (i32.const 0))
        (call $owned (i32.const 262133) (i32.const 11))"#,
    ));
    let zeros = "text \0\0\0";
    assert_eq!(
        seen,
        [
            zeros,
            "text onetwothree",
            "guest 1",
            "mixed onetwothree 2 []",
            "owned onetwothree"
        ]
    );
}

/// Strings that no queue of some size holds.
#[test]
fn a_string_that_is_too_long_crosses_in_its_turn() {
    let mut calls = String::new();
    for length in (0..80).chain([900, 1000, 1100, 32750, 32768, 40000]) {
        calls += &format!(
            "(call $note (i32.const {length}))
            (call $text (i32.const 1000) (i32.const {length}))
            (call $mixed (i32.const 1000) (i32.const {length}) (i32.const 0) (i32.const 16) (i32.const 3))
            (call $dynamic (i32.const 0) (i32.const 1000) (i32.const {length}))
            (call $free (i32.const {length}))"
        );
    }
    assert_eq!(same(&body(&calls)).len(), 86 * 5);
}

#[test]
fn a_trap_comes_behind_what_was_queued_before() {
    for position in 0..ALL_SEEN.len() {
        let lines: Vec<_> = ALL.trim().lines().collect();
        let (before, after) = lines.split_at(position);
        let calls = format!("{} unreachable {}", before.join("\n"), after.join("\n"));
        assert_eq!(same(&body(&calls)), ALL_SEEN[..position]);
    }
}

/// Each bad call of a function traps at once, with the fault that it has
/// without a queue.
#[test]
fn a_bad_pointer_traps_at_the_call() {
    for call in [
        "(call $text (i32.const 65530) (i32.const 7))",
        "(call $text (i32.const -1) (i32.const 1))",
        "(call $text (i32.const 65537) (i32.const 0))",
        "(call $text (i32.const 0) (i32.const -1))",
        "(call $mixed (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1))",
        "(call $mixed (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 65536) (i32.const 1))",
        "(call $mixed (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const -1))",
        "(call $mixed (i32.const -5) (i32.const 6) (i32.const 0) (i32.const 1) (i32.const 1))",
        "(call $owned (i32.const 1) (i32.const 65536))",
        "(call $dynamic (i32.const 1) (i32.const 1) (i32.const 65536))",
    ] {
        let seen = |queue| {
            let calls = format!("{ALL} {call} (call $note (i32.const 99))");
            let (mut instance, app) = start(&guest(&body(&calls)), queue);
            let error = instance.call("run", &[]).unwrap_err();
            assert_eq!(app.log(), ALL_SEEN, "{call}");
            assert_eq!(instance.undelivered(), []);
            (error.to_string(), error.fault().cloned())
        };
        let expected = seen(None);
        for queue in QUEUES {
            assert_eq!(
                seen(Some(*queue)),
                expected,
                "{call} with a queue of {queue}"
            );
        }
    }
}

/// What a call has queued is delivered before its result is anyone's.
#[test]
fn exports_deliver_before_they_return() {
    let items = r#"
        (func (export "add") (param i32 i32) (result i32)
            (call $note (local.get 0))
            (i32.add (local.get 0) (local.get 1)))
        (export "note" (func $note))
        (export "plain" (func $plain))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (call $free (local.get 3))
            (i32.const 1024))
        (func (export "strings") (param i32 i32 i32 i32)
            (call $text (local.get 0) (local.get 1))
            (call $text (local.get 2) (local.get 3)))
        (func (export "give") (result i32)
            (call $note (i32.const 77))
            (i32.store (i32.const 512) (i32.const 16))
            (i32.store (i32.const 516) (i32.const 3))
            (i32.const 512))
        (func (export "cabi_post_give") (param i32) (call $note (i32.const 78)))"#;
    for queue in [None, Some(16), Some(1000)] {
        let (mut instance, app) = start(&guest(items), queue);
        let add = instance.export::<(i32, i32), i32>("add").unwrap();
        for n in 0..3 {
            assert_eq!(add.call(&mut instance, (n, 5)).unwrap(), n + 5);
            assert_eq!(app.log().len(), n as usize + 1);
        }
        // Imports of the guest that it exports again.
        let note = instance.export::<u32, ()>("note").unwrap();
        note.call(&mut instance, 3).unwrap();
        assert_eq!(app.log().pop().as_deref(), Some("note 3"));
        let plain = instance.export::<u32, u32>("plain").unwrap();
        assert_eq!(plain.call(&mut instance, 4).unwrap(), 5);
        assert_eq!(app.log().pop().as_deref(), Some("plain 4"));

        app.seen().log.clear();
        let strings = instance.export::<(&str, &str), ()>("strings").unwrap();
        strings.call(&mut instance, ("abcd", "xyz")).unwrap();
        // Both strings are at one place: the second is what is left there.
        assert_eq!(app.log(), ["free 4", "free 3", "text xyzd", "text xyz"]);

        app.seen().log.clear();
        let give = instance.export::<(), String>("give").unwrap();
        assert_eq!(give.call(&mut instance, ()).unwrap(), "one");
        assert_eq!(app.log(), ["note 77", "note 78"]);

        app.seen().log.clear();
        instance.guest(|guest| guest.alloc(9, 1)).unwrap();
        assert_eq!(app.log(), ["free 9"]);
    }
}

/// The same function twice, under two ids, and under two names.
#[test]
fn a_function_may_be_imported_twice() {
    let mut host = Host::<Vec<u32>>::new();
    host.deferred_with_state("env", "a", |seen: &mut Vec<u32>, n: u32| seen.push(n));
    host.deferred_with_state("env", "b", |seen: &mut Vec<u32>, n: u32| seen.push(100 + n));
    // Another function of the name, which fits another import.
    host.deferred_with_state("env", "a", |seen: &mut Vec<u32>, n: u64| {
        seen.push(200 + n as u32);
    });
    for queue in QUEUES {
        host.queue_size(*queue);
        let program = host.program(
            br#"(module
                (import "env" "a" (func $a (param i32)))
                (import "env" "a" (func $same (param i32)))
                (import "env" "a" (func $other (param i64)))
                (import "env" "b" (func $b (param i32)))
                (func (export "run")
                    (call $a (i32.const 1)) (call $same (i32.const 2)) (call $a (i32.const 3))
                    (call $other (i64.const 4)) (call $b (i32.const 5)) (call $same (i32.const 6))
                    (call $same (i32.const 7)) (call $other (i64.const 8)) (call $a (i32.const 9))))"#,
        );
        let mut instance = program.unwrap().instantiate(Vec::new()).unwrap();
        instance.call("run", &[]).unwrap();
        assert_eq!(*instance.state(), [1, 2, 3, 204, 105, 6, 7, 208, 9]);
    }
}

/// How much was written says when a call was delivered.
#[cfg(feature = "wasi")]
#[test]
fn wasi_comes_behind_what_is_queued() {
    use hostcall::wasi::WasiCtxBuilder;
    use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

    let guest = r#"(module
        (import "env" "note" (func $note (param i32)))
        (import "wasi_snapshot_preview1" "fd_write"
            (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "env" "text" (func $text (param i32 i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "one")
        (data (i32.const 128) "\10\00\00\00\03\00\00\00")
        (func $write (drop (call $fd_write
            (i32.const 1) (i32.const 128) (i32.const 1) (i32.const 256))))
        (func (export "_start")
            (call $note (i32.const 1))
            (call $text (i32.const 16) (i32.const 3))
            (call $write)
            (call $note (i32.const 2))
            (call $write)
            (call $note (i32.const 3))
            (call $exit (i32.const 7))))"#;
    for queue in [None, Some(24), Some(1000)] {
        let (log, pipe) = (App::default(), MemoryOutputPipe::new(1000));
        let mut host = Host::<()>::new();
        let out = pipe.clone();
        host.wasi(move |()| {
            let mut wasi = WasiCtxBuilder::new();
            wasi.stdout(out.clone()).build_p1()
        });
        let (note, text) = ((log.clone(), pipe.clone()), (log.clone(), pipe.clone()));
        host.deferred("env", "note", move |n: u32| {
            let bytes = note.1.contents().len();
            note.0.see(format_args!("note {n} after {bytes} bytes"))
        });
        host.deferred("env", "text", move |s: &str| {
            let bytes = text.1.contents().len();
            text.0.see(format_args!("text {s} after {bytes} bytes"))
        });
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest.as_bytes()).unwrap();
        let mut instance = program.instantiate(()).unwrap();
        assert_eq!(instance.run().unwrap(), 7);
        let expected = [
            "note 1 after 0 bytes",
            "text one after 0 bytes",
            "note 2 after 3 bytes",
            "note 3 after 6 bytes",
        ];
        assert_eq!(log.log(), expected);
    }
}
