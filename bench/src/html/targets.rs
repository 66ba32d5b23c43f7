//! Are the targets met?

use super::dots::{Dot, Dots, Group};
use super::ink::{HOSTCALL, MISSED};
use super::{number, parts};
use crate::report::{Ratio, Report};
use maud::{Markup, html};

pub fn section(report: &Report) -> Option<Markup> {
    if report.ratios.is_empty() {
        return None;
    }
    let reading = html! {
        "The time of one subject divided by that of another in the same round: left of the line at 1, the first is faster. "
        "The bar reaches from the least to the greatest of all rounds, the tick is the target that the median should not exceed. "
        "Ratios hold on a machine that is busy or whose clock drifts; times do not."
    };
    let answer = html! {
        @if let Some(chart) = chart(report) {
            (parts::chart("Ratios and their targets; the figures are in the table below.", &chart))
        }
        (table(report))
    };
    Some(parts::section("Are the targets met?", reading, answer))
}

/// Ratios without a target are in the table only.
fn chart(report: &Report) -> Option<Dots> {
    let aimed: Vec<&Ratio> = report
        .ratios
        .iter()
        .filter(|r| r.at_most.is_some())
        .collect();
    let groups = aimed.chunk_by(|a, b| a.case == b.case).map(|ratios| Group {
        heading: ratios[0].case.to_owned(),
        note: String::new(),
        rows: ratios.iter().map(|ratio| dot(ratio)).collect(),
    });
    let groups: Vec<_> = groups.collect();
    (!groups.is_empty()).then(|| Dots {
        axis: "time of hostcall / time of".to_owned(),
        reference: Some(1.0),
        groups,
        ..Dots::default()
    })
}

fn dot(ratio: &Ratio) -> Dot {
    let verdict = ratio.verdict();
    Dot {
        label: ratio.to.to_owned(),
        ink: if verdict == "miss" { MISSED } else { HOSTCALL },
        least: ratio.min,
        median: ratio.median,
        most: ratio.max,
        value: format!("{} {verdict}", number::short(ratio.median)),
        target: ratio.at_most,
    }
}

fn table(report: &Report) -> Markup {
    let rows = report.ratios.iter().map(|ratio| {
        [
            ratio.case.to_owned(),
            format!("{} / {}", ratio.of, ratio.to),
            number::short(ratio.median),
            number::short(ratio.min),
            number::short(ratio.max),
            ratio
                .at_most
                .map_or(String::new(), |most| format!("≤ {most:.2}")),
            ratio.verdict().to_owned(),
        ]
    });
    parts::figures(
        "The figures",
        ["case", "ratio", "median", "min", "max", "target", ""],
        2..6,
        rows,
    )
}
