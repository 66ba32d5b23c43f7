//! What one instance may use.

mod alarm;
mod budget;
mod deadline;
mod engine;
mod exceeded;
mod host_deadline;
mod limiter;
mod meter;
mod ticker;
mod timer;

pub(crate) use budget::{Budget, Poison, Watch, begin, end, not_made, run_here, stopped, watch};
pub use deadline::Deadline;
pub(crate) use engine::{EngineSettings, Pool, check};
pub use exceeded::{LimitExceeded, LimitKind};
pub(crate) use host_deadline::{HostDeadline, HostLimit};
pub(crate) use limiter::Limiter;
pub(crate) use meter::{LIMITS, Transfer, charge, host_call, metered};
pub(crate) use ticker::Ticker;

use std::time::Duration;

/// How long a guest computes before others have their turn, if the host does not
/// say.
const SLICE: Duration = Duration::from_millis(10);

/// Limits of one instance; set them with [`Host::limits`](crate::Host::limits),
/// and for one instance with
/// [`Instance::set_limits`](crate::Instance::set_limits).
///
/// Fuel, time, calls and bytes are those of one call that the host makes from
/// outside, with all that it causes: each such call begins with all of them. The
/// whole of an [`Instance::map`](crate::Instance::map) or
/// [`fold`](crate::Instance::fold) is one call, and so is making an instance.
///
/// A call that reaches a limit fails with [`ErrorKind::Limit`]. If that stops
/// the guest where it calls a host function, its instance can be used again; if
/// it stops the guest amid its own code, the instance is poisoned, see
/// [`Instance::clear_poison`](crate::Instance::clear_poison).
///
/// A guest that asks for more memory or table space gets what Wasm gives when
/// there is none: `memory.grow` returns -1. An instance whose initial memory
/// is larger is refused.
///
/// ```
/// use hostcall::{Host, LimitKind, Limits};
///
/// let mut host = Host::<()>::new();
/// host.limits(Limits::NONE.fuel(10_000).memory(16 << 20));
/// let program = host.program(br#"(module (func (export "run") (loop (br 0))))"#)?;
/// let mut instance = program.instantiate(())?;
/// let run = instance.export::<(), ()>("run")?;
/// let error = run.call(&mut instance, ()).unwrap_err();
/// assert_eq!(error.limit().map(|limit| limit.limit), Some(LimitKind::Fuel));
/// assert!(instance.is_poisoned());
/// # Ok::<(), hostcall::Error>(())
/// ```
///
/// [`ErrorKind::Limit`]: crate::ErrorKind::Limit
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in each unshared memory, and in the heap of references, if the guest is
    /// given any. The host page is the host's, and does not count.
    pub memory: Option<usize>,
    /// Elements in each table.
    pub table: Option<usize>,
    /// Bytes of stack that the guest may use. This is of the engine: all instances
    /// on it have the same.
    pub stack: Option<usize>,
    /// Units of fuel: about one for each operator of Wasm.
    pub fuel: Option<u64>,
    /// Wall-clock time.
    pub timeout: Option<Duration>,
    /// How long a guest that is called by `call_async` computes before it lets
    /// the executor go on with something else. 10 ms if there is a timeout and
    /// this is not set. No call fails for it.
    pub time_slice: Option<Duration>,
    /// Calls of host functions, as they cross: deferred ones when they are
    /// delivered, inlined ones not at all.
    pub host_calls: Option<u64>,
    /// Bytes of strings, lists and structs that are moved or lent across the
    /// boundary, in arguments and results, in both directions.
    pub transferred: Option<u64>,
    /// Wall-clock time inside host functions, with what the guest does when they
    /// call it, and with waiting.
    pub host_time: Option<Duration>,
    /// Calls that host functions have posted, waiting or with an outcome that was
    /// not taken: 1,024 if not set.
    pub posted: Option<usize>,
}

impl Limits {
    /// No limits but those of the engine and the guest's own.
    pub const NONE: Limits = Limits {
        memory: None,
        table: None,
        stack: None,
        fuel: None,
        timeout: None,
        time_slice: None,
        host_calls: None,
        transferred: None,
        host_time: None,
        posted: None,
    };

    /// Allows at most `bytes` in each memory.
    pub const fn memory(mut self, bytes: usize) -> Limits {
        self.memory = Some(bytes);
        self
    }

    /// Allows at most `elements` in each table.
    pub const fn table(mut self, elements: usize) -> Limits {
        self.table = Some(elements);
        self
    }

    /// Allows at most so many calls that host functions have posted, see
    /// [`Guest::post`](crate::Guest::post).
    pub const fn posted(mut self, calls: usize) -> Limits {
        self.posted = Some(calls);
        self
    }

    /// Allows the guest `bytes` of stack, about. There must be so much on every
    /// thread that calls it, and some more for the host: Wasmtime uses the thread's
    /// own stack for calls that are not async, and ends the process if that is too
    /// small.
    pub const fn stack(mut self, bytes: usize) -> Limits {
        self.stack = Some(bytes);
        self
    }

    /// Allows each call so many units of fuel.
    pub const fn fuel(mut self, units: u64) -> Limits {
        self.fuel = Some(units);
        self
    }

    /// Allows each call so much wall-clock time.
    pub const fn timeout(mut self, time: Duration) -> Limits {
        self.timeout = Some(time);
        self
    }

    /// Has guests that compute in `call_async` yield to the executor that often.
    pub const fn time_slice(mut self, time: Duration) -> Limits {
        self.time_slice = Some(time);
        self
    }

    /// Allows each call so many calls of host functions.
    pub const fn host_calls(mut self, calls: u64) -> Limits {
        self.host_calls = Some(calls);
        self
    }

    /// Allows each call to move so many bytes across the boundary.
    pub const fn transferred(mut self, bytes: u64) -> Limits {
        self.transferred = Some(bytes);
        self
    }

    /// Allows each call so much wall-clock time in host functions.
    pub const fn host_time(mut self, time: Duration) -> Limits {
        self.host_time = Some(time);
        self
    }

    /// Whether guests have to be stopped at times.
    pub(crate) fn epochs(&self) -> bool {
        self.timeout.is_some() || self.time_slice.is_some()
    }

    /// Whether the clock has to be looked at.
    fn times(&self) -> bool {
        self.timeout.is_some() || self.host_time.is_some()
    }

    /// Whether calls of host functions have to be looked at.
    pub(crate) fn metered(&self) -> bool {
        self.fuel.is_some()
            || self.times()
            || self.host_calls.is_some()
            || self.transferred.is_some()
    }

    fn slice(&self) -> Duration {
        self.time_slice.unwrap_or(SLICE)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::NONE
    }
}

/// What the last call of an instance has used of each limit that it has; see
/// [`Instance::usage`](crate::Instance::usage).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Units of fuel.
    pub fuel: Option<u64>,
    /// Wall-clock time.
    pub time: Option<Duration>,
    /// Calls of host functions.
    pub host_calls: Option<u64>,
    /// Bytes moved across the boundary.
    pub transferred: Option<u64>,
    /// Wall-clock time in host functions.
    pub host_time: Option<Duration>,
}
