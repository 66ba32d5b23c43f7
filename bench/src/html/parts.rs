//! What all sections are made of.

use super::dots::{Dot, Dots, NARROW, WIDE};
use super::{ink, number};
use crate::report::Row;
use maud::{Markup, PreEscaped, html};

/// A question, how to read the answer, and the answer.
pub fn section(question: &str, reading: Markup, answer: Markup) -> Markup {
    html! {
        section {
            h2 { (question) }
            p { (reading) }
            (answer)
        }
    }
}

/// A drawing that is said in words by `label`.
pub fn image(label: &str, class: &str, drawing: &str) -> Markup {
    html! {
        div role="img" aria-label=(label) class=(class) { (PreEscaped(ink::themed(drawing))) }
    }
}

/// A chart over the whole width, which is drawn anew for phones.
pub fn chart(label: &str, dots: &Dots) -> Markup {
    html! {
        figure {
            (image(label, "wide", &dots.draw(WIDE)))
            (image(label, "narrow", &dots.draw(NARROW)))
        }
    }
}

/// A row as it is measured.
pub fn dot(row: &Row) -> Dot {
    Dot {
        label: row.subject.to_owned(),
        ink: ink::subject(row.subject),
        least: row.min,
        median: row.median,
        most: row.p90,
        value: number::measure(row.median, row.unit),
        target: None,
    }
}

/// The figures of a chart, folded away. `numbers` says which columns have them.
pub fn figures<const N: usize>(
    summary: &str,
    header: [&str; N],
    numbers: std::ops::Range<usize>,
    rows: impl Iterator<Item = [String; N]>,
) -> Markup {
    let class = |column| numbers.contains(&column).then_some("number");
    html! {
        details {
            summary { (summary) }
            div class="scroll" tabindex="0" {
                table {
                    thead {
                        tr {
                            @for (i, name) in header.iter().enumerate() {
                                th scope="col" class=[class(i)] { (name) }
                            }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                @for (i, cell) in row.iter().enumerate() {
                                    td class=[if cell == "miss" { Some("miss") } else { class(i) }] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The figures of rows.
pub fn measured<'a>(rows: impl Iterator<Item = &'a Row>) -> Markup {
    let rows = rows.map(|row| {
        [
            row.case.to_owned(),
            row.subject.to_owned(),
            number::short(row.median),
            number::short(row.min),
            number::short(row.p90),
            row.unit.to_owned(),
            row.verdict.to_owned(),
        ]
    });
    figures(
        "The figures",
        ["case", "subject", "median", "min", "p90", "unit", ""],
        2..5,
        rows,
    )
}

/// What a case or a series does, if it is to be said.
pub fn work(case: &str) -> &'static str {
    match case {
        "call/scalar" => "adds two numbers, has state",
        "call/string" => "17 bytes, checked to be UTF-8",
        "call/string-linker" => "the same in a plain Wasmtime linker",
        "call/struct-flat" => "two numbers, passed as two",
        "call/struct-pointer" => "two numbers, passed by pointer",
        "call/slice-mut" => "doubles 1,024 numbers in place",
        "export/typed" => "the host calls the guest",
        "export/dynamic" => "the same, types known at run time",
        "inline/add" => "adds two numbers",
        "inline/clamp" => "keeps a number between two others",
        "inline/mix64" => "scrambles 64 bits",
        "inline/memcpy" => "copies 32 bytes of guest memory",
        "inline/state" => "counts, for the host to read",
        "deferred/sample" => "a channel and a number, in order",
        "deferred/string" => "17 bytes to a log, in order",
        "map/add" => "an export, for 65,536 pairs",
        "async/ready" => "has nothing to wait for",
        "async/wait" => "suspends the guest once",
        "link/bytes" => "linking 1.4 MB, and compiling it",
        "instantiate" => "one more instance",
        "portable/add" | "portable/clamp" | "portable/mix64" => "linked modules in other engines",
        "growth/parameters" => "a call with more numbers",
        "growth/string" => "a call with a longer string",
        "growth/list" => "a call with a longer list",
        "growth/imports" => "host and guest are brought together",
        "growth/imports-instantiate" => "an instance with more imports",
        "growth/imports-call" => "a call beside more imports",
        "growth/instances-call" => "a call to each of so many in turn",
        "growth/instances" => "one more, beside so many",
        "growth/module" => "linking and compiling larger modules",
        _ => "",
    }
}
