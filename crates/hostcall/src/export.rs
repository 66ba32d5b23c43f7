//! Exports of a guest, resolved once.

#![expect(
    unsafe_code,
    reason = "raw calls of functions whose types were checked"
)]

use crate::call::{
    self, Callable, INLINE_SLOTS, Shape, check_owner, export_error, lift_results, passing,
    reference_positions, slots,
};
use crate::deferred::settle;
use crate::error::{Error, ErrorKind};
use crate::guest_type::{Lift, Lower, Needs};
use crate::instance::Instance;
use crate::layout::{self, Layouts};
use crate::reach::Reach;
use crate::results::lower_into;
use crate::ty::{Signature, Type};
use crate::value::{self, Value};
use hostcall_link::{ExternType, FuncType, ModuleInfo};
use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::Arc;
use wasmtime::{Extern, Func, ValRaw};

/// A function that a guest exports, with its type checked: calling it looks
/// nothing up.
///
/// `P` is a guest type or a tuple of them, `R` a guest type; see
/// [`Instance::export`].
pub struct Export<P, R> {
    name: Arc<str>,
    callable: Callable,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for Export<P, R> {
    fn clone(&self) -> Self {
        Export {
            name: self.name.clone(),
            callable: self.callable,
            types: PhantomData,
        }
    }
}

impl<P, R> fmt::Debug for Export<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<P, R> Export<P, R>
where
    P: Lower,
    R: for<'v> Lift<Value<'v> = R>,
{
    /// Calls the function.
    ///
    /// # Errors
    ///
    /// If the guest traps, a host function that it calls fails, or its result
    /// is invalid; also if `instance` is not the one it was resolved on.
    #[inline(always)]
    pub fn call<T>(&self, instance: &mut Instance<T>, params: P::Value<'_>) -> Result<R, Error> {
        check_owner(&self.callable, instance.owner())?;
        if instance.is_guarded() {
            return instance.enter_checked(&self.name, |reach| {
                call::call::<P, R>(reach, &self.callable, params)
            });
        }
        // In no closure, which might not be inlined where there are two.
        let result = call::call::<P, R>(&mut instance.reach(), &self.callable, params);
        instance.leave(&self.name, result)
    }

    /// Calls the function; async host functions that the guest calls may wait.
    ///
    /// Nothing happens until the future is polled. If it is dropped before it is
    /// done, the host function that was waiting is dropped, and the guest's call
    /// is unwound, as after a trap.
    ///
    /// # Errors
    ///
    /// As [`Export::call`].
    pub async fn call_async<'v, T>(
        &self,
        instance: &mut Instance<T>,
        params: P::Value<'v>,
    ) -> Result<R, Error>
    where
        T: Send,
        P::Value<'v>: Send,
        R: Send,
    {
        check_owner(&self.callable, instance.owner())?;
        let call = |reach: &mut dyn Reach| call::call::<P, R>(reach, &self.callable, params);
        instance.enter_async(&self.name, call).await
    }

    /// Calls the function from within a host function, which has to be declared
    /// re-entrant: see [`Host::reentrant`](crate::Host::reentrant).
    ///
    /// # Errors
    ///
    /// As [`Export::call`], and [`ErrorKind::Reentrancy`] if the host function may
    /// not call the guest, or not as deep.
    pub fn call_in<T>(
        &self,
        guest: &mut crate::Guest<'_, T>,
        params: P::Value<'_>,
    ) -> Result<R, Error> {
        check_owner(&self.callable, guest.reach().owner())?;
        guest.inward(&self.name, |reach| {
            call::call::<P, R>(reach, &self.callable, params)
        })
    }
}

/// Checks that `func` has the type that `P` and `R` ask for.
pub(crate) fn resolve<P, R>(
    reach: &mut dyn Reach,
    func: Func,
    name: &str,
    params: &[Option<String>],
) -> Result<Export<P, R>, Error>
where
    P: Lower,
    R: for<'v> Lift<Value<'v> = R>,
{
    let signature = call::signature(&P::ty(), &R::ty());
    let callable = callable(reach, func, name, &signature, params)?;
    Ok(Export {
        name: name.into(),
        callable,
        types: PhantomData,
    })
}

fn callable(
    reach: &mut dyn Reach,
    func: Func,
    name: &str,
    signature: &Signature,
    params: &[Option<String>],
) -> Result<Callable, Error> {
    let found = reach.func_type(&func);
    let wide = reach.wide();
    let form = call::signature_form(signature, wide, &found).map_err(|forms| {
        let difference = difference(signature, wide, &found, params);
        export_error(format!(
            "export `{}` has type {found}, but {signature} needs {forms}{difference}",
            name.escape_debug()
        ))
    })?;
    let post = post_return(reach, name, &found);
    Ok(Callable {
        func,
        form,
        post,
        owner: reach.owner(),
    })
}

/// The first core parameter that is not what the signature asks for.
fn difference(
    signature: &Signature,
    wide: bool,
    found: &FuncType,
    names: &[Option<String>],
) -> String {
    let mut asked = Vec::new();
    signature
        .params
        .iter()
        .for_each(|(_, ty)| ty.flatten(wide, &mut asked));
    let pairs = asked.iter().zip(&found.params);
    match pairs.enumerate().find(|(_, (asked, found))| asked != found) {
        Some((i, (asked, found))) => {
            let name = names.get(i).cloned().flatten();
            let name = name.map_or(String::new(), |name| format!(" `{}`", name.escape_debug()));
            format!(": parameter {}{name} is {found}, not {asked}", i + 1)
        }
        None if asked.len() != found.params.len() => {
            format!(
                ": it takes {} core parameters, not {}",
                found.params.len(),
                asked.len()
            )
        }
        None => String::new(),
    }
}

/// What stands for the name of an export when a function reference is called.
pub(crate) const REFERENCE: &str = "(a function reference)";

/// The guest's function that frees what a result of `name` holds.
fn post_return(reach: &mut dyn Reach, name: &str, ty: &FuncType) -> Option<Func> {
    if name == REFERENCE {
        return None;
    }
    let Some(Extern::Func(post)) = reach.export(&format!("cabi_post_{name}")) else {
        return None;
    };
    let expected = FuncType {
        params: ty.results.clone(),
        results: Vec::new(),
    };
    (reach.func_type(&post) == expected).then_some(post)
}

/// An export whose type is known only at run time; see
/// [`Instance::export_dynamic`] and [`Instance::export_with`].
#[derive(Clone)]
pub struct DynExport {
    name: Arc<str>,
    callable: Callable,
    signature: Arc<Signature>,
    /// Room for parameters or results.
    slots: usize,
    needs: Needs,
    /// Whether references are among the parameters.
    references: bool,
    /// Of the results in memory.
    layout: Layouts,
}

impl fmt::Debug for DynExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynExport")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

pub(crate) fn resolve_dynamic(
    reach: &mut dyn Reach,
    func: Func,
    name: &str,
    params: &[Option<String>],
    signature: Option<Signature>,
) -> Result<DynExport, Error> {
    let found = reach.func_type(&func);
    let signature = signature
        .or_else(|| Signature::from_core(&found))
        .ok_or_else(|| {
            export_error(format!(
                "export `{}` has type {found}, whose references have no values",
                name.escape_debug()
            ))
        })?;
    let callable = callable(reach, func, name, &signature, params)?;
    Ok(DynExport {
        name: name.into(),
        callable,
        slots: found
            .params
            .len()
            .max(found.results.len())
            .max(result_slots(&signature)),
        needs: needs(&signature),
        references: !reference_positions(&found.params).is_empty(),
        layout: signature.result_layouts().unwrap_or(layout::UNIT),
        signature: Arc::new(signature),
    })
}

fn result_slots(signature: &Signature) -> usize {
    signature.results.iter().map(Type::flat_len).sum()
}

/// What lifting the results needs.
fn needs(signature: &Signature) -> Needs {
    if signature.results.iter().all(Type::is_scalar) {
        return Needs::NOTHING;
    }
    Needs::MEMORY.and(Needs::REFERENCES)
}

impl DynExport {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The interface of the function.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Calls the function; writes its results.
    ///
    /// # Errors
    ///
    /// As [`Export::call`]; also if the values do not fit the signature, or
    /// `results` is not as long as the signature's.
    pub fn call<T>(
        &self,
        instance: &mut Instance<T>,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<(), Error> {
        self.check(instance.owner(), args, results)?;
        instance.enter(&self.name, |reach| self.call_raw(reach, args, results))
    }

    /// Calls the function; async host functions that the guest calls may wait.
    /// See [`Export::call_async`].
    ///
    /// # Errors
    ///
    /// As [`DynExport::call`].
    pub async fn call_async<T: Send>(
        &self,
        instance: &mut Instance<T>,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<(), Error> {
        self.check(instance.owner(), args, results)?;
        let call = |reach: &mut dyn Reach| self.call_raw(reach, args, results);
        instance.enter_async(&self.name, call).await
    }

    /// Calls the function from within a host function; see [`Export::call_in`].
    ///
    /// # Errors
    ///
    /// As [`DynExport::call`], and those of [`Export::call_in`].
    pub fn call_in<T>(
        &self,
        guest: &mut crate::Guest<'_, T>,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<(), Error> {
        self.check(guest.reach().owner(), args, results)?;
        guest.inward(&self.name, |reach| self.call_raw(reach, args, results))
    }

    pub(crate) fn call_raw(
        &self,
        reach: &mut dyn Reach,
        args: &[Value],
        results: &mut [Value],
    ) -> wasmtime::Result<()> {
        reach.drain_kept()?;
        let called = self.call_unsettled(reach, args, results);
        settle(reach, called)
    }

    #[inline(always)]
    fn call_unsettled(
        &self,
        reach: &mut dyn Reach,
        args: &[Value],
        results: &mut [Value],
    ) -> wasmtime::Result<()> {
        let mut inline = [MaybeUninit::<ValRaw>::uninit(); INLINE_SLOTS];
        let mut spilled = Vec::new();
        let slots = slots(&mut inline, &mut spilled, self.slots);
        lower_into(slots, &[], reach, self.references, |results| {
            let mut values = args.iter().zip(&self.signature.params);
            values.try_for_each(|(value, (_, ty))| value::lower(value, ty, results))
        })
        .map_err(passing)?;
        // SAFETY: every parameter was lowered by its type, and the function
        // was resolved for a core form of this signature.
        unsafe { reach.call(&self.callable.func, slots)? };
        let wide = reach.wide();
        let types = &self.signature.results;
        let positions = || {
            let mut flat = Vec::new();
            types.iter().for_each(|ty| ty.flatten(wide, &mut flat));
            reference_positions(&flat)
        };
        // SAFETY: the call succeeded, so it has written its results.
        let lifted = unsafe {
            lift_results(
                reach,
                slots,
                Shape {
                    form: self.callable.form,
                    layout: self.layout,
                    needs: self.needs,
                },
                positions,
                |args, at| {
                    let layouts = || types.iter().filter_map(Type::layouts).collect::<Vec<_>>();
                    for (i, (result, ty)) in results.iter_mut().zip(types).enumerate() {
                        *result = match at {
                            Some(at) => {
                                let offset = layout::offset(&layouts(), i, usize::from(wide));
                                value::load(args, ty, at + offset as u64)?
                            }
                            None => value::lift(args, ty)?,
                        };
                    }
                    Ok(())
                },
            )
        };
        if let Some(post) = self.callable.post {
            // SAFETY: `post` takes the core results, which are still in place.
            unsafe { reach.call(&post, slots)? };
        }
        lifted
    }

    fn check(&self, owner: u64, args: &[Value], results: &[Value]) -> Result<(), Error> {
        check_owner(&self.callable, owner)?;
        let (params, outs) = (self.signature.params.len(), self.signature.results.len());
        if args.len() == params && results.len() == outs {
            return Ok(());
        }
        Err(Error::of(ErrorKind::Value(format!(
            "export `{}` is {}: it takes {params} arguments and gives {outs} results; \
             {} arguments and room for {} results were passed",
            self.name.escape_debug(),
            self.signature,
            args.len(),
            results.len()
        ))))
    }
}

/// The error for an export that is not there, with those that are.
#[cold]
pub(crate) fn missing(info: &ModuleInfo, name: &str) -> Error {
    let quoted = name.escape_debug();
    if let Some(other) = info.exports.iter().find(|export| export.name == name) {
        return export_error(format!(
            "export `{quoted}` is a {}, not a function",
            other.ty.kind()
        ));
    }
    let functions = info
        .exports
        .iter()
        .filter(|e| matches!(e.ty, ExternType::Func(_)));
    let names: Vec<_> = functions
        .map(|e| format!("`{}`", e.name.escape_debug()))
        .collect();
    export_error(match names.as_slice() {
        [] => format!("the guest has no export `{quoted}`; it exports no functions"),
        names => format!(
            "the guest has no export `{quoted}`; it exports {}",
            names.join(", ")
        ),
    })
}
