//! The guest calls the host: arguments lifted, the result lowered.

#![expect(
    unsafe_code,
    reason = "host functions over the raw values that Wasmtime passes"
)]

use crate::args::{Args, out_of_slots};
use crate::call::reference_positions;
use crate::core::func_type;
use crate::error::{Panicked, Site, cross};
use crate::guest::{Guest, Within};
use crate::guest_type::{Lift, Lower, Needs, Returns};
use crate::inline::{InlineArgs, Page};
use crate::layout::{self, Layout};
use crate::limits::Transfer;
use crate::memory::{Borrows, Source, check, check_align};
use crate::reach::{Access, Reach, RefKind, StoreReach};
use crate::reference::Reference;
use crate::registry::FuncOptions;
use crate::results::{Results, lower_into, unusable};
use crate::ty::{Return, Type};
use crate::value::{self, Value};
use hostcall_link::FuncType;
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use wasmtime::{Caller, Linker, ValRaw};

/// Declares `$references`: those among the parameters `$params`. The list is made
/// only where there are any, so that other calls have nothing to drop.
macro_rules! find_references {
    ($references:ident, $params:ident, $bound:ident, $caller:ident, $slots:ident) => {
        let found;
        let $references: &[_] = if $params::NEEDS.references {
            found = $bound.references($caller, $slots);
            &found
        } else {
            &[]
        };
    };
}

mod apart;
mod suspending;

pub(crate) use apart::link_blocking_func;
pub(crate) use suspending::{link_async_dynamic, link_async_func, link_async_guest_func, waiting};

/// The parameters of a host function, as a list: `(A, (B, ()))`.
#[doc(hidden)]
pub trait Params {
    const NEEDS: Needs;
    /// Number of core values.
    const FLAT: usize;
    fn types(types: &mut Vec<Type>);
}

impl Params for () {
    const NEEDS: Needs = Needs::NOTHING;
    const FLAT: usize = 0;
    fn types(_: &mut Vec<Type>) {}
}

impl<H: Lift, T: Params> Params for (H, T) {
    const NEEDS: Needs = H::NEEDS.and(T::NEEDS);
    const FLAT: usize = H::FLAT + T::FLAT;
    fn types(types: &mut Vec<Type>) {
        types.push(H::ty());
        T::types(types);
    }
}

/// How a host function is linked to one import.
pub(crate) struct Linkage<'a> {
    /// Where the function goes in the linker.
    pub module: &'a str,
    pub name: &'a str,
    /// The core type it is imported under, and how that returns.
    pub ty: &'a FuncType,
    pub form: Return,
    /// Whether pointers are 64 bits wide.
    pub wide: bool,
    pub options: FuncOptions,
    /// Whether calls of it are held to limits.
    pub metered: bool,
}

/// What every call of one linked host function shares.
pub(crate) struct Bound<A> {
    pub access: A,
    pub site: Arc<Site>,
    /// What a guest handle is told about the function that has it.
    pub caller: Within,
    form: Return,
    wide: bool,
    /// Number of core parameters; a return pointer is the last, or
    /// out-pointers are.
    params: usize,
    references: Vec<(usize, RefKind)>,
}

impl<A: Clone> Bound<A> {
    pub fn new(access: A, site: Arc<Site>, linkage: &Linkage<'_>) -> Bound<A> {
        Bound {
            access,
            caller: Within::Host {
                site: site.clone(),
                depth: linkage.options.reentrant,
            },
            site,
            form: linkage.form,
            wide: linkage.wide,
            params: linkage.ty.params.len(),
            references: reference_positions(&linkage.ty.params),
        }
    }
}

type RawSlots<'a> = &'a mut [MaybeUninit<ValRaw>];

/// Checks once that there are as many slots as parameters, before each is read.
#[inline(always)]
fn check_slots<P: Params>(slots: &[MaybeUninit<ValRaw>]) {
    if slots.len() < P::FLAT {
        out_of_slots();
    }
}

/// Defines a host function in a Wasmtime linker.
///
/// # Safety
///
/// `func` must read parameters and write results of the type in `linkage`.
unsafe fn define<D: 'static, A: Access<D>>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    access: A,
    site: Arc<Site>,
    func: impl Fn(&mut Caller<'_, D>, RawSlots<'_>) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    // Other hosts pay nothing for what these are asked.
    if linkage.metered {
        let func = metered(access, linkage.options.fuel, Box::new(func));
        // SAFETY: promised by the caller.
        return unsafe { define_as_is(linker, linkage, site, func) };
    }
    // SAFETY: promised by the caller.
    unsafe { define_as_is(linker, linkage, site, func) }
}

type DynFunc<D> =
    dyn Fn(&mut Caller<'_, D>, RawSlots<'_>) -> wasmtime::Result<()> + Send + Sync + 'static;

/// The same function, held to the limits of the instance that calls it.
fn metered<D: 'static, A: Access<D>>(
    access: A,
    fuel: u64,
    func: Box<DynFunc<D>>,
) -> impl Fn(&mut Caller<'_, D>, RawSlots<'_>) -> wasmtime::Result<()> + Send + Sync + 'static {
    move |caller: &mut Caller<'_, D>, slots: RawSlots<'_>| {
        access.host_call(caller, fuel, |caller| func(caller, slots))
    }
}

/// # Safety
///
/// As [`define`].
unsafe fn define_as_is<D: 'static>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    site: Arc<Site>,
    func: impl Fn(&mut Caller<'_, D>, RawSlots<'_>) -> wasmtime::Result<()> + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    let ty = func_type(linker.engine(), linkage.ty)?;
    // A panic must not unwind through the guest: it becomes a trap. State that
    // the function has left half-changed is the embedder's, as after any
    // panic that is caught.
    let func = move |mut caller: Caller<'_, D>, slots: RawSlots<'_>| match catch_unwind(
        AssertUnwindSafe(|| func(&mut caller, slots)),
    ) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(cross(error, &site)),
        Err(payload) => Err(cross(wasmtime::Error::new(Panicked::new(&*payload)), &site)),
    };
    // SAFETY: promised by the caller.
    unsafe { linker.func_new_unchecked(linkage.module, linkage.name, ty, func)? };
    Ok(())
}

/// Links a host function that borrows from state and guest memory.
pub(crate) fn link_func<D, A, P, R, F>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    access: A,
    site: Arc<Site>,
    func: F,
) -> wasmtime::Result<()>
where
    D: 'static,
    A: Access<D>,
    P: Params,
    R: Returns,
    F: Fn(&mut A::State, &mut Args<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, D>, slots: RawSlots<'_>| {
        check_slots::<P>(slots);
        find_references!(references, P, bound, caller, slots);
        let value = {
            let (source, plain, data) = match P::NEEDS.memory {
                true => bound.access.source(caller),
                false => (Source::Absent, true, caller.data_mut()),
            };
            let mut recorded;
            let borrows = if P::NEEDS.exclusive {
                recorded = Borrows::default();
                Some(&mut recorded)
            } else {
                None
            };
            let (state, transfer) = bound.access.state_and_transfer(data);
            // SAFETY: Wasmtime has initialised the parameters, whose types are
            // those that the linkage was made for.
            let args =
                unsafe { Args::new(slots, !plain && bound.wide, source, borrows, references) };
            let mut args = args.counted(transfer.filter(|_| !plain));
            func(state, &mut args)?.returned()?
        };
        bound.lower::<D, R::Ok>(value, caller, slots)
    };
    // SAFETY: `linkage` is a form of the signature that `P` and `R` have.
    unsafe { define(linker, linkage, access, site, call) }
}

/// Links the native form of a function that can be inlined.
pub(crate) fn link_inline_func<D, A, R, F>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    access: A,
    site: Arc<Site>,
    func: F,
) -> wasmtime::Result<()>
where
    D: 'static,
    A: Access<D>,
    R: Returns,
    F: Fn(&mut A::State, &mut InlineArgs<'_>) -> wasmtime::Result<R> + Send + Sync + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, D>, slots: RawSlots<'_>| {
        let value = {
            let page = bound.access.page(caller);
            let page = page.map(|(memory, layout)| {
                let bytes = std::ptr::from_mut(memory.data_mut(&mut *caller));
                (bytes, layout)
            });
            let (source, _, data) = bound.access.source(caller);
            // SAFETY: the host page is a memory of its own, which linking
            // has added to the guest, so the bytes are neither those in
            // `source` nor in `data`. Nothing grows or frees it meanwhile:
            // the store is borrowed until the arguments are dropped.
            let page = page.map(|(bytes, layout)| Page::new(layout, unsafe { &mut *bytes }));
            // SAFETY: as in `link_func`. The parameters are scalars.
            let args = unsafe { Args::new(slots, bound.wide, Source::Absent, None, &[]) };
            let source = Some(source);
            let mut args = InlineArgs { args, source, page };
            func(bound.access.state(data), &mut args)?.returned()?
        };
        bound.lower::<D, R::Ok>(value, caller, slots)
    };
    // SAFETY: `linkage` is a form of the signature whose result is `R`.
    unsafe { define(linker, linkage, access, site, call) }
}

/// Links a host function that takes the guest: its arguments are lifted before
/// it may touch the guest, so `lift` gives owned ones.
pub(crate) fn link_guest_func<D, A, P, V, R, L, F>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    access: A,
    site: Arc<Site>,
    lift: L,
    func: F,
) -> wasmtime::Result<()>
where
    D: 'static,
    A: Access<D>,
    P: Params,
    R: Returns,
    L: Fn(&mut Args<'_>) -> wasmtime::Result<V> + Send + Sync + 'static,
    F: Fn(&mut Guest<'_, A::State>, V) -> R + Send + Sync + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, D>, slots: RawSlots<'_>| {
        check_slots::<P>(slots);
        find_references!(references, P, bound, caller, slots);
        let values = {
            let (source, transfer) = match P::NEEDS.memory {
                true => bound.source_and_transfer(caller),
                false => (Source::Absent, None),
            };
            // SAFETY: as in `link_func`.
            let args = unsafe { Args::new(slots, bound.wide, source, None, references) };
            lift(&mut args.counted(transfer))?
        };
        let value = {
            let mut reach = StoreReach::new(&mut *caller, bound.access.clone(), bound.wide);
            func(&mut Guest::new(&mut reach, &bound.caller), values).returned()?
        };
        bound.lower::<D, R::Ok>(value, caller, slots)
    };
    // SAFETY: as in `link_func`.
    unsafe { define(linker, linkage, access, site, call) }
}

/// Links a host function whose types are known only at run time.
pub(crate) fn link_dynamic<D, A, F>(
    linker: &mut Linker<D>,
    linkage: &Linkage<'_>,
    access: A,
    site: Arc<Site>,
    func: F,
) -> wasmtime::Result<()>
where
    D: 'static,
    A: Access<D>,
    F: Fn(&mut Guest<'_, A::State>, &[Value], &mut [Value]) -> wasmtime::Result<()>
        + Send
        + Sync
        + 'static,
{
    let bound = Bound::new(access.clone(), site.clone(), linkage);
    let call = move |caller: &mut Caller<'_, D>, slots: RawSlots<'_>| {
        let signature = &bound.site.signature;
        let mut reach = StoreReach::new(&mut *caller, bound.access.clone(), bound.wide);
        let values = lift_values(&bound, &mut reach, slots)?;
        let mut results: Vec<_> = signature.results.iter().map(Value::zero).collect();
        let mut guest = Guest::new(&mut reach, &bound.caller);
        func(&mut guest, &values, &mut results)?;
        bound.lower_values(&results, &mut reach, slots)
    };
    // SAFETY: `lower_values` writes what the signature says, or fails.
    unsafe { define(linker, linkage, access, site, call) }
}

/// The arguments of a function whose types are known only at run time.
fn lift_values<A>(
    bound: &Bound<A>,
    reach: &mut dyn Reach,
    slots: &[MaybeUninit<ValRaw>],
) -> wasmtime::Result<Vec<Value>> {
    let references = match bound.references.is_empty() {
        // SAFETY: `Bound::references` found them in the core type.
        false => unsafe { reach.references(slots, &bound.references) },
        true => Vec::new(),
    };
    let (slots, (source, transfer)) = (&slots[..bound.params], reach.source_and_transfer());
    // SAFETY: as in `link_func`; the linkage is a form of this very signature.
    let args = unsafe { Args::new(slots, bound.wide, source, None, &references) };
    let mut args = args.counted(transfer);
    let types = bound.site.signature.params.iter();
    types
        .map(|(_, ty)| args.arg_with(|args| value::lift(args, ty)))
        .collect()
}

impl<A> Bound<A> {
    /// The guest's memory, and what counts bytes if they are limited.
    #[inline(always)]
    fn source_and_transfer<'s, D>(
        &self,
        caller: &'s mut Caller<'_, D>,
    ) -> (Source<'s>, Option<&'s Transfer>)
    where
        D: 'static,
        A: Access<D>,
    {
        let (source, _, data) = self.access.source(caller);
        (source, self.access.transfer(data))
    }

    /// The references among the parameters, before memory is borrowed.
    fn references<D>(
        &self,
        caller: &mut Caller<'_, D>,
        slots: &[MaybeUninit<ValRaw>],
    ) -> Vec<(usize, Reference)>
    where
        D: 'static,
        A: Access<D>,
    {
        let mut reach = StoreReach::new(&mut *caller, self.access.clone(), self.wide);
        // SAFETY: the positions are those of references in the core type,
        // and Wasmtime has initialised the parameters.
        unsafe { reach.references(slots, &self.references) }
    }

    #[inline(always)]
    fn lower<D, R>(
        &self,
        value: R::Value<'_>,
        caller: &mut Caller<'_, D>,
        slots: RawSlots<'_>,
    ) -> wasmtime::Result<()>
    where
        D: 'static,
        A: Access<D>,
        R: Lower,
    {
        let mut reach = StoreReach::new(&mut *caller, self.access.clone(), self.wide);
        // A result of one core value is always returned directly.
        if R::FLAT <= 1 || self.form == Return::Direct {
            // Set only where there are any, so that others have nothing to drop.
            let found;
            let outs: &[_] = if R::OUTS > 0 {
                // They are the last parameters.
                found = (self.params - R::OUTS..self.params)
                    .map(|index| self.address(slots, index))
                    .collect::<SmallVec<[u64; 4]>>();
                &found
            } else {
                &[]
            };
            return lower_into(slots, outs, &mut reach, R::NEEDS.references, |results| {
                R::lower(value, results)
            });
        }
        let layout = R::LAYOUT[usize::from(self.wide)];
        let at = self.return_address(slots, layout, &mut reach)?;
        R::store(value, &mut Results::in_memory(self.wide, &mut reach), at)
    }

    fn lower_values(
        &self,
        values: &[Value],
        reach: &mut dyn Reach,
        slots: RawSlots<'_>,
    ) -> wasmtime::Result<()> {
        let types = &self.site.signature.results;
        if self.form == Return::Direct {
            return lower_into(slots, &[], reach, true, |results| {
                let mut values = values.iter().zip(types);
                values.try_for_each(|(value, ty)| value::lower(value, ty, results))
            });
        }
        let layouts: Vec<_> = types.iter().filter_map(Type::layouts).collect();
        let width = usize::from(self.wide);
        let at = self.return_address(slots, layout::record(&layouts)[width], reach)?;
        let results = &mut Results::in_memory(self.wide, reach);
        values
            .iter()
            .zip(types)
            .enumerate()
            .try_for_each(|(i, (v, ty))| {
                value::store(
                    v,
                    ty,
                    results,
                    at + layout::offset(&layouts, i, width) as u64,
                )
            })
    }

    /// The parameter at `index`, an address.
    fn address(&self, slots: &[MaybeUninit<ValRaw>], index: usize) -> u64 {
        // Results may lie behind the parameters.
        let slot = slots[..self.params][index];
        // SAFETY: Wasmtime has initialised the parameters, and results are
        // lowered into the slots only after this.
        let raw = unsafe { slot.assume_init() };
        if self.wide {
            raw.get_u64()
        } else {
            u64::from(raw.get_u32())
        }
    }

    /// The address that the guest wants the result at.
    fn return_address(
        &self,
        slots: &[MaybeUninit<ValRaw>],
        layout: Layout,
        reach: &mut dyn Reach,
    ) -> wasmtime::Result<u64> {
        // In this form the last parameter is the pointer.
        let at = self.address(slots, self.params - 1);
        check_align(at, layout.align).map_err(unusable)?;
        let size = reach.bytes_mut().map_err(unusable)?.len();
        check(size, at, layout.size as u64).map_err(unusable)?;
        reach.transfer(layout.size as u64)?;
        Ok(at)
    }
}
