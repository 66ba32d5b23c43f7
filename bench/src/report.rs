//! What was measured, as tables and as JSON.

use crate::fit::Fit;
use crate::harness::{Case, Comparison, Point, Rounds, Unit};
use crate::machine::Machine;
use crate::peers::{self, Absent};
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle, presets};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
pub struct Report {
    pub(crate) machine: Machine,
    pub(crate) absent: Vec<Absent>,
    pub(crate) rows: Vec<Row>,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) fits: Vec<Fit>,
}

/// One subject of a case, in `unit`.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) p90: f64,
    pub(crate) rounds: usize,
    #[serde(skip)]
    pub(crate) verdict: &'static str,
}

/// The time of one subject divided by that of another.
#[derive(Serialize)]
pub(crate) struct Ratio {
    pub(crate) case: &'static str,
    pub(crate) of: &'static str,
    pub(crate) to: &'static str,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    #[serde(skip)]
    pub(crate) at_most: Option<f64>,
}

impl Ratio {
    /// Whether the target is reached, if there is one.
    pub(crate) fn verdict(&self) -> &'static str {
        match self.at_most {
            None => "",
            Some(at_most) if self.median <= at_most => "ok",
            Some(_) => "miss",
        }
    }
}

impl Report {
    pub fn new() -> Report {
        Report {
            machine: Machine::this(),
            absent: peers::absent(),
            rows: Vec::new(),
            ratios: Vec::new(),
            fits: Vec::new(),
        }
    }

    /// Adds a case and what was measured.
    pub fn add(&mut self, case: &Case, rounds: &Rounds) {
        let Unit {
            name,
            factor,
            verdict,
        } = case.unit;
        let subjects = case.subjects.iter().zip(rounds);
        let rows = subjects.map(|(subject, rounds)| {
            let values = sorted(rounds.iter().map(|value| value * factor));
            let median = quantile(&values, 0.5);
            Row {
                case: case.name,
                subject: subject.name,
                unit: name,
                median,
                min: values[0],
                p90: quantile(&values, 0.9),
                rounds: values.len(),
                verdict: verdict.map_or("", |verdict| verdict(median)),
            }
        });
        let rows: Vec<_> = rows.collect();
        if let Some(point) = case.growth {
            rows.iter().for_each(|row| self.grow(point, row));
        }
        self.rows.extend(rows);
        let comparisons = case.comparisons.iter();
        self.ratios
            .extend(comparisons.map(|comparison| ratio(case, *comparison, rounds)));
    }

    /// Adds a point to what the subject has of the series.
    fn grow(&mut self, point: Point, row: &Row) {
        let same = |fit: &Fit| (fit.series, fit.subject) == (point.series, row.subject);
        let at = self.fits.iter().position(same).unwrap_or_else(|| {
            let fit = Fit::new(point.series, row.subject, row.unit, point.against);
            self.fits.push(fit);
            self.fits.len() - 1
        });
        self.fits[at].add(point.x, row.median);
    }

    fn measured(&self) -> Table {
        let mut table = table(["case", "subject", "unit", "median", "min", "p90", ""]);
        table.add_rows(self.rows.iter().map(|row| {
            [
                row.case.to_owned(),
                row.subject.to_owned(),
                row.unit.to_owned(),
                format!("{:.2}", row.median),
                format!("{:.2}", row.min),
                format!("{:.2}", row.p90),
                row.verdict.to_owned(),
            ]
        }));
        align_right(&mut table, 3..6);
        table
    }

    fn compared(&self) -> Table {
        let mut table = table(["case", "ratio", "median", "min", "max", "target", ""]);
        table.add_rows(self.ratios.iter().map(|ratio| {
            [
                ratio.case.to_owned(),
                format!("{} / {}", ratio.of, ratio.to),
                format!("{:.3}", ratio.median),
                format!("{:.3}", ratio.min),
                format!("{:.3}", ratio.max),
                ratio
                    .at_most
                    .map_or(String::new(), |at_most| format!("<= {at_most:.2}")),
                ratio.verdict().to_owned(),
            ]
        }));
        align_right(&mut table, 2..5);
        table
    }

    fn grown(&self) -> Table {
        let mut table = table(["series", "subject", "cost", "worst point", ""]);
        table.add_rows(self.fits.iter().map(|fit| {
            [
                fit.series.to_owned(),
                fit.subject.to_owned(),
                fit.cost(),
                format!("{:.0}% off", fit.deviation * 100.0),
                fit.warning(),
            ]
        }));
        align_right(&mut table, 3..4);
        table
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        for Absent { subject, why } in &self.absent {
            writeln!(f, "absent: {subject}: {why}\n")?;
        }
        write!(f, "{}", self.measured().trim_fmt())?;
        if !self.ratios.is_empty() {
            write!(f, "\n\n{}", self.compared().trim_fmt())?;
        }
        if !self.fits.is_empty() {
            write!(f, "\n\n{}", self.grown().trim_fmt())?;
        }
        Ok(())
    }
}

/// A line under the header and none between rows.
const STYLE: TableStyle = presets::ASCII_NO_BORDERS.row_separator(LineStyle::none());

/// Taken round by round, so that it survives a machine whose speed drifts.
fn ratio(case: &Case, comparison: Comparison, rounds: &Rounds) -> Ratio {
    let Comparison { of, to, at_most } = comparison;
    let times = |name| {
        let at = case.subjects.iter().position(|s| s.name == name);
        &rounds[at.expect("comparisons name subjects of their case")]
    };
    let ratios = sorted(times(of).iter().zip(times(to)).map(|(of, to)| of / to));
    Ratio {
        case: case.name,
        of,
        to,
        median: quantile(&ratios, 0.5),
        min: ratios[0],
        max: ratios[ratios.len() - 1],
        at_most,
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The value that a share `q` of the sorted values do not exceed.
fn quantile(values: &[f64], q: f64) -> f64 {
    values[((values.len() - 1) as f64 * q).round() as usize]
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header);
    table
}

fn align_right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
