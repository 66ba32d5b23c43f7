//! Names: whatever the guest gives a name to has it in the linked module.

use std::collections::BTreeMap;

use wasmparser::{IndirectNameMap, KnownCustom, Name, NameMap};

use super::Check;
use super::error::CheckError;
use super::input::Counterpart;
use super::module::Module;
use crate::LinkedImport;

const PLACE: &str = "the name section";

/// Kinds of names; within a kind, names by index, or by index and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Module,
    Function,
    Local,
    Label,
    Type,
    Table,
    Memory,
    Global,
    Element,
    Data,
    Field,
    Tag,
}

type Names<'a> = BTreeMap<(Kind, u32, u32), &'a str>;

impl Check<'_, '_> {
    pub(super) fn names(&mut self) -> Result<(), CheckError> {
        let (guest, whole) = read(&self.input.guest);
        let (linked, _) = read(&self.input.linked);
        let ours: Names<'_> = guest
            .into_iter()
            .filter_map(|(key, name)| Some((self.renumbered(key)?, name)))
            .collect();
        for (key, name) in &ours {
            // Names of labels may be dropped, and so may what is damaged.
            let missing = !linked.contains_key(key);
            if missing && whole && key.0 != Kind::Label {
                return Err(wrong(*key, Some(name), None));
            }
        }
        for (key, name) in &linked {
            let expected = ours.get(key).copied();
            if self.is_guests(*key) && expected != Some(*name) {
                return Err(wrong(*key, expected, Some(name)));
            }
        }
        Ok(())
    }

    /// Where a name of the guest belongs in the linked module. What stands for
    /// an import may be called as its provider calls it.
    fn renumbered(&self, (kind, index, inner): (Kind, u32, u32)) -> Option<(Kind, u32, u32)> {
        match kind {
            Kind::Function | Kind::Local | Kind::Label => {
                let imports = self.input.inner.get(index as usize);
                let function = match imports.or(self.input.functions.get(index as usize))? {
                    Counterpart::Same(u32::MAX) | Counterpart::Root(_) => return None,
                    Counterpart::Same(function) => *function,
                };
                let inner = match kind {
                    Kind::Label => *self.found.labels.get(&index)?.get(inner as usize)?,
                    _ => inner,
                };
                Some((kind, function, inner))
            }
            _ => Some((kind, index, inner)),
        }
    }

    /// Whether the guest has what a name of the linked module belongs to.
    fn is_guests(&self, (kind, index, inner): (Kind, u32, u32)) -> bool {
        let types = self.input.guest.types.as_ref();
        let added = self.input.first_added();
        match kind {
            Kind::Function | Kind::Label => index < added && !self.is_added_import(index),
            Kind::Local => index < added && inner < self.original_locals(index),
            Kind::Type => index < types.core_type_count_in_module(),
            Kind::Table => index < types.table_count(),
            Kind::Memory => index < types.memory_count(),
            Kind::Global => index < types.global_count(),
            Kind::Data => index < self.input.guest.data.len() as u32,
            Kind::Element => index < types.element_count(),
            Kind::Module | Kind::Field | Kind::Tag => true,
        }
    }

    fn is_added_import(&self, function: u32) -> bool {
        let import = self.input.linked.function_import(function);
        let import = import.and_then(|import| self.input.report.imports.get(import));
        matches!(import, Some(LinkedImport::Added(_)))
    }

    /// How many locals the original of a linked function has.
    fn original_locals(&self, function: u32) -> u32 {
        let defined = function.checked_sub(self.input.linked.imported_functions());
        let locals = defined.and_then(|defined| self.found.locals.get(defined as usize));
        locals.copied().unwrap_or(u32::MAX)
    }
}

fn wrong(key: (Kind, u32, u32), expected: Option<&str>, found: Option<&str>) -> CheckError {
    let (kind, index, inner) = key;
    let place = format!("{PLACE}, {kind:?} {index} {inner}");
    let text = |name: Option<&str>| name.map_or("no name".to_owned(), |name| format!("{name:?}"));
    CheckError::new(place, 0, text(expected), text(found))
}

/// Every name that can be read, and whether that is all.
fn read<'a>(module: &Module<'a>) -> (Names<'a>, bool) {
    let mut names = Names::new();
    let mut sections = module
        .customs
        .iter()
        .filter(|section| section.name() == "name");
    let whole = match sections.next().map(|section| section.as_known()) {
        Some(KnownCustom::Name(section)) => section.into_iter().all(|part| {
            let part = part.map_err(drop);
            part.and_then(|part| push(&mut names, part)).is_ok()
        }),
        found => found.is_none(),
    };
    (names, whole && sections.next().is_none())
}

fn push<'a>(names: &mut Names<'a>, part: Name<'a>) -> Result<(), ()> {
    match part {
        Name::Module { name, .. } => drop(names.insert((Kind::Module, 0, 0), name)),
        Name::Function(map) => direct(names, Kind::Function, map)?,
        Name::Local(map) => indirect(names, Kind::Local, map)?,
        Name::Label(map) => indirect(names, Kind::Label, map)?,
        Name::Type(map) => direct(names, Kind::Type, map)?,
        Name::Table(map) => direct(names, Kind::Table, map)?,
        Name::Memory(map) => direct(names, Kind::Memory, map)?,
        Name::Global(map) => direct(names, Kind::Global, map)?,
        Name::Element(map) => direct(names, Kind::Element, map)?,
        Name::Data(map) => direct(names, Kind::Data, map)?,
        Name::Field(map) => indirect(names, Kind::Field, map)?,
        Name::Tag(map) => direct(names, Kind::Tag, map)?,
        Name::Unknown { .. } => {}
    }
    Ok(())
}

fn direct<'a>(names: &mut Names<'a>, kind: Kind, map: NameMap<'a>) -> Result<(), ()> {
    for naming in map {
        let naming = naming.map_err(drop)?;
        names.insert((kind, naming.index, 0), naming.name);
    }
    Ok(())
}

fn indirect<'a>(names: &mut Names<'a>, kind: Kind, map: IndirectNameMap<'a>) -> Result<(), ()> {
    for inner in map {
        let inner = inner.map_err(drop)?;
        for naming in inner.names {
            let naming = naming.map_err(drop)?;
            names.insert((kind, inner.index, naming.index), naming.name);
        }
    }
    Ok(())
}
