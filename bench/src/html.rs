//! The report as a page of its own: a chart for every question, without scripts and
//! without anything from elsewhere.

mod axis;
mod canvas;
mod crossing;
mod dots;
mod growth;
mod ink;
mod lines;
mod number;
mod parts;
mod peers;
#[cfg(test)]
mod sample;
mod secrets;
mod targets;
#[cfg(test)]
mod tests;

pub use crossing::write_charts;

use crate::report::Report;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page; `command` is what it is made by.
pub fn page(report: &Report, command: &str) -> String {
    let sections = [
        crossing::section(report),
        peers::section(report),
        growth::section(report),
        targets::section(report),
        secrets::section(report),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (TITLE) }
                style { (PreEscaped(ink::variables())) (PreEscaped(STYLE)) }
            }
            body {
                (header(report, command))
                main { @for section in sections.iter().flatten() { (section) } }
            }
        }
    };
    page.into_string()
}

const TITLE: &str = "What host functions cost: hostcall side by side";
const STYLE: &str = include_str!("html/style.css");

fn header(report: &Report, command: &str) -> Markup {
    html! {
        header {
            h1 { (TITLE) }
            p {
                "hostcall next to what does the same without it. All subjects of a case take turns, round by round, "
                "and compute the same result. A dot is the median of the rounds; the bar behind it reaches from the "
                "fastest round to the one that 90% do not exceed. Scales are logarithmic: equal steps are equal ratios."
            }
            p class="muted" { (report.machine) }
            p class="muted" { "Made by " code { (command) } }
        }
    }
}
