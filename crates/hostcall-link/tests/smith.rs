//! Arbitrary guests and providers: what is linked keeps the plan, and behaves as
//! the guest does with the providers' functions behind its imports.

mod generate;
mod interpret;
mod random;

use arbitrary::Unstructured;
use generate::behaviour::{self, original, remaining};
use generate::{Case, Proposals};
use hostcall_link::{Linked, check, link};
use random::Random;

/// Links `count` cases. The linker checks what it makes only in debug builds.
fn for_each_case(
    seed: u64,
    count: usize,
    proposals: Proposals,
    mut then: impl FnMut(&Case, &Linked),
) {
    let mut random = Random(seed);
    let mut linked_cases = 0;
    for _ in 0..count {
        let bytes = random.bytes(6000);
        let Ok(case) = Case::generate(&mut Unstructured::new(&bytes), proposals) else {
            continue;
        };
        let providers = case.parsed();
        let options = case.options(&providers);
        let linked = link(&case.guest, &options).expect("a case that links");
        assert_eq!(check(&case.guest, &options, &linked), Ok(()));
        linked_cases += 1;
        then(&case, &linked);
    }
    assert!(linked_cases * 4 > count * 3, "only {linked_cases} cases");
}

#[test]
fn what_is_linked_keeps_the_plan() {
    let (mut sites, mut inlined) = (0, 0);
    for_each_case(1, 400, Proposals::All, |_, linked| {
        sites += linked.replaced.iter().map(|it| it.call_sites).sum::<u32>();
        inlined += linked.replaced.iter().map(|it| it.expanded).sum::<u32>();
    });
    assert!(sites > 1000 && inlined > 400, "{inlined} of {sites}");
}

#[test]
fn what_is_linked_behaves_the_same() {
    let (mut compared, mut events) = (0, 0);
    for_each_case(2, 400, Proposals::Few, |case, linked| {
        let before = interpret::run(&case.guest, &original(case), &case.providers);
        let after = interpret::run(&linked.bytes, &remaining(linked), &[]);
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        compared += 1;
        events += before.len();
        behaviour::compare(&before, &after);
    });
    assert!(
        compared > 200 && events > 3000,
        "{compared} cases, {events} events"
    );
}
