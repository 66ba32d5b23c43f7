//! Puts functions together into a module.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    InstructionSink, MemoryType, Module, NameMap, NameSection, TypeSection, ValType,
};

use super::page::Page;
use super::{FUNCTION, Guest};
use crate::provider::{
    EXPORT_MODULE, GUEST_MEMORY, GUEST_MODULE, HOST_MODULE, HOST_PAGE, IMPORT_MODULE, LIMITS_CALL,
    LIMITS_MODULE, QUEUE_DRAIN, QUEUE_MODULE,
};
use crate::{FuncType, MemoryType as Described, Provider};

/// The provider that a module made here is.
pub(super) fn provider(wasm: &[u8]) -> Provider {
    Provider::built(wasm, Vec::new()).expect("a module made here is a provider")
}

/// The body of a function.
pub(super) struct Body(Function);

impl Body {
    /// One with these locals behind its parameters.
    pub(super) fn new(locals: &[ValType]) -> Body {
        Body(Function::new_with_locals_types(locals.iter().copied()))
    }

    /// Where its operators go.
    pub(super) fn code(&mut self) -> InstructionSink<'_> {
        self.0.instructions()
    }

    fn finish(mut self) -> Function {
        self.code().end();
        self.0
    }
}

/// A module in the making: first what it imports, then its functions.
#[derive(Default)]
pub(super) struct Parts {
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    code: CodeSection,
    names: NameMap,
    memories: u32,
    imported: u32,
}

impl Parts {
    pub(super) fn guest_memory(&mut self, guest: Guest) -> u32 {
        let custom = guest.page_size_log2 != Described::DEFAULT_PAGE_SIZE_LOG2;
        let page_size_log2 = custom.then_some(guest.page_size_log2);
        let ty = memory(guest.wide, page_size_log2);
        self.memory(GUEST_MODULE, GUEST_MEMORY, ty)
    }

    pub(super) fn page(&mut self) -> Page {
        Page(self.memory(HOST_MODULE, HOST_PAGE, memory(false, None)))
    }

    fn memory(&mut self, module: &str, name: &str, ty: MemoryType) -> u32 {
        self.imports.import(module, name, ty);
        self.memories += 1;
        self.memories - 1
    }

    /// The host's function that runs what is queued.
    pub(super) fn drain(&mut self) -> u32 {
        self.import(QUEUE_MODULE, QUEUE_DRAIN, &FuncType::default())
    }

    /// The host's function that counts a call.
    pub(super) fn counted(&mut self) -> u32 {
        let ty = FuncType {
            params: vec![crate::ValType::I32],
            results: Vec::new(),
        };
        self.import(LIMITS_MODULE, LIMITS_CALL, &ty)
    }

    /// The guest's import at `position`, without what stands around it.
    pub(super) fn guest_import(&mut self, position: u32, ty: &FuncType) -> u32 {
        self.import(IMPORT_MODULE, &position.to_string(), ty)
    }

    /// A function that the guest exports.
    pub(super) fn guest_export(&mut self, name: &str, ty: &FuncType) -> u32 {
        self.import(EXPORT_MODULE, name, ty)
    }

    fn import(&mut self, module: &str, name: &str, ty: &FuncType) -> u32 {
        let ty = self.ty(values(&ty.params), values(&ty.results));
        self.imports.import(module, name, EntityType::Function(ty));
        self.imported += 1;
        self.imported - 1
    }

    /// The first function is the one that is exported.
    pub(super) fn function(
        &mut self,
        name: &str,
        params: Vec<ValType>,
        results: Vec<ValType>,
        body: Body,
    ) -> u32 {
        let index = self.imported + self.functions.len();
        let ty = self.ty(params, results);
        self.functions.function(ty);
        self.code.function(&body.finish());
        self.names.append(index, name);
        index
    }

    fn ty(&mut self, params: Vec<ValType>, results: Vec<ValType>) -> u32 {
        self.types.ty().function(params, results);
        self.types.len() - 1
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut exports = ExportSection::new();
        exports.export(FUNCTION, ExportKind::Func, self.imported);
        let mut names = NameSection::new();
        names.functions(&self.names);
        let mut module = Module::new();
        module.section(&self.types);
        module.section(&self.imports);
        module.section(&self.functions);
        module.section(&exports);
        module.section(&self.code);
        module.section(&names);
        module.finish()
    }
}

fn memory(memory64: bool, page_size_log2: Option<u32>) -> MemoryType {
    MemoryType {
        minimum: 0,
        maximum: None,
        memory64,
        shared: false,
        page_size_log2,
    }
}

/// The types of some values.
///
/// # Panics
///
/// If one of them is a reference other than `funcref` and `externref`.
pub(super) fn values(types: &[crate::ValType]) -> Vec<ValType> {
    types.iter().map(value).collect()
}

fn value(ty: &crate::ValType) -> ValType {
    match ty {
        crate::ValType::I32 => ValType::I32,
        crate::ValType::I64 => ValType::I64,
        crate::ValType::F32 => ValType::F32,
        crate::ValType::F64 => ValType::F64,
        crate::ValType::V128 => ValType::V128,
        crate::ValType::FuncRef => ValType::FUNCREF,
        crate::ValType::ExternRef => ValType::EXTERNREF,
        crate::ValType::Ref(text) => panic!("a value of type {text} is not passed on"),
    }
}
