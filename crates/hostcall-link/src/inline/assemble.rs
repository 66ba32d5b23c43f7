//! Puts the lowered functions together into a module.

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, FunctionSection, ImportSection, MemoryType,
    Module, TypeSection, ValType,
};

use super::BuildError;
use super::ast::Function;
use super::build::{Built, BuiltTrap, Target};
use super::draft::Draft;
use super::lower::{self, Lowered, Signature};
use super::scalar::Kind;
use super::{forward, tail};

/// Wasm's default: pages of 64 KiB.
const DEFAULT_PAGE_LOG2: u32 = 16;

pub(crate) fn assemble(draft: &Draft, target: &Target<'_>) -> Result<Built, BuildError> {
    let context = context(draft, target)?;
    let mut code = CodeSection::new();
    let mut traps = Vec::new();
    for (index, (name, function)) in draft.functions().enumerate() {
        let mut function = function.clone();
        tail::returns_to_values(&mut function);
        forward::single_uses(&mut function);
        // Only the first function is called from the guest.
        let lowered = lower::lower(name, &function, &context, index == 0)?;
        traps.extend(lowered.traps.iter().map(|(operator, message)| BuiltTrap {
            function: index as u32,
            operator: *operator,
            message,
        }));
        code.function(&body(lowered));
    }
    let mut module = Module::new();
    let mut types = Types::default();
    let imports = imports(draft, target, &mut types);
    let functions = functions(&context, &mut types);
    module.section(&types.section);
    module.section(&imports);
    module.section(&functions);
    module.section(&exports(draft));
    module.section(&code);
    Ok(Built {
        wasm: module.finish(),
        traps,
    })
}

fn context(draft: &Draft, target: &Target<'_>) -> Result<lower::Module, BuildError> {
    let states = draft.states.iter().map(|(id, state)| {
        (target.states)(*id).ok_or_else(|| BuildError::UnknownState {
            function: draft.functions[0].name.clone(),
            state,
        })
    });
    Ok(lower::Module {
        wide: target.wide,
        page_size_log2: target.page_size_log2,
        guest_memory: 0,
        page_memory: draft.uses_memory.into(),
        states: states.collect::<Result<_, _>>()?,
        imports: draft.imports.len() as u32,
        types: draft
            .functions()
            .map(|(_, function)| signature(function))
            .collect(),
    })
}

fn signature(function: &Function) -> Signature {
    let params = &function.locals[..function.params as usize];
    (params.to_vec(), function.result)
}

/// The type section; every type stands in it once.
#[derive(Default)]
struct Types {
    section: TypeSection,
    known: Vec<(Vec<ValType>, Vec<ValType>)>,
}

impl Types {
    fn index(&mut self, params: &[Kind], result: Option<Kind>) -> u32 {
        let wasm = |kinds: &[Kind]| kinds.iter().map(|kind| kind.wasm()).collect::<Vec<_>>();
        let ty = (wasm(params), wasm(result.as_slice()));
        let found = self.known.iter().position(|known| *known == ty);
        let index = found.unwrap_or_else(|| {
            self.section.ty().function(ty.0.clone(), ty.1.clone());
            self.known.push(ty);
            self.known.len() - 1
        });
        index as u32
    }
}

fn imports(draft: &Draft, target: &Target<'_>, types: &mut Types) -> ImportSection {
    let mut section = ImportSection::new();
    if draft.uses_memory {
        section.import("hostcall:guest", "memory", guest_memory(target));
    }
    if !draft.states.is_empty() {
        section.import("hostcall:host", "page", memory(false, None));
    }
    for function in &draft.imports {
        let ty = types.index(&function.params, function.result);
        section.import(function.module, function.name, EntityType::Function(ty));
    }
    section
}

fn guest_memory(target: &Target<'_>) -> MemoryType {
    let custom = (target.page_size_log2 != DEFAULT_PAGE_LOG2).then_some(target.page_size_log2);
    memory(target.wide, custom)
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

fn functions(context: &lower::Module, types: &mut Types) -> FunctionSection {
    let mut section = FunctionSection::new();
    for (params, result) in &context.types {
        section.function(types.index(params, *result));
    }
    section
}

fn exports(draft: &Draft) -> ExportSection {
    let mut section = ExportSection::new();
    section.export(
        &draft.functions[0].name,
        ExportKind::Func,
        draft.imports.len() as u32,
    );
    section
}

fn body(lowered: Lowered) -> wasm_encoder::Function {
    let mut body = wasm_encoder::Function::new_with_locals_types(lowered.locals);
    for op in &lowered.ops {
        body.instruction(op);
    }
    body.instruction(&wasm_encoder::Instruction::End);
    body
}
