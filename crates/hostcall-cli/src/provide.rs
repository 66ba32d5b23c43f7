//! Modules whose functions take the place of imports: `--provide`.

use crate::name::Name;
use crate::wasm_file::{WasmFile, is_stdin};
use anyhow::{Error, Result, anyhow, bail};
use clap::Args;
use hostcall::{Host, ModuleInfo};
use hostcall_link::{
    Budget, LinkError, ProvideErrorKind, ProvideOptions, Provided, Provider, Provision,
    RewriteErrorKind, provide, unused,
};
use std::path::{Path, PathBuf};

mod notes;

#[derive(Args)]
pub struct ProvideOpts {
    /// Put functions that FILE exports into the guest, in the place of its
    /// imports from MODULE by the same names. FILE is a .wasm or .wat module
    /// of functions and globals only. May be repeated; of several functions by
    /// one name the first that has the imported type serves
    #[arg(long, value_name = "MODULE=FILE", value_parser = provision)]
    provide: Vec<(String, PathBuf)>,

    /// Leave calls of provided functions calls, instead of putting their
    /// bodies at the calls
    #[arg(long, requires = "provide")]
    no_inline: bool,

    /// Operators of a body that may stand at a call [default: 200]
    #[arg(long, value_name = "N", requires = "provide", value_parser = operators)]
    budget_body: Option<u32>,

    /// Operators that bodies may add to one function of the guest
    /// [default: 5000]
    #[arg(long, value_name = "N", requires = "provide", value_parser = operators)]
    budget_function: Option<u32>,
}

/// The modules that were named, and what may be done with them.
pub struct Providers {
    files: Vec<ProviderFile>,
    options: ProvideOptions,
}

struct ProviderFile {
    module: String,
    file: WasmFile,
    provider: Provider,
}

impl ProvideOpts {
    /// Reads the modules; `guest` is the path of the guest.
    pub fn read(&self, guest: &Path) -> Result<Providers> {
        let paths = self.provide.iter().map(|(_, path)| path.as_path());
        if paths.chain([guest]).filter(|path| is_stdin(path)).count() > 1 {
            bail!("only one module can come from standard input: give the others as files");
        }
        let files = self.provide.iter();
        let files = files.map(|(module, path)| ProviderFile::read(module, path));
        Ok(Providers {
            files: files.collect::<Result<_>>()?,
            options: self.options(),
        })
    }

    fn options(&self) -> ProvideOptions {
        let default = Budget::default();
        let body = self.budget_body.unwrap_or(default.body);
        let function = self.budget_function.unwrap_or(default.function);
        ProvideOptions {
            call_sites: !self.no_inline,
            budget: Budget { body, function },
        }
    }
}

impl ProviderFile {
    fn read(module: &str, path: &Path) -> Result<ProviderFile> {
        let file = WasmFile::read(path)?;
        let provider = Provider::parse(&file.bytes);
        let provider = provider.map_err(|error| anyhow!("{}: {error}", file.display()))?;
        Ok(ProviderFile {
            module: module.to_owned(),
            file,
            provider,
        })
    }

    /// As it was given, safe to print.
    fn display(&self) -> String {
        let module = Name::new(&self.module);
        format!("--provide {module}={}", self.file.display())
    }
}

impl Providers {
    /// Links a guest with them.
    pub fn link(&self, guest: &WasmFile) -> Result<Provided> {
        let provided = provide(&guest.bytes, &self.provisions(), &self.options);
        provided.map_err(|error| match error.kind() {
            ProvideErrorKind::Link(error) => self.explain(error),
            ProvideErrorKind::Rewrite(error) => match error.kind() {
                RewriteErrorKind::Guest(error) => anyhow!("{}: {error}", guest.display()),
                _ => error.clone().into(),
            },
            _ => error.into(),
        })
    }

    /// The error, and from which file what does not fit comes, or how what is
    /// missing could be provided.
    pub fn explain(&self, error: &LinkError) -> Error {
        let mut notes = notes::mismatches(error, &self.provisions(), |position| {
            self.files[position].file.display()
        });
        notes.extend(notes::missing(error));
        anyhow!("{error}{}", notes.concat())
    }

    /// Offers them to the guests of a host.
    pub fn add_to(&self, host: &mut Host<()>) -> Result<()> {
        for file in &self.files {
            host.provide(&file.module, &file.file.bytes)
                .map_err(|error| anyhow!("{}: {error}", file.file.display()))?;
        }
        host.inlining(self.options.call_sites);
        host.inline_budget(self.options.budget);
        Ok(())
    }

    /// A message for each that the guest has no use for.
    pub fn unused(&self, guest: &ModuleInfo) -> Vec<String> {
        let unused = unused(guest, &self.provisions()).into_iter();
        let messages = unused.map(|unused| {
            let file = &self.files[unused.provision];
            format!("{}: {unused}", file.display())
        });
        messages.collect()
    }

    fn provisions(&self) -> Vec<Provision<'_>> {
        let provisions = self.files.iter().map(|file| Provision {
            module: &file.module,
            provider: &file.provider,
        });
        provisions.collect()
    }
}

fn operators(text: &str) -> Result<u32, String> {
    let expected = "expected a number of Wasm operators such as 200";
    text.parse().map_err(|_| expected.to_owned())
}

fn provision(text: &str) -> Result<(String, PathBuf), String> {
    let expected = "expected MODULE=FILE such as env=math.wat";
    match text.split_once('=') {
        Some((_, "")) => Err(format!("{expected}, found no file after `=`")),
        Some((module, file)) => Ok((module.to_owned(), file.into())),
        None => Err(format!("{expected}, found no `=`")),
    }
}
