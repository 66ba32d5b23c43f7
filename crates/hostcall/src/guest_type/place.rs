//! Types that guest memory can be viewed as, without a copy.

use super::{GuestType, Lift, Needs};
use crate::args::Args;
use crate::fault::Lifted;
use crate::layout::{self, Layouts};
use crate::ty::Type;
use bytemuck::CheckedBitPattern;

/// A guest type whose layout in guest memory is its layout in Rust, so that
/// `&T` and `&[T]` borrow guest memory in place, and `&mut T` and `&mut [T]` if
/// it has no padding.
///
/// Numbers, arrays of them, `bool` and `char` are; so are structs that derive
/// [`GuestType`] and are `#[repr(C)]` and `Copy`, and enums without payloads
/// that are `#[repr(u8)]` and `Copy`.
///
/// A struct with padding is only read in place. What a value of the host has in
/// its padding is anything, and must not get into the guest:
///
/// ```
/// # use hostcall::{GuestType, Host};
/// #[derive(GuestType, Clone, Copy)]
/// #[repr(C)]
/// struct Sample {
///     channel: u32,
///     value: f64,
/// }
///
/// # let mut host = Host::<()>::new();
/// host.func("env", "sum", |samples: &[Sample]| -> f64 {
///     samples.iter().map(|sample| sample.value).sum()
/// });
/// ```
///
/// With it, `&mut T`, `&mut [T]`, [`Guest::slice_mut`](crate::Guest::slice_mut)
/// and [`Guest::write`](crate::Guest::write) do not compile. A field in the place
/// of the padding, such as `_pad: [u8; 4]`, allows them.
///
/// ```compile_fail
/// # use hostcall::{GuestType, Host};
/// # #[derive(GuestType, Clone, Copy)]
/// # #[repr(C)]
/// # struct Sample {
/// #     channel: u32,
/// #     value: f64,
/// # }
/// # let mut host = Host::<()>::new();
/// host.func("env", "reset", |sample: &mut Sample| sample.value = 0.0);
/// ```
///
/// # Safety
///
/// `PADDED` must be true if values of the type have bytes that need not be
/// initialised: those of other types are written to guests as they are.
/// Derived implementations see to that.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be borrowed from guest memory",
    label = "its layout in the guest is not its layout in Rust",
    note = "for a struct, add `#[derive(hostcall::GuestType, Clone, Copy)]` and `#[repr(C)]`; its fields must be numbers, `bool`, `char`, arrays of numbers or such structs",
    note = "or take it by value: `T`, `Vec<T>`"
)]
pub unsafe trait GuestPlace: GuestType + CheckedBitPattern + 'static {
    /// Whether there is padding between or after its fields, or in them.
    #[doc(hidden)]
    const PADDED: bool;
}

/// Refuses types with padding, for what writes them to a guest.
#[doc(hidden)]
#[track_caller]
pub const fn assert_unpadded<T: GuestPlace>() {
    assert!(
        !T::PADDED,
        "this type has padding between or after its fields, which a guest could read: add fields \
         in its place, such as `_pad: [u8; 4]`, or only read it, with `&`"
    );
}

/// What a derived place asks of its fields. A trait of its own, so that a field
/// that is no place is refused with the message above.
#[doc(hidden)]
pub trait PlaceField {
    type Bits;
    const PADDED: bool;
}

impl<T: GuestPlace> PlaceField for T {
    type Bits = T::Bits;
    const PADDED: bool = T::PADDED;
}

// SAFETY: there is nothing between elements.
unsafe impl<T: GuestPlace, const N: usize> GuestPlace for [T; N]
where
    [T; N]: CheckedBitPattern,
{
    const PADDED: bool = T::PADDED;
}

macro_rules! pointer {
    ($ty:ty, $value:ty, $needs:expr, $view:ident) => {
        // SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.
        unsafe impl<T: GuestPlace> GuestType for $ty {
            fn ty() -> Type {
                Type::Pointer(Box::new(T::ty()))
            }
            const FLAT: usize = 1;
            const LAYOUT: Layouts = layout::words(1);
            const NEEDS: Needs = $needs;
        }

        impl<T: GuestPlace> Lift for $ty {
            type Value<'a> = $value;

            #[inline(always)]
            fn lift<'a>(args: &mut Args<'a>) -> Lifted<$value> {
                let pointer = args.word();
                let value = args.view.$view(pointer)?;
                args.lifted(size_of::<T>() as u64)?;
                Ok(value)
            }

            fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<$value> {
                let pointer = args.load_word(at)?;
                let value = args.view.$view(pointer)?;
                args.lifted(size_of::<T>() as u64)?;
                Ok(value)
            }
        }
    };
}

pointer!(&T, &'a T, Needs::MEMORY, value);
pointer!(&mut T, &'a mut T, Needs::EXCLUSIVE, value_mut);
