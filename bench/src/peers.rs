//! Other engines, and Wasmtime's other ways to define host functions, in the cases of
//! the suites. Nothing is added without the feature `peers`.

#[cfg(feature = "peers")]
mod component;
#[cfg(feature = "peers")]
mod dynamic;
#[cfg(feature = "peers")]
mod engines;
#[cfg(feature = "peers")]
mod v8;
#[cfg(feature = "peers")]
mod wasmer;
#[cfg(feature = "peers")]
mod wasmi;

#[cfg(feature = "peers")]
pub use engines::{Engine, add, add_wasmtime, engines, missing, versions};
#[cfg(not(feature = "peers"))]
pub use none::{add, add_wasmtime, missing, versions};

use serde::Serialize;

/// What an engine does with a module.
#[derive(Clone, Copy, Serialize)]
#[serde(tag = "work", content = "functions", rename_all = "lowercase")]
pub enum Work {
    /// Calls `run`, which loops and calls the host.
    Run(Functions),
    /// Calls `add` in a loop, with the sum so far.
    Sum,
    /// Calls `add` in a loop, from one array into another.
    Map,
    /// Instantiates it over and over.
    Instantiate(Functions),
    /// Compiles it over and over.
    Compile,
}

/// What a guest imports from `env`: the host functions of the suite of that name.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Functions {
    Call,
    Inline,
    Deferred,
}

/// A subject that is in no case.
#[derive(Serialize)]
pub struct Absent {
    pub subject: &'static str,
    pub why: String,
}

/// The peers that were built in but are not there.
pub fn absent() -> Vec<Absent> {
    let missing = missing().into_iter();
    missing
        .map(|(subject, why)| Absent { subject, why })
        .collect()
}

/// What stands for the engines if none is built in.
#[cfg(not(feature = "peers"))]
mod none {
    use super::Work;
    use crate::harness::Case;
    use std::collections::BTreeMap;
    use wasmtime::{Engine, Result};

    pub fn add(case: Case, _: Work, _: impl AsRef<[u8]>) -> Result<Case> {
        Ok(case)
    }

    pub fn add_wasmtime(case: Case, _: &Engine, _: &str) -> Result<Case> {
        Ok(case)
    }

    pub fn versions() -> BTreeMap<&'static str, String> {
        BTreeMap::new()
    }

    pub fn missing() -> BTreeMap<&'static str, String> {
        BTreeMap::new()
    }
}
