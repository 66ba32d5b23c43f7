//! What tests of linking share.

use hostcall_link::{LinkOptions, Linked, ModuleInfo, Provider, Replacement, RewriteError, link};

/// A provider in text form.
pub fn provider(wat: &str) -> Provider {
    Provider::parse(&super::bytes(wat)).expect("a module that can be a provider")
}

/// Replaces every function import of module `env` that `provider` exports by
/// name.
pub fn replacements<'a>(guest: &[u8], provider: &'a Provider) -> Vec<Replacement<'a>> {
    let info = ModuleInfo::parse(guest).expect("a valid guest");
    let imports = info.imports.iter();
    let offered = imports.filter_map(|import| {
        let (function, _) = provider.functions().find(|it| it.0 == import.name)?;
        (import.module == "env").then_some(Replacement {
            import: import.index,
            provider,
            function,
            call_sites: true,
        })
    });
    offered.collect()
}

/// Options that replace what [`replacements`] finds.
pub fn options<'a>(guest: &[u8], provider: &'a Provider) -> LinkOptions<'a> {
    LinkOptions {
        replacements: replacements(guest, provider),
        ..LinkOptions::default()
    }
}

/// Links a guest in text form with everything that `provider` offers.
pub fn linked(guest: &str, provider: &Provider) -> Linked {
    let guest = super::bytes(guest);
    linked_with(&guest, &options(&guest, provider))
}

/// Links, and checks what holds for every linked module: it is valid, and its
/// ranges and traps are in order and in place.
pub fn linked_with(guest: &[u8], options: &LinkOptions<'_>) -> Linked {
    let linked = try_link(guest, options).unwrap_or_else(|error| panic!("{error}"));
    validate(&linked.bytes);
    check_offsets(&linked);
    linked
}

pub fn try_link(guest: &[u8], options: &LinkOptions<'_>) -> Result<Linked, RewriteError> {
    link(guest, options)
}

fn validate(bytes: &[u8]) {
    let features = wasmparser::WasmFeatures::all();
    let mut validator = wasmparser::Validator::new_with_features(features);
    if let Err(error) = validator.validate_all(bytes) {
        let text = wasmprinter::print_bytes(bytes).unwrap_or_default();
        panic!("the linked module is not valid: {error}\n{text}");
    }
}

fn check_offsets(linked: &Linked) {
    let ranges = &linked.ranges;
    assert!(ranges.is_sorted_by_key(|range| (range.start, range.end)));
    assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
    assert!(linked.traps.is_sorted_by_key(|trap| trap.offset));
    for trap in &linked.traps {
        let inside =
            |range: &&hostcall_link::InlinedRange| (range.start..range.end).contains(&trap.offset);
        let range = ranges.iter().find(inside).expect("a range around the trap");
        assert_eq!(range.root, trap.root);
    }
}

/// The linked module as text.
pub fn printed(linked: &Linked) -> String {
    wasmprinter::print_bytes(&linked.bytes).expect("a valid module")
}

/// The linked module of a guest in text form, as text.
pub fn print(guest: &str, provider: &Provider) -> String {
    printed(&linked(guest, provider))
}

/// Calls an export of a module without imports in another engine.
pub fn run(linked: &Linked, export: &str, args: &[wasmi::Val]) -> Result<Vec<wasmi::Val>, String> {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &linked.bytes).map_err(|error| error.to_string())?;
    let mut store = wasmi::Store::new(&engine, ());
    let instance = wasmi::Linker::new(&engine)
        .instantiate_and_start(&mut store, &module)
        .map_err(|error| error.to_string())?;
    let function = instance
        .get_func(&store, export)
        .expect("an exported function");
    let count = function.ty(&store).results().len();
    let mut results = vec![wasmi::Val::I32(0); count];
    function
        .call(&mut store, args, &mut results)
        .map_err(|error| error.to_string())?;
    Ok(results)
}
