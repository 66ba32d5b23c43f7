//! Writes problems for a reader: what, where, both sides, and what to do next.

use std::fmt::{self, Display};

use crate::quote::Quoted;
use crate::{
    Available, ExternType, FuncType, ImportName, LinkError, Place, Problem, ProblemKind,
    RESERVED_PREFIX, advice, fit,
};

/// Problems that are written out; the rest are counted.
const SHOWN: usize = 100;
/// Column at which the text behind a label starts.
const LABEL: usize = 7;

impl Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems().len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "cannot link the guest: {count} problem{plural}")?;
        for problem in self.problems().iter().take(SHOWN) {
            write!(f, "\n\n{problem}")?;
        }
        match count.saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more"),
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_subject(f)?;
        match &self.kind {
            ProblemKind::Missing {
                import,
                suggestions,
                available,
            } => self.write_missing(f, import, suggestions, available),
            ProblemKind::Signature { import, offers } => write_signature(f, import, offers),
            ProblemKind::Kind { import, offer } => write_kind(f, import, offer),
            ProblemKind::Mismatch { import, offer } => write_mismatch(f, import, offer),
            ProblemKind::Reserved { place } => write_reserved(f, *place),
        }
    }
}

impl Problem {
    fn write_subject(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.kind {
            ProblemKind::Reserved { place } => place,
            _ => Place::Import,
        };
        let index = self.index;
        match place {
            Place::Import => {
                let name = ImportName::new(&self.module, &self.name);
                write!(f, "import {index} `{name}`")?;
            }
            Place::Export => write!(f, "export {index} `{}`", Quoted(&self.name))?,
        }
        write!(f, " (at offset {:#x}): ", self.offset)
    }

    fn write_missing(
        &self,
        f: &mut fmt::Formatter<'_>,
        import: &ExternType,
        suggestions: &[(String, String)],
        available: &Available,
    ) -> fmt::Result {
        f.write_str("the host offers nothing by this name")?;
        write_line(f, "guest", import)?;
        write_line(f, "host", Nearby(&self.module, available))?;
        if !suggestions.is_empty() {
            let names = suggestions.iter();
            let names = names.map(|(module, name)| format!("`{}`", ImportName::new(module, name)));
            let names: Vec<String> = names.collect();
            write_line(f, "", format!("did you mean {}?", names.join(" or ")))?;
        }
        let offered = matches!(available, Available::Names { .. });
        write_line(
            f,
            "help",
            advice::missing(&self.module, offered, import.kind()),
        )
    }
}

pub(crate) fn write_line(
    f: &mut fmt::Formatter<'_>,
    label: &str,
    text: impl Display,
) -> fmt::Result {
    let label = if label.is_empty() {
        String::new()
    } else {
        format!("{label}:")
    };
    write!(f, "\n    {label:LABEL$}{text}")
}

/// What the host has near a missing import, in a line.
struct Nearby<'a>(&'a str, &'a Available);

impl Display for Nearby<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let module = Quoted(self.0);
        match self.1 {
            Available::Names { names, more } => write!(f, "`{module}` has {}", List(names, *more)),
            Available::Modules { names, .. } if names.is_empty() => {
                write!(f, "no module `{module}`")
            }
            Available::Modules { names, more } => {
                write!(f, "no module `{module}`, only {}", List(names, *more))
            }
        }
    }
}

/// The first names of a list, and how many more there are.
pub(crate) struct List<'a>(pub(crate) &'a [String], pub(crate) usize);

impl Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|name| format!("`{}`", Quoted(name)));
        let names: Vec<String> = names.collect();
        f.write_str(&names.join(", "))?;
        match self.1 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

fn write_signature(
    f: &mut fmt::Formatter<'_>,
    import: &FuncType,
    offers: &[(String, Vec<FuncType>)],
) -> fmt::Result {
    f.write_str("the guest and the host disagree about its type")?;
    write_line(f, "guest", import)?;
    for (signature, forms) in offers {
        write_line(f, "host", offer(signature, forms))?;
    }
    if let [(_, forms)] = offers
        && let Some(form) = nearest(import, forms)
        && let Some(difference) = first_difference(import, form)
    {
        write_line(f, "", difference)?;
    }
    write_line(f, "help", "change one of the two so that they agree")
}

/// A signature and what it is in core types, unless it says that itself.
fn offer(signature: &str, forms: &[FuncType]) -> String {
    let forms: Vec<String> = forms.iter().map(FuncType::to_string).collect();
    match forms.as_slice() {
        [form] if form == signature => signature.to_owned(),
        forms => format!("{signature}, which is {}", forms.join(" or ")),
    }
}

/// The form that agrees with the guest's type in most parameters.
fn nearest<'a>(guest: &FuncType, forms: &'a [FuncType]) -> Option<&'a FuncType> {
    let agreeing = |form: &&FuncType| {
        let pairs = guest.params.iter().zip(&form.params);
        pairs.filter(|(guest, host)| guest == host).count()
    };
    // Of several equally near, `max_by_key` takes the last: start from the end.
    forms.iter().rev().max_by_key(agreeing)
}

/// Where the guest's type departs from the host's, in words.
fn first_difference(guest: &FuncType, host: &FuncType) -> Option<String> {
    let pairs = guest.params.iter().zip(&host.params).enumerate();
    for (position, (guest, host)) in pairs {
        if guest != host {
            let number = position + 1;
            return Some(format!(
                "parameter {number}: {guest} in the guest, {host} in the host"
            ));
        }
    }
    let (passed, taken) = (guest.params.len(), host.params.len());
    if passed != taken {
        return Some(format!(
            "parameters: the guest passes {passed}, the host takes {taken}"
        ));
    }
    (guest.results != host.results).then(|| "parameters agree, results differ".to_owned())
}

fn write_kind(f: &mut fmt::Formatter<'_>, import: &ExternType, offer: &str) -> fmt::Result {
    let kind = import.kind();
    write!(f, "the guest needs a {kind}, the host offers a {offer}")?;
    write_line(f, "guest", import)?;
    write_line(
        f,
        "help",
        format!("offer a {kind} under this name as well or instead"),
    )
}

fn write_mismatch(
    f: &mut fmt::Formatter<'_>,
    import: &ExternType,
    offer: &ExternType,
) -> fmt::Result {
    f.write_str("the guest and the host disagree about its type")?;
    write_line(f, "guest", import)?;
    write_line(f, "host", offer)?;
    if let Some(difference) = fit::difference(import, offer) {
        write_line(f, "", difference)?;
    }
    let kind = import.kind();
    write_line(
        f,
        "help",
        format!("offer a {kind} that fits, or build the guest for this one"),
    )
}

fn write_reserved(f: &mut fmt::Formatter<'_>, place: Place) -> fmt::Result {
    let what = match place {
        Place::Import => "import",
        Place::Export => "export",
    };
    write!(f, "names starting with `{RESERVED_PREFIX}` are reserved")?;
    write_line(f, "help", format!("rename the {what} in the guest"))
}
