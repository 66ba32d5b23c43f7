//! Calls of the guest that the host makes from outside: what holds for each of
//! them, before and after.

use crate::error::{Error, ErrorKind};
use crate::fiber::Fiber;
use crate::instance::Instance;
use crate::owned::{Owned, whole};
use crate::reach::{Reach, StoreReach};
use std::sync::Arc;

impl<T: 'static> Instance<T> {
    /// Makes a call of `export`.
    #[inline(always)]
    pub(crate) fn enter<R>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
    ) -> Result<R, Error> {
        if self.store.data().guarded {
            return self.enter_guarded(export, call);
        }
        let mut reach = self.reach();
        call(&mut reach).map_err(|error| reach.failed(error, export))
    }

    #[inline(never)]
    fn enter_guarded<R>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R>,
    ) -> Result<R, Error> {
        self.begin(export)?;
        let mut reach = self.reach();
        let result = call(&mut reach);
        self.end(export, result)
    }

    /// What comes before a call of `export`, or before several that count as one.
    #[inline(always)]
    pub(crate) fn begin(&mut self, export: &str) -> Result<(), Error> {
        match self.store.data().guarded {
            true => self.begin_guarded(export),
            false => Ok(()),
        }
    }

    #[inline(never)]
    fn begin_guarded(&mut self, export: &str) -> Result<(), Error> {
        match self.program().waits_in() {
            Some(import) => Err(synchronous(export, import)),
            None => Ok(()),
        }
    }

    /// What comes after it.
    pub(crate) fn end<R>(&mut self, export: &str, result: wasmtime::Result<R>) -> Result<R, Error> {
        result.map_err(|error| self.reach().failed(error, export))
    }
}

impl<T: Send + 'static> Instance<T> {
    /// Makes a call of `export` in which the guest may be suspended.
    pub(crate) async fn enter_async<R: Send>(
        &mut self,
        export: &str,
        call: impl FnOnce(&mut dyn Reach) -> wasmtime::Result<R> + Send,
    ) -> Result<R, Error> {
        let fiber = self.fiber().map_err(Error::wasmtime)?;
        let wide = self.program().wide();
        let (mut call, mut result) = (Some(call), None);
        let ran = fiber.run(&mut self.store, |caller| {
            let mut reach = StoreReach::new(caller, Owned { get: whole }, wide);
            result = call.take().map(|call| call(&mut reach));
        });
        let ran = ran.await;
        let result = ran.and_then(|()| result.expect("a fiber that ends has run its job"));
        self.end(export, result)
    }

    /// What suspends the guest.
    pub(crate) fn fiber(&mut self) -> wasmtime::Result<Arc<Fiber<T>>> {
        if let Some(fiber) = &self.store.data().fiber {
            return Ok(fiber.clone());
        }
        let fiber = Arc::new(Fiber::new(&mut self.store)?);
        self.store.data_mut().fiber = Some(fiber.clone());
        Ok(fiber)
    }
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
