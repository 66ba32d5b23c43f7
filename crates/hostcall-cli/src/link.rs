//! `hostcall link`: puts functions into a guest and writes the linked module.

use crate::provide::ProvideOpts;
use crate::table::rows;
use crate::warn;
use crate::wasm_file::WasmFile;
use anyhow::{Result, bail};
use clap::Args;
use hostcall_link::{Binding, ImportName, Provided};
use output::Output;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

mod output;

/// Puts functions into a guest in the place of imports, and writes the linked
/// module.
///
/// The bodies of small functions stand where they were called. Imports that are
/// not provided stay imports, and the linked module runs on any engine whose
/// host offers those.
#[derive(Args)]
#[command(after_help = AFTER_HELP, mut_arg("provide", |arg| arg.required(true)))]
pub struct Opts {
    /// The guest: a .wasm or .wat file, or `-` for standard input
    guest: PathBuf,

    #[command(flatten)]
    provide: ProvideOpts,

    /// Where to write the linked module, in text form if the name ends in
    /// .wat; `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

const AFTER_HELP: &str = "\
Warnings go to standard error, and, if that is a terminal, a summary. `hostcall
plan` with the same options says what would become of each import.

EXIT STATUS:
  0    the linked module was written
  1    the guest or a provider cannot be read or linked, a provider is of no
       use to the guest, or the linked module cannot be written
  2    the command line is wrong

EXAMPLES:
  Functions of math.wat for what the guest imports from `env`:
    hostcall link guest.wasm --provide env=math.wat -o linked.wasm

  Several modules:
    hostcall link guest.wasm --provide env=math.wat --provide hash=fnv.wasm -o linked.wasm

  See what becomes of the guest:
    hostcall link guest.wasm --provide env=math.wat -o linked.wat";

impl Opts {
    pub fn run(self) -> Result<()> {
        let output = Output::new(self.output)?;
        let guest = WasmFile::read(&self.guest)?;
        let providers = self.provide.read(&self.guest)?;
        let unused = providers.unused(&guest.info()?);
        if !unused.is_empty() {
            bail!("{}", unused.join("\n\n"));
        }
        let provided = providers.link(&guest)?;
        provided.linked.warnings.iter().for_each(|w| warn(w));
        output.write(&provided.linked.bytes)?;
        let mut err = io::stderr().lock();
        if err.is_terminal() {
            // The module is written: nothing is lost with the summary.
            let _ = err.write_all(summary(guest.bytes.len(), &provided).as_bytes());
        }
        Ok(())
    }
}

/// What was put into the guest, and how its size changed.
fn summary(before: usize, provided: &Provided) -> String {
    let imports = &provided.plan.imports;
    let replaced = imports.iter().filter_map(|planned| {
        let name = ImportName::new(&planned.import.module, &planned.import.name);
        let operators = planned.inlined?.operators;
        let size = format!("{operators} operators");
        Some([name.to_string(), size, planned.reason.clone()])
    });
    let left = imports.iter().chain(&provided.plan.added);
    let left = left.filter(|planned| planned.binding == Binding::Open);
    let after = provided.linked.bytes.len();
    format!(
        "linked: {after} bytes, the guest has {before}; imports left to the host: {}\n{}",
        left.count(),
        rows(replaced)
    )
}

#[cfg(test)]
mod tests {
    use super::summary;
    use hostcall_link::{ProvideOptions, Provider, Provision, provide};

    #[test]
    fn the_summary_says_what_went_in_and_what_is_left() {
        let math = wat::parse_str(
            r#"(module (func (export "double") (param i32) (result i32)
                (i32.shl (local.get 0) (i32.const 1))))"#,
        );
        let guest = wat::parse_str(
            r#"(module
                (import "env" "double" (func $double (param i32) (result i32)))
                (import "env" "log" (func $log (param i32)))
                (func (export "run") (call $log (call $double (i32.const 1)))))"#,
        );
        let guest = guest.unwrap();
        let provision = Provision {
            module: "env",
            provider: &Provider::parse(&math.unwrap()).unwrap(),
        };
        let provided = provide(&guest, &[provision], &ProvideOptions::default()).unwrap();
        let (before, after) = (guest.len(), provided.linked.bytes.len());
        assert_eq!(
            summary(before, &provided),
            format!(
                "linked: {after} bytes, the guest has {before}; imports left to the host: 1\n  \
                 env.double  3 operators  its body stands at every call, 1 in all\n"
            )
        );
    }
}
