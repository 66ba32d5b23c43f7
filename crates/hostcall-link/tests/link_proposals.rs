//! Guests may use everything that engines know.

mod common;

use common::linking::{linked, provider, run};
use wasmi::Val;

/// Links; that the result is valid is checked on the way. All calls of `f` must
/// be expanded.
fn check(guest: &str) {
    let provider = provider(
        r#"(module
            (func (export "f") (param i32) (result i32) (local i32)
                (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
                (i32.add (local.get 0) (i32.const 1)))
            (func (export "v") (param v128) (result v128) (local v128)
                (i32x4.add (local.get 0) (local.get 1)))
            (func (export "pair") (param i64 f32) (result f32 i64) (local f64)
                (if (f64.eq (local.get 2) (f64.const 1)) (then (return (local.get 1) (local.get 0))))
                (local.get 1) (local.get 0))
            (func (export "null") (param externref) (result externref) (local externref)
                (local.get 1))
            (func (export "any") (param anyref) (result anyref) (local (ref null any))
                (local.set 1 (local.get 0))
                (if (ref.is_null (local.get 0)) (then (return (ref.null none))))
                (local.get 1))
            (func (export "nonnull") (param (ref func)) (result (ref func))
                (if (i32.const 0) (then (return (local.get 0))))
                (local.get 0)))"#,
    );
    let linked = linked(guest, &provider);
    for replaced in &linked.replaced {
        assert_eq!(replaced.call_sites, replaced.expanded);
    }
}

#[test]
fn in_unreachable_code() {
    check(
        r#"(module
            (import "env" "f" (func $f (param i32) (result i32)))
            (import "env" "pair" (func $pair (param i64 f32) (result f32 i64)))
            (func (export "go") (result i32)
                unreachable
                call $f
                drop
                call $pair
                drop
                i32.trunc_f32_s
                br 0
                call $f))"#,
    );
}

#[test]
fn multiple_results() {
    check(
        r#"(module
            (import "env" "pair" (func $pair (param i64 f32) (result f32 i64)))
            (func (export "go") (result f32 i64)
                (call $pair (i64.const 1) (f32.const 2)))
            (func (export "tail") (result f32 i64)
                (return_call $pair (i64.const 1) (f32.const 2))))"#,
    );
}

#[test]
fn vectors() {
    check(
        r#"(module
            (import "env" "v" (func $v (param v128) (result v128)))
            (func (export "go") (result v128)
                (i8x16.relaxed_swizzle
                    (call $v (v128.const i64x2 1 2))
                    (call $v (v128.const i64x2 1 2)))))"#,
    );
}

#[test]
fn references() {
    check(
        r#"(module
            (import "env" "null" (func $null (param externref) (result externref)))
            (import "env" "nonnull" (func $nonnull (param (ref func)) (result (ref func))))
            (elem declare func $go $null)
            (func $go (export "go") (param externref) (result externref)
                (drop (call $nonnull (ref.func $go)))
                (block (drop (call $nonnull (ref.func $null))))
                (call $null (local.get 0))))"#,
    );
}

#[test]
fn garbage_collected_types() {
    check(
        r#"(module
            (rec
                (type $node (sub (struct (field (ref null $leaf)) (field (mut i32)))))
                (type $leaf (sub $node (struct (field (ref null $leaf)) (field (mut i32))))))
            (type $bytes (array (mut i8)))
            (import "env" "any" (func $any (param anyref) (result anyref)))
            (import "env" "f" (func $f (param i32) (result i32)))
            (global $g (ref $leaf) (struct.new $leaf (ref.null $leaf) (i32.const 1)))
            (func (export "go") (result i32)
                (struct.set $node 1
                    (ref.cast (ref $leaf) (call $any (global.get $g)))
                    (call $f (struct.get $leaf 1 (global.get $g))))
                (array.len (array.new $bytes (i32.const 0) (call $f (i32.const 3))))))"#,
    );
}

#[test]
fn exceptions() {
    check(
        r#"(module
            (import "env" "f" (func $f (param i32) (result i32)))
            (tag $t (param i32))
            (func (export "go") (result i32)
                (block $caught (result i32)
                    (try_table (catch $t $caught)
                        (throw $t (call $f (i32.const 1))))
                    (unreachable)))
            (func (export "tail") (result i32)
                (block $caught (result i32)
                    (try_table (result i32) (catch $t $caught)
                        (return_call $f (i32.const 1))))))"#,
    );
}

#[test]
fn legacy_exceptions() {
    check(
        r#"(module
            (import "env" "f" (func $f (param i32) (result i32)))
            (tag $t (param i32))
            (func (export "go") (result i32)
                try (result i32)
                    (call $f (i32.const 1))
                    throw $t
                catch $t
                    call $f
                catch_all
                    (drop (call $f (i32.const 0)))
                    rethrow 0
                end))"#,
    );
}

#[test]
fn several_memories_of_every_kind() {
    check(
        r#"(module
            (import "env" "f" (func $f (param i32) (result i32)))
            (memory $narrow 1)
            (memory $wide i64 1 2)
            (memory $shared 1 1 shared)
            (memory $small 5 5 (pagesize 1))
            (data $d "abc")
            (func (export "go") (param i64) (result i32)
                (memory.copy $wide $wide (local.get 0) (i64.const 0) (i64.const 1))
                (memory.init $narrow $d (call $f (i32.const 0)) (i32.const 0) (i32.const 1))
                (data.drop $d)
                (i32.store8 $small (call $f (i32.const 0)) (i32.const 1))
                (i32.atomic.rmw.add $shared (call $f (i32.const 0)) (i32.const 1))))"#,
    );
}

#[test]
fn constant_expressions() {
    check(
        r#"(module
            (import "env" "f" (func $f (param i32) (result i32)))
            (import "env" "base" (global $base i32))
            (memory 1)
            (table $t 10 funcref)
            (table $u i64 10 funcref)
            (global $sum i32 (i32.add (global.get $base) (i32.mul (i32.const 3) (i32.const 4))))
            (elem (table $t) (offset (i32.sub (global.get $base) (i32.const 1))) func $f)
            (elem $passive funcref (item (ref.func $f)) (item (ref.null func)))
            (data (offset (i32.add (global.get $base) (i32.const 1))) "x")
            (func (export "go") (result i32)
                (table.init $u $passive (i64.const 0) (i32.const 0) (i32.const 1))
                (table.set $t (i32.const 0) (ref.func $f))
                (call $f (global.get $sum))))"#,
    );
}

#[test]
fn typed_references_to_functions() {
    check(
        r#"(module
            (type $unary (func (param i32) (result i32)))
            (import "env" "f" (func $f (type $unary)))
            (elem declare func $f)
            (table $t 1 (ref $unary) (ref.func $f))
            (global $g (ref $unary) (ref.func $f))
            (func (export "go") (result i32)
                (local $l (ref $unary))
                (local.set $l (ref.func $f))
                (i32.add
                    (call_ref $unary (call $f (i32.const 1)) (local.get $l))
                    (return_call_ref $unary (i32.const 1) (global.get $g)))))"#,
    );
}

#[test]
fn behaviour_is_the_same_in_another_engine() {
    let provider = provider(
        r#"(module
            (func (export "gcd") (param i32 i32) (result i32) (local i32)
                (loop $again
                    (if (i32.eqz (local.get 1)) (then (return (local.get 0))))
                    (local.set 2 (i32.rem_u (local.get 0) (local.get 1)))
                    (local.set 0 (local.get 1))
                    (local.set 1 (local.get 2))
                    (br $again))
                unreachable))"#,
    );
    let guest = r#"(module
        (import "env" "gcd" (func $gcd (param i32 i32) (result i32)))
        (func (export "gcd3") (param i32 i32 i32) (result i32)
            (call $gcd (call $gcd (local.get 0) (local.get 1)) (local.get 2))))"#;
    let linked = linked(guest, &provider);
    assert_eq!(linked.replaced[0].expanded, 2);
    let arguments = [252, 105, 49].map(Val::I32);
    assert_eq!(run(&linked, "gcd3", &arguments).unwrap()[0].i32(), Some(7));
}
