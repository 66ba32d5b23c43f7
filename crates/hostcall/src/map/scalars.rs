//! What an element of a batch can be.

use crate::fault::Lifted;
use crate::guest_type::{GuestType, to_char};
use hostcall_link::ValType;

/// Parameters or results of an export that is mapped: a number, `bool` or
/// `char`, a tuple of up to 12 of them, or `()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no element of a batch",
    note = "numbers, `bool` and `char` are, tuples of up to 12 of them, and `()`"
)]
pub trait Scalars: GuestType + Copy {
    /// Bytes in a batch.
    #[doc(hidden)]
    const SIZE: u32;
    /// What its size is a multiple of.
    #[doc(hidden)]
    const ALIGN: u32;

    #[doc(hidden)]
    const ZERO: Self;

    #[doc(hidden)]
    fn core() -> Vec<ValType>;

    #[doc(hidden)]
    fn write(&self, bytes: &mut [u8]);

    /// Whether there are bytes that are no value.
    #[doc(hidden)]
    const CHECKED: bool;

    #[doc(hidden)]
    fn check(bytes: &[u8]) -> Lifted<()>;

    /// Reads a value that was checked.
    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Self;
}

/// One of them: tuples in tuples would be laid out otherwise than the core
/// values they are.
#[doc(hidden)]
pub trait Scalar: Scalars {}

macro_rules! scalar {
    ($($ty:ty: $core:ident $raw:ty, $zero:expr, $checked:literal, $to:expr, $from:expr;)*) => {$(
        impl Scalar for $ty {}

        impl Scalars for $ty {
            const SIZE: u32 = size_of::<$raw>() as u32;
            const ALIGN: u32 = Self::SIZE;
            const ZERO: $ty = $zero;

            fn core() -> Vec<ValType> {
                vec![ValType::$core]
            }

            #[inline(always)]
            fn write(&self, bytes: &mut [u8]) {
                let to: fn($ty) -> $raw = $to;
                bytes[..size_of::<$raw>()].copy_from_slice(&to(*self).to_le_bytes());
            }

            const CHECKED: bool = $checked;

            fn check(bytes: &[u8]) -> Lifted<()> {
                if $checked {
                    to_char(bits(bytes))?;
                }
                Ok(())
            }

            #[inline(always)]
            fn read(bytes: &[u8]) -> $ty {
                let from: fn($raw) -> $ty = $from;
                let bytes = bytes[..size_of::<$raw>()].try_into();
                from(<$raw>::from_le_bytes(bytes.expect("as many bytes as asked for")))
            }
        }
    )*};
}

// As host functions lift and lower them.
scalar! {
    i8: I32 u32, 0, false, |v| i32::from(v) as u32, |raw| raw as i8;
    u8: I32 u32, 0, false, u32::from, |raw| raw as u8;
    i16: I32 u32, 0, false, |v| i32::from(v) as u32, |raw| raw as i16;
    u16: I32 u32, 0, false, u32::from, |raw| raw as u16;
    i32: I32 i32, 0, false, |v| v, |raw| raw;
    u32: I32 u32, 0, false, |v| v, |raw| raw;
    i64: I64 i64, 0, false, |v| v, |raw| raw;
    u64: I64 u64, 0, false, |v| v, |raw| raw;
    f32: F32 f32, 0.0, false, |v| v, |raw| raw;
    f64: F64 f64, 0.0, false, |v| v, |raw| raw;
    bool: I32 u32, false, false, u32::from, |raw| raw != 0;
    char: I32 u32, '\0', true, u32::from, |raw| char::from_u32(raw).unwrap_or_default();
}

/// The first four bytes.
fn bits(bytes: &[u8]) -> u32 {
    let bytes = bytes[..4].try_into();
    u32::from_le_bytes(bytes.expect("as many bytes as asked for"))
}

macro_rules! tuple {
    ($($name:ident)*) => {
        #[allow(non_snake_case, unused, reason = "named after the type parameters")]
        impl<$($name: Scalar),*> Scalars for ($($name,)*) {
            const SIZE: u32 = {
                let mut size = 0_u32;
                $(size = size.next_multiple_of($name::ALIGN) + $name::SIZE;)*
                size.next_multiple_of(Self::ALIGN)
            };
            const ALIGN: u32 = {
                let mut align = 1;
                $(if $name::ALIGN > align { align = $name::ALIGN; })*
                align
            };

            const ZERO: Self = ($($name::ZERO,)*);

            fn core() -> Vec<ValType> {
                [$($name::core()),*].concat()
            }

            #[inline(always)]
            fn write(&self, bytes: &mut [u8]) {
                let ($($name,)*) = self;
                let mut at = 0_u32;
                $(
                    at = at.next_multiple_of($name::ALIGN);
                    $name.write(&mut bytes[at as usize..]);
                    at += $name::SIZE;
                )*
            }

            const CHECKED: bool = $($name::CHECKED)||*;

            fn check(bytes: &[u8]) -> Lifted<()> {
                let mut at = 0_u32;
                $(
                    at = at.next_multiple_of($name::ALIGN);
                    $name::check(&bytes[at as usize..])?;
                    at += $name::SIZE;
                )*
                Ok(())
            }

            #[inline(always)]
            fn read(bytes: &[u8]) -> Self {
                let mut at = 0_u32;
                $(
                    at = at.next_multiple_of($name::ALIGN);
                    let $name = $name::read(&bytes[at as usize..]);
                    at += $name::SIZE;
                )*
                ($($name,)*)
            }
        }
    };
}

tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);
tuple!(A B C D E F G H I);
tuple!(A B C D E F G H I J);
tuple!(A B C D E F G H I J K);
tuple!(A B C D E F G H I J K L);

impl Scalars for () {
    const SIZE: u32 = 0;
    const ALIGN: u32 = 1;
    const ZERO: () = ();

    fn core() -> Vec<ValType> {
        Vec::new()
    }

    fn write(&self, _: &mut [u8]) {}

    const CHECKED: bool = false;

    fn check(_: &[u8]) -> Lifted<()> {
        Ok(())
    }

    fn read(_: &[u8]) {}
}
