//! Guests import some of what a host offers.

use hostcall::{Binding, ErrorKind, Host};

/// Offers more than any of the guests here imports, `c` under two types.
fn host() -> Host<Vec<&'static str>> {
    let mut host = Host::new();
    host.func_with_state("env", "a", |seen: &mut Vec<_>, _: i32| seen.push("a"))
        .func_with_state("env", "b", |seen: &mut Vec<_>, _: i32| seen.push("b"))
        .func_with_state("other", "c", |seen: &mut Vec<_>, _: i32| {
            seen.push("other.c")
        })
        .func_with_state("env", "c", |seen: &mut Vec<_>, _: i64| {
            seen.push("c of i64")
        })
        .func_with_state("env", "c", |seen: &mut Vec<_>, _: i32| {
            seen.push("c of i32")
        })
        .optional("env", "d");
    host
}

const SOME: &[u8] = br#"(module
    (import "env" "c" (func $c (param i32)))
    (import "env" "a" (func $a (param i32)))
    (func (export "run") (call $a (i32.const 1)) (call $c (i32.const 2))))"#;

#[test]
fn each_import_gets_the_item_of_its_name_and_type() -> Result<(), hostcall::Error> {
    let program = host().program(SOME)?;
    let bindings = program.plan().imports.iter().map(|planned| planned.binding);
    let items = [4, 0].map(|item| Binding::Item { item, form: 0 });
    assert_eq!(bindings.collect::<Vec<_>>(), items);
    let mut instance = program.instantiate(Vec::new())?;
    instance.export::<(), ()>("run")?.call(&mut instance, ())?;
    assert_eq!(*instance.state(), ["a", "c of i32"]);
    Ok(())
}

#[test]
fn hints_come_from_what_the_guest_does_not_import() {
    let guest =
        br#"(module (import "env" "a" (func (param i32))) (import "env" "B" (func (param i32))))"#;
    let error = host().program(guest).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Link(_)));
    assert!(error.to_string().contains("`env.b`"), "{error}");
}

#[test]
fn only_what_is_optional_may_be_missing() {
    let importing = |name| format!(r#"(module (import "env" "{name}" (func)))"#);
    assert!(host().program(importing("d").as_bytes()).is_ok());
    assert!(host().program(importing("e").as_bytes()).is_err());
}
