//! Links arbitrary bytes: errors, no panic, no hang, no unbounded memory.
#![no_main]

use hostcall_link::{HostPage, LinkOptions, ModuleInfo, Provider, Replacement, check, link};
use libfuzzer_sys::fuzz_target;

/// A function with no parameters or results, for guests without a provider.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x04\x01\x02\0\x0b";

fuzz_target!(|data: &[u8]| {
    let (provider, guest) = split(data);
    let provider = Provider::parse(provider).or_else(|_| Provider::parse(NOTHING));
    let provider = provider.expect("the provider that does nothing");
    let info = ModuleInfo::parse(guest);
    let imports = info.map_or(1, |info| info.imports.len() as u32);
    // Each function of the provider in the place of some import, fitting or not.
    let functions: Vec<&str> = provider.functions().map(|(name, _)| name).collect();
    let replacements = functions.iter().zip(0..imports);
    let replacements = replacements.map(|(function, import)| Replacement {
        import,
        provider: &provider,
        function,
        call_sites: true,
    });
    let options = LinkOptions {
        replacements: replacements.collect(),
        memory: Some(0),
        page: Some(HostPage {
            size: 64,
            init: vec![(0, vec![1])],
        }),
        ..LinkOptions::default()
    };
    if let Ok(mut linked) = link(guest, &options) {
        // The checker meets bytes, too: those of the guest itself.
        linked.bytes = guest.to_vec();
        let _ = check(guest, &options, &linked);
    }
});

/// A length, a provider of that length, and a guest.
fn split(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<2>() else {
        return (&[], data);
    };
    let length = usize::from(u16::from_le_bytes(*length));
    rest.split_at(length.min(rest.len()))
}
