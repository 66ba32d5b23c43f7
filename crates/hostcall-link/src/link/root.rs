//! Functions that the linked module has because the options ask for them:
//! replacements, wrappers and added exports.

use super::error::RewriteErrorKind;
use super::{AddedExport, LinkOptions, Replacement, RewriteError, Wrapper};
use crate::Provider;

/// A function that was asked for. Roots are numbered: first replacements, then
/// wrappers, then added exports.
#[derive(Clone, Copy)]
pub(super) struct Root<'a> {
    pub(super) provider: &'a Provider,
    /// The name of the function among the provider's exports.
    pub(super) name: &'a str,
    pub(super) purpose: Purpose<'a>,
    /// The position among roots of its purpose.
    position: u32,
}

/// What a root is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose<'a> {
    /// It takes the place of the import at this position.
    Replaces { import: u32, call_sites: bool },
    /// It stands around the import at this position.
    Wraps { import: u32, call_sites: bool },
    /// It is exported by this name.
    Exported(&'a str),
}

impl<'a> Root<'a> {
    /// The function among those that the provider defines. That it exists has
    /// been checked.
    pub(super) fn function(&self) -> u32 {
        let export = self.provider.export(self.name);
        export.map_or(0, |export| export.function)
    }

    /// The position of the import that it stands for.
    pub(super) fn import(&self) -> Option<u32> {
        match self.purpose {
            Purpose::Replaces { import, .. } | Purpose::Wraps { import, .. } => Some(import),
            Purpose::Exported(_) => None,
        }
    }

    /// Whether its body may stand where the import is called.
    pub(super) fn call_sites(&self) -> bool {
        match self.purpose {
            Purpose::Replaces { call_sites, .. } | Purpose::Wraps { call_sites, .. } => call_sites,
            Purpose::Exported(_) => false,
        }
    }

    /// An error about it.
    pub(super) fn error(&self, message: impl Into<String>) -> RewriteError {
        let (position, message) = (self.position, message.into());
        RewriteError::new(match self.purpose {
            Purpose::Replaces { .. } => RewriteErrorKind::Replacement {
                replacement: position,
                message,
            },
            Purpose::Wraps { .. } => RewriteErrorKind::Wrapper {
                wrapper: position,
                message,
            },
            Purpose::Exported(_) => RewriteErrorKind::Export {
                export: position,
                message,
            },
        })
    }
}

impl Purpose<'_> {
    /// What is done, for messages.
    pub(super) fn done(&self) -> &'static str {
        match self {
            Purpose::Replaces { .. } => "replaced",
            Purpose::Wraps { .. } => "wrapped",
            Purpose::Exported(_) => "exported",
        }
    }

    /// What several are, for messages.
    pub(super) fn plural(&self) -> &'static str {
        match self {
            Purpose::Replaces { .. } => "replacements",
            Purpose::Wraps { .. } => "wrappers",
            Purpose::Exported(_) => "exports",
        }
    }
}

/// All that the options ask for, in order.
pub(super) fn roots<'a>(options: &LinkOptions<'a>) -> Vec<Root<'a>> {
    let replacements = options.replacements.iter().zip(0..).map(replacement);
    let wrappers = options.wrappers.iter().zip(0..).map(wrapper);
    let exports = options.exports.iter().zip(0..).map(export);
    replacements.chain(wrappers).chain(exports).collect()
}

fn replacement<'a>((it, position): (&Replacement<'a>, u32)) -> Root<'a> {
    Root {
        provider: it.provider,
        name: it.function,
        purpose: Purpose::Replaces {
            import: it.import,
            call_sites: it.call_sites,
        },
        position,
    }
}

fn wrapper<'a>((it, position): (&Wrapper<'a>, u32)) -> Root<'a> {
    Root {
        provider: it.provider,
        name: it.function,
        purpose: Purpose::Wraps {
            import: it.import,
            call_sites: it.call_sites,
        },
        position,
    }
}

fn export<'a>((it, position): (&AddedExport<'a>, u32)) -> Root<'a> {
    Root {
        provider: it.provider,
        name: it.function,
        purpose: Purpose::Exported(it.name),
        position,
    }
}
