//! What do others take for the same work?

use super::dots::{Dots, Group, NARROW};
use super::{growth, number, parts, secrets};
use crate::report::{Report, Row};
use maud::{Markup, html};

pub fn section(report: &Report) -> Option<Markup> {
    let rows: Vec<&Row> = report.rows.iter().filter(|row| is_shown(row)).collect();
    if rows.is_empty() {
        return None;
    }
    let reading = html! {
        "One chart for each case, the fastest first; each has a scale of its own. "
        "What the subjects are is in " code { "bench/README.md" } "."
    };
    let answer = html! {
        (absent(report))
        div class="charts" {
            @for case in rows.chunk_by(|a, b| a.case == b.case) { (chart(case)) }
        }
        (parts::measured(rows.iter().copied()))
    };
    Some(parts::section(
        "What do others take for the same work?",
        reading,
        answer,
    ))
}

/// Other questions have charts of the rest.
fn is_shown(row: &Row) -> bool {
    !growth::has(row) && !secrets::has(row)
}

/// Of what is not there no figure is shown, and no guess.
fn absent(report: &Report) -> Markup {
    html! {
        @if cfg!(not(feature = "peers")) {
            p class="muted" { "Other engines were not asked for: they need " code { "--features peers" } "." }
        }
        @for absent in &report.absent {
            p { b { (absent.subject) } " is absent: " (absent.why) }
        }
    }
}

fn chart(rows: &[&Row]) -> Markup {
    let (case, unit) = (rows[0].case, rows[0].unit);
    let mut dots: Vec<_> = rows.iter().map(|row| parts::dot(row)).collect();
    dots.sort_by(|a, b| a.median.total_cmp(&b.median));
    let group = Group {
        rows: dots,
        ..Group::default()
    };
    let chart = Dots {
        axis: number::per(unit),
        groups: vec![group],
        ..Dots::default()
    };
    html! {
        figure {
            figcaption { b { (case) } span { (parts::work(case)) } }
            (parts::image(&format!("{case} by subject; the figures are in the table below."), "narrow", &chart.draw(NARROW)))
        }
    }
}
