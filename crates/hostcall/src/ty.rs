//! Interface types: what a value means, apart from how Rust spells it.

use crate::layout::{self, Layouts};
use hostcall_link::{FuncType, ValType};
use std::fmt;

mod parse;

/// The type of a value that crosses the boundary, in WIT's vocabulary.
///
/// Every Rust type that a host function may take or return has one, see
/// [`GuestType::ty`](crate::GuestType::ty); dynamic host functions are declared
/// with them, see [`Signature`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Type {
    /// `bool`, an `i32` that is zero or not.
    Bool,
    /// `s8`
    S8,
    /// `u8`
    U8,
    /// `s16`
    S16,
    /// `u16`
    U16,
    /// `s32`
    S32,
    /// `u32`
    U32,
    /// `s64`
    S64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`, a Unicode scalar value.
    Char,
    /// `string`, UTF-8 by pointer and length.
    String,
    /// `list<T>`, by pointer and length.
    List(Box<Type>),
    /// `record { name: T, ... }`
    Record(Vec<(String, Type)>),
    /// `tuple<A, B, ...>`
    Tuple(Vec<Type>),
    /// `variant { none, some(T), ... }`
    Variant(Vec<(String, Option<Type>)>),
    /// `enum { a, b, ... }`
    Enum(Vec<String>),
    /// `option<T>`. An option of a reference is the nullable reference.
    Option(Box<Type>),
    /// `result<T, E>`
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// `cstring`, a NUL-terminated string by pointer. Not a type of WIT.
    CString,
    /// `pointer<T>`, one value by pointer. Not a type of WIT.
    Pointer(Box<Type>),
    /// `v128`. Not a type of WIT; dynamic functions only.
    V128,
    /// `funcref`, a function of the guest. Not a type of WIT.
    FuncRef,
    /// `externref`, an object of the host. Not a type of WIT.
    ExternRef,
}

impl Type {
    /// The core values that represent this type when it is passed by value.
    pub(crate) fn flatten(&self, wide: bool, flat: &mut Vec<ValType>) {
        let word = if wide { ValType::I64 } else { ValType::I32 };
        match self {
            Type::S64 | Type::U64 => flat.push(ValType::I64),
            Type::F32 => flat.push(ValType::F32),
            Type::F64 => flat.push(ValType::F64),
            Type::List(_) | Type::Pointer(_) if self.layouts().is_none() => flat.push(
                ValType::Ref("(a reference in memory, which cannot hold it)".to_owned()),
            ),
            Type::String | Type::List(_) => flat.extend([word.clone(), word]),
            Type::CString | Type::Pointer(_) => flat.push(word),
            Type::Record(fields) => fields.iter().for_each(|(_, ty)| ty.flatten(wide, flat)),
            Type::Tuple(types) => types.iter().for_each(|ty| ty.flatten(wide, flat)),
            Type::Option(ty) if ty.is_reference() => ty.flatten(wide, flat),
            Type::Variant(_) | Type::Option(_) | Type::Result(..) => {
                flat.push(ValType::I32);
                flat.extend(join(&self.payloads(), wide));
            }
            Type::V128 => flat.push(ValType::V128),
            Type::FuncRef => flat.push(ValType::FuncRef),
            Type::ExternRef => flat.push(ValType::ExternRef),
            Type::Bool | Type::Char | Type::Enum(_) => flat.push(ValType::I32),
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 => {
                flat.push(ValType::I32)
            }
        }
    }

    /// Number of core values of [`Type::flatten`].
    pub(crate) fn flat_len(&self) -> usize {
        let mut flat = Vec::new();
        self.flatten(false, &mut flat);
        flat.len()
    }

    /// Layout in guest memory; `None` if a reference is part of it, which
    /// memory cannot hold.
    pub(crate) fn layouts(&self) -> Option<Layouts> {
        let all = |types: &[Option<&Type>]| -> Option<Vec<Layouts>> {
            let layouts = types
                .iter()
                .map(|ty| ty.map_or(Some(layout::UNIT), Type::layouts));
            layouts.collect()
        };
        Some(match self {
            Type::Bool | Type::S8 | Type::U8 => layout::scalar(1),
            Type::S16 | Type::U16 => layout::scalar(2),
            Type::S32 | Type::U32 | Type::F32 | Type::Char => layout::scalar(4),
            Type::S64 | Type::U64 | Type::F64 => layout::scalar(8),
            Type::V128 => layout::scalar(16),
            Type::String => layout::words(2),
            Type::CString => layout::words(1),
            Type::List(ty) => ty.layouts().map(|_| layout::words(2))?,
            Type::Pointer(ty) => ty.layouts().map(|_| layout::words(1))?,
            Type::Record(_) | Type::Tuple(_) => layout::record(&all(&self.fields())?),
            Type::Enum(cases) => layout::scalar(layout::tag_size(cases.len())),
            Type::Option(ty) if ty.is_reference() => return None,
            Type::Variant(_) | Type::Option(_) | Type::Result(..) => {
                layout::variant(&all(&self.payloads())?)
            }
            Type::FuncRef | Type::ExternRef => return None,
        })
    }

    /// The payload of each case of a variant, option or result.
    pub(crate) fn payloads(&self) -> Vec<Option<&Type>> {
        match self {
            Type::Variant(cases) => cases.iter().map(|(_, ty)| ty.as_ref()).collect(),
            Type::Option(ty) => vec![None, Some(ty)],
            Type::Result(ok, err) => vec![ok.as_deref(), err.as_deref()],
            _ => Vec::new(),
        }
    }

    /// The fields of a record or tuple.
    pub(crate) fn fields(&self) -> Vec<Option<&Type>> {
        match self {
            Type::Record(fields) => fields.iter().map(|(_, ty)| Some(ty)).collect(),
            Type::Tuple(types) => types.iter().map(Some).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn is_reference(&self) -> bool {
        matches!(self, Type::FuncRef | Type::ExternRef)
    }

    /// The type of a core value, read as the plainest interface type. `None`
    /// for references into the GC heap, which have none.
    pub(crate) fn from_core(ty: &ValType) -> Option<Type> {
        Some(match ty {
            ValType::I32 => Type::S32,
            ValType::I64 => Type::S64,
            ValType::F32 => Type::F32,
            ValType::F64 => Type::F64,
            ValType::V128 => Type::V128,
            ValType::FuncRef => Type::Option(Box::new(Type::FuncRef)),
            ValType::ExternRef => Type::Option(Box::new(Type::ExternRef)),
            _ => return None,
        })
    }
}

/// The core values that hold any one of `payloads`: those of the longest, each
/// wide enough for what the others put in its place.
fn join(payloads: &[Option<&Type>], wide: bool) -> Vec<ValType> {
    let mut joined: Vec<ValType> = Vec::new();
    for payload in payloads.iter().flatten() {
        let mut flat = Vec::new();
        payload.flatten(wide, &mut flat);
        for (i, ty) in flat.into_iter().enumerate() {
            match joined.get_mut(i) {
                None => joined.push(ty),
                Some(seen) if *seen == ty => {}
                Some(seen @ (ValType::I32 | ValType::F32))
                    if matches!(ty, ValType::I32 | ValType::F32) =>
                {
                    *seen = ValType::I32
                }
                // A reference or vector cannot share its place with anything else. No
                // guest can import this type, so linking reports it.
                Some(seen) if !is_number(seen) || !is_number(&ty) => {
                    *seen = ValType::Ref(
                        "(a reference or vector where another case has something else)".to_owned(),
                    )
                }
                Some(seen) => *seen = ValType::I64,
            }
        }
    }
    joined
}

fn is_number(ty: &ValType) -> bool {
    use ValType::*;
    matches!(ty, I32 | I64 | F32 | F64)
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::S8 => f.write_str("s8"),
            Type::U8 => f.write_str("u8"),
            Type::S16 => f.write_str("s16"),
            Type::U16 => f.write_str("u16"),
            Type::S32 => f.write_str("s32"),
            Type::U32 => f.write_str("u32"),
            Type::S64 => f.write_str("s64"),
            Type::U64 => f.write_str("u64"),
            Type::F32 => f.write_str("f32"),
            Type::F64 => f.write_str("f64"),
            Type::Char => f.write_str("char"),
            Type::String => f.write_str("string"),
            Type::CString => f.write_str("cstring"),
            Type::V128 => f.write_str("v128"),
            Type::FuncRef => f.write_str("funcref"),
            Type::ExternRef => f.write_str("externref"),
            Type::List(ty) => write!(f, "list<{ty}>"),
            Type::Pointer(ty) => write!(f, "pointer<{ty}>"),
            Type::Option(ty) => write!(f, "option<{ty}>"),
            Type::Result(None, None) => f.write_str("result"),
            Type::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Type::Result(None, Some(err)) => write!(f, "result<_, {err}>"),
            Type::Result(Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            Type::Tuple(types) => {
                f.write_str("tuple<")?;
                comma_separated(f, types, |f, ty| write!(f, "{ty}"))?;
                f.write_str(">")
            }
            Type::Record(fields) => {
                f.write_str("record { ")?;
                comma_separated(f, fields, |f, (name, ty)| write!(f, "{name}: {ty}"))?;
                f.write_str(" }")
            }
            Type::Enum(cases) => {
                f.write_str("enum { ")?;
                comma_separated(f, cases, |f, name| f.write_str(name))?;
                f.write_str(" }")
            }
            Type::Variant(cases) => {
                f.write_str("variant { ")?;
                comma_separated(f, cases, |f, (name, ty)| match ty {
                    Some(ty) => write!(f, "{name}({ty})"),
                    None => f.write_str(name),
                })?;
                f.write_str(" }")
            }
        }
    }
}

fn comma_separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    one: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        one(f, item)?;
    }
    Ok(())
}

/// The interface of a function: named parameters and results.
///
/// Typed host functions derive theirs from their Rust types; dynamic ones
/// parse it from text:
///
/// ```
/// use hostcall::Signature;
///
/// let signature: Signature = "func(text: string, n: u32) -> result<u32, string>".parse()?;
/// assert_eq!(signature.params().len(), 2);
/// assert_eq!(signature.to_string(), "func(text: string, n: u32) -> result<u32, string>");
/// # Ok::<(), hostcall::Error>(())
/// ```
///
/// The types are WIT's; records, variants and enums are written in place
/// (`record { x: s32, y: s32 }`). Five types that WIT lacks are understood as
/// well: `cstring`, `pointer<T>`, `v128`, `funcref` and `externref`. Several
/// results, which only core types have, cannot be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    pub(crate) params: Vec<(String, Type)>,
    pub(crate) results: Vec<Type>,
    /// What goes through out-pointers, if the result is an error code. Typed
    /// host functions only, see [`AsErrno`](crate::AsErrno).
    pub(crate) outs: Option<Vec<Type>>,
}

/// How a function returns more than one core value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    /// As core results.
    Direct,
    /// In memory: an import is passed the address as its last parameter, an
    /// export returns it.
    Memory,
}

impl Signature {
    /// A function that takes `params` and returns `results`.
    pub fn new(
        params: impl IntoIterator<Item = (impl Into<String>, Type)>,
        results: impl IntoIterator<Item = Type>,
    ) -> Signature {
        Signature {
            params: params
                .into_iter()
                .map(|(name, ty)| (name.into(), ty))
                .collect(),
            results: results.into_iter().collect(),
            outs: None,
        }
    }

    /// Names and types of the parameters.
    pub fn params(&self) -> &[(String, Type)] {
        &self.params
    }

    /// Types of the results: one at most, except for functions read from a
    /// core type that has several.
    pub fn results(&self) -> &[Type] {
        &self.results
    }

    /// The plainest interface of a core function; `None` if it passes
    /// references into the GC heap.
    pub(crate) fn from_core(ty: &FuncType) -> Option<Signature> {
        let params = ty.params.iter().enumerate();
        Some(Signature {
            params: params
                .map(|(i, ty)| Some((format!("p{i}"), Type::from_core(ty)?)))
                .collect::<Option<_>>()?,
            results: ty
                .results
                .iter()
                .map(Type::from_core)
                .collect::<Option<_>>()?,
            outs: None,
        })
    }

    /// The out-pointers, as parameters are written.
    pub(crate) fn outs(&self) -> impl Iterator<Item = String> {
        let outs = self.outs.as_deref().unwrap_or_default();
        outs.iter().enumerate().map(|(i, ty)| match outs.len() {
            1 => format!("out: out<{ty}>"),
            _ => format!("out{i}: out<{ty}>"),
        })
    }

    /// The core types a guest may import this function under, the one that
    /// guests in C and Rust use first, each with the way it returns.
    pub(crate) fn import_forms(&self, wide: bool) -> Vec<(FuncType, Return)> {
        let direct = self.core(wide);
        let mut forms = vec![];
        if direct.results.len() > 1 && self.result_layouts().is_some() {
            let mut params = direct.params.clone();
            params.push(if wide { ValType::I64 } else { ValType::I32 });
            forms.push((
                FuncType {
                    params,
                    results: Vec::new(),
                },
                Return::Memory,
            ));
        }
        match self.results.as_slice() {
            // Scalars in a tuple are what Wasm's own multi-value is for.
            [Type::Tuple(types)] if types.iter().all(|ty| ty.is_scalar()) => {
                forms.insert(0, (direct, Return::Direct))
            }
            _ => forms.push((direct, Return::Direct)),
        }
        forms
    }

    /// The core types a guest may export this function under.
    pub(crate) fn export_forms(&self, wide: bool) -> Vec<(FuncType, Return)> {
        let direct = self.core(wide);
        let mut forms = vec![];
        if direct.results.len() > 1 && self.result_layouts().is_some() {
            let results = vec![if wide { ValType::I64 } else { ValType::I32 }];
            forms.push((
                FuncType {
                    params: direct.params.clone(),
                    results,
                },
                Return::Memory,
            ));
        }
        forms.push((direct, Return::Direct));
        forms
    }

    fn core(&self, wide: bool) -> FuncType {
        let (mut params, mut results) = (Vec::new(), Vec::new());
        self.params
            .iter()
            .for_each(|(_, ty)| ty.flatten(wide, &mut params));
        let outs = self.outs.iter().flatten();
        outs.for_each(|ty| Type::Pointer(Box::new(ty.clone())).flatten(wide, &mut params));
        self.results
            .iter()
            .for_each(|ty| ty.flatten(wide, &mut results));
        FuncType { params, results }
    }

    /// Layout of the results in memory, as of a tuple.
    pub(crate) fn result_layouts(&self) -> Option<Layouts> {
        match self.results.as_slice() {
            [one] => one.layouts(),
            several => Type::Tuple(several.to_vec()).layouts(),
        }
    }
}

impl Type {
    pub(crate) fn is_scalar(&self) -> bool {
        use Type::*;
        matches!(
            self,
            Bool | Char | Enum(_) | F32 | F64 | V128 | S8 | S16 | S32 | S64 | U8 | U16 | U32 | U64
        )
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        comma_separated(f, &self.params, |f, (name, ty)| {
            f.write_str(name)?;
            f.write_str(": ")?;
            ty.fmt(f)
        })?;
        for (i, out) in self.outs().enumerate() {
            let comma = if i + self.params.len() > 0 { ", " } else { "" };
            write!(f, "{comma}{out}")?;
        }
        f.write_str(")")?;
        match self.results.as_slice() {
            _ if self.outs.is_some() => f.write_str(" -> errno"),
            [] => Ok(()),
            [one] => write!(f, " -> {one}"),
            several => {
                f.write_str(" -> (")?;
                comma_separated(f, several, |f, ty| write!(f, "{ty}"))?;
                f.write_str(")")
            }
        }
    }
}
