//! Puts sections together: those of the guest in their order, new ones where
//! they belong, custom sections behind what they stood behind.

use std::ops::Range;

use wasm_encoder::Encode;
use wasmparser::{CustomSectionReader, KnownCustom, Payload};

use super::code::Code;
use super::customs::{self, Custom, Losses};
use super::error::limit;
use super::types::TypeSpace;
use super::{AddedFunction, Context, Linked, LinkedImport, RewriteError, names, sections};
use crate::{ExternType, Import};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

const TYPE: u8 = 1;
const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
const TABLE: u8 = 4;
const MEMORY: u8 = 5;
const GLOBAL: u8 = 6;
const EXPORT: u8 = 7;
const START: u8 = 8;
const ELEMENT: u8 = 9;
const CODE: u8 = 10;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;
const TAG: u8 = 13;

/// The order of sections in a module.
const ORDER: [u8; 13] = [
    TYPE, IMPORT, FUNCTION, TABLE, MEMORY, TAG, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE,
    DATA,
];

pub(super) fn assemble(
    context: &Context<'_, '_>,
    types: &mut TypeSpace<'_>,
    code: Code,
) -> Result<Linked, RewriteError> {
    let mut assembler = Assembler {
        context,
        types,
        out: HEADER.to_vec(),
        content: code.content,
        gained_blocks: code.gained_blocks,
        imports: Vec::new(),
        code_start: 0,
        has_names: false,
        losses: Losses::default(),
    };
    assembler.out.reserve(context.guest.bytes.len());
    assembler.run()?;
    let Assembler {
        out,
        imports,
        code_start,
        losses,
        ..
    } = assembler;
    let mut linked = Linked {
        bytes: out,
        imports,
        replaced: code.replaced,
        added: added(context),
        ranges: code.ranges,
        traps: code.traps,
        warnings: losses.warning().into_iter().collect(),
    };
    limit("bytes", linked.bytes.len(), u32::MAX as usize)?;
    for range in &mut linked.ranges {
        range.start += code_start;
        range.end += code_start;
    }
    for trap in &mut linked.traps {
        trap.offset += code_start;
    }
    Ok(linked)
}

struct Assembler<'s, 'g, 'c, 'a> {
    context: &'s Context<'c, 'a>,
    types: &'s mut TypeSpace<'g>,
    out: Vec<u8>,
    /// Of the code section.
    content: Vec<u8>,
    gained_blocks: Vec<u32>,
    imports: Vec<LinkedImport>,
    /// Where the content of the code section begins.
    code_start: u32,
    has_names: bool,
    losses: Losses,
}

/// A section of the guest and the custom sections that follow it.
#[derive(Default)]
struct Group<'p, 'c> {
    section: Option<&'p Payload<'c>>,
    customs: Vec<CustomSectionReader<'c>>,
}

impl<'c> Assembler<'_, '_, 'c, '_> {
    /// New sections come before the custom sections that follow the section
    /// before: names stay at the end, and what must be first stays first.
    fn run(&mut self) -> Result<(), RewriteError> {
        let (first, groups) = group(&self.context.guest.sections);
        self.customs(&first);
        let mut pending = Vec::new();
        for (id, group) in ORDER.into_iter().zip(groups) {
            if group.section.is_some() {
                self.customs(&pending);
                pending = group.customs;
            }
            self.section(id, group.section)?;
        }
        self.customs(&pending);
        Ok(())
    }

    fn section(&mut self, id: u8, section: Option<&Payload<'c>>) -> Result<(), RewriteError> {
        let range = section
            .and_then(Payload::as_section)
            .map(|(_, range)| range);
        let context = self.context;
        let bytes = context.guest.bytes;
        let content = match (id, section) {
            (TYPE, _) => sections::types(bytes, range, self.types)?,
            (IMPORT, _) => return self.import_section(range),
            (FUNCTION, _) => sections::functions(context, range)?,
            (TABLE, Some(Payload::TableSection(tables))) => {
                sections::tables(context, tables.clone())?
            }
            (MEMORY, _) => sections::memories(context, range)?,
            (GLOBAL, Some(Payload::GlobalSection(globals))) => {
                sections::globals(context, Some(globals.clone()), self.types)?
            }
            (GLOBAL, _) => sections::globals(context, None, self.types)?,
            (EXPORT, Some(Payload::ExportSection(exports))) => {
                sections::exports(context, Some(exports.clone()))?
            }
            (EXPORT, _) => sections::exports(context, None)?,
            (START, Some(Payload::StartSection { func, .. })) => sections::start(context, *func),
            (ELEMENT, Some(Payload::ElementSection(elements))) => {
                sections::elements(context, Some(elements.clone()))?
            }
            (ELEMENT, _) => sections::elements(context, None)?,
            (DATA_COUNT, Some(Payload::DataCountSection { count, .. })) => {
                Some(sections::data_count(context, *count))
            }
            (CODE, _) => return self.code_section(),
            (DATA, _) => sections::data(context, range)?,
            _ => range.map(|range| bytes[range].to_vec()),
        };
        self.write(id, content.as_deref());
        Ok(())
    }

    /// Writes a section. Returns where its content begins.
    fn write(&mut self, id: u8, content: Option<&[u8]>) -> usize {
        let Some(content) = content else {
            return self.out.len();
        };
        self.out.push(id);
        content.encode(&mut self.out);
        self.out.len() - content.len()
    }

    fn import_section(&mut self, range: Option<Range<usize>>) -> Result<(), RewriteError> {
        let graph = self.context.graph;
        if range.is_none() && graph.added.is_empty() {
            return Ok(());
        }
        let (content, added) = sections::imports(self.context)?;
        let start = self.write(IMPORT, Some(&content)) as u64;
        let kept = self.context.kept_imports();
        self.imports = kept.map(LinkedImport::Original).collect();
        let first = self.imports.len() as u32;
        for (position, (import, offset)) in (0u32..).zip(graph.added.iter().zip(added)) {
            self.imports.push(LinkedImport::Added(Import {
                index: first + position,
                offset: start + offset,
                module: import.module.clone(),
                name: import.name.clone(),
                ty: ExternType::Func(import.ty.clone()),
                slot: self.context.numbers.added(position),
            }));
        }
        Ok(())
    }

    fn code_section(&mut self) -> Result<(), RewriteError> {
        let content = std::mem::take(&mut self.content);
        limit("bytes of code", content.len(), u32::MAX as usize)?;
        // A single zero: there are no functions.
        if content != [0] {
            let start = self.write(CODE, Some(&content));
            self.code_start = start as u32;
        }
        Ok(())
    }

    fn customs(&mut self, customs: &[CustomSectionReader<'c>]) {
        for custom in customs {
            self.custom(custom);
        }
    }

    fn custom(&mut self, custom: &CustomSectionReader<'c>) {
        match (customs::sort(custom.name()), custom.as_known()) {
            (Custom::Drop(loss), _) => self.losses.add(loss, custom.name()),
            (Custom::Keep, _) => self.write_custom(custom.name(), custom.data()),
            (Custom::Names, KnownCustom::Name(section)) if !self.has_names => {
                self.has_names = true;
                let losses = &mut self.losses;
                let data = names::names(self.context, section, &self.gained_blocks, losses);
                self.write_custom("name", &data);
            }
            (Custom::Names, _) => self.losses.names = true,
        }
    }

    fn write_custom(&mut self, name: &str, data: &[u8]) {
        let mut content = Vec::with_capacity(name.len() + data.len() + 5);
        name.encode(&mut content);
        content.extend_from_slice(data);
        self.write(0, Some(&content));
    }
}

/// Custom sections before all others, and the others in their order.
fn group<'p, 'c>(
    sections: &'p [Payload<'c>],
) -> (Vec<CustomSectionReader<'c>>, [Group<'p, 'c>; ORDER.len()]) {
    let mut first = Vec::new();
    let mut groups = [(); ORDER.len()].map(|()| Group::default());
    let mut last: Option<usize> = None;
    for section in sections {
        if let Payload::CustomSection(custom) = section {
            match last {
                None => first.push(custom.clone()),
                Some(last) => groups[last].customs.push(custom.clone()),
            }
            continue;
        }
        let id = section.as_section().map(|(id, _)| id);
        let position = ORDER.iter().position(|known| Some(*known) == id);
        if let Some(position) = position {
            groups[position].section = Some(section);
            last = Some(position);
        }
    }
    (first, groups)
}

/// What each appended function is.
fn added(context: &Context<'_, '_>) -> Vec<AddedFunction> {
    let graph = context.graph;
    let appended = context.numbers.appended.iter();
    let functions = appended.map(|appended| {
        let node = &graph.nodes[appended.node as usize];
        AddedFunction {
            root: graph.first_roots[node.provider],
            function: node.function,
        }
    });
    functions.collect()
}
