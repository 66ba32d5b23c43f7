//! Numbers, `bool` and `char`, by the canonical ABI's rules.

use super::{GuestPlace, GuestType, Lift, Lower, Needs, returns_self};
use crate::args::Args;
use crate::fault::{Fault, Lifted};
use crate::layout::{self, Layouts};
use crate::results::Results;
use crate::ty::Type;

/// The scalar value of an `i32`.
pub(crate) fn to_char(value: u32) -> Lifted<char> {
    char::from_u32(value).ok_or_else(|| Box::new(Fault::Char(value)))
}

macro_rules! number {
    ($($ty:ty: $name:ident, $lift:ident as $raw:ty, $to_bits:expr;)*) => {$(
        // SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.
        unsafe impl GuestType for $ty {
            fn ty() -> Type {
                Type::$name
            }
            const FLAT: usize = 1;
            const LAYOUT: Layouts = layout::scalar(size_of::<$ty>());
            const NEEDS: Needs = Needs::NOTHING;
        }

        impl Lift for $ty {
            type Value<'a> = $ty;

            #[inline(always)]
            fn lift(args: &mut Args<'_>) -> Lifted<$ty> {
                Ok(args.$lift() as $ty)
            }

            #[inline(always)]
            fn load(args: &mut Args<'_>, at: u64) -> Lifted<$ty> {
                Ok(<$ty>::from_le_bytes(args.load(at)?))
            }

            fn load_list(args: &mut Args<'_>, at: u64, count: u64) -> Lifted<Vec<$ty>> {
                args.list(at, count, size_of::<$ty>(), size_of::<$ty>())?;
                args.view.copy::<$ty>(at, count)
            }
        }

        impl Lower for $ty {
            type Value<'a> = $ty;

            #[inline(always)]
            fn lower(value: $ty, results: &mut Results<'_>) -> wasmtime::Result<()> {
                let to_bits: fn($ty) -> u64 = $to_bits;
                results.bits(to_bits(value))
            }

            #[inline(always)]
            fn store(value: $ty, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
                results.store(at, &value.to_le_bytes())
            }

            fn store_list<'v>(
                items: impl Iterator<Item = Self::Value<'v>>,
                results: &mut Results<'_>,
                at: u64,
            ) -> wasmtime::Result<()> {
                let bytes: Vec<u8> = items.flat_map(<$ty>::to_le_bytes).collect();
                results.store(at, &bytes)
            }
        }

        // SAFETY: numbers have no padding.
        unsafe impl GuestPlace for $ty {
            const PADDED: bool = false;
        }

        returns_self!(impl[] $ty);
    )*};
}

// Small integers are sign- or zero-extended to 32 bits, as the canonical ABI
// and C compilers do; what is lifted is wrapped, never refused.
number! {
    i8: S8, u32 as u32, |v| u64::from(i32::from(v) as u32);
    u8: U8, u32 as u32, u64::from;
    i16: S16, u32 as u32, |v| u64::from(i32::from(v) as u32);
    u16: U16, u32 as u32, u64::from;
    i32: S32, u32 as u32, |v| u64::from(v as u32);
    u32: U32, u32 as u32, u64::from;
    i64: S64, u64 as u64, |v| v as u64;
    u64: U64, u64 as u64, |v| v;
    f32: F32, f32 as f32, |v| u64::from(v.to_bits());
    f64: F64, f64 as f64, f64::to_bits;
}

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl GuestType for bool {
    fn ty() -> Type {
        Type::Bool
    }
    const FLAT: usize = 1;
    const LAYOUT: Layouts = layout::scalar(1);
    const NEEDS: Needs = Needs::NOTHING;
}

impl Lift for bool {
    type Value<'a> = bool;

    #[inline(always)]
    fn lift(args: &mut Args<'_>) -> Lifted<bool> {
        Ok(args.u32() != 0)
    }

    fn load(args: &mut Args<'_>, at: u64) -> Lifted<bool> {
        Ok(args.load::<1>(at)? != [0])
    }
}

impl Lower for bool {
    type Value<'a> = bool;

    #[inline(always)]
    fn lower(value: bool, results: &mut Results<'_>) -> wasmtime::Result<()> {
        results.bits(u64::from(value))
    }

    fn store(value: bool, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        results.store(at, &[u8::from(value)])
    }
}

// SAFETY: one byte has no padding.
unsafe impl GuestPlace for bool {
    const PADDED: bool = false;
}

returns_self!(impl[] bool);

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl GuestType for char {
    fn ty() -> Type {
        Type::Char
    }
    const FLAT: usize = 1;
    const LAYOUT: Layouts = layout::scalar(4);
    const NEEDS: Needs = Needs::NOTHING;
}

impl Lift for char {
    type Value<'a> = char;

    #[inline(always)]
    fn lift(args: &mut Args<'_>) -> Lifted<char> {
        to_char(args.u32())
    }

    fn load(args: &mut Args<'_>, at: u64) -> Lifted<char> {
        to_char(u32::from_le_bytes(args.load(at)?))
    }
}

impl Lower for char {
    type Value<'a> = char;

    #[inline(always)]
    fn lower(value: char, results: &mut Results<'_>) -> wasmtime::Result<()> {
        results.bits(u64::from(u32::from(value)))
    }

    fn store(value: char, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        results.store(at, &u32::from(value).to_le_bytes())
    }
}

// SAFETY: its number has no padding.
unsafe impl GuestPlace for char {
    const PADDED: bool = false;
}

returns_self!(impl[] char);
