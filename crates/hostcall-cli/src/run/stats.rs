//! How often a guest has called its imports: `--stats`.

use crate::table::rows;
use clap::ValueEnum;
use hostcall::{Crossing, Instance, Plan, Program};
use hostcall_link::ImportName;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// How the calls are printed.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// What `--stats=json` prints.
#[derive(Serialize)]
pub struct Stats<'a> {
    file: String,
    imports: Vec<ImportStats<'a>>,
    /// Of all imports.
    calls: Option<u64>,
}

/// A function that the guest imports.
#[derive(Serialize)]
struct ImportStats<'a> {
    module: &'a str,
    name: &'a str,
    crossing: Crossing,
    /// `None` if there never was an instance.
    calls: Option<u64>,
}

impl<'a> Stats<'a> {
    /// Of a guest whose calls are counted.
    pub fn of(file: &Path, program: &'a Program<()>, instance: Option<&Instance<()>>) -> Stats<'a> {
        let counts = instance.map(|instance| {
            let calls = instance.calls().into_iter();
            calls.map(|import| import.calls).collect()
        });
        Stats::new(file, program.plan(), counts)
    }

    /// `counts` are those of the functions, in the order of the plan.
    fn new(file: &Path, plan: &'a Plan, counts: Option<Vec<u64>>) -> Stats<'a> {
        let functions = plan.imports.iter().filter_map(|planned| {
            let import = &planned.import;
            Some((&*import.module, &*import.name, planned.crossing?))
        });
        let imports = functions
            .enumerate()
            .map(|(position, (module, name, crossing))| ImportStats {
                module,
                name,
                crossing,
                calls: counts.as_ref().and_then(|it| it.get(position).copied()),
            });
        Stats {
            file: file.to_string_lossy().into_owned(),
            imports: imports.collect(),
            calls: counts.map(|counts| counts.iter().sum()),
        }
    }

    /// Prints them to standard error.
    pub fn print(&self, format: Format) {
        let text = match format {
            Format::Text => self.text(),
            Format::Json => self.json() + "\n",
        };
        // If standard error is closed, the guest has done its work all the same.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    fn json(&self) -> String {
        serde_json::to_string(self).expect("names and numbers can be written as JSON")
    }

    fn text(&self) -> String {
        if self.imports.is_empty() {
            return "the guest imports no functions\n".to_owned();
        }
        let calls = |calls: Option<u64>| calls.map_or("-".to_owned(), |calls| calls.to_string());
        let imports = self.imports.iter().map(|import| {
            let name = ImportName::new(import.module, import.name).to_string();
            [name, import.crossing.to_string(), calls(import.calls)]
        });
        let head = ["import", "crossing", "calls"].map(str::to_owned);
        let total = ["total".to_owned(), String::new(), calls(self.calls)];
        let all = [head].into_iter().chain(imports).chain([total]);
        let all: Vec<_> = all.collect();
        let width = all.iter().map(|[.., calls]| calls.len()).max();
        let width = width.unwrap_or_default();
        rows(all.into_iter().map(|[name, crossing, calls]| {
            let calls = format!("{calls:>width$}");
            [name, crossing, calls]
        }))
    }
}
