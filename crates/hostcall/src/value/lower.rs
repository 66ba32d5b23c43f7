//! Lowering by a type known at run time; the same rules as the typed path.

use super::{Value, lift::layouts, mismatch};
use crate::guest_type::{Lower, store_tag};
use crate::layout::{self, UNIT};
use crate::results::{Results, unstorable};
use crate::ty::Type;

/// Calls `$lower` with the scalar in `$value`, or runs `$other`.
macro_rules! scalars {
    ($value:expr, $ty:expr, $lower:ident($($arg:expr),*), $other:expr) => {
        match ($value, $ty) {
            (Value::Bool(v), Type::Bool) => bool::$lower(*v, $($arg),*),
            (Value::S8(v), Type::S8) => i8::$lower(*v, $($arg),*),
            (Value::U8(v), Type::U8) => u8::$lower(*v, $($arg),*),
            (Value::S16(v), Type::S16) => i16::$lower(*v, $($arg),*),
            (Value::U16(v), Type::U16) => u16::$lower(*v, $($arg),*),
            (Value::S32(v), Type::S32) => i32::$lower(*v, $($arg),*),
            (Value::U32(v), Type::U32) => u32::$lower(*v, $($arg),*),
            (Value::S64(v), Type::S64) => i64::$lower(*v, $($arg),*),
            (Value::U64(v), Type::U64) => u64::$lower(*v, $($arg),*),
            (Value::F32(v), Type::F32) => f32::$lower(*v, $($arg),*),
            (Value::F64(v), Type::F64) => f64::$lower(*v, $($arg),*),
            (Value::Char(v), Type::Char) => char::$lower(*v, $($arg),*),
            (Value::String(v), Type::String) => <&str>::$lower(v, $($arg),*),
            _ => $other,
        }
    };
}

/// Writes a value as core values.
#[inline]
pub(crate) fn lower(value: &Value, ty: &Type, results: &mut Results<'_>) -> wasmtime::Result<()> {
    scalars!(
        value,
        ty,
        lower(results),
        lower_compound(value, ty, results)
    )
}

fn lower_compound(value: &Value, ty: &Type, results: &mut Results<'_>) -> wasmtime::Result<()> {
    match (value, ty) {
        (Value::V128(bits), Type::V128) => results.v128(*bits),
        (Value::Bytes(bytes), Type::List(item)) if **item == Type::U8 => {
            let pointer = results.alloc_bytes(bytes, 1)?;
            results.bits(pointer)?;
            results.bits(bytes.len() as u64)
        }
        (Value::List(items), Type::List(item)) => {
            let pointer = list(items, item, results)?;
            results.bits(pointer)?;
            results.bits(items.len() as u64)
        }
        (Value::Record(values), Type::Record(_)) | (Value::Tuple(values), Type::Tuple(_)) => {
            let fields = fields(value, values, ty)?;
            values
                .iter()
                .zip(fields)
                .try_for_each(|(value, ty)| lower(value, ty, results))
        }
        (Value::Enum(tag), Type::Enum(cases)) if (*tag as usize) < cases.len() => {
            results.bits(u64::from(*tag))
        }
        (Value::Option(None), Type::Option(inner)) if inner.is_reference() => results.null(),
        (Value::Option(Some(value)), Type::Option(inner)) if inner.is_reference() => {
            lower(value, inner, results)
        }
        (Value::Func(func), Type::FuncRef) => results.func(&func.0),
        (Value::Object(object), Type::ExternRef) => results.object(object.object()),
        (Value::String(text), Type::CString) => {
            let pointer = c_string(value, text, results)?;
            results.bits(pointer)
        }
        (value, Type::Pointer(ty)) => {
            let pointer = boxed(value, ty, results)?;
            results.bits(pointer)
        }
        _ => {
            let (tag, payload) = case(value, ty)?;
            results.bits(u64::from(tag))?;
            let start = results.written();
            if let Some((value, ty)) = payload {
                lower(value, ty, results)?;
            }
            results.zeros(ty.flat_len() - 1 - (results.written() - start))
        }
    }
}

/// Writes a value into guest memory.
pub(crate) fn store(
    value: &Value,
    ty: &Type,
    results: &mut Results<'_>,
    at: u64,
) -> wasmtime::Result<()> {
    scalars!(
        value,
        ty,
        store(results, at),
        store_compound(value, ty, results, at)
    )
}

fn store_compound(
    value: &Value,
    ty: &Type,
    results: &mut Results<'_>,
    at: u64,
) -> wasmtime::Result<()> {
    match (value, ty) {
        (Value::V128(bits), Type::V128) => results.store(at, &bits.to_le_bytes()),
        (Value::Bytes(bytes), Type::List(item)) if **item == Type::U8 => {
            let pointer = results.alloc_bytes(bytes, 1)?;
            results.store_pair(at, (pointer, bytes.len() as u64))
        }
        (Value::List(items), Type::List(item)) => {
            let pointer = list(items, item, results)?;
            results.store_pair(at, (pointer, items.len() as u64))
        }
        (Value::Record(values), Type::Record(_)) | (Value::Tuple(values), Type::Tuple(_)) => {
            let fields = fields(value, values, ty)?;
            let layouts = layouts(&ty.fields());
            let width = results.width();
            values
                .iter()
                .zip(fields)
                .enumerate()
                .try_for_each(|(i, (value, ty))| {
                    store(
                        value,
                        ty,
                        results,
                        at + layout::offset(&layouts, i, width) as u64,
                    )
                })
        }
        (Value::Enum(tag), Type::Enum(cases)) if (*tag as usize) < cases.len() => {
            store_tag(results, at, *tag, cases.len())
        }
        (_, Type::FuncRef | Type::ExternRef) => Err(unstorable()),
        (_, Type::Option(inner)) if inner.is_reference() => Err(unstorable()),
        (Value::String(text), Type::CString) => {
            let pointer = c_string(value, text, results)?;
            results.store_word(at, pointer)
        }
        (value, Type::Pointer(ty)) => {
            let pointer = boxed(value, ty, results)?;
            results.store_word(at, pointer)
        }
        _ => {
            let (tag, payload) = case(value, ty)?;
            let payloads = ty.payloads();
            store_tag(results, at, tag, payloads.len())?;
            let offset = layout::payload_offset(&layouts(&payloads), results.width()) as u64;
            match payload {
                Some((value, ty)) => store(value, ty, results, at + offset),
                None => Ok(()),
            }
        }
    }
}

/// The types of `values`, which must be as many.
fn fields<'t>(
    value: &Value,
    values: &[Value],
    ty: &'t Type,
) -> wasmtime::Result<impl Iterator<Item = &'t Type> + use<'t>> {
    let fields = ty.fields();
    if fields.len() != values.len() {
        return Err(mismatch(value, ty).into());
    }
    Ok(fields.into_iter().flatten())
}

type Case<'v, 't> = (u32, Option<(&'v Value, &'t Type)>);

/// The discriminant and payload of a variant, option or result.
fn case<'v, 't>(value: &'v Value, ty: &'t Type) -> wasmtime::Result<Case<'v, 't>> {
    let (tag, payload) = match (value, ty) {
        (Value::Variant(tag, payload), Type::Variant(_)) => (*tag, payload),
        (Value::Option(payload), Type::Option(_)) => (u32::from(payload.is_some()), payload),
        (Value::Result(Ok(payload)), Type::Result(..)) => (0, payload),
        (Value::Result(Err(payload)), Type::Result(..)) => (1, payload),
        _ => return Err(mismatch(value, ty).into()),
    };
    match (payload, ty.payloads().get(tag as usize)) {
        (Some(payload), Some(Some(ty))) => Ok((tag, Some((payload, ty)))),
        (None, Some(None)) => Ok((tag, None)),
        _ => Err(mismatch(value, ty).into()),
    }
}

fn list(items: &[Value], item: &Type, results: &mut Results<'_>) -> wasmtime::Result<u64> {
    let layout = item.layouts().unwrap_or(UNIT)[results.width()];
    let pointer = results.alloc(items.len(), layout.size, layout.align)?;
    items.iter().enumerate().try_for_each(|(i, value)| {
        store(value, item, results, pointer + (i * layout.size) as u64)
    })?;
    Ok(pointer)
}

fn boxed(value: &Value, ty: &Type, results: &mut Results<'_>) -> wasmtime::Result<u64> {
    let layout = ty.layouts().unwrap_or(UNIT)[results.width()];
    let pointer = results.alloc(1, layout.size, layout.align)?;
    store(value, ty, results, pointer)?;
    Ok(pointer)
}

fn c_string(value: &Value, text: &str, results: &mut Results<'_>) -> wasmtime::Result<u64> {
    if text.contains('\0') {
        return Err(mismatch(value, &Type::CString).into());
    }
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    results.alloc_bytes(&bytes, 1)
}
