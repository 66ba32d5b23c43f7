//! Links arbitrary valid guests with arbitrary valid providers, checks the
//! result, and compares its behaviour with that of the original on Wasmtime.
#![no_main]

#[path = "../../crates/hostcall/tests/behaviour/mod.rs"]
mod behaviour;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    behaviour::compare(data);
});
