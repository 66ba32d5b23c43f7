//! The committed figures.

use crate::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../instructions.json");

/// Instructions per operation, by case and subject.
pub type Counts = BTreeMap<String, BTreeMap<String, f64>>;

#[derive(Serialize, Deserialize)]
pub struct Baseline {
    /// Other compilers make other instructions.
    pub rustc: String,
    pub instructions: Counts,
}

pub fn read() -> Result<Baseline> {
    let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Makes these the figures.
pub fn write(counts: &Counts) -> Result<()> {
    let baseline = Baseline {
        rustc: rustc()?,
        instructions: counts.clone(),
    };
    let text = serde_json::to_string_pretty(&baseline)?;
    Ok(fs::write(FILE, text + "\n")?)
}

/// The compiler that the benchmarks are built with.
pub fn rustc() -> Result<String> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8(rustc.stdout)?.trim().to_owned())
}
