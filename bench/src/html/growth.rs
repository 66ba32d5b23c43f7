//! How does cost grow?

use super::lines::{Line, Lines};
use super::{ink, number, parts};
use crate::fit::Fit;
use crate::report::{Report, Row};
use maud::{Markup, html};

pub fn section(report: &Report) -> Option<Markup> {
    if report.fits.is_empty() {
        return None;
    }
    let reading = html! {
        "Both scales are logarithmic: a line that climbs one factor of ten while it goes one to the right is cost in "
        "proportion to size, a level one is cost that does not depend on it. Below each chart is what fits best."
    };
    let answer = html! {
        div class="charts" {
            @for series in report.fits.chunk_by(|a, b| a.series == b.series) { (chart(series)) }
        }
        (fitted(&report.fits))
        (parts::measured(report.rows.iter().filter(|row| has(row))))
    };
    Some(parts::section("How does cost grow?", reading, answer))
}

/// Whether a row belongs to a series.
pub fn has(row: &Row) -> bool {
    row.case.starts_with("growth/")
}

fn chart(fits: &[Fit]) -> Markup {
    let first = &fits[0];
    let lines = fits.iter().map(|fit| Line {
        ink: ink::subject(fit.subject),
        points: fit.points.clone(),
    });
    let lines = Lines {
        x: first.against.to_owned(),
        y: number::per(first.unit),
        lines: lines.collect(),
    };
    let label = format!(
        "{} by {}; what fits is said below.",
        first.series, first.against
    );
    html! {
        figure {
            figcaption { b { (first.series) } span { (parts::work(first.series)) } }
            (parts::image(&label, "narrow", &lines.draw()))
            ul class="key" {
                @for fit in fits { li { (key(fit)) } }
            }
        }
    }
}

fn key(fit: &Fit) -> Markup {
    let color = ink::subject(fit.subject).variable();
    html! {
        span class="swatch" style=(format!("background: {color}")) {}
        b { (fit.subject) } ": " (fit.cost())
        @if !fit.warning().is_empty() { " (" (fit.warning()) ")" }
    }
}

fn fitted(fits: &[Fit]) -> Markup {
    let rows = fits.iter().map(|fit| {
        [
            fit.series.to_owned(),
            fit.subject.to_owned(),
            fit.cost(),
            format!("{:.0}%", fit.deviation * 100.0),
            format!("{:.2}", fit.exponent),
        ]
    });
    parts::figures(
        "The fits",
        ["series", "subject", "cost", "worst point off", "exponent"],
        3..5,
        rows,
    )
}
