//! Records what the program is built with, for the report.

use std::process::Command;
use std::{env, fs};

const LOCK: &str = "../Cargo.lock";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LOCK}");
    println!("cargo::rustc-env=BENCH_RUSTC={}", rustc());
    for engine in ["wasmtime", "wasmer", "wasmi"] {
        let name = engine.to_uppercase();
        println!("cargo::rustc-env=BENCH_{name}={}", locked(engine));
    }
    let profile = env::var("PROFILE").unwrap_or_default();
    println!("cargo::rustc-env=BENCH_PROFILE={profile}");
}

fn rustc() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let version = output.ok().and_then(|o| String::from_utf8(o.stdout).ok());
    version.map_or_else(|| "unknown".to_owned(), |v| v.trim().to_owned())
}

/// The version of `package` in the lock file.
fn locked(package: &str) -> String {
    let lock = fs::read_to_string(LOCK).unwrap_or_default();
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix("version = "));
    version
        .map_or("unknown", |v| v.trim_matches('"'))
        .to_owned()
}
