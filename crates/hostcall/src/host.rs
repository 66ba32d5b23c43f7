//! The host: everything that guests may import.

use crate::batching::BatchSettings;
use crate::by_name::ByName;
use crate::closure::{Free, IntoHostFunc, WithState};
use crate::crossing::{self, Linkage};
use crate::deferred::{DeferredFunc, batch_record, record};
use crate::error::{Error, Site};
use crate::guest::Guest;
use crate::inline::{Body, InlineSettings, inlining};
use crate::limits::{EngineSettings, Limits};
use crate::owned::{Owned, StoreData, whole};
use crate::program::{Definitions, Program};
use crate::registry::{Decl, FuncOptions, Registry};
use crate::ty::{Return, Signature};
use crate::value::Value;
use hostcall_link::stub::Record;
use hostcall_link::{
    Binding, Deferral, FuncType, GlobalType, HostItem, MemoryType, Plan, Provides, TableType,
};
use smallvec::SmallVec;
use std::fmt;
use std::sync::{Arc, Mutex};
use wasmtime::{Engine, Linker};

mod limits;
mod registry;

pub(crate) use registry::{HostRegistry, link_func, link_guest_func};

/// Host functions, memories, globals and tables for guests to import, over a
/// state of type `T`.
///
/// ```
/// use hostcall::Host;
///
/// let mut host = Host::<u32>::new();
/// host.func("env", "add", |a: i32, b: i32| a.wrapping_add(b));
/// host.func_with_state("env", "count", |count: &mut u32, text: &str| *count += text.len() as u32);
///
/// let program = host.program(
///     br#"(module
///         (import "env" "count" (func $count (param i32 i32)))
///         (memory (export "memory") 1)
///         (data (i32.const 8) "hello")
///         (func (export "run") (call $count (i32.const 8) (i32.const 5))))"#,
/// )?;
/// let mut instance = program.instantiate(0)?;
/// instance.export::<(), ()>("run")?.call(&mut instance, ())?;
/// assert_eq!(*instance.state(), 5);
/// # Ok::<(), hostcall::Error>(())
/// ```
pub struct Host<T: 'static> {
    pub(crate) engine: Engine,
    /// What the engine was made with, if it is the host's own.
    settings: Option<EngineSettings>,
    /// Why it could not be made as it should be.
    unfit: Option<String>,
    /// Fuel that calls of host functions cost.
    fuel_costs: ByName<u64>,
    pub(crate) items: Vec<Item<T>>,
    /// Positions in `items`.
    named: ByName<SmallVec<[usize; 1]>>,
    pub(crate) optional: ByName<()>,
    reentrant: ByName<u32>,
    pub(crate) catch_all: Option<Arc<CatchAll<T>>>,
    pub(crate) limits: Limits,
    pub(crate) inlining: InlineSettings,
    pub(crate) batching: BatchSettings,
    /// What programs have imported before.
    pub(crate) definitions: Mutex<Definitions<T>>,
    #[cfg(feature = "wasi")]
    pub(crate) wasi: Option<crate::wasi::Wasi<T>>,
}

/// Something that a guest can import.
pub(crate) struct Item<T: 'static> {
    pub module: String,
    pub name: String,
    pub kind: ItemKind<T>,
}

pub(crate) enum ItemKind<T: 'static> {
    Func(HostFunc<T>),
    Memory(MemoryType),
    Global(GlobalType, Value),
    Table(TableType),
}

/// A host function.
pub(crate) struct HostFunc<T: 'static> {
    pub signature: Signature,
    /// Its native form. What has none has a body.
    pub link: Option<Arc<LinkFunc<T>>>,
    /// Its Wasm form.
    pub body: Option<Body>,
    /// How it takes calls that were queued.
    pub deferred: Option<DeferredFunc<T>>,
    /// Whether it is async.
    pub waits: bool,
    /// Whether it runs on a thread of its own.
    pub blocks: bool,
    pub options: FuncOptions,
    /// What it was registered with: functions of one block have the same.
    pub block: Option<usize>,
}

impl<T: 'static> Clone for HostFunc<T> {
    fn clone(&self) -> Self {
        HostFunc {
            signature: self.signature.clone(),
            link: self.link.clone(),
            body: self.body.clone(),
            deferred: self.deferred.clone(),
            waits: self.waits,
            blocks: self.blocks,
            options: self.options,
            block: self.block,
        }
    }
}

impl<T: 'static> HostFunc<T> {
    /// One that can do nothing yet.
    pub fn new(signature: Signature) -> HostFunc<T> {
        HostFunc {
            signature,
            link: None,
            body: None,
            deferred: None,
            waits: false,
            blocks: false,
            options: FuncOptions::default(),
            block: None,
        }
    }

    pub fn native(signature: Signature, link: Arc<LinkFunc<T>>) -> HostFunc<T> {
        HostFunc {
            link: Some(link),
            ..HostFunc::new(signature)
        }
    }

    /// What a record of its calls looks like.
    pub fn record(&self, wide: bool) -> Option<Result<Record, String>> {
        let deferred = self.deferred.as_ref()?;
        Some(match deferred.batch {
            true => batch_record(&self.signature),
            false => record(&self.signature, wide),
        })
    }

    fn deferral(&self, wide: bool, settings: &BatchSettings) -> Deferral {
        match self.record(wide) {
            None => Deferral::Unasked,
            Some(Err(reason)) => Deferral::Unfit(reason),
            Some(Ok(_)) if !settings.deferring => Deferral::Off,
            Some(Ok(record)) if !settings.has_room(&record) => Deferral::Unfit(format!(
                "a call takes {} bytes and 8 for the function, which the queue of {} has not",
                record.size,
                settings.queue_bytes()
            )),
            Some(Ok(record)) if record.copies.is_empty() => Deferral::Scalar,
            Some(Ok(_)) => Deferral::Memory,
        }
    }

    /// The core types that a guest may import it under, and how each returns.
    /// What is given as Wasm has its own type only.
    pub fn forms(&self, wide: bool) -> Vec<(FuncType, Return)> {
        let mut forms = self.signature.import_forms(wide);
        if self.link.is_none() {
            forms.retain(|(_, form)| *form == Return::Direct);
        }
        forms
    }
}

impl<T: 'static> Clone for ItemKind<T> {
    fn clone(&self) -> Self {
        match self {
            ItemKind::Func(func) => ItemKind::Func(func.clone()),
            ItemKind::Memory(ty) => ItemKind::Memory(ty.clone()),
            ItemKind::Global(ty, value) => ItemKind::Global(ty.clone(), value.clone()),
            ItemKind::Table(ty) => ItemKind::Table(ty.clone()),
        }
    }
}

/// Defines a host function in the linker of a program.
pub(crate) type LinkFunc<T> = dyn Fn(&mut Linker<StoreData<T>>, &Linkage<'_>, Arc<Site>) -> wasmtime::Result<()>
    + Send
    + Sync;

pub(crate) type CatchAll<T> = dyn Fn(&mut Guest<'_, T>, &Unmatched<'_>, &[Value], &mut [Value]) -> wasmtime::Result<()>
    + Send
    + Sync;

/// The import that a [`Host::catch_all`] handler answers for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Unmatched<'a> {
    /// Module of the import.
    pub module: &'a str,
    /// Name of the import.
    pub name: &'a str,
    /// Its type: core types, read as the plainest interface types.
    pub signature: &'a Signature,
}

impl<T: 'static> fmt::Debug for Host<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .items
            .iter()
            .map(|item| format!("{}.{}", item.module, item.name));
        f.debug_struct("Host")
            .field("items", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl<T: 'static> Default for Host<T> {
    fn default() -> Self {
        Host::new()
    }
}

impl<T: 'static> Host<T> {
    /// A host without functions, on an engine of its own.
    pub fn new() -> Host<T> {
        let settings = EngineSettings::default();
        // No configuration made of these settings is refused.
        let mut host = Host::with_engine(settings.engine().expect("the default engine"));
        host.settings = Some(settings);
        host
    }

    /// A host without functions, on an engine configured elsewhere. Limits need
    /// some of its settings; a program cannot be made if they are missing.
    pub fn with_engine(engine: Engine) -> Host<T> {
        Host {
            definitions: Mutex::new(Definitions::new(&engine)),
            engine,
            settings: None,
            unfit: None,
            fuel_costs: ByName::default(),
            items: Vec::new(),
            named: ByName::default(),
            optional: ByName::default(),
            reentrant: ByName::default(),
            catch_all: None,
            limits: Limits::NONE,
            inlining: InlineSettings::default(),
            batching: BatchSettings::default(),
            #[cfg(feature = "wasi")]
            wasi: None,
        }
    }

    /// The Wasmtime engine that programs of this host are compiled by.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Offers a closure as `module.name`.
    ///
    /// Its parameter types, written out, choose how it crosses; it may take
    /// the guest (`|guest: &mut Guest<'_, T>, ...|`) first. A `Result` traps if
    /// it is `Err`, and the error keeps its type.
    ///
    /// A name may be offered several times under different types: a guest gets
    /// the first that fits its import.
    pub fn func<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, Free<M>>,
    ) -> &mut Self {
        self.register(module, name, func)
    }

    /// Offers a closure that takes the state first, as `module.name`:
    /// `|state: &mut T, ...|`. Otherwise as [`Host::func`].
    pub fn func_with_state<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, WithState<M>>,
    ) -> &mut Self {
        self.register(module, name, func)
    }

    fn register<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoHostFunc<T, M>,
    ) -> &mut Self {
        let decl = Decl::new(module, name, &[]);
        func.register(decl, &mut HostRegistry::new(self, whole));
        self
    }

    /// Offers a function whose type is known only at run time.
    ///
    /// `func` gets a value for each parameter, and as many results to set as
    /// the signature has; they start as zeros.
    ///
    /// ```
    /// use hostcall::{Error, Host, Value};
    ///
    /// let mut host = Host::<()>::new();
    /// let signature = "func(text: string, n: u32) -> result<u32, string>".parse()?;
    /// host.func_dynamic("env", "nth", signature, |_guest, args, results| -> Result<(), Error> {
    ///     let [Value::String(text), Value::U32(n)] = args else { unreachable!() };
    ///     results[0] = Value::Result(match text.bytes().nth(*n as usize) {
    ///         Some(byte) => Ok(Some(Box::new(Value::U32(byte.into())))),
    ///         None => Err(Some(Box::new("too short".into()))),
    ///     });
    ///     Ok(())
    /// });
    /// # Ok::<(), Error>(())
    /// ```
    pub fn func_dynamic<E>(
        &mut self,
        module: &str,
        name: &str,
        signature: Signature,
        func: impl Fn(&mut Guest<'_, T>, &[Value], &mut [Value]) -> Result<(), E>
        + Send
        + Sync
        + 'static,
    ) -> &mut Self
    where
        E: Into<wasmtime::Error>,
    {
        let func = Arc::new(func);
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let func = func.clone();
            crossing::link_dynamic(
                linker,
                linkage,
                Owned { get: whole },
                site,
                move |guest, args, results| func(guest, args, results).map_err(Into::into),
            )
        });
        let func = HostFunc::native(signature, link);
        self.item(module, name, ItemKind::Func(func))
    }

    /// Answers every function import that nothing else satisfies.
    ///
    /// `handler` is told which import is called. A name that is offered under
    /// another type is still an error when linking.
    pub fn catch_all<E>(
        &mut self,
        handler: impl Fn(&mut Guest<'_, T>, &Unmatched<'_>, &[Value], &mut [Value]) -> Result<(), E>
        + Send
        + Sync
        + 'static,
    ) -> &mut Self
    where
        E: Into<wasmtime::Error>,
    {
        self.catch_all = Some(Arc::new(move |guest, import, args, results| {
            handler(guest, import, args, results).map_err(Into::into)
        }));
        self
    }

    /// Lets guests import the function `module.name` although nothing offers
    /// it: it traps when it is called.
    pub fn optional(&mut self, module: &str, name: &str) -> &mut Self {
        self.optional.insert(module, name, ());
        self
    }

    /// Lets the host function `module.name` call the guest back: while it does, as
    /// many as `depth` such calls may be in each other. However the function is
    /// offered, and be it by [`Host::catch_all`]; `#[hostcall(reentrant)]` is the
    /// same for functions in `#[host_module]`.
    ///
    /// A function that is not declared so is refused, with the chain of calls:
    /// guests seldom expect to be called while they call. Where the call can wait,
    /// [`Guest::post`] needs no declaration.
    ///
    /// ```
    /// use hostcall::{ErrorKind, Guest, Host};
    ///
    /// fn visit(guest: &mut Guest<'_, ()>, n: i32) -> Result<i32, hostcall::Error> {
    ///     guest.export::<i32, i32>("visit_done")?.call_in(guest, n)
    /// }
    ///
    /// let wat = br#"(module
    ///     (import "env" "visit" (func $visit (param i32) (result i32)))
    ///     (func (export "visit_done") (param i32) (result i32) (local.get 0))
    ///     (func (export "main") (result i32) (call $visit (i32.const 7))))"#;
    /// let mut host = Host::<()>::new();
    /// host.func("env", "visit", visit);
    /// let mut instance = host.program(wat)?.instantiate(())?;
    /// let main = instance.export::<(), i32>("main")?;
    /// let error = main.call(&mut instance, ()).unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::Reentrancy(_)));
    /// assert!(error.to_string().contains("main -> env.visit -> visit_done"));
    ///
    /// host.reentrant("env", "visit", 1);
    /// let mut instance = host.program(wat)?.instantiate(())?;
    /// let main = instance.export::<(), i32>("main")?;
    /// assert_eq!(main.call(&mut instance, ())?, 7);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    pub fn reentrant(&mut self, module: &str, name: &str, depth: u32) -> &mut Self {
        self.reentrant.insert(module, name, depth);
        self
    }

    /// Offers a memory; every instance gets one of its own.
    pub fn memory(&mut self, module: &str, name: &str, ty: MemoryType) -> &mut Self {
        self.item(module, name, ItemKind::Memory(ty))
    }

    /// Offers a global that starts as `value`; every instance gets one of its
    /// own.
    pub fn global(&mut self, module: &str, name: &str, mutable: bool, value: Value) -> &mut Self {
        let content = crate::define::core_type(&value);
        self.item(
            module,
            name,
            ItemKind::Global(GlobalType { content, mutable }, value),
        )
    }

    /// Offers a table of null references; every instance gets one of its own.
    pub fn table(&mut self, module: &str, name: &str, ty: TableType) -> &mut Self {
        self.item(module, name, ItemKind::Table(ty))
    }

    /// Links and compiles a guest, given as Wasm or as text.
    ///
    /// # Errors
    ///
    /// All imports that do not fit are reported at once, see
    /// [`ErrorKind::Link`](crate::ErrorKind::Link). Also if the bytes are not a
    /// core module, or Wasmtime refuses it.
    pub fn program(&self, guest: &[u8]) -> Result<Program<T>, Error> {
        Program::new(self, guest)
    }

    pub(crate) fn item(&mut self, module: &str, name: &str, kind: ItemKind<T>) -> &mut Self {
        let position = self.items.len();
        self.named.or_default(module, name).push(position);
        self.items.push(Item {
            module: module.to_owned(),
            name: name.to_owned(),
            kind,
        });
        self
    }

    /// Says in a plan what it cannot know.
    pub(crate) fn complete(&self, plan: &mut Plan) {
        for planned in &mut plan.imports {
            let Binding::Item { item, .. } = planned.binding else {
                continue;
            };
            let func = self.items.get(item).and_then(Item::func);
            if func.is_some_and(|func| func.blocks) {
                planned.reason = "a host function; runs on a thread of its own".to_owned();
            }
        }
    }

    /// What is offered as `module.name`, in the order of registering.
    pub(crate) fn items_by_name(&self, module: &str, name: &str) -> &[usize] {
        self.named.get(module, name).map_or(&[], |items| items)
    }

    /// How an item is offered to a guest with 32- or 64-bit pointers.
    pub(crate) fn offer(&self, item: &Item<T>, wide: bool) -> HostItem {
        let Item { module, name, kind } = item;
        HostItem {
            module: module.clone(),
            name: name.clone(),
            provides: match kind {
                ItemKind::Func(func) => Provides::Func {
                    signature: func.signature.to_string(),
                    forms: func.forms(wide).into_iter().map(|(ty, _)| ty).collect(),
                    inlining: inlining(func.body.as_ref(), self.inlining.allows(module, name)),
                    deferral: func.deferral(wide, &self.batching),
                    waits: func.waits,
                },
                ItemKind::Memory(ty) => Provides::Memory(ty.clone()),
                ItemKind::Global(ty, _) => Provides::Global(ty.clone()),
                ItemKind::Table(ty) => Provides::Table(ty.clone()),
            },
        }
    }
}

/// A set of host functions, made by `#[host_module]`.
///
/// ```
/// use hostcall::{Host, HostModule, host_module};
///
/// #[derive(Default)]
/// struct Log(Vec<String>);
///
/// #[host_module(name = "log")]
/// impl Log {
///     fn line(&mut self, text: &str) {
///         self.0.push(text.to_owned());
///     }
/// }
///
/// #[derive(Default)]
/// struct State { log: Log }
///
/// let mut host = Host::<State>::new();
/// Log::add_to_host(&mut host, |state| &mut state.log);
/// ```
pub trait HostModule: Sized + 'static {
    /// The module that guests import these functions from.
    const NAME: &'static str;

    /// Registers every function.
    #[doc(hidden)]
    fn register(registry: &mut impl Registry<Self>);

    /// Adds the functions to a host; `get` finds their state in the host's.
    fn add_to_host<T>(
        host: &mut Host<T>,
        get: impl Fn(&mut T) -> &mut Self + Copy + Send + Sync + 'static,
    ) {
        Self::register(&mut HostRegistry::new(host, get));
    }

    /// Adds the functions to a Wasmtime linker; `get` finds their state in the
    /// store's data.
    ///
    /// The memory, exported as `memory`, and `cabi_realloc` are looked up in
    /// the instance that calls, so several instances may share a store.
    /// Pointers are 32 bits wide. A result of several core values has its first
    /// form only: a return pointer, or multi-value for a tuple of scalars.
    /// Errors are
    /// [`wasmtime::Error`]s, from which the error of the host function can be
    /// downcast. A [`GuestFunc`](crate::GuestFunc) must be called only while the
    /// instance it came from is the caller: nothing tells instances apart here,
    /// and strings and lists would go through the caller's memory.
    ///
    /// # Errors
    ///
    /// If the linker has one of the names already.
    fn add_to_linker<D: 'static>(
        linker: &mut Linker<D>,
        get: impl Fn(&mut D) -> &mut Self + Copy + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let mut registry = crate::linker::LinkerRegistry {
            linker,
            get,
            result: Ok(()),
        };
        Self::register(&mut registry);
        registry.result.map_err(Error::wasmtime)
    }
}

impl<T: 'static> Item<T> {
    /// The host function, if this is one.
    pub(crate) fn func(&self) -> Option<&HostFunc<T>> {
        match &self.kind {
            ItemKind::Func(func) => Some(func),
            _ => None,
        }
    }
}
