//! Deferred host functions: calls wait in a queue in the host page, and cross
//! many at a time.
//!
//! The stubs that linking puts into the guest (`hostcall_link::stub`) append
//! records. [`drain`] hands them to the host functions, in order. What a
//! failure leaves over is kept in the store, before anything that is queued
//! later.

use crate::error::Site;
use crate::guest::Within;
use crate::owned::StoreData;
use crate::reach::{AnyStore, Reach};
use hostcall_link::stub::Queue;
use std::sync::Arc;

mod batch;
mod deliver;
mod drain;
mod failure;
mod record;
mod register;
mod run;

pub use batch::BatchRecord;
use deliver::{deliver_batch, deliver_dynamic, deliver_func, deliver_guest_func};
pub(crate) use drain::{discard, drain, drain_kept, undelivered};
pub use failure::{DeferredFailure, KeptCalls};
use failure::{has_failed, stopped_by};
pub(crate) use record::{batch_record, record};
pub(crate) use register::{batch_signature, one};
use run::Run;
pub(crate) use run::{KeptRun, Shape};

/// What the drain is imported as.
pub(crate) const QUEUE: (&str, &str) = ("hostcall:queue", "drain");

/// Bytes of the queue, if the host does not say.
pub(crate) const QUEUE_SIZE: u32 = 32 << 10;

/// The deferred functions of a program.
pub(crate) struct DeferredCalls<T: 'static> {
    pub queue: Queue,
    /// The first has the id 1.
    pub handlers: Vec<Handler<T>>,
}

impl<T: 'static> DeferredCalls<T> {
    fn handler(&self, id: u32) -> &Handler<T> {
        &self.handlers[id as usize - 1]
    }
}

/// A deferred function, as one guest imports it.
pub(crate) struct Handler<T: 'static> {
    pub site: Arc<Site>,
    pub caller: Within,
    pub shape: Shape,
    pub func: DeferredFunc<T>,
    /// Whether its calls are held to limits.
    pub metered: bool,
    /// Fuel that each costs.
    pub fuel: u64,
}

/// How a host function takes the records of its calls.
pub(crate) struct DeferredFunc<T: 'static> {
    pub deliver: Arc<Deliver<T>>,
    /// Whether it gets the guest, and so may run it.
    pub reenters: bool,
    /// Whether it takes whole runs, as a slice.
    pub batch: bool,
}

impl<T: 'static> Clone for DeferredFunc<T> {
    fn clone(&self) -> Self {
        DeferredFunc {
            deliver: self.deliver.clone(),
            ..*self
        }
    }
}

/// Hands over the records of a run from where it stands, and moves it on: past
/// the record that fails, too.
pub(crate) type Deliver<T> =
    dyn Fn(&mut AnyStore<'_, StoreData<T>>, &mut Run<'_>) -> wasmtime::Result<()> + Send + Sync;

/// Delivers what a call of the guest has queued, before its result is anyone's.
/// The result has been read, and the guest has freed it: what is delivered may
/// run the guest, which would put other results in its place. A failed call
/// delivers what came before the failure.
#[inline(always)]
pub(crate) fn settle<R>(reach: &mut dyn Reach, result: wasmtime::Result<R>) -> wasmtime::Result<R> {
    match result {
        Ok(value) => reach.drain().map(|()| value),
        Err(error) => Err(settle_failed(reach, error)),
    }
}

#[cold]
fn settle_failed(reach: &mut dyn Reach, error: wasmtime::Error) -> wasmtime::Error {
    // While a call that was dropped is unwound, no host function runs: what is
    // queued waits for the next call.
    if has_failed(&error) || reach.is_unwinding() {
        return error;
    }
    match reach.drain() {
        Ok(()) => error,
        Err(mut failure) => {
            stopped_by(&mut failure, reach.failed(error, ""));
            failure
        }
    }
}
