//! Types, tables, memories, globals, tags, exports and the start function.

use wasmparser::{ExternalKind, TableInit};

use super::Check;
use super::error::CheckError;
use super::module::Export;
use super::relate::Scope;
use crate::AddedExport;

const EXPORTS: &str = "the export section";
const PAGE_EXPORT: &str = "hostcall:page";
const START_EXPORT: &str = "hostcall:start";
const PAGE_BYTES: u64 = 1 << 16;

impl<'a> Check<'_, 'a> {
    pub(super) fn sections(&mut self) -> Result<(), CheckError> {
        self.types()?;
        self.memories()?;
        self.tables()?;
        self.tags()?;
        self.globals()?;
        self.exports()?;
        self.start()
    }

    /// The types of the guest come first.
    fn types(&self) -> Result<(), CheckError> {
        let (guest, linked) = (&self.input.guest, &self.input.linked);
        let counts = (
            guest.types.as_ref().core_type_count_in_module(),
            linked.types.as_ref().core_type_count_in_module(),
        );
        for index in 0..counts.0 {
            let expected = guest.type_id(index);
            let found = (index < counts.1).then(|| linked.type_id(index));
            if found != Some(expected) {
                let expected = format!("type {index} to be {}", guest.types[expected]);
                return Err(wrong("the type section", expected, format!("{found:?}")));
            }
        }
        Ok(())
    }

    /// The guest's own memories, and behind them the host page.
    fn memories(&self) -> Result<(), CheckError> {
        let (guest, linked) = (
            self.input.guest.types.as_ref(),
            self.input.linked.types.as_ref(),
        );
        let page = self.input.options.page.as_ref();
        let expected = guest.memory_count() + u32::from(page.is_some());
        same_count("memories", expected, linked.memory_count())?;
        for index in 0..guest.memory_count() {
            same(
                &format!("memory {index}"),
                &guest.memory_at(index),
                &linked.memory_at(index),
            )?;
        }
        let Some(page) = page else {
            return Ok(());
        };
        let found = linked.memory_at(guest.memory_count());
        let pages = u64::from(page.size).div_ceil(PAGE_BYTES);
        let plain = !found.memory64 && !found.shared && found.page_size_log2.is_none();
        if plain && found.initial == pages && found.maximum == Some(pages) {
            return Ok(());
        }
        let expected = format!("a memory of exactly {pages} pages of 64 KiB");
        Err(wrong("the host page", expected, format!("{found:?}")))
    }

    fn tables(&mut self) -> Result<(), CheckError> {
        let (guest, linked) = (
            self.input.guest.types.as_ref(),
            self.input.linked.types.as_ref(),
        );
        same_count("tables", guest.table_count(), linked.table_count())?;
        for index in 0..guest.table_count() {
            same(
                &format!("table {index}"),
                &guest.table_at(index),
                &linked.table_at(index),
            )?;
        }
        for (position, left) in self.input.guest.tables.iter().enumerate() {
            let place = format!("defined table {position}");
            match (
                &left.init,
                self.input
                    .linked
                    .tables
                    .get(position)
                    .map(|table| &table.init),
            ) {
                (TableInit::RefNull, Some(TableInit::RefNull)) => {}
                (TableInit::Expr(left), Some(TableInit::Expr(right))) => {
                    self.constant(&mut Scope::Guest, left, right, &place)?;
                }
                _ => {
                    return Err(wrong(
                        &place,
                        "the guest's first value".into(),
                        "another".into(),
                    ));
                }
            }
        }
        Ok(())
    }

    fn tags(&self) -> Result<(), CheckError> {
        let (guest, linked) = (
            self.input.guest.types.as_ref(),
            self.input.linked.types.as_ref(),
        );
        same_count("tags", guest.tag_count(), linked.tag_count())?;
        for index in 0..guest.tag_count() {
            same(
                &format!("tag {index}"),
                &guest.tag_at(index),
                &linked.tag_at(index),
            )?;
        }
        Ok(())
    }

    /// The guest's globals; those behind them must be some provider's, which
    /// is found out where they are used.
    fn globals(&mut self) -> Result<(), CheckError> {
        let (guest, linked) = (
            self.input.guest.types.as_ref(),
            self.input.linked.types.as_ref(),
        );
        if linked.global_count() < guest.global_count() {
            let expected = format!("{} or more", guest.global_count());
            return Err(wrong(
                "globals",
                expected,
                linked.global_count().to_string(),
            ));
        }
        for index in 0..guest.global_count() {
            same(
                &format!("global {index}"),
                &guest.global_at(index),
                &linked.global_at(index),
            )?;
        }
        for (position, (left, right)) in self
            .input
            .guest
            .globals
            .iter()
            .zip(&self.input.linked.globals)
            .enumerate()
        {
            let place = format!("defined global {position}");
            self.constant(&mut Scope::Guest, &left.init_expr, &right.init_expr, &place)?;
        }
        Ok(())
    }

    /// The guest's exports, and behind them the host page, what was asked for,
    /// and the start function.
    fn exports(&mut self) -> Result<(), CheckError> {
        let input = self.input;
        let mut found = input.linked.exports.iter();
        for left in &input.guest.exports {
            match found.next() {
                Some(right) => self.export(left, right)?,
                None => return Err(wrong(EXPORTS, text(left), "the end".into())),
            }
        }
        if let Some(page) = input.page() {
            page_export(page, found.next())?;
        }
        let first = input.roots.len() - input.options.exports.len();
        for (root, export) in (first..).zip(&input.options.exports) {
            self.added_export(root, export, found.next())?;
        }
        if let Some(start) = input.guest.start.filter(|_| input.options.export_start) {
            self.start_export(start, found.next())?;
        }
        match found.next() {
            None => Ok(()),
            Some(extra) => Err(wrong(EXPORTS, "no more exports".into(), text(extra))),
        }
    }

    fn export(&mut self, left: &Export<'a>, right: &Export<'a>) -> Result<(), CheckError> {
        let same = left.name == right.name && left.kind == right.kind;
        if same && left.is_function() {
            let result = self.guest_function(left.index, right.index);
            return result.map_err(|error| error.within(&format!("export `{}`", left.name)));
        }
        if same && left.index == right.index {
            return Ok(());
        }
        Err(CheckError::new(
            EXPORTS,
            right.offset,
            text(left),
            text(right),
        ))
    }

    /// The root's function, by the name that was asked for.
    fn added_export(
        &self,
        root: usize,
        wanted: &AddedExport<'_>,
        found: Option<&Export<'a>>,
    ) -> Result<(), CheckError> {
        let function = function_named(wanted.name, found)?;
        self.copied(self.input.roots[root].callee, function)
            .map_err(|error| error.within(&format!("export `{}`", wanted.name)))
    }

    fn start_export(&mut self, start: u32, found: Option<&Export<'a>>) -> Result<(), CheckError> {
        let function = function_named(START_EXPORT, found)?;
        self.guest_function(start, function)
            .map_err(|error| error.within(&format!("export `{START_EXPORT}`")))
    }

    /// The guest's, unless it was to be exported instead.
    fn start(&mut self) -> Result<(), CheckError> {
        let runs = |_: &u32| !self.input.options.export_start;
        match (self.input.guest.start.filter(runs), self.input.linked.start) {
            (None, None) => Ok(()),
            (Some(left), Some(right)) => self
                .guest_function(left, right)
                .map_err(|error| error.within("the start function")),
            (left, right) => Err(wrong(
                "the start function",
                format!("{left:?}"),
                format!("{right:?}"),
            )),
        }
    }
}

fn page_export(page: u32, found: Option<&Export<'_>>) -> Result<(), CheckError> {
    match found {
        Some(export)
            if (export.name, export.kind, export.index)
                == (PAGE_EXPORT, ExternalKind::Memory, page) =>
        {
            Ok(())
        }
        _ => {
            let expected = format!("memory {page} as `{PAGE_EXPORT}`");
            Err(wrong(EXPORTS, expected, text_of(found)))
        }
    }
}

/// The function that an export is, which must have this name.
fn function_named(name: &str, found: Option<&Export<'_>>) -> Result<u32, CheckError> {
    match found {
        Some(export) if export.name == name && export.is_function() => Ok(export.index),
        _ => {
            let expected = format!("a function as `{name}`");
            Err(wrong(EXPORTS, expected, text_of(found)))
        }
    }
}

fn text_of(export: Option<&Export<'_>>) -> String {
    export.map_or("the end".into(), text)
}

fn text(export: &Export<'_>) -> String {
    format!("{:?} {} as `{}`", export.kind, export.index, export.name)
}

fn wrong(place: &str, expected: String, found: String) -> CheckError {
    CheckError::new(place, 0, expected, found)
}

pub(super) fn same_count(what: &str, expected: u32, found: u32) -> Result<(), CheckError> {
    if expected == found {
        return Ok(());
    }
    Err(wrong(what, expected.to_string(), found.to_string()))
}

fn same<T: PartialEq + std::fmt::Debug>(
    place: &str,
    expected: &T,
    found: &T,
) -> Result<(), CheckError> {
    if expected == found {
        return Ok(());
    }
    Err(wrong(place, format!("{expected:?}"), format!("{found:?}")))
}
