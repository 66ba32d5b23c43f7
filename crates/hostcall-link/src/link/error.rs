//! Why a guest cannot be rewritten.

use std::fmt;

use crate::quote::Quoted;
use crate::{ImportName, ParseError, Place, RESERVED_PREFIX};

/// Why [`link`](crate::link()) cannot make a linked module.
///
/// Prints what was expected, what was found and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewriteError {
    kind: Box<RewriteErrorKind>,
}

/// What stands in the way of a linked module.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RewriteErrorKind {
    /// The guest is not a valid module.
    Guest(ParseError),
    /// The guest imports or exports a name that is
    /// [reserved](crate::RESERVED_PREFIX).
    Reserved {
        /// Whether an import or an export uses it.
        place: Place,
        /// The module, for an import; empty for an export.
        module: String,
        /// The name.
        name: String,
        /// Byte offset of the import or export in the guest.
        offset: u64,
    },
    /// An import cannot be replaced as asked.
    Replacement {
        /// The position among the replacements.
        replacement: u32,
        /// What is wrong, in a sentence.
        message: String,
    },
    /// A function cannot stand around an import as asked.
    Wrapper {
        /// The position among the wrappers.
        wrapper: u32,
        /// What is wrong, in a sentence.
        message: String,
    },
    /// An export cannot be added as asked.
    Export {
        /// The position among the added exports.
        export: u32,
        /// What is wrong, in a sentence.
        message: String,
    },
    /// The guest's memory or the host page is not what bodies need.
    Memory {
        /// What is wrong, in a sentence.
        message: String,
    },
    /// The linked module would exceed a limit that all engines share.
    TooLarge {
        /// What there would be too much of, such as `functions`.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
}

impl RewriteError {
    /// What stands in the way.
    pub fn kind(&self) -> &RewriteErrorKind {
        &self.kind
    }

    pub(crate) fn new(kind: RewriteErrorKind) -> RewriteError {
        RewriteError {
            kind: Box::new(kind),
        }
    }

    pub(crate) fn memory(message: impl Into<String>) -> RewriteError {
        let message = message.into();
        RewriteError::new(RewriteErrorKind::Memory { message })
    }
}

/// Locals of a function, parameters included, that engines accept.
pub(crate) const MAX_LOCALS: u32 = 50_000;

/// Fails when `count` exceeds what engines accept.
pub(crate) fn limit(what: &'static str, count: usize, limit: usize) -> Result<(), RewriteError> {
    if count <= limit {
        return Ok(());
    }
    let limit = limit as u64;
    Err(RewriteError::new(RewriteErrorKind::TooLarge {
        what,
        limit,
    }))
}

impl From<ParseError> for RewriteError {
    fn from(error: ParseError) -> RewriteError {
        RewriteError::new(RewriteErrorKind::Guest(error))
    }
}

/// For `?` inside this crate: which parser it uses is no part of its API.
#[doc(hidden)]
impl From<wasmparser::Error> for RewriteError {
    fn from(error: wasmparser::Error) -> RewriteError {
        ParseError::from(error).into()
    }
}

impl fmt::Display for RewriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            RewriteErrorKind::Guest(error) => error.fmt(f),
            RewriteErrorKind::Reserved {
                place,
                module,
                name,
                offset,
            } => {
                match place {
                    Place::Export => write!(f, "the guest exports `{}`", Quoted(name))?,
                    Place::Import => {
                        let name = ImportName::new(module, name);
                        write!(f, "the guest imports `{name}`")?;
                    }
                }
                write!(
                    f,
                    " (at offset {offset:#x}): names that start with `{RESERVED_PREFIX}` \
                     are reserved, choose another"
                )
            }
            RewriteErrorKind::Replacement {
                replacement,
                message,
            } => write!(f, "replacement {replacement}: {message}"),
            RewriteErrorKind::Wrapper { wrapper, message } => {
                write!(f, "wrapper {wrapper}: {message}")
            }
            RewriteErrorKind::Export { export, message } => {
                write!(f, "added export {export}: {message}")
            }
            RewriteErrorKind::Memory { message } => f.write_str(message),
            RewriteErrorKind::TooLarge { what, limit } => write!(
                f,
                "the linked module would have more than {limit} {what}, which engines refuse: \
                 replace fewer imports, lower the budget, or do without the host page"
            ),
        }
    }
}

impl std::error::Error for RewriteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.kind() {
            RewriteErrorKind::Guest(error) => Some(error),
            _ => None,
        }
    }
}
