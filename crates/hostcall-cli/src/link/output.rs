//! Where a linked module goes.

use crate::name::Name;
use crate::wasm_file::is_stdin;
use anyhow::{Result, anyhow, bail};
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// A file, or standard output.
pub struct Output {
    path: PathBuf,
}

impl Output {
    /// Refuses what cannot be written to, as far as that shows by now.
    pub fn new(path: PathBuf) -> Result<Output> {
        if is_stdin(&path) && io::stdout().is_terminal() {
            bail!(
                "a linked module is binary, and standard output is a terminal: \
                 name a file by `-o linked.wasm`, or one that ends in .wat for text"
            );
        }
        let output = Output { path };
        if output.path.is_dir() {
            bail!(
                "cannot write to {}: it is a directory, name a file in it",
                output.display()
            );
        }
        Ok(output)
    }

    /// Writes a module, as text if the file is named like that.
    pub fn write(&self, module: &[u8]) -> Result<()> {
        if is_stdin(&self.path) {
            io::stdout().write_all(module)?;
            return Ok(());
        }
        let written = match self.is_text() {
            true => fs::write(&self.path, wasmprinter::print_bytes(module)?),
            false => fs::write(&self.path, module),
        };
        written.map_err(|error| anyhow!("cannot write {}: {error}", self.display()))
    }

    fn is_text(&self) -> bool {
        self.path
            .extension()
            .is_some_and(|extension| extension == "wat")
    }

    fn display(&self) -> String {
        Name::path(&self.path.to_string_lossy()).to_string()
    }
}
