//! What is seen of a guest, and what stands behind its imports: the same for all
//! engines.

use hostcall_link::{Linked, LinkedImport, ModuleInfo};

use super::Case;

/// What was seen of a guest.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A call, of the guest or by the guest, and its values.
    Seen(String),
    /// Fuel or stack ran out: where, depends on how code is laid out.
    Exhausted,
}

/// What stands behind each import, in order.
#[derive(Clone, Debug)]
pub enum Binding {
    /// A function that notes its calls, or a new entity, known by this number.
    Stub(u32),
    /// A provider's function.
    Provided(usize, String),
}

/// For the guest: providers behind what will be replaced.
pub fn original(case: &Case) -> Vec<Binding> {
    let info = ModuleInfo::parse(&case.guest).expect("a valid guest");
    let mut bindings: Vec<Binding> = (0..info.imports.len() as u32).map(Binding::Stub).collect();
    for replaced in &case.replaced {
        let function = replaced.function.clone();
        bindings[replaced.import as usize] = Binding::Provided(replaced.provider, function);
    }
    bindings
}

/// For the linked module: what is left.
pub fn remaining(linked: &Linked) -> Vec<Binding> {
    let imports = linked.imports.iter();
    let bindings = imports.map(|import| match import {
        LinkedImport::Original(number) => Binding::Stub(*number),
        LinkedImport::Added(import) => panic!("{import:?} is added for no one"),
    });
    bindings.collect()
}

/// Compares up to where either runs out of fuel or stack, from where on all may
/// differ. Gives how many events that were.
pub fn compare(before: &[Event], after: &[Event]) -> usize {
    for (position, (before, after)) in before.iter().zip(after).enumerate() {
        if *before == Event::Exhausted || *after == Event::Exhausted {
            return position;
        }
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
    before.len()
}
