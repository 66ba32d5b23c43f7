//! Figures beside those of the baseline.

use crate::baseline::{Baseline, Counts};
use crate::cases::Counted;
use comfy_table::{CellAlignment, LineStyle, Table, presets};
use std::fmt;

/// So many instructions more are never too many.
const TOLERATED: f64 = 1.0;

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
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Same,
    Better,
    Worse,
    New,
}

impl Comparison {
    /// Compares what was counted of `cases`, with programs of the compiler `rustc`.
    pub fn new(cases: &[Counted], baseline: &Baseline, counts: &Counts, rustc: &str) -> Comparison {
        let compare = |counted| rows(counted, baseline, counts);
        let compilers = [&baseline.rustc, rustc].map(str::to_owned);
        Comparison {
            rows: cases.iter().flat_map(compare).collect(),
            compilers: (compilers[0] != compilers[1]).then_some(compilers),
        }
    }

    pub fn passes(&self) -> bool {
        !self.any(Verdict::Worse) && !self.any(Verdict::New)
    }

    fn any(&self, verdict: Verdict) -> bool {
        !self.cases(verdict).is_empty()
    }

    fn cases(&self, verdict: Verdict) -> Vec<&str> {
        let rows = self.rows.iter().filter(|row| row.verdict == verdict);
        rows.map(|row| row.case).collect()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        let header = ["case", "subject", "baseline", "now", "change"];
        table
            .load_style(presets::ASCII_NO_BORDERS.row_separator(LineStyle::none()))
            .set_header(header.into_iter().chain(["hostcall adds", ""]))
            .add_rows(self.rows.iter().map(Row::cells));
        for column in table.column_iter_mut().skip(2).take(4) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

fn rows(counted: &Counted, baseline: &Baseline, counts: &Counts) -> Vec<Row> {
    let before = baseline.instructions.get(counted.case);
    let now = &counts[counted.case];
    let row = |subject: &&'static str| {
        let baseline = before.and_then(|before| before.get(*subject)).copied();
        // Only our own counts are judged.
        let ours = *subject == "hostcall";
        Row {
            case: counted.case,
            subject,
            baseline,
            now: now[*subject],
            hostcall_adds: (!ours).then(|| now["hostcall"] - now[*subject]),
            verdict: match baseline {
                _ if !ours => Verdict::Same,
                None => Verdict::New,
                Some(baseline) => judge(baseline, now[*subject], counted.tolerance),
            },
        }
    };
    counted.subjects.iter().map(row).collect()
}

fn judge(baseline: f64, now: f64, tolerance: f64) -> Verdict {
    let change = now - baseline;
    if change.abs() <= (baseline * tolerance).max(TOLERATED) {
        Verdict::Same
    } else if change > 0.0 {
        Verdict::Worse
    } else {
        Verdict::Better
    }
}

impl Row {
    fn cells(&self) -> [String; 7] {
        let shown = |figure: Option<String>| figure.unwrap_or_default();
        let change = |baseline| format!("{:+.1} %", (self.now / baseline - 1.0) * 100.0);
        [
            self.case.to_owned(),
            self.subject.to_owned(),
            shown(self.baseline.map(|baseline| format!("{baseline:.2}"))),
            format!("{:.2}", self.now),
            shown(self.baseline.map(change)),
            shown(self.hostcall_adds.map(|adds| format!("{adds:+.2}"))),
            self.verdict.to_string(),
        ]
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
        if self.rows.iter().all(|row| row.verdict == Verdict::Same) {
            return writeln!(f, "As in the baseline.");
        }
        for (verdict, message) in [
            (Verdict::Worse, "More instructions than in the baseline"),
            (Verdict::New, "Not in the baseline"),
            (Verdict::Better, "Fewer instructions than in the baseline"),
        ] {
            if self.any(verdict) {
                writeln!(f, "{message}: {}.", self.cases(verdict).join(", "))?;
            }
        }
        writeln!(
            f,
            "If that is right, commit what this writes:\n\n    {ACCEPT}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const CASE: &[Counted] = &[Counted {
        suite: "call",
        case: "call/scalar",
        subjects: &["hostcall", "wasmtime"],
        count: 1,
        per: 1,
        tolerance: 0.03,
    }];

    fn counts(hostcall: f64, wasmtime: f64) -> Counts {
        let subjects = [("hostcall", hostcall), ("wasmtime", wasmtime)];
        let subjects = subjects.map(|(subject, count)| (subject.to_owned(), count));
        BTreeMap::from([("call/scalar".to_owned(), BTreeMap::from(subjects))])
    }

    fn compared(instructions: Counts, now: Counts) -> Comparison {
        let rustc = "rustc 1".to_owned();
        let baseline = Baseline {
            rustc,
            instructions,
        };
        Comparison::new(CASE, &baseline, &now, "rustc 1")
    }

    #[test]
    fn a_share_is_tolerated() {
        assert_eq!(judge(100.0, 103.0, 0.03), Verdict::Same);
        assert_eq!(judge(100.0, 103.1, 0.03), Verdict::Worse);
        assert_eq!(judge(100.0, 96.9, 0.03), Verdict::Better);
    }

    #[test]
    fn an_instruction_is_tolerated_where_there_are_few() {
        assert_eq!(judge(4.0, 5.0, 0.03), Verdict::Same);
        assert_eq!(judge(4.0, 5.1, 0.03), Verdict::Worse);
    }

    #[test]
    fn more_instructions_fail_and_say_how_they_are_accepted() {
        let comparison = compared(counts(100.0, 90.0), counts(110.0, 90.0));
        assert!(!comparison.passes());
        let text = comparison.to_string();
        assert!(text.contains("+10.0 % |               | WORSE"), "{text}");
        assert!(
            text.contains("More instructions than in the baseline: call/scalar."),
            "{text}"
        );
        assert!(text.contains(ACCEPT), "{text}");
    }

    #[test]
    fn fewer_pass_and_are_told() {
        let comparison = compared(counts(100.0, 90.0), counts(80.0, 90.0));
        assert!(comparison.passes());
        assert!(
            comparison
                .to_string()
                .contains("Fewer instructions than in the baseline: call/scalar.")
        );
    }

    #[test]
    fn others_are_not_judged() {
        let comparison = compared(counts(100.0, 90.0), counts(100.0, 200.0));
        assert!(comparison.passes());
        assert!(comparison.to_string().ends_with("As in the baseline.\n"));
    }

    #[test]
    fn a_case_without_a_baseline_fails() {
        let comparison = compared(Counts::new(), counts(100.0, 90.0));
        assert!(!comparison.passes());
        assert!(
            comparison
                .to_string()
                .contains("Not in the baseline: call/scalar.")
        );
    }
}
