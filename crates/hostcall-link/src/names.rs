//! Reads the name section: the module's name, and the names of the parameters
//! of functions that cross its border.

use std::collections::BTreeMap;

use wasmparser::{IndirectNaming, Name, NameSectionReader};

use crate::{ExternType, ModuleInfo};

/// Adds what the section names to `info`. Names never make a module invalid:
/// reading stops at the first error and keeps what came before.
pub(crate) fn read(section: NameSectionReader<'_>, info: &mut ModuleInfo) {
    let wanted = border_functions(info);
    for subsection in section.into_iter().map_while(Result::ok) {
        match subsection {
            Name::Module { name, .. } => info.name = Some(name.to_owned()),
            Name::Local(functions) => {
                for function in functions.into_iter().map_while(Result::ok) {
                    read_locals(function, &wanted, &mut info.param_names);
                }
            }
            _ => {}
        }
    }
}

/// The number of parameters of each imported or exported function, by function
/// index.
fn border_functions(info: &ModuleInfo) -> BTreeMap<u32, usize> {
    let imports = info.imports.iter().map(|import| (import.slot, &import.ty));
    let exports = info.exports.iter().map(|export| (export.index, &export.ty));
    let functions = imports.chain(exports).filter_map(|(index, ty)| match ty {
        ExternType::Func(ty) => Some((index, ty.params.len())),
        _ => None,
    });
    functions.collect()
}

fn read_locals(
    function: IndirectNaming<'_>,
    wanted: &BTreeMap<u32, usize>,
    found: &mut BTreeMap<u32, Vec<Option<String>>>,
) {
    let Some(&params) = wanted.get(&function.index) else {
        return;
    };
    for naming in function.names.into_iter().map_while(Result::ok) {
        let local = naming.index as usize;
        if local < params {
            let names = found.entry(function.index);
            let names = names.or_insert_with(|| vec![None; params]);
            names[local] = Some(naming.name.to_owned());
        }
    }
}
