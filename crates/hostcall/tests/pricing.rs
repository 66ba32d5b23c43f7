//! The pricing example: its two ways to call a function agree, and name the row
//! that fails.

#[path = "../examples/pricing/csv.rs"]
mod csv;
#[path = "../examples/pricing/udf.rs"]
mod udf;

use csv::Row;
use hostcall::{Error, Trap};
use std::fs;
use std::path::PathBuf;
use udf::{Moments, Udf};

/// More than a few batches, and no whole number of them.
const ROWS: usize = 10_007;

/// A file that is removed when the test ends.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Temporary {
        let name = format!("hostcall-{}-{name}.csv", std::process::id());
        Temporary(std::env::temp_dir().join(name))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn rows(name: &str, bad: Option<usize>) -> Vec<Row> {
    let file = Temporary::new(name);
    csv::write(&file.0, ROWS, bad).unwrap();
    let rows = csv::read(&file.0).unwrap();
    assert_eq!(rows.len(), ROWS);
    rows
}

fn bits(prices: &[f64]) -> Vec<u64> {
    prices.iter().map(|price| price.to_bits()).collect()
}

/// What `acc` does.
fn moments(prices: &[f64]) -> Moments {
    let zero = Moments::default();
    prices.iter().fold(zero, |(count, mean, squares), price| {
        let distance = price - mean;
        let (count, mean) = (count + 1.0, mean + distance / (count + 1.0));
        (count, mean, squares + distance * (price - mean))
    })
}

/// The standard normal distribution, by another formula than the guest's: its
/// error is below 1e-7.
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let sum = series
        .iter()
        .rev()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    let tail = sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn price((spot, strike, rate, volatility, years): Row) -> f64 {
    let deviation = volatility * years.sqrt();
    let d1 = ((spot / strike).ln() + rate * years) / deviation + deviation / 2.0;
    spot * normal(d1) - strike * (-rate * years).exp() * normal(d1 - deviation)
}

#[test]
fn prices_are_right() {
    let mut udf = Udf::new().unwrap();
    let mut known = [0.0];
    udf.map(&[(100.0, 100.0, 0.05, 0.2, 1.0)], &mut known)
        .unwrap();
    assert!(
        (known[0] - 10.450_583_572_185_565).abs() < 1e-12,
        "{known:?}"
    );
    let rows = rows("right", None);
    let mut prices = vec![0.0; ROWS];
    udf.map(&rows, &mut prices).unwrap();
    for (row, found) in rows.iter().zip(prices) {
        assert!((price(*row) - found).abs() < 1e-4, "{row:?}: {found}");
    }
}

#[test]
fn both_ways_agree_bit_for_bit() {
    let rows = rows("agree", None);
    let mut udf = Udf::new().unwrap();
    let (mut called, mut mapped) = (vec![0.0; ROWS], vec![1.0; ROWS]);
    udf.call(&rows, &mut called).unwrap();
    udf.map(&rows, &mut mapped).unwrap();
    assert_eq!(bits(&called), bits(&mapped));
    let found = udf.moments(&mapped).unwrap();
    assert_eq!(found, moments(&mapped));
    assert_eq!(found.0, ROWS as f64);
    assert_eq!(udf.moments(&[]).unwrap(), Moments::default());
}

/// What must be known of the row that fails.
fn check(error: &Error, bad: usize) {
    assert_eq!(error.index(), Some(bad));
    assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
    assert_eq!(error.export(), Some("price"));
    let message = error.to_string();
    assert!(
        message.ends_with(&format!("for element {bad}")),
        "{message}"
    );
}

#[test]
fn the_error_names_the_bad_row() {
    let good = rows("good", None);
    let mut udf = Udf::new().unwrap();
    let mut expected = vec![0.0; ROWS];
    udf.map(&good, &mut expected).unwrap();
    for bad in [0, 1, 4_321, ROWS - 1] {
        let rows = rows(&format!("bad-{bad}"), Some(bad));
        assert!(rows[bad].3 < 0.0);
        let mut prices = vec![-1.0; ROWS];
        let error = udf.map(&rows, &mut prices).unwrap_err();
        check(&error, bad);
        assert_eq!(bits(&prices[..bad]), bits(&expected[..bad]));
        assert!(prices[bad..].iter().all(|price| *price == -1.0));
        let called = udf.call(&rows, &mut prices).unwrap_err();
        assert_eq!((called.index(), called.trap()), (None, error.trap()));
    }
    // The instance goes on.
    let mut prices = vec![0.0; ROWS];
    udf.map(&good, &mut prices).unwrap();
    assert_eq!(bits(&prices), bits(&expected));
}

#[test]
fn tables_are_read_as_they_are() {
    let (one, other) = (rows("one", None), rows("other", Some(77)));
    for (row, (a, b)) in one.iter().zip(&other).enumerate() {
        assert_eq!(a == b, row != 77, "the seed is fixed");
    }
    let file = Temporary::new("wrong");
    let header = "spot,strike,rate,volatility,years\n";
    let good = "1,2,3,4,5\n";
    for (text, message) in [
        (String::new(), "line 1: expected `spot,"),
        (good.to_owned(), "line 1: expected `spot,"),
        (
            format!("{header}{good}1,2,3,4\n"),
            "line 3: expected 5 numbers, found 4",
        ),
        (format!("{header}1,2,x,4,5\n"), "line 2: `x` is no number"),
    ] {
        fs::write(&file.0, text).unwrap();
        let error = csv::read(&file.0).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
    fs::write(&file.0, format!("{header}{good}")).unwrap();
    assert_eq!(csv::read(&file.0).unwrap(), [(1.0, 2.0, 3.0, 4.0, 5.0)]);
    assert_eq!(csv::line(0), 2);
}
