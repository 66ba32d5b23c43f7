//! Values as text, in WIT's notation for them (WAVE): `[1, 2]`, `{x: 1}`,
//! `some("text")`. Names of fields and cases come from the type.

use hostcall::{Type, Value};
use std::fmt::{self, Display};

mod number;
mod parse;
mod reader;

pub use parse::parse;

/// How the types of a function are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// As bare core types: integers have no sign of their own.
    Core,
    /// As interface types.
    Interface,
}

/// Writes a value. A string or character is written as it is: only inside
/// other values it is quoted.
pub fn print(value: &Value, ty: &Type) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Char(c) => c.to_string(),
        _ => Text { value, ty }.to_string(),
    }
}

struct Text<'a> {
    value: &'a Value,
    ty: &'a Type,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.ty) {
            (value, Type::Pointer(ty)) => Text { value, ty }.fmt(f),
            (Value::F32(v), _) => f.write_str(&float(format!("{v:?}"))),
            (Value::F64(v), _) => f.write_str(&float(format!("{v:?}"))),
            (Value::List(values), Type::List(ty)) => {
                let items = values.iter().map(|value| Text { value, ty });
                write_all(f, "[", items, "]")
            }
            (Value::Tuple(values), Type::Tuple(types)) => {
                let items = values.iter().zip(types);
                write_all(f, "(", items.map(|(value, ty)| Text { value, ty }), ")")
            }
            (Value::Record(values), Type::Record(fields)) => {
                let items = values.iter().zip(fields).map(|(value, (name, ty))| {
                    let value = Text { value, ty };
                    format!("{name}: {value}")
                });
                write_all(f, "{", items, "}")
            }
            _ => self.write_case(f),
        }
    }
}

impl Text<'_> {
    fn write_case(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.ty) {
            (Value::Enum(index), Type::Enum(cases)) => match cases.get(*index as usize) {
                Some(name) => f.write_str(name),
                None => self.value.fmt(f),
            },
            (Value::Variant(index, value), Type::Variant(cases)) => {
                match cases.get(*index as usize) {
                    Some((name, ty)) => write_payload(f, name, value.as_deref(), ty.as_ref()),
                    None => self.value.fmt(f),
                }
            }
            (Value::Option(Some(value)), Type::Option(ty)) => {
                write_payload(f, "some", Some(value), Some(ty))
            }
            (Value::Result(Ok(value)), Type::Result(ty, _)) => {
                write_payload(f, "ok", value.as_deref(), ty.as_deref())
            }
            (Value::Result(Err(value)), Type::Result(_, ty)) => {
                write_payload(f, "err", value.as_deref(), ty.as_deref())
            }
            _ => self.value.fmt(f),
        }
    }
}

fn write_payload(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    value: Option<&Value>,
    ty: Option<&Type>,
) -> fmt::Result {
    f.write_str(name)?;
    match value.zip(ty) {
        Some((value, ty)) => write!(f, "({})", Text { value, ty }),
        None => Ok(()),
    }
}

fn write_all(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    items: impl Iterator<Item = impl Display>,
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.enumerate() {
        write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
    }
    f.write_str(close)
}

/// A float as Rust's `Debug` writes it, which keeps large and small ones short.
fn float(text: String) -> String {
    match text.as_str() {
        "NaN" => "nan".to_owned(),
        text => text.strip_suffix(".0").unwrap_or(text).to_owned(),
    }
}
