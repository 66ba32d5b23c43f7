//! Deferred functions whose calls cannot be queued: they cross at once.

mod common;

use common::*;
use hostcall::{Crossing, Guest, GuestFunc, GuestType, Host, HostModule, HostRef, host_module};
use std::ffi::CStr;

type Log = Vec<String>;

/// Adds `env.f`, which takes one value and writes it down.
macro_rules! one {
    ($ty:ty) => {
        |host: &mut Host<Log>| {
            host.deferred_with_state("env", "f", |log: &mut Log, value: $ty| {
                log.push(format!("{value:?}"));
            });
        }
    };
}

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(u8)]
enum Kind {
    One,
    Two,
}

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(C)]
struct Point {
    x: i16,
    kind: Kind,
}

/// A string.
const BYTES: &str = r#"(data (i32.const 16) "ab\f0\9f\a6\80c")"#;

/// The plan's reason why calls are not queued.
fn reason(guest: &str, add: impl Fn(&mut Host<Log>)) -> String {
    let mut host = Host::new();
    add(&mut host);
    let program = host.program(guest.as_bytes()).expect("it links");
    let import = &program.plan().imports[0];
    assert_eq!(import.crossing, Some(Crossing::Call));
    import.reason.clone()
}

#[test]
fn what_cannot_be_queued_crosses_at_once() {
    let one = forwarder("i32", "", MEMORY);
    let two = forwarder("i32 i32", "", MEMORY);
    assert_eq!(
        reason(&one, one!(&CStr)),
        "not deferred: `p0: cstring` has no length: take a string"
    );
    assert_eq!(
        reason(&two, one!(Vec<String>)),
        "not deferred: `p0: list<string>` points to what has pointers itself"
    );
    assert_eq!(
        reason(&forwarder("i32 i32 i32", "", MEMORY), one!(Option<&str>)),
        "not deferred: `p0: option<string>` has pointers in one of its cases"
    );
    let refers = |host: &mut Host<Log>| {
        host.deferred_with_state("env", "f", |_: &mut Log, _: GuestFunc<(), ()>| ());
    };
    assert_eq!(
        reason(&forwarder("funcref", "", ""), refers),
        "not deferred: `p0: funcref` is a reference, which memory cannot hold"
    );
    let refers = |host: &mut Host<Log>| {
        host.deferred_with_state("env", "f", |_: &mut Log, _: Option<HostRef<u8>>| ());
    };
    assert_eq!(
        reason(&forwarder("externref", "", ""), refers),
        "not deferred: `p0: option<externref>` is a reference, which memory cannot hold"
    );
    let text = one!(&str);
    assert_eq!(
        reason(&forwarder("i32 i32", "", ""), text),
        "not deferred: the guest exports no memory"
    );
    let shared = forwarder("i32 i32", "", "(memory (export \"memory\") 1 1 shared)");
    assert_eq!(
        reason(&shared, text),
        "not deferred: the guest's memory is shared"
    );
    let empty = |host: &mut Host<Log>| {
        host.deferred_batch("env", "f", |_: &mut Log, _: &[[u8; 0]]| ());
    };
    assert_eq!(
        reason(&forwarder("", "", ""), empty),
        "not deferred: records without bytes could not be counted"
    );
    let off = |host: &mut Host<Log>| {
        text(host);
        host.deferring(false);
    };
    assert_eq!(reason(&two, off), "a host function; deferring is off");
}

/// They do what they do elsewhere.
#[test]
fn calls_that_cross_at_once_do_the_same() {
    let mut host = Host::<Log>::new();
    one!(&CStr)(&mut host);
    let mut instance = instance(
        &host,
        &forwarder("i32", "", &format!("{MEMORY} {BYTES}")),
        Log::new(),
    );
    instance.call("run", &[w(16)]).expect("it runs");
    assert_eq!(*instance.state(), ["\"ab🦀c\""]);
}

#[derive(Default)]
struct Linked(Log);

#[host_module(name = "env")]
impl Linked {
    #[hostcall(deferred)]
    fn text(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }

    #[hostcall(deferred)]
    fn guest(guest: &mut Guest<'_, Linked>, n: u32) {
        guest.state_mut().0.push(format!("guest {n}"));
    }

    #[hostcall(deferred, batch)]
    fn points(&mut self, batch: &[Point]) {
        self.0
            .extend(batch.iter().map(|point| format!("{point:?}")));
    }
}

/// There is no queue in a plain linker of Wasmtime.
#[test]
fn in_a_plain_linker_calls_cross_at_once() {
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::<Linked>::new(&engine);
    Linked::add_to_linker(&mut linker, |linked| linked).expect("the names are free");
    let guest = format!(
        r#"(module
        (import "env" "text" (func $text (param i32 i32)))
        (import "env" "guest" (func $guest (param i32)))
        (import "env" "points" (func $points (param i32 i32)))
        {MEMORY} {BYTES}
        (func (export "run")
            (call $text (i32.const 16) (i32.const 2))
            (call $guest (i32.const 5))
            (call $points (i32.const 3) (i32.const 1))
            (call $points (i32.const 4) (i32.const 2))
            (call $text (i32.const 16) (i32.const 2))))"#
    );
    let module = wasmtime::Module::new(&engine, wat::parse_str(guest).expect("it is text"));
    let module = module.expect("it is valid");
    let mut store = wasmtime::Store::new(&engine, Linked::default());
    let instance = linker.instantiate(&mut store, &module).expect("it links");
    let run = instance
        .get_typed_func::<(), ()>(&mut store, "run")
        .expect("it is exported");
    run.call(&mut store, ())
        .expect_err("there is no third kind");
    assert_eq!(
        store.data().0,
        ["ab", "guest 5", "Point { x: 3, kind: Two }"]
    );
}
