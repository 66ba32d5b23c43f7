//! `hostcall inspect`: says what a guest is and what it needs.

use crate::name::Name;
use crate::table::rows;
use crate::wasm_file::WasmFile;
use anyhow::Result;
use clap::Args;
use hostcall::{ExternType, FuncType, ModuleInfo};
use hostcall_link::ImportName;
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;

mod needs;

/// Says what a guest imports, exports and uses, and what its host must supply.
///
/// Nothing is compiled: it takes no time, and every proposal is understood.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Opts {
    /// The guest: a .wasm or .wat file, or `-` for standard input
    guest: PathBuf,

    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
EXAMPLES:
  What does this guest need?
    hostcall inspect guest.wasm

  Names of all imports, by jq:
    hostcall inspect --json guest.wasm | jq -r '.module.imports[] | .module + \".\" + .name'";

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    module: &'a ModuleInfo,
}

impl Opts {
    pub fn run(self) -> Result<()> {
        let guest = WasmFile::read(&self.guest)?;
        let info = guest.info()?;
        let mut out = io::stdout().lock();
        if self.json {
            let report = Report {
                file: self.guest.to_string_lossy().into_owned(),
                module: &info,
            };
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            out.write_all(text(&guest, &info).as_bytes())?;
        }
        Ok(())
    }
}

fn text(guest: &WasmFile, info: &ModuleInfo) -> String {
    let sections = [
        ("imports", imports(info)),
        ("exports", exports(info)),
        ("memories", memories(info)),
        ("module", module(info, guest.bytes.len())),
        ("a host must supply", needs::imports(info)),
        ("strings and lists", needs::pointers(info)),
    ];
    let mut text = format!("{}\n", guest.display());
    for (title, body) in sections.iter().filter(|(_, body)| !body.is_empty()) {
        text += &format!("\n{title}\n{body}");
    }
    text
}

fn imports(info: &ModuleInfo) -> String {
    rows(info.imports.iter().map(|import| {
        let name = ImportName::new(&import.module, &import.name);
        let ty = type_of(&import.ty, info.params_of(import.slot));
        [
            import.index.to_string(),
            name.to_string(),
            import.ty.kind().to_owned(),
            ty,
        ]
    }))
}

fn exports(info: &ModuleInfo) -> String {
    rows(info.exports.iter().map(|export| {
        let name = Name::new(&export.name).to_string();
        let ty = type_of(&export.ty, info.params_of(export.index));
        [name, export.ty.kind().to_owned(), ty]
    }))
}

fn memories(info: &ModuleInfo) -> String {
    rows(info.memories.iter().enumerate().map(|(index, ty)| {
        let bytes = u128::from(ty.minimum) << ty.page_size_log2;
        [
            index.to_string(),
            ty.to_string(),
            format!("starts with {}", size(bytes)),
        ]
    }))
}

fn module(info: &ModuleInfo, bytes: usize) -> String {
    let name = info.name.as_deref();
    let functions = format!(
        "{}, {} of code",
        info.functions,
        size(info.code_bytes.into())
    );
    let sections = info
        .custom_sections
        .iter()
        .map(|name| Name::new(name).to_string());
    rows([
        [
            "name",
            &name.map_or("(none)".to_owned(), |name| Name::new(name).to_string()),
        ],
        ["size", &size(bytes as u128)],
        ["functions", &functions],
        ["start function", yes_or(info.start, "none")],
        ["features", &joined(info.features.iter().cloned())],
        ["debug info", yes_or(info.debug_info, "none")],
        ["custom sections", &joined(sections)],
    ])
}

fn yes_or(yes: bool, no: &str) -> &str {
    if yes { "yes" } else { no }
}

fn joined(names: impl Iterator<Item = String>) -> String {
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    }
}

/// The type, without the kind for those whose kind stands beside it.
fn type_of(ty: &ExternType, params: &[Option<String>]) -> String {
    match ty {
        ExternType::Func(ty) => signature_of(ty, params),
        ExternType::Tag(ty) => signature_of(ty, &[]),
        other => other.to_string(),
    }
}

/// A core type with the names of its parameters, as far as they are known:
/// `(text: i32, i32) -> i32`.
pub fn signature_of(ty: &FuncType, names: &[Option<String>]) -> String {
    let plain = ty.to_string();
    if names.iter().all(Option::is_none) {
        return plain;
    }
    let params = ty
        .params
        .iter()
        .enumerate()
        .map(|(i, ty)| match names.get(i) {
            Some(Some(name)) => format!("{}: {ty}", Name::new(name)),
            _ => ty.to_string(),
        });
    let params: Vec<_> = params.collect();
    let results = FuncType {
        params: vec![],
        results: ty.results.clone(),
    }
    .to_string();
    format!("({}{}", params.join(", "), &results[1..])
}

fn size(bytes: u128) -> String {
    let units = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let number = format!("{:.1}", bytes as f64 / *unit as f64);
            format!("{} {name}", number.strip_suffix(".0").unwrap_or(&number))
        }
        None => format!("{bytes} bytes"),
    }
}
