//! Which peers there are, and what they add to a case.

use super::{Work, component, dynamic, v8, wasmer, wasmi};
use crate::harness::{Case, Comparison, Subject};
use std::collections::BTreeMap;
use wasmtime::Result;

/// Makes a subject of that name.
pub type Engine = fn(&'static str, Work, &[u8]) -> Result<Subject>;

/// The engines that are there.
pub fn engines() -> Vec<(&'static str, Engine)> {
    let mut engines: Vec<(_, Engine)> =
        vec![("wasmer", wasmer::subject), ("wasmi", wasmi::subject)];
    if v8::version().is_ok() {
        engines.push(("v8", v8::subject));
    }
    engines
}

pub fn versions() -> BTreeMap<&'static str, String> {
    let mut versions = BTreeMap::from([
        ("wasmer", env!("BENCH_WASMER").to_owned()),
        ("wasmi", env!("BENCH_WASMI").to_owned()),
    ]);
    versions.extend(v8::version().iter().map(|version| ("v8", version.clone())));
    versions
}

/// The engines that are not there, and why.
pub fn missing() -> BTreeMap<&'static str, String> {
    let why = v8::version().as_ref().err();
    why.map(|why| ("v8", why.clone())).into_iter().collect()
}

/// Has all engines do the work of a case, too, with the same module, in binary or as
/// text.
pub fn add(case: Case, work: Work, wasm: impl AsRef<[u8]>) -> Result<Case> {
    let wasm = wat::parse_bytes(wasm.as_ref())?;
    let mut engines = engines().into_iter();
    engines.try_fold(case, |case, (name, subject)| {
        Ok(beside(case, subject(name, work, &wasm)?))
    })
}

/// Has Wasmtime do it in its other ways, in the cases where these differ most.
pub fn add_wasmtime(case: Case, engine: &wasmtime::Engine, guest: &str) -> Result<Case> {
    let subjects = match case.name {
        "call/scalar" => vec![component::scalar(engine)?, dynamic::scalar(engine, guest)?],
        "call/string" => vec![
            component::string(engine)?,
            component::borrowed_string(engine)?,
            dynamic::string(engine, guest)?,
        ],
        _ => Vec::new(),
    };
    Ok(subjects.into_iter().fold(case, beside))
}

/// Adds a subject, and compares hostcall with it.
fn beside(mut case: Case, subject: Subject) -> Case {
    case.comparisons.push(Comparison::to(subject.name, None));
    case.subjects.push(subject);
    case
}
