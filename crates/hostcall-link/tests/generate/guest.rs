//! Guests that call their imports a lot, in every way.

use arbitrary::{Result, Unstructured};
use wasm_encoder::ExportKind;

use super::body::{self, Surroundings};
use super::parts::Parts;
use super::{Proposals, Signature};

/// A guest that imports functions of these types.
pub fn guest(
    u: &mut Unstructured<'_>,
    proposals: Proposals,
    offered: &[Signature],
) -> Result<Vec<u8>> {
    let mut parts = Parts::default();
    let mut functions = Vec::new();
    for (index, signature) in offered.iter().enumerate() {
        parts.import(&format!("f{index}"), signature);
        functions.push(signature.clone());
    }
    let imported = functions.len();
    for _ in 0..u.int_in_range(1..=4)? {
        functions.push(u.choose(offered)?.clone());
    }
    let globals = parts.globals(u, proposals)?;
    for index in 0..globals.len() as u32 {
        parts.export(&format!("g{index}"), ExportKind::Global, index);
    }
    let table = u.ratio(1, 2)?;
    let around = Surroundings {
        functions,
        globals,
        table,
        busy: true,
        vectors: proposals == Proposals::All,
    };
    parts.memory();
    parts.export("memory", ExportKind::Memory, 0);
    parts.export("import", ExportKind::Func, 0);
    for (index, signature) in around.functions.iter().enumerate().skip(imported) {
        parts.add(signature, Some(&format!("f{index}")));
        parts.code.function(&body::body(u, &around, signature)?);
    }
    if table {
        parts.table();
    }
    if u.ratio(1, 2)? {
        parts.name_all(around.functions.len() as u32);
    }
    Ok(parts.finish())
}
