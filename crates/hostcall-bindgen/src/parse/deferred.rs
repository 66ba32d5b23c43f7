//! `#[hostcall(deferred)]`: calls for which the guest does not wait.

use super::Report;
use super::options::Options;
use crate::model::{Delivery, Param, Receiver};
use quote::ToTokens;
use syn::{
    GenericArgument, ImplItemFn, PathArguments, PathSegment, ReturnType, Type, TypeReference,
};

/// Options that exclude each other.
pub fn check_options(options: &Options, report: &mut Report) {
    let Options {
        deferred, batch, ..
    } = options;
    if let (Some(batch), None) = (batch, deferred) {
        report.error(
            batch,
            "only deferred calls come in batches: write `#[hostcall(deferred, batch)]`",
        );
    }
    let Some(option) = deferred.as_ref().or(batch.as_ref()) else {
        return;
    };
    if options.skip {
        report.error(
            option,
            "guests do not call a function with `skip`, so there is nothing to defer: remove one \
             of the two",
        );
    }
    if options.inline {
        report.error(
            option,
            "the body of an inline function runs where it is called, so there is nothing to \
             defer: remove `inline`, or this",
        );
    }
}

/// When calls reach the function, and whether it fits that.
pub fn delivery(
    item: &ImplItemFn,
    options: &Options,
    receiver: Receiver,
    params: &[Param],
    report: &mut Report,
) -> Delivery {
    if !options.is_deferred() {
        return Delivery::AtOnce;
    }
    check_result(item, report);
    if options.batch.is_some() {
        return batch(item, receiver, params, report);
    }
    let guest = receiver == Receiver::Guest;
    for param in params {
        check_param(&param.ty, guest, report);
    }
    Delivery::Deferred
}

fn batch(item: &ImplItemFn, receiver: Receiver, params: &[Param], report: &mut Report) -> Delivery {
    const HELP: &str = "a batch function takes a run of calls as one slice, `batch: &[T]`, where \
                        the fields of `T` are the parameters of one call";
    if receiver == Receiver::Guest {
        report.error(
            item.sig.inputs.first(),
            "the batch is borrowed, which `guest` excludes: take `&mut self` in place of the guest",
        );
    }
    match params {
        [] => report.error(&item.sig.ident, HELP),
        [one] => match element(&one.ty) {
            Some(element) => return Delivery::Batch(Box::new(element.clone())),
            None => report.error(&one.ty, HELP),
        },
        [_, more @ ..] => more.iter().for_each(|param| report.error(&param.ty, HELP)),
    }
    Delivery::Deferred
}

/// The `T` of `&[T]`.
fn element(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Group(ty) => element(&ty.elem),
        Type::Paren(ty) => element(&ty.elem),
        Type::Reference(reference) if reference.mutability.is_none() => match &*reference.elem {
            Type::Slice(slice) => Some(&slice.elem),
            _ => None,
        },
        _ => None,
    }
}

fn check_result(item: &ImplItemFn, report: &mut Report) {
    if let ReturnType::Type(_, ty) = &item.sig.output
        && gives_something(ty)
    {
        report.error(
            ty,
            "a deferred function has no result, because the guest does not wait for it: return \
             nothing or `Result<(), E>`, or remove `deferred`",
        );
    }
}

/// Whether this is certainly neither `()` nor `Result<(), E>`. Names that are
/// not known here may stand for one of these; what they are is asked by the
/// bounds of what is generated.
fn gives_something(ty: &Type) -> bool {
    match ty {
        Type::Group(ty) => gives_something(&ty.elem),
        Type::Paren(ty) => gives_something(&ty.elem),
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            if last.ident == "Result" {
                first_argument(&last.arguments).is_some_and(gives_something)
            } else {
                is_value(last)
            }
        }),
        Type::Macro(_) | Type::Infer(_) => false,
        _ => true,
    }
}

/// Whether this names a type of values that is no `Result`.
pub fn is_value(last: &PathSegment) -> bool {
    const VALUES: [&str; 17] = [
        "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "i128", "u128", "f32", "f64", "bool",
        "char", "String", "Vec", "Option",
    ];
    VALUES.iter().any(|value| last.ident == value)
}

pub fn first_argument(arguments: &PathArguments) -> Option<&Type> {
    types(arguments).next()
}

pub fn types(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let arguments = match arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
}

/// A deferred call has what it needs with it: copies, made at the call. Beside
/// the guest, they have an owner.
fn check_param(ty: &Type, guest: bool, report: &mut Report) {
    match ty {
        Type::Group(ty) => check_param(&ty.elem, guest, report),
        Type::Paren(ty) => check_param(&ty.elem, guest, report),
        Type::Slice(slice) => check_param(&slice.elem, guest, report),
        Type::Array(array) => check_param(&array.elem, guest, report),
        Type::Tuple(tuple) => {
            let types = tuple.elems.iter();
            types.for_each(|ty| check_param(ty, guest, report));
        }
        Type::Reference(reference) => check_borrow(reference, guest, report),
        Type::Path(path) => check_name(ty, path, guest, report),
        _ => {}
    }
}

fn check_borrow(ty: &TypeReference, guest: bool, report: &mut Report) {
    let instead = match guest {
        true => owned(&ty.elem),
        false => shared(&ty.elem),
    };
    if ty.mutability.is_some() {
        report.error(
            ty,
            format_args!(
                "a deferred call cannot write to the guest, which has gone on by then: take \
                 `{instead}`, or remove `deferred`"
            ),
        );
    } else if is_named(&ty.elem, "CStr") {
        report.error(
            ty,
            format_args!(
                "a deferred call has copies of what its parameters point to, and the length of \
                 this one is not known: take `{instead}`, or remove `deferred`"
            ),
        );
    } else if guest {
        report.error(
            ty,
            format_args!(
                "this borrows what the call has with it, which `guest` excludes: take \
                 `{instead}`; or take `&mut self` in place of the guest"
            ),
        );
    } else {
        check_param(&ty.elem, guest, report);
    }
}

fn check_name(ty: &Type, path: &syn::TypePath, guest: bool, report: &mut Report) {
    let Some(last) = path.path.segments.last() else {
        return;
    };
    let target = first_argument(&last.arguments).map_or("T".to_owned(), text);
    let instead = match last.ident.to_string().as_str() {
        "GuestStr" => "String".to_owned(),
        "GuestSlice" => format!("Vec<{target}>"),
        "GuestPtr" if guest => target,
        "GuestPtr" => format!("&{target}"),
        name @ ("GuestFunc" | "HostRef") => {
            report.error(
                ty,
                format_args!(
                    "a `{name}` is a reference, which cannot wait in memory: take a number that \
                     stands for it, or remove `deferred`"
                ),
            );
            return;
        }
        _ => return types(&last.arguments).for_each(|ty| check_param(ty, guest, report)),
    };
    report.error(
        ty,
        format_args!(
            "this points into guest memory, which may have changed before a deferred call is \
             made: take `{instead}`, which is copied at the call, or remove `deferred`"
        ),
    );
}

pub fn is_named(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == name),
        _ => false,
    }
}

/// The owned form of what a borrow is of.
pub fn owned(ty: &Type) -> String {
    match ty {
        Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
        _ if is_named(ty, "str") || is_named(ty, "CStr") => "String".to_owned(),
        _ => text(ty),
    }
}

/// The shared borrow of what a borrow is of.
fn shared(ty: &Type) -> String {
    match is_named(ty, "CStr") {
        true => "&str".to_owned(),
        false => format!("&{}", text(ty)),
    }
}

pub fn text(ty: &Type) -> String {
    ty.to_token_stream().to_string()
}
