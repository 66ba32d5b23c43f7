//! Applies a pricing function, a guest written in C, to the rows of a table: by a
//! call for each row, and by a loop in the guest.
//!
//! ```text
//! cargo run --release --example pricing
//! cargo run --release --example pricing -- --bad-row 123456
//! ```

mod csv;
mod udf;

use csv::Row;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use udf::Udf;

const USAGE: &str = "usage: cargo run --release --example pricing -- [--rows N] [--bad-row N]";
/// Of each way the fastest of so many counts.
const ROUNDS: usize = 3;

struct Opts {
    rows: usize,
    /// Counted from 0.
    bad: Option<usize>,
}

fn main() -> ExitCode {
    let Some(opts) = Opts::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&opts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Opts {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Opts> {
        let (mut rows, mut bad) = (1_000_000, None);
        while let Some(arg) = args.next() {
            let number = args.next()?.parse().ok()?;
            match arg.as_str() {
                "--rows" => rows = number,
                "--bad-row" => bad = Some(number),
                _ => return None,
            }
        }
        let fits = rows > 0 && bad.is_none_or(|bad| bad < rows);
        fits.then_some(Opts { rows, bad })
    }
}

fn run(opts: &Opts) -> Result<(), Box<dyn Error>> {
    let folder = Temporary::new()?;
    let path = folder.0.join("options.csv");
    csv::write(&path, opts.rows, opts.bad)?;
    let rows = csv::read(&path)?;
    println!("{} rows in {}", rows.len(), path.display());

    let mut udf = Udf::new()?;
    let mut prices = vec![0.0; rows.len()];
    if let Err(error) = udf.map(&rows, &mut prices) {
        return Err(explain(&error, &rows));
    }
    let prices = compare(&mut udf, &rows)?;
    let start = Instant::now();
    let (count, mean, squares) = udf.moments(&prices)?;
    let deviation = (squares / count).sqrt();
    println!("fold             {:8.1} ms", milliseconds(start.elapsed()));
    println!("mean price {mean:.4}, standard deviation {deviation:.4}");
    Ok(())
}

/// Which row it was, and what was in it.
fn explain(error: &hostcall::Error, rows: &[Row]) -> Box<dyn Error> {
    match error.index() {
        Some(row) => {
            let (line, values) = (csv::line(row), rows[row]);
            let before = "the prices of those before it are there";
            format!("row {row}, line {line}, {values:?}: {error}; {before}").into()
        }
        None => error.to_string().into(),
    }
}

/// Runs both ways in turn, and gives what both have computed.
fn compare(udf: &mut Udf, rows: &[Row]) -> Result<Vec<f64>, Box<dyn Error>> {
    let (mut called, mut mapped) = (vec![0.0; rows.len()], vec![0.0; rows.len()]);
    let (mut call, mut map) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        udf.call(rows, &mut called)?;
        call = call.min(start.elapsed());
        let start = Instant::now();
        udf.map(rows, &mut mapped)?;
        map = map.min(start.elapsed());
    }
    println!("a call each      {:8.1} ms", milliseconds(call));
    println!("mapped           {:8.1} ms", milliseconds(map));
    println!(
        "ratio            {:8.2}",
        map.as_secs_f64() / call.as_secs_f64()
    );
    let same = called.iter().zip(&mapped);
    let same = same.filter(|(a, b)| a.to_bits() == b.to_bits()).count();
    println!("{same} of {} prices are bit-identical", rows.len());
    match same == rows.len() {
        true => Ok(mapped),
        false => Err("both ways should give the same prices".into()),
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A folder that is removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> std::io::Result<Temporary> {
        let name = format!("hostcall-pricing-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path)?;
        Ok(Temporary(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
