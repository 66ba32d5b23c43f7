//! What is counted of a guest's crossings is what the host sees of them.

use hostcall::{Error, Host, Instance};

/// `log` takes any text, `n` a number, and `flush` crosses at once.
const GUEST: &str = r#"(module
    (import "env" "log" (func $log (param i32 i32)))
    (import "env" "n" (func $n (param i32)))
    (import "env" "flush" (func $flush (result i32)))
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "log") (param i32 i32) (call $log (local.get 0) (local.get 1)))
    (func (export "numbers") (param $count i32) (result i32)
        (loop $again
            (call $n (call $twice (local.get $count)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $again (local.get $count)))
        (call $flush))
    (func (export "none") (drop (call $flush)) (drop (call $flush))))"#;

const TWICE: &str = r#"(module
    (func (export "twice") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))"#;

/// What the host has seen.
#[derive(Default)]
struct Seen {
    bytes: usize,
    numbers: u32,
    /// How often numbers have come, however many.
    batches: u64,
    flushes: u64,
}

fn host() -> Host<Seen> {
    let mut host = Host::new();
    host.count_calls(true);
    host.deferred_with_state("env", "log", |seen: &mut Seen, text: &str| {
        seen.bytes += text.len();
    });
    host.deferred_batch("env", "n", |seen: &mut Seen, numbers: &[i32]| {
        seen.numbers += numbers.len() as u32;
        seen.batches += 1;
    });
    host.func_with_state("env", "flush", |seen: &mut Seen| {
        seen.flushes += 1;
        seen.numbers
    });
    host.provide("env", TWICE.as_bytes()).unwrap();
    host
}

fn instance(host: &Host<Seen>) -> Instance<Seen> {
    let program = host.program(GUEST.as_bytes()).unwrap();
    program.instantiate(Seen::default()).unwrap()
}

fn log(instance: &mut Instance<Seen>, length: u32) -> Result<(), Error> {
    let log = instance.export::<(u32, u32), ()>("log")?;
    log.call(instance, (0, length))
}

fn numbers(instance: &mut Instance<Seen>, count: u32) {
    let numbers = instance.export::<u32, u32>("numbers").unwrap();
    let before = instance.state().numbers;
    assert_eq!(numbers.call(instance, count).unwrap(), before + count);
}

/// Calls and crossings of each import.
fn counts(instance: &Instance<Seen>) -> [(u64, u64); 4] {
    let calls = instance.calls();
    let names: Vec<_> = calls.iter().map(|import| import.name.as_str()).collect();
    assert_eq!(names, ["log", "n", "flush", "twice"]);
    let counts: Vec<_> = calls.iter().map(|it| (it.calls, it.crossings)).collect();
    counts.try_into().unwrap()
}

#[test]
fn a_drain_is_one_crossing_for_many_calls() {
    let mut host = host();
    host.queue_size(8 + 10 * 4); // ten numbers
    let mut instance = instance(&host);
    numbers(&mut instance, 95);
    // Nine times the queue was full; the last five came before `flush`.
    assert_eq!(instance.drains(), 10);
    assert_eq!(instance.state().batches, 10);
    assert_eq!(counts(&instance), [(0, 0), (95, 0), (1, 1), (95, 0)]);
    numbers(&mut instance, 1);
    assert_eq!(instance.drains(), 11);
    assert_eq!(counts(&instance), [(0, 0), (96, 0), (2, 2), (96, 0)]);
    assert_eq!(instance.state().flushes, 2);
}

#[test]
fn nothing_queued_is_no_drain() {
    let mut instance = instance(&host());
    let none = instance.export::<(), ()>("none").unwrap();
    none.call(&mut instance, ()).unwrap();
    assert_eq!(instance.drains(), 0);
    assert_eq!(counts(&instance), [(0, 0), (0, 0), (2, 2), (0, 0)]);
}

#[test]
fn what_waits_at_the_end_of_an_export_does_not_cross() {
    let mut instance = instance(&host());
    log(&mut instance, 7).unwrap();
    assert_eq!(instance.state().bytes, 7);
    assert_eq!(instance.drains(), 0);
    assert_eq!(counts(&instance)[0], (1, 0));
    instance.deliver_deferred().unwrap();
    assert_eq!(instance.drains(), 0);
}

#[test]
fn what_the_queue_cannot_hold_crosses_by_itself() {
    let mut host = host();
    host.queue_size(64);
    let mut instance = instance(&host);
    log(&mut instance, 64).unwrap();
    log(&mut instance, 8).unwrap();
    log(&mut instance, 60_000).unwrap();
    log(&mut instance, 70_000).unwrap_err();
    assert_eq!(instance.state().bytes, 64 + 8 + 60_000);
    assert_eq!(counts(&instance)[0], (4, 3));
    assert_eq!(instance.drains(), 0);
}

#[test]
fn without_room_for_any_call_each_crosses() {
    let mut host = host();
    host.queue_size(0);
    let mut instance = instance(&host);
    numbers(&mut instance, 5);
    assert_eq!(instance.state().batches, 5);
    assert_eq!(counts(&instance)[1], (5, 5));
    assert_eq!(instance.drains(), 0);
}

#[test]
fn without_deferring_each_crosses() {
    let mut host = host();
    host.deferring(false);
    let mut instance = instance(&host);
    numbers(&mut instance, 5);
    log(&mut instance, 7).unwrap();
    assert_eq!(counts(&instance), [(1, 1), (5, 5), (1, 1), (5, 0)]);
    assert_eq!(instance.drains(), 0);
}

#[test]
fn crossings_without_counters() {
    let mut host = host();
    host.count_calls(false);
    let mut instance = instance(&host);
    numbers(&mut instance, 5);
    assert_eq!(instance.calls(), []);
    assert_eq!(instance.drains(), 1);
}
