//! Compares the behaviour of guests and of what they are linked to, on Wasmtime.
//! Shared by a test and a fuzz target.

#[path = "../../../hostcall-link/tests/generate/mod.rs"]
mod generate;
mod run;

use arbitrary::Unstructured;
use generate::behaviour::{self, original, remaining};
use generate::{Case, Proposals};
use hostcall_link::{check, link};

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
    Some(behaviour::compare(&before, &after))
}
