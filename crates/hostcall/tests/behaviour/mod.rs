//! Compares the behaviour of guests and of what they are linked to, on Wasmtime.
//! Shared by a test and a fuzz target.

#[path = "../../../hostcall-link/tests/generate/mod.rs"]
mod generate;
mod run;

use arbitrary::Unstructured;
use generate::{Case, Proposals};
use hostcall_link::{Linked, LinkedImport, ModuleInfo, check, link};
use run::{Binding, Event};

/// Makes a guest and providers from `data`, links them, checks the result, and
/// compares what it does with what the guest does when the providers stand
/// behind its imports. Gives how many events were compared; nothing if the data
/// make no case, or none that can be run.
pub fn compare(data: &[u8]) -> Option<usize> {
    let case = Case::generate(&mut Unstructured::new(data), Proposals::All).ok()?;
    let providers = case.parsed();
    let options = case.options(&providers);
    let linked = link(&case.guest, &options).expect("a case that links");
    if let Err(error) = check(&case.guest, &options, &linked) {
        assert!(!error.is_certain(), "{error}");
    }
    let before = run::run(&case.guest, &original(&case), &case.providers)?;
    let after = run::run(&linked.bytes, &remaining(&linked), &[])?;
    Some(compare_events(&before, &after))
}

/// Up to where either runs out of fuel or stack: from there on all may differ.
fn compare_events(before: &[Event], after: &[Event]) -> usize {
    for (position, (before, after)) in before.iter().zip(after).enumerate() {
        if *before == Event::Exhausted || *after == Event::Exhausted {
            return position;
        }
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
    before.len()
}

fn original(case: &Case) -> Vec<Binding> {
    let info = ModuleInfo::parse(&case.guest).expect("a valid guest");
    let mut bindings: Vec<Binding> = (0..info.imports.len() as u32).map(Binding::Stub).collect();
    for replaced in &case.replaced {
        let function = replaced.function.clone();
        bindings[replaced.import as usize] = Binding::Provided(replaced.provider, function);
    }
    bindings
}

fn remaining(linked: &Linked) -> Vec<Binding> {
    let imports = linked.imports.iter();
    let bindings = imports.map(|import| match import {
        LinkedImport::Original(number) => Binding::Stub(*number),
        LinkedImport::Added(import) => panic!("{import:?} is added for no one"),
    });
    bindings.collect()
}
