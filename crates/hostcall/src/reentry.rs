//! Calls of the guest from within its host functions: how deep they may be in
//! each other, and what is said where they may not.

#![expect(unsafe_code, reason = "a list of frames on the stack of the host")]

use crate::error::{Error, ErrorKind, Site};
use crate::reach::Reach;
use std::cell::Cell;
use std::ptr;
use wasmtime::FrameInfo;

mod refusal;

pub use refusal::Reentrancy;
pub(crate) use refusal::link;

/// A call of the guest from within a host function, as long as it runs. It lies
/// on the stack: there is no cheaper place.
struct Nested {
    /// Of the instance; zero in stores that hostcall does not own.
    owner: u64,
    site: *const Site,
    callee: *const str,
    /// How many calls of this guest it is the innermost of.
    depth: u32,
    /// The one around it on this thread, of whatever guest.
    outer: *const Nested,
}

thread_local! {
    static INNERMOST: Cell<*const Nested> = const { Cell::new(ptr::null()) };
}

/// Takes a call out of the list when it ends, however it does.
struct Listed(*const Nested);

impl Listed {
    fn new(nested: &Nested) -> Listed {
        INNERMOST.set(nested);
        Listed(nested.outer)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        INNERMOST.set(self.0);
    }
}

/// Lets `look` see the calls that are being made of one guest, from the
/// innermost on.
fn nested<R>(owner: u64, look: impl FnOnce(&mut dyn Iterator<Item = &Nested>) -> R) -> R {
    let mut next = INNERMOST.get();
    let calls = std::iter::from_fn(|| {
        // SAFETY: what is listed lies in frames of `nest` on the stack that this
        // runs on, and each takes itself out of the list before it is gone. No
        // guest is suspended while they are there: where it could be, `nest` is
        // around `Reach::hold`, and Wasmtime makes no checked call there. So none
        // of them goes to another thread.
        let call = unsafe { next.as_ref() }?;
        next = call.outer;
        Some(call)
    });
    look(&mut calls.filter(|call| call.owner == owner))
}

/// Makes a call of the guest's `callee` from within the host function `site`, if
/// there are less than `allowed` already.
pub(crate) fn nest<R>(
    reach: &mut dyn Reach,
    site: &Site,
    (callee, allowed): (&str, u32),
    call: impl FnOnce(&mut dyn Reach) -> R,
) -> Result<R, Error> {
    let owner = reach.owner();
    let depth = nested(owner, |calls| calls.next().map_or(0, |call| call.depth));
    if depth >= allowed {
        return Err(refused(reach, site, callee, allowed));
    }
    let nested = Nested {
        owner,
        site,
        callee,
        depth: depth + 1,
        outer: INNERMOST.get(),
    };
    let _listed = Listed::new(&nested);
    Ok(call(reach))
}

/// What a function is called in a chain, if it is no export that is known.
pub(crate) fn frame_name(frame: &FrameInfo) -> String {
    match frame.func_name() {
        Some(name) => link(name),
        None => format!("function {}", frame.func_index()),
    }
}

#[cold]
fn refused(reach: &mut dyn Reach, site: &Site, callee: &str, allowed: u32) -> Error {
    let owner = reach.owner();
    let outermost = reach.outermost();
    let refusal = nested(owner, |calls| {
        // SAFETY: what the calls point to is borrowed by the frames they lie in.
        let outer = calls.map(|call| unsafe { (&*call.site, &*call.callee) });
        let calls: Vec<_> = std::iter::once((site, callee)).chain(outer).collect();
        Reentrancy::nested(outermost, &calls, allowed, owner >> 1 != 0)
    });
    Error::of(ErrorKind::Reentrancy(refusal))
}
