//! Mapped exports: the guest calls its own export for many arguments, which
//! cross together.

#![expect(unsafe_code, reason = "raw calls of drivers, whose type is known")]

use crate::batching::{capacity, read_u32};
use crate::call::{export_error, signature};
use crate::deferred::settle;
use crate::error::{Bad, Error, ErrorKind, Place};
use crate::instance::Instance;
use crate::program::stubs::{fold_name, map_name};
use crate::reach::Reach;
use hostcall_link::stub::Batch;
use hostcall_link::{FuncType, MappedExport};
use std::mem::MaybeUninit;
use wasmtime::{Func, Memory, ValRaw};

mod scalars;

pub use scalars::Scalars;

impl<T: 'static> Instance<T> {
    /// Calls an export once for each of `inputs`, and puts what it returns into
    /// `outputs`: by a loop in the guest, so that many elements cost one
    /// crossing. The host has to ask for that loop, by
    /// [`Host::map_export`](crate::Host::map_export).
    ///
    /// `P` and `R` are a scalar, a tuple of scalars, or `()`: the parameters and
    /// the results of the export.
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// let mut host = Host::<()>::new();
    /// host.map_export("price");
    /// let program = host.program(
    ///     br#"(module (func (export "price") (param f64 f64) (result f64)
    ///         (f64.mul (local.get 0) (local.get 1))))"#,
    /// )?;
    /// let mut instance = program.instantiate(())?;
    /// let mut prices = [0.0; 3];
    /// instance.map::<(f64, f64), f64>("price", &[(1.5, 2.0), (3.0, 3.0), (0.5, 4.0)], &mut prices)?;
    /// assert_eq!(prices, [3.0, 9.0, 2.0]);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If a call fails: [`Error::index`] says which, `outputs` has the results of
    /// those before it, and those after it were not made. (A `char` that is none
    /// is found after some hundred calls more.) Also if the export has no such loop
    /// or another type, or `outputs` is not as long as `inputs`.
    pub fn map<P, R>(&mut self, name: &str, inputs: &[P], outputs: &mut [R]) -> Result<(), Error>
    where
        P: Scalars,
        R: Scalars,
    {
        let driver = self.map_driver::<P, R>(name)?;
        if inputs.len() != outputs.len() {
            return Err(Error::of(ErrorKind::Value(format!(
                "export `{}` was to be mapped over {} elements, with room for {} results",
                name.escape_debug(),
                inputs.len(),
                outputs.len()
            ))));
        }
        self.together(name, |instance| {
            let mut base = 0;
            let chunks = inputs.chunks(driver.capacity);
            for (inputs, outputs) in chunks.zip(outputs.chunks_mut(driver.capacity)) {
                driver.map(instance, base, inputs, outputs)?;
                base += inputs.len();
            }
            Ok(())
        })
    }

    /// The same for an iterator: inputs are taken, and results given, some
    /// hundreds at a time. After an error there is nothing more.
    ///
    /// ```
    /// # let mut host = hostcall::Host::<()>::new();
    /// # host.map_export("double");
    /// # let program = host.program(
    /// #     br#"(module (func (export "double") (param i32) (result i32)
    /// #         (i32.add (local.get 0) (local.get 0))))"#)?;
    /// # let mut instance = program.instantiate(())?;
    /// let doubled = instance.map_iter::<i32, i32, _>("double", 1..=3)?;
    /// assert_eq!(doubled.collect::<Result<Vec<_>, _>>()?, [2, 4, 6]);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the export has no such loop or another type. The iterator gives the
    /// error of a call after the results of those before it.
    pub fn map_iter<P, R, I>(
        &mut self,
        name: &str,
        inputs: I,
    ) -> Result<MapIter<'_, T, I::IntoIter, P, R>, Error>
    where
        P: Scalars,
        R: Scalars,
        I: IntoIterator<Item = P>,
    {
        let driver = self.map_driver::<P, R>(name)?;
        self.check_synchronous(name)?;
        Ok(MapIter {
            instance: self,
            driver,
            inputs: Some(inputs.into_iter()),
            chunk: Vec::new(),
            results: Vec::new().into_iter(),
            base: 0,
            error: None,
        })
    }

    /// Calls an export once for each of `inputs`, each time with what it returned
    /// before: `accumulator = f(accumulator, input)`. Otherwise as
    /// [`Instance::map`].
    ///
    /// The first parameters of the export are its results, `A`; the others are
    /// `P`.
    ///
    /// ```
    /// # let mut host = hostcall::Host::<()>::new();
    /// # host.map_export("add");
    /// # let program = host.program(
    /// #     br#"(module (func (export "add") (param i64 i64) (result i64)
    /// #         (i64.add (local.get 0) (local.get 1))))"#)?;
    /// # let mut instance = program.instantiate(())?;
    /// let mut sum = 0;
    /// instance.fold::<i64, i64>("add", &mut sum, &[1, 2, 3])?;
    /// assert_eq!(sum, 6);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Instance::map`]; `accumulator` is what the calls before have made it.
    pub fn fold<A, P>(&mut self, name: &str, accumulator: &mut A, inputs: &[P]) -> Result<(), Error>
    where
        A: Scalars,
        P: Scalars,
    {
        let driver = self.fold_driver::<A, P>(name)?;
        self.together(name, |instance| {
            let chunks = inputs.chunks(driver.capacity).enumerate();
            for (chunk, inputs) in chunks {
                let base = chunk * driver.capacity;
                driver.fold(instance, base, accumulator, inputs)?;
            }
            Ok(())
        })
    }

    fn map_driver<P: Scalars, R: Scalars>(&mut self, name: &str) -> Result<Driver, Error> {
        let mapped = self.mapped(name)?;
        let wanted = FuncType {
            params: P::core(),
            results: R::core(),
        };
        if mapped.ty != wanted {
            return Err(other_type(mapped, &P::ty(), &R::ty(), &wanted));
        }
        self.driver(name, map_name(name), capacity(P::SIZE, R::SIZE))
    }

    fn fold_driver<A: Scalars, P: Scalars>(&mut self, name: &str) -> Result<Driver, Error> {
        let mapped = self.mapped(name)?;
        let wanted = FuncType {
            params: [A::core(), P::core()].concat(),
            results: A::core(),
        };
        if !mapped.folds {
            return Err(no_fold(mapped));
        }
        if mapped.ty != wanted {
            let both = crate::Type::Tuple(vec![A::ty(), P::ty()]);
            return Err(other_type(mapped, &both, &A::ty(), &wanted));
        }
        self.driver(name, fold_name(name), capacity(P::SIZE, A::SIZE))
    }

    fn mapped(&self, name: &str) -> Result<&MappedExport, Error> {
        let mapped = &self.program().plan().mapped;
        let found = mapped.iter().find(|mapped| mapped.name == name);
        found.ok_or_else(|| {
            let quoted = name.escape_debug();
            export_error(format!(
                "export `{quoted}` has no loop around it: call `map_export(\"{quoted}\")` on the \
                 host before it makes the program"
            ))
        })
    }

    fn driver(&mut self, name: &str, driver: String, capacity: usize) -> Result<Driver, Error> {
        let (page, batch) = (self.store.data().page, self.program().batch_layout().batch);
        match (self.added_func(&driver), page, batch) {
            (Some(func), Some(page), Some(batch)) => Ok(Driver {
                name: name.to_owned(),
                func,
                page,
                batch,
                capacity,
            }),
            _ => Err(export_error(format!("the guest has no export `{driver}`"))),
        }
    }
}

#[cold]
fn no_fold(mapped: &MappedExport) -> Error {
    let (name, ty) = (mapped.name.escape_debug(), &mapped.ty);
    export_error(format!(
        "export `{name}` has type {ty}, which cannot be folded: the results, at least one, have to \
         be the first parameters"
    ))
}

#[cold]
fn other_type(
    mapped: &MappedExport,
    params: &crate::Type,
    result: &crate::Type,
    wanted: &FuncType,
) -> Error {
    let (name, ty) = (mapped.name.escape_debug(), &mapped.ty);
    let signature = signature(params, result);
    export_error(format!(
        "export `{name}` has type {ty}, but {signature} needs {wanted}"
    ))
}

/// The loop around an export.
struct Driver {
    /// Of the export.
    name: String,
    func: Func,
    page: Memory,
    batch: Batch,
    /// Elements that fit.
    capacity: usize,
}

impl Driver {
    /// Runs it over `inputs`, of which there are no more than fit, and as many
    /// as `outputs`.
    fn map<T, P: Scalars, R: Scalars>(
        &self,
        instance: &mut Instance<T>,
        base: usize,
        inputs: &[P],
        outputs: &mut [R],
    ) -> Result<(), Error> {
        self.prepare(instance, inputs)?;
        let called = self.call(instance, inputs.len());
        let page = self.page.data(&instance.store);
        let done = self.done(page, called.is_ok(), inputs.len());
        let read = read_all(&page[self.batch.output as usize..], &mut outputs[..done]);
        self.finish(instance, base, (called, done), read)
    }

    fn fold<T, A: Scalars, P: Scalars>(
        &self,
        instance: &mut Instance<T>,
        base: usize,
        accumulator: &mut A,
        inputs: &[P],
    ) -> Result<(), Error> {
        self.prepare(instance, inputs)?;
        let page = self.page.data_mut(&mut instance.store);
        write_all(&[*accumulator], &mut page[self.batch.output as usize..]);
        let called = self.call(instance, inputs.len());
        let page = self.page.data(&instance.store);
        let done = self.done(page, called.is_ok(), inputs.len());
        let outputs = &page[self.batch.output as usize..];
        let read = read_all(outputs, std::slice::from_mut(accumulator));
        // It is the last call that returned it.
        let read = read.map_err(|(_, fault)| (done.saturating_sub(1), fault));
        self.finish(instance, base, (called, done), read)
    }

    /// Delivers what comes before, and puts the inputs in place.
    fn prepare<T, P: Scalars>(
        &self,
        instance: &mut Instance<T>,
        inputs: &[P],
    ) -> Result<(), Error> {
        let mut reach = instance.reach();
        let ready = reach.drain_kept();
        ready.map_err(|error| reach.failed(error, &self.name))?;
        let page = self.page.data_mut(&mut instance.store);
        write_all(inputs, &mut page[self.batch.input as usize..]);
        Ok(())
    }

    fn call<T>(&self, instance: &mut Instance<T>, count: usize) -> wasmtime::Result<()> {
        // The loop sets it, unless it is stopped before its first call.
        let page = self.page.data_mut(&mut instance.store);
        page[self.batch.progress as usize..][..4].fill(0);
        let mut slots = [MaybeUninit::new(ValRaw::u32(count as u32))];
        // SAFETY: drivers take one `i32` and return nothing.
        unsafe { instance.reach().call(&self.func, &mut slots) }
    }

    /// How many calls have returned.
    fn done(&self, page: &[u8], all: bool, count: usize) -> usize {
        match all {
            true => count,
            false => read_u32(page, self.batch.progress as usize) as usize,
        }
    }

    /// Delivers what was deferred meanwhile, and says which element failed.
    fn finish<T>(
        &self,
        instance: &mut Instance<T>,
        base: usize,
        (called, done): (wasmtime::Result<()>, usize),
        read: Result<(), (usize, Box<crate::Fault>)>,
    ) -> Result<(), Error> {
        let (called, index) = match read {
            Ok(()) => (called, done),
            Err((index, fault)) => (Err(Bad::at(Place::Returned, fault)), index),
        };
        let failed = called.is_err();
        let mut reach = instance.reach();
        settle(&mut reach, called).map_err(|error| {
            let error = reach.failed(error, &self.name);
            // A deferred call that failed after all was done is no element's.
            if failed {
                error.at_index(base + index)
            } else {
                error
            }
        })
    }
}

fn write_all<P: Scalars>(values: &[P], bytes: &mut [u8]) {
    if P::SIZE > 0 {
        let places = bytes.chunks_exact_mut(P::SIZE as usize);
        places
            .zip(values)
            .for_each(|(place, value)| value.write(place));
    }
}

/// Reads as many values as there is room for; an error says which of them is
/// none.
fn read_all<R: Scalars>(bytes: &[u8], values: &mut [R]) -> Result<(), (usize, Box<crate::Fault>)> {
    if R::SIZE == 0 {
        return Ok(());
    }
    let places = || bytes.chunks_exact(R::SIZE as usize);
    let checked = if R::CHECKED { values.len() } else { 0 };
    let mut faults = places().take(checked).map(R::check).enumerate();
    let fault = faults.find_map(|(index, check)| Some((index, check.err()?)));
    let read = fault.as_ref().map_or(values.len(), |(index, _)| *index);
    let values = values[..read].iter_mut().zip(places());
    values.for_each(|(value, place)| *value = R::read(place));
    fault.map_or(Ok(()), Err)
}

/// The results of a mapped export; see [`Instance::map_iter`].
pub struct MapIter<'i, T: 'static, I, P, R> {
    instance: &'i mut Instance<T>,
    driver: Driver,
    /// `None` when there are no more.
    inputs: Option<I>,
    chunk: Vec<P>,
    results: std::vec::IntoIter<R>,
    /// The position of the first input of the chunk.
    base: usize,
    error: Option<Error>,
}

impl<T, I, P, R> std::fmt::Debug for MapIter<'_, T, I, P, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapIter")
            .field("export", &self.driver.name)
            .finish_non_exhaustive()
    }
}

impl<T, I, P, R> Iterator for MapIter<'_, T, I, P, R>
where
    I: Iterator<Item = P>,
    P: Scalars,
    R: Scalars,
{
    type Item = Result<R, Error>;

    fn next(&mut self) -> Option<Result<R, Error>> {
        loop {
            if let Some(result) = self.results.next() {
                return Some(Ok(result));
            }
            if let Some(error) = self.error.take() {
                self.inputs = None;
                return Some(Err(error));
            }
            self.refill()?;
        }
    }
}

impl<T, I, P, R> MapIter<'_, T, I, P, R>
where
    I: Iterator<Item = P>,
    P: Scalars,
    R: Scalars,
{
    /// Runs the next chunk; `None` if there is none.
    fn refill(&mut self) -> Option<()> {
        let inputs = self.inputs.as_mut()?;
        self.base += self.chunk.len();
        self.chunk.clear();
        self.chunk
            .extend(inputs.by_ref().take(self.driver.capacity));
        if self.chunk.is_empty() {
            self.inputs = None;
            return None;
        }
        let mut results = vec![R::ZERO; self.chunk.len()];
        let (driver, chunk, base) = (&self.driver, &self.chunk, self.base);
        let mapped = self.instance.together(&driver.name, |instance| {
            driver.map(instance, base, chunk, &mut results)
        });
        if let Err(error) = mapped {
            let done = error.index().map(|index| index - self.base);
            results.truncate(done.unwrap_or(results.len()));
            self.error = Some(error);
        }
        self.results = results.into_iter();
        Some(())
    }
}
