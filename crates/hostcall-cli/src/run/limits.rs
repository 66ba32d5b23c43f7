//! What a guest may use, from the command line.

use super::bytes;
use clap::Args;
use hostcall::Limits;
use std::time::Duration;

const HEADING: &str = "Limits";

/// Limits of one run. Without them a guest may take what it likes.
#[derive(Args)]
pub struct LimitOpts {
    /// Most time that a run may take, waiting included: 500ms, 10s, 1m 30s
    #[arg(long, help_heading = HEADING, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

    /// Most Wasm instructions that may be executed, about: one unit of fuel each
    #[arg(long, help_heading = HEADING, value_name = "FUEL")]
    fuel: Option<u64>,

    /// Most bytes that each memory of the guest may hold, such as 64M or 1G;
    /// growing beyond that fails in the guest
    #[arg(long, help_heading = HEADING, value_name = "BYTES", value_parser = bytes::parse)]
    max_memory: Option<usize>,

    /// Most bytes of stack for the guest's calls
    #[arg(long, help_heading = HEADING, value_name = "BYTES", value_parser = bytes::parse)]
    max_stack: Option<usize>,

    /// Most calls of host functions
    #[arg(long, help_heading = HEADING, value_name = "CALLS")]
    max_host_calls: Option<u64>,
}

impl LimitOpts {
    pub fn limits(&self) -> Limits {
        let limits = Limits::NONE;
        let limits = apply(limits, self.timeout, Limits::timeout);
        let limits = apply(limits, self.fuel, Limits::fuel);
        let limits = apply(limits, self.max_memory, Limits::memory);
        let limits = apply(limits, self.max_stack, Limits::stack);
        apply(limits, self.max_host_calls, Limits::host_calls)
    }
}

fn apply<V>(limits: Limits, value: Option<V>, set: fn(Limits, V) -> Limits) -> Limits {
    match value {
        Some(value) => set(limits, value),
        None => limits,
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "expected a time such as 500ms, 10s or 1m 30s".to_owned())
}
