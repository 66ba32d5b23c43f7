//! The budget decides how much code call sites gain.

mod common;

use common::linking::{linked_with, options, provider, run};
use hostcall_link::{Budget, Linked};
use wasmi::Val;

const GUEST: &str = r#"(module
    (import "env" "f" (func $f (param i32) (result i32)))
    (func (export "twice") (param i32) (result i32)
        (call $f (call $f (local.get 0))))
    (func (export "once") (param i32) (result i32)
        (call $f (local.get 0))))"#;

/// Five operators, and three more at a call site: it takes its parameter twice.
const SQUARE: &str = r#"(module
    (func (export "f") (param i32) (result i32)
        (i32.add (i32.const 1) (i32.mul (local.get 0) (local.get 0)))))"#;

fn link(budget: Budget) -> Linked {
    let guest = common::bytes(GUEST);
    let provider = provider(SQUARE);
    let mut options = options(&guest, &provider);
    options.budget = budget;
    let linked = linked_with(&guest, &options);
    let twice = run(&linked, "twice", &[Val::I32(2)]).unwrap();
    assert_eq!(twice[0].i32(), Some(26));
    assert_eq!(linked.replaced[0].call_sites, 3);
    assert_eq!(linked.replaced[0].operators, 5);
    linked
}

#[test]
fn the_default_inlines_small_bodies() {
    assert_eq!(link(Budget::default()).replaced[0].expanded, 3);
    let default = Budget {
        body: 200,
        function: 5_000,
    };
    assert_eq!(Budget::default(), default);
}

#[test]
fn a_body_that_is_too_large_stays_a_function() {
    let budget = |body| Budget {
        body,
        ..Budget::default()
    };
    assert_eq!(link(budget(4)).replaced[0].expanded, 0);
    assert_eq!(link(budget(5)).replaced[0].expanded, 3);
}

#[test]
fn a_function_gains_no_more_than_its_budget() {
    let budget = |function| Budget {
        function,
        ..Budget::default()
    };
    assert_eq!(link(budget(7)).replaced[0].expanded, 0);
    assert_eq!(link(budget(8)).replaced[0].expanded, 2);
    assert_eq!(link(budget(16)).replaced[0].expanded, 3);
}

#[test]
fn call_sites_can_be_left_alone() {
    let guest = common::bytes(GUEST);
    let provider = provider(SQUARE);
    let mut options = options(&guest, &provider);
    options.replacements[0].call_sites = false;
    let linked = linked_with(&guest, &options);
    let replaced = linked.replaced[0];
    assert_eq!((replaced.call_sites, replaced.expanded), (3, 0));
    // Only the function itself.
    assert_eq!(linked.ranges.len(), 1);
}

#[test]
fn a_function_gets_no_more_locals_than_engines_accept() {
    let guest = common::bytes(
        r#"(module
            (import "env" "f" (func $f (param i32 i32) (result i32)))
            (func (export "full") (result i32)
                (local $array i32)
                (call $f (i32.const 1) (i32.const 2))))"#,
    );
    // One run of one local: make it one of 49,999.
    let run = guest.windows(3).rposition(|it| it == [1, 1, 0x7f]).unwrap();
    let mut full = guest[..run].to_vec();
    full.extend([1, 0xcf, 0x86, 0x03, 0x7f]);
    full.extend(&guest[run + 3..]);
    // The length of the body and of its section.
    full[run - 1] += 2;
    full[run - 3] += 2;
    let provider = provider(
        r#"(module (func (export "f") (param i32 i32) (result i32)
            (i32.sub (local.get 1) (local.get 0))))"#,
    );
    let linked = linked_with(&full, &options(&full, &provider));
    assert_eq!(linked.replaced[0].expanded, 0);
    let linked = linked_with(&guest, &options(&guest, &provider));
    assert_eq!(linked.replaced[0].expanded, 1);
}

#[test]
fn a_whole_module_grows_within_bounds() {
    let mut text = String::from(
        r#"(module (import "env" "f" (func $f (param i32) (result i32)))
            (func (export "f") (result i32) (i32.const 1)"#,
    );
    text += &"(call $f)".repeat(20_000);
    text += "))";
    let guest = common::bytes(&text);
    let provider = provider(SQUARE);
    let mut options = options(&guest, &provider);
    options.budget.function = u32::MAX;
    let linked = linked_with(&guest, &options);
    let replaced = linked.replaced[0];
    assert_eq!(replaced.expanded, replaced.call_sites);
}
