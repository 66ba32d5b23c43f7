//! Reads a guest or a provider, from a file or from standard input.

use crate::name::Name;
use anyhow::{Result, anyhow, bail};
use hostcall::ModuleInfo;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A module in binary form.
pub struct WasmFile {
    path: PathBuf,
    pub bytes: Vec<u8>,
}

impl WasmFile {
    /// Reads the file at `path`, or standard input if it is `-`. Text is
    /// assembled.
    pub fn read(path: &Path) -> Result<WasmFile> {
        let path = path.to_owned();
        let bytes = read(&path)?;
        let bytes = match text(&path, &bytes) {
            Some(text) => assemble(&path, text)?,
            None => bytes,
        };
        Ok(WasmFile { path, bytes })
    }

    /// Describes the guest.
    pub fn info(&self) -> Result<ModuleInfo> {
        ModuleInfo::parse(&self.bytes).map_err(|error| anyhow!("{}: {error}", self.display()))
    }

    /// The path, safe to print.
    pub fn display(&self) -> String {
        display(&self.path)
    }

    /// The last part of the path.
    pub fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

fn display(path: &Path) -> String {
    if is_stdin(path) {
        return "standard input".to_owned();
    }
    Name::path(&path.to_string_lossy()).to_string()
}

/// Whether a path means standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else if path.is_dir() {
        bail!("{} is a directory, not a Wasm module", display(path));
    } else {
        fs::read(path)
    };
    read.map_err(|error| anyhow!("cannot read {}: {error}", display(path)))
}

/// The guest's text, if it is not in binary form.
fn text<'b>(path: &Path, bytes: &'b [u8]) -> Option<&'b str> {
    if bytes.starts_with(b"\0asm") {
        return None;
    }
    let text = str::from_utf8(bytes).ok()?;
    let start = text.trim_start();
    let named = path.extension().is_some_and(|extension| extension == "wat");
    (named || start.starts_with('(') || start.starts_with(";;")).then_some(text)
}

fn assemble(path: &Path, text: &str) -> Result<Vec<u8>> {
    wat::parse_str(text).map_err(|mut error| {
        error.set_path(display(path));
        anyhow!("{error}")
    })
}
