//! Bodies from the builder: with the guest's memory, the host page, host
//! functions and traps that mean something. Providers from outside have none.

use crate::provider::TrapNote;
use crate::{
    CheckError, HostPage, LinkOptions, Linked, LinkedImport, Provider, Replacement, check, link,
};

const GUEST: &str = r#"(module
    (import "env" "put" (func (param i32 i32)))
    (import "env" "log" (func (param i32)))
    (memory 1) (memory 1)
    (func (export "run") (call 0 (i32.const 1) (i32.const 2)) (call 1 (i32.const 3))))"#;

const BODY: &str = r#"(module
    (import "hostcall:guest" "memory" (memory 0))
    (import "hostcall:host" "page" (memory 0))
    (import "env" "log" (func (param i32)))
    (import "env" "slow" (func (param i32)))
    (func (export "put") (param i32 i32)
        (if (i32.eqz (local.get 0)) (then unreachable))
        (i32.store 0 (local.get 0) (i32.load 1 offset=8 (local.get 1)))
        (call 0 (local.get 1))
        (call 1 (local.get 0))))"#;

fn linked(change: impl FnOnce(&mut Linked)) -> Result<(), CheckError> {
    let guest = wat::parse_str(GUEST).unwrap();
    let note = TrapNote {
        func: 0,
        operator: 3,
        message: "no address",
    };
    let body = Provider::built(&wat::parse_str(BODY).unwrap(), vec![note]).unwrap();
    let options = LinkOptions {
        replacements: vec![Replacement {
            import: 0,
            provider: &body,
            function: "put",
            call_sites: true,
        }],
        memory: Some(1),
        page: Some(HostPage {
            size: 16,
            init: Vec::new(),
        }),
        ..LinkOptions::default()
    };
    let mut linked = link(&guest, &options).unwrap();
    change(&mut linked);
    check(&guest, &options, &linked)
}

fn refused(change: impl FnOnce(&mut Linked)) -> String {
    let error = linked(change).unwrap_err();
    format!(
        "{}: {} | {}",
        error.place(),
        error.expected(),
        error.found()
    )
}

/// Changes bytes in the first place where they are.
fn replace(linked: &mut Linked, from: &[u8], to: &[u8]) {
    let mut windows = linked.bytes.windows(from.len());
    let at = windows.position(|window| window == from).unwrap();
    linked.bytes[at..at + to.len()].copy_from_slice(to);
}

#[test]
fn bodies_with_memory_and_slow_paths() {
    assert_eq!(linked(|_| ()), Ok(()));
    linked(|linked| {
        assert_eq!(linked.imports.len(), 2);
        assert!(matches!(linked.imports[1], LinkedImport::Added(_)));
        assert_eq!(linked.traps.len(), 2);
        assert!(linked.traps.iter().all(|trap| trap.message == "no address"));
    })
    .unwrap();
}

#[test]
fn another_memory() {
    // The store, to memory 1 of the guest: to memory 0, and to the page.
    let store = refused(|linked| replace(linked, b"\x36\x42\x01\x00", b"\x36\x42\x00\x00"));
    assert!(store.contains("I32Store"), "{store}");
    let store = refused(|linked| replace(linked, b"\x36\x42\x01\x00", b"\x36\x42\x02\x00"));
    assert!(store.contains("I32Store"), "{store}");
    let load = refused(|linked| replace(linked, b"\x28\x42\x02\x08", b"\x28\x42\x01\x08"));
    assert!(load.contains("I32Load"), "{load}");
}

#[test]
fn another_host_function() {
    // Calls of `log`, which the guest imports, and of `slow`, which it does not.
    let call = refused(|linked| replace(linked, b"\x10\x00\x20", b"\x10\x01\x20"));
    assert!(call.contains("Call { function_index: 1 }"), "{call}");
    let name = refused(|linked| replace(linked, b"slow", b"flow"));
    assert!(name.contains("a host function that a body calls"), "{name}");
}

#[test]
fn other_traps() {
    let moved = refused(|linked| linked.traps[0].offset += 1);
    assert!(moved.starts_with("the traps told"), "{moved}");
    let lost = refused(|linked| linked.traps.clear());
    assert!(lost.starts_with("the traps told"), "{lost}");
    let other = refused(|linked| linked.traps[0].message = "no reason");
    assert!(other.starts_with("the traps told"), "{other}");
}
