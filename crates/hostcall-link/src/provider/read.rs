//! Reads a provider and refuses what cannot be put into a guest.

use wasmparser::{
    CompositeInnerType, ConstExpr, CustomSectionReader, ExternalKind, FuncType,
    FuncValidatorAllocations, FunctionBody, Import, ImportSectionReader, KnownCustom, MemoryType,
    Name, NameMap, Operator, Parser, Payload, RecGroup, TypeRef, ValidPayload, Validator,
    WasmFeatures,
};

use super::{
    CallSource, Callee, EXPORT_MODULE, Exported, Function, GUEST_MEMORY, GUEST_MODULE, Global,
    HOST_MODULE, HOST_PAGE, HostCall, IMPORT_MODULE, LIMITS_CALL, LIMITS_MODULE, Memory,
    MemorySource, Provider, ProviderError, QUEUE_DRAIN, QUEUE_MODULE, analyze,
};
use crate::{ImportName, RESERVED_PREFIX, convert, header};

/// Declared locals of all functions together: a few bytes declare thousands.
const MAX_LOCALS: usize = 1_000_000;

/// Where a provider comes from, which decides what it may import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Outside,
    #[allow(dead_code, reason = "`Provider::built` says it")]
    Builder,
}

pub(super) fn read(wasm: &[u8], origin: Origin) -> Result<Provider, ProviderError> {
    header::check(wasm)?;
    let mut reader = Reader::new(wasm, origin);
    for payload in Parser::new(0).parse_all(wasm) {
        reader.payload(payload?)?;
    }
    Ok(reader.provider)
}

struct Reader {
    origin: Origin,
    validator: Validator,
    allocations: FuncValidatorAllocations,
    /// The type index of each defined function.
    function_types: Vec<u32>,
    /// Declared locals of all functions so far.
    locals: usize,
    provider: Provider,
}

impl Reader {
    fn new(wasm: &[u8], origin: Origin) -> Reader {
        Reader {
            origin,
            validator: Validator::new_with_features(WasmFeatures::all()),
            allocations: FuncValidatorAllocations::default(),
            function_types: Vec::new(),
            locals: 0,
            provider: Provider {
                bytes: wasm.to_vec(),
                types: Vec::new(),
                host_calls: Vec::new(),
                functions: Vec::new(),
                globals: Vec::new(),
                memories: Vec::new(),
                exports: Vec::new(),
                named: Default::default(),
                function_names: Default::default(),
                global_names: Default::default(),
                traps: Default::default(),
            },
        }
    }

    /// What is refused is refused before it is validated: the message about it
    /// is the more useful one.
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), ProviderError> {
        refuse(&payload)?;
        if let Payload::ImportSection(section) = &payload {
            self.check_imports(section.clone())?;
        }
        if let ValidPayload::Func(function, body) = self.validator.payload(&payload)? {
            let allocations = std::mem::take(&mut self.allocations);
            let mut validator = function.into_validator(allocations);
            validator.validate(&body)?;
            self.allocations = validator.into_allocations();
        }
        self.keep(payload)
    }

    fn keep(&mut self, payload: Payload<'_>) -> Result<(), ProviderError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section.into_iter_with_offsets() {
                    let (offset, group) = group?;
                    self.ty(offset, group)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(import?);
                }
            }
            Payload::FunctionSection(section) => {
                self.function_types = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    self.global(global.ty, &global.init_expr)?;
                }
            }
            Payload::ExportSection(section) => {
                for export in section.into_iter_with_offsets() {
                    let (offset, export) = export?;
                    self.export(offset, export)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            Payload::CustomSection(section) => self.names(section),
            _ => {}
        }
        Ok(())
    }

    /// Only plain function types: they can be found again in any guest.
    fn ty(&mut self, offset: usize, group: RecGroup) -> Result<(), ProviderError> {
        match plain_function(group) {
            Ok(ty) => {
                self.provider.types.push(ty);
                Ok(())
            }
            Err(what) => Err(ProviderError::new(
                offset,
                format!(
                    "a provider's types are plain function types, this one {what}: \
                     pass numbers, vectors, or references such as `externref` instead"
                ),
            )),
        }
    }

    fn check_imports(&self, section: ImportSectionReader<'_>) -> Result<(), ProviderError> {
        for import in section.into_imports_with_offsets() {
            let (offset, import) = import?;
            if self.origin == Origin::Outside {
                return Err(refused_import(offset, &import));
            }
            self.check_import(offset, &import)?;
        }
        Ok(())
    }

    /// What a body from the builder may import.
    fn check_import(&self, offset: usize, import: &Import<'_>) -> Result<(), ProviderError> {
        match import.ty {
            TypeRef::Func(_) => match call_source(import) {
                Some(_) => Ok(()),
                None => Err(refused_import(offset, import)),
            },
            TypeRef::Memory(ty) => match memory_source(import) {
                Some(MemorySource::Page) if !is_page(ty) => Err(ProviderError::new(
                    offset,
                    "the host page has 32-bit addresses and pages of 64 KiB, \
                     import it as `(memory 0)`",
                )),
                Some(_) => Ok(()),
                None => Err(refused_import(offset, import)),
            },
            _ => Err(refused_import(offset, import)),
        }
    }

    fn import(&mut self, import: Import<'_>) {
        match import.ty {
            TypeRef::Func(type_index) => {
                let ty = convert::func_type(&self.provider.types[type_index as usize]);
                let call = call_source(&import).map(|source| HostCall {
                    module: import.module.to_owned(),
                    name: import.name.to_owned(),
                    source,
                    type_index,
                    ty,
                });
                self.provider.host_calls.extend(call);
            }
            TypeRef::Memory(ty) => {
                let source = memory_source(&import);
                let memory = source.map(|source| Memory { source, ty });
                self.provider.memories.extend(memory);
            }
            _ => {}
        }
    }

    fn global(
        &mut self,
        ty: wasmparser::GlobalType,
        init: &ConstExpr<'_>,
    ) -> Result<(), ProviderError> {
        let mut refs = Vec::new();
        let mut operators = init.get_operators_reader();
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            if let Operator::RefFunc { function_index } = operator {
                self.check_reference(function_index, offset)?;
                refs.push(function_index);
            }
        }
        let init = init.get_binary_reader().range();
        self.provider.globals.push(Global { ty, init, refs });
        Ok(())
    }

    /// What comes from the guest has a type of the guest's own, which a reference
    /// would show. Only globals can refer to imports: those have no exports.
    fn check_reference(&self, function: u32, offset: usize) -> Result<(), ProviderError> {
        let Callee::Host(call) = self.provider.callee(function) else {
            return Ok(());
        };
        let call = &self.provider.host_calls[call as usize];
        if call.source == CallSource::Host {
            return Ok(());
        }
        let name = ImportName::new(&call.module, &call.name);
        let message = format!("a global refers to `{name}`, which can only be called");
        Err(ProviderError::new(offset, message))
    }

    /// Exported globals are no use to a guest and do no harm.
    fn export(
        &mut self,
        offset: usize,
        export: wasmparser::Export<'_>,
    ) -> Result<(), ProviderError> {
        if !matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
            return Ok(());
        }
        let Callee::Function(function) = self.provider.callee(export.index) else {
            let message = "an imported function is exported: export a defined one that calls it";
            return Err(ProviderError::new(offset, message));
        };
        let type_index = self.function_types[function as usize] as usize;
        let position = self.provider.exports.len();
        self.provider.named.insert(export.name.to_owned(), position);
        self.provider.exports.push(Exported {
            name: export.name.to_owned(),
            function,
            ty: convert::func_type(&self.provider.types[type_index]),
        });
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), ProviderError> {
        let type_index = self.function_types[self.provider.functions.len()];
        let params = self.provider.types[type_index as usize].params().len() as u32;
        let mut locals = Vec::new();
        for local in body.get_locals_reader()? {
            let (count, ty) = local?;
            self.locals += count as usize;
            if self.locals > MAX_LOCALS {
                let message = format!(
                    "a provider's functions have at most {MAX_LOCALS} locals together, \
                     this one has more: leave functions out"
                );
                return Err(ProviderError::new(body.range().start, message));
            }
            locals.extend(std::iter::repeat_n(ty, count as usize));
        }
        let operators = body.get_binary_reader_for_operators()?;
        let facts = analyze::analyze(body, params, locals.len())?;
        self.provider.functions.push(Function {
            type_index,
            locals,
            operators: operators.original_position()..body.range().end,
            facts,
        });
        Ok(())
    }

    fn names(&mut self, section: CustomSectionReader<'_>) {
        let KnownCustom::Name(subsections) = section.as_known() else {
            return;
        };
        for subsection in subsections.into_iter().map_while(Result::ok) {
            let (map, found) = match subsection {
                Name::Function(map) => (map, &mut self.provider.function_names),
                Name::Global(map) => (map, &mut self.provider.global_names),
                _ => continue,
            };
            found.extend(named(map));
        }
    }
}

fn named(map: NameMap<'_>) -> impl Iterator<Item = (u32, String)> {
    let names = map.into_iter().map_while(Result::ok);
    names.map(|naming| (naming.index, naming.name.to_owned()))
}

/// The function type that a group consists of, or what else it is.
fn plain_function(group: RecGroup) -> Result<FuncType, &'static str> {
    let explicit = group.is_explicit_rec_group();
    let mut types = group.into_types();
    let (Some(ty), None, false) = (types.next(), types.next(), explicit) else {
        return Err("belongs to a recursive group");
    };
    if !ty.is_final || ty.supertype_idx.is_some() {
        return Err("has subtypes or a supertype");
    }
    if ty.composite_type.shared {
        return Err("is shared between threads");
    }
    match ty.composite_type.inner {
        CompositeInnerType::Func(func) => {
            let mut values = func.params().iter().chain(func.results());
            let plain = values.all(|ty| is_plain(*ty));
            plain.then_some(func).ok_or("refers to another type")
        }
        CompositeInnerType::Struct(_) => Err("is a struct"),
        CompositeInnerType::Array(_) => Err("is an array"),
        CompositeInnerType::Cont(_) => Err("is a continuation"),
    }
}

/// Whether a type means the same in every module.
fn is_plain(ty: wasmparser::ValType) -> bool {
    match ty {
        wasmparser::ValType::Ref(ty) => ty.type_index().is_none(),
        _ => true,
    }
}

fn memory_source(import: &Import<'_>) -> Option<MemorySource> {
    match (import.module, import.name) {
        (GUEST_MODULE, GUEST_MEMORY) => Some(MemorySource::Guest),
        (HOST_MODULE, HOST_PAGE) => Some(MemorySource::Page),
        _ => None,
    }
}

/// Where a function that a built provider imports comes from.
fn call_source(import: &Import<'_>) -> Option<CallSource> {
    match (import.module, import.name) {
        (IMPORT_MODULE, name) => position(name).map(CallSource::Import),
        (EXPORT_MODULE, _) => Some(CallSource::Export),
        (QUEUE_MODULE, QUEUE_DRAIN) | (LIMITS_MODULE, LIMITS_CALL) => Some(CallSource::Host),
        (module, _) => (!module.starts_with(RESERVED_PREFIX)).then_some(CallSource::Host),
    }
}

/// The number that a name is, in its one decimal form.
fn position(name: &str) -> Option<u32> {
    let position = name.parse::<u32>().ok()?;
    (position.to_string() == name).then_some(position)
}

fn is_page(ty: MemoryType) -> bool {
    !ty.memory64 && !ty.shared && ty.page_size_log2.is_none()
}

fn refused_import(offset: usize, import: &Import<'_>) -> ProviderError {
    let name = ImportName::new(import.module, import.name);
    let what = kind(import.ty);
    let message = format!(
        "a provider imports nothing, this one imports the {what} `{name}`: \
         define it inside the provider or pass what it gives as a parameter"
    );
    ProviderError::new(offset, message)
}

fn kind(ty: TypeRef) -> &'static str {
    match ty {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => "function",
        TypeRef::Table(_) => "table",
        TypeRef::Memory(_) => "memory",
        TypeRef::Global(_) => "global",
        TypeRef::Tag(_) => "tag",
    }
}

/// Refuses sections that would collide with the guest's.
fn refuse(payload: &Payload<'_>) -> Result<(), ProviderError> {
    let (range, what, advice) = match payload {
        Payload::TableSection(section) if section.count() > 0 => (
            section.range(),
            "a table",
            "call functions directly instead of through a table",
        ),
        Payload::MemorySection(section) if section.count() > 0 => (
            section.range(),
            "a memory",
            "keep state in globals, and data in operators (a memory that a toolchain \
             adds and nothing uses can be stripped)",
        ),
        Payload::TagSection(section) if section.count() > 0 => (
            section.range(),
            "an exception tag",
            "return an error code instead of throwing",
        ),
        Payload::ElementSection(section) if section.count() > 0 => (
            section.range(),
            "an element segment",
            "call functions directly, export those that `ref.func` refers to",
        ),
        Payload::DataSection(section) if section.count() > 0 => (
            section.range(),
            "a data segment",
            "put constants into operators or globals",
        ),
        Payload::StartSection { range, .. } => (
            range.clone(),
            "a start function",
            "give globals their first value where they are defined",
        ),
        _ => return Ok(()),
    };
    let message =
        format!("a provider has functions and globals only, this one has {what}: {advice}");
    Err(ProviderError::new(range.start, message))
}
