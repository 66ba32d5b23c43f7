//! Host functions called by the native form of an inline function.

use crate::error::{Panicked, Site, cross};
use crate::guest_type::Returns;
use crate::ty::Signature;
use hostcall_link::inline::native::BodyTrap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The error of such a function, on its way through the native form.
struct SlowPathError(wasmtime::Error);

impl fmt::Display for SlowPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SlowPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for SlowPathError {}

/// What the host function `module.name` returned to the native form that called
/// it.
///
/// # Errors
///
/// If it failed or panicked: then the native form ends, as the guest would, and
/// the error is that function's.
#[doc(hidden)]
pub fn slow_path<R: Returns>(
    module: &str,
    name: &str,
    call: impl FnOnce() -> R,
) -> Result<R::Ok, BodyTrap> {
    // As where the guest calls it: `crossing::define` says why.
    let returned = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.returned(),
        Err(payload) => Err(wasmtime::Error::new(Panicked::new(&*payload))),
    };
    returned.map_err(|error| {
        let site = Arc::new(Site {
            module: module.to_owned(),
            name: name.to_owned(),
            signature: Signature::default(),
        });
        BodyTrap::host(Box::new(SlowPathError(cross(error, &site))))
    })
}

/// Tells traps of the native form from errors of what it called.
///
/// # Errors
///
/// The error of a host function that the native form called.
#[doc(hidden)]
pub fn body_result<R>(result: Result<R, BodyTrap>) -> wasmtime::Result<Result<R, BodyTrap>> {
    let trap = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(trap) => trap,
    };
    match trap.into_host() {
        Err(trap) => Ok(Err(trap)),
        Ok(error) => Err(match error.downcast::<SlowPathError>() {
            Ok(error) => error.0,
            Err(error) => wasmtime::Error::msg(error),
        }),
    }
}
