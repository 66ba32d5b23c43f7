//! Numbers, and what is said about those that are not.

use super::Notation;
use hostcall::{Type, Value};

/// What a value of `ty` looks like, for messages.
pub fn expected(ty: &Type, notation: Notation) -> String {
    if let Some((min, max)) = bounds(ty, notation) {
        return format!("{} ({min} to {max})", name(ty, notation));
    }
    match ty {
        Type::Bool => "bool (`true` or `false`)".to_owned(),
        Type::F32 | Type::F64 => format!("{ty} (such as 1.5, -2e10, nan or inf)"),
        Type::V128 => "v128 (hexadecimal: 0x and up to 32 digits)".to_owned(),
        _ => ty.to_string(),
    }
}

fn name(ty: &Type, notation: Notation) -> String {
    match (notation, ty) {
        (Notation::Core, Type::S32) => "i32".to_owned(),
        (Notation::Core, Type::S64) => "i64".to_owned(),
        _ => ty.to_string(),
    }
}

/// Reads a number or `bool`.
pub fn parse(text: &str, ty: &Type, notation: Notation) -> Option<Value> {
    if let Some((min, max)) = bounds(ty, notation) {
        let number = integer(text)?;
        return (min..=max).contains(&number).then(|| value(number, ty));
    }
    match ty {
        Type::Bool => Some(Value::Bool(text.parse().ok()?)),
        Type::F32 => Some(Value::F32(text.parse().ok()?)),
        Type::F64 => Some(Value::F64(text.parse().ok()?)),
        Type::V128 => {
            let digits = text.strip_prefix("0x")?;
            Some(Value::V128(u128::from_str_radix(digits, 16).ok()?))
        }
        _ => None,
    }
}

/// The smallest and the largest number of an integer type. A core type has no
/// sign: it takes what fits its bits either way.
fn bounds(ty: &Type, notation: Notation) -> Option<(i128, i128)> {
    let core = notation == Notation::Core;
    Some(match ty {
        Type::S8 => (i8::MIN.into(), i8::MAX.into()),
        Type::U8 => (0, u8::MAX.into()),
        Type::S16 => (i16::MIN.into(), i16::MAX.into()),
        Type::U16 => (0, u16::MAX.into()),
        Type::S32 if core => (i32::MIN.into(), u32::MAX.into()),
        Type::S32 => (i32::MIN.into(), i32::MAX.into()),
        Type::U32 => (0, u32::MAX.into()),
        Type::S64 if core => (i64::MIN.into(), u64::MAX.into()),
        Type::S64 => (i64::MIN.into(), i64::MAX.into()),
        Type::U64 => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// Decimal or hexadecimal, with a sign or without.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// A number within the bounds of `ty`.
fn value(number: i128, ty: &Type) -> Value {
    match ty {
        Type::S8 => Value::S8(number as i8),
        Type::U8 => Value::U8(number as u8),
        Type::S16 => Value::S16(number as i16),
        Type::U16 => Value::U16(number as u16),
        Type::U32 => Value::U32(number as u32),
        Type::S64 => Value::S64(number as i64),
        Type::U64 => Value::U64(number as u64),
        _ => Value::S32(number as i32),
    }
}
