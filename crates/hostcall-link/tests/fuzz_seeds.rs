//! The seeds of the fuzz targets are fresh: `BLESS=1` writes them.

mod generate;
mod random;

use std::path::Path;

use arbitrary::Unstructured;
use generate::{Case, Proposals};
use random::Random;

/// Providers and guests: see the readme of `fuzz/`.
const PAIRS: [(&str, &str, &str); 3] = [
    (
        "seed-stack",
        r#"(module (func (export "f") (param i32 i32) (result i32)
            local.get 0 local.get 1 i32.add))"#,
        r#"(module
            (import "env" "f" (func $f (param i32 i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 1) "text")
            (table 2 funcref) (elem (i32.const 0) $f $run)
            (func $run (export "run") (param i32) (result i32) (local i64)
                (loop $again (br_if $again (call $f (local.get 0) (i32.const 1))))
                (return_call $f (i32.const 1) (i32.const 2))))"#,
    ),
    (
        "seed-block",
        r#"(module
            (global $g (mut i64) (i64.const 1))
            (func (export "f") (param i64) (result i64 i32) (local i32 f64)
                (if (i64.eqz (local.get 0)) (then (return (global.get $g) (local.get 1))))
                (global.set $g (local.get 0))
                (call $h) (local.get 0) (i32.trunc_f64_s (local.get 2)))
            (func $h (br_if 0 (i32.wrap_i64 (global.get $g))) unreachable))"#,
        r#"(module
            (type $t (sub (func (param i64) (result i64 i32))))
            (import "env" "f" (func $f (type $t)))
            (tag $e (param i32)) (global funcref (ref.func $f))
            (func (export "run") (result i32)
                (block (try_table (catch_all 0)
                    (call $f (i64.const 1)) (throw $e)))
                (call_ref $t (i64.const 2) (ref.func $f)) (drop) (i32.wrap_i64)))"#,
    ),
    (
        "seed-start",
        r#"(module (func (export "f")) (func (export "g") (result v128)
            (v128.const i64x2 1 2)))"#,
        r#"(module $named
            (import "env" "f" (func $f)) (import "env" "g" (func $g (result v128)))
            (memory i64 1) (start $f) (export "again" (func $g))
            (func $run (param $p i32) (block $out (br $out)) (drop (call $g)) (call $f))
            (@custom ".debug_info" "abc"))"#,
    ),
];

fn pair(provider: &str, guest: &str) -> Vec<u8> {
    let wasm = |text: &str| wat::parse_str(text).expect("valid text");
    let (provider, guest) = (wasm(provider), wasm(guest));
    let length = u16::try_from(provider.len()).expect("a short provider");
    [&length.to_le_bytes()[..], &provider, &guest].concat()
}

fn compare(target: &str, name: &str, seed: &[u8]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../../fuzz/corpus").join(target).join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, seed).expect("a directory of seeds");
    }
    let found = std::fs::read(&path).unwrap_or_default();
    assert!(
        found == seed,
        "{} is stale, BLESS=1 writes it",
        path.display()
    );
}

#[test]
fn seeds_of_bytes() {
    for (name, provider, guest) in PAIRS {
        compare("link_bytes", name, &pair(provider, guest));
    }
}

#[test]
fn seeds_of_valid_modules() {
    for number in [1, 3, 5] {
        let seed = Random(number).bytes(3000);
        let case = Case::generate(&mut Unstructured::new(&seed), Proposals::All);
        assert!(case.is_ok(), "seed {number} makes no case");
        compare("link_valid", &format!("seed-{number}"), &seed);
    }
}
