//! Aligned columns.

use comfy_table::{Table, presets};

/// One line per row, indented, columns two spaces apart.
pub fn rows<const N: usize>(rows: impl IntoIterator<Item = [impl ToString; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| cell.to_string())));
    for column in table.column_iter_mut() {
        column.set_padding((2, 0));
    }
    if table.is_empty() {
        return String::new();
    }
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}
