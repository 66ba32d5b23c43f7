//! Random programs do what an interpreter of them does: the order of effects,
//! of traps, and of jumps out of the middle of expressions.

mod inline_common;
mod inline_programs_model;

use inline_common::{Machine, Wire, build};
use inline_programs_model::{Program, build_body};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_mean_what_they_say(
        choices in prop::collection::vec(any::<u8>(), 0..600),
        inputs in prop::collection::vec((any::<u8>(), any::<u8>()), 3),
    ) {
        let program = Program::from_choices(&choices);
        let built = {
            let program = program.clone();
            build(move |b| build_body(&program, b))
        };
        let text = inline_common::text(&built);
        let mut machine = Machine::new(built);
        for (x, y) in inputs {
            let (x, y) = (u32::from(x % 8), u32::from(y % 8));
            if let Some(page) = machine.page {
                page.data_mut(&mut machine.store).fill(0);
            }
            let (expected, state) = program.run(0, x, y);
            let found = machine.run::<u32>(&[x.arg(), y.arg()]);
            prop_assert_eq!(&found, &expected, "of {} and {}\n{:#?}\n{}", x, y, program, text);
            if let Some(page) = machine.page {
                let at = inline_common::STATE as usize;
                let bytes = &page.data(&machine.store)[at..][..4];
                prop_assert_eq!(bytes, state.to_le_bytes(), "state\n{:#?}\n{}", program, text);
            }
        }
    }
}
