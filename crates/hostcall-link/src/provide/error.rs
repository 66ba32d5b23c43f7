//! Why a guest cannot be linked with providers.

use std::fmt;

use crate::{LinkError, RewriteError};

/// Why [`provide`](crate::provide()) cannot make a linked module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvideError {
    kind: Box<ProvideErrorKind>,
}

/// What stands in the way of linking a guest with providers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvideErrorKind {
    /// Imports and providers do not fit: every problem at once.
    Link(LinkError),
    /// The guest cannot be rewritten: it is not a valid module, for example.
    Rewrite(RewriteError),
}

impl ProvideError {
    /// What stands in the way.
    pub fn kind(&self) -> &ProvideErrorKind {
        &self.kind
    }
}

impl From<LinkError> for ProvideError {
    fn from(error: LinkError) -> ProvideError {
        let kind = Box::new(ProvideErrorKind::Link(error));
        ProvideError { kind }
    }
}

impl From<RewriteError> for ProvideError {
    fn from(error: RewriteError) -> ProvideError {
        let kind = Box::new(ProvideErrorKind::Rewrite(error));
        ProvideError { kind }
    }
}

impl fmt::Display for ProvideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ProvideErrorKind::Link(error) => error.fmt(f),
            ProvideErrorKind::Rewrite(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProvideError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.kind() {
            ProvideErrorKind::Link(error) => Some(error),
            ProvideErrorKind::Rewrite(error) => Some(error),
        }
    }
}
