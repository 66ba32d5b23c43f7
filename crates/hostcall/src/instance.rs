//! A guest at work.

#![expect(unsafe_code, reason = "a raw call of the start function")]

use crate::batching::COUNTER;
use crate::deferred::{KeptCalls, discard, settle, undelivered};
use crate::error::{Error, INSTANTIATION};
use crate::export::{DynExport, Export, resolve, resolve_dynamic};
use crate::guest::{Guest, Within};
use crate::guest_type::{Lift, Lower};
use crate::inline::{HostState, state, state_mut};
use crate::limits::{self, Limits, Usage};
use crate::owned::{Owned, StoreData, whole};
use crate::program::Program;
use crate::reach::{Reach, StoreReach};
use crate::ty::Signature;
use crate::value::Value;
use hostcall_link::{Crossing, PlannedImport};
use std::any::TypeId;
use std::fmt;
use wasmtime::{Func, Store};

/// How often a guest has called one of its imports; see [`Instance::calls`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportCalls {
    /// Module of the import.
    pub module: String,
    /// Name of the import.
    pub name: String,
    /// Number of calls, however they cross.
    pub calls: u64,
    /// How many of them crossed by themselves: all calls of a function that is
    /// called, none of one whose body stands in the guest, and of a deferred one
    /// those that could not be queued.
    pub crossings: u64,
}

impl ImportCalls {
    /// `counters` are two `u64`.
    fn new(planned: &PlannedImport, counters: &[u8]) -> ImportCalls {
        let mut counters = counters.chunks_exact(8).map(|counter| {
            u64::from_le_bytes(counter.try_into().expect("a counter has eight bytes"))
        });
        let mut next = || counters.next().unwrap_or_default();
        let (calls, not_queued) = (next(), next());
        ImportCalls {
            module: planned.import.module.clone(),
            name: planned.import.name.clone(),
            calls,
            crossings: match planned.crossing {
                Some(Crossing::Call | Crossing::Async) => calls,
                // Nothing is queued that is inlined.
                _ => not_queued,
            },
        }
    }
}

/// The status that a command has ended with.
fn exit_status(result: Result<(), Error>) -> Result<i32, Error> {
    match result {
        Ok(()) => Ok(0),
        Err(error) => match error.kind() {
            crate::ErrorKind::Exit(status) => Ok(*status),
            _ => Err(error),
        },
    }
}

/// Runs a start function, and delivers what it has queued.
fn run_start(reach: &mut dyn Reach, start: &Func) -> wasmtime::Result<()> {
    // SAFETY: a start function has neither parameters nor results.
    let started = unsafe { reach.call(start, &mut []) };
    settle(reach, started)
}

/// The export by which a start function is run that the host has to run.
const START: &str = "hostcall:start";

/// What stands for the name of an export when kept calls are delivered.
const DELIVERY: &str = "(delivery)";

/// What stands for it when the host works on the guest by a handle.
const GUEST: &str = "(guest)";

/// An instance of a [`Program`], with the state that its host functions work
/// on.
///
/// After a trap or an error of a host function, an instance can be used again:
/// its memory is as the guest left it. Whether that makes sense is for the
/// guest to say; make a new instance if in doubt, that is cheap. What limits do
/// beyond that is said at [`Instance::is_poisoned`].
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

    /// Runs the start function, where instantiating has left that to us: calls
    /// that it has queued are delivered even if it traps.
    pub(crate) fn start(&mut self) -> Result<(), Error> {
        match self.start_func() {
            Some(start) => self.enter(INSTANTIATION, |reach| run_start(reach, &start)),
            None if self.store.data().posts.is_empty() => Ok(()),
            None => self.make_posted_apart(INSTANTIATION),
        }
    }

    fn start_func(&mut self) -> Option<Func> {
        self.program.deferred()?;
        self.added_func(START)
    }

    /// The same; async host functions may wait.
    pub(crate) async fn start_async(&mut self) -> Result<(), Error>
    where
        T: Send,
    {
        let start = self.start_func();
        if start.is_none() && self.store.data().posts.is_empty() {
            return Ok(());
        }
        let call = |reach: &mut dyn Reach| start.map_or(Ok(()), |start| run_start(reach, &start));
        self.enter_async(INSTANTIATION, call).await
    }

    /// Delivers calls that were kept when a deferred call before them failed, and
    /// those that are queued, as after a call of the guest by Wasmtime's own API.
    /// The next call of the guest does so, too, before the guest runs.
    ///
    /// # Errors
    ///
    /// If one of them fails: then those after it are kept.
    pub fn deliver_deferred(&mut self) -> Result<(), Error> {
        self.enter_guarded(DELIVERY, |reach| reach.drain())
    }

    /// Calls that are kept because a deferred call before them failed, and those
    /// that a call through Wasmtime's own API has left in the queue, by import.
    pub fn undelivered(&self) -> Vec<KeptCalls> {
        let data = self.store.data();
        match (self.program.deferred(), data.page) {
            (Some(calls), Some(page)) => undelivered(data, page.data(&self.store), calls),
            _ => Vec::new(),
        }
    }

    /// Forgets the calls that [`Instance::undelivered`] gives.
    pub fn discard_deferred(&mut self) {
        self.store.data_mut().kept.clear();
        if let (Some(calls), Some(page)) = (self.program.deferred(), self.store.data().page) {
            let queue = calls.queue;
            discard(page.data_mut(&mut self.store), &queue);
        }
    }

    /// How often the guest has called each of the functions that it imports, in
    /// the order of its imports; empty if calls are not counted, see
    /// [`Host::count_calls`](crate::Host::count_calls).
    pub fn calls(&self) -> Vec<ImportCalls> {
        let data = self.store.data();
        let (Some(counters), Some(page)) = (self.program.batch_layout().counters, data.page) else {
            return Vec::new();
        };
        let counters = page.data(&self.store)[counters as usize..].chunks_exact(COUNTER as usize);
        let imports = self.program.plan().imports.iter();
        let functions = imports.filter(|planned| planned.crossing.is_some());
        let calls = functions
            .zip(counters)
            .map(|(planned, counters)| ImportCalls::new(planned, counters));
        calls.collect()
    }

    /// How often the guest has crossed to have queued calls delivered, because
    /// the queue was full, or because it was about to call what is not deferred.
    ///
    /// What waits when an export returns is delivered without a crossing, and so
    /// not counted. Together with the [`crossings`](ImportCalls::crossings) of
    /// every import, these are all crossings from the guest to its host
    /// functions, but for those that bodies of inlined functions make.
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// let mut host = Host::<i32>::new();
    /// host.count_calls(true);
    /// host.deferred_with_state("env", "add", |sum: &mut i32, n: i32| *sum += n);
    /// host.func_with_state("env", "sum", |sum: &mut i32| *sum);
    /// let program = host.program(
    ///     br#"(module
    ///         (import "env" "add" (func $add (param i32)))
    ///         (import "env" "sum" (func $sum (result i32)))
    ///         (func (export "run") (result i32)
    ///             (call $add (i32.const 1))
    ///             (call $add (i32.const 2))
    ///             (call $sum)
    ///             (call $add (i32.const 3))))"#,
    /// )?;
    /// let mut instance = program.instantiate(0)?;
    /// assert_eq!(instance.export::<(), i32>("run")?.call(&mut instance, ())?, 3);
    /// assert_eq!(*instance.state(), 6);
    ///
    /// let calls = instance.calls();
    /// assert_eq!((calls[0].calls, calls[0].crossings), (3, 0));
    /// assert_eq!((calls[1].calls, calls[1].crossings), (1, 1));
    /// assert_eq!(instance.drains(), 1); // before `sum`
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    pub fn drains(&self) -> u64 {
        self.store.data().drains
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

    /// As [`Instance::call`]; async host functions may wait.
    ///
    /// # Errors
    ///
    /// As [`Instance::call`].
    pub async fn call_async(&mut self, name: &str, args: &[Value]) -> Result<Vec<Value>, Error>
    where
        T: Send,
    {
        let export = self.export_dynamic(name)?;
        let results = export.signature().results();
        let mut results: Vec<_> = results.iter().map(Value::zero).collect();
        export.call_async(self, args, &mut results).await?;
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
        exit_status(result)
    }

    /// As [`Instance::run`]; async host functions may wait.
    ///
    /// # Errors
    ///
    /// As [`Instance::run`].
    pub async fn run_async(&mut self) -> Result<i32, Error>
    where
        T: Send,
    {
        let start = self.export::<(), ()>("_start")?;
        exit_status(start.call_async(self, ()).await)
    }

    /// Lets `with` work on the guest as a host function can: read and write
    /// memory, allocate, call. Calls that are posted meanwhile are made after it.
    ///
    /// All that it does is one call, as far as [`Limits`] go; those that are reached
    /// fail what the closure does from then on. Nothing calls the guest if the
    /// instance is poisoned.
    pub fn guest<R>(&mut self, with: impl FnOnce(&mut Guest<'_, T>) -> R) -> R {
        // It fails only if the engine has no fuel, which was looked at before.
        drop(limits::begin(&mut self.store));
        let working = self.working(GUEST);
        let mut here = self.here();
        let result = with(&mut Guest::new(&mut here.reach(), &Within::Outside));
        here.make_posted();
        drop((here, working));
        limits::end(&mut self.store);
        result
    }

    /// What the last call has used of each limit that the instance has.
    ///
    /// ```
    /// # use hostcall::{Host, Limits};
    /// # let mut host = Host::<()>::new();
    /// host.limits(Limits::NONE.fuel(1_000).host_calls(10));
    /// host.func("env", "f", || {});
    /// let program = host.program(
    ///     br#"(module (import "env" "f" (func $f))
    ///         (func (export "run") (call $f) (call $f)))"#,
    /// )?;
    /// let mut instance = program.instantiate(())?;
    /// instance.export::<(), ()>("run")?.call(&mut instance, ())?;
    /// let usage = instance.usage();
    /// assert_eq!(usage.host_calls, Some(2));
    /// assert!(usage.fuel.is_some_and(|fuel| fuel > 0 && fuel < 20));
    /// assert_eq!(usage.time, None);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    pub fn usage(&self) -> Usage {
        self.store.data().usage()
    }

    /// What each call may use.
    pub fn limits(&self) -> Limits {
        self.store.data().limits
    }

    /// Changes what calls may use from now on.
    ///
    /// # Errors
    ///
    /// If the engine cannot do it, which says the setting that is missing; if the
    /// stack is to be another, which is the engine's; or if host functions are to
    /// be limited, and the program was made by a host without limits.
    pub fn set_limits(&mut self, limits: Limits) -> Result<(), Error> {
        self.program.check_limits(&limits)?;
        let ticker = self.program.ticker();
        if self.limits().fuel.is_some() && limits.fuel.is_none() {
            // What the last call has left would be all there is.
            self.store.set_fuel(u64::MAX).map_err(Error::wasmtime)?;
        }
        let data = self.store.data_mut();
        data.set_limits(limits);
        if limits.epochs() && data.budget.ticker.is_none() {
            limits::watch(&mut self.store, ticker);
        }
        Ok(())
    }

    /// Whether an earlier call was stopped amid the guest's own code: by fuel, time
    /// or the stack's limit, or because its future was dropped while the guest
    /// computed, or leaked. Whatever the guest was about to do, it has done in part: so calls
    /// fail with [`ErrorKind::Poisoned`](crate::ErrorKind::Poisoned).
    pub fn is_poisoned(&self) -> bool {
        self.store.data().poison().is_some()
    }

    /// Lets a poisoned instance be called again, with its memory and globals as they
    /// are. A guest cannot break the host by that, but it may be in a state that it
    /// has never been in before.
    pub fn clear_poison(&mut self) {
        self.store.data_mut().clear_poison();
    }

    /// The Wasmtime store of this instance, for what hostcall does not cover.
    ///
    /// Where Wasmtime itself may suspend the guest (in calls that the embedder
    /// makes by Wasmtime's own `call_async`), host functions cannot call it, nor
    /// return what has to be allocated in it: that is an error, for their frames
    /// may have to stay on their thread.
    /// [`Limits::time_slice`](crate::Limits::time_slice) has guests yield where they
    /// can.
    pub fn store_mut(&mut self) -> &mut Store<StoreData<T>> {
        self.store.data_mut().set_exposed(true);
        &mut self.store
    }

    /// The Wasmtime instance, for what hostcall does not cover.
    pub fn wasmtime_instance(&self) -> wasmtime::Instance {
        self.instance
    }

    /// A function that linking has added.
    pub(crate) fn added_func(&mut self, name: &str) -> Option<Func> {
        self.instance.get_func(&mut self.store, name)
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

    /// What tells it from all other instances.
    #[inline(always)]
    pub(crate) fn owner(&mut self) -> u64 {
        self.reach().owner()
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
