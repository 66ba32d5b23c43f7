//! Records that are handed over as slices.

use crate::error::Error;
use crate::guest_type::{GuestPlace, Lift};
use bytemuck::checked;

/// A guest type whose values a deferred function takes many of, as a slice that
/// borrows the queue: numbers, `bool`, `char`, and `#[repr(C)]` structs of them
/// that derive [`GuestType`](crate::GuestType), `Clone` and `Copy`.
///
/// The guest calls the function with the fields of one as arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a record of a batch",
    note = "for a struct, add `#[derive(hostcall::GuestType, Clone, Copy)]` and `#[repr(C)]`"
)]
pub trait BatchRecord: GuestPlace + for<'a> Lift<Value<'a> = Self> {
    /// The records in `bytes`. Stubs queue no others.
    #[doc(hidden)]
    fn records(bytes: &[u8]) -> wasmtime::Result<&[Self]> {
        let records = checked::try_cast_slice(bytes);
        records.map_err(|error| {
            let ty = std::any::type_name::<Self>();
            Error::msg(format_args!("the queue holds what is no `{ty}`: {error}")).into()
        })
    }
}

impl<T: GuestPlace + for<'a> Lift<Value<'a> = T>> BatchRecord for T {}
