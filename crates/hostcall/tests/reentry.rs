//! Host functions that call their guest back: refused, unless they are declared
//! re-entrant, and then to a depth.

mod common;

use common::{instance, w};
use hostcall::{Error, ErrorKind, Export, Guest, GuestFunc, Host, Reentrancy, Value};
use std::sync::Mutex;

/// `main` calls the import `visit`, which calls `visit_done`; `down` calls it
/// again and again.
const GUEST: &str = r#"(module
    (import "env" "visit" (func $visit (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 64))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
    (func (export "visit_done") (param i32) (result i32) (local.get 0))
    (func (export "down") (param i32) (result i32) (call $visit (local.get 0)))
    (func (export "main") (result i32) (call $visit (i32.const 7)))
    (func (export "alive") (result i32) (i32.const 1)))"#;

fn visit(guest: &mut Guest<'_, ()>, n: i32) -> Result<i32, Error> {
    guest.export::<i32, i32>("visit_done")?.call_in(guest, n)
}

fn down(guest: &mut Guest<'_, ()>, n: i32) -> Result<i32, Error> {
    guest.export::<i32, i32>("down")?.call_in(guest, n + 1)
}

#[track_caller]
fn refusal(error: &Error) -> &Reentrancy {
    match error.kind() {
        ErrorKind::Reentrancy(refusal) => refusal,
        kind => panic!("{kind:?}"),
    }
}

#[test]
fn calling_back_is_refused() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit);
    let mut guest = instance(&host, GUEST, ());
    let error = guest.call("main", &[]).unwrap_err();
    assert_eq!(refusal(&error).chain(), ["main", "env.visit", "visit_done"]);
    assert_eq!(error.import(), Some(("env", "visit")));
    assert_eq!(
        error.to_string(),
        "re-entrant call refused: main -> env.visit -> visit_done; declare `env.visit` with \
         `#[hostcall(reentrant)]` or `Host::reentrant`, or post the call: \
         `guest.post(\"visit_done\", ..)`; guest backtrace: function 4; in a call of export `main`"
    );
    assert_eq!(guest.call("alive", &[]).unwrap(), [w(1)]);
}

/// The host function is told the whole chain, and may go on.
#[test]
fn the_chain_is_known_where_the_call_is_refused() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut host = Host::<()>::new();
    host.func("env", "visit", |guest: &mut Guest<'_, ()>, n: i32| {
        let error = match n {
            7 => down(guest, n).and_then(|_| visit(guest, n)),
            _ => down(guest, n),
        };
        let error = error.unwrap_err();
        SEEN.lock().unwrap().push(error.to_string());
        n
    });
    let mut guest = instance(&host, GUEST, ());
    assert_eq!(guest.call("main", &[]).unwrap(), [w(7)]);
    let seen = std::mem::take(&mut *SEEN.lock().unwrap());
    assert_eq!(seen.len(), 1);
    assert!(seen[0].starts_with("re-entrant call refused: main -> env.visit -> down; "));
}

#[test]
fn declared_functions_call_back_to_a_depth() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit)
        .reentrant("env", "visit", 1);
    let mut guest = instance(&host, GUEST, ());
    assert_eq!(guest.call("main", &[]).unwrap(), [w(7)]);

    // One after the other is no depth.
    let mut host = Host::<()>::new();
    host.func("env", "visit", |guest: &mut Guest<'_, ()>, n: i32| {
        (0..100).try_fold(n, |_, _| visit(guest, n))
    });
    host.reentrant("env", "visit", 1);
    let mut guest = instance(&host, GUEST, ());
    assert_eq!(guest.call("main", &[]).unwrap(), [w(7)]);
}

#[test]
fn the_depth_is_that_of_calls_in_each_other() {
    for depth in [1, 2, 3] {
        let mut host = Host::<()>::new();
        host.func(
            "env",
            "visit",
            |guest: &mut Guest<'_, ()>, n: i32| match n {
                0 => Ok(0),
                _ => guest.export::<i32, i32>("down")?.call_in(guest, n - 1),
            },
        );
        host.reentrant("env", "visit", depth);
        let mut guest = instance(&host, GUEST, ());
        for n in 0..=depth {
            assert_eq!(guest.call("down", &[w(n)]).unwrap(), [w(0)], "{depth} {n}");
        }
        for _ in 0..2 {
            let error = guest.call("down", &[w(depth + 1)]).unwrap_err();
            assert_eq!(refusal(&error).chain().len() as u32, 2 * depth + 3);
            assert_eq!(guest.call("down", &[w(depth)]).unwrap(), [w(0)]);
        }
    }
}

#[test]
fn endless_recursion_is_refused_at_a_depth() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", down)
        .reentrant("env", "visit", 16);
    let mut guest = instance(&host, GUEST, ());
    for _ in 0..3 {
        let error = guest.call("main", &[]).unwrap_err();
        let message = error.to_string();
        let chain = "re-entrant call refused: main -> env.visit -> down -> env.visit -> down -> \
                     ... -> env.visit -> down -> env.visit -> down; `env.visit` may call the guest \
                     to a depth of 16; ";
        assert!(message.starts_with(chain), "{message}");
        assert_eq!(guest.call("alive", &[]).unwrap(), [w(1)]);
    }
}

/// Where it is declared that deep, the stack ends it.
#[test]
fn endless_recursion_ends_even_if_it_is_allowed() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", down);
    host.reentrant("env", "visit", u32::MAX);
    let mut guest = instance(&host, GUEST, ());
    let error = guest.call("main", &[]).unwrap_err();
    assert!(error.to_string().contains("stack"), "{error}");
    assert_eq!(guest.call("alive", &[]).unwrap(), [w(1)]);
}

/// A function has to be declared itself, wherever in the chain it is.
#[test]
fn a_function_that_is_called_by_one_that_may() {
    let mut host = Host::<()>::new();
    host.func("env", "may", |guest: &mut Guest<'_, ()>| {
        guest.export::<(), ()>("inner")?.call_in(guest, ())
    });
    host.func("env", "may not", |guest: &mut Guest<'_, ()>| {
        guest.export::<(), ()>("leaf")?.call_in(guest, ())
    });
    host.reentrant("env", "may", 16);
    let guest = r#"(module
        (import "env" "may" (func $may))
        (import "env" "may not" (func $may_not))
        (func (export "leaf"))
        (func (export "inner") (call $may_not))
        (func (export "run") (call $may)))"#;
    let error = instance(&host, guest, ()).call("run", &[]).unwrap_err();
    assert_eq!(
        refusal(&error).chain(),
        ["run", "env.may", "inner", "env.may not", "leaf"]
    );
}

#[test]
fn function_references_are_refused_alike() {
    let mut host = Host::<()>::new();
    host.func(
        "env",
        "call",
        |guest: &mut Guest<'_, ()>, f: GuestFunc<(), ()>| guest.call(&f, ()),
    );
    let guest = r#"(module
        (import "env" "call" (func $call (param funcref)))
        (elem declare func $f)
        (func $f)
        (func (export "run") (call $call (ref.func $f))))"#;
    let error = instance(&host, guest, ()).call("run", &[]).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("run -> env.call -> (a function reference)"),
        "{message}"
    );
    assert!(!message.contains("guest.post"), "{message}");
    host.reentrant("env", "call", 1);
    instance(&host, guest, ()).call("run", &[]).unwrap();
}

#[test]
fn dynamic_functions_and_catch_all() {
    let call = |guest: &mut Guest<'_, ()>, results: &mut [Value]| -> Result<(), Error> {
        let done = guest.export_dynamic("visit_done")?;
        done.call_in(guest, &[w(3)], results)
    };
    let mut dynamic = Host::<()>::new();
    let signature = "func(n: s32) -> s32".parse().unwrap();
    dynamic.func_dynamic("env", "visit", signature, move |guest, _, results| {
        call(guest, results)
    });
    let mut catching = Host::<()>::new();
    catching.catch_all(move |guest, _, _, results| call(guest, results));
    for mut host in [dynamic, catching] {
        let error = instance(&host, GUEST, ()).call("main", &[]).unwrap_err();
        assert_eq!(refusal(&error).chain(), ["main", "env.visit", "visit_done"]);
        host.reentrant("env", "visit", 1);
        assert_eq!(
            instance(&host, GUEST, ()).call("main", &[]).unwrap(),
            [w(3)]
        );
        // The last word counts.
        host.reentrant("env", "visit", 0);
        instance(&host, GUEST, ()).call("main", &[]).unwrap_err();
    }
}

/// What hostcall itself calls for a host function is no re-entrancy.
#[test]
fn allocating_is_no_calling_back() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", |guest: &mut Guest<'_, ()>, n: i32| {
        guest.alloc(8, 1).map(|at| at as i32 + n)
    });
    let mut guest = instance(&host, GUEST, ());
    assert_eq!(guest.call("main", &[]).unwrap(), [w(71)]);
}

/// The embedder is no host function, nor is what it calls one deeper.
#[test]
fn the_embedder_calls_as_it_likes() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit)
        .reentrant("env", "visit", 1);
    let mut guest = instance(&host, GUEST, ());
    guest.guest(|guest| {
        let main: Export<(), i32> = guest.export("main").unwrap();
        assert_eq!(main.call_in(guest, ()).unwrap(), 7);
        let down: Export<i32, i32> = guest.export("down").unwrap();
        assert_eq!(down.call_in(guest, 8).unwrap(), 8);
    });
}

#[test]
fn refused_in_start_functions() {
    let start = r#"(module
        (import "env" "visit" (func $visit (param i32) (result i32)))
        (import "env" "note" (func $note))
        (func (export "visit_done") (param i32) (result i32) (local.get 0))
        (func $start (drop (call $visit (i32.const 1))))
        (start $start))"#;
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit).func("env", "note", || {});
    let error = host
        .program(start.as_bytes())
        .unwrap()
        .instantiate(())
        .unwrap_err();
    assert_eq!(
        refusal(&error).chain(),
        ["(start)", "env.visit", "visit_done"]
    );

    // The host runs it if anything is deferred.
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit)
        .deferred("env", "note", || {});
    let error = host
        .program(start.as_bytes())
        .unwrap()
        .instantiate(())
        .unwrap_err();
    assert_eq!(
        refusal(&error).chain(),
        ["(start)", "env.visit", "visit_done"]
    );
    host.reentrant("env", "visit", 1);
    host.program(start.as_bytes())
        .unwrap()
        .instantiate(())
        .unwrap();
}

#[test]
fn refused_in_mapped_exports() {
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit).map_export("down");
    let mut guest = instance(&host, GUEST, ());
    let mut outputs = [0; 3];
    let error = guest
        .map::<i32, i32>("down", &[1, 2, 3], &mut outputs)
        .unwrap_err();
    assert_eq!(refusal(&error).chain(), ["down", "env.visit", "visit_done"]);
    assert_eq!(error.index(), Some(0));

    host.reentrant("env", "visit", 1);
    let mut guest = instance(&host, GUEST, ());
    guest
        .map::<i32, i32>("down", &[1, 2, 3], &mut outputs)
        .unwrap();
    assert_eq!(outputs, [1, 2, 3]);
}

/// The guest of deferred functions that call it back.
const DEFERRING: &str = r#"(module
    (import "env" "later" (func $later (param i32)))
    (import "env" "now" (func $now))
    (func (export "again") (param i32) (call $later (local.get 0)))
    (func (export "leaf") (param i32))
    (func (export "flushed") (call $later (i32.const 1)) (call $now))
    (func (export "alive") (result i32) (i32.const 1)))"#;

fn deferring(callee: &'static str) -> Host<()> {
    let mut host = Host::<()>::new();
    host.deferred("env", "later", move |guest: &mut Guest<'_, ()>, n: u32| {
        guest.export::<u32, ()>(callee)?.call_in(guest, n)
    });
    host.func("env", "now", || {});
    host
}

#[test]
fn refused_in_deferred_functions() {
    for deferring_on in [true, false] {
        let mut host = deferring("leaf");
        host.deferring(deferring_on);
        let mut guest = instance(&host, DEFERRING, ());
        for export in ["again", "flushed"] {
            let args = [w(1)];
            let error = guest.call(export, if export == "again" { &args } else { &[] });
            let error = error.unwrap_err();
            assert_eq!(refusal(&error).chain(), [export, "env.later", "leaf"]);
            assert_eq!(guest.call("alive", &[]).unwrap(), [w(1)]);
        }
    }
}

#[test]
fn endless_recursion_of_deferred_functions_is_refused() {
    for deferring_on in [true, false] {
        let mut host = deferring("again");
        host.deferring(deferring_on).reentrant("env", "later", 16);
        let mut guest = instance(&host, DEFERRING, ());
        for _ in 0..3 {
            let error = guest.call("again", &[w(1)]).unwrap_err();
            let message = error.to_string();
            assert!(message.contains("depth of 16"), "{message}");
            assert_eq!(refusal(&error).chain()[0], "again");
            guest.discard_deferred();
            assert_eq!(guest.call("alive", &[]).unwrap(), [w(1)]);
        }
    }
}

/// A guest chooses the names of its exports.
#[test]
fn names_in_chains_are_quoted_and_short() {
    let long = "x".repeat(5000);
    let mut host = Host::<()>::new();
    let callee = long.clone();
    host.func("env", "visit", move |guest: &mut Guest<'_, ()>| {
        guest.export::<(), ()>(&callee)?.call_in(guest, ())
    });
    let guest = format!(
        r#"(module (import "env" "visit" (func $visit))
            (func (export "{long}"))
            (func (export "a\1b[2J") (call $visit)))"#
    );
    let error = instance(&host, &guest, ())
        .call("a\x1b[2J", &[])
        .unwrap_err();
    let message = error.to_string();
    assert!(!message.contains('\x1b'), "{message:?}");
    assert!(
        message.contains("a\\u{1b}[2J -> env.visit -> xxx"),
        "{message}"
    );
    assert!(message.len() < 1000, "{}", message.len());
}

/// Guests of several instances are counted apart.
#[test]
fn other_instances_are_no_re_entrancy() {
    let mut inner = Host::<()>::new();
    inner
        .func("env", "visit", visit)
        .reentrant("env", "visit", 1);
    let inner = inner.program(GUEST.as_bytes()).unwrap();
    let mut outer = Host::<()>::new();
    outer.func("env", "visit", move |guest: &mut Guest<'_, ()>, n: i32| {
        let mut other = inner.instantiate(()).unwrap();
        let main = other.export::<(), i32>("main")?.call(&mut other, ())?;
        Ok::<_, Error>(visit(guest, n)? + main)
    });
    outer.reentrant("env", "visit", 1);
    let mut guest = instance(&outer, GUEST, ());
    assert_eq!(guest.call("main", &[]).unwrap(), [w(14)]);
}

/// A panic, or a trap, in a nested call leaves nothing behind that counts.
#[test]
fn depth_is_given_back_however_a_call_ends() {
    let mut host = Host::<()>::new();
    host.func(
        "env",
        "visit",
        |guest: &mut Guest<'_, ()>, n: i32| match n {
            -1 => panic!("oh no"),
            n => guest.export::<i32, i32>("down")?.call_in(guest, n - 1),
        },
    );
    host.reentrant("env", "visit", 1);
    let mut guest = instance(&host, GUEST, ());
    for _ in 0..5 {
        let error = guest.call("down", &[w(0)]).unwrap_err();
        assert!(error.to_string().contains("oh no"), "{error}");
    }
}

#[test]
fn refused_on_fibers() {
    tokio_test(async {
        let mut host = Host::<()>::new();
        host.func("env", "visit", visit);
        let program = host.program(GUEST.as_bytes()).unwrap();
        let mut guest = program.instantiate_async(()).await.unwrap();
        let main = guest.export::<(), i32>("main").unwrap();
        let error = main.call_async(&mut guest, ()).await.unwrap_err();
        assert_eq!(refusal(&error).chain(), ["main", "env.visit", "visit_done"]);

        for depth in [16, u32::MAX] {
            let mut host = Host::<()>::new();
            host.func("env", "visit", down)
                .reentrant("env", "visit", depth);
            let program = host.program(GUEST.as_bytes()).unwrap();
            let mut guest = program.instantiate_async(()).await.unwrap();
            let main = guest.export::<(), i32>("main").unwrap();
            let error = main.call_async(&mut guest, ()).await.unwrap_err();
            let message = error.to_string();
            let expected = if depth == 16 { "depth of 16" } else { "stack" };
            assert!(message.contains(expected), "{message}");
            let alive = guest.export::<(), i32>("alive").unwrap();
            assert_eq!(alive.call_async(&mut guest, ()).await.unwrap(), 1);
        }
    });
}

/// An async host function that calls back after it has waited, on whatever thread.
#[test]
fn refused_after_waiting() {
    tokio_test(async {
        let host = |depth| {
            let mut host = Host::<()>::new();
            let signature = "func(n: s32) -> s32".parse().unwrap();
            host.func_async_dynamic("env", "visit", signature, |guest, args, results| {
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    let done = guest.export_dynamic("visit_done")?;
                    done.call_in(guest, args, results)?;
                    tokio::task::yield_now().await;
                    done.call_in(guest, args, results)
                })
            });
            host.reentrant("env", "visit", depth);
            host.program(GUEST.as_bytes()).unwrap()
        };
        let mut guest = host(0).instantiate_async(()).await.unwrap();
        let main = guest.export::<(), i32>("main").unwrap();
        let error = main.call_async(&mut guest, ()).await.unwrap_err();
        assert_eq!(refusal(&error).chain(), ["main", "env.visit", "visit_done"]);

        let program = host(1);
        let tasks = (0..50).map(|_| {
            let program = program.clone();
            tokio::spawn(async move {
                let mut guest = program.instantiate_async(()).await.unwrap();
                let main = guest.export::<(), i32>("main").unwrap();
                main.call_async(&mut guest, ()).await.unwrap()
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            assert_eq!(task.await.unwrap(), 7);
        }
    });
}

fn tokio_test(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(test);
}
