//! A valid module, decoded as far as the checker needs it.

use std::ops::Range;

use wasmparser::types::{CoreTypeId, Types};
use wasmparser::{
    CustomSectionReader, Data, Element, ExternalKind, FunctionBody, Global, HeapType, Import,
    MemoryType, Operator, Parser, Payload, RefType, Table, TypeRef, UnpackedIndex, ValType,
    Validator,
};

use super::operator::{Immediate, take_apart};
use crate::ParseError;

/// The parts of a module. Types come from a validator that all modules share,
/// so that equal types have equal identifiers, whatever module they are from.
pub(super) struct Module<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) types: Types,
    pub(super) imports: Vec<(usize, Import<'a>)>,
    /// The import of each imported function.
    function_imports: Vec<usize>,
    pub(super) tables: Vec<Table<'a>>,
    pub(super) globals: Vec<Global<'a>>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) exports: Vec<Export<'a>>,
    pub(super) start: Option<u32>,
    pub(super) elements: Vec<Element<'a>>,
    pub(super) data: Vec<Data<'a>>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    pub(super) customs: Vec<CustomSectionReader<'a>>,
    /// Where the bodies are; the end of the module when it has none.
    pub(super) code: Range<usize>,
}

pub(super) struct Export<'a> {
    pub(super) offset: usize,
    pub(super) name: &'a str,
    pub(super) kind: ExternalKind,
    pub(super) index: u32,
}

impl<'a> Module<'a> {
    pub(super) fn read(
        validator: &mut Validator,
        bytes: &'a [u8],
    ) -> Result<Module<'a>, ParseError> {
        validator.reset();
        let mut module = Module {
            bytes,
            types: validator.validate_all(bytes)?,
            imports: Vec::new(),
            function_imports: Vec::new(),
            tables: Vec::new(),
            globals: Vec::new(),
            memories: Vec::new(),
            exports: Vec::new(),
            start: None,
            elements: Vec::new(),
            data: Vec::new(),
            bodies: Vec::new(),
            customs: Vec::new(),
            code: bytes.len()..bytes.len(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            module.payload(payload?)?;
        }
        Ok(module)
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<(), ParseError> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let import = import?;
                    if is_function(&import.1.ty) {
                        self.function_imports.push(self.imports.len());
                    }
                    self.imports.push(import);
                }
            }
            Payload::TableSection(section) => fill(&mut self.tables, section)?,
            Payload::MemorySection(section) => fill(&mut self.memories, section)?,
            Payload::GlobalSection(section) => fill(&mut self.globals, section)?,
            Payload::ExportSection(section) => {
                for export in section.into_iter_with_offsets() {
                    self.exports.push(Export::new(export?));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => fill(&mut self.elements, section)?,
            Payload::DataSection(section) => fill(&mut self.data, section)?,
            Payload::CodeSectionStart { range, .. } => self.code = range,
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => self.customs.push(section),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn function_count(&self) -> u32 {
        self.types.as_ref().function_count()
    }

    pub(super) fn imported_functions(&self) -> u32 {
        self.function_count() - self.bodies.len() as u32
    }

    /// The import that stands for imported function `function`.
    pub(super) fn function_import(&self, function: u32) -> Option<usize> {
        self.function_imports.get(function as usize).copied()
    }

    /// The function index of the import at a position, if it is a function.
    pub(super) fn function_at(&self, position: u32) -> Option<u32> {
        let functions = &self.function_imports;
        let function = functions.binary_search(&(position as usize)).ok()?;
        Some(function as u32)
    }

    /// The function that is exported by a name.
    pub(super) fn exported_function(&self, name: &str) -> Option<u32> {
        let export = self.exports.iter().find(|export| export.name == name)?;
        export.is_function().then_some(export.index)
    }

    /// The type of a function, of which identical ones are equal.
    pub(super) fn function_type(&self, function: u32) -> CoreTypeId {
        self.types.as_ref().core_function_at(function)
    }

    pub(super) fn type_id(&self, index: u32) -> CoreTypeId {
        self.types.as_ref().core_type_at_in_module(index)
    }

    /// The parameters and results of a function.
    pub(super) fn signature(&self, function: u32) -> Signature {
        self.signature_of(self.function_type(function))
    }

    pub(super) fn signature_of(&self, ty: CoreTypeId) -> Signature {
        let ty = self.types[ty].unwrap_func();
        let values = |types: &[ValType]| types.iter().map(|ty| self.value(*ty)).collect();
        Signature {
            params: values(ty.params()),
            results: values(ty.results()),
        }
    }

    /// The body of a function that the module defines itself.
    pub(super) fn body(&self, function: u32) -> Option<&FunctionBody<'a>> {
        let position = function.checked_sub(self.imported_functions())?;
        self.bodies.get(position as usize)
    }

    pub(super) fn value(&self, ty: ValType) -> Value {
        match ty {
            ValType::Ref(ty) => Value::Ref(ty.is_nullable(), self.heap(ty)),
            other => Value::Plain(other),
        }
    }

    fn heap(&self, ty: RefType) -> Heap {
        self.heap_type(ty.heap_type())
    }

    pub(super) fn heap_type(&self, ty: HeapType) -> Heap {
        match ty {
            HeapType::Concrete(index) => Heap::Concrete(self.unpacked(index)),
            HeapType::Exact(index) => Heap::Exact(self.unpacked(index)),
            abstract_ => Heap::Abstract(abstract_),
        }
    }

    /// The identifier of a type. Places inside of a group of recursive types
    /// do not occur outside of the type section, which validation compared.
    fn unpacked(&self, index: UnpackedIndex) -> Option<CoreTypeId> {
        match index {
            UnpackedIndex::Module(index) => Some(self.type_id(index)),
            UnpackedIndex::Id(id) => Some(id),
            UnpackedIndex::RecGroup(_) => None,
        }
    }
}

fn fill<'a, T: wasmparser::FromReader<'a>>(
    list: &mut Vec<T>,
    section: wasmparser::SectionLimited<'a, T>,
) -> Result<(), ParseError> {
    for item in section {
        list.push(item?);
    }
    Ok(())
}

pub(super) fn is_function(ty: &TypeRef) -> bool {
    matches!(ty, TypeRef::Func(_) | TypeRef::FuncExact(_))
}

impl<'a> Export<'a> {
    pub(super) fn is_function(&self) -> bool {
        matches!(self.kind, ExternalKind::Func | ExternalKind::FuncExact)
    }

    fn new((offset, export): (usize, wasmparser::Export<'a>)) -> Export<'a> {
        Export {
            offset,
            name: export.name,
            kind: export.kind,
            index: export.index,
        }
    }
}

/// Parameters and results, comparable between modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) params: Vec<Value>,
    pub(super) results: Vec<Value>,
}

/// The type of a value, comparable between modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Plain(ValType),
    Ref(bool, Heap),
}

/// A heap type, comparable between modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heap {
    Abstract(HeapType),
    Concrete(Option<CoreTypeId>),
    Exact(Option<CoreTypeId>),
}

/// The declared locals of a function, in runs of one type: counts can be large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Locals {
    /// Up to which index, parameters included, and what.
    runs: Vec<(u32, Value)>,
}

impl Locals {
    /// The parameters and declared locals of a function.
    pub(super) fn read(
        module: &Module<'_>,
        signature: &Signature,
        body: &FunctionBody<'_>,
    ) -> Result<Locals, ParseError> {
        let mut locals = Locals::default();
        for param in &signature.params {
            locals.push(1, *param);
        }
        for run in body.get_locals_reader()? {
            let (count, ty) = run?;
            locals.push(count, module.value(ty));
        }
        Ok(locals)
    }

    fn push(&mut self, count: u32, ty: Value) {
        let end = self.count() + count;
        match self.runs.last_mut() {
            Some(last) if last.1 == ty => last.0 = end,
            _ if count > 0 => self.runs.push((end, ty)),
            _ => {}
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.runs.last().map_or(0, |(end, _)| *end)
    }

    pub(super) fn get(&self, index: u32) -> Option<Value> {
        let run = self.runs.partition_point(|(end, _)| *end <= index);
        self.runs.get(run).map(|(_, ty)| *ty)
    }

    /// Whether the first locals of `self` are all of `other`.
    pub(super) fn starts_with(&self, other: &Locals) -> bool {
        let mut from = 0;
        other.runs.iter().all(|(end, ty)| {
            let same = self.covers(from, *end, *ty);
            from = *end;
            same
        })
    }

    fn covers(&self, from: u32, to: u32, ty: Value) -> bool {
        let first = self.runs.partition_point(|(end, _)| *end <= from);
        // Neighbouring runs differ, so one run must hold them all.
        self.runs
            .get(first)
            .is_some_and(|(end, run)| *end >= to && *run == ty)
    }
}

/// An operator, with the offset of its first byte.
pub(super) struct Op<'a> {
    pub(super) offset: usize,
    pub(super) operator: Operator<'a>,
}

impl Op<'_> {
    pub(super) fn parts(&self) -> (&'static str, Vec<Immediate>) {
        take_apart(&self.operator)
    }

    /// For messages: the operator as `wasmparser` spells it.
    pub(super) fn text(&self) -> String {
        format!("`{:?}`", self.operator)
    }
}

/// All operators of a body, its final `end` too.
pub(super) fn operators<'a>(body: &FunctionBody<'a>) -> Result<Vec<Op<'a>>, ParseError> {
    let mut operators = Vec::new();
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, offset) = operator?;
        operators.push(Op { offset, operator });
    }
    Ok(operators)
}
