//! Custom sections: kept as they are, unless they tell of indices or offsets
//! that are no longer true.

use wasmparser::{BinaryReader, CustomSectionReader};

use super::Check;
use super::error::CheckError;
use super::input::Counterpart;
use super::module::Module;

/// What a custom section holds that linking may make wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Nothing.
    Bytes,
    /// Names: see [`names`](super::names).
    Names,
    /// Offsets of code or of the file.
    Debug,
    /// Functions and offsets in their bodies.
    CodeMetadata,
    /// Indices, for a linker of object files.
    Relocations,
}

fn holds(name: &str) -> Holds {
    match name {
        "name" => Holds::Names,
        "sourceMappingURL" | "external_debug_info" | "build_id" => Holds::Debug,
        "linking" => Holds::Relocations,
        _ if name.starts_with(".debug_") => Holds::Debug,
        _ if name.starts_with("metadata.code.") => Holds::CodeMetadata,
        _ if name.starts_with("reloc.") => Holds::Relocations,
        _ => Holds::Bytes,
    }
}

impl<'a> Check<'_, 'a> {
    pub(super) fn customs(&mut self) -> Result<(), CheckError> {
        self.plain()?;
        self.debug()?;
        for section in of_kind(&self.input.linked, Holds::CodeMetadata) {
            self.code_metadata(section)?;
        }
        match of_kind(&self.input.linked, Holds::Relocations).next() {
            Some(section) if !self.same_code() => Err(stale(section)),
            _ => Ok(()),
        }
    }

    fn plain(&self) -> Result<(), CheckError> {
        let mut found = of_kind(&self.input.linked, Holds::Bytes);
        for expected in of_kind(&self.input.guest, Holds::Bytes) {
            let found = found.next();
            let same = found.is_some_and(|found| same(expected, found));
            if !same {
                let offset = found.map_or(0, |found| found.range().start);
                let found = found.map_or("the end".to_owned(), text);
                return Err(CheckError::new(
                    "custom sections",
                    offset,
                    text(expected),
                    found,
                ));
            }
        }
        match found.next() {
            None => Ok(()),
            Some(extra) => Err(CheckError::new(
                "custom sections",
                extra.range().start,
                "the end",
                text(extra),
            )),
        }
    }

    /// Debug information is true, or it is gone, and that is told.
    fn debug(&self) -> Result<(), CheckError> {
        let kept: Vec<_> = of_kind(&self.input.linked, Holds::Debug).collect();
        if let Some(section) = kept.first().filter(|_| !self.same_code()) {
            return Err(stale(section));
        }
        let lost = of_kind(&self.input.guest, Holds::Debug).count() > kept.len();
        if lost && self.input.report.warnings.is_empty() {
            let expected = "a warning that debug information was dropped";
            return Err(CheckError::new("debug information", 0, expected, "none"));
        }
        Ok(())
    }

    /// Whether the code section has not moved and not changed.
    fn same_code(&self) -> bool {
        let code = |module: &Module<'a>| module.code.clone();
        let (left, right) = (code(&self.input.guest), code(&self.input.linked));
        left == right && self.input.guest.bytes[left] == self.input.linked.bytes[right]
    }

    /// Each note in `section` is one of the guest, at the same operator.
    fn code_metadata(&self, section: &CustomSectionReader<'a>) -> Result<(), CheckError> {
        let guests = of_kind(&self.input.guest, Holds::CodeMetadata);
        let guests = guests.filter(|guest| guest.name() == section.name());
        let mut expected = Vec::new();
        for note in guests.flat_map(|section| notes(section).unwrap_or_default()) {
            expected.extend(self.moved(note));
        }
        let Some(found) = notes(section) else {
            return Err(stale(section));
        };
        match found.iter().find(|note| !expected.contains(note)) {
            None => Ok(()),
            Some(_) => Err(stale(section)),
        }
    }

    fn moved(&self, note: Note<'a>) -> Option<Note<'a>> {
        let Counterpart::Same(function) = *self.input.functions.get(note.function as usize)? else {
            return None;
        };
        let offsets = self.found.offsets.get(&note.function)?;
        let at = offsets
            .binary_search_by_key(&note.offset, |(from, _)| *from)
            .ok()?;
        Some(Note {
            function,
            offset: offsets[at].1,
            ..note
        })
    }
}

/// Something told about an operator: its function, its offset in the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Note<'a> {
    pub(super) function: u32,
    offset: u32,
    bytes: &'a [u8],
}

/// The functions of a module that code metadata tells of.
pub(super) fn noted_functions(module: &Module<'_>) -> Vec<u32> {
    let sections = of_kind(module, Holds::CodeMetadata);
    let notes = sections.flat_map(|section| notes(section).unwrap_or_default());
    notes.map(|note| note.function).collect()
}

fn notes<'a>(section: &CustomSectionReader<'a>) -> Option<Vec<Note<'a>>> {
    let mut reader = BinaryReader::new(section.data(), section.data_offset());
    let mut notes = Vec::new();
    for _ in 0..reader.read_var_u32().ok()? {
        let function = reader.read_var_u32().ok()?;
        for _ in 0..reader.read_var_u32().ok()? {
            let offset = reader.read_var_u32().ok()?;
            let length = reader.read_var_u32().ok()?;
            let bytes = reader.read_bytes(length as usize).ok()?;
            notes.push(Note {
                function,
                offset,
                bytes,
            });
        }
    }
    Some(notes)
}

fn of_kind<'m, 'a>(
    module: &'m Module<'a>,
    kind: Holds,
) -> impl Iterator<Item = &'m CustomSectionReader<'a>> {
    let sections = module.customs.iter();
    sections.filter(move |section| holds(section.name()) == kind)
}

fn same(left: &CustomSectionReader<'_>, right: &CustomSectionReader<'_>) -> bool {
    left.name() == right.name() && left.data() == right.data()
}

fn text(section: &CustomSectionReader<'_>) -> String {
    format!("`{}` of {} bytes", section.name(), section.data().len())
}

fn stale(section: &CustomSectionReader<'_>) -> CheckError {
    let place = format!("custom section `{}`", section.name());
    let expected = "nothing, or what is true of the linked module";
    CheckError::new(
        place,
        section.range().start,
        expected,
        "what was true of the guest",
    )
}
