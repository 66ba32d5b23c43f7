//! What a host offers to its guests.

use serde::{Deserialize, Serialize};

use crate::{FuncType, GlobalType, MemoryType, TableType};

/// Everything that a host offers, and how it treats imports that it does not
/// know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surface {
    /// What is offered. A `(module, name)` may occur several times: any item
    /// that fits satisfies an import.
    pub items: Vec<HostItem>,
    /// `(module, name)` of functions that a guest may import although nothing
    /// is offered by that name: a call traps.
    pub optional: Vec<(String, String)>,
    /// Whether the host answers every function import that nothing else
    /// satisfies by name.
    pub catch_all: bool,
    /// Whether imports that nothing satisfies by name stay imports, for
    /// another host that runs the linked module.
    pub open: bool,
}

/// One thing that a host offers under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostItem {
    /// The module that guests import it from.
    pub module: String,
    /// The name inside that module.
    pub name: String,
    /// What it is.
    pub provides: Provides,
}

/// What a [`HostItem`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provides {
    /// A host function.
    Func {
        /// Its type as its author reads it, such as `func(text: string) -> u32`.
        signature: String,
        /// The core types that satisfy it, at least one: one for each width of
        /// pointers, for example.
        forms: Vec<FuncType>,
        /// Whether it can stand in the guest.
        inlining: Inlining,
        /// Whether calls of it may wait in the guest.
        deferral: Deferral,
        /// Whether it is asynchronous: the guest is suspended while it waits.
        #[serde(default)]
        waits: bool,
    },
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
}

/// Whether a host function goes into the guests that import it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inlining {
    /// It has no body that could: it is native code, or works on what only
    /// the host has.
    #[default]
    Impossible,
    /// It has a body, but inlining is switched off.
    Off,
    /// Its body goes into the guest.
    Scalar,
    /// The same, and the body works on the guest's memory.
    Memory,
}

/// Whether calls of a host function may be queued in the guest and delivered
/// later, many at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deferral {
    /// Nobody has asked for it.
    #[default]
    Unasked,
    /// It may, but deferring is switched off.
    Off,
    /// It should, but its calls cannot be kept, for this reason.
    Unfit(String),
    /// It may: its arguments are values.
    Scalar,
    /// The same, and bytes of the guest's memory are copied at the call.
    Memory,
}

impl Provides {
    /// The kind in one word: `function`, `memory`, `global` or `table`.
    pub fn kind(&self) -> &'static str {
        match self {
            Provides::Func { .. } => "function",
            Provides::Memory(_) => "memory",
            Provides::Global(_) => "global",
            Provides::Table(_) => "table",
        }
    }
}
