//! Why the checker refuses linked modules that something has changed.

use hostcall_link::{LinkOptions, Linked, check};

/// Changes what linking made, in its text form, where `from` occurs once. Gives
/// why the checker refuses each, line by line.
pub fn refusals(
    guest: &[u8],
    options: &LinkOptions<'_>,
    linked: &Linked,
    changes: &[(&str, &str)],
) -> String {
    let text = wasmprinter::print_bytes(&linked.bytes).expect("a valid module");
    let text = one_line(&text);
    let mut messages = String::new();
    for (from, to) in changes {
        let (from, to) = (one_line(from), one_line(to));
        let found = text.matches(&from).count();
        assert_eq!(found, 1, "`{from}` in {text}");
        let changed = wat::parse_str(text.replace(&from, &to)).expect("valid text");
        let changed = Linked {
            bytes: changed,
            ..linked.clone()
        };
        messages += &refusal(guest, options, &changed);
    }
    messages
}

/// Why the checker refuses a linked module, in a line.
pub fn refusal(guest: &[u8], options: &LinkOptions<'_>, linked: &Linked) -> String {
    let error = check(guest, options, linked).expect_err("a module that is refused");
    let (place, expected, found) = (error.place(), error.expected(), error.found());
    format!("{place}: {expected} | {found}\n")
}

fn one_line(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split(";;").next().unwrap_or_default());
    let words = lines.flat_map(str::split_whitespace);
    let words: Vec<&str> = words.filter(|word| !word.starts_with("(;@")).collect();
    words.join(" ")
}
