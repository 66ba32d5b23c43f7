//! Sorts out custom sections: which are still right in a linked module.

use crate::quote::Quoted;

/// What becomes of a custom section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Custom {
    /// It says nothing about code, or nothing that rewriting changes.
    Keep,
    /// The name section, which is rewritten.
    Names,
    /// It holds offsets or indices into the code as it was.
    Drop(Loss),
}

/// Why a section is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It describes where code was: debug information.
    Debug,
    /// It is for tools that link object files.
    Linking,
    /// It gives hints about operators by offset.
    Hints,
}

pub(super) fn sort(name: &str) -> Custom {
    match name {
        "name" => Custom::Names,
        "sourceMappingURL" | "external_debug_info" | "build_id" => Custom::Drop(Loss::Debug),
        "linking" => Custom::Drop(Loss::Linking),
        _ if name.starts_with(".debug_") => Custom::Drop(Loss::Debug),
        _ if name.starts_with("reloc.") => Custom::Drop(Loss::Linking),
        _ if name.starts_with("metadata.code.") => Custom::Drop(Loss::Hints),
        _ => Custom::Keep,
    }
}

/// What was lost, for one warning.
#[derive(Default)]
pub(super) struct Losses {
    debug: Vec<String>,
    linking: Vec<String>,
    hints: Vec<String>,
    /// Whether names were lost.
    pub(super) names: bool,
    /// Whether names of blocks were lost.
    pub(super) labels: bool,
}

/// Names of sections that a warning lists.
const SHOWN: usize = 8;

impl Losses {
    pub(super) fn add(&mut self, loss: Loss, name: &str) {
        let names = match loss {
            Loss::Debug => &mut self.debug,
            Loss::Linking => &mut self.linking,
            Loss::Hints => &mut self.hints,
        };
        names.push(name.to_owned());
    }

    /// One sentence about everything that was dropped.
    pub(super) fn warning(&self) -> Option<String> {
        let reasons = [
            (&self.debug, "describes code at its old offsets"),
            (&self.linking, "is for linking object files"),
            (&self.hints, "names operators by their old offsets"),
        ];
        let reasons = reasons.into_iter().filter(|(names, _)| !names.is_empty());
        let mut parts: Vec<String> = reasons
            .map(|(names, why)| format!("{} ({why})", listed(names)))
            .collect();
        if self.names {
            parts.push("names in a form that cannot be read".to_owned());
        }
        if self.labels {
            parts.push("names of blocks in functions that gained blocks".to_owned());
        }
        let dropped = parts.join(", ");
        (!parts.is_empty()).then(|| format!("dropped from the linked module: {dropped}"))
    }
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN);
    let quoted = shown.map(|name| format!("`{}`", printable(name)));
    let mut text = quoted.collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// Dots are usual in these names and mislead nobody.
fn printable(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.len() <= 80 && name.chars().all(plain) {
        name.to_owned()
    } else {
        Quoted(name).to_string()
    }
}
