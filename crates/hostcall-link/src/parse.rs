//! Reads a guest's bytes into a description.

use wasmparser::{
    CustomSectionReader, ExportSectionReader, FunctionBody, FunctionSectionReader,
    GlobalSectionReader, ImportSectionReader, KnownCustom, MemorySectionReader, NameSectionReader,
    Parser, Payload, TableSectionReader, TagSectionReader, TypeSectionReader, Validator,
    WasmFeatures,
};

use crate::features::FeatureScan;
use crate::spaces::Spaces;
use crate::{Export, Import, ModuleInfo, ParseError, header, names};

/// Bytes that the names of all imports may take, written out in full. Only the
/// compact encoding, which gives many imports one module name, can exceed the
/// size of the module itself.
const MAX_IMPORT_NAMES: usize = 64 << 20;

pub(crate) fn parse(bytes: &[u8]) -> Result<ModuleInfo, ParseError> {
    header::check(bytes)?;
    let mut reader = Reader::new();
    for payload in Parser::new(0).parse_all(bytes) {
        reader.payload(payload?)?;
    }
    Ok(reader.finish())
}

/// Gathers a description while the sections of a module go by.
struct Reader<'a> {
    validator: Validator,
    spaces: Spaces,
    features: FeatureScan,
    name_sections: Vec<NameSectionReader<'a>>,
    info: ModuleInfo,
}

impl<'a> Reader<'a> {
    fn new() -> Reader<'a> {
        Reader {
            validator: Validator::new_with_features(WasmFeatures::all()),
            spaces: Spaces::default(),
            features: FeatureScan::default(),
            name_sections: Vec::new(),
            info: ModuleInfo::default(),
        }
    }

    /// Reads one part of the module, after validating it. Of function bodies,
    /// only the surroundings are validated here.
    fn payload(&mut self, payload: Payload<'a>) -> Result<(), ParseError> {
        if let Payload::ImportSection(section) = &payload {
            check_import_names(section.clone())?;
        }
        self.validator.payload(&payload)?;
        match payload {
            Payload::TypeSection(section) => self.types(section),
            Payload::ImportSection(section) => self.imports(section),
            Payload::FunctionSection(section) => self.functions(section),
            Payload::TableSection(section) => self.tables(section),
            Payload::MemorySection(section) => self.memories(section),
            Payload::TagSection(section) => self.tags(section),
            Payload::GlobalSection(section) => self.globals(section),
            Payload::ExportSection(section) => self.exports(section),
            Payload::StartSection { .. } => {
                self.info.start = true;
                Ok(())
            }
            Payload::ElementSection(section) => self.features.elements(section),
            Payload::DataCountSection { .. } => {
                self.features.data_count();
                Ok(())
            }
            Payload::DataSection(section) => self.features.data(section),
            Payload::CodeSectionEntry(body) => self.body(body),
            Payload::CustomSection(section) => {
                self.custom(section);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn types(&mut self, section: TypeSectionReader<'a>) -> Result<(), ParseError> {
        for group in section {
            let group = group?;
            self.features.rec_group(&group);
            for ty in group.into_types() {
                self.spaces.add_type(ty);
            }
        }
        Ok(())
    }

    fn imports(&mut self, section: ImportSectionReader<'a>) -> Result<(), ParseError> {
        self.features.import_encoding(section.clone())?;
        for import in section.into_imports_with_offsets() {
            let (offset, import) = import?;
            self.features.import(import.ty);
            let offset = offset as u64;
            let (kind, slot) = self.spaces.add_import(import.ty);
            self.info.imports.push(Import {
                index: self.info.imports.len() as u32,
                offset,
                module: import.module.to_owned(),
                name: import.name.to_owned(),
                ty: self.spaces.extern_type(kind, slot, offset)?,
                slot,
            });
        }
        Ok(())
    }

    fn functions(&mut self, section: FunctionSectionReader<'a>) -> Result<(), ParseError> {
        self.info.functions = section.count();
        for type_index in section {
            self.spaces.add_function(type_index?);
        }
        Ok(())
    }

    fn tables(&mut self, section: TableSectionReader<'a>) -> Result<(), ParseError> {
        for table in section {
            let table = table?;
            self.features.table(&table)?;
            self.spaces.add_table(table.ty);
        }
        Ok(())
    }

    fn memories(&mut self, section: MemorySectionReader<'a>) -> Result<(), ParseError> {
        for ty in section {
            let ty = ty?;
            self.features.memory_type(ty);
            self.spaces.add_memory(ty);
        }
        Ok(())
    }

    fn tags(&mut self, section: TagSectionReader<'a>) -> Result<(), ParseError> {
        for ty in section {
            self.features.tag();
            self.spaces.add_tag(ty?);
        }
        Ok(())
    }

    fn globals(&mut self, section: GlobalSectionReader<'a>) -> Result<(), ParseError> {
        for global in section {
            let global = global?;
            self.features.global_type(global.ty);
            self.features.const_expr(&global.init_expr)?;
            self.spaces.add_global(global.ty);
        }
        Ok(())
    }

    fn exports(&mut self, section: ExportSectionReader<'a>) -> Result<(), ParseError> {
        for export in section.into_iter_with_offsets() {
            let (offset, export) = export?;
            let offset = offset as u64;
            let ty = self.spaces.extern_type(export.kind, export.index, offset)?;
            self.features.export(&ty);
            self.info.exports.push(Export {
                name: export.name.to_owned(),
                ty,
                index: export.index,
                offset,
            });
        }
        Ok(())
    }

    fn body(&mut self, body: FunctionBody<'a>) -> Result<(), ParseError> {
        self.info.code_bytes += body.range().len() as u64;
        self.features.body(&body)
    }

    fn custom(&mut self, section: CustomSectionReader<'a>) {
        let name = section.name();
        self.info.debug_info |= name.starts_with(".debug_");
        self.info.custom_sections.push(name.to_owned());
        if let KnownCustom::Name(names) = section.as_known() {
            self.name_sections.push(names);
        }
    }

    fn finish(mut self) -> ModuleInfo {
        self.info.memories = self.spaces.memory_types();
        self.features.tables(self.spaces.table_count());
        self.features.memories(self.info.memories.len());
        self.info.features = self.features.names();
        for section in self.name_sections {
            names::read(section, &mut self.info);
        }
        self.info
    }
}

pub(crate) fn check_import_names(section: ImportSectionReader<'_>) -> Result<(), ParseError> {
    let mut total = 0;
    for import in section.into_imports_with_offsets() {
        let (offset, import) = import?;
        total += import.module.len() + import.name.len();
        if total > MAX_IMPORT_NAMES {
            let message =
                format!("the names of the imports take more than {MAX_IMPORT_NAMES} bytes");
            return Err(ParseError::new(offset as u64, message));
        }
    }
    Ok(())
}
