//! Defines what a program imports.

use super::rewriting::LinkedAs;
use super::{BY_INDEX, Import, Imports};
use crate::crossing::{self, Linkage};
use crate::deferred::drain;
use crate::error::{Error, Site};
use crate::fiber::cannot_wait;
use crate::host::{Host, HostFunc, Unmatched};
use crate::limits::host_call;
use crate::owned::{Owned, StoreData, whole};
use crate::registry::FuncOptions;
use crate::ty::{Return, Signature};
use hostcall_link::{Binding, ExternType, FuncType, PlannedImport};
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime::{Caller, Linker, Module};

/// Puts what the plan says into a linker.
pub(super) struct Linking<'a, T: 'static> {
    pub host: &'a Host<T>,
    pub module: &'a Module,
    /// What each import of the module is.
    pub imports: Vec<LinkedAs<'a>>,
    pub wide: bool,
}

impl<T: 'static> Linking<'_, T> {
    pub fn run(&self, linker: &mut Linker<StoreData<T>>) -> wasmtime::Result<Imports<T>> {
        let by_index = !self.resolvable();
        // A function imported twice is linked twice, to the same effect.
        linker.allow_shadowing(true);
        let mut imports = Vec::new();
        for (index, import) in self.module.imports().enumerate() {
            let linked_as = &self.imports[index];
            let index = index.to_string();
            let (module, name) = if by_index {
                (BY_INDEX, &*index)
            } else {
                (import.module(), import.name())
            };
            imports.push(match linked_as {
                LinkedAs::Planned(planned) => {
                    self.import(linker, planned, import.ty(), (module, name))?
                }
                LinkedAs::Queue => queue(linker, (module, name))?,
                LinkedAs::Limits => counted(linker, (module, name))?,
            });
        }
        Ok(match by_index {
            true => Imports::ByIndex(imports),
            false => Imports::Resolved(linker.instantiate_pre(self.module)?),
        })
    }

    /// Whether names tell all imports apart and none is made per instance.
    fn resolvable(&self) -> bool {
        let mut types = HashMap::new();
        self.imports.iter().all(|linked_as| {
            let LinkedAs::Planned(planned) = linked_as else {
                return true;
            };
            let import = &planned.import;
            let first = types
                .entry((&import.module, &import.name))
                .or_insert(&import.ty);
            matches!(import.ty, ExternType::Func(_)) && **first == import.ty
        })
    }

    fn import(
        &self,
        linker: &mut Linker<StoreData<T>>,
        planned: &PlannedImport,
        ty: wasmtime::ExternType,
        (module, name): (&str, &str),
    ) -> wasmtime::Result<Import<T>> {
        let import = &planned.import;
        let site = |signature| {
            Arc::new(Site {
                module: import.module.clone(),
                name: import.name.clone(),
                signature,
            })
        };
        match planned.binding {
            Binding::Item { item, form } => match self.host.items.get(item) {
                Some(item) => match item.func() {
                    Some(func) => self.native(linker, func, form, (module, name), site)?,
                    None => return Ok(Import::Defined(item.kind.clone())),
                },
                // Items beyond the host's own are WASI's, which are in the
                // linker under their names already.
                #[cfg(feature = "wasi")]
                None => crate::wasi::alias(linker, import, (module, name))?,
                #[cfg(not(feature = "wasi"))]
                None => unreachable!("the surface holds the host's items only"),
            },
            Binding::CatchAll => {
                let ExternType::Func(ty) = &import.ty else {
                    unreachable!("a catch-all answers for functions only")
                };
                self.catch_all(linker, ty, (module, name), site)?;
            }
            Binding::Open => unreachable!("a host offers all that its programs import"),
            Binding::Trap => {
                let ty = ty.unwrap_func().clone();
                let what = site(Signature::default());
                linker.func_new(module, name, ty, move |_, _, _| {
                    let message =
                        "the guest called an optional import that this host does not provide";
                    Err(crate::error::cross(Error::msg(message).into(), &what))
                })?;
            }
        }
        Ok(Import::Linked)
    }

    fn native(
        &self,
        linker: &mut Linker<StoreData<T>>,
        func: &HostFunc<T>,
        form: usize,
        (module, name): (&str, &str),
        site: impl Fn(Signature) -> Arc<Site>,
    ) -> wasmtime::Result<()> {
        let forms = func.forms(self.wide);
        let site = site(func.signature.clone());
        let (ty, form) = &forms[form];
        let linkage = Linkage {
            module,
            name,
            ty,
            form: *form,
            wide: self.wide,
            options: self.host.options(&site.module, &site.name, func.options),
            metered: self.host.limits.metered(),
        };
        let link = func.link.as_ref();
        let link = link.expect("what has no native form stands in the guest");
        link(linker, &linkage, site)
    }

    fn catch_all(
        &self,
        linker: &mut Linker<StoreData<T>>,
        ty: &FuncType,
        (module, name): (&str, &str),
        site: impl Fn(Signature) -> Arc<Site>,
    ) -> wasmtime::Result<()> {
        let signature = Signature::from_core(ty).expect("the plan leaves out what it cannot be");
        let site = site(signature);
        let linkage = Linkage {
            module,
            name,
            ty,
            form: Return::Direct,
            wide: self.wide,
            options: self
                .host
                .options(&site.module, &site.name, FuncOptions::default()),
            metered: self.host.limits.metered(),
        };
        let handler = self
            .host
            .catch_all
            .clone()
            .expect("the plan binds to it only if there is one");
        let what = site.clone();
        crossing::link_dynamic(
            linker,
            &linkage,
            Owned { get: whole },
            site,
            move |guest, args, results| {
                let import = Unmatched {
                    module: &what.module,
                    name: &what.name,
                    signature: &what.signature,
                };
                handler(guest, &import, args, results)
            },
        )
    }
}

/// Defines what delivers queued calls. A panic in a host function ends there.
fn queue<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    (module, name): (&str, &str),
) -> wasmtime::Result<Import<T>> {
    linker.func_wrap(module, name, |mut caller: Caller<'_, StoreData<T>>| {
        caller.data_mut().drains += 1;
        drain(&mut caller)
    })?;
    Ok(Import::Linked)
}

/// Defines what counts calls of functions that are not ours, and refuses those that
/// suspend the guest where that cannot be: Wasmtime would panic.
fn counted<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    (module, name): (&str, &str),
) -> wasmtime::Result<Import<T>> {
    let called = |mut caller: Caller<'_, StoreData<T>>, suspends: i32| {
        if suspends != 0 && !caller.data().can_suspend() {
            return Err(cannot_wait("a function of WASI"));
        }
        host_call(&mut caller, 0, |_| Ok(()))
    };
    linker.func_wrap(module, name, called)?;
    Ok(Import::Linked)
}
