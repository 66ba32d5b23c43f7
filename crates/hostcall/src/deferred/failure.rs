//! What becomes known when a deferred call fails.

use crate::error::{Crossed, Error, Site, headline};
use std::fmt;
use std::sync::Arc;

/// Which deferred call failed, and what came after it; see
/// [`Error::deferred`](crate::Error::deferred).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeferredFailure {
    /// The number of the record that failed among those that were delivered
    /// together, from 1. Of a slice, that of its first.
    pub record: u64,
    /// How many records the host function was given at once: 1, or the length
    /// of a slice.
    pub together: u64,
    /// How many records were to be delivered.
    pub queued: u64,
    /// The records that came after it, by host function. They are kept, and
    /// delivered before anything that is called later; see
    /// [`Instance::deliver_deferred`](crate::Instance::deliver_deferred).
    pub kept: Vec<KeptCalls>,
    /// What stopped the guest before the failure was known, if something did.
    pub stopped_by: Option<Arc<Error>>,
}

/// Deferred calls of one host function that were not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptCalls {
    /// Module of the import.
    pub module: String,
    /// Name of the import.
    pub name: String,
    /// Number of calls.
    pub calls: u64,
}

impl KeptCalls {
    /// Adds calls to a list that has each function once.
    pub(super) fn add(list: &mut Vec<KeptCalls>, site: &Arc<Site>, calls: u64) {
        let known = list
            .iter_mut()
            .find(|kept| kept.module == site.module && kept.name == site.name);
        match known {
            Some(kept) => kept.calls += calls,
            None => list.push(KeptCalls {
                module: site.module.clone(),
                name: site.name.clone(),
                calls,
            }),
        }
    }
}

impl fmt::Display for DeferredFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DeferredFailure {
            record,
            together,
            queued,
            ..
        } = self;
        match together {
            0 | 1 => write!(f, "in deferred call {record} of {queued}")?,
            _ => {
                let last = record + together - 1;
                write!(f, "in deferred calls {record} to {last} of {queued}")?;
            }
        }
        for (i, kept) in self.kept.iter().enumerate() {
            f.write_str(if i == 0 { "; kept for later: " } else { ", " })?;
            let (module, name) = (kept.module.escape_debug(), kept.name.escape_debug());
            let (calls, plural) = (kept.calls, if kept.calls == 1 { "" } else { "s" });
            write!(f, "{calls} call{plural} of `{module}.{name}`")?;
        }
        match &self.stopped_by {
            Some(error) => write!(f, "; after it, {}", headline(error)),
            None => Ok(()),
        }
    }
}

/// Whether an error came from delivering: then what was queued before it has
/// been dealt with.
pub(crate) fn has_failed(error: &wasmtime::Error) -> bool {
    let crossed = error.downcast_ref::<Crossed>();
    crossed.is_some_and(|crossed| crossed.deferred.is_some())
        || error
            .downcast_ref::<Error>()
            .is_some_and(|error| error.deferred().is_some())
}

/// Notes what stopped the guest before the failure was known.
#[cold]
pub(crate) fn stopped_by(failure: &mut wasmtime::Error, stopped: Error) {
    let crossed = failure.downcast_mut::<Crossed>();
    if let Some(deferred) = crossed.and_then(|crossed| crossed.deferred.as_mut()) {
        deferred.stopped_by = Some(Arc::new(stopped));
    }
}
