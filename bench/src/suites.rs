//! What can be measured: one file a suite.

mod call;
mod ct;
pub mod deferred;
pub mod export;
mod growth;
pub mod inline;
pub mod link;
pub mod map;
#[cfg(feature = "peers")]
mod portable;
mod suspend;

use crate::harness::Case;
use wasmtime::{Engine, Result};

pub struct Suite {
    pub name: &'static str,
    pub cases: fn(&Engine) -> Result<Vec<Case>>,
}

pub const ALL: &[Suite] = &[
    call::SUITE,
    export::SUITE,
    inline::SUITE,
    deferred::SUITE,
    map::SUITE,
    suspend::SUITE,
    link::SUITE,
    growth::SUITE,
    ct::SUITE,
    #[cfg(feature = "peers")]
    portable::SUITE,
];

/// The suite of that name, or which there are.
pub fn find(name: &str) -> Result<&'static Suite, String> {
    let found = ALL.iter().find(|suite| suite.name == name);
    found.ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|suite| suite.name).collect();
        format!("the suites are {}", names.join(", "))
    })
}
