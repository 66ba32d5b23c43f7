//! The benchmarks, whose operations are counted.

use crate::Result;
use serde_json::Value;
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Builds them as they are measured, and says where the program is.
pub fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(FOLDER)
        .stderr(Stdio::inherit())
        .output()?;
    if !build.status.success() {
        return Err("the benchmarks cannot be built".into());
    }
    let mut messages = str::from_utf8(&build.stdout)?.lines();
    let program = messages.find_map(|message| {
        let message: Value = serde_json::from_str(message).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    program.ok_or_else(|| "cargo does not say where the benchmarks are".into())
}
