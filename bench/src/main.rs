//! Side-by-side measurements; see `README.md` beside this crate.

mod dudect;
mod fit;
mod guests;
mod harness;
mod html;
mod machine;
mod once;
mod peers;
mod report;
mod suites;

use clap::Parser;
use harness::Pace;
use indicatif::{ProgressBar, ProgressStyle};
use report::Report;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use suites::Suite;
use wasmtime::error::Context as _;

/// Measures hostcall side by side with its peers.
#[derive(Parser)]
#[command(name = "hostcall-bench")]
struct Opts {
    /// What to measure; everything if not given.
    #[arg(value_name = "SUITE", value_parser = suites::find)]
    suites: Vec<&'static Suite>,
    /// Writes the results there, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the results there, as a page with charts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the first chart of that page into this folder, as `crossing-light.svg` and
    /// `crossing-dark.svg`.
    #[arg(long, value_name = "FOLDER")]
    charts: Option<PathBuf>,
    /// Few rounds: shows that everything works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// Runs one subject that often and measures nothing: for profilers.
    #[arg(long, num_args = 3, value_names = ["CASE", "SUBJECT", "COUNT"])]
    once: Option<Vec<String>>,
}

impl Opts {
    /// What makes the same page on any machine.
    fn command(&self) -> String {
        let mut words = vec!["cargo run --release -p hostcall-bench"];
        words.extend(cfg!(feature = "peers").then_some("--features peers"));
        words.push("--");
        words.extend(self.suites.iter().map(|suite| suite.name));
        words.extend(self.quick.then_some("--quick"));
        words.push("--html report.html");
        words.join(" ")
    }
}

fn main() -> ExitCode {
    match run(&Opts::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(opts: &Opts) -> wasmtime::Result<()> {
    let engine = guests::engine()?;
    let pace = if opts.quick { Pace::QUICK } else { Pace::FULL };
    let chosen: Vec<&Suite> = match opts.suites.as_slice() {
        [] => suites::ALL.iter().collect(),
        some => some.to_vec(),
    };
    if let Some(what) = &opts.once {
        return once::run(&engine, &chosen, what);
    }
    let mut report = Report::new();
    for suite in chosen {
        let mut cases = (suite.cases)(&engine)?;
        cases.retain(|case| pace.rounds(case) > 0);
        let progress = progress(cases.iter().map(|case| pace.rounds(case)).sum());
        for mut case in cases {
            progress.set_message(case.name);
            let rounds = harness::measure(&mut case, &pace, || progress.inc(1))?;
            report.add(&case, &rounds);
        }
        progress.finish_and_clear();
    }
    println!("{report}");
    if let Some(path) = &opts.json {
        write(path, &(serde_json::to_string_pretty(&report)? + "\n"))?;
    }
    if let Some(path) = &opts.html {
        write(path, &html::page(&report, &opts.command()))?;
    }
    if let Some(folder) = &opts.charts {
        html::write_charts(&report, folder)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> wasmtime::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// A bar of `rounds` steps; shown on terminals only.
fn progress(rounds: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} rounds")
        .expect("the template is valid");
    ProgressBar::new(rounds as u64).with_style(style)
}
