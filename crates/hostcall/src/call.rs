//! The host calls the guest: parameters lowered, results lifted.

#![expect(
    unsafe_code,
    reason = "raw calls of functions whose types were checked"
)]

use crate::args::Args;
use crate::deferred::settle;
use crate::error::{Bad, Error, ErrorKind, Place};
use crate::fault::Lifted;
use crate::guest_type::{Lift, Lower, Needs};
use crate::layout::Layouts;
use crate::memory::{Source, check_align};
use crate::reach::{Reach, RefKind, wrong_instance};
use crate::results::lower_into;
use crate::ty::{Return, Signature, Type};
use hostcall_link::{FuncType, ValType};
use std::mem::MaybeUninit;
use wasmtime::{Func, ValRaw};

/// A function of the guest whose type was checked.
#[derive(Clone, Copy)]
pub(crate) struct Callable {
    pub func: Func,
    pub form: Return,
    /// The guest's `cabi_post_*` function, which frees what the result holds.
    pub post: Option<Func>,
    /// The instance it belongs to; zero in stores that hostcall does not own.
    pub owner: u64,
}

/// The interface of a guest function that takes `params` and returns `result`:
/// a tuple of parameters is passed as several, the unit result as none.
pub(crate) fn signature(params: &Type, result: &Type) -> Signature {
    let params = match params {
        Type::Tuple(types) => types.clone(),
        one => vec![one.clone()],
    };
    let params = params
        .into_iter()
        .enumerate()
        .map(|(i, ty)| (format!("p{i}"), ty));
    let results = if *result == Type::Tuple(Vec::new()) {
        vec![]
    } else {
        vec![result.clone()]
    };
    Signature::new(params, results)
}

/// How the core type `found` returns the result of the given interface; if it
/// has another interface, the core types that would do.
pub(crate) fn export_form(
    params: &Type,
    result: &Type,
    wide: bool,
    found: &FuncType,
) -> Result<Return, String> {
    signature_form(&signature(params, result), wide, found)
}

pub(crate) fn signature_form(
    signature: &Signature,
    wide: bool,
    found: &FuncType,
) -> Result<Return, String> {
    let forms = signature.export_forms(wide);
    match forms.iter().find(|(ty, _)| ty == found) {
        Some((_, form)) => Ok(*form),
        None => {
            let forms: Vec<_> = forms.iter().map(|(ty, _)| ty.to_string()).collect();
            Err(forms.join(" or "))
        }
    }
}

/// Positions of the references among core values.
pub(crate) fn reference_positions(types: &[ValType]) -> Vec<(usize, RefKind)> {
    let kinds = types.iter().enumerate().map(|(at, ty)| match ty {
        ValType::FuncRef => Some((at, RefKind::Func)),
        ValType::ExternRef => Some((at, RefKind::Extern)),
        _ => None,
    });
    kinds.flatten().collect()
}

/// Parameters of most functions fit, without an allocation.
pub(crate) const INLINE_SLOTS: usize = 16;

/// Room for `needed` core values.
#[inline(always)]
pub(crate) fn slots<'s>(
    inline: &'s mut [MaybeUninit<ValRaw>],
    spilled: &'s mut Vec<MaybeUninit<ValRaw>>,
    needed: usize,
) -> &'s mut [MaybeUninit<ValRaw>] {
    if needed <= inline.len() {
        return inline;
    }
    spilled.resize(needed, MaybeUninit::uninit());
    spilled
}

/// Calls `callable` in the guest that `reach` reaches.
#[inline(always)]
pub(crate) fn call<P, R>(
    reach: &mut dyn Reach,
    callable: &Callable,
    params: P::Value<'_>,
) -> wasmtime::Result<R>
where
    P: Lower,
    R: for<'a> Lift<Value<'a> = R>,
{
    reach.drain_kept()?;
    let result = call_unsettled::<P, R>(reach, callable, params);
    settle(reach, result)
}

/// The same; what the guest has queued stays there.
#[inline(always)]
fn call_unsettled<P, R>(
    reach: &mut dyn Reach,
    callable: &Callable,
    params: P::Value<'_>,
) -> wasmtime::Result<R>
where
    P: Lower,
    R: for<'a> Lift<Value<'a> = R>,
{
    let mut inline = [MaybeUninit::<ValRaw>::uninit(); INLINE_SLOTS];
    let mut spilled = Vec::new();
    let needed = const { if P::FLAT > R::FLAT { P::FLAT } else { R::FLAT } };
    let slots = slots(&mut inline, &mut spilled, needed);
    let wide = reach.wide();
    lower_into(slots, &[], reach, P::NEEDS.references, |results| {
        P::lower(params, results)
    })
    .map_err(passing)?;
    // SAFETY: `callable` was made for `P` and `R`: its type is a core form of
    // theirs, so all its parameters were written, and there is room for its
    // results.
    unsafe { reach.call(&callable.func, slots)? };
    let plain = const { !R::NEEDS.memory && !R::NEEDS.references };
    let lifted = if plain && callable.form == Return::Direct {
        // SAFETY: the call succeeded, so it has written its results.
        let mut args = unsafe { Args::new(slots, wide, Source::Absent, None, &[]) };
        R::lift(&mut args).map_err(|fault| Bad::at(Place::Returned, fault))
    } else {
        // SAFETY: as above.
        unsafe { lift_any::<R>(reach, slots, callable.form) }
    };
    if let Some(post) = callable.post {
        // SAFETY: `post` takes the core results, which are still in place.
        unsafe { reach.call(&post, slots)? };
    }
    lifted
}

/// Lifts a result that may lie in memory, or be a reference.
///
/// # Safety
///
/// As [`lift_results`].
unsafe fn lift_any<R: for<'a> Lift<Value<'a> = R>>(
    reach: &mut dyn Reach,
    slots: &[MaybeUninit<ValRaw>],
    form: Return,
) -> wasmtime::Result<R> {
    let wide = reach.wide();
    let lift = |args: &mut Args<'_>, at| match at {
        Some(at) => R::load(args, at),
        None => R::lift(args),
    };
    let shape = Shape {
        form,
        layout: R::LAYOUT,
        needs: R::NEEDS,
    };
    // SAFETY: promised by the caller.
    unsafe { lift_results(reach, slots, shape, || positions::<R>(wide), lift) }
}

/// A fault while arguments are lowered is no result's.
#[cold]
pub(crate) fn passing(error: wasmtime::Error) -> wasmtime::Error {
    match error.downcast::<Bad>() {
        Ok(bad) => Bad::at(Place::Passed, bad.fault),
        Err(error) => error,
    }
}

fn positions<R: Lift>(wide: bool) -> Vec<(usize, RefKind)> {
    let mut flat = Vec::new();
    R::ty().flatten(wide, &mut flat);
    reference_positions(&flat)
}

/// How results are returned.
pub(crate) struct Shape {
    pub form: Return,
    pub layout: Layouts,
    pub needs: Needs,
}

/// Lifts the results that a call has left in `slots`; `lift` is told the
/// address if they are in memory.
///
/// # Safety
///
/// `slots` must hold the results, of the types that `lift` reads and whose
/// references `positions` gives.
#[inline(always)]
pub(crate) unsafe fn lift_results<R>(
    reach: &mut dyn Reach,
    slots: &[MaybeUninit<ValRaw>],
    shape: Shape,
    positions: impl FnOnce() -> Vec<(usize, RefKind)>,
    lift: impl FnOnce(&mut Args<'_>, Option<u64>) -> Lifted<R>,
) -> wasmtime::Result<R> {
    let wide = reach.wide();
    let Shape {
        form,
        layout,
        needs,
    } = shape;
    let in_memory = form == Return::Memory;
    // Set only where there are any, so that other calls have nothing to drop.
    let found;
    let references: &[_] = if needs.references && !in_memory {
        // SAFETY: promised by the caller.
        found = unsafe { reach.references(slots, &positions()) };
        &found
    } else {
        &[]
    };
    let (source, transfer) = if needs.memory || in_memory {
        reach.source_and_transfer()
    } else {
        (Source::Absent, None)
    };
    // SAFETY: promised by the caller.
    let args = unsafe { Args::new(slots, wide, source, None, references) };
    let mut args = args.counted(transfer);
    let at = in_memory.then(|| args.word());
    let aligned = match at {
        Some(at) => {
            let layout = layout[usize::from(wide)];
            let inside = args.view.peek(at, layout.size as u64).map(|_| ());
            let aligned = inside.and_then(|()| check_align(at, layout.align));
            aligned.and_then(|()| args.lifted(layout.size as u64))
        }
        None => Ok(()),
    };
    aligned
        .and_then(|()| lift(&mut args, at))
        .map_err(|fault| Bad::at(Place::Returned, fault))
}

/// Refuses a callable of another instance.
#[inline(always)]
pub(crate) fn check_owner(callable: &Callable, owner: u64) -> Result<(), Error> {
    if callable.owner == owner {
        Ok(())
    } else {
        Err(wrong_instance())
    }
}

/// The error for an export that is not there or has another type.
pub(crate) fn export_error(message: String) -> Error {
    Error::of(ErrorKind::Export(message))
}
