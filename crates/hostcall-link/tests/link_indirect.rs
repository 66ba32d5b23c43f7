//! Calls that are not direct reach the defined function, with the type of the
//! import.

mod common;

use common::linking::{linked, print, printed, provider, run};
use expect_test::expect;
use wasmi::Val;

const INCREMENT: &str = r#"(module
    (func (export "inc") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 1))))"#;

#[test]
fn through_a_table_and_an_export() {
    let guest = r#"(module
        (type $unary (func (param i32) (result i32)))
        (import "env" "inc" (func $inc (type $unary)))
        (table 1 funcref)
        (elem (i32.const 0) $inc)
        (export "inc" (func $inc))
        (func (export "go") (param i32) (result i32)
            (call_indirect (type $unary) (local.get 0) (i32.const 0))))"#;
    let linked = linked(guest, &provider(INCREMENT));
    assert_eq!(
        run(&linked, "go", &[Val::I32(1)]).unwrap()[0].i32(),
        Some(2)
    );
    assert_eq!(
        run(&linked, "inc", &[Val::I32(8)]).unwrap()[0].i32(),
        Some(9)
    );
    assert_eq!(linked.replaced[0].call_sites, 0);
}

#[test]
fn a_function_keeps_the_type_of_the_import() {
    // The import's type is open to subtypes: no other type is equal to it.
    let guest = r#"(module
        (type $plain (func (param i32) (result i32)))
        (type $open (sub (func (param i32) (result i32))))
        (import "env" "inc" (func $inc (type $open)))
        (elem declare func $inc)
        (func (export "go") (param i32) (result i32)
            (call_ref $open (local.get 0) (ref.func $inc))))"#;
    expect![[r#"
        (module
          (type $plain (;0;) (func (param i32) (result i32)))
          (type $open (;1;) (sub (func (param i32) (result i32))))
          (export "go" (func 0))
          (elem (;0;) declare func $env.inc)
          (func (;0;) (type $plain) (param i32) (result i32)
            local.get 0
            ref.func $env.inc
            call_ref $open
          )
          (func $env.inc (;1;) (type $open) (param i32) (result i32)
            local.get 0
            i32.const 1
            i32.add
          )
        )
    "#]]
    .assert_eq(&print(guest, &provider(INCREMENT)));
}

#[test]
fn types_in_groups_are_told_apart() {
    let guest = r#"(module
        (rec (type $a (func (param i32) (result i32))) (type $b (struct (field (ref null $a)))))
        (import "env" "inc" (func $inc (type $a)))
        (func (export "go") (result (ref $b))
            (struct.new $b (ref.func $inc)))
        (export "inc" (func $inc)))"#;
    let text = print(guest, &provider(INCREMENT));
    assert!(text.contains("(func $env.inc (;1;) (type $a)"), "{text}");
}

#[test]
fn a_reference_inside_a_provider_is_declared() {
    let guest = r#"(module
        (import "env" "f" (func $f (result funcref)))
        (func (export "same") (result i32)
            (ref.is_null (call $f))))"#;
    let provider = provider(
        r#"(module
            (global $g funcref (ref.func $h))
            (func $h (export "h"))
            (func (export "f") (result funcref)
                (drop (global.get $g))
                (ref.func $h)))"#,
    );
    let linked = linked(guest, &provider);
    let text = printed(&linked);
    assert!(text.contains("(elem (;0;) declare func"), "{text}");
    assert_eq!(run(&linked, "same", &[]).unwrap()[0].i32(), Some(0));
}

#[test]
fn a_tail_call_leaves_the_function() {
    let guest = r#"(module
        (import "env" "inc" (func $inc (param i32) (result i32)))
        (func (export "go") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return_call $inc (i32.const 40))))
            (i32.const 7)))"#;
    let linked = linked(guest, &provider(INCREMENT));
    assert_eq!(linked.replaced[0].expanded, 1);
    assert_eq!(
        run(&linked, "go", &[Val::I32(0)]).unwrap()[0].i32(),
        Some(41)
    );
    assert_eq!(
        run(&linked, "go", &[Val::I32(1)]).unwrap()[0].i32(),
        Some(7)
    );
}

#[test]
fn a_tail_call_out_of_a_handler_stays_one_if_the_body_may_throw() {
    let guest = r#"(module
        (import "env" "inc" (func $inc (param i32) (result i32)))
        (func (export "go") (param i32) (result i32)
            (block $caught
                (try_table (catch_all $caught)
                    (return_call $inc (local.get 0))))
            (i32.const 7)))"#;
    let throws = provider(
        r#"(module
            (func (export "inc") (param i32) (result i32)
                (if (local.get 0) (then (throw_ref (ref.null exn))))
                (i32.const 1)))"#,
    );
    assert_eq!(linked(guest, &throws).replaced[0].expanded, 0);
    assert_eq!(linked(guest, &provider(INCREMENT)).replaced[0].expanded, 1);
}

#[test]
fn a_replaced_import_can_be_the_start() {
    let guest = r#"(module
        (import "env" "init" (func $init))
        (import "env" "get" (func $get (result i32)))
        (start $init)
        (func (export "get") (result i32) (call $get)))"#;
    let provider = provider(
        r#"(module
            (global $state (mut i32) (i32.const 0))
            (func (export "init") (global.set $state (i32.const 12)))
            (func (export "get") (result i32) (global.get $state)))"#,
    );
    let linked = linked(guest, &provider);
    assert_eq!(run(&linked, "get", &[]).unwrap()[0].i32(), Some(12));
}
