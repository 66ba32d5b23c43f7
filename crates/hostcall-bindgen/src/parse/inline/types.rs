//! Types that have no form in the guest, by their syntax. What is behind a
//! name only rustc knows.

use syn::Type;

const SCALARS: [&str; 13] = [
    "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "isize", "usize", "f32", "f64", "bool",
];

pub fn is_scalar_name(name: &str) -> bool {
    SCALARS.contains(&name)
}

/// Why a value of an inline function cannot have this type, and what to do.
pub fn refusal(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Paren(ty) => refusal(&ty.elem),
        Type::Group(ty) => refusal(&ty.elem),
        Type::Infer(_) => None,
        Type::Path(path) => of_name(&path.path.segments.last()?.ident.to_string()),
        Type::Array(_) | Type::Slice(_) => Some(
            "an array has no form in an inline function: make it a field of a struct with \
             `#[derive(HostState)]`, and take that as `&mut` parameter",
        ),
        Type::Tuple(_) => {
            Some("a tuple has no form in an inline function: use one variable for each part")
        }
        Type::Reference(_) | Type::Ptr(_) => Some(
            "a reference has no form in an inline function: use the value itself, or an address \
             in guest memory as `u32`",
        ),
        _ => Some("an inline function works on integers, floats and `bool`"),
    }
}

fn of_name(name: &str) -> Option<&'static str> {
    match name {
        "u128" | "i128" => Some("128-bit integers have no Wasm type: use two `u64`"),
        "f16" | "f128" => Some("this has no Wasm type: use `f32` or `f64`"),
        "char" => Some("`char` has no form in an inline function: use its number as `u32`"),
        "str" | "String" | "Vec" | "Box" => Some(
            "an inline function has no strings and lists: use an address and a length in guest \
             memory, both `u32`, or leave it to an ordinary host function",
        ),
        "Option" | "Result" => Some(
            "an inline function works on integers, floats and `bool`: use a `bool` beside the \
             value, and `panic!(\"why\")` to trap",
        ),
        _ => None,
    }
}
