//! Does time tell a secret?

use super::dots::{Dot, Dots, Group};
use super::parts;
use crate::dudect;
use crate::report::{Report, Row};
use maud::{Markup, html};

pub fn section(report: &Report) -> Option<Markup> {
    let rows: Vec<&Row> = report.rows.iter().filter(|row| has(row)).collect();
    if rows.is_empty() {
        return None;
    }
    let reading = html! {
        "No times but |t|: whether comparing with a secret takes longer when more of it is right. Above the line at "
        (dudect::THRESHOLD) " it does. " code { "ct/early-exit" } " is there to leak."
    };
    let answer = html! {
        (parts::chart("Test statistics by comparison; the figures are in the table below.", &chart(&rows)))
        (parts::measured(rows.iter().copied()))
    };
    Some(parts::section("Does time tell a secret?", reading, answer))
}

pub fn has(row: &Row) -> bool {
    row.unit == dudect::UNIT.name
}

fn chart(rows: &[&Row]) -> Dots {
    let groups = rows.chunk_by(|a, b| a.case == b.case).map(|rows| Group {
        heading: rows[0].case.to_owned(),
        note: String::new(),
        rows: rows.iter().map(|row| dot(row)).collect(),
    });
    Dots {
        axis: "|t|".to_owned(),
        reference: Some(dudect::THRESHOLD),
        groups: groups.collect(),
        ..Dots::default()
    }
}

fn dot(row: &Row) -> Dot {
    let dot = parts::dot(row);
    let value = format!("{} {}", dot.value, row.verdict);
    Dot { value, ..dot }
}
