//! The `hostcall` program: runs, links and inspects WebAssembly guests.

use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::process;

mod inspect;
mod link;
mod name;
mod plan;
mod provide;
mod run;
mod table;
mod value_text;
mod wasm_file;

/// Host functions for WebAssembly guests.
#[derive(Parser)]
#[command(name = "hostcall", version, after_help = EXAMPLES)]
struct Opts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Opts>),
    Inspect(inspect::Opts),
    Plan(plan::Opts),
    Link(link::Opts),
}

const EXAMPLES: &str = "\
EXAMPLES:
  What does this guest need from its host?
    hostcall inspect guest.wasm

  Run a WASI command with an argument and a directory:
    hostcall run --dir . cat.wasm -- notes.txt

  Call one function:
    hostcall run math.wat --invoke add 1 2

  Put functions into a guest in the place of its imports from `env`:
    hostcall link guest.wasm --provide env=math.wat -o linked.wasm";

fn main() {
    let done = match Opts::parse().command {
        Command::Run(opts) => opts.run(),
        Command::Inspect(opts) => opts.run().map(|()| 0),
        Command::Plan(opts) => opts.run().map(|()| 0),
        Command::Link(opts) => opts.run().map(|()| 0),
    };
    let flushed = done.and_then(|status| {
        io::stdout().flush()?;
        Ok(status)
    });
    process::exit(flushed.unwrap_or_else(|error| fail(&error)));
}

/// Says what went wrong; gives the status to exit with.
fn fail(error: &anyhow::Error) -> i32 {
    let message = match error.downcast_ref::<io::Error>() {
        // Whoever reads has seen enough, as `head` has.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return 0,
        Some(error) => format!("cannot write to standard output: {error}"),
        None => error.to_string(),
    };
    // If standard error is closed, the status has to do.
    let _ = writeln!(io::stderr(), "error: {}", printable(&message));
    error.downcast_ref().map_or(1, run::failure_status)
}

/// Says what a reader may want to know although all goes on.
pub fn warn(message: &str) {
    let _ = writeln!(io::stderr(), "warning: {}", printable(message));
}

/// Text without what a terminal would obey: names in it come from guests.
fn printable(text: &str) -> String {
    let escaped = |c: char| match c {
        '\n' => c.to_string(),
        c if c.is_control() => c.escape_debug().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}
