//! Rewrites the name section: functions move, and what is appended gets names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use wasm_encoder::Encode;
use wasmparser::{IndirectNameMap, Name, NameMap, NameSectionReader};

use super::Context;
use super::customs::Losses;
use super::leb;
use super::number::Appended;
use super::resolve::Target;
use super::root::Purpose;
use crate::RESERVED_PREFIX;

const MODULE: u8 = 0;
const FUNCTION: u8 = 1;
const LOCAL: u8 = 2;
const LABEL: u8 = 3;
const TYPE: u8 = 4;
const TABLE: u8 = 5;
const MEMORY: u8 = 6;
const GLOBAL: u8 = 7;
const ELEMENT: u8 = 8;
const DATA: u8 = 9;
const FIELD: u8 = 10;
const TAG: u8 = 11;

type Map<'n> = BTreeMap<u32, Cow<'n, str>>;
/// Names inside of functions, still encoded.
type IndirectMap = BTreeMap<u32, Range<usize>>;

/// The content of the rewritten section, without its own name. `gained_blocks` are
/// the guest's functions that did, in order.
pub(super) fn names<'n>(
    context: &'n Context<'n, 'n>,
    section: NameSectionReader<'n>,
    gained_blocks: &'n [u32],
    losses: &'n mut Losses,
) -> Vec<u8> {
    let mut names = Names {
        context,
        gained_blocks,
        losses,
        kept: Vec::new(),
        functions: function_names(context),
        locals: IndirectMap::new(),
        labels: IndirectMap::new(),
        memories: memory_names(context),
        globals: global_names(context),
    };
    let read = names.read(section);
    names.losses.names |= read.is_err();
    names.write()
}

struct Names<'n> {
    context: &'n Context<'n, 'n>,
    gained_blocks: &'n [u32],
    losses: &'n mut Losses,
    /// Subsections that stay as they are.
    kept: Vec<(u8, Cow<'n, [u8]>)>,
    functions: Map<'n>,
    locals: IndirectMap,
    labels: IndirectMap,
    memories: Map<'n>,
    globals: Map<'n>,
}

impl<'n> Names<'n> {
    /// Stops at what is damaged and keeps what came before.
    fn read(&mut self, section: NameSectionReader<'n>) -> wasmparser::Result<()> {
        for subsection in section {
            self.subsection(subsection?)?;
        }
        Ok(())
    }

    fn subsection(&mut self, subsection: Name<'n>) -> wasmparser::Result<()> {
        match subsection {
            Name::Module { name, .. } => {
                let mut content = Vec::new();
                name.encode(&mut content);
                self.kept.push((MODULE, content.into()));
            }
            Name::Function(map) => self.function_names(map)?,
            Name::Local(map) => self.local_names(map)?,
            Name::Label(map) => self.label_names(map)?,
            Name::Type(map) => self.keep(TYPE, map.range()),
            Name::Table(map) => self.keep(TABLE, map.range()),
            Name::Memory(map) => {
                let count = self.context.guest.counts.memories;
                read_map(&mut self.memories, map, count)?;
            }
            Name::Global(map) => {
                let count = self.context.guest.counts.globals;
                read_map(&mut self.globals, map, count)?;
            }
            Name::Element(map) => self.keep(ELEMENT, map.range()),
            Name::Data(map) => self.keep(DATA, map.range()),
            Name::Field(map) => self.keep(FIELD, map.range()),
            Name::Tag(map) => self.keep(TAG, map.range()),
            // What it holds is not known, and may be indices of functions.
            Name::Unknown { .. } => self.losses.names = true,
        }
        Ok(())
    }

    fn keep(&mut self, id: u8, range: Range<usize>) {
        let content = &self.context.guest.bytes[range];
        self.kept.push((id, content.into()));
    }

    /// The new index of a function, if it is still there: what stands for an
    /// import has a name already.
    fn moved(&self, function: u32) -> Option<u32> {
        let context = self.context;
        match context.graph.stays.get(function as usize) {
            Some(stays) => stays.then(|| context.numbers.target(Target::Import(function))),
            None => {
                let exists = function < context.guest.counts.functions;
                exists.then(|| context.numbers.function(function))
            }
        }
    }

    fn function_names(&mut self, map: NameMap<'n>) -> wasmparser::Result<()> {
        for naming in map {
            let naming = naming?;
            if let Some(index) = self.moved(naming.index) {
                let name = self.functions.entry(index);
                name.or_insert(naming.name.into());
            }
        }
        Ok(())
    }

    fn local_names(&mut self, map: IndirectNameMap<'n>) -> wasmparser::Result<()> {
        for function in map {
            let function = function?;
            if let Some(index) = self.moved(function.index) {
                let names = self.locals.entry(index);
                names.or_insert(function.names.range());
            }
        }
        Ok(())
    }

    /// Blocks are numbered as they occur, so those of bodies come between.
    fn label_names(&mut self, map: IndirectNameMap<'n>) -> wasmparser::Result<()> {
        for function in map {
            let function = function?;
            if self.gained_blocks.binary_search(&function.index).is_ok() {
                self.losses.labels = true;
            } else if let Some(index) = self.moved(function.index) {
                let names = self.labels.entry(index);
                names.or_insert(function.names.range());
            }
        }
        Ok(())
    }

    /// Subsections go by their number, as tools expect.
    fn write(mut self) -> Vec<u8> {
        let bytes = self.context.guest.bytes;
        let parts = [
            (FUNCTION, write_map(&self.functions)),
            (LOCAL, write_indirect(&self.locals, bytes)),
            (LABEL, write_indirect(&self.labels, bytes)),
            (MEMORY, write_map(&self.memories)),
            (GLOBAL, write_map(&self.globals)),
        ];
        for (id, content) in parts {
            if let Some(content) = content {
                self.kept.push((id, content.into()));
            }
        }
        self.kept.sort_by_key(|(id, _)| *id);
        let mut out = Vec::new();
        for (id, content) in &self.kept {
            out.push(*id);
            content.encode(&mut out);
        }
        out
    }
}

fn read_map<'n>(found: &mut Map<'n>, map: NameMap<'n>, count: u32) -> wasmparser::Result<()> {
    for naming in map {
        let naming = naming?;
        if naming.index < count {
            let name = found.entry(naming.index);
            name.or_insert(naming.name.into());
        }
    }
    Ok(())
}

fn write_map(map: &Map<'_>) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    leb::write_u32(&mut content, map.len() as u32);
    for (index, name) in map {
        leb::write_u32(&mut content, *index);
        name.encode(&mut content);
    }
    (!map.is_empty()).then_some(content)
}

fn write_indirect(map: &IndirectMap, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    leb::write_u32(&mut content, map.len() as u32);
    for (index, names) in map {
        leb::write_u32(&mut content, *index);
        content.extend_from_slice(&bytes[names.clone()]);
    }
    (!map.is_empty()).then_some(content)
}

/// Names of added imports and of appended functions.
fn function_names<'n>(context: &Context<'_, '_>) -> Map<'n> {
    let added = context.graph.added.iter().zip(0u32..);
    let added = added.map(|(import, position)| {
        let name = format!("{}.{}", import.module, import.name);
        (context.numbers.added(position), name.into())
    });
    let appended = context.numbers.appended.iter();
    let appended = appended.zip(context.numbers.first_appended..);
    let appended = appended.map(|(function, index)| {
        let name = appended_name(context, function);
        (index, name.into())
    });
    added.chain(appended).collect()
}

/// The name of the root, or `root:helper`.
fn appended_name(context: &Context<'_, '_>, appended: &Appended) -> String {
    let name = root_name(context, appended.root);
    if appended.is_root {
        return name;
    }
    let node = &context.graph.nodes[appended.node as usize];
    let provider = context.graph.providers[node.provider];
    let index = provider.host_calls.len() as u32 + node.function;
    let mut exports = provider.exports.iter();
    let exported = exports.find(|export| export.function == node.function);
    let exported = exported.map(|export| &export.name);
    match provider.function_names.get(&index).or(exported) {
        Some(helper) => format!("{name}:{helper}"),
        None => format!("{name}:function{}", node.function),
    }
}

/// `module.name` of the import that is replaced, `module.name:wrapper` of one
/// that is wrapped, the name of an added export.
fn root_name(context: &Context<'_, '_>, root: u32) -> String {
    match context.graph.roots[root as usize].purpose {
        Purpose::Replaces { import, .. } => import_name(context, import),
        Purpose::Wraps { import, .. } => format!("{}:wrapper", import_name(context, import)),
        Purpose::Exported(name) => name.to_owned(),
    }
}

fn import_name(context: &Context<'_, '_>, import: u32) -> String {
    let import = &context.guest.imports[import as usize];
    format!("{}.{}", import.module, import.name)
}

fn memory_names<'n>(context: &Context<'_, '_>) -> Map<'n> {
    let page = context.options.page.as_ref();
    let page = page.map(|_| {
        let name = format!("{RESERVED_PREFIX}page");
        (context.numbers.page, name.into())
    });
    page.into_iter().collect()
}

/// Globals are named after the first root that needs their provider.
fn global_names<'n>(context: &Context<'_, '_>) -> Map<'n> {
    let mut names = Map::new();
    for (position, provider) in context.graph.providers.iter().enumerate() {
        let first = context.numbers.first_globals[position];
        let root = root_name(context, context.graph.first_roots[position]);
        for index in 0..provider.globals.len() as u32 {
            let name = match provider.global_names.get(&index) {
                Some(name) => format!("{root}:{name}"),
                None => format!("{root}:global{index}"),
            };
            names.insert(first + index, name.into());
        }
    }
    names
}
