//! Lifting by a type known at run time; the same rules as the typed path.

use super::{DynFunc, DynObject, Value};
use crate::args::Args;
use crate::call::Callable;
use crate::fault::{Fault, Lifted};
use crate::guest_type::{Lift, bad_tag, load_tag};
use crate::layout::{self, Layouts, UNIT};
use crate::memory::{check_align, not_utf8};
use crate::reference::{HostObject, Reference};
use crate::ty::{Return, Type};
use std::ffi::CStr;

/// Reads a value from its core values.
pub(crate) fn lift(args: &mut Args<'_>, ty: &Type) -> Lifted<Value> {
    Ok(match ty {
        Type::Bool => Value::Bool(bool::lift(args)?),
        Type::S8 => Value::S8(i8::lift(args)?),
        Type::U8 => Value::U8(u8::lift(args)?),
        Type::S16 => Value::S16(i16::lift(args)?),
        Type::U16 => Value::U16(u16::lift(args)?),
        Type::S32 => Value::S32(i32::lift(args)?),
        Type::U32 => Value::U32(u32::lift(args)?),
        Type::S64 => Value::S64(i64::lift(args)?),
        Type::U64 => Value::U64(u64::lift(args)?),
        Type::F32 => Value::F32(f32::lift(args)?),
        Type::F64 => Value::F64(f64::lift(args)?),
        Type::Char => Value::Char(char::lift(args)?),
        Type::V128 => Value::V128(args.v128()),
        Type::String => Value::String(String::lift(args)?),
        Type::CString => {
            let pointer = args.word();
            c_string(args, pointer)?
        }
        Type::List(item) => {
            let (pointer, count) = args.pair();
            list(args, item, pointer, count)?
        }
        Type::Pointer(ty) => {
            let pointer = args.word();
            pointee(args, ty, pointer)?
        }
        Type::Record(_) => Value::Record(lift_fields(args, ty)?),
        Type::Tuple(_) => Value::Tuple(lift_fields(args, ty)?),
        Type::Enum(cases) => Value::Enum(check_tag(args.u32(), cases.len())?),
        Type::Option(inner) if inner.is_reference() => {
            if args.is_null() {
                args.skip(1);
                Value::Option(None)
            } else {
                Value::Option(Some(Box::new(lift(args, inner)?)))
            }
        }
        Type::Variant(_) | Type::Option(_) | Type::Result(..) => {
            let payloads = ty.payloads();
            let tag = check_tag(args.u32(), payloads.len())?;
            let shared = ty.flat_len() - 1;
            let payload = payloads[tag as usize];
            args.charge(boxed(payload))?;
            let value = payload.map(|ty| lift(args, ty)).transpose()?;
            args.skip(shared - payload.map_or(0, Type::flat_len));
            case(ty, tag, value)
        }
        Type::FuncRef | Type::ExternRef => reference(args, ty)?,
    })
}

/// Reads a value from guest memory.
pub(crate) fn load(args: &mut Args<'_>, ty: &Type, at: u64) -> Lifted<Value> {
    Ok(match ty {
        Type::Bool => Value::Bool(bool::load(args, at)?),
        Type::S8 => Value::S8(i8::load(args, at)?),
        Type::U8 => Value::U8(u8::load(args, at)?),
        Type::S16 => Value::S16(i16::load(args, at)?),
        Type::U16 => Value::U16(u16::load(args, at)?),
        Type::S32 => Value::S32(i32::load(args, at)?),
        Type::U32 => Value::U32(u32::load(args, at)?),
        Type::S64 => Value::S64(i64::load(args, at)?),
        Type::U64 => Value::U64(u64::load(args, at)?),
        Type::F32 => Value::F32(f32::load(args, at)?),
        Type::F64 => Value::F64(f64::load(args, at)?),
        Type::Char => Value::Char(char::load(args, at)?),
        Type::V128 => Value::V128(u128::from_le_bytes(args.load(at)?)),
        Type::String => Value::String(String::load(args, at)?),
        Type::CString => {
            let pointer = args.load_word(at)?;
            c_string(args, pointer)?
        }
        Type::List(item) => {
            let (pointer, count) = args.load_pair(at)?;
            list(args, item, pointer, count)?
        }
        Type::Pointer(ty) => {
            let pointer = args.load_word(at)?;
            pointee(args, ty, pointer)?
        }
        Type::Record(_) => Value::Record(load_fields(args, ty, at)?),
        Type::Tuple(_) => Value::Tuple(load_fields(args, ty, at)?),
        Type::Enum(cases) => {
            let tag = load_tag(args, at, cases.len())?;
            Value::Enum(check_tag(tag, cases.len())?)
        }
        Type::Variant(_) | Type::Option(_) | Type::Result(..) => {
            let payloads = ty.payloads();
            let tag = load_tag(args, at, payloads.len())?;
            let tag = check_tag(tag, payloads.len())?;
            let offset = layout::payload_offset(&layouts(&payloads), args.width()) as u64;
            let payload = payloads[tag as usize];
            args.charge(boxed(payload))?;
            let value = payload.map(|ty| load(args, ty, at + offset)).transpose()?;
            case(ty, tag, value)
        }
        // Memory holds no references; linking refuses types that would.
        Type::FuncRef | Type::ExternRef => return Err(Box::new(Fault::NullReference)),
    })
}

fn lift_fields(args: &mut Args<'_>, ty: &Type) -> Lifted<Vec<Value>> {
    let fields = ty.fields();
    args.charge((fields.len() * size_of::<Value>()) as u64)?;
    fields
        .into_iter()
        .flatten()
        .map(|ty| lift(args, ty))
        .collect()
}

fn load_fields(args: &mut Args<'_>, ty: &Type, at: u64) -> Lifted<Vec<Value>> {
    let fields = ty.fields();
    args.charge((fields.len() * size_of::<Value>()) as u64)?;
    let layouts = layouts(&fields);
    let fields = fields.into_iter().flatten().enumerate();
    fields
        .map(|(i, ty)| {
            load(
                args,
                ty,
                at + layout::offset(&layouts, i, args.width()) as u64,
            )
        })
        .collect()
}

fn list(args: &mut Args<'_>, item: &Type, pointer: u64, count: u64) -> Lifted<Value> {
    if *item == Type::U8 {
        return Ok(Value::Bytes(u8::load_list(args, pointer, count)?));
    }
    let layout = item.layouts().unwrap_or(UNIT)[args.width()];
    check_align(pointer, layout.align)?;
    let count = args.list(pointer, count, layout.size, size_of::<Value>())?;
    let items = (0..count as u64).map(|i| load(args, item, pointer + i * layout.size as u64));
    Ok(Value::List(items.collect::<Lifted<_>>()?))
}

fn pointee(args: &mut Args<'_>, ty: &Type, pointer: u64) -> Lifted<Value> {
    let layout = ty.layouts().unwrap_or(UNIT)[args.width()];
    check_align(pointer, layout.align)?;
    args.charge(layout.size as u64)?;
    args.lifted(layout.size as u64)?;
    load(args, ty, pointer)
}

fn c_string(args: &mut Args<'_>, pointer: u64) -> Lifted<Value> {
    let text: &CStr = args.view.cstr(pointer)?;
    let length = text.count_bytes() as u64;
    args.charge(length)?;
    args.lifted(length)?;
    let text = text
        .to_str()
        .map_err(|error| not_utf8(pointer, length, error))?;
    Ok(Value::String(text.to_owned()))
}

fn reference(args: &mut Args<'_>, ty: &Type) -> Lifted<Value> {
    match (ty, args.reference()) {
        (Type::FuncRef, Some(Reference::Func(func, _, owner))) => {
            Ok(Value::Func(DynFunc(Callable::direct(*func, *owner))))
        }
        (Type::ExternRef, Some(Reference::Object(object))) => {
            Ok(Value::Object(DynObject(HostObject(object.clone()))))
        }
        (_, Some(_)) => Err(Box::new(Fault::WrongObject {
            expected: "an object of hostcall",
        })),
        (_, None) => Err(Box::new(Fault::NullReference)),
    }
}

/// Bytes of the host that a payload is boxed in.
fn boxed(payload: Option<&Type>) -> u64 {
    payload.map_or(0, |_| size_of::<Value>() as u64)
}

fn check_tag(tag: u32, cases: usize) -> Lifted<u32> {
    if (tag as usize) < cases {
        Ok(tag)
    } else {
        bad_tag(tag, cases as u32)
    }
}

fn case(ty: &Type, tag: u32, payload: Option<Value>) -> Value {
    let payload = payload.map(Box::new);
    match (ty, tag) {
        (Type::Option(_), _) => Value::Option(payload),
        (Type::Result(..), 0) => Value::Result(Ok(payload)),
        (Type::Result(..), _) => Value::Result(Err(payload)),
        _ => Value::Variant(tag, payload),
    }
}

/// Layouts of fields or payloads; a reference has none, and is never stored.
pub(super) fn layouts(types: &[Option<&Type>]) -> Vec<Layouts> {
    types
        .iter()
        .map(|ty| ty.and_then(Type::layouts).unwrap_or(UNIT))
        .collect()
}

impl Callable {
    fn direct(func: wasmtime::Func, owner: u64) -> Callable {
        Callable {
            func,
            form: Return::Direct,
            post: None,
            owner,
        }
    }
}
