//! Memories, globals and tables of the host.

use crate::core::{global_type, memory_type, table_type};
use crate::host::ItemKind;
use crate::value::Value;
use hostcall_link::ValType;
use wasmtime::{AsContextMut, Extern, Global, Memory, Ref, SharedMemory, Table, Val};

/// The core type of a global that starts as `value`.
pub(crate) fn core_type(value: &Value) -> ValType {
    match core_value(value) {
        Some(Val::I32(_)) => ValType::I32,
        Some(Val::I64(_)) => ValType::I64,
        Some(Val::F32(_)) => ValType::F32,
        Some(Val::F64(_)) => ValType::F64,
        Some(Val::V128(_)) => ValType::V128,
        _ => ValType::Ref(format!("(a global cannot hold {value})")),
    }
}

fn core_value(value: &Value) -> Option<Val> {
    Some(match value {
        Value::Bool(v) => Val::I32(i32::from(*v)),
        Value::S8(v) => Val::I32(i32::from(*v)),
        Value::U8(v) => Val::I32(i32::from(*v)),
        Value::S16(v) => Val::I32(i32::from(*v)),
        Value::U16(v) => Val::I32(i32::from(*v)),
        Value::S32(v) => Val::I32(*v),
        Value::U32(v) => Val::I32(*v as i32),
        Value::S64(v) => Val::I64(*v),
        Value::U64(v) => Val::I64(*v as i64),
        Value::F32(v) => Val::F32(v.to_bits()),
        Value::F64(v) => Val::F64(v.to_bits()),
        Value::Char(v) => Val::I32(*v as i32),
        Value::V128(v) => Val::V128((*v).into()),
        _ => return None,
    })
}

/// Makes the memory, global or table that `kind` describes; functions are
/// linked otherwise.
pub(crate) fn define<T: 'static>(
    mut store: impl AsContextMut,
    kind: &ItemKind<T>,
) -> wasmtime::Result<Option<Extern>> {
    Ok(Some(match kind {
        ItemKind::Func(_) => return Ok(None),
        ItemKind::Memory(ty) if ty.shared => {
            let engine = store.as_context().engine().clone();
            SharedMemory::new(&engine, memory_type(ty)?)?.into()
        }
        ItemKind::Memory(ty) => Memory::new(store, memory_type(ty)?)?.into(),
        ItemKind::Global(ty, value) => {
            let value = core_value(value).ok_or_else(|| wasmtime::format_err!("{}", ty.content))?;
            Global::new(store, global_type(ty)?, value)?.into()
        }
        ItemKind::Table(ty) => {
            let ty = table_type(ty)?;
            let null = Ref::null(ty.element().heap_type());
            Table::new(&mut store, ty, null)?.into()
        }
    }))
}
