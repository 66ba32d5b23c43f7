//! Which limit a call ran into.

use std::fmt;
use std::time::{Duration, Instant};

/// A limit that was reached, in [`ErrorKind::Limit`](crate::ErrorKind::Limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// Which one.
    pub limit: LimitKind,
    /// What was allowed, in the unit of the limit.
    pub allowed: u64,
    /// What was used, or asked for.
    pub used: u64,
}

/// What can be limited; see [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// Wall-clock time of a call, in nanoseconds.
    Time,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitExceeded { allowed, used, .. } = *self;
        match self.limit {
            LimitKind::Time => write!(
                f,
                "the call may take {:?}, and took {:?}",
                Duration::from_nanos(allowed),
                Duration::from_nanos(used)
            ),
        }
    }
}

impl std::error::Error for LimitExceeded {}

/// The error of a call that was to be over at `until`, and began at `since`.
#[cold]
pub(crate) fn time_is_over(since: Instant, until: Instant) -> wasmtime::Error {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    wasmtime::Error::new(LimitExceeded {
        limit: LimitKind::Time,
        allowed: nanos(until.saturating_duration_since(since)),
        used: nanos(since.elapsed()),
    })
}
