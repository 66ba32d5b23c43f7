//! A plugin host: many tenants have their requests answered by a guest in C that
//! keeps what it knows in a key-value store on disk; then others come, whose
//! plugins do what they can to get in the way.
//!
//! ```text
//! cargo run --release --example plugins
//! cargo run --release --example plugins -- 500 5
//! ```
//!
//! `host` is what plugins may import and use, `plugins` are the guests, `store` is the
//! store, `share` shares threads between those who call them (`caller`), and
//! `scenario` is what happens.

mod caller;
mod host;
mod plugins;
mod scenario;
mod share;
mod store;

use caller::Outcome;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use hostcall::Error;
use plugins::MALICIOUS;
use scenario::{Report, Scenario};
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: cargo run --release --example plugins -- [TENANTS [SECONDS]]";

/// A line under the header and none between rows.
const STYLE: TableStyle = presets::ASCII_NO_BORDERS.row_separator(LineStyle::none());

fn main() -> ExitCode {
    let Some(scenario) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match scenario.run() {
        Ok(report) => {
            print(&report);
            match report.is_good() {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Scenario> {
    let tenants = args.next().map_or(Some(200), |arg| arg.parse().ok())?;
    // So many alone, and so many beside others, in turn.
    let seconds = args.next().map_or(Some(3), |arg| arg.parse().ok())?;
    let fits = tenants > 0 && seconds > 0 && args.next().is_none();
    fits.then_some(Scenario {
        tenants,
        rounds: seconds,
        time: Duration::from_secs(1),
        pace: Duration::from_millis(200),
        timeout: Duration::from_millis(500),
    })
}

fn print(report: &Report) {
    let mut table = Table::new();
    let header = [
        "plugin",
        "calls",
        "ok",
        "stopped",
        "as meant",
        "poisoned",
        "p50",
        "p99",
        "first failure",
    ];
    table.load_style(STYLE).set_header(header);
    row(&mut table, "counter, alone", &report.alone);
    row(&mut table, "counter, together", &report.beside);
    for (plugin, outcome) in MALICIOUS.iter().zip(&report.malicious) {
        row(&mut table, plugin.name, outcome);
    }
    for column in 1..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
    println!("{} views are in the store", report.views);
    let p99 = |outcome| percentile(outcome, 99).as_secs_f64();
    println!(
        "p99 of the counter beside malicious plugins: {:.2} times what it is alone",
        p99(&report.beside) / p99(&report.alone),
    );
}

fn row(table: &mut Table, name: &str, outcome: &Outcome) {
    table.add_row([
        name.to_owned(),
        outcome.calls.to_string(),
        outcome.answered.to_string(),
        outcome.stopped.to_string(),
        outcome.as_meant.to_string(),
        outcome.poisoned.to_string(),
        milliseconds(percentile(outcome, 50)),
        milliseconds(percentile(outcome, 99)),
        outcome.failure.as_ref().map_or(String::new(), shortened),
    ]);
}

/// The time that so many of a hundred calls took at most.
fn percentile(outcome: &Outcome, percent: usize) -> Duration {
    let mut times = outcome.times.clone();
    times.sort_unstable();
    let at = (times.len() * percent).div_ceil(100);
    times[at - 1]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The limit, or all that comes before the backtrace.
fn shortened(error: &Error) -> String {
    if let Some(limit) = error.limit() {
        return limit.to_string();
    }
    let message = error.to_string();
    let end = message.find("; guest backtrace").unwrap_or(message.len());
    message[..end].to_owned()
}
