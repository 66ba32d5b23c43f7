//! Which proposals a guest uses.

mod common;

use wasmparser::{Validator, WasmFeatures};

/// Checks what is found, and that it is exactly what a validator needs: the
/// module is valid with these proposals, and invalid without any one of them.
#[track_caller]
fn check(wat: &str, expected: &[&str]) {
    let bytes = common::bytes(wat);
    let found = common::info(wat).features;
    assert_eq!(found, expected);
    let all = found.iter().map(|name| feature(name));
    let all = all.fold(WasmFeatures::MVP, WasmFeatures::union);
    Validator::new_with_features(all)
        .validate_all(&bytes)
        .expect("enough proposals");
    for name in &found {
        let less = all.difference(feature(name)).union(WasmFeatures::MVP);
        let needed = Validator::new_with_features(less)
            .validate_all(&bytes)
            .is_err();
        assert!(needed || implied(name, &found), "{name} is not needed");
    }
}

/// Concrete references belong to `function-references`, but a validator also
/// takes them from `gc`.
fn implied(name: &str, found: &[String]) -> bool {
    name == "function-references" && found.iter().any(|other| other == "gc")
}

fn feature(name: &str) -> WasmFeatures {
    let name = name.to_uppercase().replace('-', "_");
    WasmFeatures::from_name(&name).expect("a feature's name")
}

#[test]
fn none_in_old_wasm() {
    check(
        r#"(module
            (import "env" "f" (func (param i32 f64) (result i32)))
            (table 2 funcref) (elem (i32.const 0) 0 1)
            (memory (export "memory") 1) (data (i32.const 0) "x")
            (global (mut i32) (i32.const 1))
            (func (param i32) (result i32)
                (block (result i32) (call_indirect (param i32) (local.get 0) (i32.const 0))
                    (i32.load (memory.grow (i32.const 1))))))"#,
        &[],
    );
}

#[test]
fn operators() {
    check(
        "(module (func (drop (i32.extend8_s (i32.const 1)))))",
        &["sign-extension"],
    );
    check(
        "(module (func (drop (i32.trunc_sat_f64_s (f64.const 1)))))",
        &["saturating-float-to-int"],
    );
    check(
        "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))",
        &["bulk-memory"],
    );
    check("(module (func $f (return_call $f)))", &["tail-call"]);
    check("(module (func (atomic.fence)))", &["threads"]);
    check(
        "(module (func (param i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)) drop drop))",
        &["wide-arithmetic"],
    );
    check(
        "(module (func (drop (i32x4.splat (i32.const 1)))))",
        &["simd"],
    );
}

#[test]
fn relaxed_operators() {
    check(
        "(module (func (param v128) (result v128)
            (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))",
        &["simd", "relaxed-simd"],
    );
}

#[test]
fn types_alone() {
    check("(module (type (func (result i32 i32))))", &["multi-value"]);
    check("(module (type (func (param v128))))", &["simd"]);
    check(
        "(module (type (func (param externref))))",
        &["reference-types"],
    );
    check(
        "(module (global externref (ref.null extern)))",
        &["reference-types"],
    );
    check("(module (func (local v128)))", &["simd"]);
    check("(module (type (struct)))", &["gc"]);
    check("(module (rec (type (func))))", &["gc"]);
    check("(module (type (sub (func))))", &["gc"]);
}

#[test]
fn blocks_with_parameters() {
    check(
        "(module (type $t (func (param i32)))
            (func (i32.const 1) (block (type $t) (drop))))",
        &["multi-value"],
    );
}

#[test]
fn references() {
    check(
        "(module (type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0))))",
        &["reference-types", "function-references"],
    );
    check(
        "(module (type $s (struct (field i32)))
            (func (drop (struct.get $s 0 (struct.new_default $s)))))",
        &["gc"],
    );
    check(
        "(module (type $s (struct)) (func (param (ref null $s))))",
        &["reference-types", "function-references", "gc"],
    );
    check(
        "(module (table 1 funcref) (table 1 funcref))",
        &["reference-types"],
    );
}

#[test]
fn memories_and_tables() {
    check("(module (memory i64 1))", &["memory64"]);
    check("(module (table i64 1 funcref))", &["memory64"]);
    check("(module (memory 1) (memory 1))", &["multi-memory"]);
    check("(module (memory 1 2 shared))", &["threads"]);
    check("(module (memory 1 (pagesize 1)))", &["custom-page-sizes"]);
}

#[test]
fn exceptions() {
    check("(module (tag $t) (func (throw $t)))", &["exceptions"]);
    check(
        "(module (func (block $out (try_table (catch_all $out)))))",
        &["exceptions"],
    );
    check(
        "(module (tag $t) (func try catch $t end))",
        &["exceptions", "legacy-exceptions"],
    );
}

#[test]
fn segments_and_constants() {
    check(r#"(module (memory 1) (data "passive"))"#, &["bulk-memory"]);
    check(
        "(module (func $f) (elem declare func $f))",
        &["bulk-memory"],
    );
    check(
        "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
        &["extended-const"],
    );
}

#[test]
fn globals_across_the_border() {
    check(
        r#"(module (import "env" "g" (global (mut i32))))"#,
        &["mutable-global"],
    );
    check(
        r#"(module (global (export "g") (mut i32) (i32.const 0)))"#,
        &["mutable-global"],
    );
}
