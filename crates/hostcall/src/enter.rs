//! Calls of the guest that the host makes from outside: what holds for each of
//! them, before and after.

use crate::error::{Error, ErrorKind};
use crate::fiber::{Fiber, SentJob};
use crate::instance::Instance;
use crate::limits::{self, Poison};
use crate::owned::{Owned, StoreData, whole};
use crate::posting::make_posted;
use crate::reach::{Reach, StoreReach};
use crate::shared::chain_of_call;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use wasmtime::Caller;

impl<T: 'static> Instance<T> {
    /// Makes a call of `export`.
    #[inline(always)]
    pub(crate) fn enter<R>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
    ) -> Result<R, Error> {
        if self.is_guarded() {
            return self.enter_checked(export, call);
        }
        let result = call(&mut self.reach());
        self.leave(export, result)
    }

    /// Whether a call needs more than being made.
    #[inline(always)]
    pub(crate) fn is_guarded(&self) -> bool {
        self.store.data().guarded
    }

    /// What comes after a call that needed no more.
    #[inline(always)]
    pub(crate) fn leave<R>(
        &mut self,
        export: &str,
        result: wasmtime::Result<R>,
    ) -> Result<R, Error> {
        self.make_posted();
        result.map_err(|error| self.reach().failed(error, export))
    }

    /// Makes a call that needs more.
    #[inline(never)]
    pub(crate) fn enter_checked<R>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
    ) -> Result<R, Error> {
        self.check_synchronous(export)?;
        self.enter_guarded(export, call)
    }

    /// The same for what may be done synchronously with every guest.
    pub(crate) fn enter_guarded<R>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
    ) -> Result<R, Error> {
        let result = self.surrounded(export, |here| call(&mut here.reach()))?;
        self.end(export, result)
    }

    /// Does what counts as one call of `export`, and makes the calls that were posted
    /// meanwhile.
    fn surrounded<R>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut Self) -> R,
    ) -> Result<R, Error> {
        self.renew(export)?;
        let _working = self.working(export);
        let mut here = self.here();
        let result = call(&mut here);
        here.make_posted();
        Ok(result)
    }

    /// Makes several calls that count as one of `export`.
    pub(crate) fn together<R>(
        &mut self,
        export: &str,
        calls: impl FnOnce(&mut Self) -> Result<R, Error>,
    ) -> Result<R, Error> {
        if !self.store.data().guarded {
            let result = calls(self);
            self.make_posted();
            return result;
        }
        self.check_synchronous(export)?;
        let result = self.surrounded(export, calls)?;
        self.finish(export, result)
    }

    /// Makes the calls that were posted where Wasmtime has run the guest, not we.
    pub(crate) fn make_posted_apart(&mut self, export: &str) -> Result<(), Error> {
        self.enter_guarded(export, |_| Ok(()))
    }

    /// The instance, while what has begun is done on the caller's stack.
    pub(crate) fn here(&mut self) -> Here<'_, T> {
        self.store.data_mut().synchronous = true;
        limits::run_here(&mut self.store);
        Here(self)
    }

    /// Refuses calls that cannot be suspended, if the guest might wait.
    pub(crate) fn check_synchronous(&self, export: &str) -> Result<(), Error> {
        match self.program().waits_in() {
            Some(import) => Err(synchronous(export, import)),
            None => Ok(()),
        }
    }

    /// Gives a call of `export` all that it may use.
    pub(crate) fn renew(&mut self, export: &str) -> Result<(), Error> {
        if let Some(poison) = self.store.data().poison() {
            return Err(poisoned(export, poison));
        }
        limits::begin(&mut self.store).map_err(Error::wasmtime)
    }

    /// What comes after a call.
    fn end<R>(&mut self, export: &str, result: wasmtime::Result<R>) -> Result<R, Error> {
        let result = result.map_err(|error| self.reach().failed(error, export));
        self.finish(export, result)
    }

    /// Fails a call that has reached a limit, whatever became of it.
    pub(crate) fn finish<R>(&mut self, export: &str, result: Result<R, Error>) -> Result<R, Error> {
        let limit = limits::end(&mut self.store);
        let denied = self.store.data().limiter.denied;
        match (result, limit) {
            (Ok(_), Some(limit)) => Err(Error::limit_of(export, limit)),
            (Err(error), Some(limit)) => Err(error.limited(limit)),
            (Err(error), None) => Err(error.after(denied)),
            (Ok(result), None) => Ok(result),
        }
    }
}

/// See [`Instance::here`]. It ends what holds meanwhile, after a panic, too.
pub(crate) struct Here<'i, T: 'static>(&'i mut Instance<T>);

impl<T: 'static> Deref for Here<'_, T> {
    type Target = Instance<T>;

    fn deref(&self) -> &Instance<T> {
        self.0
    }
}

impl<T: 'static> DerefMut for Here<'_, T> {
    fn deref_mut(&mut self) -> &mut Instance<T> {
        self.0
    }
}

impl<T: 'static> Drop for Here<'_, T> {
    fn drop(&mut self) {
        let data = self.0.store.data_mut();
        data.synchronous = false;
        data.stop_running();
    }
}

impl<T: Send + 'static> Instance<T> {
    /// Makes a call of `export` in which the guest may be suspended.
    pub(crate) async fn enter_async<R: Send>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R> + Send,
    ) -> Result<R, Error> {
        self.renew(export)?;
        let fiber = self.fiber().map_err(Error::wasmtime)?;
        let watch = self.store.data_mut().watch();
        let wide = self.program().wide();
        let working = self.store.data().hold.clone();
        let _working = working.as_ref().map(|hold| hold.calling(export));
        let (mut call, mut result) = (Some(call), None);
        let mut job = |caller: &mut Caller<'_, StoreData<T>>| {
            let mut reach = StoreReach::new(caller, Owned { get: whole }, wide);
            result = call.take().map(|call| call(&mut reach));
            make_posted(&mut reach);
        };
        let chain = chain_of_call(working.as_ref());
        let mut job = SentJob::new(&mut job);
        let ran = fiber.run(&mut self.store, &mut job);
        let ran = fiber.polled(watch, Some(chain), ran).await;
        let result = match (ran, result) {
            (Ok(()), result) => result.expect("a fiber that ends has run its job"),
            // Where the guest was when its time was over.
            (Err(_), Some(Err(unwound))) => Err(unwound),
            (Err(error), _) => Err(error),
        };
        self.end(export, result)
    }

    /// What suspends the guest.
    pub(crate) fn fiber(&mut self) -> wasmtime::Result<Arc<Fiber<T>>> {
        if let Some(fiber) = &self.store.data().fiber {
            return Ok(fiber.clone());
        }
        let fiber = Arc::new(Fiber::new(&mut self.store)?);
        let data = self.store.data_mut();
        data.fiber = Some(fiber.clone());
        // A call that is dropped may leave the guest anywhere.
        data.guarded = true;
        Ok(fiber)
    }
}

/// The error for an instance that should not be called any more.
#[cold]
fn poisoned(export: &str, poison: Poison) -> Error {
    Error::of(ErrorKind::Poisoned(format!(
        "`{}` was not called: {poison}",
        export.escape_debug()
    )))
}

/// The error for a guest that might wait, and was called where it cannot.
#[cold]
fn synchronous(export: &str, (module, name): (&str, &str)) -> Error {
    Error::of(ErrorKind::Async(format!(
        "`{}` was called synchronously, but the guest imports the async host function `{}.{}`: \
         use `call_async`",
        export.escape_debug(),
        module.escape_debug(),
        name.escape_debug()
    )))
}
