//! WASI preview 1, by `wasmtime-wasi`.

use crate::core::from_func_type;
use crate::error::Error;
use crate::host::Host;
use crate::owned::StoreData;
use hostcall_link::{Deferral, HostItem, Import, Inlining, ModuleInfo, Provides};
use std::sync::{Arc, OnceLock};
use wasmtime::{Engine, Linker, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};

pub use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

const MODULE: &str = "wasi_snapshot_preview1";
/// Where linkers have WASI, whatever host functions take the names of its module.
const KEPT: &str = "hostcall:wasi";

pub(crate) type MakeWasi<T> = Arc<dyn Fn(&T) -> WasiP1Ctx + Send + Sync>;

impl<T: Send + 'static> Host<T> {
    /// Offers WASI preview 1, so that ordinary C and Rust programs start.
    ///
    /// `make` says what each instance gets: no files, streams, arguments or
    /// environment unless it asks for them. It is called for guests that import
    /// WASI.
    ///
    /// ```
    /// use hostcall::Host;
    /// use hostcall::wasi::WasiCtxBuilder;
    ///
    /// let mut host = Host::<()>::new();
    /// host.wasi(|_| WasiCtxBuilder::new().inherit_stdio().arg("guest").build_p1());
    /// ```
    ///
    /// Waiting in a WASI call blocks the thread, and panics on a thread of an
    /// asynchronous runtime: call such guests elsewhere.
    pub fn wasi(&mut self, make: impl Fn(&T) -> WasiP1Ctx + Send + Sync + 'static) -> &mut Self {
        self.wasi = Some(Wasi {
            make: Arc::new(make),
            add: |linker| p1::add_to_linker_sync(linker, context),
            waits: false,
            items: OnceLock::new(),
        });
        self
    }

    /// As [`Host::wasi`], with WASI calls that wait by suspending the guest, under
    /// Tokio. Guests that import WASI are called asynchronously only.
    ///
    /// ```
    /// use hostcall::Host;
    /// use hostcall::wasi::WasiCtxBuilder;
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    /// let mut host = Host::<()>::new();
    /// host.wasi_async(|_| WasiCtxBuilder::new().build_p1());
    /// let program = host.program(
    ///     br#"(module
    ///         (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    ///         (memory (export "memory") 1)
    ///         (func (export "_start") (drop (call $yield))))"#,
    /// )?;
    /// runtime.block_on(async {
    ///     let mut instance = program.instantiate_async(()).await?;
    ///     assert_eq!(instance.run_async().await?, 0);
    ///     Ok::<(), hostcall::Error>(())
    /// })?;
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    pub fn wasi_async(
        &mut self,
        make: impl Fn(&T) -> WasiP1Ctx + Send + Sync + 'static,
    ) -> &mut Self {
        self.wasi = Some(Wasi {
            make: Arc::new(make),
            add: |linker| p1::add_to_linker_async(linker, context),
            waits: true,
            items: OnceLock::new(),
        });
        self
    }
}

fn context<T>(data: &mut StoreData<T>) -> &mut WasiP1Ctx {
    let context = data.wasi.as_mut();
    context.expect("every instance of a host with WASI has a context")
}

/// WASI as a host offers it.
pub(crate) struct Wasi<T: 'static> {
    pub make: MakeWasi<T>,
    /// A function, because it needs `T: Send`, which `Host<T>` does not.
    add: fn(&mut Linker<StoreData<T>>) -> wasmtime::Result<()>,
    /// Whether its calls suspend the guest.
    pub waits: bool,
    /// What it offers, once that was needed.
    items: OnceLock<Vec<HostItem>>,
}

impl<T: 'static> Wasi<T> {
    /// Puts WASI into a linker, where [`alias`] finds it.
    pub fn add_to_linker(&self, linker: &mut Linker<StoreData<T>>) -> wasmtime::Result<()> {
        (self.add)(linker)?;
        linker.alias_module(MODULE, KEPT)
    }
}

/// What WASI offers to a guest that imports it, sorted by name.
pub(crate) fn items<'h, T>(host: &'h Host<T>, info: &ModuleInfo) -> Result<&'h [HostItem], Error> {
    let Some(wasi) = imported(host, info) else {
        return Ok(&[]);
    };
    if wasi.items.get().is_none() {
        let items = funcs(&host.engine, wasi.waits).map_err(Error::wasmtime)?;
        // Another thread may have been first, with the same.
        let _ = wasi.items.set(items);
    }
    Ok(wasi.items.get().map_or(&[], |items| items))
}

/// The host's WASI, if there is one and the guest imports any of it.
pub(crate) fn imported<'h, T>(host: &'h Host<T>, info: &ModuleInfo) -> Option<&'h Wasi<T>> {
    let mut imports = info.imports.iter();
    let wasi = host.wasi.as_ref()?;
    imports
        .any(|import| import.module == MODULE)
        .then_some(wasi)
}

/// The functions of WASI, with their types.
fn funcs(engine: &Engine, waits: bool) -> wasmtime::Result<Vec<HostItem>> {
    let mut linker = Linker::<WasiP1Ctx>::new(engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi)?;
    let mut store = Store::new(engine, WasiCtxBuilder::new().build_p1());
    let externs: Vec<_> = linker
        .iter(&mut store)
        .map(|(_, name, item)| (name.to_owned(), item))
        .collect();
    let funcs = externs
        .into_iter()
        .filter_map(|(name, item)| Some((name, item.into_func()?)));
    let items = funcs.map(|(name, func)| {
        let ty = from_func_type(&func.ty(&store));
        let provides = Provides::Func {
            inlining: Inlining::Impossible,
            deferral: Deferral::Unasked,
            waits,
            signature: format!("wasi {name}"),
            forms: vec![ty],
        };
        HostItem {
            module: MODULE.to_owned(),
            name,
            provides,
        }
    });
    let mut items: Vec<_> = items.collect();
    // Linkers hold names in no order, messages should not.
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(items)
}

/// Makes a function of WASI, which is in the linker, the import that goes by `name`.
pub(crate) fn alias<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    import: &Import,
    (module, name): (&str, &str),
) -> wasmtime::Result<()> {
    linker.alias(KEPT, &import.name, module, name).map(drop)
}
