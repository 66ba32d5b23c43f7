//! Names are kept right; what cannot be kept right is dropped and named in one
//! warning.

mod common;

use common::linking::{linked, linked_with, options, print, printed, provider};
use expect_test::expect;

const PROVIDED: &str = r#"(module
    (global $state (mut i32) (i32.const 1))
    (global (mut i64) (i64.const 2))
    (func $rec (param i32) (result i32)
        (if (local.get 0) (then (drop (call $rec (i32.const 0)))))
        (global.get $state))
    (func (export "f") (param i32) (result i32)
        (call $rec (local.get 0))))"#;

#[test]
fn functions_locals_and_globals() {
    let guest = r#"(module $guest
        (type $unary (func (param i32) (result i32)))
        (import "env" "f" (func $first (type $unary)))
        (import "env" "other" (func $other))
        (memory $memory 1)
        (global $counter (mut i32) (i32.const 0))
        (table $table 1 funcref)
        (elem $elements (i32.const 0) $first)
        (data $bytes (i32.const 0) "x")
        (func $go (export "go") (param $x i32) (result i32)
            (local $y i32)
            (block $out (br $out))
            (local.set $y (call $first (local.get $x)))
            (local.get $y))
        (func $plain
            (block $stays (br $stays))
            (call $other)))"#;
    let linked = linked(guest, &provider(PROVIDED));
    expect![[r#"
        (module $guest
          (type $unary (;0;) (func (param i32) (result i32)))
          (type (;1;) (func))
          (import "env" "other" (func $other (;0;) (type 1)))
          (table $table (;0;) 1 funcref)
          (memory $memory (;0;) 1)
          (global $counter (;0;) (mut i32) i32.const 0)
          (global $env.f:state (;1;) (mut i32) i32.const 1)
          (global $env.f:global1 (;2;) (mut i64) i64.const 2)
          (export "go" (func $go))
          (elem $elements (;0;) (i32.const 0) func $env.f)
          (func $go (;1;) (type $unary) (param $x i32) (result i32)
            (local $y i32)
            block ;; label = @1
              br 0 (;@1;)
            end
            local.get $x
            if ;; label = @1
              i32.const 0
              call $env.f:rec
              drop
            end
            global.get $env.f:state
            local.set $y
            local.get $y
          )
          (func $plain (;2;) (type 1)
            block $stays
              br $stays
            end
            call $other
          )
          (func $env.f (;3;) (type $unary) (param i32) (result i32)
            local.get 0
            if ;; label = @1
              i32.const 0
              call $env.f:rec
              drop
            end
            global.get $env.f:state
          )
          (func $env.f:rec (;4;) (type $unary) (param i32) (result i32)
            local.get 0
            if ;; label = @1
              i32.const 0
              call $env.f:rec
              drop
            end
            global.get $env.f:state
          )
          (data $bytes (;0;) (i32.const 0) "x")
        )
    "#]]
    .assert_eq(&printed(&linked));
    expect!["dropped from the linked module: names of blocks in functions that gained blocks"]
        .assert_eq(&linked.warnings.join("\n"));
}

#[test]
fn a_guest_without_names_gets_none() {
    let guest = common::bytes(
        r#"(module
            (import "env" "f" (func (param i32) (result i32)))
            (func (export "go") (result i32) (call 0 (i32.const 1))))"#,
    );
    let provider = provider(PROVIDED);
    let linked = linked_with(&guest, &options(&guest, &provider));
    assert!(!printed(&linked).contains('$'));
    assert_eq!(linked.warnings, [""; 0]);
}

#[test]
fn sections_that_hold_offsets_are_dropped_with_one_warning() {
    let guest = r#"(module
        (@custom "before" (before first) "first")
        (@custom "linking" (after code) "\02")
        (@custom ".debug_info" (after code) "x")
        (@custom ".debug_line" (after code) "x")
        (@custom "sourceMappingURL" (after code) "x")
        (@custom "reloc.CODE" (after code) "x")
        (@custom "metadata.code.branch_hint" (before code) "\00")
        (@custom "producers" (after code) "\00")
        (@custom "mine" (after data) "kept")
        (import "env" "f" (func (param i32) (result i32)))
        (func (export "go") (result i32) (call 0 (i32.const 1)))
        (data "x"))"#;
    let linked = linked(guest, &provider(PROVIDED));
    expect!["dropped from the linked module: `.debug_info`, `.debug_line`, `sourceMappingURL` (describes code at its old offsets), `linking`, `reloc.CODE` (is for linking object files), `metadata.code.branch_hint` (names operators by their old offsets)"].assert_eq(&linked.warnings.join("\n"));
    let text = printed(&linked);
    let kept = ["before", "producers", "mine"].map(|name| text.contains(name));
    assert_eq!(kept, [true; 3], "{text}");
    assert!(!text.contains(".debug"), "{text}");
}

#[test]
fn damaged_names_are_dropped_from_the_damage_on() {
    let mut guest = common::bytes(
        r#"(module (import "env" "f" (func (param i32) (result i32)))
            (func (export "go") (result i32) (call 0 (i32.const 1))))"#,
    );
    // A function is named `go`, then a subsection is cut off.
    guest.extend(b"\0\x0e\x04name\x01\x05\x01\x01\x02go\x02\x7f");
    let provider = provider(PROVIDED);
    let linked = linked_with(&guest, &options(&guest, &provider));
    assert!(printed(&linked).contains("$go"));
    expect!["dropped from the linked module: names in a form that cannot be read"]
        .assert_eq(&linked.warnings.join("\n"));
}

#[test]
fn sections_come_where_they_belong() {
    // Globals and a page are new; the name section stays behind everything.
    let guest = r#"(module
        (@custom "first" (before first) "1")
        (import "env" "f" (func $f (param i32) (result i32)))
        (export "f" (func $f)))"#;
    let text = print(guest, &provider(PROVIDED));
    expect![[r#"
        (module
          (@custom "first" (before first) "1")
          (type (;0;) (func (param i32) (result i32)))
          (global $env.f:state (;0;) (mut i32) i32.const 1)
          (global $env.f:global1 (;1;) (mut i64) i64.const 2)
          (export "f" (func $env.f))
          (func $env.f (;0;) (type 0) (param i32) (result i32)
            local.get 0
            if ;; label = @1
              i32.const 0
              call $env.f:rec
              drop
            end
            global.get $env.f:state
          )
          (func $env.f:rec (;1;) (type 0) (param i32) (result i32)
            local.get 0
            if ;; label = @1
              i32.const 0
              call $env.f:rec
              drop
            end
            global.get $env.f:state
          )
        )
    "#]]
    .assert_eq(&text);
}
