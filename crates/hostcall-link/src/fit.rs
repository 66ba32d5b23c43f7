//! Decides whether something that a host offers satisfies an import.

use crate::{ExternType, FuncType, MemoryType, ProblemKind, Provides, TableType};

/// Everything offered under one name, with its index in the surface.
pub(crate) type Offers<'a> = Vec<(usize, &'a Provides)>;

/// The first offer that satisfies `import`: its index in the surface, and
/// which of its core types fits.
pub(crate) fn find(
    import: &ExternType,
    offers: &Offers<'_>,
) -> Result<(usize, usize), ProblemKind> {
    let fitting = |(index, offer): &(usize, &Provides)| Some((*index, form(import, offer)?));
    let found = offers.iter().find_map(fitting);
    found.ok_or_else(|| problem(import, offers))
}

/// Which form of `offer` satisfies `import`, if any does.
fn form(import: &ExternType, offer: &Provides) -> Option<usize> {
    match (import, offer) {
        (ExternType::Func(import), Provides::Func { forms, .. }) => {
            forms.iter().position(|form| form == import)
        }
        _ => difference(import, &extern_type(offer)?)
            .is_none()
            .then_some(0),
    }
}

/// What is wrong when none of `offers`, all of one name, satisfies `import`.
fn problem(import: &ExternType, offers: &Offers<'_>) -> ProblemKind {
    let same_kind = |(_, offer): &&(usize, &Provides)| offer.kind() == import.kind();
    let Some((_, offer)) = offers.iter().find(same_kind) else {
        return ProblemKind::Kind {
            import: import.clone(),
            offer: kinds(offers),
        };
    };
    match (import, extern_type(offer)) {
        (ExternType::Func(import), _) => ProblemKind::Signature {
            import: import.clone(),
            offers: signatures(offers),
        },
        (_, Some(offer)) => ProblemKind::Mismatch {
            import: import.clone(),
            offer,
        },
        (_, None) => unreachable!("only functions have no single type"),
    }
}

fn kinds(offers: &Offers<'_>) -> String {
    let first = offers.first().map(|(_, offer)| offer.kind());
    first.unwrap_or_default().to_owned()
}

fn signatures(offers: &Offers<'_>) -> Vec<(String, Vec<FuncType>)> {
    let functions = offers.iter().filter_map(|(_, offer)| match offer {
        Provides::Func {
            signature, forms, ..
        } => Some((signature.clone(), forms.clone())),
        _ => None,
    });
    functions.collect()
}

/// The type of an offer that has just one: anything but a function.
fn extern_type(offer: &Provides) -> Option<ExternType> {
    match offer {
        Provides::Func { .. } => None,
        Provides::Memory(ty) => Some(ExternType::Memory(ty.clone())),
        Provides::Global(ty) => Some(ExternType::Global(ty.clone())),
        Provides::Table(ty) => Some(ExternType::Table(ty.clone())),
    }
}

/// Why `offer` does not satisfy `import`, in words; `None` when it does.
pub(crate) fn difference(import: &ExternType, offer: &ExternType) -> Option<String> {
    match (import, offer) {
        (ExternType::Memory(import), ExternType::Memory(offer)) => memory(import, offer),
        (ExternType::Table(import), ExternType::Table(offer)) => table(import, offer),
        (ExternType::Global(import), ExternType::Global(offer)) if import == offer => None,
        (ExternType::Global(_), ExternType::Global(_)) => {
            Some("a global must have exactly the type that is imported".into())
        }
        _ => Some(format!("a {} is no {}", offer.kind(), import.kind())),
    }
}

fn memory(import: &MemoryType, offer: &MemoryType) -> Option<String> {
    if import.memory64 != offer.memory64 {
        return Some(width("addresses", import.memory64, offer.memory64));
    }
    if import.shared != offer.shared {
        let words = |shared| if shared { "a shared" } else { "an unshared" };
        let (wants, has) = (words(import.shared), words(offer.shared));
        return Some(format!(
            "the guest needs {wants} memory, the host has {has} one"
        ));
    }
    if import.page_size_log2 != offer.page_size_log2 {
        let (wants, has) = (import.page_size_log2, offer.page_size_log2);
        return Some(format!(
            "the guest needs pages of 2^{wants} bytes, the host has 2^{has}"
        ));
    }
    let wants = (import.minimum, import.maximum);
    limits("pages", wants, (offer.minimum, offer.maximum))
}

fn table(import: &TableType, offer: &TableType) -> Option<String> {
    if import.table64 != offer.table64 {
        return Some(width("indices", import.table64, offer.table64));
    }
    if import.element != offer.element {
        let (wants, has) = (&import.element, &offer.element);
        return Some(format!(
            "the guest needs elements of type {wants}, the host has {has}"
        ));
    }
    let wants = (import.minimum, import.maximum);
    limits("elements", wants, (offer.minimum, offer.maximum))
}

fn width(what: &str, import64: bool, offer64: bool) -> String {
    let bits = |wide| if wide { 64 } else { 32 };
    let (wants, has) = (bits(import64), bits(offer64));
    format!("the guest needs {wants}-bit {what}, the host has {has}-bit ones")
}

type Limits = (u64, Option<u64>);

/// Wasm's subtyping of limits: the offer lies within what is imported.
fn limits(unit: &str, import: Limits, offer: Limits) -> Option<String> {
    let (minimum, has) = (import.0, offer.0);
    if has < minimum {
        return Some(format!(
            "the guest needs at least {minimum} {unit}, the host has {has}"
        ));
    }
    match (import.1, offer.1) {
        (Some(most), Some(may)) if may > most => Some(format!(
            "the guest allows at most {most} {unit}, the host's may grow to {may}"
        )),
        (Some(most), None) => Some(format!(
            "the guest allows at most {most} {unit}, the host's may grow without bound"
        )),
        _ => None,
    }
}
