//! A module whose exported functions can stand in a guest in the place of
//! imports.

mod analyze;
mod error;
mod read;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;

pub use error::ProviderError;

use crate::FuncType;
pub(crate) use analyze::Facts;

/// The module that a builder's body imports the guest's memory from.
pub(crate) const GUEST_MODULE: &str = "hostcall:guest";
/// The name of the guest's memory inside [`GUEST_MODULE`].
pub(crate) const GUEST_MEMORY: &str = "memory";
/// The module that a builder's body imports the host page from.
pub(crate) const HOST_MODULE: &str = "hostcall:host";
/// The name of the host page inside [`HOST_MODULE`].
pub(crate) const HOST_PAGE: &str = "page";
/// The module that imports of the guest are called from, without what stands
/// around them: by their position in its import section.
pub(crate) const IMPORT_MODULE: &str = "hostcall:import";
/// The module that exported functions of the guest are called from.
pub(crate) const EXPORT_MODULE: &str = "hostcall:export";
/// The module of what stubs ask of the host's queue.
pub(crate) const QUEUE_MODULE: &str = "hostcall:queue";
/// Makes the host run what is queued.
pub(crate) const QUEUE_DRAIN: &str = "drain";
/// The module of what wrappers ask of the host's limits.
pub(crate) const LIMITS_MODULE: &str = "hostcall:limits";
/// Counts a call of a host function; traps if there were too many.
pub(crate) const LIMITS_CALL: &str = "call";

/// A Wasm module whose exported functions can stand in a guest in the place of
/// imports.
///
/// Linking copies what is needed of it into the guest: functions, the functions
/// that they call, and all globals. Functions of one `Provider` that replace
/// several imports of a guest share its globals.
///
/// ```
/// use hostcall_link::Provider;
///
/// let math = wat::parse_str(
///     r#"(module
///         (func (export "double") (param i32) (result i32)
///             local.get 0
///             i32.const 1
///             i32.shl))"#,
/// )?;
/// let math = Provider::parse(&math)?;
/// assert_eq!(math.function("double").unwrap().to_string(), "(i32) -> i32");
/// assert_eq!(math.operators("double"), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Provider {
    pub(crate) bytes: Vec<u8>,
    pub(crate) types: Vec<wasmparser::FuncType>,
    /// The functions that it imports. They come first in its function index
    /// space.
    pub(crate) host_calls: Vec<HostCall>,
    pub(crate) functions: Vec<Function>,
    pub(crate) globals: Vec<Global>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) exports: Vec<Exported>,
    /// Positions in `exports`.
    named: HashMap<String, usize>,
    /// Names from its name section, by function index.
    pub(crate) function_names: BTreeMap<u32, String>,
    /// Names from its name section, by global index.
    pub(crate) global_names: BTreeMap<u32, String>,
    /// What a trap means, by function (counted without imports) and operator.
    pub(crate) traps: BTreeMap<(u32, u32), &'static str>,
}

/// A function that a body calls and the provider does not define.
pub(crate) struct HostCall {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) source: CallSource,
    /// Index in [`Provider::types`].
    pub(crate) type_index: u32,
    pub(crate) ty: FuncType,
}

/// Where a function that a body calls comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallSource {
    /// The host.
    Host,
    /// The guest's import at this position, without what stands around it.
    Import(u32),
    /// The guest, which exports it by the name of the [`HostCall`].
    Export,
}

/// A function that a provider defines.
pub(crate) struct Function {
    /// Index in [`Provider::types`].
    pub(crate) type_index: u32,
    /// Declared locals, without parameters.
    pub(crate) locals: Vec<wasmparser::ValType>,
    /// Where its operators are in [`Provider::bytes`], after the locals.
    pub(crate) operators: Range<usize>,
    pub(crate) facts: Facts,
}

/// A global that a provider defines.
pub(crate) struct Global {
    pub(crate) ty: wasmparser::GlobalType,
    /// Where its first value is in [`Provider::bytes`].
    pub(crate) init: Range<usize>,
    /// Functions that its first value refers to.
    pub(crate) refs: Vec<u32>,
}

/// A memory that a body imports.
pub(crate) struct Memory {
    pub(crate) source: MemorySource,
    pub(crate) ty: wasmparser::MemoryType,
}

/// What an imported memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemorySource {
    /// The guest's own memory.
    Guest,
    /// The host page.
    Page,
}

/// An exported function.
pub(crate) struct Exported {
    pub(crate) name: String,
    /// Counted without imports.
    pub(crate) function: u32,
    pub(crate) ty: FuncType,
}

/// What a trap at an operator means.
#[allow(dead_code, reason = "the builder makes them")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrapNote {
    /// The function, counted from 0 without imported ones.
    pub(crate) func: u32,
    /// The operator in its body, counted from 0.
    pub(crate) operator: u32,
    /// What the trap means.
    pub(crate) message: &'static str,
}

impl Provider {
    /// Reads the module in `wasm`, a core Wasm module in binary form, and
    /// validates it.
    ///
    /// It may define functions and globals, and nothing else: its functions
    /// run inside a guest, where memories, tables and tags of its own would
    /// collide with the guest's.
    ///
    /// # Errors
    ///
    /// A [`ProviderError`] that names what stands in the way, with its byte
    /// offset and what to do about it.
    pub fn parse(wasm: &[u8]) -> Result<Provider, ProviderError> {
        read::read(wasm, read::Origin::Outside)
    }

    /// Reads a module that the builder made. Other than one from outside it may
    /// import the guest's memory, the host page, host functions, and functions
    /// that the guest imports or exports.
    #[allow(dead_code, reason = "the builder is its caller")]
    pub(crate) fn built(wasm: &[u8], traps: Vec<TrapNote>) -> Result<Provider, ProviderError> {
        let mut provider = read::read(wasm, read::Origin::Builder)?;
        let notes = traps.into_iter();
        provider.traps = notes
            .map(|note| ((note.func, note.operator), note.message))
            .collect();
        Ok(provider)
    }

    /// The exported functions: name and type, in the order of the exports.
    pub fn functions(&self) -> impl Iterator<Item = (&str, &FuncType)> {
        let exports = self.exports.iter();
        exports.map(|export| (export.name.as_str(), &export.ty))
    }

    /// The type of the exported function `name`.
    pub fn function(&self, name: &str) -> Option<&FuncType> {
        self.export(name).map(|export| &export.ty)
    }

    /// How many Wasm operators the body of the exported function `name` has.
    /// The `end` of the function does not count.
    pub fn operators(&self, name: &str) -> Option<u32> {
        let function = self.export(name)?.function;
        let function = self.functions.get(function as usize)?;
        Some(function.facts.operators)
    }

    /// The host functions that bodies call as their slow paths: module, name
    /// and type.
    pub fn host_calls(&self) -> impl Iterator<Item = (&str, &str, &FuncType)> {
        let calls = self.host_calls.iter();
        let calls = calls.filter(|call| call.source == CallSource::Host);
        calls.map(|call| (call.module.as_str(), call.name.as_str(), &call.ty))
    }

    /// Whether bodies use the guest's memory.
    pub fn uses_memory(&self) -> bool {
        self.uses(MemorySource::Guest)
    }

    /// Whether bodies use the host page.
    pub fn uses_page(&self) -> bool {
        self.uses(MemorySource::Page)
    }

    fn uses(&self, source: MemorySource) -> bool {
        self.memories.iter().any(|memory| memory.source == source)
    }

    pub(crate) fn export(&self, name: &str) -> Option<&Exported> {
        self.named
            .get(name)
            .map(|position| &self.exports[*position])
    }

    /// The position among defined functions of function `index`, or the host
    /// function that it is.
    pub(crate) fn callee(&self, index: u32) -> Callee {
        let imports = self.host_calls.len() as u32;
        match index.checked_sub(imports) {
            Some(function) => Callee::Function(function),
            None => Callee::Host(index),
        }
    }

    /// Parameters and results of a defined function.
    pub(crate) fn signature(&self, function: u32) -> &wasmparser::FuncType {
        &self.types[self.functions[function as usize].type_index as usize]
    }
}

/// What a function index of a provider stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    /// A defined function, counted without imports.
    Function(u32),
    /// An entry of [`Provider::host_calls`].
    Host(u32),
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<(&str, &FuncType)> = self.functions().collect();
        let mut debug = f.debug_struct("Provider");
        debug
            .field("functions", &functions)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}
