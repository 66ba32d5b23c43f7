//! Which limit a call ran into.

use std::fmt;
use std::time::Duration;

/// A limit that was reached, in [`ErrorKind::Limit`](crate::ErrorKind::Limit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// Which one.
    pub limit: LimitKind,
    /// What was allowed, in the unit of the limit.
    pub allowed: u64,
    /// What was used, or asked for. Of the stack that is not known: there it is
    /// what was allowed.
    pub used: u64,
}

/// What can be limited; see [`Limits`](crate::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitKind {
    /// Fuel of a call.
    Fuel,
    /// Wall-clock time of a call, in nanoseconds.
    Time,
    /// Bytes of one memory.
    Memory,
    /// Elements of one table.
    Table,
    /// Bytes of the guest's stack.
    Stack,
    /// Calls of host functions in one call.
    HostCalls,
    /// Bytes that one call moves across the boundary.
    Transferred,
    /// Wall-clock time that one call spends in host functions, in nanoseconds.
    HostTime,
    /// Instances of a host at once; see [`Host::pooling`](crate::Host::pooling).
    Instances,
    /// Calls that were posted, see [`Guest::post`](crate::Guest::post).
    Posted,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitExceeded { allowed, used, .. } = *self;
        match self.limit {
            LimitKind::Fuel => write!(
                f,
                "the call may use {allowed} units of fuel, and needs more"
            ),
            LimitKind::Time => write!(
                f,
                "the call may take {}, and took {}",
                Time(allowed),
                Time(used)
            ),
            LimitKind::Memory => write!(
                f,
                "a memory of the guest may have {}, and was to have {}",
                Bytes(allowed),
                Bytes(used)
            ),
            LimitKind::Table => write!(
                f,
                "a table of the guest may have {allowed} elements, and was to have {used}"
            ),
            LimitKind::Stack => write!(
                f,
                "the guest may use {} of stack, and needs more",
                Bytes(allowed)
            ),
            LimitKind::HostCalls => write!(
                f,
                "the call may call host functions {allowed} times, and this was to be call {used}"
            ),
            LimitKind::Transferred => write!(
                f,
                "the call may move {} across the boundary, and was to move {}",
                Bytes(allowed),
                Bytes(used)
            ),
            LimitKind::HostTime => write!(
                f,
                "the call may spend {} in host functions, and spent {}",
                Time(allowed),
                Time(used)
            ),
            LimitKind::Instances => write!(
                f,
                "there may be {allowed} instances at once, all of which are in use"
            ),
            LimitKind::Posted => write!(
                f,
                "{allowed} posted calls wait, or have outcomes that were not taken: take them by \
                 `Instance::take_posted`, or allow more by `Limits::posted`"
            ),
        }
    }
}

impl std::error::Error for LimitExceeded {}

/// In nanoseconds, as far as they fit.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A number of bytes, in the largest unit that it fills.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match UNITS.iter().find(|(shift, _)| self.0 >> shift > 0) {
            Some((shift, unit)) => write_scaled(f, self.0, 1 << shift, unit),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// A number of nanoseconds, likewise.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
        match UNITS.iter().find(|(scale, _)| self.0 >= *scale) {
            Some((scale, unit)) => write_scaled(f, self.0, *scale, unit),
            None => write!(f, "{} ns", self.0),
        }
    }
}

/// With two decimals, unless the unit fits exactly.
fn write_scaled(f: &mut fmt::Formatter<'_>, value: u64, scale: u64, unit: &str) -> fmt::Result {
    match value % scale {
        0 => write!(f, "{} {unit}", value / scale),
        _ => write!(f, "{:.2} {unit}", value as f64 / scale as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_that_people_read() {
        let bytes = [0, 1023, 1024, 1536, 16 << 20, 5 << 30];
        let texts = bytes.map(|bytes| Bytes(bytes).to_string());
        assert_eq!(
            texts,
            [
                "0 bytes",
                "1023 bytes",
                "1 KiB",
                "1.50 KiB",
                "16 MiB",
                "5 GiB"
            ]
        );
        let times = [7, 1_000, 52_123_456, 50_000_000, 1_500_000_000];
        let texts = times.map(|time| Time(time).to_string());
        assert_eq!(texts, ["7 ns", "1 us", "52.12 ms", "50 ms", "1.50 s"]);
    }
}
