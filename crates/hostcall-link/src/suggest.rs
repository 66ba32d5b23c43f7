//! Finds what a guest may have meant by an import that the host lacks.

use std::collections::HashSet;

use crate::{Available, ExternType, HostItem, Problem, ProblemKind, Surface};

/// Missing imports that get hints. A reader needs no more, and a guest may
/// have a million imports.
const WITH_HINTS: usize = 64;
/// Suggestions for one import.
const SUGGESTIONS: usize = 3;
/// Names of what else is available, for one import.
const AVAILABLE: usize = 8;
/// Longest name, in bytes, that is compared letter by letter.
const COMPARED: usize = 64;
/// How much a different module counts at most, in half letters of the name.
const MODULE_COST: usize = 3;

/// A missing import, still without hints.
pub(crate) fn missing(import: &ExternType) -> ProblemKind {
    ProblemKind::Missing {
        import: import.clone(),
        suggestions: Vec::new(),
        available: Available::Modules {
            names: Vec::new(),
            more: 0,
        },
    }
}

/// Adds hints to the first missing imports among `problems`.
pub(crate) fn complete(problems: &mut [Problem], surface: &Surface) {
    let missing = |problem: &&mut Problem| matches!(problem.kind, ProblemKind::Missing { .. });
    for problem in problems.iter_mut().filter(missing).take(WITH_HINTS) {
        let Problem {
            module, name, kind, ..
        } = problem;
        if let ProblemKind::Missing {
            import,
            suggestions,
            available,
        } = kind
        {
            *suggestions = suggest(module, name, import.kind(), surface);
            *available = self::available(module, surface);
        }
    }
}

/// What else the host offers in `module`, or which modules it has instead.
pub(crate) fn available(module: &str, surface: &Surface) -> Available {
    let items = || surface.items.iter();
    let names = items().filter(|item| item.module == module);
    let (names, more) = first_few(names.map(|item| item.name.as_str()));
    if !names.is_empty() {
        return Available::Names { names, more };
    }
    let (names, more) = first_few(items().map(|item| item.module.as_str()));
    Available::Modules { names, more }
}

/// The first distinct names, and how many more there are.
pub(crate) fn first_few<'a>(names: impl Iterator<Item = &'a str>) -> (Vec<String>, usize) {
    let mut seen = HashSet::new();
    let mut distinct = names.filter(|name| seen.insert(*name));
    let first = distinct.by_ref().take(AVAILABLE).map(str::to_owned);
    (first.collect(), distinct.count())
}

/// The items of the right kind whose names are nearest, nearest first.
pub(crate) fn suggest(
    module: &str,
    name: &str,
    kind: &str,
    surface: &Surface,
) -> Vec<(String, String)> {
    let same_kind = surface
        .items
        .iter()
        .filter(|item| item.provides.kind() == kind);
    let near = same_kind.filter_map(|item| Some((cost(module, name, item)?, item)));
    let mut near: Vec<(usize, &HostItem)> = near.collect();
    near.sort_by_key(|(cost, _)| *cost);
    let mut seen = HashSet::new();
    near.retain(|(_, item)| seen.insert((&item.module, &item.name)));
    let names = near.iter().take(SUGGESTIONS);
    names
        .map(|(_, item)| (item.module.clone(), item.name.clone()))
        .collect()
}

/// How far `item` is from the import, or `None` when it is too far to be meant.
fn cost(module: &str, name: &str, item: &HostItem) -> Option<usize> {
    let name = near(name, &item.name);
    let module = near(module, &item.module);
    match (module, name) {
        // The same name elsewhere is likely, whatever the module.
        (module, Some(0)) => Some(module.unwrap_or(MODULE_COST).min(MODULE_COST)),
        (Some(module), Some(name)) => Some(2 * name + module.min(MODULE_COST)),
        (_, None) | (None, _) => None,
    }
}

/// Letters that differ, not counting case and `-` for `_`; `None` when more
/// than a third do.
fn near(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return Some(0);
    }
    let longest = one.len().max(other.len());
    let too_far = one.len().abs_diff(other.len()) * 3 > longest;
    if longest > COMPARED || too_far {
        return None;
    }
    let distance = strsim::osa_distance(&folded(one), &folded(other));
    (distance * 3 <= longest).then_some(distance)
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}
