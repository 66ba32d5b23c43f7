//! `()`, tuples, `Option` and `Result`.

use super::{GuestType, Lift, Lower, Needs, returns_self};
use crate::args::Args;
use crate::fault::{Fault, Lifted};
use crate::layout::{self, Layouts, UNIT};
use crate::results::{Results, unstorable};
use crate::ty::Type;

/// Lifts the payload of one case from slots that all cases share.
#[doc(hidden)]
#[inline(always)]
pub fn lift_case<'a, T: Lift>(args: &mut Args<'a>, slots: usize) -> Lifted<T::Value<'a>> {
    let value = T::lift(args)?;
    args.skip(slots - T::FLAT);
    Ok(value)
}

/// Lowers the payload of one case into slots that all cases share.
#[doc(hidden)]
#[inline(always)]
pub fn lower_case<T: Lower>(
    value: T::Value<'_>,
    results: &mut Results<'_>,
    slots: usize,
) -> wasmtime::Result<()> {
    T::lower(value, results)?;
    results.zeros(slots - T::FLAT)
}

/// The fault for a discriminant that no case has.
#[doc(hidden)]
#[cold]
pub fn bad_tag<T>(tag: u32, cases: u32) -> Lifted<T> {
    Err(Box::new(Fault::Tag { tag, cases }))
}

/// The larger of two numbers of slots.
#[doc(hidden)]
pub const fn max(slots: &[usize]) -> usize {
    let (mut max, mut i) = (0, 0);
    while i < slots.len() {
        if slots[i] > max {
            max = slots[i];
        }
        i += 1;
    }
    max
}

/// Loads a discriminant.
#[doc(hidden)]
pub fn load_tag(args: &mut Args<'_>, at: u64, cases: usize) -> Lifted<u32> {
    Ok(match layout::tag_size(cases) {
        1 => u32::from(args.load::<1>(at)?[0]),
        2 => u32::from(u16::from_le_bytes(args.load(at)?)),
        _ => u32::from_le_bytes(args.load(at)?),
    })
}

/// Stores a discriminant.
#[doc(hidden)]
pub fn store_tag(
    results: &mut Results<'_>,
    at: u64,
    tag: u32,
    cases: usize,
) -> wasmtime::Result<()> {
    results.store(at, &tag.to_le_bytes()[..layout::tag_size(cases)])
}

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl<T: GuestType> GuestType for Option<T> {
    fn ty() -> Type {
        Type::Option(Box::new(T::ty()))
    }
    const FLAT: usize = if T::NULLABLE { T::FLAT } else { 1 + T::FLAT };
    const LAYOUT: Layouts = layout::variant(&[UNIT, T::LAYOUT]);
    const NEEDS: Needs = T::NEEDS;
}

impl<T: Lift> Lift for Option<T> {
    type Value<'a> = Option<T::Value<'a>>;

    #[inline(always)]
    fn lift<'a>(args: &mut Args<'a>) -> Lifted<Self::Value<'a>> {
        if T::NULLABLE {
            if args.is_null() {
                args.skip(T::FLAT);
                return Ok(None);
            }
            return Ok(Some(T::lift(args)?));
        }
        match args.u32() {
            0 => {
                args.skip(T::FLAT);
                Ok(None)
            }
            1 => Ok(Some(T::lift(args)?)),
            tag => bad_tag(tag, 2),
        }
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<Self::Value<'a>> {
        match load_tag(args, at, 2)? {
            0 => Ok(None),
            1 => {
                let payload = layout::payload_offset(&[UNIT, T::LAYOUT], args.width());
                Ok(Some(T::load(args, at + payload as u64)?))
            }
            tag => bad_tag(tag, 2),
        }
    }
}

impl<T: Lower> Lower for Option<T> {
    type Value<'a> = Option<T::Value<'a>>;

    #[inline(always)]
    fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()> {
        match value {
            None if T::NULLABLE => results.null(),
            Some(value) if T::NULLABLE => T::lower(value, results),
            None => results.zeros(1 + T::FLAT),
            Some(value) => {
                results.bits(1)?;
                T::lower(value, results)
            }
        }
    }

    fn store(value: Self::Value<'_>, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        if T::NULLABLE {
            return Err(unstorable());
        }
        store_tag(results, at, u32::from(value.is_some()), 2)?;
        let payload = layout::payload_offset(&[UNIT, T::LAYOUT], results.width());
        match value {
            None => Ok(()),
            Some(value) => T::store(value, results, at + payload as u64),
        }
    }
}

returns_self!(impl[T: for<'x> Lower<Value<'x> = T>] Option<T>);

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl<T: GuestType, E: GuestType> GuestType for Result<T, E> {
    fn ty() -> Type {
        // A case of `()` carries nothing.
        let payload = |ty: Type| (ty != Type::Tuple(Vec::new())).then(|| Box::new(ty));
        Type::Result(payload(T::ty()), payload(E::ty()))
    }
    const FLAT: usize = 1 + max(&[T::FLAT, E::FLAT]);
    const LAYOUT: Layouts = layout::variant(&[T::LAYOUT, E::LAYOUT]);
    const NEEDS: Needs = T::NEEDS.and(E::NEEDS);
}

impl<T: Lift, E: Lift> Lift for Result<T, E> {
    type Value<'a> = Result<T::Value<'a>, E::Value<'a>>;

    fn lift<'a>(args: &mut Args<'a>) -> Lifted<Self::Value<'a>> {
        match args.u32() {
            0 => Ok(Ok(lift_case::<T>(args, Self::FLAT - 1)?)),
            1 => Ok(Err(lift_case::<E>(args, Self::FLAT - 1)?)),
            tag => bad_tag(tag, 2),
        }
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<Self::Value<'a>> {
        let payload = layout::payload_offset(&[T::LAYOUT, E::LAYOUT], args.width()) as u64;
        match load_tag(args, at, 2)? {
            0 => Ok(Ok(T::load(args, at + payload)?)),
            1 => Ok(Err(E::load(args, at + payload)?)),
            tag => bad_tag(tag, 2),
        }
    }
}

impl<T: Lower, E: Lower> Lower for Result<T, E> {
    type Value<'a> = Result<T::Value<'a>, E::Value<'a>>;

    fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()> {
        results.bits(u64::from(value.is_err()))?;
        match value {
            Ok(value) => lower_case::<T>(value, results, Self::FLAT - 1),
            Err(error) => lower_case::<E>(error, results, Self::FLAT - 1),
        }
    }

    fn store(value: Self::Value<'_>, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        store_tag(results, at, u32::from(value.is_err()), 2)?;
        let payload = layout::payload_offset(&[T::LAYOUT, E::LAYOUT], results.width()) as u64;
        match value {
            Ok(value) => T::store(value, results, at + payload),
            Err(error) => E::store(error, results, at + payload),
        }
    }
}

macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        // SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.
        unsafe impl<$($name: GuestType),*> GuestType for ($($name,)*) {
            fn ty() -> Type {
                Type::Tuple(vec![$($name::ty()),*])
            }
            const FLAT: usize = 0 $(+ $name::FLAT)*;
            const LAYOUT: Layouts = layout::record(&[$($name::LAYOUT),*]);
            const NEEDS: Needs = Needs::all(&[$($name::NEEDS),*]);
            const PARTS: &'static [Layouts] = &[$($name::LAYOUT),*];
            fn parts() -> Vec<Type> {
                vec![$($name::ty()),*]
            }
        }

        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple uses nothing")]
        impl<$($name: Lift),*> Lift for ($($name,)*) {
            type Value<'a> = ($($name::Value<'a>,)*);

            #[inline(always)]
            fn lift<'a>(args: &mut Args<'a>) -> Lifted<Self::Value<'a>> {
                Ok(($($name::lift(args)?,)*))
            }

            fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<Self::Value<'a>> {
                let fields: &[Layouts] = &[$($name::LAYOUT),*];
                Ok(($($name::load(
                    args,
                    at + layout::offset(fields, $index, args.width()) as u64,
                )?,)*))
            }
        }

        #[allow(unused_variables, reason = "the empty tuple uses nothing")]
        impl<$($name: Lower),*> Lower for ($($name,)*) {
            type Value<'a> = ($($name::Value<'a>,)*);

            #[inline(always)]
            fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()> {
                $($name::lower(value.$index, results)?;)*
                Ok(())
            }

            fn store(
                value: Self::Value<'_>,
                results: &mut Results<'_>,
                at: u64,
            ) -> wasmtime::Result<()> {
                let fields: &[Layouts] = &[$($name::LAYOUT),*];
                $($name::store(
                    value.$index,
                    results,
                    at + layout::offset(fields, $index, results.width()) as u64,
                )?;)*
                Ok(())
            }

            #[inline(always)]
            fn store_parts(
                value: Self::Value<'_>,
                results: &mut Results<'_>,
                outs: &[u64],
            ) -> wasmtime::Result<()> {
                $($name::store(value.$index, results, outs[$index])?;)*
                Ok(())
            }
        }

        returns_self!(impl[$($name: for<'x> Lower<Value<'x> = $name>),*] ($($name,)*));
    };
}

tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);
