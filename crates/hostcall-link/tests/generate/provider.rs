//! Providers: modules whose exported functions have given types.

use arbitrary::{Result, Unstructured};
use wasm_encoder::ValType;
use wasm_smith::Config;

use super::body::{self, Surroundings};
use super::parts::Parts;
use super::{Proposals, Signature};

/// The name of the function for the nth signature.
pub fn name(function: usize) -> String {
    format!("f{function}")
}

/// A provider with one exported function for each signature.
pub fn provider(
    u: &mut Unstructured<'_>,
    proposals: Proposals,
    signatures: &[Signature],
) -> Result<Vec<u8>> {
    if u.ratio(1, 4)? {
        return smith(u, proposals, signatures);
    }
    ours(u, proposals, signatures)
}

/// Made by wasm-smith: any operator, and bodies that are often long.
fn smith(
    u: &mut Unstructured<'_>,
    proposals: Proposals,
    signatures: &[Signature],
) -> Result<Vec<u8>> {
    let all = proposals == Proposals::All;
    let config = Config {
        exports: Some(shape(signatures)),
        max_imports: 0,
        max_memories: 0,
        max_tables: 0,
        max_tags: 0,
        max_element_segments: 0,
        max_data_segments: 0,
        max_funcs: 6,
        max_globals: 3,
        max_types: 8,
        max_instructions: 40,
        allow_start_export: false,
        exceptions_enabled: all,
        gc_enabled: false,
        relaxed_simd_enabled: all,
        simd_enabled: all,
        wide_arithmetic_enabled: true,
        canonicalize_nans: true,
        min_uleb_size: *u.choose(&[1, 1, 3])?,
        ..Config::default()
    };
    Ok(wasm_smith::Module::new(config, u)?.to_bytes())
}

/// A module that exports functions of these types.
fn shape(signatures: &[Signature]) -> Vec<u8> {
    let mut parts = Parts::default();
    for (index, signature) in (0u32..).zip(signatures) {
        parts.add(signature, Some(&name(index as usize)));
        let mut body = wasm_encoder::Function::new([]);
        body.instructions().unreachable().end();
        parts.code.function(&body);
    }
    parts.finish()
}

/// Our own: bodies that are often small, and full of what is hard to move.
fn ours(u: &mut Unstructured<'_>, proposals: Proposals, exported: &[Signature]) -> Result<Vec<u8>> {
    let mut signatures = exported.to_vec();
    for _ in 0..u.int_in_range(0..=2)? {
        // Helpers, some of which can be called in tail position.
        let same = u.choose(exported)?.clone();
        signatures.push(if u.ratio(1, 2)? { same } else { scalar() });
    }
    let mut parts = Parts::default();
    let around = Surroundings {
        functions: signatures.clone(),
        globals: parts.globals(u, proposals)?,
        table: false,
        busy: false,
        vectors: proposals == Proposals::All,
    };
    for (index, signature) in signatures.iter().enumerate() {
        let export = (index < exported.len()).then(|| name(index));
        parts.add(signature, export.as_deref());
        parts.code.function(&body::body(u, &around, signature)?);
    }
    if u.ratio(1, 4)? {
        parts.name_all(signatures.len() as u32);
    }
    Ok(parts.finish())
}

fn scalar() -> Signature {
    Signature {
        params: vec![ValType::I32],
        results: vec![ValType::I32],
    }
}
