//! Types that guest memory can be viewed as, without a copy.

use super::{GuestType, Lift, Needs};
use crate::args::Args;
use crate::fault::Lifted;
use crate::layout::{self, Layouts};
use crate::ty::Type;
use bytemuck::{CheckedBitPattern, NoUninit};

/// A guest type whose layout in guest memory is its layout in Rust, so that
/// `&T`, `&mut T`, `&[T]` and `&mut [T]` borrow guest memory in place.
///
/// Numbers, arrays of them, `bool` and `char` are; so are structs that derive
/// [`GuestType`] and are `#[repr(C)]` and `Copy`, and enums without payloads
/// that are `#[repr(u8)]` and `Copy`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be borrowed from guest memory",
    label = "its layout in the guest is not its layout in Rust",
    note = "for a struct, add `#[derive(hostcall::GuestType, Clone, Copy)]` and `#[repr(C)]`; its fields must be numbers, `bool`, `char`, arrays of numbers or such structs",
    note = "or take it by value: `T`, `Vec<T>`"
)]
pub trait GuestPlace: GuestType + CheckedBitPattern + NoUninit {}

/// The bits of a field of a derived place. A trait of its own, so that a field
/// that is no place is refused with the message above.
#[doc(hidden)]
pub trait PlaceBits {
    type Bits;
}

impl<T: GuestPlace> PlaceBits for T {
    type Bits = T::Bits;
}

impl<T: GuestPlace, const N: usize> GuestPlace for [T; N] where [T; N]: CheckedBitPattern + NoUninit {}

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
                args.view.$view(pointer)
            }

            fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<$value> {
                let pointer = args.load_word(at)?;
                args.view.$view(pointer)
            }
        }
    };
}

pointer!(&T, &'a T, Needs::MEMORY, value);
pointer!(&mut T, &'a mut T, Needs::EXCLUSIVE, value_mut);
