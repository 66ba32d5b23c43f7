//! `hostcall plan`: says how each import reaches its function, and why.

use crate::provide::ProvideOpts;
use crate::warn;
use crate::wasm_file::WasmFile;
use anyhow::Result;
use clap::Args;
use hostcall_link::Plan;
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;

/// Says for each import of a guest what becomes of it, and why.
///
/// The guest is linked with what is provided, which gives the sizes of the
/// bodies in Wasm operators. Nothing is written, compiled or run.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Opts {
    /// The guest: a .wasm or .wat file, or `-` for standard input
    guest: PathBuf,

    #[command(flatten)]
    provide: ProvideOpts,

    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

const AFTER_HELP: &str = "\
CROSSINGS:
  inline  the function is in the linked module: its body stands at the calls,
          as far as the budget allows, and is called at others
  call    the engine calls a function of the host

EXIT STATUS:
  0    the plan was printed
  1    the guest or a provider cannot be read or linked
  2    the command line is wrong

EXAMPLES:
  What does the host have to offer?
    hostcall plan guest.wasm

  What becomes of the imports that math.wat provides?
    hostcall plan guest.wasm --provide env=math.wat

  Imports that are called although they are provided, by jq:
    hostcall plan guest.wasm --provide env=math.wat --json |
      jq -r '.plan.imports[] | select(.inlined | .call_sites? > .expanded?) | .import.name'";

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    file: String,
    plan: &'a Plan,
    bytes: Bytes,
    warnings: &'a [String],
}

/// Sizes of the module.
#[derive(Serialize)]
struct Bytes {
    guest: usize,
    linked: usize,
}

impl Opts {
    pub fn run(self) -> Result<()> {
        let guest = WasmFile::read(&self.guest)?;
        let providers = self.provide.read(&self.guest)?;
        let provided = providers.link(&guest)?;
        let unused = providers.unused(&guest.info()?);
        let warnings = [unused, provided.linked.warnings].concat();
        warnings.iter().for_each(|warning| warn(warning));
        let mut out = io::stdout().lock();
        if self.json {
            let report = Report {
                file: self.guest.to_string_lossy().into_owned(),
                plan: &provided.plan,
                bytes: Bytes {
                    guest: guest.bytes.len(),
                    linked: provided.linked.bytes.len(),
                },
                warnings: &warnings,
            };
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        } else {
            out.write_all(provided.plan.to_string().as_bytes())?;
        }
        Ok(())
    }
}
