//! Reads and validates the guest, all but the inside of its function bodies.

use std::collections::HashMap;

use wasmparser::types::Types;
use wasmparser::{
    ExportSectionReader, ExternalKind, FuncToValidate, FunctionBody, Import, ImportSectionReader,
    Parser, Payload, TypeRef, ValidPayload, Validator, ValidatorResources, WasmFeatures,
};

use super::RewriteError;
use super::error::RewriteErrorKind;
use crate::{ParseError, Place, RESERVED_PREFIX, header, parse};

/// A guest, read as far as rewriting needs it.
pub(super) struct Guest<'a> {
    pub(super) bytes: &'a [u8],
    /// Its sections in order; of the code section, only the start.
    pub(super) sections: Vec<Payload<'a>>,
    pub(super) imports: Vec<Import<'a>>,
    /// Positions among the imports of those that are functions: by function
    /// index.
    pub(super) function_imports: Vec<u32>,
    /// The functions that are exported, by name.
    exported_functions: HashMap<&'a str, u32>,
    pub(super) types: Types,
    pub(super) counts: Counts,
}

impl Guest<'_> {
    /// The function index of the import at a position, if it is a function.
    pub(super) fn function_import(&self, position: u32) -> Option<u32> {
        let function = self.function_imports.binary_search(&position).ok()?;
        Some(function as u32)
    }

    /// The index of the function that is exported by a name.
    pub(super) fn exported_function(&self, name: &str) -> Option<u32> {
        self.exported_functions.get(name).copied()
    }

    /// The function that runs when the guest is instantiated.
    pub(super) fn start(&self) -> Option<u32> {
        let mut sections = self.sections.iter();
        sections.find_map(|section| match section {
            Payload::StartSection { func, .. } => Some(*func),
            _ => None,
        })
    }
}

/// A function body, and what validates it.
pub(super) type Body<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

/// How many of each the guest has, imported ones included.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) functions: u32,
    pub(super) memories: u32,
    pub(super) globals: u32,
    pub(super) exports: u32,
    pub(super) elements: u32,
    pub(super) data: u32,
}

/// The guest, and its bodies, which are still to be validated.
pub(super) type Scanned<'a> = (Guest<'a>, Vec<Body<'a>>);

pub(super) fn scan(bytes: &[u8]) -> Result<Scanned<'_>, RewriteError> {
    header::check(bytes)?;
    let mut scan = Scan::default();
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::ImportSection(section) = &payload {
            parse::check_import_names(section.clone())?;
        }
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => scan.bodies.push((function, body)),
            ValidPayload::End(types) => return Ok(scan.finish(bytes, types)),
            _ => scan.section(payload)?,
        }
    }
    Err(ParseError::new(bytes.len() as u64, "the module has no end").into())
}

#[derive(Default)]
struct Scan<'a> {
    sections: Vec<Payload<'a>>,
    bodies: Vec<Body<'a>>,
    imports: Vec<Import<'a>>,
    function_imports: Vec<u32>,
    exported_functions: HashMap<&'a str, u32>,
    counts: Counts,
}

impl<'a> Scan<'a> {
    fn section(&mut self, payload: Payload<'a>) -> Result<(), RewriteError> {
        match &payload {
            Payload::ImportSection(section) => self.imports(section.clone())?,
            Payload::ExportSection(section) => self.exports(section.clone())?,
            Payload::ElementSection(section) => self.counts.elements = section.count(),
            Payload::DataSection(section) => self.counts.data = section.count(),
            _ => {}
        }
        self.sections.push(payload);
        Ok(())
    }

    fn imports(&mut self, section: ImportSectionReader<'a>) -> Result<(), RewriteError> {
        for import in section.into_imports_with_offsets() {
            let (offset, import) = import?;
            if is_reserved(import.module) || is_reserved(import.name) {
                return Err(reserved(Place::Import, import.module, import.name, offset));
            }
            if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import.ty {
                self.function_imports.push(self.imports.len() as u32);
            }
            self.imports.push(import);
        }
        Ok(())
    }

    fn exports(&mut self, section: ExportSectionReader<'a>) -> Result<(), RewriteError> {
        self.counts.exports = section.count();
        for export in section.into_iter_with_offsets() {
            let (offset, export) = export?;
            if is_reserved(export.name) {
                return Err(reserved(Place::Export, "", export.name, offset));
            }
            if let ExternalKind::Func | ExternalKind::FuncExact = export.kind {
                self.exported_functions.insert(export.name, export.index);
            }
        }
        Ok(())
    }

    fn finish(self, bytes: &'a [u8], types: Types) -> Scanned<'a> {
        let spaces = types.as_ref();
        let counts = Counts {
            functions: spaces.function_count(),
            memories: spaces.memory_count(),
            globals: spaces.global_count(),
            ..self.counts
        };
        let guest = Guest {
            bytes,
            sections: self.sections,
            imports: self.imports,
            function_imports: self.function_imports,
            exported_functions: self.exported_functions,
            types,
            counts,
        };
        (guest, self.bodies)
    }
}

fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED_PREFIX)
}

fn reserved(place: Place, module: &str, name: &str, offset: usize) -> RewriteError {
    RewriteError::new(RewriteErrorKind::Reserved {
        place,
        module: module.to_owned(),
        name: name.to_owned(),
        offset: offset as u64,
    })
}
