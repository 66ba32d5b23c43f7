//! `hostcall run`: runs a WASI command, or calls one export.

use crate::inspect::signature_of;
use crate::name::Name;
use crate::provide::ProvideOpts;
use crate::warn;
use crate::wasm_file::WasmFile;
use anyhow::{Result, anyhow, bail};
use clap::Args;
use hostcall::{Error, ErrorKind, ExternType, Host, Instance, ModuleInfo, Program, Signature};
use stats::Stats;
use std::path::PathBuf;
use std::sync::Mutex;

mod bytes;
mod invoke;
mod limits;
mod stats;
mod wasi;

/// Runs a WASI command, or calls one exported function.
///
/// A command inherits standard input, output and error, and gets the arguments,
/// variables and directories that are named here: nothing else of this machine.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct Opts {
    /// The guest: a .wasm or .wat file, or `-` for standard input
    guest: PathBuf,

    /// Call this export instead of `_start`, and print each result on a line
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,

    /// Interface of the invoked export, for strings, lists, records and the
    /// like: 'func(text: string) -> string'. Without it, arguments and results
    /// are core values
    #[arg(long, requires = "invoke", value_name = "FUNC")]
    signature: Option<Signature>,

    #[command(flatten)]
    wasi: wasi::WasiOpts,

    #[command(flatten)]
    provide: ProvideOpts,

    #[command(flatten)]
    limits: limits::LimitOpts,

    /// When the guest has ended, print to standard error how often it has
    /// called each function that it imports, as a table or as one line of JSON
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text"
    )]
    stats: Option<stats::Format>,

    /// Arguments of the command, after `--`, or of the invoked export
    #[arg(trailing_var_arg = true, allow_negative_numbers = true)]
    args: Vec<String>,
}

const AFTER_HELP: &str = "\
ARGUMENTS OF --invoke:
  i32, i64      decimal, signed or unsigned, or hexadecimal: -1, 4294967295, 0xff
  f32, f64      1.5, -2e10, nan, inf
  With --signature also:
  string, char  as it is; inside other values quoted: \"text\", 'c'
  list, tuple   [1, 2]  (1, \"two\")
  record        {x: 1, y: 2}
  option        some(3)  none
  result        ok(1)  err(\"reason\")  ok
  variant, enum the name of the case: circle(1.5)  red
  Results are printed in the same form. Write `--` before arguments that start
  with a hyphen and are not numbers.

STATISTICS:
  Calls are counted in the guest, also those of functions whose bodies stand in
  it, which costs the guest its debug information. `-`, or null in JSON, stands
  for calls that are not known, because there could be no instance, or its start
  function failed.

EXIT STATUS:
  The guest's own; 0 after --invoke
  1    the guest cannot be read, linked or instantiated, or an argument is wrong
  2    the command line is wrong
  124  the guest reached one of its limits
  134  the guest trapped, or a host function failed

EXAMPLES:
  A WASI command with arguments, a variable and a directory:
    hostcall run --env LANG --dir ./data::/data cat.wasm -- /data/notes.txt

  One function, by its core type:
    hostcall run math.wat --invoke add 1 0x10

  One function, by its interface:
    hostcall run text.wasm --invoke upper --signature 'func(text: string) -> string' hello

  A guest that nobody vouches for:
    hostcall run --timeout 2s --max-memory 64M --max-host-calls 10000 guest.wasm

  Functions of math.wat for what the guest imports from `env`:
    hostcall run guest.wasm --provide env=math.wat

  How often does it call what?
    hostcall run --stats guest.wasm

  Its most frequent calls, by jq:
    hostcall run --stats=json guest.wasm 2>&1 >/dev/null |
      jq -rR 'fromjson? | .imports | max_by(.calls) | .module + \".\" + .name'";

impl Opts {
    /// Gives the status to exit with.
    pub fn run(self) -> Result<i32> {
        let guest = WasmFile::read(&self.guest)?;
        let program = self.link(&guest)?;
        if self.invoke.is_none() {
            check_start(program.info())?;
        }
        // Time limits can end what waits only if it waits in a runtime.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let (instance, done) = runtime.block_on(async {
            let mut instance = program.instantiate_async(()).await;
            let done = match &mut instance {
                Ok(instance) => self.call(instance).await,
                Err(_) => Ok(0),
            };
            (instance, done)
        });
        if let Some(format) = self.stats {
            Stats::of(&self.guest, &program, instance.as_ref().ok()).print(format);
        }
        let done = instance.map_err(Into::into).and(done);
        done.or_else(exit_status)
    }

    fn link(&self, guest: &WasmFile) -> Result<Program<()>> {
        let args = if self.invoke.is_some() {
            &[]
        } else {
            &self.args[..]
        };
        let context = Mutex::new(self.wasi.context(&guest.file_name(), args)?);
        let mut host = Host::new();
        host.wasi_async(move |()| {
            let context = context.lock();
            context
                .expect("nothing panics while it is locked")
                .build_p1()
        });
        host.limits(self.limits.limits());
        host.count_calls(self.stats.is_some());
        let providers = self.provide.read(&self.guest)?;
        providers.add_to(&mut host)?;
        let program = host
            .program(&guest.bytes)
            .map_err(|error| match error.kind() {
                ErrorKind::Parse(error) => anyhow!("{}: {error}", guest.display()),
                ErrorKind::Link(error) => providers.explain(error),
                _ => error.into(),
            })?;
        let unused = providers.unused(program.info());
        unused
            .iter()
            .chain(program.warnings())
            .for_each(|w| warn(w));
        Ok(program)
    }

    async fn call(&self, instance: &mut Instance<()>) -> Result<i32> {
        let Some(name) = &self.invoke else {
            return Ok(instance.run_async().await?);
        };
        invoke::invoke(instance, name, self.signature.as_ref(), &self.args).await?;
        Ok(0)
    }
}

/// The status that the guest asked for, if that is what the error is.
fn exit_status(error: anyhow::Error) -> Result<i32> {
    match error.downcast_ref().map(Error::kind) {
        Some(ErrorKind::Exit(status)) => Ok(*status),
        _ => Err(error),
    }
}

/// The status to exit with after an error.
pub fn failure_status(error: &Error) -> i32 {
    if error.limit().is_some() {
        return 124;
    }
    match error.kind() {
        ErrorKind::Trap(_) | ErrorKind::Fault(_) | ErrorKind::Host | ErrorKind::Panic(_) => 134,
        // A WASI function failed.
        ErrorKind::Wasmtime if !error.backtrace().is_empty() => 134,
        _ => 1,
    }
}

fn has_func(info: &ModuleInfo, name: &str) -> bool {
    let mut exports = info.exports.iter();
    exports.any(|export| export.name == name && matches!(export.ty, ExternType::Func(_)))
}

/// Checks that there is something to run.
fn check_start(info: &ModuleInfo) -> Result<()> {
    if has_func(info, "_start") {
        return Ok(());
    }
    let exports = info.exports.iter().filter_map(|export| match &export.ty {
        ExternType::Func(ty) => {
            let signature = signature_of(ty, info.params_of(export.index));
            Some(format!("\n  {}{signature}", Name::new(&export.name)))
        }
        _ => None,
    });
    let exports: String = exports.collect();
    if exports.is_empty() {
        bail!("the guest has no `_start` to run, and exports no other function");
    }
    bail!("the guest has no `_start` to run; call one of its exports with --invoke:{exports}")
}
