//! Writes the sections that rewriting changes, each from what the guest has and
//! what is appended.

use std::convert::Infallible;
use std::ops::Range;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    ConstExpr, ElementSection, Elements, Encode, EntityType, ExportKind, ExportSection,
    GlobalSection, Instruction, MemoryType, TableSection,
};
use wasmparser::{
    BinaryReader, ElementSectionReader, ExportSectionReader, GlobalSectionReader, Operator,
    OperatorsReader, TableSectionReader,
};

use super::error::limit;
use super::expand::{Remap, failed};
use super::leb;
use super::number::Numbers;
use super::root::Purpose;
use super::types::TypeSpace;
use super::{Context, HostPage, RewriteError};
use crate::RESERVED_PREFIX;

const PAGE_BYTES: u32 = 1 << 16;

/// The content of a section. `None`: there is none.
type Content = Result<Option<Vec<u8>>, RewriteError>;

/// Moves the function indices of the guest.
struct Moved<'m>(&'m Numbers);

impl Reencode for Moved<'_> {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error> {
        Ok(self.0.function(index))
    }
}

/// The guest's section with `count` more entries, which are in `appended`.
fn extended(bytes: &[u8], section: Option<Range<usize>>, count: u32, appended: &[u8]) -> Content {
    let (before, entries) = match section {
        None => (0, &[][..]),
        Some(range) => {
            let mut reader = BinaryReader::new(&bytes[range.clone()], range.start);
            let before = reader.read_var_u32()?;
            (before, &bytes[reader.original_position()..range.end])
        }
    };
    if before + count == 0 {
        return Ok(None);
    }
    let mut content = Vec::with_capacity(entries.len() + appended.len() + 5);
    leb::write_u32(&mut content, before + count);
    content.extend_from_slice(entries);
    content.extend_from_slice(appended);
    Ok(Some(content))
}

/// The content of a section that an encoder has made, without its length.
fn content(section: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    let length = leb::read_u32(&bytes).map_or(0, |(_, length)| length);
    bytes.split_off(length)
}

pub(super) fn types(
    guest: &[u8],
    section: Option<Range<usize>>,
    types: &mut TypeSpace<'_>,
) -> Content {
    limit("types", types.count() as usize, 1_000_000)?;
    let mut appended = Vec::new();
    for ty in types.appended() {
        let ty = reencode::RoundtripReencoder.func_type(ty.clone());
        let ty = ty.map_err(failed)?;
        encode_function_type(&ty, &mut appended);
    }
    extended(guest, section, types.appended().len() as u32, &appended)
}

fn encode_function_type(ty: &wasm_encoder::FuncType, out: &mut Vec<u8>) {
    out.push(0x60);
    ty.params().encode(out);
    ty.results().encode(out);
}

/// The imports that stay, and after them those that are added; and where in the
/// content the added ones begin.
pub(super) fn imports(context: &Context<'_, '_>) -> Result<(Vec<u8>, Vec<u64>), RewriteError> {
    let guest = context.guest;
    let added = &context.graph.added;
    let gone = context.graph.stays.iter().filter(|stays| !**stays);
    let count = guest.imports.len() - gone.count() + added.len();
    limit("imports", count, 1_000_000)?;
    let mut content = Vec::new();
    leb::write_u32(&mut content, count as u32);
    for position in context.kept_imports() {
        let import = &guest.imports[position as usize];
        let ty = reencode::RoundtripReencoder.entity_type(import.ty);
        import.module.encode(&mut content);
        import.name.encode(&mut content);
        ty.map_err(failed)?.encode(&mut content);
    }
    let mut offsets = Vec::new();
    for import in added {
        offsets.push(content.len() as u64);
        import.module.encode(&mut content);
        import.name.encode(&mut content);
        EntityType::Function(import.type_index).encode(&mut content);
    }
    Ok((content, offsets))
}

pub(super) fn functions(context: &Context<'_, '_>, section: Option<Range<usize>>) -> Content {
    let appended = &context.numbers.appended;
    let count = context.numbers.first_appended as usize + appended.len();
    limit("functions", count, 1_000_000)?;
    let mut bytes = Vec::new();
    for function in appended {
        leb::write_u32(&mut bytes, function.type_index);
    }
    extended(context.guest.bytes, section, appended.len() as u32, &bytes)
}

pub(super) fn tables(context: &Context<'_, '_>, section: TableSectionReader<'_>) -> Content {
    let mut tables = TableSection::new();
    let mut moved = Moved(context.numbers);
    let done = moved.parse_table_section(&mut tables, section);
    done.map_err(failed)?;
    Ok(Some(content(&tables)))
}

pub(super) fn memories(context: &Context<'_, '_>, section: Option<Range<usize>>) -> Content {
    let mut bytes = Vec::new();
    if let Some(page) = &context.options.page {
        limit("memories", context.guest.counts.memories as usize + 1, 100)?;
        let pages = u64::from(page.size.div_ceil(PAGE_BYTES));
        let ty = MemoryType {
            minimum: pages,
            maximum: Some(pages),
            memory64: false,
            shared: false,
            page_size_log2: None,
        };
        ty.encode(&mut bytes);
    }
    let count = u32::from(!bytes.is_empty());
    extended(context.guest.bytes, section, count, &bytes)
}

pub(super) fn globals(
    context: &Context<'_, '_>,
    section: Option<GlobalSectionReader<'_>>,
    types: &mut TypeSpace<'_>,
) -> Content {
    let mut globals = GlobalSection::new();
    if let Some(section) = section {
        let mut moved = Moved(context.numbers);
        let done = moved.parse_global_section(&mut globals, section);
        done.map_err(failed)?;
    }
    let providers = &context.graph.providers;
    let appended: usize = providers
        .iter()
        .map(|provider| provider.globals.len())
        .sum();
    let count = context.guest.counts.globals as usize + appended;
    limit("globals", count, 1_000_000)?;
    for provider in 0..providers.len() {
        append_globals(context, provider, types, &mut globals)?;
    }
    Ok((!globals.is_empty()).then(|| content(&globals)))
}

fn append_globals(
    context: &Context<'_, '_>,
    position: usize,
    types: &mut TypeSpace<'_>,
    globals: &mut GlobalSection,
) -> Result<(), RewriteError> {
    let provider = context.graph.providers[position];
    let mut remap = Remap {
        provider,
        first_global: context.numbers.first_globals[position],
        numbers: context.numbers,
        types,
    };
    let refs = &context.graph.global_refs[position];
    for (global, refs) in provider.globals.iter().zip(refs) {
        let ty = remap.global_type(global.ty).map_err(failed)?;
        let init = &provider.bytes[global.init.clone()];
        let reader = BinaryReader::new(init, global.init.start);
        let mut operators = OperatorsReader::new(reader);
        let mut refs = refs.iter();
        let mut bytes = Vec::new();
        while !operators.is_end_then_eof() {
            let instruction = match (operators.read()?, refs.as_slice()) {
                (Operator::RefFunc { .. }, [target, ..]) => {
                    refs.next();
                    Instruction::RefFunc(context.numbers.target(*target))
                }
                (other, _) => remap.instruction(other).map_err(failed)?,
            };
            instruction.encode(&mut bytes);
        }
        globals.global(ty, &ConstExpr::raw(bytes));
    }
    Ok(())
}

pub(super) fn exports(
    context: &Context<'_, '_>,
    section: Option<ExportSectionReader<'_>>,
) -> Content {
    let mut exports = ExportSection::new();
    if let Some(section) = section {
        let mut moved = Moved(context.numbers);
        let done = moved.parse_export_section(&mut exports, section);
        done.map_err(failed)?;
    }
    if context.options.page.is_some() {
        let name = format!("{RESERVED_PREFIX}page");
        exports.export(&name, ExportKind::Memory, context.numbers.page);
    }
    added_exports(context, &mut exports);
    limit("exports", exports.len() as usize, 1_000_000)?;
    Ok((!exports.is_empty()).then(|| content(&exports)))
}

/// The functions that linking exports, and the start function if that is asked.
fn added_exports(context: &Context<'_, '_>, exports: &mut ExportSection) {
    for (root, number) in context.graph.roots.iter().zip(0u32..) {
        if let Purpose::Exported(name) = root.purpose {
            let function = context.numbers.first_appended + number;
            exports.export(name, ExportKind::Func, function);
        }
    }
    let start = context.guest.start();
    if let Some(start) = start.filter(|_| context.options.export_start) {
        let name = format!("{RESERVED_PREFIX}start");
        let function = context.numbers.function(start);
        exports.export(&name, ExportKind::Func, function);
    }
}

/// What is exported for the host to call does not run by itself.
pub(super) fn start(context: &Context<'_, '_>, function: u32) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    leb::write_u32(&mut content, context.numbers.function(function));
    (!context.options.export_start).then_some(content)
}

/// Functions that a body takes a reference to must be declared: in a segment
/// of their own.
pub(super) fn elements(
    context: &Context<'_, '_>,
    section: Option<ElementSectionReader<'_>>,
) -> Content {
    let mut elements = ElementSection::new();
    if let Some(section) = section {
        let mut moved = Moved(context.numbers);
        let done = moved.parse_element_section(&mut elements, section);
        done.map_err(failed)?;
    }
    let declared = context.declared();
    if !declared.is_empty() {
        elements.declared(Elements::Functions((&declared).into()));
    }
    limit("element segments", elements.len() as usize, 100_000)?;
    Ok((!elements.is_empty()).then(|| content(&elements)))
}

/// Announces data segments; the guest does so only if its code names them.
pub(super) fn data_count(context: &Context<'_, '_>, count: u32) -> Vec<u8> {
    let mut content = Vec::new();
    leb::write_u32(&mut content, count + init(context).len() as u32);
    content
}

fn init<'c>(context: &Context<'c, '_>) -> &'c [(u32, Vec<u8>)] {
    let page = context.options.page.as_ref();
    page.map_or(&[], |page| page.init.as_slice())
}

pub(super) fn data(context: &Context<'_, '_>, section: Option<Range<usize>>) -> Content {
    let init = init(context);
    let count = context.guest.counts.data as usize + init.len();
    limit("data segments", count, 100_000)?;
    let mut bytes = Vec::new();
    for (offset, data) in init {
        // Active, for a memory that is named.
        bytes.push(2);
        leb::write_u32(&mut bytes, context.numbers.page);
        ConstExpr::i32_const(*offset as i32).encode(&mut bytes);
        data.encode(&mut bytes);
    }
    extended(context.guest.bytes, section, init.len() as u32, &bytes)
}

/// Checks that what the host page holds at first fits into it.
pub(super) fn check_page(page: &HostPage) -> Result<(), RewriteError> {
    for (offset, bytes) in &page.init {
        let end = u64::from(*offset) + bytes.len() as u64;
        if end > u64::from(page.size) {
            return Err(RewriteError::memory(format!(
                "the host page has {} bytes, its first content reaches to byte {end}: \
                 make it larger",
                page.size
            )));
        }
    }
    Ok(())
}
