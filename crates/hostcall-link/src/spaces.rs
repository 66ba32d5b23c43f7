//! The index spaces of a module: what an index of each kind refers to.

use wasmparser::{ExternalKind, TypeRef};

use crate::{ExternType, FuncType, MemoryType, ParseError, convert};

/// Index spaces, filled section by section, imports first.
///
/// Types stay as `wasmparser` reads them, which is compact, until an import or
/// export needs one.
#[derive(Default)]
pub(crate) struct Spaces {
    /// The flattened type index space; `None` for what is not a function.
    types: Vec<Option<wasmparser::FuncType>>,
    /// The type index of each function.
    functions: Vec<u32>,
    tables: Vec<wasmparser::TableType>,
    memories: Vec<wasmparser::MemoryType>,
    globals: Vec<wasmparser::GlobalType>,
    /// The type index of each tag.
    tags: Vec<u32>,
}

impl Spaces {
    pub(crate) fn add_type(&mut self, ty: wasmparser::SubType) {
        self.types.push(match ty.composite_type.inner {
            wasmparser::CompositeInnerType::Func(ty) => Some(ty),
            _ => None,
        });
    }

    pub(crate) fn add_function(&mut self, type_index: u32) {
        self.functions.push(type_index);
    }

    pub(crate) fn add_table(&mut self, ty: wasmparser::TableType) {
        self.tables.push(ty);
    }

    pub(crate) fn add_memory(&mut self, ty: wasmparser::MemoryType) {
        self.memories.push(ty);
    }

    pub(crate) fn add_global(&mut self, ty: wasmparser::GlobalType) {
        self.globals.push(ty);
    }

    pub(crate) fn add_tag(&mut self, ty: wasmparser::TagType) {
        self.tags.push(ty.func_type_idx);
    }

    /// Adds an import to the space of its kind and returns its index there.
    pub(crate) fn add_import(&mut self, ty: TypeRef) -> (ExternalKind, u32) {
        let (kind, length) = match ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                self.add_function(index);
                (ExternalKind::Func, self.functions.len())
            }
            TypeRef::Table(ty) => {
                self.add_table(ty);
                (ExternalKind::Table, self.tables.len())
            }
            TypeRef::Memory(ty) => {
                self.add_memory(ty);
                (ExternalKind::Memory, self.memories.len())
            }
            TypeRef::Global(ty) => {
                self.add_global(ty);
                (ExternalKind::Global, self.globals.len())
            }
            TypeRef::Tag(ty) => {
                self.add_tag(ty);
                (ExternalKind::Tag, self.tags.len())
            }
        };
        (kind, length as u32 - 1)
    }

    /// The type of an import or export.
    pub(crate) fn extern_type(
        &self,
        kind: ExternalKind,
        index: u32,
        offset: u64,
    ) -> Result<ExternType, ParseError> {
        let at = index as usize;
        let found = match kind {
            ExternalKind::Func | ExternalKind::FuncExact => {
                self.func_type(&self.functions, at).map(ExternType::Func)
            }
            ExternalKind::Tag => self.func_type(&self.tags, at).map(ExternType::Tag),
            ExternalKind::Table => {
                let ty = self.tables.get(at).copied();
                ty.map(|ty| ExternType::Table(convert::table_type(ty)))
            }
            ExternalKind::Memory => {
                let ty = self.memories.get(at).copied();
                ty.map(|ty| ExternType::Memory(convert::memory_type(ty)))
            }
            ExternalKind::Global => {
                let ty = self.globals.get(at).copied();
                ty.map(|ty| ExternType::Global(convert::global_type(ty)))
            }
        };
        found.ok_or_else(|| ParseError::new(offset, format!("unknown {kind:?} {index}")))
    }

    fn func_type(&self, users: &[u32], at: usize) -> Option<FuncType> {
        let index = *users.get(at)? as usize;
        let ty = self.types.get(index)?.as_ref()?;
        Some(convert::func_type(ty))
    }

    pub(crate) fn memory_types(&self) -> Vec<MemoryType> {
        let memories = self.memories.iter().copied();
        memories.map(convert::memory_type).collect()
    }

    pub(crate) fn table_count(&self) -> usize {
        self.tables.len()
    }
}
