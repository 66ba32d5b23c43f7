//! Bodies that call other host functions.

use expect_test::expect;

use super::{built, linked, printed};
use crate::{ExternType, FuncType, Import, LinkedImport, ValType};

const FAST: &str = r#"(module
    (import "env" "slow" (func $slow (param i32)))
    (func (export "fast") (param i32)
        (if (local.get 0) (then (call $slow (local.get 0))))))"#;

#[test]
fn an_import_that_is_missing_is_added() {
    let guest = r#"(module
        (import "env" "fast" (func $fast (param i32)))
        (import "env" "other" (func $other))
        (global (import "env" "g") i32)
        (func (export "go") (call $other) (call $fast (i32.const 1))))"#;
    let linked = linked(guest, &[&built(FAST)], |_| {});
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (type (;1;) (func))
          (import "env" "other" (func $other (;0;) (type 1)))
          (import "env" "g" (global (;0;) i32))
          (import "env" "slow" (func $env.slow (;1;) (type 0)))
          (export "go" (func 2))
          (func (;2;) (type 1)
            (local i32)
            call $other
            i32.const 1
            local.set 0
            block ;; label = @1
              local.get 0
              if ;; label = @2
                local.get 0
                call $env.slow
              end
            end
          )
          (func $env.fast (;3;) (type 0) (param i32)
            local.get 0
            if ;; label = @1
              local.get 0
              call $env.slow
            end
          )
        )
    "#]]
    .assert_eq(&printed(&linked));
    let added = match &linked.imports[..] {
        [
            LinkedImport::Original(1),
            LinkedImport::Original(2),
            LinkedImport::Added(added),
        ] => added,
        other => panic!("{other:?}"),
    };
    let expected = Import {
        index: 2,
        offset: added.offset,
        module: "env".into(),
        name: "slow".into(),
        ty: ExternType::Func(FuncType::new([ValType::I32], [])),
        slot: 1,
    };
    assert_eq!(*added, expected);
    assert!(linked.bytes[added.offset as usize..].starts_with(b"\x03env\x04slow\0"));
}

#[test]
fn an_import_that_is_there_is_used() {
    let guest = r#"(module
        (import "env" "slow" (func $narrow (param i64)))
        (import "env" "fast" (func $fast (param i32)))
        (import "env" "slow" (func $slow (param i32)))
        (func (export "go") (call $fast (i32.const 1))))"#;
    let linked = linked(guest, &[&built(FAST)], |_| {});
    assert_eq!(linked.imports, [0, 2].map(LinkedImport::Original));
    assert!(printed(&linked).contains("call $slow"));
}

#[test]
fn an_import_that_is_replaced_is_not_called() {
    let slow = built(
        r#"(module (func (export "slow") (param i32) (drop (i32.mul (local.get 0) (local.get 0)))))"#,
    );
    let guest = r#"(module
        (import "env" "fast" (func $fast (param i32)))
        (import "env" "slow" (func $slow (param i32)))
        (func (export "go") (call $fast (i32.const 1))))"#;
    let all = linked(guest, &[&built(FAST), &slow], |_| {});
    assert!(all.imports.is_empty());
    assert!(!printed(&all).contains("call"));
    // Its calls stay calls if that is wished.
    let called = linked(guest, &[&built(FAST), &slow], |options| {
        options.replacements[1].call_sites = false;
    });
    assert!(printed(&called).contains("call $env.slow"));
}

#[test]
fn bodies_that_call_each_other_as_host_functions_end() {
    let body = |own: &str, other: &str| {
        built(&format!(
            r#"(module
                (import "env" "{other}" (func $other (param i32)))
                (func (export "{own}") (param i32)
                    (if (local.get 0) (then (call $other (i32.const 0))))))"#
        ))
    };
    let guest = r#"(module
        (import "env" "a" (func $a (param i32)))
        (import "env" "b" (func $b (param i32)))
        (func (export "go") (call $a (i32.const 1)) (call $b (i32.const 1))))"#;
    let linked = linked(guest, &[&body("a", "b"), &body("b", "a")], |_| {});
    assert!(linked.imports.is_empty());
    assert_eq!(linked.replaced[0].expanded + linked.replaced[1].expanded, 2);
}

#[test]
fn one_import_serves_all_bodies() {
    let other = FAST.replace("fast", "second");
    let guest = r#"(module
        (import "env" "fast" (func $fast (param i32)))
        (import "env" "second" (func $second (param i32)))
        (func (export "go") (call $fast (i32.const 1)) (call $second (i32.const 1))))"#;
    let linked = linked(guest, &[&built(FAST), &built(&other)], |_| {});
    assert_eq!(linked.imports.len(), 1);
}
