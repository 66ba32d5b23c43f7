//! The forms that a body takes at a call site.

mod common;

use common::linking::{print, provider};
use expect_test::{Expect, expect};

fn check(provided: &str, guest: &str, expected: Expect) {
    expected.assert_eq(&print(guest, &provider(provided)));
}

#[test]
fn arguments_stay_on_the_stack() {
    check(
        r#"(module (func (export "clamp") (param i32 i32) (result i32)
            local.get 0 local.get 1 i32.add))"#,
        r#"(module
            (import "env" "log" (func $log))
            (import "env" "clamp" (func $clamp (param i32 i32) (result i32)))
            (func (export "f") (param i32) (result i32)
                call $log
                (call $clamp (local.get 0) (i32.const 7))))"#,
        expect![[r#"
            (module
              (type (;0;) (func))
              (type (;1;) (func (param i32 i32) (result i32)))
              (type (;2;) (func (param i32) (result i32)))
              (import "env" "log" (func $log (;0;) (type 0)))
              (export "f" (func 1))
              (func (;1;) (type 2) (param i32) (result i32)
                call $log
                local.get 0
                i32.const 7
                i32.add
              )
              (func $env.clamp (;2;) (type 1) (param i32 i32) (result i32)
                local.get 0
                local.get 1
                i32.add
              )
            )
        "#]],
    );
}

#[test]
fn arguments_go_to_locals() {
    check(
        r#"(module (func (export "clamp") (param i32 i32) (result i32)
            (local i64 i32)
            (if (i32.lt_s (local.get 0) (local.get 1)) (then (return (local.get 1))))
            (local.set 3 (local.get 0))
            (i32.add (local.get 3) (i32.wrap_i64 (local.get 2)))))"#,
        r#"(module
            (import "env" "clamp" (func $clamp (param i32 i32) (result i32)))
            (func (export "f") (param i32) (result i32)
                (call $clamp (local.get 0) (i32.const 7))
                (return_call $clamp (i32.const 1))))"#,
        expect![[r#"
            (module
              (type (;0;) (func (param i32 i32) (result i32)))
              (type (;1;) (func (param i32) (result i32)))
              (export "f" (func 0))
              (func (;0;) (type 1) (param i32) (result i32)
                (local i32 i32 i32 i64)
                local.get 0
                i32.const 7
                local.set 2
                local.set 1
                i64.const 0
                local.set 4
                block (result i32) ;; label = @1
                  local.get 1
                  local.get 2
                  i32.lt_s
                  if ;; label = @2
                    local.get 2
                    br 1 (;@1;)
                  end
                  local.get 1
                  local.set 3
                  local.get 3
                  local.get 4
                  i32.wrap_i64
                  i32.add
                end
                i32.const 1
                local.set 2
                local.set 1
                i64.const 0
                local.set 4
                block (result i32) ;; label = @1
                  local.get 1
                  local.get 2
                  i32.lt_s
                  if ;; label = @2
                    local.get 2
                    br 1 (;@1;)
                  end
                  local.get 1
                  local.set 3
                  local.get 3
                  local.get 4
                  i32.wrap_i64
                  i32.add
                end
                return
              )
              (func $env.clamp (;1;) (type 0) (param i32 i32) (result i32)
                (local i64 i32)
                local.get 0
                local.get 1
                i32.lt_s
                if ;; label = @1
                  local.get 1
                  return
                end
                local.get 0
                local.set 3
                local.get 3
                local.get 2
                i32.wrap_i64
                i32.add
              )
            )
        "#]],
    );
}

#[test]
fn a_body_that_takes_something_else_first_does_not_take_the_stack() {
    // Each begins with `local.get`, none with that of its parameters in order.
    for body in [
        "(local i32) local.get 2 local.get 0 local.get 1 i32.add i32.add",
        "local.get 1 local.get 0 i32.sub",
        "local.get 0 local.get 0 local.get 1 i32.add i32.add",
        "local.get 0 local.get 1 local.tee 0 i32.add",
        "local.get 0 local.get 1 i32.add br 0",
        "local.get 0 local.get 1 unreachable",
    ] {
        let provided =
            format!(r#"(module (func (export "f") (param i32 i32) (result i32) {body}))"#);
        let guest = r#"(module
            (import "env" "f" (func $f (param i32 i32) (result i32)))
            (func (export "go") (result i32) (call $f (i32.const 1) (i32.const 2))))"#;
        let text = print(guest, &provider(&provided));
        assert!(text.contains("block (result i32)"), "{body}\n{text}");
    }
}
