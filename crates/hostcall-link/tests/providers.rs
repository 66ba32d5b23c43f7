//! What can be a provider, and what is said about what cannot.

mod common;

use common::linking::provider;
use expect_test::{Expect, expect};
use hostcall_link::{Provider, ProviderError};

fn refused(providers: &[&str], expected: Expect) {
    let errors = providers.iter().map(|wat| {
        let error = Provider::parse(&common::bytes(wat)).unwrap_err();
        format!("{error}\n")
    });
    expected.assert_eq(&errors.collect::<String>());
}

#[test]
fn functions_and_their_types() {
    let provider = provider(
        r#"(module
            (func (export "a") (param i32) (result i64) (i64.const 1))
            (func $b (export "b") nop nop)
            (export "again" (func $b))
            (global (export "g") i32 (i32.const 1)))"#,
    );
    let functions: Vec<String> = provider
        .functions()
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    assert_eq!(
        functions,
        ["a: (i32) -> i64", "b: () -> ()", "again: () -> ()"]
    );
    assert_eq!(provider.operators("b"), Some(2));
    assert_eq!(provider.operators("g"), None);
    assert!(provider.function("c").is_none());
    assert_eq!(provider.host_calls().count(), 0);
    assert!(!provider.uses_memory() && !provider.uses_page());
}

#[test]
fn an_error_is_one_word() {
    assert_eq!(size_of::<ProviderError>(), size_of::<usize>());
    assert_eq!(size_of::<hostcall_link::RewriteError>(), size_of::<usize>());
}

#[test]
fn imports() {
    refused(
        &[
            r#"(module (import "env" "log" (func)))"#,
            r#"(module (import "hostcall:guest" "memory" (memory 0)))"#,
            r#"(module (import "env" "g" (global i32)))"#,
        ],
        expect![[r#"
            a provider imports nothing, this one imports the function `env.log`: define it inside the provider or pass what it gives as a parameter (at offset 0x11)
            a provider imports nothing, this one imports the memory `hostcall:guest.memory`: define it inside the provider or pass what it gives as a parameter (at offset 0xb)
            a provider imports nothing, this one imports the global `env.g`: define it inside the provider or pass what it gives as a parameter (at offset 0xb)
        "#]],
    );
}

#[test]
fn what_would_collide_with_the_guest() {
    refused(
        &[
            "(module (memory 1))",
            r#"(module (data "x"))"#,
            "(module (table 1 funcref))",
            "(module (func $f) (elem declare func $f))",
            "(module (tag))",
            "(module (func $f) (start $f))",
        ],
        expect![[r#"
            a provider has functions and globals only, this one has a memory: keep state in globals, and data in operators (a memory that a toolchain adds and nothing uses can be stripped) (at offset 0xa)
            a provider has functions and globals only, this one has a data segment: put constants into operators or globals (at offset 0xa)
            a provider has functions and globals only, this one has a table: call functions directly instead of through a table (at offset 0xa)
            a provider has functions and globals only, this one has an element segment: call functions directly, export those that `ref.func` refers to (at offset 0x14)
            a provider has functions and globals only, this one has an exception tag: return an error code instead of throwing (at offset 0x10)
            a provider has functions and globals only, this one has a start function: give globals their first value where they are defined (at offset 0x14)
        "#]],
    );
}

#[test]
fn types_that_mean_something_in_their_module_only() {
    refused(
        &[
            "(module (type (struct)))",
            "(module (type (array i8)))",
            "(module (type $f (func)) (type (func (param (ref $f)))))",
            "(module (rec (type (func)) (type (func))))",
            "(module (type (sub (func))))",
        ],
        expect![[r#"
            a provider's types are plain function types, this one is a struct: pass numbers, vectors, or references such as `externref` instead (at offset 0xb)
            a provider's types are plain function types, this one is an array: pass numbers, vectors, or references such as `externref` instead (at offset 0xb)
            a provider's types are plain function types, this one refers to another type: pass numbers, vectors, or references such as `externref` instead (at offset 0xe)
            a provider's types are plain function types, this one belongs to a recursive group: pass numbers, vectors, or references such as `externref` instead (at offset 0xb)
            a provider's types are plain function types, this one has subtypes or a supertype: pass numbers, vectors, or references such as `externref` instead (at offset 0xb)
        "#]],
    );
}

#[test]
fn what_is_not_a_module() {
    let error = Provider::parse(b"(module)").unwrap_err();
    assert!(
        error.to_string().starts_with("this looks like text"),
        "{error}"
    );
    assert_eq!(error.offset(), 0);
    let invalid = common::bytes("(module (func (result i32)))");
    let error = Provider::parse(&invalid).unwrap_err();
    assert!(error.to_string().contains("type mismatch"), "{error}");
}

#[test]
fn a_few_bytes_do_not_declare_millions_of_locals() {
    let mut text = String::from("(module");
    let locals = "i64 ".repeat(40_000);
    for _ in 0..30 {
        text += &format!("(func (local {locals}))");
    }
    text += ")";
    refused(
        &[&text],
        expect![[r#"
        a provider's functions have at most 1000000 locals together, this one has more: leave functions out (at offset 0xe3)
    "#]],
    );
}
