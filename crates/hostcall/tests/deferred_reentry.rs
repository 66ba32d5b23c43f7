//! Handlers that run the guest, which queues more; and start functions.

mod queues;

use hostcall::{Error, Guest, Host, Instance, Trap, Value};
use queues::*;

/// A host whose functions call exports of the guest by name.
fn calling() -> Host<Vec<String>> {
    let mut host = Host::new();
    host.deferred(
        "env",
        "seen",
        |guest: &mut Guest<'_, Vec<String>>, n: u32| {
            guest.state_mut().push(format!("seen {n}"));
        },
    )
    .deferred_with_state("env", "batch", |log: &mut Vec<String>, n: u32| {
        log.push(format!("batch {n}"));
    })
    .deferred_batch("env", "slice", |log: &mut Vec<String>, slice: &[u16]| {
        log.extend(slice.iter().map(|n| format!("slice {n}")));
    })
    .deferred(
        "env",
        "later",
        |guest: &mut Guest<'_, Vec<String>>, n: u32| back(guest, "later", n),
    )
    .func(
        "env",
        "now",
        |guest: &mut Guest<'_, Vec<String>>, n: u32| back(guest, "now", n),
    )
    .deferred(
        "env",
        "alloc",
        |guest: &mut Guest<'_, Vec<String>>, n: u32| {
            guest.state_mut().push(format!("alloc {n}"));
            let at = guest.alloc(u64::from(n), 1)?;
            guest.state_mut().push(format!("at {at}"));
            Ok::<(), Error>(())
        },
    );
    // It is the stack that ends what is endless here.
    for name in ["later", "now"] {
        host.reentrant("env", name, u32::MAX);
    }
    host
}

fn back(guest: &mut Guest<'_, Vec<String>>, name: &str, n: u32) -> Result<(), Error> {
    guest.state_mut().push(format!("{name} {n}"));
    let left = guest.export::<u32, u32>("back")?.call_in(guest, n)?;
    guest.state_mut().push(format!("{name} {n} got {left}"));
    Ok(())
}

const CALLING: &str = r#"
    (import "env" "seen" (func $seen (param i32)))
    (import "env" "batch" (func $batch (param i32)))
    (import "env" "slice" (func $slice (param i32)))
    (import "env" "later" (func $later (param i32)))
    (import "env" "now" (func $now (param i32)))
    (import "env" "alloc" (func $alloc (param i32)))"#;

/// What a guest does with deferring off, and with queues of all sizes.
#[track_caller]
fn same(items: &str, run: impl Fn(&mut Instance<Vec<String>>)) -> Vec<String> {
    let guest = format!("(module {CALLING} {items})");
    let log = |queue: Option<u32>| {
        let mut host = calling();
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest.as_bytes());
        let program = program.unwrap_or_else(|error| panic!("{error}\n{guest}"));
        let mut instance = program.instantiate(Vec::new()).expect("it instantiates");
        run(&mut instance);
        assert_eq!(instance.undelivered(), []);
        instance.into_state()
    };
    let expected = log(None);
    for queue in QUEUES {
        assert_eq!(log(Some(*queue)), expected, "with a queue of {queue}");
    }
    expected
}

fn call_run(instance: &mut Instance<Vec<String>>) {
    instance.call("run", &[]).expect("it runs");
}

/// Three calls deep, each of which makes calls before and behind.
const BACK: &str = r#"
    (func (export "back") (param $n i32) (result i32)
        (call $seen (local.get $n))
        (call $batch (local.get $n))
        (if (local.get $n) (then
            (call $later (i32.sub (local.get $n) (i32.const 1)))
            (call $slice (local.get $n))
            (call $slice (local.get $n))))
        (call $seen (i32.add (local.get $n) (i32.const 100)))
        (i32.mul (local.get $n) (i32.const 2)))"#;

#[test]
fn what_handlers_queue_is_delivered_before_they_return() {
    let run = r#"(func (export "run")
        (call $seen (i32.const 200))
        (call $later (i32.const 1))
        (call $later (i32.const 0))
        (call $batch (i32.const 201)))"#;
    let seen = same(&format!("{BACK} {run}"), call_run);
    // With deferring off, the innermost call comes where it stands; `same` has
    // compared that.
    assert_eq!(
        seen,
        [
            "seen 200",
            "later 1",
            "seen 1",
            "batch 1",
            "later 0",
            "seen 0",
            "batch 0",
            "seen 100",
            "later 0 got 0",
            "slice 1",
            "slice 1",
            "seen 101",
            "later 1 got 2",
            "later 0",
            "seen 0",
            "batch 0",
            "seen 100",
            "later 0 got 0",
            "batch 201"
        ]
    );
    let deep = r#"(func (export "run")
        (call $later (i32.const 5)) (call $now (i32.const 4)) (call $later (i32.const 3))
        (call $now (i32.const 2)) (call $slice (i32.const 1)))"#;
    same(&format!("{BACK} {deep}"), call_run);
}

#[test]
fn functions_that_are_not_deferred_run_the_guest() {
    let items = r#"
        (func (export "back") (param $n i32) (result i32)
            (call $seen (local.get $n))
            (if (local.get $n) (then
                (call $now (i32.sub (local.get $n) (i32.const 1)))
                (call $slice (local.get $n))
                (call $now (i32.sub (local.get $n) (i32.const 1)))))
            (call $batch (local.get $n))
            (i32.const 7))
        (func (export "run")
            (call $batch (i32.const 50)) (call $now (i32.const 3)) (call $batch (i32.const 51)))"#;
    same(items, call_run);
}

#[test]
fn an_allocator_may_queue() {
    let items = r#"(memory (export "memory") 1)
        (global $next (mut i32) (i32.const 64))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (call $batch (i32.const 1))
            (call $seen (i32.const 2))
            (global.set $next (i32.add (global.get $next) (local.get 3)))
            (call $slice (i32.const 3))
            (global.get $next))
        (func (export "run")
            (call $batch (i32.const 0))
            (call $alloc (i32.const 8))
            (call $slice (i32.const 9))
            (call $alloc (i32.const 16))
            (call $slice (i32.const 10)))"#;
    let seen = same(items, call_run);
    let inside = ["batch 1", "seen 2", "slice 3"];
    assert_eq!(seen[2..5], inside);
    assert_eq!(seen[5], "at 72");
    assert_eq!(seen[8..11], inside);
}

#[test]
fn imports_that_are_exported_again() {
    let items = r#"
        (export "back" (func $give))
        (func $give (param i32) (result i32) (call $seen (local.get 0)) (local.get 0))
        (export "run later" (func $later))
        (export "run now" (func $now))
        (export "run slice" (func $slice))
        (table (export "table") funcref (elem $later $slice))"#;
    same(items, |instance| {
        for name in ["run later", "run now", "run slice", "run later"] {
            instance.call(name, &[Value::S32(3)]).expect("it runs");
        }
        instance.guest(|guest| {
            for (index, n) in [(0, 5), (1, 6), (1, 7)] {
                let func = guest.table_func::<u32, ()>("table", index).unwrap();
                guest.call(&func, n).unwrap();
            }
        });
    });
}

/// A guest that calls itself through handlers ends in a trap, not in a stack
/// that is too small, wherever its calls are delivered.
#[test]
fn endless_recursion_ends_in_a_trap() {
    for (name, calls) in [
        ("later", "(call $later (local.get 0))"),
        (
            "later",
            "(call $later (local.get 0)) (call $later (local.get 0))",
        ),
        (
            "later",
            "(call $seen (i32.const 0)) (call $later (local.get 0)) (call $slice (i32.const 1))",
        ),
        ("now", "(call $now (local.get 0))"),
        (
            "now",
            "(call $later (local.get 0)) (call $now (local.get 0))",
        ),
    ] {
        for queue in [None, Some(8), Some(16), Some(24), Some(64), Some(4096)] {
            let mut host = calling();
            match queue {
                Some(size) => host.queue_size(size),
                None => host.deferring(false),
            };
            let guest = format!(
                "(module {CALLING} (func (export \"back\") (param i32) (result i32)
                    {calls} (i32.const 0)))"
            );
            let program = host.program(guest.as_bytes()).expect("it links");
            let mut instance = program.instantiate(Vec::new()).expect("it instantiates");
            let error = instance.call("back", &[Value::S32(0)]).unwrap_err();
            let message = error.to_string();
            assert!(message.contains("stack"), "{name} {queue:?}: {message}");
            assert!(innermost(&error).is_some(), "{message}");
            // It is as good as after any other trap.
            instance.discard_deferred();
            assert_eq!(instance.undelivered(), []);
            instance.state_mut().clear();
            instance.deliver_deferred().expect("there is nothing");
            assert_eq!(*instance.state(), [""; 0]);
        }
    }
}

/// The trap that a chain of errors began with.
fn innermost(error: &Error) -> Option<Trap> {
    let mut error = error;
    loop {
        match error.downcast_ref::<Error>() {
            Some(inner) if !std::ptr::eq(inner, error) => error = inner,
            _ => break,
        }
    }
    error.trap().filter(|trap| *trap == Trap::StackOverflow)
}

/// The handler that finds no stack left goes on: what its call has queued comes
/// before what was queued behind it.
#[test]
fn recursion_that_handlers_survive_keeps_its_order() {
    let mut host = Host::<Vec<u32>>::new();
    host.deferred("env", "down", |guest: &mut Guest<'_, Vec<u32>>, n: u32| {
        guest.state_mut().push(n);
        // It ends somewhere, which is no matter.
        let down = guest.export::<u32, ()>("down").unwrap();
        down.call_in(guest, n + 1).unwrap_or(());
    })
    .reentrant("env", "down", u32::MAX);
    host.deferred_with_state("env", "up", |seen: &mut Vec<u32>, n: u32| seen.push(n));
    let guest = br#"(module
        (import "env" "down" (func $down (param i32)))
        (import "env" "up" (func $up (param i32)))
        (func (export "down") (param i32)
            (if (i32.gt_u (local.get 0) (i32.const 9999)) (then (return)))
            (call $down (local.get 0))
            (call $up (local.get 0))))"#;
    let program = host.program(guest).expect("it links");
    let mut instance = program.instantiate(Vec::new()).expect("it instantiates");
    let down = instance.export::<u32, ()>("down").unwrap();
    down.call(&mut instance, 0).expect("handlers go on");
    let seen = instance.into_state();
    // Down, and up again, with nothing left out but the call that found no stack.
    let deepest = seen.iter().copied().max().unwrap();
    assert!(deepest > 10 && deepest < 9999, "{deepest}");
    assert!(
        seen.iter()
            .copied()
            .eq((0..deepest).chain((0..=deepest).rev()))
    );
}

/// The program that starts by itself, and what it has done by then.
fn started(items: &str, queue: Option<u32>) -> (Result<(), Error>, Vec<String>) {
    let kit = Kit::new(&guest(items), queue);
    let started = kit.program.instantiate(kit.app.clone());
    (started.map(drop), kit.app.take())
}

#[test]
fn start_functions_have_their_calls_delivered() {
    let again = r#"(func (export "again") (param i32) (call $free (i32.const 9)))"#;
    for (start, trap, log) in [
        ("", None, vec!["note 1", "text one"]),
        (
            "(drop (call $plain (i32.const 2))) (call $later (i32.const 3))",
            None,
            vec!["note 1", "text one", "plain 2", "later 3", "free 9"],
        ),
        (
            "(call $now (i32.const 3)) (unreachable)",
            Some(Trap::UnreachableCodeReached),
            vec!["note 1", "text one", "now 3", "free 9"],
        ),
        (
            "(unreachable)",
            Some(Trap::UnreachableCodeReached),
            vec!["note 1", "text one"],
        ),
    ] {
        let items = format!(
            "{again} (func $start (call $note (i32.const 1))
                (call $text (i32.const 16) (i32.const 3)) {start})
            (start $start)"
        );
        for queue in [None].into_iter().chain(QUEUES.iter().copied().map(Some)) {
            let (started, seen) = started(&items, queue);
            assert_eq!(seen, log, "with a queue of {queue:?}");
            match (started, trap) {
                (Ok(()), None) => {}
                (Err(error), Some(trap)) => {
                    assert_eq!(error.trap(), Some(trap));
                    assert!(
                        error.to_string().ends_with("while instantiating"),
                        "{error}"
                    );
                }
                (started, _) => panic!("{started:?}"),
            }
        }
    }
}

#[test]
fn a_start_function_may_be_an_import() {
    let mut host = Host::<Vec<u32>>::new();
    host.deferred_with_state("env", "start", |seen: &mut Vec<u32>| seen.push(1))
        .deferred_with_state("env", "other", |seen: &mut Vec<u32>| seen.push(2))
        .func_with_state("env", "plain", |seen: &mut Vec<u32>| seen.push(3))
        .inline_wat("env", "inline", "(func (nop))")
        .expect("it assembles");
    for (start, seen) in [
        ("start", vec![1, 2]),
        ("plain", vec![3, 2]),
        ("inline", vec![2]),
        ("other", vec![2, 2]),
    ] {
        for queue in [None, Some(0), Some(16), Some(1000)] {
            match queue {
                Some(size) => host.deferring(true).queue_size(size),
                None => host.deferring(false),
            };
            let guest = format!(
                r#"(module (import "env" "{start}" (func $start)) (import "env" "other" (func $other))
                    (func (export "run") (call $other)) (start $start))"#
            );
            let program = host.program(guest.as_bytes()).expect("it links");
            let mut instance = program.instantiate(Vec::new()).expect("it starts");
            assert_eq!(instance.state().len(), seen.len() - 1);
            instance.call("run", &[]).expect("it runs");
            assert_eq!(*instance.state(), seen, "{start} {queue:?}");
        }
    }
}

/// The error of a start function is what it is without a queue.
#[test]
fn a_failure_in_a_start_function() {
    let items =
        "(func $start (call $note (i32.const 1)) (call $note (i32.const 2))) (start $start)";
    for queue in [None, Some(8), Some(1000)] {
        let kit = Kit::new(&guest(items), queue);
        kit.app.seen().fails = Some(Fails {
            at: 1,
            panics: false,
        });
        let error = kit.program.instantiate(kit.app.clone()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Refused(1)));
        assert_eq!(error.import(), Some(("env", "note")));
        assert!(
            error.to_string().ends_with("while instantiating"),
            "{error}"
        );
        assert_eq!(kit.app.take(), ["note 1"]);
    }
}

/// Mapped exports make deferred calls, which handlers answer with more.
#[test]
fn mapped_exports_queue_calls() {
    let guest = format!(
        r#"(module {CALLING} {BACK}
            (func (export "map") (param i32) (result i32)
                (call $slice (local.get 0))
                (if (i32.eq (i32.rem_u (local.get 0) (i32.const 100)) (i32.const 3))
                    (then (call $later (i32.const 2))))
                (if (i32.eq (i32.rem_u (local.get 0) (i32.const 100)) (i32.const 4))
                    (then (call $now (i32.const 1))))
                (call $seen (local.get 0))
                (i32.add (local.get 0) (i32.const 1)))
            (func (export "fold") (param i32 i32) (result i32)
                (call $batch (local.get 0))
                (call $later (i32.rem_u (local.get 1) (i32.const 3)))
                (i32.add (local.get 0) (local.get 1))))"#
    );
    let run = |queue: Option<u32>| {
        let mut host = calling();
        host.map_export("map").map_export("fold");
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest.as_bytes()).expect("it links");
        let mut instance = program.instantiate(Vec::new()).expect("it instantiates");
        let inputs: Vec<i32> = (0..3000).collect();
        let mut outputs = vec![0; inputs.len()];
        instance.map("map", &inputs, &mut outputs).expect("it maps");
        assert!(outputs.iter().copied().eq(1..=3000));
        let mut sum = 0;
        instance
            .fold("fold", &mut sum, &inputs[..100])
            .expect("it folds");
        assert_eq!(sum, 4950);
        let some = instance
            .map_iter::<i32, i32, _>("map", 5..10)
            .expect("it has the type");
        assert_eq!(
            some.map(Result::unwrap).collect::<Vec<_>>(),
            [6, 7, 8, 9, 10]
        );
        instance.into_state()
    };
    let expected = run(None);
    for queue in [0, 16, 24, 100, 1000, 32 << 10] {
        assert!(run(Some(queue)) == expected, "with a queue of {queue}");
    }
}

/// Results of exports often share one place, which nothing may touch until the
/// host has read and freed them: not a handler that calls another export either.
#[test]
fn results_are_read_before_handlers_run_the_guest() {
    let guest = r#"(module
        (import "env" "visit" (func $visit))
        (memory (export "memory") 1)
        (data (i32.const 32) "outer")
        (data (i32.const 64) "inner one")
        (func $result (param $at i32) (param $length i32) (result i32)
            (i32.store (i32.const 16) (local.get $at))
            (i32.store (i32.const 20) (local.get $length))
            (i32.const 16))
        (func $free (param i32)
            (i32.store (i32.const 128) (i32.add
                (i32.mul (i32.load (i32.const 128)) (i32.const 100))
                (i32.load (local.get 0)))))
        (func (export "outer") (result i32)
            (call $visit)
            (call $result (i32.const 32) (i32.const 5)))
        (func (export "inner") (result i32) (call $result (i32.const 64) (i32.const 9)))
        (export "cabi_post_outer" (func $free))
        (export "cabi_post_inner" (func $free))
        (func (export "freed") (result i32)
            (i32.load (i32.const 128))
            (i32.store (i32.const 128) (i32.const 0))))"#;
    let mut host = Host::<Vec<String>>::new();
    host.deferred("env", "visit", |guest: &mut Guest<'_, Vec<String>>| {
        let inner = guest.export::<(), String>("inner")?.call_in(guest, ())?;
        guest.state_mut().push(inner);
        Ok::<(), Error>(())
    })
    .reentrant("env", "visit", 1);
    let program = host.program(guest.as_bytes()).expect("it links");
    let mut instance = program.instantiate(Vec::new()).expect("it instantiates");
    let freed = instance.export::<(), u32>("freed").unwrap();

    let outer = instance.export::<(), String>("outer").unwrap();
    assert_eq!(outer.call(&mut instance, ()).unwrap(), "outer");
    assert_eq!(freed.call(&mut instance, ()).unwrap(), 32 * 100 + 64);

    let signature = "func() -> string".parse().unwrap();
    let outer = instance.export_with("outer", signature).unwrap();
    let mut result = [Value::String(String::new())];
    outer.call(&mut instance, &[], &mut result).unwrap();
    assert_eq!(result, [Value::String("outer".to_owned())]);
    assert_eq!(freed.call(&mut instance, ()).unwrap(), 32 * 100 + 64);
    assert_eq!(*instance.state(), ["inner one", "inner one"]);
}

/// Time is in proportion to what is queued, however short the runs are.
#[test]
fn a_queue_of_many_short_runs() {
    let mut host = Host::<u32>::new();
    host.queue_size(4 << 20)
        .deferred("env", "a", |guest: &mut Guest<'_, u32>| {
            *guest.state_mut() += 1
        })
        .deferred_with_state("env", "b", |count: &mut u32| *count += 1);
    let guest = br#"(module (import "env" "a" (func $a)) (import "env" "b" (func $b))
        (func (export "run") (param i32)
            (loop $again
                (call $a) (call $b)
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $again (local.get 0)))))"#;
    let program = host.program(guest).expect("it links");
    let mut instance = program.instantiate(0).expect("it instantiates");
    let run = instance.export::<u32, ()>("run").unwrap();
    run.call(&mut instance, 131_072).expect("it runs");
    assert_eq!(*instance.state(), 262_144);
}
