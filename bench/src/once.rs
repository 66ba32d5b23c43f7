//! One subject alone, for a profiler to look at.

use crate::harness::{Outcome, Subject};
use crate::suites::Suite;
use std::hint::black_box;
use wasmtime::{Engine, Result, bail, format_err};

/// Operations before the ones to look at: what is done only once has been done then.
const WARM_UP: u64 = 2;

/// Runs a subject of a case: `what` is both names, and how often.
///
/// # Errors
///
/// If `suites` do not have it, or it fails.
pub fn run(engine: &Engine, suites: &[&Suite], what: &[String]) -> Result<()> {
    let [case, subject, count] = what else {
        bail!("what to run is a case, a subject, and how often");
    };
    let mut subject = find(engine, suites, case, subject)?;
    subject.run(WARM_UP)?;
    watched(&mut subject, count.parse()?).map(drop)
}

fn find(engine: &Engine, suites: &[&Suite], case: &str, subject: &str) -> Result<Subject> {
    for suite in suites {
        let found = (suite.cases)(engine)?.into_iter().find(|c| c.name == case);
        let subjects = found.into_iter().flat_map(|case| case.subjects);
        if let Some(found) = { subjects }.find(|s| s.name == subject) {
            return Ok(found);
        }
    }
    Err(format_err!(
        "no `{subject}` of a case `{case}` is in these suites"
    ))
}

/// Profilers know this function by its name: set-up is outside.
#[inline(never)]
fn watched(subject: &mut Subject, count: u64) -> Result<Outcome> {
    // Looked at after the call, so that the call is no jump out of here.
    black_box(subject.run(black_box(count)))
}
