//! The guest handle: what a host function can do with the guest that called
//! it.

use crate::call::{self, check_owner, export_error};
use crate::error::{Bad, Error, ErrorKind, Place, Site};
use crate::export::{DynExport, Export, REFERENCE, resolve, resolve_dynamic};
use crate::fault::Lifted;
use crate::guest_type::{GuestPlace, GuestPtr, GuestSlice, GuestStr, Lift, Lower};
use crate::inline::HostState;
use crate::limits::{Deadline, LimitExceeded, Limits};
use crate::memory::{Borrows, Source, View};
use crate::reach::{Access, Exports, Reach, StoreReach};
use crate::reentry::nest;
use crate::reference::GuestFunc;
use crate::value::DynFunc;
use std::fmt;
use std::sync::Arc;
use wasmtime::{Extern, Func};

mod suspended;

pub use suspended::AsyncGuest;

/// The guest that called a host function, or an instance between calls.
///
/// `T` is the state of the host functions. A host function that takes
/// `guest: &mut Guest<'_, T>` first can read and write guest memory, allocate
/// in it, and call the guest back. It takes strings and lists as [`GuestStr`],
/// [`GuestSlice`] and [`GuestPtr`], because what it does with the guest may
/// move the memory that a `&str` would borrow.
///
/// ```
/// use hostcall::{Error, Guest, GuestStr, Host};
///
/// struct App { lines: Vec<String> }
///
/// let mut host = Host::<App>::new();
/// host.func("env", "log", |guest: &mut Guest<'_, App>, text: GuestStr| -> Result<(), Error> {
///     let line = guest.read_str(text)?.to_owned();
///     guest.state_mut().lines.push(line);
///     Ok(())
/// });
/// ```
pub struct Guest<'a, T> {
    reach: &'a mut dyn GuestReach<T>,
    within: &'a Within,
}

/// Who has a guest handle.
#[derive(Clone)]
pub(crate) enum Within {
    /// The embedder, between calls.
    Outside,
    /// A host function, which may call the guest to this depth: not at all if
    /// it is zero.
    Host { site: Arc<Site>, depth: u32 },
}

impl<T> fmt::Debug for Guest<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").finish_non_exhaustive()
    }
}

/// [`Reach`] with the state of the host functions.
pub(crate) trait GuestReach<T>: Reach {
    fn state_mut(&mut self) -> &mut T;
    fn source_and_state(&mut self) -> (Source<'_>, &mut T);
    fn as_reach(&mut self) -> &mut dyn Reach;
}

impl<S: Exports, A> GuestReach<A::State> for StoreReach<S, A>
where
    S::Data: 'static,
    A: Access<S::Data>,
{
    fn state_mut(&mut self) -> &mut A::State {
        self.access.state(self.store.data_mut())
    }

    fn source_and_state(&mut self) -> (Source<'_>, &mut A::State) {
        self.source_and_state()
    }

    fn as_reach(&mut self) -> &mut dyn Reach {
        self
    }
}

impl<'a, T> Guest<'a, T> {
    pub(crate) fn new(reach: &'a mut dyn GuestReach<T>, within: &'a Within) -> Guest<'a, T> {
        Guest { reach, within }
    }

    /// Calls the guest, if the host function that has this handle may.
    pub(crate) fn inward<R>(
        &mut self,
        callee: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
    ) -> Result<R, Error> {
        let reach = self.reach.as_reach();
        reach.usable()?;
        let result = match self.within {
            Within::Outside => hold(reach, call),
            Within::Host { site, depth } => {
                nest(reach, site, (callee, *depth), |reach| hold(reach, call))?
            }
        };
        result.map_err(|error| reach.failed(error, callee))
    }

    /// The state of the host functions.
    pub fn state(&mut self) -> &T {
        self.reach.state_mut()
    }

    /// The state of the host functions, to change it.
    pub fn state_mut(&mut self) -> &mut T {
        self.reach.state_mut()
    }

    /// Borrows a string.
    ///
    /// # Errors
    ///
    /// A [`Fault`](crate::Fault) if it lies outside memory or is not UTF-8.
    pub fn read_str(&mut self, text: GuestStr) -> Result<&str, Error> {
        self.transfer(text.raw.1)?;
        at_argument(text.argument, self.view().str(text.raw.0, text.raw.1))
    }

    /// Borrows a string together with the state, for host functions that put
    /// one into the other.
    ///
    /// # Errors
    ///
    /// As [`Guest::read_str`].
    pub fn read_str_and_state(&mut self, text: GuestStr) -> Result<(&str, &mut T), Error> {
        self.transfer(text.raw.1)?;
        let (source, state) = self.reach.source_and_state();
        let text = at_argument(
            text.argument,
            View::new(source, None).str(text.raw.0, text.raw.1),
        )?;
        Ok((text, state))
    }

    /// Borrows a list.
    ///
    /// # Errors
    ///
    /// A [`Fault`](crate::Fault) if it lies outside memory, is misaligned, or
    /// holds an invalid `bool`, `char` or enum.
    pub fn read_slice<E: GuestPlace>(&mut self, list: GuestSlice<E>) -> Result<&[E], Error> {
        self.transfer(size_of_list::<E>(list))?;
        at_argument(list.argument, self.view().slice(list.raw.0, list.raw.1))
    }

    /// Borrows a list to change it. Its type has no padding, see [`GuestPlace`].
    ///
    /// # Errors
    ///
    /// As [`Guest::read_slice`].
    pub fn slice_mut<E: GuestPlace>(&mut self, list: GuestSlice<E>) -> Result<&mut [E], Error> {
        self.transfer(size_of_list::<E>(list))?;
        let mut borrows = Borrows::default();
        let mut view = View::new(self.reach.source(), Some(&mut borrows));
        at_argument(list.argument, view.slice_mut(list.raw.0, list.raw.1))
    }

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// As [`Guest::read_slice`].
    pub fn read<E: GuestPlace>(&mut self, pointer: GuestPtr<E>) -> Result<E, Error> {
        self.transfer(size_of::<E>() as u64)?;
        at_argument(pointer.argument, self.view().value(pointer.raw).copied())
    }

    /// Writes a value. Its type has no padding, see [`GuestPlace`].
    ///
    /// # Errors
    ///
    /// As [`Guest::read_slice`].
    pub fn write<E: GuestPlace>(&mut self, pointer: GuestPtr<E>, value: E) -> Result<(), Error> {
        self.transfer(size_of::<E>() as u64)?;
        let mut borrows = Borrows::default();
        let mut view = View::new(self.reach.source(), Some(&mut borrows));
        let place = at_argument(pointer.argument, view.value_mut(pointer.raw))?;
        *place = value;
        Ok(())
    }

    /// The whole memory of the guest.
    ///
    /// # Errors
    ///
    /// A [`Fault`](crate::Fault) if the guest has no memory, or a shared one.
    pub fn memory(&mut self) -> Result<&mut [u8], Error> {
        self.reach.bytes_mut().map_err(|fault| {
            Bad {
                place: Place::Address,
                fault,
            }
            .into()
        })
    }

    /// The struct of type `S` in the host page, which inlined bodies read and
    /// write; `None` if the guest imports no function that uses it.
    pub fn host_state<S: HostState>(&mut self) -> Option<&mut S> {
        self.reach.page()?.take()
    }

    /// Grows the guest's memory by `pages`, and gives its former size in
    /// pages. Pages have 64 KiB.
    ///
    /// # Errors
    ///
    /// If the guest has no memory, or its maximum or the instance's limit does
    /// not allow it.
    pub fn grow(&mut self, pages: u64) -> Result<u64, Error> {
        self.reach.grow(pages).map_err(limit_or_wasmtime)
    }

    /// Takes fuel from the guest, for what the host function does that the guest
    /// should pay for. Nothing happens if fuel is not limited.
    ///
    /// ```
    /// use hostcall::{Error, Guest, Host, Limits};
    ///
    /// let mut host = Host::<()>::new();
    /// host.limits(Limits::NONE.fuel(1_000));
    /// host.func("env", "sort", |guest: &mut Guest<'_, ()>, n: u32| -> Result<(), Error> {
    ///     guest.charge(u64::from(n) * 10)
    ///     // ...
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// If there is not so much left. The guest has none then, and its call fails
    /// whatever the host function makes of the error.
    pub fn charge(&mut self, fuel: u64) -> Result<(), Error> {
        self.reach.charge(fuel).map_err(limit_or_wasmtime)
    }

    /// Allocates `size` bytes in the guest by its `cabi_realloc`, and gives
    /// their address.
    ///
    /// # Errors
    ///
    /// If the guest has no `cabi_realloc`, if that traps, or returns an
    /// address outside its memory.
    pub fn alloc(&mut self, size: u64, align: u64) -> Result<u64, Error> {
        if !align.is_power_of_two() || align > 1 << 31 {
            let message = format!("an alignment is a power of two, not {align}");
            return Err(Error::of(ErrorKind::Value(message)));
        }
        self.reach.usable()?;
        let allocated = self.reach.alloc(size, align);
        allocated.map_err(|error| self.reach.failed(error, "cabi_realloc"))
    }

    /// Calls a function of the guest. A host function has to be declared re-entrant
    /// for that: see [`Host::reentrant`](crate::Host::reentrant).
    ///
    /// # Errors
    ///
    /// What the function does: a trap, or an error of a host function that it
    /// calls. [`ErrorKind::Reentrancy`] if the host function may not call the guest,
    /// or not as deep.
    pub fn call<P, R>(&mut self, func: &GuestFunc<P, R>, params: P::Value<'_>) -> Result<R, Error>
    where
        P: Lower,
        R: for<'v> Lift<Value<'v> = R>,
    {
        check_owner(&func.callable, self.reach.owner())?;
        self.inward(REFERENCE, |reach| {
            call::call::<P, R>(reach, &func.callable, params)
        })
    }

    /// The function at `index` of the table that the guest exports as `table`:
    /// what a function pointer is in C, C++ and Rust, whose table is
    /// `__indirect_function_table`.
    ///
    /// # Errors
    ///
    /// A [`Fault`](crate::Fault) if there is no function there, or one of
    /// another type.
    pub fn table_func<P, R>(&mut self, table: &str, index: u64) -> Result<GuestFunc<P, R>, Error>
    where
        P: Lower,
        R: for<'v> Lift<Value<'v> = R>,
    {
        let reach = self.reach.as_reach();
        let func = reach.table_func(table, index).and_then(|func| {
            let found = reach.func_type(&func);
            GuestFunc::check(func, &found, reach.wide(), reach.owner())
        });
        func.map_err(|fault| {
            Bad {
                place: Place::Address,
                fault,
            }
            .into()
        })
    }

    /// Resolves an export of the guest; see
    /// [`Instance::export`](crate::Instance::export).
    ///
    /// # Errors
    ///
    /// If there is no function of that name and type.
    pub fn export<P, R>(&mut self, name: &str) -> Result<Export<P, R>, Error>
    where
        P: Lower,
        R: for<'v> Lift<Value<'v> = R>,
    {
        let func = self.func(name)?;
        resolve(self.reach.as_reach(), func, name, &[])
    }

    /// Resolves an export whose type is known only at run time; see
    /// [`Instance::export_dynamic`](crate::Instance::export_dynamic).
    ///
    /// # Errors
    ///
    /// If there is no function of that name.
    pub fn export_dynamic(&mut self, name: &str) -> Result<DynExport, Error> {
        let func = self.func(name)?;
        resolve_dynamic(self.reach.as_reach(), func, name, &[], None)
    }

    /// Resolves a function that the guest passed as a [`DynFunc`], to call it.
    ///
    /// # Errors
    ///
    /// If it belongs to another instance.
    pub fn func_dynamic(&mut self, func: &DynFunc) -> Result<DynExport, Error> {
        let reach = self.reach.as_reach();
        check_owner(&func.0, reach.owner())?;
        resolve_dynamic(reach, func.0.func, REFERENCE, &[], None)
    }

    pub(crate) fn func(&mut self, name: &str) -> Result<Func, Error> {
        let quoted = name.escape_debug();
        match self.reach.export(name) {
            Some(Extern::Func(func)) => Ok(func),
            Some(_) => Err(export_error(format!("export `{quoted}` is not a function"))),
            None => Err(export_error(format!("the guest has no export `{quoted}`"))),
        }
    }

    /// Until when the call of the guest may take. A host function that takes long
    /// should look at it now and then.
    pub fn deadline(&mut self) -> Deadline {
        Deadline::new(self.reach.deadline())
    }

    /// What the instance may use.
    pub fn limits(&mut self) -> Limits {
        self.reach.limits()
    }

    pub(crate) fn reach(&mut self) -> &mut dyn Reach {
        self.reach.as_reach()
    }

    /// Counts bytes that are moved or lent.
    fn transfer(&self, bytes: u64) -> Result<(), Error> {
        let moved = self.reach.transfer(bytes);
        moved.map_err(|limit| Error::of(ErrorKind::Limit(limit)))
    }

    fn view(&mut self) -> View<'_, 'static> {
        View::new(self.reach.source(), None)
    }
}

fn size_of_list<E>(list: GuestSlice<E>) -> u64 {
    list.raw.1.saturating_mul(size_of::<E>() as u64)
}

#[cold]
fn limit_or_wasmtime(error: wasmtime::Error) -> Error {
    match error.downcast_ref::<LimitExceeded>() {
        Some(limit) => Error::of(ErrorKind::Limit(*limit)),
        None => Error::wasmtime(error),
    }
}

/// Calls the guest where nothing can suspend it.
fn hold<R>(
    reach: &mut dyn Reach,
    call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
) -> wasmtime::Result<R> {
    if !reach.holds() {
        return call(reach);
    }
    let (mut call, mut result) = (Some(call), None);
    reach.hold(&mut |reach| result = call.take().map(|call| call(reach)))?;
    result.expect("what is held runs")
}

fn at_argument<V>(argument: u32, lifted: Lifted<V>) -> Result<V, Error> {
    lifted.map_err(|fault| Bad::argument(argument, fault).into())
}
