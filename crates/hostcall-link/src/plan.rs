//! Decides, for every import, what it is bound to and how it crosses.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fit::Offers;
use crate::{
    Export, ExternType, Import, LinkError, ModuleInfo, Place, Problem, ProblemKind, Provides,
    RESERVED_PREFIX, Surface, ValType, fit, suggest,
};

/// How one imported function reaches its host function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Crossing {
    /// The ordinary crossing: the engine calls the host function.
    Call,
}

impl fmt::Display for Crossing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Crossing::Call => "call",
        })
    }
}

/// What satisfies an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// Something that the host offers.
    Item {
        /// Index into [`Surface::items`].
        item: usize,
        /// Index into the core types of a function; 0 for anything else.
        form: usize,
    },
    /// The host's catch-all.
    CatchAll,
    /// Nothing: the import is optional and traps when called.
    Trap,
}

/// What becomes of one import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedImport {
    /// The import.
    pub import: Import,
    /// The readable signature of the host function that it is bound to.
    pub signature: Option<String>,
    /// How it crosses; `None` for what is not a function.
    pub crossing: Option<Crossing>,
    /// Why, in a few words.
    pub reason: String,
    /// What satisfies it.
    pub binding: Binding,
}

/// For every import what satisfies it, how it crosses, and why.
///
/// Prints as a table for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The imports, in the order of the import section.
    pub imports: Vec<PlannedImport>,
}

/// Plans how the imports of a guest reach what a host offers.
///
/// A function import that no item names goes to the catch-all if there is one,
/// else it traps when called if it is optional, else it is missing. An item
/// that has the name but not the type is a problem all the same.
///
/// # Errors
///
/// A [`LinkError`] with every problem, imports in their order and then exports.
pub fn plan(info: &ModuleInfo, surface: &Surface) -> Result<Plan, LinkError> {
    let planner = Planner::new(surface);
    let mut plan = Plan::default();
    let mut problems = Vec::new();
    for import in &info.imports {
        match planner.import(import) {
            Ok(planned) => plan.imports.push(planned),
            Err(kind) => problems.push(import_problem(import, kind)),
        }
    }
    suggest::complete(&mut problems, surface);
    problems.extend(reserved_exports(&info.exports));
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(LinkError::new(problems))
    }
}

fn import_problem(import: &Import, kind: ProblemKind) -> Problem {
    Problem {
        index: import.index,
        offset: import.offset,
        module: import.module.clone(),
        name: import.name.clone(),
        kind,
    }
}

fn reserved_exports(exports: &[Export]) -> impl Iterator<Item = Problem> + '_ {
    let exports = exports.iter().enumerate();
    let reserved = exports.filter(|(_, export)| export.name.starts_with(RESERVED_PREFIX));
    reserved.map(|(position, export)| Problem {
        index: position as u32,
        offset: export.offset,
        module: String::new(),
        name: export.name.clone(),
        kind: ProblemKind::Reserved {
            place: Place::Export,
        },
    })
}

/// A surface, ready to be asked by name.
struct Planner<'a> {
    surface: &'a Surface,
    offers: HashMap<(&'a str, &'a str), Offers<'a>>,
}

impl<'a> Planner<'a> {
    fn new(surface: &'a Surface) -> Planner<'a> {
        let mut offers: HashMap<_, Offers<'a>> = HashMap::new();
        for (index, item) in surface.items.iter().enumerate() {
            let key = (item.module.as_str(), item.name.as_str());
            offers.entry(key).or_default().push((index, &item.provides));
        }
        Planner { surface, offers }
    }

    fn import(&self, import: &Import) -> Result<PlannedImport, ProblemKind> {
        if is_reserved(import) {
            return Err(ProblemKind::Reserved {
                place: Place::Import,
            });
        }
        let key = (import.module.as_str(), import.name.as_str());
        match self.offers.get(&key) {
            Some(offers) => self.bind(import, offers),
            None => self.without_offer(import),
        }
    }

    fn bind(&self, import: &Import, offers: &Offers<'_>) -> Result<PlannedImport, ProblemKind> {
        let (item, form) = fit::find(&import.ty, offers)?;
        let (signature, reason) = match &self.surface.items[item].provides {
            Provides::Func { signature, .. } => (Some(signature.clone()), "a host function".into()),
            other => (None, format!("a {} of the host", other.kind())),
        };
        Ok(PlannedImport {
            import: import.clone(),
            crossing: crossing(&import.ty),
            signature,
            reason,
            binding: Binding::Item { item, form },
        })
    }

    fn without_offer(&self, import: &Import) -> Result<PlannedImport, ProblemKind> {
        let is_function = matches!(import.ty, ExternType::Func(_));
        let (binding, reason) = if self.surface.catch_all && is_answerable(&import.ty) {
            (Binding::CatchAll, "not offered: the catch-all answers")
        } else if is_function && self.is_optional(import) {
            (Binding::Trap, "not offered, optional: traps when called")
        } else {
            return Err(suggest::missing(&import.ty));
        };
        Ok(PlannedImport {
            import: import.clone(),
            signature: None,
            crossing: crossing(&import.ty),
            reason: reason.to_owned(),
            binding,
        })
    }

    fn is_optional(&self, import: &Import) -> bool {
        let mut optional = self.surface.optional.iter();
        optional.any(|(module, name)| *module == import.module && *name == import.name)
    }
}

fn is_reserved(import: &Import) -> bool {
    let mut names = [&import.module, &import.name].into_iter();
    names.any(|name| name.starts_with(RESERVED_PREFIX))
}

fn crossing(ty: &ExternType) -> Option<Crossing> {
    matches!(ty, ExternType::Func(_)).then_some(Crossing::Call)
}

/// Whether a catch-all can answer for it: values of references into the GC
/// heap are not known to hosts.
fn is_answerable(ty: &ExternType) -> bool {
    let ExternType::Func(ty) = ty else {
        return false;
    };
    let mut types = ty.params.iter().chain(&ty.results);
    !types.any(|ty| matches!(ty, ValType::Ref(_)))
}
