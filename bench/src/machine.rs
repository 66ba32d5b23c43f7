//! What was measured on.

use crate::peers;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::thread::available_parallelism;

#[derive(Serialize)]
pub struct Machine {
    os: &'static str,
    arch: &'static str,
    cpu: String,
    cores: usize,
    rustc: &'static str,
    wasmtime: &'static str,
    /// The versions of other engines, by their names.
    #[serde(flatten)]
    peers: BTreeMap<&'static str, String>,
    profile: &'static str,
}

impl Machine {
    pub fn this() -> Machine {
        Machine {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            cpu: cpu().unwrap_or_else(|| "unknown".to_owned()),
            cores: available_parallelism().map_or(0, usize::from),
            rustc: env!("BENCH_RUSTC"),
            wasmtime: env!("BENCH_WASMTIME"),
            peers: peers::versions(),
            profile: env!("BENCH_PROFILE"),
        }
    }
}

/// The model of the processor, where Linux tells.
fn cpu() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {} cores, {} {}; Wasmtime {}, ",
            self.cpu, self.cores, self.os, self.arch, self.wasmtime
        )?;
        for (peer, version) in &self.peers {
            write!(f, "{peer} {version}, ")?;
        }
        write!(f, "{}, {} profile", self.rustc, self.profile)
    }
}
