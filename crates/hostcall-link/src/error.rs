//! Why a guest cannot be parsed or linked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ExternType, FuncType};

/// The bytes are not a core Wasm module.
///
/// The message says why, and at which byte offset.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseError {
    inner: Box<ParseErrorInner>,
}

#[derive(Clone, PartialEq, Eq)]
struct ParseErrorInner {
    offset: u64,
    message: String,
}

impl ParseError {
    pub(crate) fn new(offset: u64, message: impl Into<String>) -> ParseError {
        let message = message.into();
        ParseError {
            inner: Box::new(ParseErrorInner { offset, message }),
        }
    }

    /// Byte offset in the module at which the error was found.
    pub fn offset(&self) -> u64 {
        self.inner.offset
    }

    /// What is wrong, without the offset.
    pub fn message(&self) -> &str {
        &self.inner.message
    }
}

/// For `?` inside this crate: which parser it uses is no part of its API.
#[doc(hidden)]
impl From<wasmparser::Error> for ParseError {
    fn from(error: wasmparser::Error) -> ParseError {
        ParseError::new(error.offset() as u64, error.message())
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at offset {:#x})", self.message(), self.offset())
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ParseError");
        debug.field("offset", &self.offset());
        debug.field("message", &self.message()).finish()
    }
}

impl std::error::Error for ParseError {}

/// Why a guest cannot be linked with a host: every problem at once.
///
/// Prints as a headline and then each problem, with what the guest expects,
/// what the host offers, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkError {
    inner: Box<LinkErrorInner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct LinkErrorInner {
    problems: Vec<Problem>,
}

impl LinkError {
    pub(crate) fn new(problems: Vec<Problem>) -> LinkError {
        LinkError {
            inner: Box::new(LinkErrorInner { problems }),
        }
    }

    /// Every problem, at least one: imports in their order, then exports.
    pub fn problems(&self) -> &[Problem] {
        &self.inner.problems
    }
}

impl std::error::Error for LinkError {}

/// One reason why a guest cannot be linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Position in the import section, or in the export section when the
    /// problem is an export.
    pub index: u32,
    /// Byte offset of the import or export in the module.
    pub offset: u64,
    /// The module imported from; empty for an export.
    pub module: String,
    /// The name of the import or export.
    pub name: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with an import or export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProblemKind {
    /// The host offers nothing by this name.
    ///
    /// Only the first 64 missing imports carry suggestions and what is
    /// available: a hostile guest has a million imports.
    Missing {
        /// What the guest expects.
        import: ExternType,
        /// `(module, name)` of what the guest may have meant, nearest first,
        /// at most 3.
        suggestions: Vec<(String, String)>,
        /// What the host has instead.
        available: Available,
    },
    /// The host offers a function by this name, with other parameters or
    /// results.
    Signature {
        /// What the guest expects.
        import: FuncType,
        /// What the host offers: the readable signature and the core types
        /// that satisfy it.
        offers: Vec<(String, Vec<FuncType>)>,
    },
    /// The host offers something of another kind by this name.
    Kind {
        /// What the guest expects.
        import: ExternType,
        /// The kind of what the host offers, such as `memory`.
        offer: String,
    },
    /// The host offers a memory, global or table of another type by this name.
    Mismatch {
        /// What the guest expects.
        import: ExternType,
        /// What the host offers.
        offer: ExternType,
    },
    /// The name belongs to this project: see [`RESERVED_PREFIX`](crate::RESERVED_PREFIX).
    Reserved {
        /// Whether an import or an export uses it.
        place: Place,
    },
}

/// Where a reserved name is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the module or the name of an import.
    Import,
    /// In the name of an export.
    Export,
}

/// What a host has near a missing import: the first few names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Available {
    /// The host has the module that the guest imports from.
    Names {
        /// The first names in it.
        names: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// The host has no such module.
    Modules {
        /// The first modules that it has instead.
        names: Vec<String>,
        /// How many more there are.
        more: usize,
    },
}
