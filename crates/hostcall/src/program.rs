//! A guest, linked against a host and compiled.

use crate::batching::BatchLayout;
use crate::deferred::DeferredCalls;
use crate::define::define;
use crate::error::{Error, ErrorKind, INSTANTIATION};
use crate::fiber::Fiber;
use crate::host::{Host, ItemKind};
use crate::inline::{InlinedCode, PAGE, PageLayout};
use crate::instance::Instance;
use crate::limits::{self, LimitKind, Limits, Ticker};
use crate::owned::StoreData;
use crate::reentry::{frame_name, link};
pub(crate) use definitions::Definitions;
use hostcall_link::{Crossing, ExternType, ModuleInfo, Plan};
use linking::Linking;
use planning::Offered;
use rewriting::LinkedGuest;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use wasmtime::{Engine, Extern, FrameInfo, InstancePre, Linker, Module, ModuleExport, Store};

mod definitions;
mod file;
mod inlining;
mod linking;
mod planning;
mod rewriting;
pub(crate) mod stubs;

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
    /// The linked module, if it is another.
    linked: Option<Vec<u8>>,
    warnings: Vec<String>,
    page_layout: Option<Arc<PageLayout>>,
    /// The host page, if there is one.
    page: Option<ModuleExport>,
    batch_layout: BatchLayout,
    deferred: Option<Arc<DeferredCalls<T>>>,
    code: Option<Arc<InlinedCode>>,
    imports: Imports<T>,
    limits: Limits,
    /// Stops guests in time, if there is a time for that.
    ticker: Option<Arc<Ticker>>,
    memory_name: Option<Arc<str>>,
    wide: bool,
    #[cfg(feature = "wasi")]
    wasi: Option<crate::wasi::MakeWasi<T>>,
}

/// How imports get to an instance.
enum Imports<T: 'static> {
    /// Functions only, resolved once for all instances.
    Resolved(InstancePre<StoreData<T>>),
    /// Some are made for each instance, or share a name with another type.
    ByIndex(Linker<StoreData<T>>, Vec<Import<T>>),
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
        Program::link(host, &guest, |engine, linked| {
            Module::new(engine, linked).map_err(|error| refused(error, engine, &guest, linked))
        })
    }

    /// Plans, rewrites, compiles the linked module by `compile`, and defines
    /// what it imports.
    fn link(
        host: &Host<T>,
        guest: &[u8],
        compile: impl FnOnce(&Engine, &[u8]) -> Result<Module, Error>,
    ) -> Result<Program<T>, Error> {
        host.check_engine()?;
        let info = ModuleInfo::parse(guest)?;
        let memory_name = info
            .pointers_memory()
            .map(|export| export.name.as_str().into());
        let wide = match info.memory() {
            Some((_, ty)) => ty.memory64,
            None => info.memories.first().is_some_and(|ty| ty.memory64),
        };
        let offered = Offered::new(host, &info, wide)?;
        let mut plan = offered.plan(&info)?;
        host.complete(&mut plan);
        let linked = LinkedGuest::new(host, &offered, &info, guest, &mut plan)?;
        let module = compile(&host.engine, linked.bytes.as_deref().unwrap_or(guest))?;
        let linking = Linking {
            host,
            module: &module,
            imports: linked.imports(&plan),
            wide,
        };
        let imports = linking.run().map_err(Error::wasmtime)?;
        #[cfg(feature = "wasi")]
        let wasi = crate::wasi::imported(host, &info).map(|wasi| wasi.make.clone());
        let code = linked.code.map(|code| {
            let module = Some(module.clone());
            Arc::new(InlinedCode { module, ..code })
        });
        let layout = linked.page_layout.as_ref();
        let page = layout.and_then(|_| module.get_export_index(PAGE));
        Ok(Program(Arc::new(Inner {
            module,
            plan,
            guest: guest.to_vec(),
            linked: linked.bytes,
            warnings: linked.warnings,
            page_layout: linked.page_layout,
            page,
            batch_layout: linked.batch_layout,
            deferred: linked.deferred,
            code,
            imports,
            limits: host.limits,
            ticker: host.limits.epochs().then(|| Ticker::new(&host.engine)),
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
        let mut store = self.store(state, configure)?;
        limits::run_here(&mut store);
        let Inner {
            imports, module, ..
        } = &*self.0;
        let instance = match imports {
            Imports::Resolved(pre) => pre.instantiate(&mut store),
            Imports::ByIndex(linker, imports) => externs(imports, linker, &mut store)
                .and_then(|externs| wasmtime::Instance::new(&mut store, module, &externs)),
        };
        store.data_mut().stop_running();
        let mut instance = self.instance(store, instance)?;
        instance.start()?;
        Ok(instance)
    }

    /// As [`Program::instantiate`]; async host functions that the start function
    /// calls may wait.
    ///
    /// # Errors
    ///
    /// As [`Program::instantiate`].
    pub async fn instantiate_async(&self, state: T) -> Result<Instance<T>, Error>
    where
        T: Send,
    {
        self.instantiate_async_with(state, |_| Ok(())).await
    }

    /// As [`Program::instantiate_async`]; `configure` prepares the Wasmtime store
    /// before the guest runs.
    ///
    /// # Errors
    ///
    /// As [`Program::instantiate_with`].
    pub async fn instantiate_async_with(
        &self,
        state: T,
        configure: impl FnOnce(&mut Store<StoreData<T>>) -> wasmtime::Result<()>,
    ) -> Result<Instance<T>, Error>
    where
        T: Send,
    {
        let mut store = self.store(state, configure)?;
        let Inner {
            imports, module, ..
        } = &*self.0;
        let fiber = Arc::new(Fiber::new(&mut store).map_err(Error::wasmtime)?);
        store.data_mut().fiber = Some(fiber.clone());
        let watch = store.data_mut().watch();
        let instance = match imports {
            Imports::Resolved(pre) => {
                let made = pre.instantiate_async(&mut store);
                fiber.polled(watch, None, made).await
            }
            Imports::ByIndex(linker, imports) => match externs(imports, linker, &mut store) {
                Ok(externs) => {
                    let made = wasmtime::Instance::new_async(&mut store, module, &externs);
                    fiber.polled(watch, None, made).await
                }
                Err(error) => Err(error),
            },
        };
        let mut instance = self.instance(store, instance)?;
        instance.start_async().await?;
        Ok(instance)
    }

    /// A store for an instance.
    fn store(
        &self,
        state: T,
        configure: impl FnOnce(&mut Store<StoreData<T>>) -> wasmtime::Result<()>,
    ) -> Result<Store<StoreData<T>>, Error> {
        let inner = &*self.0;
        let mut data = StoreData::new(state, inner.limits, inner.memory_name.clone());
        data.page_layout = inner.page_layout.clone();
        data.limiter.page = inner.page_layout.as_deref().map(PageLayout::memory);
        data.code = inner.code.clone();
        data.deferred = inner.deferred.clone();
        data.guarded = self.waits_in().is_some();
        data.set_limits(inner.limits);
        data.program = Some(self.clone());
        let mut store = Store::new(inner.module.engine(), data);
        store.limiter(|data| &mut data.limiter);
        if let Some(ticker) = &inner.ticker {
            limits::watch(&mut store, ticker.clone());
        }
        limits::begin(&mut store).map_err(Error::wasmtime)?;
        #[cfg(feature = "wasi")]
        if let Some(wasi) = &inner.wasi {
            let data = store.data_mut();
            data.wasi = Some(wasi(&data.state));
        }
        configure(&mut store).map_err(Error::wasmtime)?;
        Ok(store)
    }

    /// Completes an instance, but for its start function where we run that.
    fn instance(
        &self,
        mut store: Store<StoreData<T>>,
        instance: wasmtime::Result<wasmtime::Instance>,
    ) -> Result<Instance<T>, Error> {
        let inner = &*self.0;
        let instance = self.made(&mut store, instance)?;
        if let Some(page) = &inner.page {
            let page = instance.get_module_export(&mut store, page);
            store.data_mut().page = page.and_then(Extern::into_memory);
        }
        let data = store.data_mut();
        data.instance = Some(instance);
        data.set_exposed(false);
        Ok(Instance::new(self.clone(), store, instance))
    }

    /// What has come of making an instance.
    fn made(
        &self,
        store: &mut Store<StoreData<T>>,
        instance: wasmtime::Result<wasmtime::Instance>,
    ) -> Result<wasmtime::Instance, Error> {
        let instance = instance.map_err(|error| limits::not_made(store, error));
        let limit = limits::end(store);
        match (instance, limit) {
            (Ok(instance), None) => Ok(instance),
            // Late, but made.
            (Ok(instance), Some(limit)) if limit.limit == LimitKind::Time => Ok(instance),
            (Ok(_), Some(limit)) => Err(Error::limit_of(INSTANTIATION, limit)),
            (Err(error), limit) => {
                let error = Error::from_call(error, INSTANTIATION, self.0.code.as_deref());
                Err(match limit {
                    Some(limit) => error.limited(limit),
                    None => error,
                })
            }
        }
    }

    /// What the guest is: its imports, exports, memories, features.
    pub fn info(&self) -> &ModuleInfo {
        &self.0.info
    }

    /// How each import crosses, and why.
    pub fn plan(&self) -> &Plan {
        &self.0.plan
    }

    /// The linked module: the guest with the bodies of inlined host functions
    /// in it, and what else the plan asks for. It runs in any engine that offers
    /// the imports that are left. If anything is deferred, `hostcall:queue` is one
    /// of them, which is for this library only: see
    /// [`Host::deferring`](crate::Host::deferring).
    pub fn linked(&self) -> &[u8] {
        self.0.linked.as_deref().unwrap_or(&self.0.guest)
    }

    /// What was lost in linking, such as debug information.
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// The compiled module, for what hostcall does not cover.
    pub fn module(&self) -> &Module {
        &self.0.module
    }

    /// The first async host function that the guest imports.
    pub(crate) fn waits_in(&self) -> Option<(&str, &str)> {
        let mut imports = self.0.plan.imports.iter();
        let waits = imports.find(|planned| planned.crossing == Some(Crossing::Async))?;
        Some((&waits.import.module, &waits.import.name))
    }

    /// Checks that instances of this program can have these limits.
    pub(crate) fn check_limits(&self, limits: &Limits) -> Result<(), Error> {
        limits::check(self.0.module.engine(), limits)?;
        let problem = if limits.metered() && !self.0.limits.metered() {
            "what host functions use is limited only in programs of hosts that limit it: set \
             `Host::limits` before"
        } else if limits.stack != self.0.limits.stack {
            "the limit of the stack is the engine's, and cannot change"
        } else {
            return Ok(());
        };
        Err(Error::of(ErrorKind::Engine(problem.to_owned())))
    }

    /// What stops guests in time.
    pub(crate) fn ticker(&self) -> Arc<Ticker> {
        let ticker = self.0.ticker.clone();
        ticker.unwrap_or_else(|| Ticker::new(self.0.module.engine()))
    }

    /// What a chain of calls shows of a function of the guest, or of a module beside
    /// it; `None` for what linking has added.
    pub(crate) fn function(&self, frame: &FrameInfo) -> Option<String> {
        if !Module::same(frame.module(), &self.0.module) {
            return Some(frame_name(frame));
        }
        let index = match &self.0.code {
            Some(code) => code.original(frame)?,
            None => frame.func_index(),
        };
        let mut exports = self.0.info.exports.iter();
        let export = exports
            .find(|export| export.index == index && matches!(export.ty, ExternType::Func(_)));
        Some(export.map_or_else(|| frame_name(frame), |export| link(&export.name)))
    }

    pub(crate) fn wide(&self) -> bool {
        self.0.wide
    }

    pub(crate) fn batch_layout(&self) -> &BatchLayout {
        &self.0.batch_layout
    }

    pub(crate) fn deferred(&self) -> Option<&DeferredCalls<T>> {
        self.0.deferred.as_deref()
    }
}

/// Why an engine compiles no linked module. Where it would compile the guest,
/// what linking has added is too new for it.
fn refused(error: wasmtime::Error, engine: &Engine, guest: &[u8], linked: &[u8]) -> Error {
    if guest == linked || Module::validate(engine, guest).is_err() {
        return Error::wasmtime(error);
    }
    Error::body(format_args!(
        "the engine compiles the guest, but not with what linking has put into it: {error:#}; allow \
         in its `Config` what that uses (queues and host state need `wasm_multi_memory`)"
    ))
}

/// Wasm as it is, or assembled from its text format.
pub(crate) fn binary(guest: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
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

/// What an instance imports, some of it made for it.
fn externs<T: 'static>(
    imports: &[Import<T>],
    linker: &Linker<StoreData<T>>,
    store: &mut Store<StoreData<T>>,
) -> wasmtime::Result<Vec<Extern>> {
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
    Ok(externs?.expect("every import was linked or is defined"))
}
