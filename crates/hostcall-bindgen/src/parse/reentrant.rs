//! `#[hostcall(fuel = 100)]` and `#[hostcall(reentrant)]`: what a function costs
//! the guest, and whether it may call it.

use super::Report;
use super::options::Options;
use crate::model::Receiver;
use syn::ImplItemFn;

/// Options that exclude these.
pub fn check_options(options: &Options, report: &mut Report) {
    let fuel = options.fuel.as_ref().map(|(option, _)| option);
    let reentrant = options.reentrant.as_ref().map(|(option, _)| option);
    if options.inline {
        report.each(
            fuel,
            "the body of an inline function runs in the guest, and costs the fuel that it takes \
             there: remove `inline`, or this",
        );
        report.each(
            reentrant,
            "an inline function does not call exports of the guest: remove `inline`, or this",
        );
    } else if options.skip {
        report.each(
            fuel.into_iter().chain(reentrant),
            "guests do not call a function with `skip`: remove one of the two",
        );
    }
}

/// Only a function that has the guest can call it.
pub fn check(item: &ImplItemFn, options: &Options, receiver: Receiver, report: &mut Report) {
    let Some((reentrant, _)) = &options.reentrant else {
        return;
    };
    if receiver == Receiver::Guest || options.inline {
        return;
    }
    let instead = match (&options.blocking, &item.sig.asyncness) {
        (Some(_), _) => "remove `reentrant`, or `blocking`, and take the guest",
        (None, Some(_)) => "take `guest: &mut AsyncGuest<'_, Self>` first, or remove `reentrant`",
        (None, None) => "take `guest: &mut Guest<'_, Self>` first, or remove `reentrant`",
    };
    report.error(
        reentrant,
        format_args!("this function cannot call the guest: {instead}"),
    );
}
