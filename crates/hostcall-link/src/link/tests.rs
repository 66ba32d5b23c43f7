//! Links bodies of the kind that the builder makes: only they use the guest's
//! memory, the host page, and host functions.

mod exports;
mod page;
mod slow_path;
mod traps;
mod wrappers;

use crate::provider::TrapNote;
use crate::{LinkOptions, Linked, ModuleInfo, Provider, Replacement, RewriteError, link};

fn bytes(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"))
}

fn built(wat: &str) -> Provider {
    built_with(wat, Vec::new())
}

fn built_with(wat: &str, traps: Vec<TrapNote>) -> Provider {
    Provider::built(&bytes(wat), traps).unwrap_or_else(|error| panic!("{error}"))
}

/// Replaces every import of the guest that a provider has a function for.
fn try_linked<'p>(
    guest: &str,
    providers: &[&'p Provider],
    change: impl FnOnce(&mut LinkOptions<'p>),
) -> Result<Linked, RewriteError> {
    let guest = bytes(guest);
    let info = ModuleInfo::parse(&guest).unwrap();
    let mut options = LinkOptions::default();
    for provider in providers {
        for (function, _) in provider.functions() {
            let mut imports = info.imports.iter();
            let import = imports.find(|import| import.name == function);
            options
                .replacements
                .extend(import.map(|import| Replacement {
                    import: import.index,
                    provider,
                    function,
                    call_sites: true,
                }));
        }
    }
    change(&mut options);
    link(&guest, &options)
}

fn linked<'p>(
    guest: &str,
    providers: &[&'p Provider],
    change: impl FnOnce(&mut LinkOptions<'p>),
) -> Linked {
    let linked = try_linked(guest, providers, change).unwrap_or_else(|error| panic!("{error}"));
    let features = wasmparser::WasmFeatures::all();
    let mut validator = wasmparser::Validator::new_with_features(features);
    if let Err(error) = validator.validate_all(&linked.bytes) {
        panic!("{error}\n{}", printed(&linked));
    }
    linked
}

fn printed(linked: &Linked) -> String {
    wasmprinter::print_bytes(&linked.bytes).unwrap()
}

/// A host whose functions note their calls and give zeros: what it has seen
/// after `calls` of exports without results, instantiation included.
fn seen(linked: &Linked, calls: &[(&str, &[i32])]) -> Vec<String> {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &linked.bytes).unwrap();
    let mut store = wasmi::Store::new(&engine, Vec::new());
    let mut linker = wasmi::Linker::new(&engine);
    linker.allow_shadowing(true);
    for import in module.imports() {
        if let wasmi::ExternType::Func(ty) = import.ty() {
            let (module, name) = (import.module(), import.name().to_owned());
            let note = note(name.clone());
            linker.func_new(module, &name, ty.clone(), note).unwrap();
        }
    }
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    for (export, args) in calls {
        let args: Vec<wasmi::Val> = args.iter().map(|arg| wasmi::Val::I32(*arg)).collect();
        let function = instance.get_func(&store, export).unwrap();
        if let Err(error) = function.call(&mut store, &args, &mut []) {
            store.data_mut().push(error.to_string());
        }
    }
    store.into_data()
}

type Called<'c> = wasmi::Caller<'c, Vec<String>>;

fn note(
    name: String,
) -> impl Fn(Called<'_>, &[wasmi::Val], &mut [wasmi::Val]) -> Result<(), wasmi::Error> {
    move |mut caller, args, results| {
        let args: Vec<String> = args.iter().map(value).collect();
        let seen = format!("{name}({})", args.join(" "));
        caller.data_mut().push(seen);
        results.fill(wasmi::Val::I32(0));
        Ok(())
    }
}

fn value(value: &wasmi::Val) -> String {
    value
        .i32()
        .map_or("?".to_owned(), |value| value.to_string())
}
