//! Instructions per operation of the benchmarks, counted by callgrind and compared
//! with a committed baseline; see `README.md` beside the benchmarks.

mod baseline;
mod bench;
mod callgrind;
mod cases;
mod comparison;
mod gungraun_main;

use comparison::Comparison;
use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("Skipped: the baseline is of Linux on x86-64.");
        return ExitCode::SUCCESS;
    }
    run().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let accept = match args.first().map(String::as_str) {
        None => false,
        Some("--accept") => true,
        Some(gungraun_main::ASKED) => {
            gungraun_main::run();
            return Ok(ExitCode::SUCCESS);
        }
        Some(other) => return Err(format!("{other}: there is `--accept` only").into()),
    };
    let counts = callgrind::count()?;
    if accept {
        baseline::write(&counts)?;
    }
    let comparison = Comparison::new(cases::ALL, &baseline::read()?, &counts, &baseline::rustc()?);
    print!("{comparison}");
    Ok(match comparison.passes() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
