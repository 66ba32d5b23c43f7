//! What a WASI guest gets of this machine.

use crate::name::Name;
use anyhow::{Result, anyhow};
use clap::Args;
use hostcall::wasi::{FsPerms, WasiCtxBuilder};
use std::env;

#[derive(Args)]
pub struct WasiOpts {
    /// Set an environment variable; `--env NAME` passes on the host's, if it is
    /// set
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = variable)]
    env: Vec<(String, Option<String>)>,

    /// Give access to a directory, under another path in the guest if one is
    /// given
    #[arg(long, value_name = "HOST[::GUEST]")]
    dir: Vec<String>,
}

impl WasiOpts {
    /// The context of an instance, to be built when the instance is made.
    pub fn context(&self, file_name: &str, args: &[String]) -> Result<WasiCtxBuilder> {
        let mut builder = WasiCtxBuilder::new();
        builder.inherit_stdio().arg(file_name).args(args);
        for (name, value) in &self.env {
            if let Some(value) = value.clone().or_else(|| env::var(name).ok()) {
                builder.env(name, value);
            }
        }
        for dir in &self.dir {
            let (host, guest) = dir.split_once("::").unwrap_or((dir, dir));
            let opened = builder.preopened_dir(host, guest, FsPerms::ReadWrite);
            opened.map_err(|error| {
                anyhow!("cannot open the directory {}: {error}", Name::path(host))
            })?;
        }
        Ok(builder)
    }
}

fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("a variable needs a name".to_owned());
    }
    Ok((name.to_owned(), value))
}
