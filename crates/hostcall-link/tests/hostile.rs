//! Bytes made to hurt: no panic, no hang, no unbounded memory.

mod common;

use hostcall_link::{ModuleInfo, Surface, plan};
use proptest::prelude::*;

/// Modules that touch every section, to be damaged.
const SEEDS: [&str; 3] = [
    r#"(module $m
        (import "env" "log" (func (param $text i32) (param i32)))
        (import "env" "memory" (memory 1 2))
        (import "" "g" (global (mut i64)))
        (table (export "t") 2 funcref) (elem (i32.const 0) 0 1)
        (data "passive") (data (i32.const 4) "active")
        (global (export "x") i32 (i32.const 1))
        (func $run (export "run") (param $n i32) (result i32) (local v128)
            (loop $again (br_if $again (i32.eqz (local.get $n))))
            (call 0 (i32.const 1) (i32.const 2))
            (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))
            (local.get $n))
        (func $start) (start $start)
        (@custom ".debug_info" "abc"))"#,
    r#"(module
        (rec (type $a (sub (struct (field (ref null $b)) (field i8))))
             (type $b (array (mut (ref $a)))))
        (type $f (sub final (func (param (ref $a)) (result (ref null $b) i32))))
        (import "env" "visit" (func (type $f)))
        (tag $e (export "e") (param i32))
        (func (export "throw") (throw $e (i32.const 1)))
        (func (block $out (try_table (catch_all $out))))
        (memory i64 1) (memory 1 (pagesize 1)) (memory 1 4 shared)
        (table i64 1 externref))"#,
    r#"(module
        (func (param v128) (result v128)
            (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (local.get 0) (local.get 0)))
        (func (param i32) (block (block (br_table 0 1 0 1 (local.get 0)))))
        (func (result externref) (select (result externref)
            (ref.null extern) (ref.null extern) (i32.const 1))))"#,
];

/// Everything a caller does with bytes, whatever they are.
fn exercise(bytes: &[u8]) {
    match ModuleInfo::parse(bytes) {
        Ok(info) => {
            let _ = info.pointers_memory();
            let catch_all = Surface {
                catch_all: true,
                ..Surface::default()
            };
            for surface in [common::logging_host(), catch_all] {
                match plan(&info, &surface) {
                    Ok(plan) => drop(plan.to_string()),
                    Err(error) => drop(error.to_string()),
                }
            }
        }
        Err(error) => {
            assert!(error.offset() <= bytes.len() as u64, "{error}");
            assert!(!error.message().is_empty());
        }
    }
}

/// One change to a module's bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(usize, u8),
    Insert(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len().max(1);
        let range = |at: usize, count: usize| at % length..(at % length + count).min(bytes.len());
        match *self {
            Damage::Set(at, value) => {
                if let Some(byte) = bytes.get_mut(at % length) {
                    *byte = value;
                }
            }
            Damage::Insert(at, value) => bytes.insert(at % length, value),
            Damage::Remove(at, count) => drop(bytes.drain(range(at, count))),
            Damage::Repeat(at, count) => {
                let copy = bytes[range(at, count)].to_vec();
                bytes.splice(at % length..at % length, copy);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    // Bytes that mean something in lengths and kinds are worth more tries.
    let byte = prop_oneof![Just(0x7f), Just(0xff), Just(0x80), 0u8..0x10, any::<u8>()];
    prop_oneof![
        4 => (any::<usize>(), byte.clone()).prop_map(|(at, value)| Damage::Set(at, value)),
        1 => (any::<usize>(), byte).prop_map(|(at, value)| Damage::Insert(at, value)),
        1 => (any::<usize>(), 1..20usize).prop_map(|(at, count)| Damage::Remove(at, count)),
        1 => (any::<usize>(), 1..20usize).prop_map(|(at, count)| Damage::Repeat(at, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_modules(seed in 0..SEEDS.len(), damage in prop::collection::vec(damage(), 1..6)) {
        let mut bytes = common::bytes(SEEDS[seed]);
        for one in &damage {
            one.apply(&mut bytes);
        }
        exercise(&bytes);
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn random_sections(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(bytes);
        exercise(&module);
    }
}

/// A module of one section.
fn module(id: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    section(&mut bytes, id, content);
    bytes
}

fn section(bytes: &mut Vec<u8>, id: u8, content: &[u8]) {
    bytes.push(id);
    leb(bytes, content.len() as u32);
    bytes.extend(content);
}

fn leb(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[test]
fn counts_that_promise_too_much() {
    for id in 0..=14 {
        exercise(&module(id, b"\xff\xff\xff\xff\x0f"));
        exercise(&module(id, b"\xff\xff\x3f"));
    }
}

#[test]
fn one_long_module_name_for_very_many_imports() {
    let many = 100_000;
    let mut content = vec![1];
    leb(&mut content, many);
    content.extend(vec![b'm'; many as usize]);
    // No name, the mark of the compact form, a memory of one page.
    content.extend(b"\0\x7e\x02\x00\x01");
    leb(&mut content, many);
    content.extend(vec![0; many as usize]);
    let error = ModuleInfo::parse(&module(2, &content)).unwrap_err();
    assert!(
        error.message().starts_with("the names of the imports"),
        "{error}"
    );
}

#[test]
fn one_large_type_for_very_many_imports() {
    let params = 1000;
    let mut types = vec![1, 0x60];
    leb(&mut types, params);
    types.extend(vec![0x7f; params as usize]);
    types.push(0);
    let mut bytes = module(1, &types);
    let many = 100_000;
    let mut imports = Vec::new();
    leb(&mut imports, many);
    imports.extend([0; 4].repeat(many as usize));
    section(&mut bytes, 2, &imports);
    let error = ModuleInfo::parse(&bytes).unwrap_err();
    assert!(error.message().contains("type size"), "{error}");
}

#[test]
fn deep_nesting_in_a_body() {
    let depth = 1_000_000;
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(depth));
    body.extend(vec![0x0b; depth + 1]);
    let mut code = vec![1];
    leb(&mut code, body.len() as u32);
    code.extend(body);
    let mut bytes = module(1, b"\x01\x60\0\0");
    section(&mut bytes, 3, b"\x01\0");
    section(&mut bytes, 10, &code);
    assert_eq!(ModuleInfo::parse(&bytes).unwrap().functions, 1);
}

#[test]
fn very_many_missing_imports_with_long_names() {
    let many = 20_000;
    let name = "x".repeat(60);
    let mut imports = Vec::new();
    leb(&mut imports, many);
    for number in 0..many {
        imports.extend(b"\x03env\x43");
        imports.extend(format!("{name}{number:07}").bytes());
        imports.extend(b"\0\0");
    }
    let mut bytes = module(1, b"\x01\x60\0\0");
    section(&mut bytes, 2, &imports);
    exercise(&bytes);
}
