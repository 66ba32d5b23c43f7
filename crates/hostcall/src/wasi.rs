//! WASI preview 1, by `wasmtime-wasi`.

use crate::core::from_func_type;
use crate::error::Error;
use crate::host::Host;
use crate::owned::StoreData;
use hostcall_link::{Deferral, HostItem, Import, Inlining, ModuleInfo, Provides, Surface};
use std::sync::Arc;
use wasmtime::{Engine, Linker, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};

pub use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

const MODULE: &str = "wasi_snapshot_preview1";

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
    waits: bool,
}

impl<T: 'static> Clone for Wasi<T> {
    fn clone(&self) -> Self {
        Wasi {
            make: self.make.clone(),
            ..*self
        }
    }
}

/// Puts WASI into the linker and on the surface, if the guest imports it.
pub(crate) fn offer<T: 'static>(
    host: &Host<T>,
    info: &ModuleInfo,
    linker: &mut Linker<StoreData<T>>,
    surface: &mut Surface,
) -> Result<(), Error> {
    let Some(wasi) = &host.wasi else {
        return Ok(());
    };
    if !is_imported(info) {
        return Ok(());
    }
    (wasi.add)(linker).map_err(Error::wasmtime)?;
    surface
        .items
        .extend(items(&host.engine, wasi.waits).map_err(Error::wasmtime)?);
    Ok(())
}

/// Whether the guest imports any of WASI.
pub(crate) fn is_imported(info: &ModuleInfo) -> bool {
    info.imports.iter().any(|import| import.module == MODULE)
}

/// The functions of WASI, with their types.
fn items(engine: &Engine, waits: bool) -> wasmtime::Result<Vec<HostItem>> {
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

/// Makes a function of WASI, which is in the linker under its own name, the
/// import that goes by `name`.
pub(crate) fn alias<T: 'static>(
    linker: &mut Linker<StoreData<T>>,
    import: &Import,
    (module, name): (&str, &str),
) -> wasmtime::Result<()> {
    if module != import.module {
        linker.alias(&import.module, &import.name, module, name)?;
    }
    Ok(())
}
