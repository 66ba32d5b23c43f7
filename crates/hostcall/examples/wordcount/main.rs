//! Counts the words of a text file: a guest written in C splits the text, the
//! host reads the file and counts. Words wait in the guest until there are many.
//!
//! ```text
//! cargo run --release --example wordcount -- README.md
//! ```

mod text;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use std::process::ExitCode;
use std::time::Instant;
use text::Count;

const SHOWN: usize = 15;

/// A line under the header and none between rows.
const STYLE: TableStyle = presets::ASCII_NO_BORDERS.row_separator(LineStyle::none());

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: cargo run --release --example wordcount -- FILE");
        return ExitCode::from(2);
    };
    let start = Instant::now();
    match text::count(path.as_ref()) {
        Ok(count) => {
            print(&count);
            println!(
                "{:.1} ms, compiling the guest included",
                start.elapsed().as_secs_f64() * 1e3
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn print(count: &Count) {
    let mut words = Table::new();
    words.load_style(STYLE).set_header(["word", "times"]);
    for (word, times) in count.top(SHOWN) {
        words.add_row([word.to_owned(), times.to_string()]);
    }
    align_right(&mut words, 1);
    println!("{words}");
    println!(
        "{} words in {} bytes, {} of them stop words; {} different others\n",
        count.words,
        count.text.bytes,
        count.words - count.text.reported(),
        count.text.words.len(),
    );

    let mut imports = Table::new();
    let header = [
        "import",
        "signature",
        "crossing",
        "size",
        "calls",
        "crossings",
        "why",
    ];
    imports.load_style(STYLE).set_header(header);
    for (planned, calls) in count.plan.imports.iter().zip(&count.calls) {
        let import = &planned.import;
        imports.add_row([
            format!("{}.{}", import.module, import.name),
            planned.signature.clone().unwrap_or_default(),
            planned
                .crossing
                .map_or(String::new(), |crossing| crossing.to_string()),
            planned
                .inlined
                .map_or(String::new(), |inlined| inlined.operators.to_string()),
            calls.calls.to_string(),
            calls.crossings.to_string(),
            planned.reason.clone(),
        ]);
    }
    for column in 3..6 {
        align_right(&mut imports, column);
    }
    println!("{imports}");
    let (calls, crossings) = (count.calls(), count.crossings());
    println!(
        "{calls} calls in the guest, {crossings} crossings to the host, {} of them with what was \
         queued: {} saved",
        count.drains,
        calls - crossings,
    );
}

fn align_right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
