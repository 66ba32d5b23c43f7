//! What is no guest at all, and what the message says.

mod common;

use expect_test::{Expect, expect};
use hostcall_link::{ModuleInfo, ParseError};

fn check(bytes: &[u8], message: Expect) {
    let error = ModuleInfo::parse(bytes).expect_err("bytes that are refused");
    message.assert_eq(&error.to_string());
}

#[test]
fn nothing() {
    check(
        b"",
        expect!["there is no module: the input is empty (at offset 0x0)"],
    );
}

#[test]
fn text() {
    check(
        b"\n  (module)",
        expect![
            "this looks like text (WAT), a module in binary form is needed: convert it first, for example with the `wat` crate (at offset 0x0)"
        ],
    );
    check(
        b"\xef\xbb\xbf;; a comment\n(module)",
        expect![
            "this looks like text (WAT), a module in binary form is needed: convert it first, for example with the `wat` crate (at offset 0x0)"
        ],
    );
}

#[test]
fn a_component() {
    check(
        &common::bytes("(component)"),
        expect![
            "this is a component, hostcall links core modules: build the guest as a core module, for example for `wasm32-wasip1` (at offset 0x6)"
        ],
    );
}

#[test]
fn other_files() {
    check(
        b"\x7fELF\x02\x01\x01\0",
        expect![
            "not a Wasm module: it begins with 7f 45 4c 46 (an ELF file: a native program or a precompiled module) instead of 00 61 73 6d (at offset 0x0)"
        ],
    );
    check(
        b"GIF89a",
        expect![
            "not a Wasm module: it begins with 47 49 46 38 instead of 00 61 73 6d (at offset 0x0)"
        ],
    );
    check(
        b"\0asn\x01\0\0\0",
        expect![
            "not a Wasm module: it begins with 00 61 73 6e instead of 00 61 73 6d (at offset 0x0)"
        ],
    );
    check(
        b"\0asm\x02\0\0\0",
        expect!["unknown version of Wasm's binary format: 02 00 instead of 01 00 (at offset 0x4)"],
    );
}

#[test]
fn truncated_files() {
    let module = common::bytes(r#"(module (import "env" "log" (func)))"#);
    check(
        &module[..2],
        expect!["the module is truncated: a module's header has 8 bytes (at offset 0x2)"],
    );
    check(
        &module[..7],
        expect!["the module is truncated: a module's header has 8 bytes (at offset 0x7)"],
    );
    check(
        &module[..9],
        expect!["the module is truncated: a section's length is missing (at offset 0x9)"],
    );
    check(
        &module[..20],
        expect![
            "the module is truncated: section 2 at offset 0xe announces 11 bytes, 4 are left (at offset 0x14)"
        ],
    );
}

#[test]
fn every_truncation_is_refused_or_ends_between_sections() {
    let module = common::bytes(
        r#"(module $m
            (import "env" "log" (func))
            (memory (export "memory") 1)
            (func (export "run") (call 0)))"#,
    );
    for length in 0..module.len() {
        if let Err(error) = ModuleInfo::parse(&module[..length]) {
            assert!(error.offset() <= length as u64, "{error}");
        }
    }
}

#[test]
fn damage_inside_a_section() {
    // A function type with one parameter of a type that does not exist.
    check(
        b"\0asm\x01\0\0\0\x01\x05\x01\x60\x01\x11\x00",
        expect!["invalid value type (at offset 0xd)"],
    );
    // An import of function type 7, which does not exist.
    check(
        b"\0asm\x01\0\0\0\x02\x05\x01\0\0\0\x07",
        expect!["unknown type 7: type index out of bounds (at offset 0xb)"],
    );
    // A name that is no UTF-8.
    check(
        b"\0asm\x01\0\0\0\x02\x06\x01\x01\xff\0\0\x07",
        expect!["malformed UTF-8 encoding (at offset 0xc)"],
    );
}

#[test]
fn damage_inside_a_function_body() {
    let mut module = common::bytes("(module (func (nop)))");
    let nop = module.len() - 2;
    module[nop] = 0xff;
    check(&module, expect!["illegal opcode: 0xff (at offset 0x17)"]);
}

#[test]
fn one_export_name_twice() {
    // Not even text can say this, so: two exports of function 0, both "f".
    let module = b"\0asm\x01\0\0\0\
        \x01\x04\x01\x60\0\0\
        \x03\x02\x01\0\
        \x07\x09\x02\x01f\0\0\x01f\0\0\
        \x0a\x04\x01\x02\0\x0b";
    check(
        module,
        expect!["duplicate export name `f` already defined (at offset 0x19)"],
    );
}

#[test]
fn errors_are_one_word_wide() {
    assert_eq!(size_of::<ParseError>(), size_of::<usize>());
    assert_eq!(size_of::<hostcall_link::LinkError>(), size_of::<usize>());
}
