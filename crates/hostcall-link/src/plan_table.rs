//! Prints a plan as a table.

use std::fmt::{self, Display};

use crate::{ExternType, ImportName, MappedExport, Plan, PlannedImport};

const HEADINGS: [&str; COLUMNS] = ["#", "import", "type", "crossing", "size", "why"];
const COLUMNS: usize = 6;
/// Characters that a column is wide at most; longer cells push their own row.
const WIDEST: usize = 48;

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.imports.is_empty() {
            true => f.write_str("no imports\n")?,
            false => self.write_imports(f)?,
        }
        self.mapped.iter().try_for_each(|export| mapped(f, export))
    }
}

impl Plan {
    fn write_imports(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = HEADINGS.map(str::to_owned);
        let mut rows = vec![headings];
        rows.extend(self.imports.iter().map(cells));
        rows.extend(self.added.iter().map(added));
        let widths = widths(&rows);
        for row in &rows {
            write_row(f, row, &widths)?;
        }
        Ok(())
    }
}

fn cells(planned: &PlannedImport) -> [String; COLUMNS] {
    let import = &planned.import;
    let crossing = planned.crossing.map(|crossing| crossing.to_string());
    [
        import.index.to_string(),
        ImportName::new(&import.module, &import.name).to_string(),
        type_text(planned),
        crossing.unwrap_or_else(|| "-".to_owned()),
        size(planned),
        planned.reason.clone(),
    ]
}

fn mapped(f: &mut fmt::Formatter<'_>, export: &MappedExport) -> fmt::Result {
    let MappedExport { name, ty, folds } = export;
    let (name, folds) = (name.escape_debug(), if *folds { " and folds" } else { "" });
    writeln!(
        f,
        "export `{name}` {ty} maps{folds}: a loop in the guest calls it"
    )
}

/// An import that is not in the guest has no position there.
fn added(planned: &PlannedImport) -> [String; COLUMNS] {
    let mut cells = cells(planned);
    cells[0] = "+".to_owned();
    cells
}

/// Operators of an inlined body.
fn size(planned: &PlannedImport) -> String {
    let operators = planned.inlined.map(|inlined| inlined.operators.to_string());
    operators.unwrap_or_else(|| "-".to_owned())
}

/// The readable signature, or else the core type; the column of crossings
/// tells that it is a function.
fn type_text(planned: &PlannedImport) -> String {
    match (&planned.signature, &planned.import.ty) {
        (Some(signature), _) => signature.clone(),
        (None, ExternType::Func(ty)) => ty.to_string(),
        (None, other) => other.to_string(),
    }
}

fn widths(rows: &[[String; COLUMNS]]) -> [usize; COLUMNS] {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().min(WIDEST).max(*width);
        }
    }
    widths
}

fn write_row(
    f: &mut fmt::Formatter<'_>,
    row: &[String; COLUMNS],
    widths: &[usize; COLUMNS],
) -> fmt::Result {
    let [index, import, ty, crossing, size, why] = row;
    let [w0, w1, w2, w3, w4, _] = *widths;
    writeln!(
        f,
        "{index:>w0$}  {import:w1$}  {ty:w2$}  {crossing:w3$}  {size:>w4$}  {why}"
    )
}
