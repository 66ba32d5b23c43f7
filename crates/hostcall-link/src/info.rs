//! What a guest is: the description that parsing yields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::parse;
use crate::{ExternType, MemoryType, ParseError};

/// One import of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Position in the import section, counted from 0.
    pub index: u32,
    /// Byte offset of the import in the module.
    pub offset: u64,
    /// The module that the guest imports from.
    pub module: String,
    /// The name inside that module.
    pub name: String,
    /// What the guest expects.
    pub ty: ExternType,
    /// Index in the index space of its kind: for a function, its function
    /// index.
    pub slot: u32,
}

/// One export of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The exported name.
    pub name: String,
    /// What the guest offers.
    pub ty: ExternType,
    /// Index in the index space of its kind: for a function, its function
    /// index.
    pub index: u32,
    /// Byte offset of the export in the module.
    pub offset: u64,
}

/// What a guest needs, offers and uses, as far as its bytes tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleInfo {
    /// The module's own name, from its name section.
    pub name: Option<String>,
    /// Every import, in the order of the import section.
    pub imports: Vec<Import>,
    /// Every export, in the order of the export section.
    pub exports: Vec<Export>,
    /// Every memory, imported ones first.
    pub memories: Vec<MemoryType>,
    /// Whether a start function runs at instantiation.
    pub start: bool,
    /// How many functions the module defines itself.
    pub functions: u32,
    /// Bytes of all function bodies together.
    pub code_bytes: u64,
    /// Wasm proposals beyond the first version of Wasm that the module really
    /// uses, such as `simd` or `multi-value`.
    pub features: Vec<String>,
    /// Whether the module carries DWARF debug information (`.debug_*`).
    pub debug_info: bool,
    /// Names of all custom sections, in order.
    pub custom_sections: Vec<String>,
    /// Names of parameters, by function index, for imported and exported
    /// functions whose parameters the name section names.
    pub param_names: BTreeMap<u32, Vec<Option<String>>>,
}

impl ModuleInfo {
    /// Describes the module in `bytes`, a core Wasm module in binary form.
    ///
    /// All proposals that `wasmparser` knows are accepted: whether an engine
    /// accepts them too is for the engine to say. Names that are
    /// [reserved](crate::RESERVED_PREFIX) are accepted here and refused by
    /// [`plan`](crate::plan()), together with whatever else is wrong.
    ///
    /// # Errors
    ///
    /// A [`ParseError`] with a byte offset when `bytes` are not such a module:
    /// for example a component, a text file, or a module cut short.
    ///
    /// ```
    /// use hostcall_link::ModuleInfo;
    ///
    /// let info = ModuleInfo::parse(b"\0asm\x01\0\0\0")?;
    /// assert!(info.imports.is_empty());
    ///
    /// let error = ModuleInfo::parse(b"(module)").unwrap_err();
    /// assert!(error.to_string().starts_with("this looks like text"));
    /// # Ok::<(), hostcall_link::ParseError>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<ModuleInfo, ParseError> {
        parse::parse(bytes)
    }

    /// The memory that pointers in the arguments of host functions refer to.
    ///
    /// That is the export named `memory` if it is a memory, else the only
    /// memory exported, else, of several, memory 0, else nothing.
    pub fn pointers_memory(&self) -> Option<&Export> {
        let exports = self.exports.iter();
        let memories = exports.filter(|export| matches!(export.ty, ExternType::Memory(_)));
        let memories: Vec<&Export> = memories.collect();
        let first = *memories.first()?;
        if memories.iter().all(|memory| memory.index == first.index) {
            return Some(by_name(&memories).unwrap_or(first));
        }
        let zero = memories.iter().find(|memory| memory.index == 0);
        by_name(&memories).or(zero.copied())
    }

    /// Index and type of the memory that pointers in the arguments of host
    /// functions refer to: [`ModuleInfo::pointers_memory`], or the first memory
    /// that is imported if none is exported.
    pub fn memory(&self) -> Option<(u32, &MemoryType)> {
        if let Some(export) = self.pointers_memory() {
            return Some((export.index, self.memories.get(export.index as usize)?));
        }
        let mut imports = self.imports.iter();
        let imported = imports.any(|import| matches!(import.ty, ExternType::Memory(_)));
        imported.then(|| self.memories.first().map(|ty| (0, ty)))?
    }

    /// The names of a function's parameters, as far as the name section tells
    /// them; empty when it tells none. Only functions that are imported or
    /// exported have an entry.
    pub fn params_of(&self, function: u32) -> &[Option<String>] {
        let names = self.param_names.get(&function);
        names.map_or(&[], Vec::as_slice)
    }
}

fn by_name<'a>(memories: &[&'a Export]) -> Option<&'a Export> {
    let memory = memories.iter().find(|memory| memory.name == "memory");
    memory.copied()
}
