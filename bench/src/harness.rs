//! Subjects side by side, round by round.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use wasmtime::{Result, ensure};

/// One piece of work.
pub struct Case {
    pub name: &'static str,
    pub unit: Unit,
    pub subjects: Vec<Subject>,
    pub comparisons: Vec<Comparison>,
    /// Where it stands in a series of cases, if it does.
    pub growth: Option<Point>,
}

/// The same work at different sizes is a series; this is one of the sizes.
#[derive(Clone, Copy)]
pub struct Point {
    pub series: &'static str,
    /// What `x` counts.
    pub against: &'static str,
    pub x: f64,
    /// Rounds in a full run: large sizes take seconds.
    pub rounds: usize,
}

/// How what a round has measured is shown: the seconds that one operation took,
/// unless the subject measures something else.
#[derive(Clone, Copy)]
pub struct Unit {
    pub name: &'static str,
    pub factor: f64,
    /// What each median is judged as, if it is.
    pub verdict: Option<fn(f64) -> &'static str>,
}

impl Unit {
    pub const NS_PER_CALL: Unit = Unit::time("ns/call", 1e9);
    pub const US_PER_INSTANTIATE: Unit = Unit::time("us/instantiate", 1e6);
    pub const US_PER_PROGRAM: Unit = Unit::time("us/program", 1e6);
    pub const MS_PER_MODULE: Unit = Unit::time("ms/module", 1e3);

    const fn time(name: &'static str, per_second: f64) -> Unit {
        Unit {
            name,
            factor: per_second,
            verdict: None,
        }
    }
}

/// What a run has computed: the value that came back, and what is left in the
/// state. Runs of as many operations give the same, whoever does them.
pub type Outcome = [u64; 2];

/// One way to do the work of a case.
pub struct Subject {
    pub name: &'static str,
    round: Box<dyn FnMut(u64) -> Result<(f64, Outcome)>>,
}

impl Subject {
    /// `run` does as many operations as it is told, from a fresh state, and is timed.
    pub fn new(
        name: &'static str,
        mut run: impl FnMut(u64) -> Result<Outcome> + 'static,
    ) -> Subject {
        Subject::measuring(name, move |count| {
            let start = Instant::now();
            let outcome = run(count)?;
            Ok((start.elapsed().as_secs_f64() / count as f64, outcome))
        })
    }

    /// The same, but `round` says itself what it has measured.
    pub fn measuring(
        name: &'static str,
        round: impl FnMut(u64) -> Result<(f64, Outcome)> + 'static,
    ) -> Subject {
        Subject {
            name,
            round: Box::new(round),
        }
    }

    /// A round of so many operations, without what it measures.
    pub fn run(&mut self, count: u64) -> Result<Outcome> {
        let (_, outcome) = (self.round)(count)?;
        Ok(outcome)
    }
}

/// The time of `of` divided by that of `to`.
#[derive(Clone, Copy)]
pub struct Comparison {
    pub of: &'static str,
    pub to: &'static str,
    /// The median to reach, if one is aimed at.
    pub at_most: Option<f64>,
}

impl Comparison {
    /// Of `hostcall` to another subject.
    pub fn to(to: &'static str, at_most: impl Into<Option<f64>>) -> Comparison {
        Comparison {
            of: "hostcall",
            to,
            at_most: at_most.into(),
        }
    }
}

/// How long to measure.
pub struct Pace {
    rounds: usize,
    /// What a subject spends in a round, at least.
    round: Duration,
}

impl Pace {
    pub const FULL: Pace = Pace {
        rounds: 101,
        round: Duration::from_millis(10),
    };
    pub const QUICK: Pace = Pace {
        rounds: 11,
        round: Duration::from_millis(5),
    };

    /// How many rounds of `case` there are; none if it takes too long for this pace.
    pub fn rounds(&self, case: &Case) -> usize {
        match case.growth {
            Some(Point { rounds, .. }) => rounds * self.rounds / Pace::FULL.rounds,
            None => self.rounds,
        }
    }
}

/// What was measured: for every subject, for every round.
pub type Rounds = Vec<Vec<f64>>;

/// Operations after which results are compared, unless they take too long.
const COMPARED: u64 = 1000;

/// Measures a case; `tick` is called after every round.
///
/// # Errors
///
/// If a subject fails, or results differ.
pub fn measure(case: &mut Case, pace: &Pace, mut tick: impl FnMut()) -> Result<Rounds> {
    let total = pace.rounds(case);
    // It warms up, too: subjects may prepare themselves when they first run.
    check_equal(case, 1)?;
    let calibrated = case.subjects.iter_mut().map(|s| calibrate(s, pace.round));
    let counts = calibrated.collect::<Result<Vec<_>>>()?;
    let compared = counts.iter().fold(COMPARED, |least, n| least.min(*n));
    let mut rounds = vec![Vec::with_capacity(total); case.subjects.len()];
    let mut outcomes = vec![BTreeSet::new(); case.subjects.len()];
    for _ in 0..total {
        for (i, subject) in case.subjects.iter_mut().enumerate() {
            let (measured, outcome) = (subject.round)(counts[i])?;
            rounds[i].push(measured);
            outcomes[i].insert(outcome);
        }
        tick();
    }
    for (subject, outcomes) in case.subjects.iter().zip(outcomes) {
        ensure!(
            outcomes.len() == 1,
            "{}: `{}` does not repeat its result",
            case.name,
            subject.name
        );
    }
    check_equal(case, compared)?;
    Ok(rounds)
}

/// Finds how many operations fill a round.
fn calibrate(subject: &mut Subject, round: Duration) -> Result<u64> {
    let mut count = 1;
    loop {
        // The better of two, since one that something else has delayed fills no round.
        let took = elapsed(subject, count)?.min(elapsed(subject, count)?);
        if took >= round {
            return Ok(count);
        }
        // A tenth more than it should take, for rounds that run faster.
        let needed = count as f64 * 1.1 * round.as_secs_f64() / took.as_secs_f64().max(1e-9);
        count = (needed as u64).clamp(count + 1, count * 10);
    }
}

fn elapsed(subject: &mut Subject, count: u64) -> Result<Duration> {
    let start = Instant::now();
    (subject.round)(count)?;
    Ok(start.elapsed())
}

fn check_equal(case: &mut Case, count: u64) -> Result<()> {
    let mut first = None;
    for subject in &mut case.subjects {
        let outcome = subject.run(count)?;
        let (name, expected) = *first.get_or_insert((subject.name, outcome));
        ensure!(
            outcome == expected,
            "{}: after {count} operations `{}` has {outcome:?}, `{name}` {expected:?}",
            case.name,
            subject.name
        );
    }
    Ok(())
}
