//! `async fn`: host functions for which the guest is suspended.

use super::Report;
use super::options::Options;
use syn::{ImplItemFn, Type};

/// Options that exclude `async`.
pub fn check_options(item: &ImplItemFn, options: &Options, report: &mut Report) {
    let Some(keyword) = &item.sig.asyncness else {
        return;
    };
    if options.inline {
        report.error(
            keyword,
            "the body of an inline function runs in the guest, which cannot wait: remove `inline`; \
             what need not wait can be an inline function of its own",
        );
    }
    if options.is_deferred() {
        report.error(
            keyword,
            "the guest does not wait for a deferred function, so nothing is suspended while that \
             waits: remove `deferred`; or remove `async`, and hand the work to a task or a channel",
        );
    }
    if options.blocking.is_some() {
        report.error(
            keyword,
            "a blocking function has a thread of its own, on which it waits as any other code: \
             remove `async`, or `blocking`",
        );
    }
}

/// The type of a guest handle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Handle {
    Guest,
    AsyncGuest,
}

impl Handle {
    /// Which one this is a mutable borrow of, if any.
    pub fn of(ty: &Type) -> Option<Handle> {
        let Type::Reference(reference) = ty else {
            return None;
        };
        let Type::Path(path) = &*reference.elem else {
            return None;
        };
        let last = path.path.segments.last()?;
        match last.ident.to_string().as_str() {
            "Guest" => Some(Handle::Guest),
            "AsyncGuest" => Some(Handle::AsyncGuest),
            _ => None,
        }
    }

    /// Each kind of function has its own.
    pub fn check(self, ty: &Type, item: &ImplItemFn, report: &mut Report) {
        match (self, item.sig.asyncness.is_some()) {
            (Handle::Guest, true) => report.error(
                ty,
                "a `Guest` cannot be held while a function waits: take \
                 `guest: &mut AsyncGuest<'_, Self>`, which has all that a `Guest` has",
            ),
            (Handle::AsyncGuest, false) => report.error(
                ty,
                "an `AsyncGuest` is for functions that wait: take `guest: &mut Guest<'_, Self>`, \
                 or make this an `async fn`",
            ),
            _ => {}
        }
    }
}
