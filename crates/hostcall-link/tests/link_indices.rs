//! Every index of a function is moved, and everything else stays.

mod common;

use common::linking::{linked, print, provider};
use expect_test::expect;
use hostcall_link::LinkedImport;

const TWO: &str = r#"(module
    (func (export "b") (result i32) i32.const 20)
    (func (export "d") (param i64)))"#;

const GUEST: &str = r#"(module
    (type $none (func))
    (import "env" "a" (func $a))
    (import "env" "b" (func $b (result i32)))
    (import "env" "g" (global $g i32))
    (import "env" "c" (func $c))
    (import "env" "d" (func $d (param i64)))
    (import "env" "m" (memory 1))
    (table $t 4 funcref)
    (table $init 1 (ref null func) (ref.func $b))
    (global $f funcref (ref.func $b))
    (global $own funcref (ref.func $own))
    (export "b" (func $b))
    (export "own" (func $own))
    (start $main)
    (elem (table $t) (i32.const 0) func $a $b $c $own)
    (elem (table $t) (i32.const 1) funcref (ref.func $d) (ref.null func))
    (elem declare func $main)
    (func $own (result i32)
        (call $c)
        (drop (ref.func $b))
        (drop (ref.func $main))
        (call_indirect $t (result i32) (global.get $g)))
    (func $main
        (call $a)
        (drop (call $own))
        (return_call $c))
    (data (i32.const 0) "untouched"))"#;

#[test]
fn in_every_section() {
    expect![[r#"
        (module
          (type $none (;0;) (func))
          (type (;1;) (func (result i32)))
          (type (;2;) (func (param i64)))
          (import "env" "a" (func $a (;0;) (type $none)))
          (import "env" "g" (global $g (;0;) i32))
          (import "env" "c" (func $c (;1;) (type $none)))
          (import "env" "m" (memory (;0;) 1))
          (table $t (;0;) 4 funcref)
          (table $init (;1;) 1 funcref ref.func $env.b)
          (global $f (;1;) funcref ref.func $env.b)
          (global $own (;2;) funcref ref.func $own)
          (export "b" (func $env.b))
          (export "own" (func $own))
          (start $main)
          (elem (;0;) (table $t) (i32.const 0) func $a $env.b $c $own)
          (elem (;1;) (table $t) (i32.const 1) funcref (ref.func $env.d) (ref.null func))
          (elem (;2;) declare func $main)
          (func $own (;2;) (type 1) (result i32)
            call $c
            ref.func $env.b
            drop
            ref.func $main
            drop
            global.get $g
            call_indirect (type 1)
          )
          (func $main (;3;) (type $none)
            call $a
            call $own
            drop
            return_call $c
          )
          (func $env.b (;4;) (type 1) (result i32)
            i32.const 20
          )
          (func $env.d (;5;) (type 2) (param i64))
          (data (;0;) (i32.const 0) "untouched")
        )
    "#]]
    .assert_eq(&print(GUEST, &provider(TWO)));
}

#[test]
fn imports_keep_their_order() {
    let linked = linked(GUEST, &provider(TWO));
    let kept = [0, 2, 3, 5].map(LinkedImport::Original);
    assert_eq!(linked.imports, kept);
}

#[test]
fn nothing_to_replace_changes_nothing() {
    let guest = common::bytes(GUEST);
    let linked = linked(GUEST, &provider("(module)"));
    assert_eq!(
        wasmprinter::print_bytes(&linked.bytes).unwrap(),
        wasmprinter::print_bytes(&guest).unwrap()
    );
    assert_eq!(linked.warnings, [""; 0]);
    assert!(linked.ranges.is_empty());
}

#[test]
fn a_module_that_consists_of_imports_gets_its_first_code() {
    let guest = r#"(module
        (import "env" "b" (func $b (result i32)))
        (export "b" (func $b)))"#;
    expect![[r#"
        (module
          (type (;0;) (func (result i32)))
          (export "b" (func $env.b))
          (func $env.b (;0;) (type 0) (result i32)
            i32.const 20
          )
        )
    "#]]
    .assert_eq(&print(guest, &provider(TWO)));
}

#[test]
fn an_import_that_occurs_twice_is_replaced_twice() {
    let guest = r#"(module
        (import "env" "b" (func $b (result i32)))
        (import "env" "b" (func $again (result i32)))
        (func (export "sum") (result i32) (i32.add (call $b) (call $again))))"#;
    let linked = linked(guest, &provider(TWO));
    assert!(linked.imports.is_empty());
    let result = common::linking::run(&linked, "sum", &[]).unwrap();
    assert_eq!(result[0].i32(), Some(40));
}

#[test]
fn compact_imports_are_written_out() {
    // One group of two functions of one type: `env` `b` and `e`.
    let guest: &[u8] = b"\0asm\x01\0\0\0\x01\x05\x01\x60\0\x01\x7f\
        \x02\x0e\x01\x03env\0\x7e\0\0\x02\x01b\x01e\
        \x07\x05\x01\x01x\0\x01";
    let provider = provider(TWO);
    let options = common::linking::options(guest, &provider);
    assert_eq!(options.replacements.len(), 1);
    let linked = common::linking::linked_with(guest, &options);
    assert_eq!(linked.imports, [LinkedImport::Original(1)]);
}
