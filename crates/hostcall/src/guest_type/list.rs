//! Slices, vectors and arrays.

use super::{GuestPlace, GuestType, Lift, Lower, Needs, returns_self};
use crate::args::Args;
use crate::fault::Lifted;
use crate::layout::{self, Layouts};
use crate::results::Results;
use crate::ty::Type;

macro_rules! list_type {
    ([$($generics:tt)*] $ty:ty, $needs:expr) => {
        // SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.
        unsafe impl<$($generics)*> GuestType for $ty {
            fn ty() -> Type {
                Type::List(Box::new(T::ty()))
            }
            const FLAT: usize = 2;
            const LAYOUT: Layouts = layout::words(2);
            const NEEDS: Needs = $needs;
        }
    };
}

list_type!([T: GuestType] &[T], T::NEEDS.and(Needs::MEMORY));
list_type!([T: GuestPlace] &mut [T], Needs::EXCLUSIVE);
list_type!([T: GuestType] Vec<T>, T::NEEDS.and(Needs::MEMORY));

impl<T: GuestPlace> Lift for &[T] {
    type Value<'a> = &'a [T];

    #[inline(always)]
    fn lift<'a>(args: &mut Args<'a>) -> Lifted<&'a [T]> {
        let (pointer, count) = (args.word(), args.word());
        let list = args.view.slice::<T>(pointer, count)?;
        args.lifted(size_of_val(list) as u64)?;
        Ok(list)
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<&'a [T]> {
        let (pointer, count) = args.load_pair(at)?;
        let list = args.view.slice::<T>(pointer, count)?;
        args.charge(size_of_val(list) as u64)?;
        args.lifted(size_of_val(list) as u64)?;
        Ok(list)
    }
}

impl<T: GuestPlace> Lift for &mut [T] {
    type Value<'a> = &'a mut [T];

    #[inline(always)]
    fn lift<'a>(args: &mut Args<'a>) -> Lifted<&'a mut [T]> {
        let (pointer, count) = (args.word(), args.word());
        let list = args.view.slice_mut::<T>(pointer, count)?;
        args.lifted(size_of_val(list) as u64)?;
        Ok(list)
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<&'a mut [T]> {
        let (pointer, count) = args.load_pair(at)?;
        let list = args.view.slice_mut::<T>(pointer, count)?;
        args.lifted(size_of_val(list) as u64)?;
        Ok(list)
    }
}

impl<T: Lift> Lift for Vec<T> {
    type Value<'a> = Vec<T::Value<'a>>;

    fn lift<'a>(args: &mut Args<'a>) -> Lifted<Vec<T::Value<'a>>> {
        let (pointer, count) = (args.word(), args.word());
        load_aligned::<T>(args, pointer, count)
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<Vec<T::Value<'a>>> {
        let (pointer, count) = args.load_pair(at)?;
        load_aligned::<T>(args, pointer, count)
    }
}

fn load_aligned<'a, T: Lift>(
    args: &mut Args<'a>,
    pointer: u64,
    count: u64,
) -> Lifted<Vec<T::Value<'a>>> {
    const {
        assert!(
            !T::NEEDS.exclusive,
            "a list cannot hold mutable borrows: take `&mut [T]`"
        );
    }
    crate::memory::check_align(pointer, T::LAYOUT[args.width()].align)?;
    T::load_list(args, pointer, count)
}

impl<T> Lower for &[T]
where
    T: for<'a> Lower<Value<'a> = T> + Clone + 'static,
{
    type Value<'a> = &'a [T];

    fn lower(value: &[T], results: &mut Results<'_>) -> wasmtime::Result<()> {
        let (pointer, count) = store_items::<T>(value.iter().cloned(), results)?;
        results.bits(pointer)?;
        results.bits(count)
    }

    fn store(value: &[T], results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        let pair = store_items::<T>(value.iter().cloned(), results)?;
        results.store_pair(at, pair)
    }
}

impl<T: Lower> Lower for Vec<T> {
    type Value<'a> = Vec<T::Value<'a>>;

    fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()> {
        let (pointer, count) = store_items::<T>(value.into_iter(), results)?;
        results.bits(pointer)?;
        results.bits(count)
    }

    fn store(value: Self::Value<'_>, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        let pair = store_items::<T>(value.into_iter(), results)?;
        results.store_pair(at, pair)
    }
}

returns_self!(impl[T: for<'x> Lower<Value<'x> = T>] Vec<T>);

/// Allocates a list in the guest and fills it; gives its pointer and count.
fn store_items<'v, T: Lower>(
    items: impl ExactSizeIterator<Item = T::Value<'v>>,
    results: &mut Results<'_>,
) -> wasmtime::Result<(u64, u64)> {
    let layout = T::LAYOUT[results.width()];
    let count = items.len();
    let at = results.alloc(count, layout.size, layout.align)?;
    T::store_list(items, results, at)?;
    Ok((at, count as u64))
}

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl<T: GuestType, const N: usize> GuestType for [T; N] {
    fn ty() -> Type {
        Type::Tuple((0..N).map(|_| T::ty()).collect())
    }
    const FLAT: usize = N * T::FLAT;
    const LAYOUT: Layouts = layout::record(&[T::LAYOUT; N]);
    const NEEDS: Needs = T::NEEDS;
}

impl<T: Lift, const N: usize> Lift for [T; N] {
    type Value<'a> = [T::Value<'a>; N];

    fn lift<'a>(args: &mut Args<'a>) -> Lifted<[T::Value<'a>; N]> {
        array(|_| T::lift(args))
    }

    fn load<'a>(args: &mut Args<'a>, at: u64) -> Lifted<[T::Value<'a>; N]> {
        let stride = T::LAYOUT[args.width()].size;
        array(|i| T::load(args, at + (i * stride) as u64))
    }
}

fn array<T, const N: usize>(item: impl FnMut(usize) -> Lifted<T>) -> Lifted<[T; N]> {
    let items: Vec<T> = (0..N).map(item).collect::<Lifted<_>>()?;
    Ok(items
        .try_into()
        .unwrap_or_else(|_| unreachable!("{N} items were collected")))
}

impl<T: Lower, const N: usize> Lower for [T; N] {
    type Value<'a> = [T::Value<'a>; N];

    fn lower(value: Self::Value<'_>, results: &mut Results<'_>) -> wasmtime::Result<()> {
        value
            .into_iter()
            .try_for_each(|item| T::lower(item, results))
    }

    fn store(value: Self::Value<'_>, results: &mut Results<'_>, at: u64) -> wasmtime::Result<()> {
        T::store_list(value.into_iter(), results, at)
    }
}

returns_self!(impl[T: for<'x> Lower<Value<'x> = T>, const N: usize] [T; N]);
