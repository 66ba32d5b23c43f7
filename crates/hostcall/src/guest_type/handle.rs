//! Addresses in guest memory that are looked at later, through the guest.

use super::{GuestPlace, GuestType, Lift, Lower, Needs};
use crate::args::Args;
use crate::fault::Lifted;
use crate::layout::{self, Layouts};
use crate::results::Results;
use crate::ty::Type;
use std::fmt;
use std::marker::PhantomData;

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident [$($param:ident)?] $ty:expr, $lift:ident, $load:ident, $raw:ty) => {
        $(#[$doc])*
        pub struct $name<$($param)?> {
            pub(crate) raw: $raw,
            /// Which argument it came from, for error messages.
            pub(crate) argument: u32,
            $(ty: PhantomData<fn() -> $param>,)?
        }

        impl<$($param)?> Clone for $name<$($param)?> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param)?> Copy for $name<$($param)?> {}

        impl<$($param)?> fmt::Debug for $name<$($param)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.raw).finish()
            }
        }

        // SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

        unsafe impl<$($param: GuestPlace)?> GuestType for $name<$($param)?> {
            fn ty() -> Type {
                $ty
            }
            const FLAT: usize = size_of::<$raw>() / size_of::<u64>();
            const LAYOUT: Layouts = layout::words(Self::FLAT);
            const NEEDS: Needs = Needs::HANDLES;
        }

        impl<$($param: GuestPlace)?> Lift for $name<$($param)?> {
            type Value<'a> = Self;

            fn lift(args: &mut Args<'_>) -> Lifted<Self> {
                let (raw, argument) = (args.$lift(), args.argument());
                Ok($name { raw, argument, $(ty: PhantomData::<fn() -> $param>)? })
            }

            fn load(args: &mut Args<'_>, at: u64) -> Lifted<Self> {
                let (raw, argument) = (args.$load(at)?, args.argument());
                Ok($name { raw, argument, $(ty: PhantomData::<fn() -> $param>)? })
            }
        }
    };
}

handle! {
    /// A string in guest memory, not looked at yet.
    ///
    /// What a host function takes in place of `&str` when it also takes the
    /// guest; read it with [`Guest::read_str`](crate::Guest::read_str), which
    /// checks it.
    GuestStr [] Type::String, pair, load_pair, (u64, u64)
}

handle! {
    /// A list in guest memory, not looked at yet.
    ///
    /// What a host function takes in place of `&[T]` or `&mut [T]` when it
    /// also takes the guest; see [`Guest::read_slice`](crate::Guest::read_slice)
    /// and [`Guest::slice_mut`](crate::Guest::slice_mut).
    GuestSlice [T] Type::List(Box::new(T::ty())), pair, load_pair, (u64, u64)
}

handle! {
    /// The address of a value in guest memory, not looked at yet.
    ///
    /// What a host function takes in place of `&T` or `&mut T` when it also
    /// takes the guest; see [`Guest::read`](crate::Guest::read) and
    /// [`Guest::write`](crate::Guest::write).
    GuestPtr [T] Type::Pointer(Box::new(T::ty())), word, load_word, u64
}

impl GuestStr {
    /// Length in bytes, as the guest gave it.
    #[expect(
        clippy::len_without_is_empty,
        reason = "an unchecked claim of the guest"
    )]
    pub fn len(&self) -> u64 {
        self.raw.1
    }
}

impl<T> GuestSlice<T> {
    /// The `count` elements at `address`, which are checked when they are used.
    pub fn new(address: u64, count: u64) -> GuestSlice<T> {
        GuestSlice {
            raw: (address, count),
            argument: u32::MAX,
            ty: PhantomData,
        }
    }

    /// Number of elements, as the guest gave it.
    #[expect(
        clippy::len_without_is_empty,
        reason = "an unchecked claim of the guest"
    )]
    pub fn len(&self) -> u64 {
        self.raw.1
    }
}

impl<T> GuestPtr<T> {
    /// The `T` at `address`, which is checked when it is used.
    pub fn new(address: u64) -> GuestPtr<T> {
        GuestPtr {
            raw: address,
            argument: u32::MAX,
            ty: PhantomData,
        }
    }

    /// The address in guest memory.
    pub fn address(&self) -> u64 {
        self.raw
    }
}

impl<T: GuestPlace> Lower for GuestPtr<T> {
    type Value<'a> = Self;

    fn lower(value: Self, results: &mut Results<'_>) -> wasmtime::Result<()> {
        results.bits(value.raw)
    }

    fn store(value: Self, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        results.store_word(at, value.raw)
    }
}

super::returns_self!(impl[T: GuestPlace] GuestPtr<T>);
