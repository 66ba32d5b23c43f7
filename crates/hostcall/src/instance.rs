//! A guest at work.

use crate::error::Error;
use crate::export::{DynExport, Export, resolve, resolve_dynamic};
use crate::guest::Guest;
use crate::guest_type::{Lift, Lower};
use crate::inline::{HostState, state, state_mut};
use crate::owned::{Owned, StoreData, whole};
use crate::program::Program;
use crate::reach::StoreReach;
use crate::ty::Signature;
use crate::value::Value;
use std::any::TypeId;
use std::fmt;
use wasmtime::{Func, Store};

/// An instance of a [`Program`], with the state that its host functions work
/// on.
///
/// After a trap or an error of a host function, an instance can be used again:
/// its memory is as the guest left it. Whether that makes sense is for the
/// guest to say; make a new instance if in doubt, that is cheap.
pub struct Instance<T: 'static> {
    program: Program<T>,
    pub(crate) store: Store<StoreData<T>>,
    instance: wasmtime::Instance,
}

impl<T: 'static> fmt::Debug for Instance<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

impl<T: 'static> Instance<T> {
    pub(crate) fn new(
        program: Program<T>,
        store: Store<StoreData<T>>,
        instance: wasmtime::Instance,
    ) -> Instance<T> {
        Instance {
            program,
            store,
            instance,
        }
    }

    /// The program this is an instance of.
    pub fn program(&self) -> &Program<T> {
        &self.program
    }

    /// The state of the host functions.
    pub fn state(&self) -> &T {
        &self.store.data().state
    }

    /// The state of the host functions, to change it.
    pub fn state_mut(&mut self) -> &mut T {
        &mut self.store.data_mut().state
    }

    /// The struct of type `S` in the host page, which inlined bodies read and
    /// write; `None` if the guest imports no function that uses it.
    pub fn host_state<S: HostState>(&self) -> Option<&S> {
        let data = self.store.data();
        let place = data.page_layout.as_ref()?.place(TypeId::of::<S>())?;
        let bytes = data.page?.data(&self.store).get(place)?;
        state(bytes)
    }

    /// The same, to change it.
    pub fn host_state_mut<S: HostState>(&mut self) -> Option<&mut S> {
        let data = self.store.data();
        let place = data.page_layout.as_ref()?.place(TypeId::of::<S>())?;
        let bytes = data.page?.data_mut(&mut self.store).get_mut(place)?;
        state_mut(bytes)
    }

    /// Drops the guest, keeps the state.
    pub fn into_state(self) -> T {
        self.store.into_data().state
    }

    /// Resolves an export, once for all calls.
    ///
    /// `P` is a guest type or a tuple of them, `R` a guest type. Strings and
    /// lists are allocated in the guest by its `cabi_realloc`; a result that is
    /// a string or list is copied out, and the guest's `cabi_post_NAME` is
    /// called, if it has one, to free it.
    ///
    /// ```
    /// # let program = hostcall::Host::<()>::new().program(
    /// #     br#"(module (func (export "add") (param i32 i32) (result i32)
    /// #         (i32.add (local.get 0) (local.get 1))))"#)?;
    /// # let mut instance = program.instantiate(())?;
    /// let add = instance.export::<(i32, i32), i32>("add")?;
    /// assert_eq!(add.call(&mut instance, (2, 3))?, 5);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no function of that name and type; the message shows both
    /// types, and the parameter that differs.
    pub fn export<P, R>(&mut self, name: &str) -> Result<Export<P, R>, Error>
    where
        P: Lower,
        R: for<'v> Lift<Value<'v> = R>,
    {
        let func = self.func(name)?;
        let params = self.params(name);
        resolve(&mut self.reach(), func, name, &params)
    }

    /// Resolves an export whose type is known only at run time: its core type,
    /// read as the plainest interface (`i32` as `s32` and so on).
    ///
    /// # Errors
    ///
    /// If there is no function of that name.
    pub fn export_dynamic(&mut self, name: &str) -> Result<DynExport, Error> {
        let func = self.func(name)?;
        let params = self.params(name);
        resolve_dynamic(&mut self.reach(), func, name, &params, None)
    }

    /// Resolves an export with an interface known only at run time.
    ///
    /// # Errors
    ///
    /// If there is no function of that name and type.
    pub fn export_with(&mut self, name: &str, signature: Signature) -> Result<DynExport, Error> {
        let func = self.func(name)?;
        let params = self.params(name);
        resolve_dynamic(&mut self.reach(), func, name, &params, Some(signature))
    }

    /// Looks up an export and calls it with values of its core types. For more
    /// than a few calls, keep what [`Instance::export_dynamic`] gives.
    ///
    /// # Errors
    ///
    /// If there is no such function, the values do not fit, or the call fails.
    pub fn call(&mut self, name: &str, args: &[Value]) -> Result<Vec<Value>, Error> {
        let export = self.export_dynamic(name)?;
        let results = export.signature().results();
        let mut results: Vec<_> = results.iter().map(Value::zero).collect();
        export.call(self, args, &mut results)?;
        Ok(results)
    }

    /// Runs a WASI command: calls `_start`, and gives the status that it exits
    /// with.
    ///
    /// # Errors
    ///
    /// If there is no `_start`, or it traps.
    pub fn run(&mut self) -> Result<i32, Error> {
        let result = self.export::<(), ()>("_start")?.call(self, ());
        match result {
            Ok(()) => Ok(0),
            Err(error) => match error.kind() {
                crate::ErrorKind::Exit(status) => Ok(*status),
                _ => Err(error),
            },
        }
    }

    /// Lets `with` work on the guest as a host function can: read and write
    /// memory, allocate, call.
    pub fn guest<R>(&mut self, with: impl FnOnce(&mut Guest<'_, T>) -> R) -> R {
        with(&mut Guest::new(&mut self.reach()))
    }

    /// The Wasmtime store of this instance, for what hostcall does not cover.
    pub fn store_mut(&mut self) -> &mut Store<StoreData<T>> {
        &mut self.store
    }

    /// The Wasmtime instance, for what hostcall does not cover.
    pub fn wasmtime_instance(&self) -> wasmtime::Instance {
        self.instance
    }

    fn func(&mut self, name: &str) -> Result<Func, Error> {
        let info = self.program.info();
        match self.instance.get_func(&mut self.store, name) {
            Some(func) => Ok(func),
            None => Err(crate::export::missing(info, name)),
        }
    }

    /// Names of an export's parameters, as far as the guest tells.
    fn params(&self, name: &str) -> Vec<Option<String>> {
        let info = self.program.info();
        let export = info.exports.iter().find(|export| export.name == name);
        export.map_or_else(Vec::new, |export| info.params_of(export.index).to_vec())
    }

    #[inline(always)]
    pub(crate) fn reach(
        &mut self,
    ) -> StoreReach<
        &mut Store<StoreData<T>>,
        Owned<impl Fn(&mut T) -> &mut T + Copy + Send + Sync + 'static>,
    > {
        let wide = self.program.wide();
        StoreReach::new(&mut self.store, Owned { get: whole }, wide)
    }
}
