//! Defines what a program imports.

use super::definitions::{Defined, Definitions};
use super::rewriting::LinkedAs;
use super::{BY_INDEX, Import, Imports};
use crate::crossing::{self, Linkage};
use crate::deferred::drain;
use crate::error::{Error, Site};
use crate::fiber::cannot_wait;
use crate::host::{Host, HostFunc, ItemKind, Unmatched};
use crate::limits::host_call;
use crate::owned::{Owned, StoreData, whole};
use crate::registry::FuncOptions;
use crate::ty::{Return, Signature};
use hostcall_link::{Binding, ExternType, FuncType, PlannedImport};
use std::collections::HashMap;
use std::sync::Arc;
use wasmtime::{Caller, ImportType, Linker, Module};

/// Puts what the plan says into a linker.
pub(super) struct Linking<'a, T: 'static> {
    pub host: &'a Host<T>,
    pub module: &'a Module,
    /// What each import of the module is.
    pub imports: Vec<LinkedAs<'a>>,
    pub wide: bool,
}

impl<T: 'static> Linking<'_, T> {
    pub fn run(&self) -> wasmtime::Result<Imports<T>> {
        let own = || Definitions::new(&self.host.engine);
        if !self.resolvable() {
            let mut definitions = own();
            let imports = self.define(&mut definitions, true)?;
            return Ok(Imports::ByIndex(definitions.linker, imports));
        }
        if self.sharable() {
            return self.resolve(&mut self.host.definitions());
        }
        self.resolve(&mut own())
    }

    fn resolve(&self, definitions: &mut Definitions<T>) -> wasmtime::Result<Imports<T>> {
        self.define(definitions, false)?;
        let resolved = definitions.linker.instantiate_pre(self.module)?;
        Ok(Imports::Resolved(resolved))
    }

    /// Defines all imports, by their names or by their indices.
    fn define(
        &self,
        definitions: &mut Definitions<T>,
        by_index: bool,
    ) -> wasmtime::Result<Vec<Import<T>>> {
        #[cfg(feature = "wasi")]
        if let Some(wasi) = self.host.wasi.as_ref().filter(|_| self.imports_wasi()) {
            definitions.add_wasi(wasi)?;
        }
        let mut imports = Vec::with_capacity(self.imports.len());
        for (index, (import, linked_as)) in self.module.imports().zip(&self.imports).enumerate() {
            let index = by_index.then(|| index.to_string());
            let name = match &index {
                Some(index) => (BY_INDEX, &**index),
                None => (import.module(), import.name()),
            };
            imports.push(match linked_as {
                LinkedAs::Planned(planned) => self.import(definitions, planned, &import, name)?,
                LinkedAs::Queue => {
                    definitions.define(name, Defined::Fixed, |linker| queue(linker, name))?
                }
                LinkedAs::Limits => {
                    definitions.define(name, Defined::Fixed, |linker| counted(linker, name))?
                }
            });
        }
        Ok(imports)
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

    /// Whether what is imported are functions of the host, whose names are known.
    /// Names that guests make up would stay in what is shared.
    fn sharable(&self) -> bool {
        self.imports.iter().all(|linked_as| match linked_as {
            LinkedAs::Planned(planned) => matches!(planned.binding, Binding::Item { .. }),
            LinkedAs::Queue | LinkedAs::Limits => true,
        })
    }

    /// Items beyond the host's own are WASI's.
    #[cfg(feature = "wasi")]
    fn imports_wasi(&self) -> bool {
        let ours = self.host.items.len();
        self.imports.iter().any(|linked_as| match linked_as {
            LinkedAs::Planned(planned) => {
                matches!(planned.binding, Binding::Item { item, .. } if item >= ours)
            }
            LinkedAs::Queue | LinkedAs::Limits => false,
        })
    }

    fn import(
        &self,
        definitions: &mut Definitions<T>,
        planned: &PlannedImport,
        ty: &ImportType<'_>,
        name: (&str, &str),
    ) -> wasmtime::Result<Import<T>> {
        let import = &planned.import;
        let linker = &mut definitions.linker;
        match planned.binding {
            Binding::Item { item, form } => match self.host.items.get(item).map(|it| &it.kind) {
                Some(ItemKind::Func(func)) => {
                    self.native(definitions, (item, func), form, import, name)
                }
                Some(other) => Ok(Import::Defined(other.clone())),
                #[cfg(feature = "wasi")]
                None => definitions.define(name, Defined::Wasi, |linker| {
                    crate::wasi::alias(linker, import, name)
                }),
                #[cfg(not(feature = "wasi"))]
                None => unreachable!("the surface holds the host's items only"),
            },
            Binding::CatchAll => {
                let ExternType::Func(ty) = &import.ty else {
                    unreachable!("a catch-all answers for functions only")
                };
                self.catch_all(linker, ty, import, name)
            }
            Binding::Open => unreachable!("a host offers all that its programs import"),
            Binding::Trap => {
                let ty = ty.ty().unwrap_func().clone();
                trap(linker, ty, site(import, Signature::default()), name)
            }
        }
    }

    fn native(
        &self,
        definitions: &mut Definitions<T>,
        (item, func): (usize, &HostFunc<T>),
        form: usize,
        import: &hostcall_link::Import,
        (module, name): (&str, &str),
    ) -> wasmtime::Result<Import<T>> {
        let options = self
            .host
            .options(&import.module, &import.name, func.options);
        let (wide, metered) = (self.wide, self.host.limits.metered());
        let what = Defined::Item {
            item,
            form,
            wide,
            options,
            metered,
        };
        definitions.define((module, name), what, |linker| {
            let (ty, form) = &func.forms(wide)[form];
            let linkage = Linkage {
                module,
                name,
                ty,
                form: *form,
                wide,
                options,
                metered,
            };
            let link = func.link.as_ref();
            let link = link.expect("what has no native form stands in the guest");
            link(linker, &linkage, site(import, func.signature.clone()))
        })
    }

    fn catch_all(
        &self,
        linker: &mut Linker<StoreData<T>>,
        ty: &FuncType,
        import: &hostcall_link::Import,
        (module, name): (&str, &str),
    ) -> wasmtime::Result<Import<T>> {
        let signature = Signature::from_core(ty).expect("the plan leaves out what it cannot be");
        let site = site(import, signature);
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
        )?;
        Ok(Import::Linked)
    }
}

fn site(import: &hostcall_link::Import, signature: Signature) -> Arc<Site> {
    Arc::new(Site {
        module: import.module.clone(),
        name: import.name.clone(),
        signature,
    })
}

/// Defines an import that nothing is offered for.
fn trap<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    ty: wasmtime::FuncType,
    site: Arc<Site>,
    (module, name): (&str, &str),
) -> wasmtime::Result<Import<T>> {
    linker.func_new(module, name, ty, move |_, _, _| {
        let message = "the guest called an optional import that this host does not provide";
        Err(crate::error::cross(Error::msg(message).into(), &site))
    })?;
    Ok(Import::Linked)
}

/// Defines what delivers queued calls. A panic in a host function ends there.
fn queue<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    (module, name): (&str, &str),
) -> wasmtime::Result<()> {
    linker.func_wrap(module, name, |mut caller: Caller<'_, StoreData<T>>| {
        caller.data_mut().drains += 1;
        drain(&mut caller)
    })?;
    Ok(())
}

/// Defines what counts calls of functions that are not ours, and refuses those that
/// suspend the guest where that cannot be: Wasmtime would panic.
fn counted<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    (module, name): (&str, &str),
) -> wasmtime::Result<()> {
    let called = |mut caller: Caller<'_, StoreData<T>>, suspends: i32| {
        if suspends != 0 && !caller.data().can_suspend() {
            return Err(cannot_wait("a function of WASI"));
        }
        host_call(&mut caller, 0, |_| Ok(()))
    };
    linker.func_wrap(module, name, called)?;
    Ok(())
}
