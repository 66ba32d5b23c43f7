//! Functions that were asked for: replacements, wrappers, added exports.

use super::error::CheckError;
use super::input::{Callee, asked};
use super::module::Module;
use crate::{LinkOptions, Provider};

/// A function that was asked for, found.
#[derive(Clone, Copy)]
pub(super) struct Root {
    pub(super) purpose: Purpose,
    pub(super) callee: Callee,
    /// Whether its body may stand where the import is called.
    pub(super) call_sites: bool,
}

/// What it is for: which function import of the guest, by function index.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Replaces(u32),
    Wraps(u32),
    Exported,
}

/// A function that was asked for.
pub(super) struct Wanted<'a> {
    pub(super) provider: &'a Provider,
    pub(super) function: &'a str,
    pub(super) call_sites: bool,
    kind: Kind,
}

/// For imports, with their position.
enum Kind {
    Replacement(u32),
    Wrapper(u32),
    Export,
}

impl<'a> Wanted<'a> {
    /// All of them, in the order of their functions in the linked module.
    pub(super) fn all(options: &LinkOptions<'a>) -> Vec<Wanted<'a>> {
        let mut all = Vec::new();
        for it in &options.replacements {
            let kind = Kind::Replacement(it.import);
            all.push(Wanted::new(it.provider, it.function, it.call_sites, kind));
        }
        for it in &options.wrappers {
            let kind = Kind::Wrapper(it.import);
            all.push(Wanted::new(it.provider, it.function, it.call_sites, kind));
        }
        for it in &options.exports {
            all.push(Wanted::new(it.provider, it.function, false, Kind::Export));
        }
        all
    }

    fn new(provider: &'a Provider, function: &'a str, call_sites: bool, kind: Kind) -> Wanted<'a> {
        Wanted {
            provider,
            function,
            call_sites,
            kind,
        }
    }

    pub(super) fn purpose(&self, guest: &Module<'_>) -> Result<Purpose, CheckError> {
        let function = |position| {
            let function = guest.function_at(position);
            function.ok_or_else(|| asked("the import of a function", "another import, or none"))
        };
        Ok(match self.kind {
            Kind::Replacement(position) => Purpose::Replaces(function(position)?),
            Kind::Wrapper(position) => Purpose::Wraps(function(position)?),
            Kind::Export => Purpose::Exported,
        })
    }
}
