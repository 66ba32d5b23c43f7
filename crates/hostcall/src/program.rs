//! A guest, linked against a host and compiled.

use crate::crossing::{self, Linkage};
use crate::define::define;
use crate::error::{Error, ErrorKind, INSTANTIATION, Site};
use crate::host::{Host, ItemKind, Unmatched};
use crate::instance::Instance;
use crate::limits::Limits;
use crate::owned::{Owned, StoreData, whole};
use crate::ty::{Return, Signature};
use hostcall_link::{Binding, ExternType, FuncType, ModuleInfo, Plan, PlannedImport, plan};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use wasmtime::{Engine, Extern, InstancePre, Linker, Module, Store};

mod file;

/// Imports are linked under this module and their index where names alone do
/// not tell them apart.
const BY_INDEX: &str = "hostcall:import";

/// A guest that was linked against a [`Host`] and compiled: ready to be
/// instantiated any number of times, from any thread.
///
/// Cloning is cheap: clones share the compiled code.
pub struct Program<T: 'static>(Arc<Inner<T>>);

struct Inner<T: 'static> {
    module: Module,
    info: ModuleInfo,
    plan: Plan,
    /// The guest as it was given, kept for program files.
    guest: Vec<u8>,
    linker: Linker<StoreData<T>>,
    imports: Imports<T>,
    limits: Limits,
    memory_name: Option<Arc<str>>,
    wide: bool,
    #[cfg(feature = "wasi")]
    wasi: Option<crate::wasi::Wasi<T>>,
}

/// How imports get to an instance.
enum Imports<T: 'static> {
    /// Functions only, resolved once for all instances.
    Resolved(InstancePre<StoreData<T>>),
    /// Some are made for each instance, or share a name with another type.
    ByIndex(Vec<Import<T>>),
}

enum Import<T: 'static> {
    Linked,
    Defined(ItemKind<T>),
}

impl<T: 'static> Clone for Program<T> {
    fn clone(&self) -> Self {
        Program(self.0.clone())
    }
}

impl<T: 'static> fmt::Debug for Program<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("plan", &self.0.plan)
            .finish_non_exhaustive()
    }
}

impl<T: 'static> Program<T> {
    pub(crate) fn new(host: &Host<T>, guest: &[u8]) -> Result<Program<T>, Error> {
        let guest = binary(guest)?;
        Program::link(host, &guest, |engine| Module::new(engine, &guest))
    }

    /// Plans, then compiles by `module`, then links.
    fn link(
        host: &Host<T>,
        guest: &[u8],
        module: impl FnOnce(&Engine) -> wasmtime::Result<Module>,
    ) -> Result<Program<T>, Error> {
        let info = ModuleInfo::parse(guest)?;
        let memory = info.pointers_memory();
        let memory_name = memory.map(|export| export.name.as_str().into());
        let wide = match memory.map(|export| &export.ty) {
            Some(ExternType::Memory(ty)) => ty.memory64,
            _ => info.memories.first().is_some_and(|ty| ty.memory64),
        };
        let mut linker = Linker::new(&host.engine);
        #[allow(unused_mut, reason = "WASI adds to it")]
        let mut surface = host.surface(wide);
        #[cfg(feature = "wasi")]
        crate::wasi::offer(host, &info, &mut linker, &mut surface)?;
        let plan = plan(&info, &surface)?;
        let module = module(&host.engine).map_err(Error::wasmtime)?;
        let linking = Linking {
            host,
            module: &module,
            plan: &plan,
            wide,
        };
        let imports = linking.run(&mut linker).map_err(Error::wasmtime)?;
        #[cfg(feature = "wasi")]
        let wasi = host
            .wasi
            .clone()
            .filter(|_| crate::wasi::is_imported(&info));
        Ok(Program(Arc::new(Inner {
            module,
            plan,
            guest: guest.to_vec(),
            linker,
            imports,
            limits: host.limits,
            memory_name,
            wide,
            info,
            #[cfg(feature = "wasi")]
            wasi,
        })))
    }

    /// Makes an instance whose host functions work on `state`, and runs the
    /// guest's start function if it has one.
    ///
    /// # Errors
    ///
    /// If the start function traps, or a limit does not allow the instance.
    pub fn instantiate(&self, state: T) -> Result<Instance<T>, Error> {
        self.instantiate_with(state, |_| Ok(()))
    }

    /// As [`Program::instantiate`]; `configure` prepares the Wasmtime store
    /// before the guest runs, for instance its fuel or epoch deadline.
    ///
    /// # Errors
    ///
    /// As [`Program::instantiate`], and what `configure` returns.
    pub fn instantiate_with(
        &self,
        state: T,
        configure: impl FnOnce(&mut Store<StoreData<T>>) -> wasmtime::Result<()>,
    ) -> Result<Instance<T>, Error> {
        let inner = &*self.0;
        let data = StoreData::new(state, inner.limits, inner.memory_name.clone());
        let mut store = Store::new(inner.module.engine(), data);
        store.limiter(|data| &mut data.limiter);
        #[cfg(feature = "wasi")]
        if let Some(wasi) = &inner.wasi {
            let data = store.data_mut();
            data.wasi = Some((wasi.make)(&data.state));
        }
        configure(&mut store).map_err(Error::wasmtime)?;
        let instance = inner
            .imports
            .instantiate(&inner.linker, &inner.module, &mut store);
        let instance = instance.map_err(|error| Error::from_call(error, INSTANTIATION))?;
        store.data_mut().instance = Some(instance);
        Ok(Instance::new(self.clone(), store, instance))
    }

    /// What the guest is: its imports, exports, memories, features.
    pub fn info(&self) -> &ModuleInfo {
        &self.0.info
    }

    /// How each import crosses, and why.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// The compiled module, for what hostcall does not cover.
    pub fn module(&self) -> &Module {
        &self.0.module
    }

    pub(crate) fn wide(&self) -> bool {
        self.0.wide
    }
}

/// Wasm as it is, or assembled from its text format.
fn binary(guest: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if guest.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(guest));
    }
    match std::str::from_utf8(guest) {
        Ok(text) if looks_like_text(text) => match wat::parse_str(text) {
            Ok(wasm) => Ok(Cow::Owned(wasm)),
            Err(error) => Err(Error::of(ErrorKind::Text(error.to_string()))),
        },
        // Parsing explains what is wrong with it.
        _ => Ok(Cow::Borrowed(guest)),
    }
}

fn looks_like_text(text: &str) -> bool {
    text.trim_start().starts_with('(') || text.trim_start().starts_with(";;")
}

impl<T: 'static> Imports<T> {
    fn instantiate(
        &self,
        linker: &Linker<StoreData<T>>,
        module: &Module,
        store: &mut Store<StoreData<T>>,
    ) -> wasmtime::Result<wasmtime::Instance> {
        let imports = match self {
            Imports::Resolved(pre) => return pre.instantiate(store),
            Imports::ByIndex(imports) => imports,
        };
        let externs = imports
            .iter()
            .enumerate()
            .map(|(index, import)| match import {
                Import::Linked => linker
                    .get(&mut *store, BY_INDEX, &index.to_string())
                    .map(Some),
                Import::Defined(kind) => {
                    let item = define(&mut *store, kind)?;
                    store.data_mut().imported(&item);
                    Ok(item)
                }
            });
        let externs: wasmtime::Result<Option<Vec<Extern>>> = externs.collect();
        let externs = externs?.expect("every import was linked or is defined");
        wasmtime::Instance::new(store, module, &externs)
    }
}

/// Puts what the plan says into a linker.
struct Linking<'a, T: 'static> {
    host: &'a Host<T>,
    module: &'a Module,
    plan: &'a Plan,
    wide: bool,
}

impl<T: 'static> Linking<'_, T> {
    fn run(&self, linker: &mut Linker<StoreData<T>>) -> wasmtime::Result<Imports<T>> {
        let by_index = !self.resolvable();
        // A function imported twice is linked twice, to the same effect.
        linker.allow_shadowing(true);
        let mut imports = Vec::new();
        for (planned, import) in self.plan.imports.iter().zip(self.module.imports()) {
            let index = planned.import.index.to_string();
            let (module, name) = if by_index {
                (BY_INDEX, &*index)
            } else {
                (import.module(), import.name())
            };
            imports.push(self.import(linker, planned, import.ty(), (module, name))?);
        }
        Ok(match by_index {
            true => Imports::ByIndex(imports),
            false => Imports::Resolved(linker.instantiate_pre(self.module)?),
        })
    }

    /// Whether names tell all imports apart and none is made per instance.
    fn resolvable(&self) -> bool {
        let mut types = HashMap::new();
        self.plan.imports.iter().all(|planned| {
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
                Some(item) => match item.func_form(form, self.wide) {
                    Some((signature, link, ty, form)) => {
                        let linkage = Linkage {
                            module,
                            name,
                            ty: &ty,
                            form,
                            wide: self.wide,
                        };
                        link(linker, &linkage, site(signature.clone()))?;
                    }
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
            Binding::Trap => {
                let ty = ty.unwrap_func().clone();
                let what = site(Signature {
                    params: Vec::new(),
                    results: Vec::new(),
                });
                linker.func_new(module, name, ty, move |_, _, _| {
                    let message =
                        "the guest called an optional import that this host does not provide";
                    Err(crate::error::cross(Error::msg(message).into(), &what))
                })?;
            }
        }
        Ok(Import::Linked)
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
