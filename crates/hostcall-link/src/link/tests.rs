//! Links bodies of the kind that the builder makes: only they use the guest's
//! memory, the host page, and host functions.

mod page;
mod slow_path;
mod traps;

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
fn try_linked(
    guest: &str,
    providers: &[&Provider],
    change: impl FnOnce(&mut LinkOptions<'_>),
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

fn linked(
    guest: &str,
    providers: &[&Provider],
    change: impl FnOnce(&mut LinkOptions<'_>),
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
