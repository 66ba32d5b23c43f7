//! A table of options as comma-separated values.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// Spot price, strike, interest rate, volatility, years: what `price` takes.
pub type Row = (f64, f64, f64, f64, f64);

const HEADER: &str = "spot,strike,rate,volatility,years";

/// The line of a file on which a row is; both are counted from 0 and 1, as it
/// is usual.
pub fn line(row: usize) -> usize {
    row + 2
}

/// Writes a table that is always the same. A volatility below zero makes one row
/// a bad one, if that is wanted.
pub fn write(path: &Path, rows: usize, bad: Option<usize>) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{HEADER}")?;
    let mut random = Random(0x5eed);
    for row in 0..rows {
        let (spot, strike) = (random.between(50.0, 150.0), random.between(50.0, 150.0));
        let rate = random.between(0.0, 0.08);
        let volatility = random.between(0.05, 0.65);
        let sign = if bad == Some(row) { "-" } else { "" };
        let years = random.between(0.02, 3.0);
        writeln!(
            file,
            "{spot:.2},{strike:.2},{rate:.4},{sign}{volatility:.4},{years:.2}"
        )?;
    }
    file.flush()
}

/// Reads such a table; the message of an error names the line.
pub fn read(path: &Path) -> Result<Vec<Row>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut lines = BufReader::new(file).lines();
    match lines.next() {
        Some(Ok(header)) if header == HEADER => {}
        _ => return Err(format!("line 1: expected `{HEADER}`")),
    }
    let rows = lines.enumerate().map(|(row, text)| {
        let text = text.map_err(|error| error.to_string());
        let parsed = text.and_then(|text| parse(&text));
        parsed.map_err(|message| format!("line {}: {message}", line(row)))
    });
    rows.collect()
}

fn parse(text: &str) -> Result<Row, String> {
    let numbers = text.split(',').map(|field| {
        let number = field.trim().parse::<f64>();
        number.map_err(|_| format!("`{}` is no number", field.escape_debug()))
    });
    match numbers.collect::<Result<Vec<_>, _>>()?[..] {
        [spot, strike, rate, volatility, years] => Ok((spot, strike, rate, volatility, years)),
        ref other => Err(format!("expected 5 numbers, found {}", other.len())),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        low + unit * (high - low)
    }
}
