//! Core types, between hostcall's own descriptions and Wasmtime's.

use hostcall_link::{FuncType, GlobalType, MemoryType, TableType, ValType};
use wasmtime::{Engine, HeapType, Mutability, RefType};

pub(crate) fn val_type(ty: &ValType) -> wasmtime::Result<wasmtime::ValType> {
    Ok(match ty {
        ValType::I32 => wasmtime::ValType::I32,
        ValType::I64 => wasmtime::ValType::I64,
        ValType::F32 => wasmtime::ValType::F32,
        ValType::F64 => wasmtime::ValType::F64,
        ValType::V128 => wasmtime::ValType::V128,
        ValType::FuncRef | ValType::ExternRef => wasmtime::ValType::Ref(ref_type(ty)?),
        _ => wasmtime::bail!("a host cannot define values of type {ty}"),
    })
}

fn ref_type(ty: &ValType) -> wasmtime::Result<RefType> {
    match ty {
        ValType::FuncRef => Ok(RefType::FUNCREF),
        ValType::ExternRef => Ok(RefType::EXTERNREF),
        _ => wasmtime::bail!("a host cannot define references of type {ty}"),
    }
}

pub(crate) fn func_type(engine: &Engine, ty: &FuncType) -> wasmtime::Result<wasmtime::FuncType> {
    let types = |types: &[ValType]| {
        types
            .iter()
            .map(val_type)
            .collect::<wasmtime::Result<Vec<_>>>()
    };
    wasmtime::FuncType::try_new(engine, types(&ty.params)?, types(&ty.results)?).map_err(Into::into)
}

pub(crate) fn memory_type(ty: &MemoryType) -> wasmtime::Result<wasmtime::MemoryType> {
    let page_size_log2 = u8::try_from(ty.page_size_log2)?;
    wasmtime::MemoryTypeBuilder::new()
        .min(ty.minimum)
        .max(ty.maximum)
        .memory64(ty.memory64)
        .shared(ty.shared)
        .page_size_log2(page_size_log2)
        .build()
}

pub(crate) fn global_type(ty: &GlobalType) -> wasmtime::Result<wasmtime::GlobalType> {
    let mutability = if ty.mutable {
        Mutability::Var
    } else {
        Mutability::Const
    };
    Ok(wasmtime::GlobalType::new(
        val_type(&ty.content)?,
        mutability,
    ))
}

pub(crate) fn table_type(ty: &TableType) -> wasmtime::Result<wasmtime::TableType> {
    let element = ref_type(&ty.element)?;
    if ty.table64 {
        return Ok(wasmtime::TableType::new64(element, ty.minimum, ty.maximum));
    }
    let maximum = ty.maximum.map(u32::try_from).transpose()?;
    Ok(wasmtime::TableType::new(
        element,
        u32::try_from(ty.minimum)?,
        maximum,
    ))
}

pub(crate) fn from_val_type(ty: &wasmtime::ValType) -> ValType {
    match ty {
        wasmtime::ValType::I32 => ValType::I32,
        wasmtime::ValType::I64 => ValType::I64,
        wasmtime::ValType::F32 => ValType::F32,
        wasmtime::ValType::F64 => ValType::F64,
        wasmtime::ValType::V128 => ValType::V128,
        wasmtime::ValType::Ref(ty) => match ty.heap_type() {
            HeapType::Func if ty.is_nullable() => ValType::FuncRef,
            HeapType::Extern if ty.is_nullable() => ValType::ExternRef,
            _ => ValType::Ref(ty.to_string()),
        },
    }
}

pub(crate) fn from_func_type(ty: &wasmtime::FuncType) -> FuncType {
    FuncType {
        params: ty.params().map(|ty| from_val_type(&ty)).collect(),
        results: ty.results().map(|ty| from_val_type(&ty)).collect(),
    }
}
