//! What Rust itself makes of an operation.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;

/// The value, or what the panic says.
pub type Outcome<R> = Result<R, String>;

/// Runs `f`, which may panic.
pub fn native<R>(f: impl FnOnce() -> R) -> Outcome<R> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let report = std::panic::take_hook();
        set_hook(Box::new(move |info| {
            // Panics of tests come from threads; arithmetic ones are expected.
            let message = info.payload_as_str().unwrap_or_default();
            if !message.starts_with("attempt to") {
                report(info);
            }
        }));
    });
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default()
    })
}
