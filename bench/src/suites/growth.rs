//! How cost grows: with arguments, imports, instances and modules.

mod arguments;
mod imports;
mod instances;
mod module;

use super::Suite;
use crate::harness::{Case, Comparison, Point, Subject, Unit};
use wasmtime::{Engine, Result};

pub const SUITE: Suite = Suite {
    name: "growth",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok([
        arguments::cases(engine)?,
        imports::cases(engine)?,
        instances::cases()?,
        module::cases(engine)?,
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// One size of a series.
#[derive(Clone, Copy)]
struct Size {
    case: &'static str,
    n: usize,
    point: Point,
}

/// Rounds of a size that does not take long.
const ROUNDS: usize = 101;

/// The sizes of a series, and what they count: `sizes!("growth/x", "bytes": 16, 256)`.
macro_rules! sizes {
    ($series:literal, $against:literal: $($n:literal),+) => {
        [$($crate::suites::growth::Size {
            case: concat!($series, "/", $n),
            n: $n,
            point: $crate::harness::Point {
                series: $series,
                against: $against,
                x: $n as f64,
                rounds: $crate::suites::growth::ROUNDS,
            },
        }),+]
    };
}
use sizes;

/// What `subjects` make of each size.
fn series<const N: usize>(
    sizes: [Size; N],
    unit: Unit,
    subjects: impl Fn(usize) -> Result<Vec<Subject>>,
) -> Result<Vec<Case>> {
    let cases = sizes.into_iter().map(|size| {
        let subjects = subjects(size.n)?;
        Ok(Case {
            name: size.case,
            unit,
            comparisons: vec![Comparison::to(subjects[1].name, None)],
            subjects,
            growth: Some(size.point),
        })
    });
    cases.collect()
}
