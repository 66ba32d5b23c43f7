//! Strings.

use super::{GuestType, Lift, Lower, Needs, returns_self};
use crate::args::Args;
use crate::fault::Lifted;
use crate::layout::{self, Layouts};
use crate::results::Results;
use crate::ty::Type;
use std::ffi::CStr;

macro_rules! string {
    ([$($generics:tt)*] $ty:ty, $value:ty, $copied:expr, $read:ident) => {
        // SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.
        unsafe impl<$($generics)*> GuestType for $ty {
            fn ty() -> Type {
                Type::String
            }
            const FLAT: usize = 2;
            const LAYOUT: Layouts = layout::words(2);
            const NEEDS: Needs = Needs::MEMORY;
        }

        impl<$($generics)*> Lift for $ty {
            type Value<'a> = $value;

            #[inline(always)]
            fn lift<'a>(args: &mut Args<'a>) -> Lifted<$value> {
                let (pointer, length) = (args.word(), args.word());
                if $copied {
                    args.charge_at(pointer, length)?;
                    args.lifted(length)?;
                    return args.view.$read(pointer, length);
                }
                let text = args.view.$read(pointer, length)?;
                args.lifted(length)?;
                Ok(text)
            }

            fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<$value> {
                // Charged even if it is borrowed: lists can name the same bytes
                // again and again, and each time they are read.
                let (pointer, length) = args.load_pair(at)?;
                args.charge_at(pointer, length)?;
                args.lifted(length)?;
                args.view.$read(pointer, length)
            }
        }

        impl<$($generics)*> Lower for $ty {
            type Value<'a> = $value;

            fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()> {
                let at = results.alloc_bytes(value.as_bytes(), 1)?;
                results.bits(at)?;
                results.bits(value.len() as u64)
            }

            fn store(
                value: Self::Value<'_>,
                results: &mut Results<'_>,
                at: u64,
            ) -> wasmtime::Result<()> {
                let pointer = results.alloc_bytes(value.as_bytes(), 1)?;
                results.store_pair(at, (pointer, value.len() as u64))
            }
        }
    };
}

string!(['x] &'x str, &'a str, false, str);
string!([] String, String, true, string);
returns_self!(impl[] String);

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl GuestType for &CStr {
    fn ty() -> Type {
        Type::CString
    }
    const FLAT: usize = 1;
    const LAYOUT: Layouts = layout::words(1);
    const NEEDS: Needs = Needs::MEMORY;
}

impl Lift for &CStr {
    type Value<'a> = &'a CStr;

    fn lift<'a>(args: &mut Args<'a>) -> Lifted<&'a CStr> {
        let pointer = args.word();
        let text = args.view.cstr(pointer)?;
        args.lifted(text.count_bytes() as u64)?;
        Ok(text)
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<&'a CStr> {
        let pointer = args.load_word(at)?;
        let text = args.view.cstr(pointer)?;
        args.charge(text.count_bytes() as u64)?;
        args.lifted(text.count_bytes() as u64)?;
        Ok(text)
    }
}
