//! `#[hostcall(blocking)]`: functions that run on a thread of their own.

use super::Report;
use super::deferred::{first_argument, is_named, owned, text, types};
use super::options::Options;
use crate::model::{Delivery, Param, Receiver};
use syn::{FnArg, ImplItemFn, Type};

/// Options that exclude `blocking`.
pub fn check_options(options: &Options, report: &mut Report) {
    let Some(blocking) = &options.blocking else {
        return;
    };
    if options.skip {
        report.error(
            blocking,
            "guests do not call a function with `skip`, so no thread of theirs could be blocked: \
             remove one of the two",
        );
    }
    if options.inline {
        report.error(
            blocking,
            "the body of an inline function runs in the guest, on its thread: remove `inline`, or \
             this",
        );
    }
    if options.is_deferred() {
        report.error(
            blocking,
            "the guest does not wait for a deferred function: remove `blocking`, and hand what \
             takes long to a thread or a channel; or remove `deferred`",
        );
    }
}

/// What a blocking function takes has to go to another thread.
pub fn delivery(
    item: &ImplItemFn,
    receiver: Receiver,
    params: &mut Vec<Param>,
    report: &mut Report,
) -> Delivery {
    let first = item.sig.inputs.first();
    if receiver == Receiver::Guest {
        report.error(
            first,
            "a blocking function runs on another thread than the guest, which it cannot use \
             there: remove the guest, and take what it needs as arguments, or `&self`",
        );
    }
    if let Some(FnArg::Receiver(me)) = first
        && me.mutability.is_some()
    {
        report.error(
            me,
            "a blocking function gets a clone of the state, so changes would be lost: take \
             `&self`, and have what changes behind an `Arc`, in a `Mutex` or an atomic",
        );
    }
    let deadline = params
        .pop_if(|last| is_named(&last.ty, "Deadline"))
        .is_some();
    params
        .iter()
        .for_each(|param| check_param(&param.ty, report));
    Delivery::Blocking { deadline }
}

/// Nothing points into the guest, which may be gone before the function ends.
fn check_param(ty: &Type, report: &mut Report) {
    match ty {
        Type::Group(ty) => check_param(&ty.elem, report),
        Type::Paren(ty) => check_param(&ty.elem, report),
        Type::Array(array) => check_param(&array.elem, report),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| check_param(ty, report)),
        Type::Reference(reference) => {
            let writes = match reference.mutability {
                Some(_) => ", and return what the guest should get",
                None => "",
            };
            report.error(
                ty,
                format_args!(
                    "a blocking function runs on another thread, and may go on when nobody waits \
                     for it any more, so it owns what it takes: take `{}`{writes}",
                    owned(&reference.elem)
                ),
            );
        }
        Type::Path(path) => check_name(ty, path, report),
        _ => {}
    }
}

fn check_name(ty: &Type, path: &syn::TypePath, report: &mut Report) {
    let Some(last) = path.path.segments.last() else {
        return;
    };
    let target = first_argument(&last.arguments).map_or("T".to_owned(), text);
    let instead = match last.ident.to_string().as_str() {
        "GuestStr" => "String".to_owned(),
        "GuestSlice" => format!("Vec<{target}>"),
        "GuestPtr" => target,
        "GuestFunc" => {
            return report.error(
                ty,
                "a blocking function runs on another thread than the guest, and cannot call it: \
                 remove `blocking`, or return what the guest should go on with",
            );
        }
        _ => return types(&last.arguments).for_each(|ty| check_param(ty, report)),
    };
    report.error(
        ty,
        format_args!(
            "this points into guest memory, which a blocking function does not reach from its \
             thread: take `{instead}`, which is copied at the call"
        ),
    );
}
