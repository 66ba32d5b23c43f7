//! What does a crossing cost, by kind?

use super::dots::{Dots, Group, WIDE};
use super::{ink, parts};
use crate::report::{Report, Row};
use maud::{Markup, html};
use std::io;
use std::path::Path;

const QUESTION: &str = "What does a crossing cost, by kind?";

/// As short as it is below the chart where that is without a page.
const READING: &str =
    "Dots: median. Bars: from the fastest round to what 90% do not exceed. Logarithmic.";

/// Kind, work, case.
const KINDS: [(&str, &str, &str); 8] = [
    ("Inlined", "adds two numbers", "inline/add"),
    (
        "Deferred",
        "a sample, handed over in batches",
        "deferred/sample",
    ),
    ("Mapped", "an export, for 65,536 pairs", "map/add"),
    ("Called", "adds two numbers, has state", "call/scalar"),
    (
        "Called, string",
        "17 bytes, checked to be UTF-8",
        "call/string",
    ),
    ("Export", "the host calls the guest", "export/typed"),
    ("Async, ready", "has nothing to wait for", "async/ready"),
    ("Async, waits", "the guest is suspended once", "async/wait"),
];

/// What one writes by hand on Wasmtime, as the cases have it.
const BY_HAND: [&str; 3] = ["wasmtime", "wasmtime-cached", "wasmtime-get-export"];

pub fn section(report: &Report) -> Option<Markup> {
    let chart = chart(report)?;
    let reading = html! {
        "Time per call. " b { "hostcall" } " stands above what one writes by hand on Wasmtime for the same work: "
        code { "wasmtime" } " where no memory is needed, " code { "wasmtime-cached" } " with the guest's memory found once, "
        code { "wasmtime-get-export" } " with the memory looked up in every call."
    };
    let rows = KINDS.iter().flat_map(|(.., case)| rows(report, case));
    let answer = html! {
        (parts::chart("Time per call by kind of crossing; the figures are in the table below.", &chart))
        (parts::measured(rows))
    };
    Some(parts::section(QUESTION, reading, answer))
}

/// Writes the chart as files, for light and for dark ground.
pub fn write_charts(report: &Report, folder: &Path) -> io::Result<()> {
    let Some(mut chart) = chart(report) else {
        return Err(io::Error::other("no suite that a chart is made of was run"));
    };
    chart.title = QUESTION.to_owned();
    let machine = report.machine.to_string();
    chart.footer = vec![READING.to_owned()];
    chart.footer.extend(machine.split("; ").map(str::to_owned));
    let light = chart.draw(WIDE);
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("crossing-dark.svg"), ink::dark(&light))?;
    std::fs::write(folder.join("crossing-light.svg"), light)
}

/// Nothing if no such case was run.
fn chart(report: &Report) -> Option<Dots> {
    let groups = KINDS.iter().map(|(kind, work, case)| Group {
        heading: (*kind).to_owned(),
        note: (*work).to_owned(),
        rows: rows(report, case).map(parts::dot).collect(),
    });
    let groups: Vec<_> = groups.filter(|group| !group.rows.is_empty()).collect();
    (!groups.is_empty()).then(|| Dots {
        axis: "ns per call".to_owned(),
        groups,
        ..Dots::default()
    })
}

fn rows<'a>(report: &'a Report, case: &str) -> impl Iterator<Item = &'a Row> {
    let shown = |row: &&Row| row.subject == "hostcall" || BY_HAND.contains(&row.subject);
    report
        .rows
        .iter()
        .filter(move |row| row.case == case)
        .filter(shown)
}
