//! Arbitrary guests and providers: what is linked keeps the plan, and behaves as
//! the guest does with the providers' functions behind its imports.

mod generate;
mod interpret;
mod random;

use arbitrary::Unstructured;
use generate::behaviour::{self, original, remaining};
use generate::{Case, Proposals};
use hostcall_link::{
    AddedExport, ExternType, Linked, ModuleInfo, Provider, ValType, check, link, stub,
};
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

/// For every function of numbers that a guest exports, one that calls it; and a
/// start function that the host calls.
#[test]
fn what_is_linked_with_exports_keeps_the_plan() {
    let (mut exports, mut starts) = (0, 0);
    for_each_case(3, 200, Proposals::All, |case, _| {
        let drivers = drivers(&case.guest);
        let names: Vec<String> = (0..drivers.len())
            .map(|it| format!("hostcall:{it}"))
            .collect();
        let providers = case.parsed();
        let mut options = case.options(&providers);
        let added = names
            .iter()
            .zip(&drivers)
            .map(|(name, provider)| AddedExport {
                name,
                provider,
                function: stub::FUNCTION,
            });
        options.exports = added.collect();
        options.export_start = true;
        options.page.get_or_insert_default();
        let linked = link(&case.guest, &options).expect("a case that links");
        assert_eq!(check(&case.guest, &options, &linked), Ok(()));
        exports += drivers.len();
        let info = ModuleInfo::parse(&linked.bytes).expect("a valid module");
        let mut names = info.exports.iter().map(|export| &*export.name);
        starts += usize::from(names.any(|name| name == "hostcall:start"));
    });
    assert!(
        exports > 200 && starts > 5,
        "{exports} exports, {starts} start functions"
    );
}

fn drivers(guest: &[u8]) -> Vec<Provider> {
    let batch = stub::Batch {
        progress: 0,
        input: 16,
        output: 16,
    };
    let info = ModuleInfo::parse(guest).expect("a valid guest");
    let number = |ty: &ValType| {
        use ValType::{F32, F64, I32, I64};
        matches!(ty, I32 | I64 | F32 | F64)
    };
    let exports = info.exports.iter();
    let drivers = exports.filter_map(|export| match &export.ty {
        ExternType::Func(ty) if ty.params.iter().chain(&ty.results).all(number) => {
            Some(stub::map_driver(&export.name, ty, &batch))
        }
        _ => None,
    });
    drivers.collect()
}

#[test]
fn what_is_linked_behaves_the_same() {
    let (mut compared, mut wrapped, mut events) = (0, 0, 0);
    for_each_case(2, 400, Proposals::Few, |case, linked| {
        let before = interpret::run(&case.guest, &original(case), &case.providers);
        let after = interpret::run(&linked.bytes, &remaining(linked), &[]);
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        compared += 1;
        wrapped += case.wrapped.len();
        events += before.len();
        behaviour::compare(&before, &after);
    });
    assert!(
        compared > 200 && wrapped > 200 && events > 3000,
        "{compared} cases, {wrapped} wrappers, {events} events"
    );
}
