//! Linked into a guest, at its call sites or as a function, a body does what it
//! does alone.

mod inline_common;
mod inline_programs_model;

use inline_common::{Machine, STATE, Wire, provider};
use inline_programs_model::{Program, build_body};
use proptest::prelude::*;

/// Calls the body twice, so that what the first call left in locals shows.
const GUEST: &str = r#"(module
    (import "env" "f" (func $f (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "f") (param $x i32) (param $y i32) (result i32)
        (local $first i32)
        (local.set $first (call $f (local.get $x) (local.get $y)))
        (i32.add
            (local.get $first)
            (call $f (local.get $y) (local.get $x)))))"#;

type Result = std::result::Result<u32, String>;

/// What the guest does, and the state afterwards.
fn expected(program: &Program, x: u32, y: u32) -> (Result, u32) {
    let (first, state) = program.run(0, x, y);
    let Ok(first) = first else {
        return (first, state);
    };
    let (second, state) = program.run(state, y, x);
    (second.map(|second| first.wrapping_add(second)), state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn linked_programs_mean_what_they_say(
        choices in prop::collection::vec(any::<u8>(), 0..500),
        call_sites in any::<bool>(),
        inputs in prop::collection::vec((0..8_u32, 0..8_u32), 3),
    ) {
        let program = Program::from_choices(&choices);
        let body = program.clone();
        let provider = provider(move |b| build_body(&body, b));
        let guest = wat::parse_str(GUEST).expect("valid text");
        let mut machine = Machine::linked(&guest, &provider, call_sites);
        for (x, y) in inputs {
            machine.page_bytes().fill(0);
            let (result, state) = expected(&program, x, y);
            let found: Result = machine.run(&[x.arg(), y.arg()]);
            prop_assert_eq!(&found, &result, "of {} and {}\n{:#?}", x, y, program);
            let bytes = &machine.page_bytes()[STATE as usize..][..4];
            prop_assert_eq!(bytes, state.to_le_bytes(), "state\n{:#?}", program);
        }
    }
}
