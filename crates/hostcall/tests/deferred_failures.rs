//! Deferred functions that fail: which call it was, and what comes after it.

mod queues;

use hostcall::{Error, ErrorKind, Guest, Host, Instance, KeptCalls, Trap};
use queues::*;

/// Calls of every kind, with the function of each; those of one slice fail
/// together.
const CALLS: [(&str, &str, &str); 14] = [
    ("free", "(call $free (i32.const 1))", "free 1"),
    ("note", "(call $note (i32.const 2))", "note 2"),
    ("note", "(call $note (i32.const 3))", "note 3"),
    (
        "wide",
        "(call $wide (i64.const 4) (f64.const 0.5))",
        "wide 4 0.5",
    ),
    (
        "text",
        "(call $text (i32.const 16) (i32.const 3))",
        "text one",
    ),
    (
        "text",
        "(call $text (i32.const 19) (i32.const 3))",
        "text two",
    ),
    (
        "mixed",
        "(call $mixed (i32.const 16) (i32.const 3) (i32.const 5) (i32.const 16) (i32.const 1))",
        "mixed one 5 [28271]",
    ),
    (
        "owned",
        "(call $owned (i32.const 16) (i32.const 6))",
        "owned onetwo",
    ),
    (
        "sample",
        "(call $sample (i32.const 6) (f64.const 1))",
        "sample 6 1",
    ),
    (
        "sample",
        "(call $sample (i32.const 7) (f64.const 1))",
        "sample 7 1",
    ),
    (
        "sample",
        "(call $sample (i32.const 8) (f64.const 1))",
        "sample 8 1",
    ),
    (
        "dynamic",
        "(call $dynamic (i32.const 9) (i32.const 16) (i32.const 3))",
        "dynamic 9 one",
    ),
    ("guest", "(call $guest (i32.const 10))", "guest 10"),
    ("guest", "(call $guest (i32.const 11))", "guest 11"),
];

/// Where the calls of slices are.
const SLICE: std::ops::Range<usize> = 8..11;

fn all_calls() -> String {
    CALLS.map(|(_, call, _)| call).join("\n")
}

fn effects() -> Vec<&'static str> {
    CALLS.map(|(_, _, effect)| effect).to_vec()
}

fn guest_of(calls: &str) -> String {
    guest(&format!(
        "(func (export \"run\") {calls})
        (func (export \"more\") (call $note (i32.const 99)))
        (func (export \"plain\") (drop (call $plain (i32.const 98))))"
    ))
}

/// Whether it is the error that the effect of this number raises.
#[track_caller]
fn assert_raised(error: &Error, Fails { at, panics }: Fails) {
    if panics {
        assert!(
            matches!(error.kind(), ErrorKind::Panic(message) if *message == format!("effect {at} panics")),
            "{error}"
        );
    } else {
        assert!(matches!(error.kind(), ErrorKind::Host), "{error}");
        assert_eq!(error.downcast_ref(), Some(&Refused(at)), "{error}");
    }
}

fn every_failure(count: usize) -> impl Iterator<Item = Fails> {
    (1..=count).flat_map(|at| [false, true].map(|panics| Fails { at, panics }))
}

/// With a queue for all, the failure is known in full.
#[test]
fn a_failure_says_which_call_it_was() {
    let kit = Kit::new(&guest_of(&all_calls()), Some(4096));
    for fails in every_failure(CALLS.len()) {
        let mut instance = kit.instance(Some(fails));
        let error = instance.call("run", &[]).expect_err("it fails");
        assert_raised(&error, fails);
        let position = fails.at - 1;
        assert_eq!(error.import(), Some(("env", CALLS[position].0)));
        assert_eq!(error.export(), Some("run"));
        let deferred = error.deferred().expect("it was deferred");
        let (failed, delivered) = match SLICE.contains(&position) {
            true => ((SLICE.start + 1, SLICE.len()), SLICE.end),
            false => ((fails.at, 1), fails.at),
        };
        assert_eq!(
            (deferred.record as usize, deferred.together as usize),
            failed,
            "{error}"
        );
        assert_eq!(deferred.queued as usize, CALLS.len());
        assert_eq!(number(&deferred.kept), CALLS.len() - delivered);
        assert_eq!(instance.undelivered(), deferred.kept);
        assert!(deferred.stopped_by.is_none());
        assert_eq!(kit.app.take(), effects()[..fails.at]);

        kit.app.seen().fails = None;
        for rest in [&effects()[delivered..], &[]] {
            instance.deliver_deferred().expect("nothing fails now");
            assert_eq!(kit.app.take(), rest);
            assert_eq!(instance.undelivered(), []);
        }
    }
}

fn number(kept: &[KeptCalls]) -> usize {
    kept.iter().map(|kept| kept.calls as usize).sum()
}

/// What comes after a failure, and what is then seen last.
type Next = fn(&mut Instance<App>) -> Option<&'static str>;

const NEXT: [Next; 3] = [
    |instance| {
        instance.deliver_deferred().expect("nothing fails now");
        None
    },
    |instance| {
        instance.call("more", &[]).expect("nothing fails now");
        Some("note 99")
    },
    |instance| {
        instance.call("plain", &[]).expect("nothing fails now");
        Some("plain 98")
    },
];

/// With queues of any size: what is done until a call fails is the same as
/// without a queue. What is kept then is done later, before all else.
#[test]
fn nothing_is_lost_or_done_twice() {
    for queue in QUEUES {
        let kit = Kit::new(&guest_of(&all_calls()), Some(*queue));
        for fails in every_failure(CALLS.len()) {
            for next in NEXT {
                let mut instance = kit.instance(Some(fails));
                let kept = fail(&kit, &mut instance, fails);
                kit.app.seen().fails = None;
                let last = next(&mut instance);
                assert_eq!(instance.undelivered(), []);
                let mut log = kit.app.take();
                assert_eq!(log.pop_if(|_| last.is_some()).as_deref(), last);
                assert_eq!(log.len(), kept, "with a queue of {queue}");
                assert_comes_after(&log, fails);
            }
            let mut instance = kit.instance(Some(fails));
            fail(&kit, &mut instance, fails);
            kit.app.seen().fails = None;
            instance.discard_deferred();
            assert_eq!(instance.undelivered(), []);
            instance.call("more", &[]).expect("nothing fails now");
            assert_eq!(kit.app.take(), ["note 99"]);
        }
    }
}

/// Has the call fail; gives how many are kept then.
fn fail(kit: &Kit, instance: &mut Instance<App>, fails: Fails) -> usize {
    let error = instance.call("run", &[]).expect_err("it fails");
    assert_raised(&error, fails);
    assert_eq!(error.import(), Some(("env", CALLS[fails.at - 1].0)));
    assert_eq!(kit.app.take(), effects()[..fails.at]);
    let kept = instance.undelivered();
    let reported = error.deferred().map(|deferred| deferred.kept.clone());
    assert_eq!(reported.unwrap_or_default(), kept);
    number(&kept)
}

/// What was kept follows the call that failed, or the slice that it was in.
#[track_caller]
fn assert_comes_after(log: &[String], fails: Fails) {
    let Some(first) = log.first() else { return };
    let effects = effects();
    let from = effects.iter().position(|effect| effect == first);
    let from = from.expect("one of the effects");
    assert_eq!(log, &effects[from..from + log.len()]);
    assert!(
        from == fails.at || SLICE.contains(&(fails.at - 1)),
        "{log:?}"
    );
    assert!(from <= fails.at.max(SLICE.end));
}

/// Kept calls fail, too, one after the other.
#[test]
fn kept_calls_fail_in_turn() {
    let calls = "(call $note (i32.const 1)) (call $note (i32.const 2)) (call $guest (i32.const 3))
        (call $text (i32.const 16) (i32.const 3)) (call $note (i32.const 4))";
    let kit = Kit::new(&guest_of(calls), Some(4096));
    let mut instance = kit.instance(None);
    let mut errors = Vec::new();
    for number in 1..=5 {
        kit.app.seen().fails = Some(Fails {
            at: number,
            panics: number % 2 == 0,
        });
        let result = match number {
            1 => instance.call("run", &[]).map(drop),
            3 => instance.call("more", &[]).map(drop),
            _ => instance.deliver_deferred(),
        };
        errors.push(result.expect_err("it fails").to_string());
    }
    assert_eq!(
        errors,
        [
            "host function `env.note` failed: effect 1 is refused; in deferred call 1 of 5; kept \
             for later: 2 calls of `env.note`, 1 call of `env.guest`, 1 call of `env.text`; in a \
             call of export `run`",
            "host function `env.note` panicked: effect 2 panics; in deferred call 1 of 4; kept \
             for later: 1 call of `env.guest`, 1 call of `env.text`, 1 call of `env.note`; in a \
             call of export `(delivery)`",
            // The guest itself was not called.
            "host function `env.guest` failed: effect 3 is refused; in deferred call 1 of 3; \
             kept for later: 1 call of `env.text`, 1 call of `env.note`; in a call of export \
             `more`",
            "host function `env.text` panicked: effect 4 panics; in deferred call 1 of 2; kept \
             for later: 1 call of `env.note`; in a call of export `(delivery)`",
            "host function `env.note` failed: effect 5 is refused; in deferred call 1 of 1; in a \
             call of export `(delivery)`",
        ]
    );
    assert!(instance.undelivered().is_empty());
    kit.app.seen().fails = None;
    instance.call("more", &[]).expect("nothing fails now");
    assert_eq!(
        kit.app.take(),
        [
            "note 1", "note 2", "guest 3", "text one", "note 4", "note 99"
        ]
    );
}

/// The guest does not run before what is kept was delivered: so no guest can
/// make the host keep more and more.
#[test]
fn the_guest_waits_for_kept_calls() {
    let kit = Kit::new(
        &guest_of(
            "(call $note (i32.const 1)) (call $note (i32.const 2)) (call $note (i32.const 3))",
        ),
        Some(4096),
    );
    let at = |at| Some(Fails { at, panics: false });
    let mut instance = kit.instance(at(1));
    instance.call("run", &[]).expect_err("it fails");
    kit.app.seen().fails = at(2);
    let error = instance.call("more", &[]).expect_err("it fails");
    let deferred = error.deferred().expect("it was deferred");
    assert_eq!((deferred.record, deferred.queued), (1, 2));
    assert_eq!(kept(&deferred.kept), [("note", 1)]);
    assert_eq!(instance.undelivered(), deferred.kept);
    instance.discard_deferred();
    instance.deliver_deferred().expect("there is nothing");
    assert_eq!(kit.app.take(), ["note 1", "note 2"]);
}

/// The guest has trapped already when it becomes known.
#[test]
fn a_failure_after_a_trap_says_what_stopped_the_guest() {
    for (stop, why) in [
        (
            "unreachable",
            "the guest trapped: wasm `unreachable` instruction executed",
        ),
        (
            "(call $text (i32.const 65530) (i32.const 7))",
            // That comes directly, behind what is queued.
            "",
        ),
        ("(drop (call $find (i32.const 99)))", ""),
    ] {
        let calls = format!("(call $note (i32.const 1)) (call $note (i32.const 2)) {stop}");
        let kit = Kit::new(&guest_of(&calls), Some(4096));
        let mut instance = kit.instance(Some(Fails {
            at: 1,
            panics: false,
        }));
        let error = instance.call("run", &[]).expect_err("it fails");
        let deferred = error.deferred().expect("it was deferred");
        let stopped_by = deferred.stopped_by.as_ref().map(|error| error.to_string());
        assert!(
            stopped_by.unwrap_or_default().starts_with(why),
            "{deferred:?}"
        );
        assert_eq!(deferred.stopped_by.is_some(), !why.is_empty());
        assert_eq!(kept(&instance.undelivered()), [("note", 1)]);
        assert_eq!(error.downcast_ref(), Some(&Refused(1)));
        assert_eq!(error.trap(), None);
        if !why.is_empty() {
            assert!(
                error.to_string().contains(&format!("; after it, {why}")),
                "{error}"
            );
        }
        kit.app.seen().fails = None;
        instance.deliver_deferred().expect("nothing fails now");
        assert_eq!(kit.app.take(), ["note 1", "note 2"]);
    }
}

/// A trap is reported when nothing fails.
#[test]
fn a_trap_stays_a_trap() {
    let calls = "(call $note (i32.const 1)) (unreachable)";
    let kit = Kit::new(&guest_of(calls), Some(4096));
    let error = kit.instance(None).call("run", &[]).expect_err("it traps");
    assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
    assert!(error.deferred().is_none());
    assert_eq!(kit.app.take(), ["note 1"]);
}

/// What fails is a call that a function of the host has made in turn: it may
/// pass the failure on, or go on.
#[test]
fn failures_inside_of_handlers() {
    let items = r#"
        (func (export "run")
            (call $note (i32.const 1)) (call $CALLS (i32.const 2)) (call $note (i32.const 3)))
        (func (export "again") (param i32)
            (call $free (i32.const 10)) (call $free (i32.const 11)) (call $free (i32.const 12)))"#;
    for queue in QUEUES {
        for panics in [false, true] {
            // Effect 4 is `free 11`.
            let fails = Some(Fails { at: 4, panics });
            for caller in ["later", "now"] {
                let kit = Kit::new(&guest(&items.replace("CALLS", caller)), Some(*queue));
                let mut instance = kit.instance(fails);
                let error = instance.call("run", &[]).expect_err("it fails");
                assert_eq!(error.import(), Some(("env", caller)));
                let cause = "host function `env.free`";
                assert!(error.to_string().contains(cause), "{error}");
                kit.app.seen().fails = None;
                let head = [
                    "note 1".to_owned(),
                    format!("{caller} 2"),
                    "free 10".to_owned(),
                    "free 11".to_owned(),
                ];
                assert_eq!(kit.app.take(), head);
                instance.deliver_deferred().expect("nothing fails now");
                let rest = kit.app.take();
                let all = ["free 12", "note 3"];
                assert!(
                    all.map(String::from).ends_with(&rest) || rest == ["free 12"],
                    "{rest:?}"
                );
            }
            // The handler goes on: what its call has left comes next.
            let kit = Kit::new(&guest(&items.replace("CALLS", "calm")), Some(*queue));
            let mut instance = kit.instance(fails);
            instance.call("run", &[]).expect("it goes on");
            let log = kit.app.take();
            assert_eq!(
                log[..5],
                [
                    "note 1",
                    "calm 2",
                    "free 10",
                    "free 11",
                    "calm 2 is over, failed: true"
                ]
            );
            let rest: Vec<_> = log[5..].iter().map(String::as_str).collect();
            assert!(
                rest == ["free 12", "note 3"] || rest == ["note 3"],
                "{rest:?}"
            );
            assert_eq!(instance.undelivered(), []);
        }
    }
}

/// A kept call runs the guest again while later calls wait in the queue.
#[test]
fn what_kept_calls_queue_comes_before_later_calls() {
    let items = r#"
        (func (export "run")
            (call $note (i32.const 1)) (call $later (i32.const 2)) (call $note (i32.const 3)))
        (func (export "next") (call $note (i32.const 5)) (call $later (i32.const 6)))
        (func (export "again") (param i32) (call $free (local.get 0)))"#;
    let kit = Kit::new(&guest(items), Some(4096));
    let mut instance = kit.instance(Some(Fails {
        at: 1,
        panics: false,
    }));
    instance.call("run", &[]).expect_err("it fails");
    assert_eq!(kept(&instance.undelivered()), [("later", 1), ("note", 1)]);
    instance.call("next", &[]).expect("nothing fails now");
    assert_eq!(
        kit.app.take(),
        [
            "note 1", "later 2", "free 2", "note 3", "note 5", "later 6", "free 6"
        ]
    );
}

/// The same where a function has swallowed the failure, and the guest goes on.
#[test]
fn what_kept_calls_queue_comes_before_calls_of_a_guest_that_goes_on() {
    type Log = Vec<u32>;
    let mut host = Host::<Log>::new();
    host.deferred("env", "fail", || Err::<(), _>(Error::msg("it fails")))
        .deferred_with_state("env", "note", |log: &mut Log, n: u32| log.push(n))
        .deferred("env", "later", |guest: &mut Guest<'_, Log>| {
            guest.export::<(), ()>("more")?.call_in(guest, ())
        })
        .func("env", "try", |guest: &mut Guest<'_, Log>| {
            let inner = guest.export::<(), ()>("inner").unwrap();
            inner.call_in(guest, ()).unwrap_err();
        })
        .reentrant("env", "later", 1)
        .reentrant("env", "try", 1);
    let guest = br#"(module
        (import "env" "fail" (func $fail))
        (import "env" "note" (func $note (param i32)))
        (import "env" "later" (func $later))
        (import "env" "try" (func $try))
        (func (export "inner") (call $note (i32.const 0)) (call $fail) (call $later))
        (func (export "more") (call $note (i32.const 1)))
        (func (export "run")
            (call $try) (call $note (i32.const 2)) (call $note (i32.const 3))))"#;
    let program = host.program(guest).unwrap();
    let mut instance = program.instantiate(Log::new()).unwrap();
    instance.call("run", &[]).expect("the failure is swallowed");
    assert_eq!(*instance.state(), [0, 1, 2, 3]);
}

/// Errors of host functions that are not deferred have no such notes.
#[test]
fn direct_calls_fail_as_ever() {
    let mut host = Host::<()>::new();
    host.deferred("env", "d", |n: u32| match n {
        0 => Err(Error::msg("none")),
        _ => Ok(()),
    })
    .func("env", "p", |_: &mut Guest<'_, ()>| {
        Err::<(), _>(Error::msg("refused"))
    });
    let guest = br#"(module (import "env" "d" (func $d (param i32))) (import "env" "p" (func $p))
        (func (export "d") (call $d (i32.const 1)) (call $d (i32.const 0)))
        (func (export "p") (call $d (i32.const 1)) (call $p)))"#;
    for on in [true, false] {
        let program = host.deferring(on).program(guest).unwrap();
        let mut instance = program.instantiate(()).unwrap();
        let error = instance.call("p", &[]).unwrap_err();
        assert!(error.deferred().is_none());
        assert_eq!(error.import(), Some(("env", "p")));
        let error = instance.call("d", &[]).unwrap_err();
        assert_eq!(error.deferred().is_some(), on);
        assert_eq!(error.import(), Some(("env", "d")));
        // Another time, through another instance: it is told apart.
        assert_eq!(instance.undelivered(), []);
    }
}
