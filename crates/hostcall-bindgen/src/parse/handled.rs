//! `#[hostcall(result)]` and `#[hostcall(errno)]`: errors that the guest gets.

use super::Report;
use super::deferred::is_value;
use super::options::Options;
use crate::model::Handling;
use syn::{ImplItemFn, ReturnType, Type};

/// Options that exclude these.
pub fn check_options(options: &Options, report: &mut Report) {
    let Some(option) = options.result.as_ref().or(options.errno.as_ref()) else {
        return;
    };
    if let (Some(_), Some(errno)) = (&options.result, &options.errno) {
        report.error(
            errno,
            "a guest gets an error as a value or as a code: remove `result`, or `errno`",
        );
    }
    if options.skip {
        report.error(
            option,
            "guests do not call a function with `skip`, so none gets its error: remove one of the \
             two",
        );
    }
    if options.inline {
        report.error(
            option,
            "an inline function returns a scalar or nothing, and traps for an error: remove \
             `inline`, or this",
        );
    }
    if options.is_deferred() {
        report.error(
            option,
            "the guest has gone on when a deferred function fails, so it cannot get the error: \
             remove `deferred`, or this",
        );
    }
}

/// What becomes of an `Err` of the function.
pub fn handling(item: &ImplItemFn, options: &Options, report: &mut Report) -> Handling {
    const HELP: &str = "there is no error for the guest to get: return a `Result<T, E>`, or \
                        remove this";
    let (option, handling) = match (&options.result, &options.errno) {
        (Some(option), _) => (option, Handling::Result),
        (None, Some(option)) => (option, Handling::Errno),
        (None, None) => return Handling::Trap,
    };
    match &item.sig.output {
        ReturnType::Default => report.error(option, HELP),
        ReturnType::Type(_, ty) if is_no_result(ty) => report.error(ty, HELP),
        ReturnType::Type(..) => {}
    }
    handling
}

/// Whether this is certainly no `Result`. A name that is not known here may
/// stand for one; what it is is asked by the bounds of what is generated.
fn is_no_result(ty: &Type) -> bool {
    match ty {
        Type::Group(ty) => is_no_result(&ty.elem),
        Type::Paren(ty) => is_no_result(&ty.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(is_value),
        Type::Tuple(_) | Type::Array(_) => true,
        _ => false,
    }
}
