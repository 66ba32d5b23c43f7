//! Calls of guests from within host functions, while guests may be suspended.

mod common;

use common::runtime;
use hostcall::{AsyncGuest, Error, ErrorKind, Guest, GuestFunc, Host, HostFuture, Instance, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

const GUEST: &str = r#"(module
    (import "env" "wait" (func $wait (param i32) (result i32)))
    (import "env" "visit" (func $visit (param i32) (result i32)))
    (import "env" "visit_async" (func $visit_async (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "double") (param i32) (result i32)
        (i32.add (local.get 0) (local.get 0)))
    (func (export "wait") (param i32) (result i32) (call $wait (local.get 0)))
    (func (export "visit") (param i32) (result i32) (call $visit (local.get 0)))
    (func (export "visit_async") (param i32) (result i32) (call $visit_async (local.get 0))))"#;

fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Calls the export that `n` asks for.
fn callee(n: u32) -> (&'static str, u32) {
    match n {
        100.. => ("wait", n - 100),
        _ => ("double", n),
    }
}

fn visit(guest: &mut Guest<'_, ()>, n: u32) -> Result<u32, Error> {
    // What must not move to another thread lies on the guest's stack meanwhile.
    let local = Rc::new(n);
    let (name, n) = callee(*local);
    let result = guest.export::<u32, u32>(name)?.call_in(guest, n)?;
    assert_eq!(Rc::strong_count(&local), 1);
    Ok(result)
}

fn visit_async<'a>(
    guest: &'a mut AsyncGuest<'_, ()>,
    args: &'a [Value],
    results: &'a mut [Value],
) -> HostFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let Value::S32(n) = args[0] else {
            unreachable!()
        };
        // Once before and once after the guest was suspended.
        let before = visit(guest, n as u32)?;
        tokio::task::yield_now().await;
        let after = visit(guest, n as u32)?;
        results[0] = Value::S32((before + after) as i32);
        Ok(())
    })
}

fn instance() -> Instance<()> {
    let mut host = Host::<()>::new();
    host.func_async("env", "wait", |n: u32| async move {
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        n
    });
    host.func("env", "visit", visit)
        .reentrant("env", "visit", 16)
        .reentrant("env", "visit_async", 16);
    let signature = "func(n: s32) -> s32".parse().unwrap();
    host.func_async_dynamic("env", "visit_async", signature, visit_async);
    host.reentrant("env", "visit", 1);
    host.reentrant("env", "visit_async", 1);
    let program = host.program(GUEST.as_bytes()).unwrap();
    program.instantiate(()).unwrap()
}

#[test]
fn host_functions_call_a_guest_that_may_be_suspended() {
    block_on(async {
        let mut instance = instance();
        for (export, expected) in [("visit", 8), ("visit_async", 16), ("visit", 8)] {
            let export = instance.export::<u32, u32>(export).unwrap();
            let result = export.call_async(&mut instance, 4).await;
            assert_eq!(result.unwrap(), expected);
        }
    });
}

/// Not even where the function would be ready at once: then it would depend on
/// chance.
#[test]
fn nothing_waits_under_a_host_function_that_calls_the_guest() {
    block_on(async {
        let mut instance = instance();
        for (export, n) in [("visit", 100), ("visit", 103), ("visit_async", 101)] {
            let export = instance.export::<u32, u32>(export).unwrap();
            let error = export.call_async(&mut instance, n).await.unwrap_err();
            assert!(error.to_string().contains("env.wait"), "{error}");
            assert!(
                error
                    .to_string()
                    .contains("the guest cannot be suspended here"),
                "{error}"
            );
            // The next call may wait.
            let wait = instance.export::<u32, u32>("wait").unwrap();
            assert_eq!(wait.call_async(&mut instance, 3).await.unwrap(), 3);
        }
    });
}

/// An instance whose host function waits for another instance, on which it is
/// the only handle.
#[test]
fn a_guest_waits_for_another_guest() {
    let mut inner = Host::<()>::new();
    inner.func_async("env", "wait", |n: u32| async move {
        tokio::task::yield_now().await;
        n + 1
    });
    inner
        .optional("env", "visit")
        .optional("env", "visit_async");
    let inner = inner.program(GUEST.as_bytes()).unwrap();

    let mut outer = Host::<Instance<()>>::new();
    outer.func_async_with_state("env", "wait", |inner: &mut Instance<()>, (n,): (u32,)| {
        Box::pin(async move {
            let wait = inner.export::<u32, u32>("wait")?;
            let mut n = n;
            for _ in 0..3 {
                n = wait.call_async(inner, n).await?;
                tokio::task::yield_now().await;
            }
            Ok::<u32, Error>(n)
        })
    });
    outer
        .optional("env", "visit")
        .optional("env", "visit_async");
    let outer = outer.program(GUEST.as_bytes()).unwrap();

    block_on(async {
        let mut instance = outer.instantiate(inner.instantiate(()).unwrap()).unwrap();
        let wait = instance.export::<u32, u32>("wait").unwrap();
        for n in 0..4 {
            assert_eq!(wait.call_async(&mut instance, n).await.unwrap(), n + 3);
        }
        // Dropped while the inner guest is suspended, then while the outer one is.
        for polls in 1..6 {
            let mut call = std::pin::pin!(wait.call_async(&mut instance, 0));
            for _ in 0..polls {
                let polled = std::future::poll_fn(|context| {
                    std::task::Poll::Ready(call.as_mut().poll(context).is_ready())
                });
                assert!(!polled.await);
            }
        }
        assert_eq!(wait.call_async(&mut instance, 7).await.unwrap(), 10);
    });
}

#[test]
fn a_start_function_waits() {
    let mut host = Host::<u32>::new();
    host.func_async_with_state("env", "wait", |total: &mut u32, (n,): (u32,)| {
        Box::pin(async move {
            tokio::task::yield_now().await;
            *total += n;
        })
    });
    host.deferred_with_state("env", "later", |total: &mut u32, n: u32| *total *= n);
    let plain = r#"(module
        (import "env" "wait" (func $wait (param i32)))
        (func $start (call $wait (i32.const 5)))
        (start $start))"#;
    // With a queue, the start function is run by the library.
    let deferring = r#"(module
        (import "env" "wait" (func $wait (param i32)))
        (import "env" "later" (func $later (param i32)))
        (func $start
            (call $wait (i32.const 2))
            (call $later (i32.const 10))
            (call $wait (i32.const 3))
            (call $later (i32.const 2)))
        (start $start))"#;
    for (guest, expected) in [(plain, 6), (deferring, 66)] {
        let program = host.program(guest.as_bytes()).unwrap();
        let instance = block_on(program.instantiate_async(1)).unwrap();
        assert_eq!(*instance.state(), expected);
        // Without a fiber it cannot be run.
        let error = program.instantiate(1).unwrap_err();
        assert!(error.to_string().contains("async"), "{error}");
    }
}

#[test]
fn a_function_reference_is_called_while_the_guest_may_be_suspended() {
    let mut host = Host::<()>::new();
    host.func(
        "env",
        "apply",
        |guest: &mut Guest<'_, ()>, f: GuestFunc<i32, i32>, n: i32| guest.call(&f, n),
    )
    .reentrant("env", "apply", 1);
    host.reentrant("env", "apply", 1);
    let program = host
        .program(
            br#"(module
                (import "env" "apply" (func $apply (param funcref i32) (result i32)))
                (func $add (export "add") (param i32) (result i32)
                    (i32.add (local.get 0) (i32.const 1)))
                (func (export "run") (param i32) (result i32)
                    (call $apply (ref.func $add) (local.get 0))))"#,
        )
        .unwrap();
    // A program without async functions can be called both ways, in turns.
    let mut instance = program.instantiate(()).unwrap();
    let run = instance.export::<i32, i32>("run").unwrap();
    for n in 0..3 {
        assert_eq!(run.call(&mut instance, n).unwrap(), n + 1);
        assert_eq!(block_on(run.call_async(&mut instance, n)).unwrap(), n + 1);
    }
}

/// Calls an export as an embedder can who knows Wasmtime only.
async fn call_by_wasmtime(instance: &mut Instance<()>, n: i32) -> wasmtime::Result<i32> {
    let raw = instance.wasmtime_instance();
    let store = instance.store_mut();
    let visit = raw.get_typed_func::<i32, i32>(&mut *store, "visit")?;
    visit.call_async(store, n).await
}

#[test]
fn fibers_of_others_do_not_run_guests_under_host_functions() {
    let guest = r#"(module
        (import "env" "visit" (func $visit (param i32) (result i32)))
        (import "env" "text" (func $text (param i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
        (func (export "double") (param i32) (result i32)
            (i32.add (local.get 0) (local.get 0)))
        (func (export "visit") (param i32) (result i32) (call $visit (local.get 0)))
        (func (export "text") (call $text (i32.const 8))))"#;
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit)
        .reentrant("env", "visit", 16)
        .func("env", "text", || "text".to_owned());
    let program = host.program(guest.as_bytes()).unwrap();
    for suspended_before in [false, true] {
        let mut instance = program.instantiate(()).unwrap();
        let visit = instance.export::<u32, u32>("visit").unwrap();
        if suspended_before {
            // The instance has a fiber of ours from then on.
            assert_eq!(block_on(visit.call_async(&mut instance, 1)).unwrap(), 2);
        }
        // Nor after a panic amid what was done without a fiber.
        let panics = AssertUnwindSafe(|| instance.guest(|_| panic!("amid")));
        catch_unwind(panics).unwrap_err();
        let error = block_on(call_by_wasmtime(&mut instance, 2)).unwrap_err();
        assert!(format!("{error:#}").contains("async"), "{error:#}");

        let raw = instance.wasmtime_instance();
        let store = instance.store_mut();
        let text = raw.get_typed_func::<(), ()>(&mut *store, "text").unwrap();
        let error = block_on(text.call_async(store, ())).unwrap_err();
        assert!(format!("{error:#}").contains("async"), "{error:#}");

        // Calls of ours are what they were.
        assert_eq!(visit.call(&mut instance, 3).unwrap(), 6);
        assert_eq!(block_on(visit.call_async(&mut instance, 4)).unwrap(), 8);
        let text = instance.export::<(), ()>("text").unwrap();
        text.call(&mut instance, ()).unwrap();
        block_on(text.call_async(&mut instance, ())).unwrap();
    }
}

/// The data of a store can be put into another one where that is configured.
#[test]
fn fibers_of_others_are_known_whatever_the_data_of_their_store() {
    let guest = r#"(module
        (import "env" "visit" (func $visit (param i32) (result i32)))
        (func (export "double") (param i32) (result i32)
            (i32.add (local.get 0) (local.get 0)))
        (func (export "visit") (param i32) (result i32) (call $visit (local.get 0))))"#;
    let mut host = Host::<()>::new();
    host.func("env", "visit", visit)
        .reentrant("env", "visit", 16);
    let program = host.program(guest.as_bytes()).unwrap();
    let mut instance = program.instantiate(()).unwrap();
    let raw = instance.wasmtime_instance();
    let store = instance.store_mut();
    let visit = raw
        .get_typed_func::<i32, i32>(&mut *store, "visit")
        .unwrap();
    let other = program.instantiate_with((), |other| {
        std::mem::swap(store.data_mut(), other.data_mut());
        Ok(())
    });
    other.unwrap();
    let error = block_on(visit.call_async(store, 2)).unwrap_err();
    assert!(format!("{error:#}").contains("async"), "{error:#}");
}

/// What the embedder does with the store, or in it, changes nothing where no fiber
/// is.
#[test]
fn the_embedder_calls_synchronously_where_others_have_fibers() {
    let guest = r#"(module
        (import "env" "visit" (func $visit (param i32) (result i32)))
        (func (export "double") (param i32) (result i32)
            (i32.add (local.get 0) (local.get 0)))
        (func (export "visit") (param i32) (result i32) (call $visit (local.get 0))))"#;
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    let mut host = Host::<()>::with_engine(wasmtime::Engine::new(&config).unwrap());
    host.func("env", "visit", visit)
        .reentrant("env", "visit", 16);
    let program = host.program(guest.as_bytes()).unwrap();
    for suspended_before in [false, true] {
        let instance = program.instantiate_with((), |store| {
            store.set_epoch_deadline(1);
            Ok(())
        });
        let mut instance = instance.unwrap();
        let visit = instance.export::<u32, u32>("visit").unwrap();
        if suspended_before {
            assert_eq!(block_on(visit.call_async(&mut instance, 1)).unwrap(), 2);
        }
        // From then on Wasmtime itself makes calls on fibers only.
        let store = instance.store_mut();
        store.epoch_deadline_async_yield_and_update(1);
        assert_eq!(visit.call(&mut instance, 3).unwrap(), 6);
        let double = instance.export::<u32, u32>("double").unwrap();
        let doubled = instance.guest(|guest| double.call_in(guest, 4));
        assert_eq!(doubled.unwrap(), 8);
    }
}

/// Functions of WASI that wait are refused where nothing can, and others are not.
#[cfg(feature = "wasi")]
#[test]
fn wasi_where_the_guest_cannot_be_suspended() {
    use hostcall::wasi::WasiCtxBuilder;
    use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_async};

    let context = || WasiCtxBuilder::new().build_p1();
    let mut host = Host::<()>::new();
    host.wasi_async(move |()| context());
    host.func("env", "text", || "text".to_owned());

    let mut linker = wasmtime::Linker::<WasiP1Ctx>::new(host.engine());
    add_to_linker_async(&mut linker, |wasi| wasi).unwrap();
    let mut store = wasmtime::Store::new(host.engine(), context());
    let funcs: Vec<_> = linker.iter(&mut store).collect();
    let mut refused = 0;
    for (module, name, func) in funcs {
        let ty = func.into_func().unwrap().ty(&store);
        let params: Vec<_> = ty.params().map(|ty| ty.to_string()).collect();
        let zeros: String = params.iter().map(|ty| format!("({ty}.const 0)")).collect();
        let results: Vec<_> = ty.results().map(|ty| ty.to_string()).collect();
        let (params, results) = (params.join(" "), results.join(" "));
        let drop = if results.is_empty() { "" } else { "(drop)" };
        let guest = format!(
            r#"(module
                (import "{module}" "{name}" (func $f (param {params}) (result {results})))
                (import "env" "text" (func $text (param i32)))
                (memory (export "memory") 1)
                (func $call (export "call") (call $f {zeros}) {drop})
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (call $call) (i32.const 1024))
                (func (export "take") (param i32 i32))
                (func (export "text") (call $text (i32.const 8))))"#
        );
        let program = host.program(guest.as_bytes()).unwrap();
        block_on(async {
            let mut instance = program.instantiate_async(()).await.unwrap();
            let take = instance.export::<&str, ()>("take").unwrap();
            let taken = take.call_async(&mut instance, "text").await;
            let is_refused = |result: Result<(), Error>| {
                let Err(error) = result else { return false };
                assert!(
                    !matches!(error.kind(), ErrorKind::Panic(_)),
                    "{name}: {error}"
                );
                error.to_string().contains("cannot be suspended here")
            };
            let taken = is_refused(taken);
            let text = instance.export::<(), ()>("text").unwrap();
            assert_eq!(is_refused(text.call_async(&mut instance, ()).await), taken);
            let call = instance.export::<(), ()>("call").unwrap();
            assert_eq!(
                is_refused(instance.guest(|guest| call.call_in(guest, ()))),
                taken
            );
            // It is none of these that ends the call.
            assert!(!is_refused(call.call_async(&mut instance, ()).await));
            refused += u32::from(taken);
        });
    }
    assert_eq!(refused, 26);
}
