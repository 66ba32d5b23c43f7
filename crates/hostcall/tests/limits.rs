//! What an instance may use.

use hostcall::{Host, LimitKind, Limits, Trap};
use wasmtime::{Config, Engine};

const GROWING: &[u8] = br#"(module
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow_table") (param i32) (result i32)
        (table.grow (ref.null func) (local.get 0))))"#;

#[test]
fn memory_and_tables_grow_up_to_their_limit() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.memory(3 << 16).table(10));
    let mut instance = host.program(GROWING).unwrap().instantiate(()).unwrap();
    let grow = instance.export::<i32, i32>("grow").unwrap();
    assert_eq!(grow.call(&mut instance, 2).unwrap(), 1);
    assert_eq!(grow.call(&mut instance, 1).unwrap(), -1);
    let grow_table = instance.export::<i32, i32>("grow_table").unwrap();
    assert_eq!(grow_table.call(&mut instance, 10).unwrap(), -1);
    assert_eq!(grow_table.call(&mut instance, 9).unwrap(), 1);
    // The host is held to them as well.
    instance.guest(|guest| {
        assert_eq!(guest.limits().memory, Some(3 << 16));
        assert!(guest.grow(1).is_err());
    });
}

#[test]
fn a_memory_that_starts_too_large_is_refused() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.memory(1000));
    let error = host.program(GROWING).unwrap().instantiate(()).unwrap_err();
    assert_eq!(
        error.limit().map(|limit| limit.limit),
        Some(LimitKind::Memory)
    );
    assert_eq!(
        error.to_string(),
        "a memory of the guest may have 1000 bytes, and was to have 64 KiB; while instantiating"
    );
}

/// A start function runs before there is an instance to set fuel on.
#[test]
fn the_store_can_be_prepared_before_the_guest_runs() {
    let mut config = Config::new();
    config.consume_fuel(true);
    let host = Host::<()>::with_engine(Engine::new(&config).unwrap());
    let endless = br#"(module (func $start (loop (br 0))) (start $start))"#;
    let program = host.program(endless).unwrap();
    let error = program
        .instantiate_with((), |store| store.set_fuel(10_000))
        .unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    let program = host
        .program(b"(module (func $start) (start $start))")
        .unwrap();
    assert!(
        program
            .instantiate_with((), |store| store.set_fuel(10_000))
            .is_ok()
    );
}
