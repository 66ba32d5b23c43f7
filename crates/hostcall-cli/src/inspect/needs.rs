//! What a host has to have for a guest.

use super::type_of;
use crate::name::Name;
use crate::table::rows;
use hostcall::{ExternType, ModuleInfo};
use hostcall_link::Import;
use std::collections::HashMap;

/// Functions of one module that are named; the rest are counted.
const SHOWN: usize = 6;

/// The imports by module: functions together, everything else on its own.
pub fn imports(info: &ModuleInfo) -> String {
    if info.imports.is_empty() {
        return "  nothing\n".to_owned();
    }
    rows(by_module(info).into_iter().flat_map(|(module, imports)| {
        let name = Name::new(module).to_string();
        let needs = of_module(module, &imports);
        needs.into_iter().map(move |need| [name.clone(), need])
    }))
}

/// Modules in the order of their first import.
fn by_module(info: &ModuleInfo) -> Vec<(&str, Vec<&Import>)> {
    let mut positions = HashMap::new();
    let mut modules: Vec<(&str, Vec<&Import>)> = Vec::new();
    for import in &info.imports {
        let position = *positions.entry(&import.module).or_insert(modules.len());
        if position == modules.len() {
            modules.push((&import.module, Vec::new()));
        }
        modules[position].1.push(import);
    }
    modules
}

fn of_module(module: &str, imports: &[&Import]) -> Vec<String> {
    let (functions, others): (Vec<&Import>, Vec<&Import>) = imports
        .iter()
        .partition(|import| matches!(import.ty, ExternType::Func(_)));
    let others = others.into_iter().map(|import| {
        let ty = type_of(&import.ty, &[]);
        format!("{}: {ty}", Name::new(&import.name))
    });
    let functions = (!functions.is_empty()).then(|| match module {
        "wasi_snapshot_preview1" => wasi(functions.len()),
        _ => listed(&functions),
    });
    functions.into_iter().chain(others).collect()
}

fn wasi(count: usize) -> String {
    format!("WASI preview 1 ({}); `hostcall run` has it", counted(count))
}

fn listed(functions: &[&Import]) -> String {
    let names: Vec<_> = functions
        .iter()
        .take(SHOWN)
        .map(|import| Name::new(&import.name).to_string())
        .collect();
    let more = match functions.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}: {}{more}", counted(functions.len()), names.join(", "))
}

fn counted(count: usize) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} function{plural}")
}

/// Whether strings and lists can be passed.
pub fn pointers(info: &ModuleInfo) -> String {
    rows([
        ["from the guest", &*from_guest(info)],
        ["to the guest", into_guest(info)],
    ])
}

fn from_guest(info: &ModuleInfo) -> String {
    let memory = info.pointers_memory();
    match memory.map(|memory| (&memory.ty, Name::new(&memory.name))) {
        Some((ExternType::Memory(ty), name)) if ty.shared => {
            format!("no: its memory `{name}` is shared by threads")
        }
        Some((_, name)) => format!("yes: it exports its memory as `{name}`"),
        None => "no: it exports no memory".to_owned(),
    }
}

fn into_guest(info: &ModuleInfo) -> &'static str {
    let mut exports = info.exports.iter();
    let allocates = exports.any(|export| {
        export.name == "cabi_realloc"
            && matches!(&export.ty, ExternType::Func(ty) if ty.params.len() == 4 && ty.results.len() == 1)
    });
    if allocates {
        "yes: it exports `cabi_realloc`"
    } else {
        "no: it exports no `cabi_realloc` to allocate them with"
    }
}
