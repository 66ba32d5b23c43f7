//! Parameters and result of an inline function.

use super::types;
use crate::model::{InlineParam, Sort};
use crate::parse::Report;
use quote::format_ident;
use syn::{FnArg, Ident, ImplItemFn, Pat, PatType, ReturnType, Type};

pub fn params(item: &ImplItemFn, report: &mut Report) -> Vec<InlineParam> {
    let mut params: Vec<InlineParam> = Vec::new();
    for input in &item.sig.inputs {
        let FnArg::Typed(param) = input else { continue };
        let sort = sort(&param.ty, report);
        if params.iter().any(|one| is_same(&one.sort, &sort)) {
            report.error(param, "there is one of it: take it once");
        }
        params.push(InlineParam {
            ident: ident(param, params.len(), report),
            sort,
        });
    }
    params
}

/// Whether both are guest memory, or the same host state.
fn is_same(one: &Sort, other: &Sort) -> bool {
    match (one, other) {
        (Sort::Memory, Sort::Memory) => true,
        (Sort::State(one), Sort::State(other)) => one == other,
        _ => false,
    }
}

fn ident(param: &PatType, index: usize, report: &mut Report) -> Ident {
    match &*param.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
        Pat::Wild(_) => format_ident!("_arg{index}"),
        pat => {
            report.error(pat, "a parameter of an inline function is a plain name");
            format_ident!("_arg{index}")
        }
    }
}

fn sort(ty: &Type, report: &mut Report) -> Sort {
    if let Type::Reference(reference) = ty {
        return match borrowed(&reference.elem) {
            Ok(sort) => sort,
            Err(message) => {
                report.error(ty, message);
                Sort::Refused
            }
        };
    }
    if last_segment(ty).is_some_and(|last| last == "Memory") {
        report.error(ty, "guest memory is borrowed: `&mut Memory<'_>`");
        return Sort::Memory;
    }
    if let Some(message) = types::refusal(ty) {
        report.error(ty, message);
        return Sort::Refused;
    }
    Sort::Scalar(ty.clone())
}

fn borrowed(ty: &Type) -> Result<Sort, &'static str> {
    let name = last_segment(ty).map(|name| name.to_string());
    match (ty, name.as_deref()) {
        (Type::Slice(_), _) | (_, Some("str" | "CStr" | "String" | "Vec")) => Err(
            "an inline function takes an address and a length, both `u32`, and reads what is \
             there through a parameter `memory: &mut Memory<'_>`",
        ),
        (_, Some("Guest")) => Err(
            "an inline function runs in the guest and cannot take it: take `memory: &mut \
             Memory<'_>` for its memory, and leave what else there is to do to an ordinary host \
             function that it calls",
        ),
        (_, Some("Memory")) => Ok(Sort::Memory),
        (Type::Path(_), Some(name)) if types::is_scalar_name(name) => {
            Err("an inline function takes scalars by value: remove the `&`")
        }
        (Type::Path(_), _) => Ok(Sort::State(ty.clone())),
        _ => Err(
            "an inline function takes scalars by value, `memory: &mut Memory<'_>`, and `&mut S` \
             where `S` is a struct with `#[derive(HostState)]`",
        ),
    }
}

/// Whether a parameter of this type borrows something.
pub fn is_state_borrow(ty: &Type) -> bool {
    matches!(ty, Type::Reference(_))
}

fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(ty) => ty.path.segments.last().map(|last| &last.ident),
        _ => None,
    }
}

/// `None` for `()`.
pub fn result(item: &ImplItemFn, report: &mut Report) -> Option<Type> {
    let ReturnType::Type(_, ty) = &item.sig.output else {
        return None;
    };
    match &**ty {
        Type::Tuple(tuple) if tuple.elems.is_empty() => None,
        Type::Never(_) => {
            report.error(ty, "a guest expects the function to return: remove `-> !`");
            None
        }
        Type::Path(path) if path.path.segments.last().is_some_and(is_fallible) => {
            report.error(
                ty,
                "an inline function returns a scalar or nothing: trap with `panic!(\"why\")` for \
                 `Err`, and return a number of your choice, such as -1, for `None`",
            );
            None
        }
        ty => {
            if let Some(message) = types::refusal(ty) {
                report.error(ty, message);
            }
            Some(ty.clone())
        }
    }
}

fn is_fallible(last: &syn::PathSegment) -> bool {
    last.ident == "Result" || last.ident == "Option"
}
