//! Values whose types are known only at run time.

use crate::call::Callable;
use crate::error::{Error, ErrorKind};
use crate::reference::HostObject;
use crate::ty::Type;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

mod lift;
mod lower;

pub(crate) use lift::{lift, load};
pub(crate) use lower::{lower, store};

/// A value of any [`Type`].
///
/// Names are in the type, so records and variants hold positions only: the
/// fields of a [`Type::Record`] in order, the index of a case.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `bool`
    Bool(bool),
    /// `s8`
    S8(i8),
    /// `u8`
    U8(u8),
    /// `s16`
    S16(i16),
    /// `u16`
    U16(u16),
    /// `s32`
    S32(i32),
    /// `u32`
    U32(u32),
    /// `s64`
    S64(i64),
    /// `u64`
    U64(u64),
    /// `f32`
    F32(f32),
    /// `f64`
    F64(f64),
    /// `char`
    Char(char),
    /// `v128`
    V128(u128),
    /// `string`, and `cstring` if it is UTF-8.
    String(String),
    /// `list<u8>`, as guests pass it; hosts may also pass a [`Value::List`].
    Bytes(Vec<u8>),
    /// `list<T>` of anything else.
    List(Vec<Value>),
    /// `record { .. }`: its fields in order.
    Record(Vec<Value>),
    /// `tuple<..>`
    Tuple(Vec<Value>),
    /// `variant { .. }`: index of the case, payload.
    Variant(u32, Option<Box<Value>>),
    /// `enum { .. }`: index of the case.
    Enum(u32),
    /// `option<T>`
    Option(Option<Box<Value>>),
    /// `result<T, E>`
    Result(Result<Option<Box<Value>>, Option<Box<Value>>>),
    /// `funcref`
    Func(DynFunc),
    /// `externref`
    Object(DynObject),
}

/// A function of the guest, of any type.
#[derive(Clone)]
pub struct DynFunc(pub(crate) Callable);

/// An object of the host, of any type.
#[derive(Clone)]
pub struct DynObject(pub(crate) HostObject);

impl DynObject {
    /// Makes `value` an object that can be given to guests.
    pub fn new<T: Send + Sync + 'static>(value: T) -> DynObject {
        DynObject(HostObject(Arc::new(value)))
    }

    /// The object, if it is a `T`.
    pub fn downcast<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.0.clone().downcast().ok()
    }

    pub(crate) fn object(&self) -> Arc<dyn Any + Send + Sync> {
        self.0.0.clone()
    }
}

impl fmt::Debug for DynFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynFunc")
    }
}

impl fmt::Debug for DynObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynObject")
    }
}

impl PartialEq for DynFunc {
    /// Functions are never compared: Wasm gives them no identity.
    fn eq(&self, _: &DynFunc) -> bool {
        false
    }
}

impl PartialEq for DynObject {
    /// Whether both are the same object.
    fn eq(&self, other: &DynObject) -> bool {
        Arc::ptr_eq(&self.0.0, &other.0.0)
    }
}

impl Value {
    /// The zero of `ty`: what a result holds before a host function sets it.
    pub fn zero(ty: &Type) -> Value {
        let fields = |ty: &Type| ty.fields().into_iter().flatten().map(Value::zero).collect();
        let payload = |ty: Option<&Type>| ty.map(|ty| Box::new(Value::zero(ty)));
        match ty {
            Type::Bool => Value::Bool(false),
            Type::S8 => Value::S8(0),
            Type::U8 => Value::U8(0),
            Type::S16 => Value::S16(0),
            Type::U16 => Value::U16(0),
            Type::S32 => Value::S32(0),
            Type::U32 => Value::U32(0),
            Type::S64 => Value::S64(0),
            Type::U64 => Value::U64(0),
            Type::F32 => Value::F32(0.0),
            Type::F64 => Value::F64(0.0),
            Type::Char => Value::Char('\0'),
            Type::V128 => Value::V128(0),
            Type::String | Type::CString => Value::String(String::new()),
            Type::List(ty) if **ty == Type::U8 => Value::Bytes(Vec::new()),
            Type::List(_) => Value::List(Vec::new()),
            Type::Record(_) => Value::Record(fields(ty)),
            Type::Tuple(_) => Value::Tuple(fields(ty)),
            Type::Variant(cases) => {
                Value::Variant(0, payload(cases.first().and_then(|c| c.1.as_ref())))
            }
            Type::Enum(_) => Value::Enum(0),
            Type::Option(_) | Type::FuncRef | Type::ExternRef => Value::Option(None),
            Type::Result(ok, _) => Value::Result(Ok(payload(ok.as_deref()))),
            Type::Pointer(ty) => Value::zero(ty),
        }
    }
}

/// The error for a value of the host that is not of the type it should be.
#[cold]
pub(crate) fn mismatch(value: &Value, ty: &Type) -> Error {
    Error::of(ErrorKind::Value(format!(
        "expected a value of type {ty}, found {value:?}"
    )))
}

macro_rules! from {
    ($($ty:ty => $variant:ident),* $(,)?) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Value {
                Value::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool, i8 => S8, u8 => U8, i16 => S16, u16 => U16, i32 => S32, u32 => U32,
    i64 => S64, u64 => U64, f32 => F32, f64 => F64, char => Char, &str => String, String => String,
    Vec<Value> => List, Vec<u8> => Bytes,
}

impl fmt::Display for Value {
    /// The value as WIT's text format (WAVE) writes it, nearly: names of
    /// fields and cases are in the type, so positions stand for them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, open: &str, values: &[Value], close: &str| {
            f.write_str(open)?;
            for (i, value) in values.iter().enumerate() {
                write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
            }
            f.write_str(close)
        };
        let case =
            |f: &mut fmt::Formatter<'_>, name: &str, payload: &Option<Box<Value>>| match payload {
                Some(value) => write!(f, "{name}({value})"),
                None => f.write_str(name),
            };
        match self {
            Value::Bool(v) => write!(f, "{v}"),
            Value::S8(v) => write!(f, "{v}"),
            Value::U8(v) => write!(f, "{v}"),
            Value::S16(v) => write!(f, "{v}"),
            Value::U16(v) => write!(f, "{v}"),
            Value::S32(v) => write!(f, "{v}"),
            Value::U32(v) => write!(f, "{v}"),
            Value::S64(v) => write!(f, "{v}"),
            Value::U64(v) => write!(f, "{v}"),
            Value::F32(v) => write!(f, "{v}"),
            Value::F64(v) => write!(f, "{v}"),
            Value::V128(v) => write!(f, "{v:#034x}"),
            Value::Char(v) => write!(f, "{v:?}"),
            Value::String(v) => write!(f, "{v:?}"),
            Value::Bytes(bytes) => write!(f, "{bytes:?}"),
            Value::List(values) => list(f, "[", values, "]"),
            Value::Record(values) => list(f, "{", values, "}"),
            Value::Tuple(values) => list(f, "(", values, ")"),
            Value::Variant(index, payload) => case(f, &format!("case{index}"), payload),
            Value::Enum(index) => write!(f, "case{index}"),
            Value::Option(Some(value)) => write!(f, "some({value})"),
            Value::Option(None) => f.write_str("none"),
            Value::Result(Ok(value)) => case(f, "ok", value),
            Value::Result(Err(value)) => case(f, "err", value),
            Value::Func(_) => f.write_str("<function>"),
            Value::Object(_) => f.write_str("<object>"),
        }
    }
}
