//! Where values stand that are laid out like the fields of a C struct.

use crate::ValType;

/// The places of some values in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Bytes from the beginning, for each value.
    pub offsets: Vec<u32>,
    /// Bytes of all, a multiple of the largest alignment.
    pub size: u32,
}

/// Lays out values of these types like the fields of a C struct.
///
/// # Panics
///
/// If one of them is not `i32`, `i64`, `f32` or `f64`.
pub fn fields(types: &[ValType]) -> Fields {
    let mut fields = Fields::default();
    let mut align = 1;
    for ty in types {
        let bytes = bytes(ty);
        align = align.max(bytes);
        let offset = fields.size.next_multiple_of(bytes);
        fields.offsets.push(offset);
        fields.size = offset + bytes;
    }
    fields.size = fields.size.next_multiple_of(align);
    fields
}

/// How many bytes a number has, which is its alignment, too.
pub(super) fn bytes(ty: &ValType) -> u32 {
    match ty {
        ValType::I32 | ValType::F32 => 4,
        ValType::I64 | ValType::F64 => 8,
        other => panic!("a value of type {other} has no place in memory"),
    }
}
