//! Figures beside those of the baseline.

use crate::baseline::{Baseline, Counts};
use crate::cases;
use comfy_table::{CellAlignment, LineStyle, Table, presets};
use std::fmt;

/// What two counts may differ by: a share of the first, or so many instructions if
/// that is more.
const TOLERANCE: (f64, f64) = (0.03, 1.0);

const ACCEPT: &str = "cargo run --manifest-path bench/instructions/Cargo.toml -- --accept";

pub struct Comparison {
    rows: Vec<Row>,
    /// The compilers of the baseline and of what was counted, if these differ.
    compilers: Option<[String; 2]>,
}

struct Row {
    case: &'static str,
    subject: &'static str,
    baseline: Option<f64>,
    now: f64,
    /// How much more `hostcall` takes, if this is another subject.
    hostcall_adds: Option<f64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Same,
    Better,
    Worse,
    New,
}

impl Comparison {
    pub fn new(baseline: &Baseline, counts: &Counts, rustc: &str) -> Comparison {
        let subjects = cases::ALL.iter().flat_map(|counted| {
            counted
                .subjects
                .iter()
                .map(|subject| (counted.case, *subject))
        });
        let rows = subjects.map(|(case, subject)| {
            let before = baseline.instructions.get(case);
            let now = &counts[case];
            Row {
                case,
                subject,
                baseline: before.and_then(|before| before.get(subject)).copied(),
                now: now[subject],
                hostcall_adds: (subject != "hostcall").then(|| now["hostcall"] - now[subject]),
            }
        });
        Comparison {
            rows: rows.collect(),
            compilers: (baseline.rustc != rustc)
                .then(|| [baseline.rustc.clone(), rustc.to_owned()]),
        }
    }

    pub fn passes(&self) -> bool {
        !self.any(Verdict::Worse) && !self.any(Verdict::New)
    }

    fn any(&self, verdict: Verdict) -> bool {
        self.rows.iter().any(|row| row.verdict() == verdict)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_style(presets::ASCII_NO_BORDERS.row_separator(LineStyle::none()))
            .set_header([
                "case",
                "subject",
                "baseline",
                "now",
                "change",
                "hostcall adds",
                "",
            ])
            .add_rows(self.rows.iter().map(Row::cells));
        for column in table.column_iter_mut().skip(2).take(4) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

impl Row {
    /// Only our own counts are judged.
    fn verdict(&self) -> Verdict {
        match self.baseline {
            _ if self.subject != "hostcall" => Verdict::Same,
            None => Verdict::New,
            Some(baseline) => judge(baseline, self.now),
        }
    }

    fn cells(&self) -> [String; 7] {
        let change = |baseline| format!("{:+.1} %", (self.now / baseline - 1.0) * 100.0);
        [
            self.case.to_owned(),
            self.subject.to_owned(),
            self.baseline.map_or(String::new(), |n| format!("{n:.2}")),
            format!("{:.2}", self.now),
            self.baseline.map_or(String::new(), change),
            { self.hostcall_adds }.map_or(String::new(), |n| format!("{n:+.2}")),
            self.verdict().to_string(),
        ]
    }
}

fn judge(baseline: f64, now: f64) -> Verdict {
    let (share, instructions) = TOLERANCE;
    let change = now - baseline;
    if change.abs() <= (baseline * share).max(instructions) {
        Verdict::Same
    } else if change > 0.0 {
        Verdict::Worse
    } else {
        Verdict::Better
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Same => "",
            Verdict::Better => "better",
            Verdict::Worse => "WORSE",
            Verdict::New => "NEW",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.table().trim_fmt())?;
        if let Some([before, now]) = &self.compilers {
            writeln!(f, "The baseline is of {before}; this is {now}.")?;
        }
        if self.any(Verdict::Worse) {
            writeln!(f, "More instructions than in the baseline.")?;
        }
        if self.any(Verdict::New) {
            writeln!(f, "The baseline lacks cases.")?;
        }
        if self.any(Verdict::Better) {
            writeln!(
                f,
                "Fewer instructions than in the baseline: time for a new one."
            )?;
        }
        if self.passes() && !self.any(Verdict::Better) {
            return writeln!(f, "As in the baseline.");
        }
        writeln!(
            f,
            "If that is meant, commit what this writes:\n\n    {ACCEPT}"
        )
    }
}
