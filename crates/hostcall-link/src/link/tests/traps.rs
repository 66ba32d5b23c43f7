//! Offsets of operators whose traps mean something.

use super::{built_with, linked};
use crate::provider::TrapNote;

const BODY: &str = r#"(module
    (func $checked (param i32) (result i32)
        (if (i32.lt_s (local.get 0) (i32.const 0)) (then unreachable))
        (local.get 0))
    (func (export "div") (param i32 i32) (result i32)
        (i32.div_s (call $checked (local.get 1)) (call $checked (local.get 0)))))"#;

const GUEST: &str = r#"(module
    (import "env" "log" (func $log))
    (import "env" "div" (func $div (param i32 i32) (result i32)))
    (func $first (call $log) (drop (call $div (i32.const 1) (i32.const 2))))
    (func (export "go") (param i32) (result i32)
        (call $log)
        (call $div (local.get 0) (i32.const 2))))"#;

fn notes() -> Vec<TrapNote> {
    let note = |func, operator, message| TrapNote {
        func,
        operator,
        message,
    };
    vec![note(0, 4, "negative"), note(1, 4, "division")]
}

#[test]
fn they_point_at_the_operator() {
    let linked = linked(GUEST, &[&built_with(BODY, notes())], |_| {});
    let found = linked.traps.iter().map(|trap| {
        let opcode = linked.bytes[trap.offset as usize];
        (opcode, trap.message)
    });
    let (unreachable, div) = ((0x00, "negative"), (0x6d, "division"));
    let body = [unreachable, unreachable, div];
    // Two call sites, and the function itself.
    assert_eq!(found.collect::<Vec<_>>(), [body; 3].concat());
    assert_eq!(linked.ranges.len(), 3);
}

#[test]
fn they_are_what_an_engine_reports() {
    let linked = linked(GUEST, &[&built_with(BODY, notes())], |_| {});
    let mut operators = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(&linked.bytes) {
        if let wasmparser::Payload::CodeSectionEntry(body) = payload.unwrap() {
            let reader = body.get_operators_reader().unwrap();
            for operator in reader.into_iter_with_offsets() {
                operators.push(operator.unwrap().1 as u32);
            }
        }
    }
    let on_operators = |offset: &u32| operators.binary_search(offset).is_ok();
    assert!(linked.traps.iter().all(|trap| on_operators(&trap.offset)));
    let sites = &linked.ranges[..2];
    assert!(sites.iter().all(|range| on_operators(&range.start)));
}
