//! What programs import, defined in linkers.

use super::Import;
use crate::by_name::ByName;
use crate::host::Host;
use crate::owned::StoreData;
use crate::registry::FuncOptions;
use std::sync::{MutexGuard, PoisonError};
use wasmtime::{Engine, Linker};

/// A linker, and how that was defined which is in it.
pub(crate) struct Definitions<T: 'static> {
    pub(super) linker: Linker<StoreData<T>>,
    known: ByName<Defined>,
    /// Whether WASI is in it, and if its calls wait.
    #[cfg(feature = "wasi")]
    wasi: Option<bool>,
}

/// All that a definition depends on, apart from its name and the engine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Defined {
    /// A host function. Items of a host do not change.
    Item {
        item: usize,
        form: usize,
        wide: bool,
        options: FuncOptions,
        metered: bool,
    },
    /// A function of WASI, by its own name.
    #[cfg(feature = "wasi")]
    Wasi,
    /// What every guest gets by this name.
    Fixed,
}

impl<T: 'static> Definitions<T> {
    pub fn new(engine: &Engine) -> Definitions<T> {
        let mut linker = Linker::new(engine);
        // A name may mean something else in the next program.
        linker.allow_shadowing(true);
        Definitions {
            linker,
            known: ByName::default(),
            #[cfg(feature = "wasi")]
            wasi: None,
        }
    }

    /// Has a name defined, unless it is already, and in the same way.
    pub(super) fn define(
        &mut self,
        (module, name): (&str, &str),
        what: Defined,
        define: impl FnOnce(&mut Linker<StoreData<T>>) -> wasmtime::Result<()>,
    ) -> wasmtime::Result<Import<T>> {
        if self.known.get(module, name) != Some(&what) {
            self.known.remove(module, name);
            define(&mut self.linker)?;
            self.known.insert(module, name, what);
        }
        Ok(Import::Linked)
    }

    /// Has WASI in the linker, for [`wasi::alias`](crate::wasi::alias).
    #[cfg(feature = "wasi")]
    pub(super) fn add_wasi(&mut self, wasi: &crate::wasi::Wasi<T>) -> wasmtime::Result<()> {
        if self.wasi != Some(wasi.waits) {
            // It takes names of its own module away from host functions.
            self.known = ByName::default();
            wasi.add_to_linker(&mut self.linker)?;
            self.wasi = Some(wasi.waits);
        }
        Ok(())
    }
}

impl<T: 'static> Host<T> {
    /// The definitions that programs of this host share.
    pub(super) fn definitions(&self) -> MutexGuard<'_, Definitions<T>> {
        // A definition that panicked is not known.
        let shared = self.definitions.lock();
        let mut shared = shared.unwrap_or_else(PoisonError::into_inner);
        if !Engine::same(shared.linker.engine(), &self.engine) {
            *shared = Definitions::new(&self.engine);
        }
        shared
    }
}
