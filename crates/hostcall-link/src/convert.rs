//! From the types that `wasmparser` reads to this crate's own.

use wasmparser::{HeapType, RefType, UnpackedIndex};

use crate::{FuncType, GlobalType, MemoryType, TableType, ValType};

pub(crate) fn val_type(ty: wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ref_type(ty),
    }
}

fn ref_type(ty: RefType) -> ValType {
    match ty {
        RefType::FUNCREF => ValType::FuncRef,
        RefType::EXTERNREF => ValType::ExternRef,
        other => ValType::Ref(ref_text(other)),
    }
}

fn ref_text(ty: RefType) -> String {
    let null = if ty.is_nullable() { "null " } else { "" };
    match ty.heap_type() {
        HeapType::Abstract { shared: false, .. } => format!("(ref {null}{})", abstract_name(ty)),
        HeapType::Abstract { shared: true, .. } => {
            format!("(ref {null}(shared {}))", abstract_name(ty))
        }
        HeapType::Concrete(index) => format!("(ref {null}{})", index_text(index)),
        HeapType::Exact(index) => format!("(ref {null}(exact {}))", index_text(index)),
    }
}

/// The heap type's name, taken from the non-null form `(ref NAME)` that
/// `wasmparser` prints, as its table of names is private.
fn abstract_name(ty: RefType) -> String {
    let text = ty.as_non_null().to_string();
    let inner = text.trim_start_matches("(ref ").trim_end_matches(')');
    inner.trim_start_matches("(shared ").to_owned()
}

fn index_text(index: UnpackedIndex) -> String {
    let in_module = index.as_module_index().map(|index| index.to_string());
    in_module.unwrap_or_else(|| index.to_string())
}

pub(crate) fn func_type(ty: &wasmparser::FuncType) -> FuncType {
    FuncType::new(
        ty.params().iter().copied().map(val_type),
        ty.results().iter().copied().map(val_type),
    )
}

pub(crate) fn memory_type(ty: wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2(),
    }
}

pub(crate) fn table_type(ty: wasmparser::TableType) -> TableType {
    TableType {
        element: ref_type(ty.element_type),
        minimum: ty.initial,
        maximum: ty.maximum,
        table64: ty.table64,
    }
}

pub(crate) fn global_type(ty: wasmparser::GlobalType) -> GlobalType {
    GlobalType {
        content: val_type(ty.content_type),
        mutable: ty.mutable,
    }
}
