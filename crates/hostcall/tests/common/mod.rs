//! Helpers shared by the tests.

#![allow(dead_code, reason = "every test binary uses some of them")]

use hostcall::{Error, Fault, Host, Instance, Value};

/// Bytes in the memory of guests that have one page.
pub const PAGE: u64 = 0x1_0000;

/// A `cabi_realloc` that hands out memory from the middle of the first page on
/// and never frees.
pub const BUMP: &str = r#"
    (global $heap (mut i32) (i32.const 0x8000))
    (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (local $at i32)
        (local.set $at
            (i32.and
                (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
        (global.set $heap (i32.add (local.get $at) (local.get 3)))
        (local.get $at))"#;

/// The same in a 64-bit memory.
pub const BUMP64: &str = r#"
    (global $heap (mut i64) (i64.const 0x8000))
    (func $realloc (export "cabi_realloc") (param i64 i64 i64 i64) (result i64)
        (local $at i64)
        (local.set $at
            (i64.and
                (i64.add (global.get $heap) (i64.sub (local.get 2) (i64.const 1)))
                (i64.sub (i64.const 0) (local.get 2))))
        (global.set $heap (i64.add (local.get $at) (local.get 3)))
        (local.get $at))"#;

/// An instance of a guest given as text.
#[track_caller]
pub fn instance<T>(host: &Host<T>, guest: &str, state: T) -> Instance<T> {
    match host.program(guest.as_bytes()) {
        Ok(program) => program.instantiate(state).expect("it instantiates"),
        Err(error) => panic!("{error}\n{guest}"),
    }
}

/// The import of `env.<import>`, and a function `export` that passes all its
/// parameters to it and returns what it returns.
pub fn forward(import: &str, export: &str, params: &str, results: &str) -> (String, String) {
    let count = params.split_whitespace().count();
    let gets: Vec<_> = (0..count).map(|i| format!("(local.get {i})")).collect();
    (
        format!(
            r#"(import "env" "{import}" (func ${import} (param {params}) (result {results})))"#
        ),
        format!(
            r#"(func (export "{export}") (param {params}) (result {results})
                (call ${import} {}))"#,
            gets.join(" ")
        ),
    )
}

/// A guest whose export `run` passes its parameters to the import `env.f` and
/// returns what that returns; `items` are its memory and anything else.
pub fn forwarder(params: &str, results: &str, items: &str) -> String {
    let (import, export) = forward("f", "run", params, results);
    format!("(module {import} {items} {export})")
}

/// The memory that most guests here have.
pub const MEMORY: &str = r#"(memory (export "memory") 1)"#;
/// The same with 64-bit addresses.
pub const MEMORY64: &str = r#"(memory (export "memory") i64 1)"#;

/// The fault that a call was refused with.
#[track_caller]
pub fn fault<T: std::fmt::Debug>(result: Result<T, Error>) -> Fault {
    let error = result.expect_err("the call should be refused");
    match error.fault() {
        Some(fault) => fault.clone(),
        None => panic!("not a fault: {error:?}"),
    }
}

pub fn out_of_bounds(pointer: u64, length: u64) -> Fault {
    Fault::OutOfBounds {
        pointer,
        length: Some(length),
        memory: PAGE,
    }
}

/// An `i32` that holds these 32 bits.
pub fn w(bits: u32) -> Value {
    Value::S32(bits as i32)
}

/// An `i64` that holds these 64 bits.
pub fn x(bits: u64) -> Value {
    Value::S64(bits as i64)
}

/// Bytes of guest memory.
#[track_caller]
pub fn bytes<T>(instance: &mut Instance<T>, at: usize, len: usize) -> Vec<u8> {
    instance.guest(|guest| guest.memory().expect("it has a memory")[at..][..len].to_vec())
}

/// Writes bytes to guest memory.
#[track_caller]
pub fn poke<T>(instance: &mut Instance<T>, at: usize, bytes: &[u8]) {
    instance.guest(|guest| {
        guest.memory().expect("it has a memory")[at..][..bytes.len()].copy_from_slice(bytes);
    });
}

/// An instance of a guest whose exports are mapped.
#[track_caller]
pub fn mapped(guest: &str, names: &[&str]) -> Instance<()> {
    let mut host = Host::<()>::new();
    for name in names {
        host.map_export(name);
    }
    instance(&host, guest, ())
}

/// What polls calls that wait, on two threads.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}
