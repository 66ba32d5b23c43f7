//! Types, tables, memories, globals, tags, exports and the start function.

use wasmparser::{ExternalKind, TableInit};

use super::Check;
use super::error::CheckError;
use super::module::Export;
use super::relate::Scope;

const EXPORTS: &str = "the export section";
const PAGE_EXPORT: &str = "hostcall:page";
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

    /// The guest's exports, and behind them the host page.
    fn exports(&mut self) -> Result<(), CheckError> {
        let (guest, linked) = (&self.input.guest, &self.input.linked);
        for (position, left) in guest.exports.iter().enumerate() {
            match linked.exports.get(position) {
                Some(right) => self.export(left, right)?,
                None => return Err(wrong(EXPORTS, text(left), "the end".into())),
            }
        }
        let added = &linked.exports[guest.exports.len()..];
        let right = match (self.input.page(), added) {
            (None, []) => true,
            (Some(page), [export]) => {
                export.name == PAGE_EXPORT
                    && export.kind == ExternalKind::Memory
                    && export.index == page
            }
            _ => false,
        };
        if right {
            return Ok(());
        }
        let expected = match self.input.page() {
            Some(page) => format!("memory {page} as `{PAGE_EXPORT}` and no more"),
            None => "no more exports than the guest's".into(),
        };
        let found: Vec<String> = added.iter().map(text).collect();
        Err(wrong(EXPORTS, expected, found.join(", ")))
    }

    fn export(&mut self, left: &Export<'a>, right: &Export<'a>) -> Result<(), CheckError> {
        let is_function = matches!(left.kind, ExternalKind::Func | ExternalKind::FuncExact);
        let same = left.name == right.name && left.kind == right.kind;
        if same && is_function {
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

    fn start(&mut self) -> Result<(), CheckError> {
        match (self.input.guest.start, self.input.linked.start) {
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
