//! Bodies inside bodies.

mod common;

use common::linking::{linked, printed, provider, run};
use expect_test::expect;
use wasmi::Val;

const GUEST: &str = r#"(module
    (import "env" "f" (func $f (param i32) (result i32)))
    (func (export "go") (param i32) (result i32) (call $f (local.get 0))))"#;

fn result(provided: &str, argument: i32) -> i32 {
    let linked = linked(GUEST, &provider(provided));
    let results = run(&linked, "go", &[Val::I32(argument)]).unwrap();
    results[0].i32().unwrap()
}

#[test]
fn a_helper_stands_in_its_caller() {
    let provider = provider(
        r#"(module
            (func $square (param i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (return (i32.const -1))))
                (i32.mul (local.get 0) (local.get 0)))
            (func (export "f") (param i32) (result i32)
                (i32.add
                    (call $square (local.get 0))
                    (call $square (i32.const 3)))))"#,
    );
    let linked = linked(GUEST, &provider);
    expect![[r#"
        (module
          (type (;0;) (func (param i32) (result i32)))
          (export "go" (func 0))
          (func (;0;) (type 0) (param i32) (result i32)
            (local i32)
            local.get 0
            local.set 1
            block (result i32) ;; label = @1
              local.get 1
              i32.eqz
              if ;; label = @2
                i32.const -1
                br 1 (;@1;)
              end
              local.get 1
              local.get 1
              i32.mul
            end
            i32.const 3
            local.set 1
            block (result i32) ;; label = @1
              local.get 1
              i32.eqz
              if ;; label = @2
                i32.const -1
                br 1 (;@1;)
              end
              local.get 1
              local.get 1
              i32.mul
            end
            i32.add
          )
          (func $env.f (;1;) (type 0) (param i32) (result i32)
            (local i32)
            local.get 0
            local.set 1
            block (result i32) ;; label = @1
              local.get 1
              i32.eqz
              if ;; label = @2
                i32.const -1
                br 1 (;@1;)
              end
              local.get 1
              local.get 1
              i32.mul
            end
            i32.const 3
            local.set 1
            block (result i32) ;; label = @1
              local.get 1
              i32.eqz
              if ;; label = @2
                i32.const -1
                br 1 (;@1;)
              end
              local.get 1
              local.get 1
              i32.mul
            end
            i32.add
          )
        )
    "#]]
    .assert_eq(&printed(&linked));
    assert_eq!(
        run(&linked, "go", &[Val::I32(2)]).unwrap()[0].i32(),
        Some(13)
    );
    assert_eq!(
        run(&linked, "go", &[Val::I32(0)]).unwrap()[0].i32(),
        Some(8)
    );
}

#[test]
fn recursion_ends_in_a_function() {
    let factorial = r#"(module
        (func $f (export "f") (param i32) (result i32)
            (if (result i32) (i32.eqz (local.get 0))
                (then (i32.const 1))
                (else (i32.mul
                    (local.get 0)
                    (call $f (i32.sub (local.get 0) (i32.const 1))))))))"#;
    assert_eq!(result(factorial, 10), 3_628_800);
    let text = printed(&linked(GUEST, &provider(factorial)));
    assert_eq!(text.matches("call $").count(), 2, "{text}");
}

#[test]
fn mutual_recursion_ends_in_a_function() {
    let parity = r#"(module
        (func $even (export "f") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
            (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
        (func $odd (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
            (return_call $even (i32.sub (local.get 0) (i32.const 1)))))"#;
    assert_eq!(result(parity, 7), 0);
    // Deeper than a stack without tail calls would go.
    assert_eq!(result(parity, 2_000), 1);
}

#[test]
fn locals_are_zero_each_time() {
    // Reads its local before it writes it, in a loop of the caller.
    let provided = r#"(module
        (func $count (result i32) (local i32)
            (local.set 0 (i32.add (local.get 0) (i32.const 1)))
            (local.get 0))
        (func (export "f") (param i32) (result i32) (local i32)
            (loop $again
                (local.set 1 (i32.add (local.get 1) (call $count)))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $again (local.get 0)))
            (local.get 1)))"#;
    assert_eq!(result(provided, 5), 5);
}

#[test]
fn a_chain_of_helpers_stops_at_a_depth() {
    let mut text = String::from("(module (func $f0 (param i32) (result i32) (local.get 0))");
    for depth in 1..100 {
        text += &format!(
            "(func $f{depth} (param i32) (result i32)
                (i32.add (i32.const 1) (call $f{} (local.get 0))))",
            depth - 1
        );
    }
    text += r#"(export "f" (func $f99)))"#;
    assert_eq!(result(&text, 1), 100);
}

#[test]
fn bodies_that_double_stay_within_the_budget() {
    let mut text = String::from("(module (func $f0 (param i32) (result i32) (local.get 0))");
    for depth in 1..12 {
        let inner = depth - 1;
        text += &format!(
            "(func $f{depth} (param i32) (result i32)
                (i32.add (call $f{inner} (local.get 0)) (call $f{inner} (local.get 0))))"
        );
    }
    text += r#"(export "f" (func $f11)))"#;
    assert_eq!(result(&text, 1), 1 << 11);
    let linked = linked(GUEST, &provider(&text));
    assert!(linked.replaced[0].operators <= 200);
    assert!(linked.bytes.len() < 30_000);
}

#[test]
fn functions_share_the_globals_of_their_provider() {
    let guest = r#"(module
        (import "env" "next" (func $next (result i32)))
        (import "env" "reset" (func $reset (param i32)))
        (global $own (mut i32) (i32.const 5))
        (func (export "go") (result i32)
            (call $reset (i32.const 40))
            (drop (call $next))
            (i32.add (call $next) (global.get $own))))"#;
    let provider = provider(
        r#"(module
                        (global $count (mut i32) (i32.const 1))
            (func (export "next") (result i32)
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (global.get $count))
            (func (export "reset") (param i32) (global.set $count (local.get 0))))"#,
    );
    let linked = linked(guest, &provider);
    assert_eq!(run(&linked, "go", &[]).unwrap()[0].i32(), Some(47));
}
