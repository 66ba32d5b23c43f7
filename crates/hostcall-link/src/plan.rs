//! Decides, for every import, what it is bound to and how it crosses.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fit::Offers;
use crate::{
    Deferral, Export, ExternType, FuncType, Import, Inlining, LinkError, LinkOptions, Linked,
    ModuleInfo, Place, Problem, ProblemKind, Provides, RESERVED_PREFIX, Surface, ValType, fit,
    suggest,
};

/// How one imported function reaches its host function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Crossing {
    /// The body of the host function stands in the guest: nothing crosses.
    Inline,
    /// Calls are queued in the guest, and many cross at once.
    Deferred,
    /// The ordinary crossing: the engine calls the host function.
    Call,
    /// The engine calls the host function, and the guest is suspended while that
    /// waits.
    Async,
}

impl fmt::Display for Crossing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Crossing::Inline => "inline",
            Crossing::Deferred => "deferred",
            Crossing::Call => "call",
            Crossing::Async => "async",
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
    /// Nothing here: it stays an import, for the host that runs the linked
    /// module.
    Open,
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
    /// What linking made of its body, if it crosses [`Inline`](Crossing::Inline)
    /// and the guest has been linked.
    pub inlined: Option<Inlined>,
}

impl Plan {
    /// Takes note of what linking made of the imports that it replaced.
    pub fn set_linked(&mut self, options: &LinkOptions<'_>, linked: &Linked) {
        for (replacement, inlined) in options.replacements.iter().zip(&linked.replaced) {
            let planned = self.imports.get_mut(replacement.import as usize);
            if let Some(planned) = planned {
                planned.set_inlined(*inlined, options.budget.body);
            }
        }
    }
}

impl PlannedImport {
    /// Takes note of what linking made of the body, within a budget of `limit`
    /// operators for one body.
    fn set_inlined(&mut self, inlined: Inlined, limit: u32) {
        let Inlined {
            operators,
            call_sites,
            expanded,
        } = inlined;
        self.reason = if call_sites == 0 {
            "defined in the guest, which has no direct calls of it".to_owned()
        } else if expanded == call_sites {
            format!("its body stands at every call, {call_sites} in all")
        } else if operators > limit {
            format!("defined in the guest: over the {limit} operators that may stand at a call")
        } else if expanded == 0 {
            "defined in the guest: calls stay calls".to_owned()
        } else {
            format!("its body stands at {expanded} of {call_sites} calls, as the budget allows")
        };
        self.inlined = Some(inlined);
    }
}

/// Where the body of an inlined host function stands in a linked module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inlined {
    /// Size of the body, in Wasm operators, with the bodies that were put into
    /// it.
    pub operators: u32,
    /// Direct calls of the import in the guest's code.
    pub call_sites: u32,
    /// Of these, those where the body stands itself. At others the function
    /// is called that the linked module defines in place of the import.
    pub expanded: u32,
}

/// For every import what satisfies it, how it crosses, and why.
///
/// Prints as a table for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The imports, in the order of the import section.
    pub imports: Vec<PlannedImport>,
    /// Imports that only the linked module has: host functions that inlined
    /// bodies call.
    pub added: Vec<PlannedImport>,
    /// Exports that the host can map over many arguments.
    pub mapped: Vec<MappedExport>,
}

/// An export that gets a driver: a loop in the guest that calls it once for
/// each element of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedExport {
    /// The name of the export.
    pub name: String,
    /// Its type.
    pub ty: FuncType,
    /// Whether it can also be folded: its results are its first parameters.
    pub folds: bool,
}

/// Plans how the imports of a guest reach what a host offers.
///
/// A function import that no item names goes to the catch-all if there is one,
/// else it traps when called if it is optional, else it is missing. On an open
/// surface nothing is missing: it stays an import. An item that has the name but
/// not the type is a problem all the same.
///
/// # Errors
///
/// A [`LinkError`] with every problem, imports in their order and then exports.
pub fn plan(info: &ModuleInfo, surface: &Surface) -> Result<Plan, LinkError> {
    let planner = Planner::new(info, surface);
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

/// Why an asynchronous function crosses as it does.
const ASYNC: &str = "an async host function; the guest is suspended while it waits";

/// A surface, ready to be asked by name.
struct Planner<'a> {
    info: &'a ModuleInfo,
    surface: &'a Surface,
    offers: HashMap<(&'a str, &'a str), Offers<'a>>,
    optional: HashSet<(&'a str, &'a str)>,
}

impl<'a> Planner<'a> {
    fn new(info: &'a ModuleInfo, surface: &'a Surface) -> Planner<'a> {
        let mut offers: HashMap<_, Offers<'a>> = HashMap::new();
        for (index, item) in surface.items.iter().enumerate() {
            let key = (item.module.as_str(), item.name.as_str());
            offers.entry(key).or_default().push((index, &item.provides));
        }
        let optional = surface.optional.iter();
        Planner {
            info,
            surface,
            offers,
            optional: optional
                .map(|(module, name)| (&**module, &**name))
                .collect(),
        }
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
        let (signature, crossing, reason) = match &self.surface.items[item].provides {
            Provides::Func {
                signature,
                inlining,
                deferral,
                waits,
                ..
            } => {
                let (crossing, reason) = match self.deferred(deferral) {
                    Some(deferred) => deferred,
                    None if *waits => (Crossing::Async, ASYNC.to_owned()),
                    None => self.crossing(*inlining),
                };
                (Some(signature.clone()), Some(crossing), reason)
            }
            other => (None, None, format!("a {} of the host", other.kind())),
        };
        Ok(PlannedImport {
            import: import.clone(),
            crossing,
            signature,
            reason,
            binding: Binding::Item { item, form },
            inlined: None,
        })
    }

    /// How a host function crosses. A body that works on guest memory works
    /// on the memory that pointers refer to, or not at all: then a call of the
    /// host function says what is missing.
    fn crossing(&self, inlining: Inlining) -> (Crossing, String) {
        let (crossing, reason) = match (inlining, self.info.memory()) {
            (Inlining::Impossible, _) => (Crossing::Call, "a host function"),
            (Inlining::Off, _) => (Crossing::Call, "a host function; inlining is off"),
            (Inlining::Scalar, _) => (Crossing::Inline, "its body stands in the guest"),
            (Inlining::Memory, Some((_, ty))) if !ty.shared => {
                (Crossing::Inline, "its body stands in the guest")
            }
            (Inlining::Memory, Some(_)) => {
                (Crossing::Call, "not inlined: the guest's memory is shared")
            }
            (Inlining::Memory, None) => {
                (Crossing::Call, "not inlined: the guest exports no memory")
            }
        };
        (crossing, reason.to_owned())
    }

    /// How a host function crosses that should be deferred; `None` for others.
    /// Without memory to copy from, a call says what is missing.
    fn deferred(&self, deferral: &Deferral) -> Option<(Crossing, String)> {
        let queued = (
            Crossing::Deferred,
            "queued in the guest; many cross at once",
        );
        let (crossing, reason) = match (deferral, self.info.memory()) {
            (Deferral::Unasked, _) => return None,
            (Deferral::Off, _) => (Crossing::Call, "a host function; deferring is off"),
            (Deferral::Unfit(reason), _) => {
                return Some((Crossing::Call, format!("not deferred: {reason}")));
            }
            (Deferral::Scalar, _) => queued,
            (Deferral::Memory, Some((_, ty))) if !ty.shared => queued,
            (Deferral::Memory, Some(_)) => {
                (Crossing::Call, "not deferred: the guest's memory is shared")
            }
            (Deferral::Memory, None) => {
                (Crossing::Call, "not deferred: the guest exports no memory")
            }
        };
        Some((crossing, reason.to_owned()))
    }

    fn without_offer(&self, import: &Import) -> Result<PlannedImport, ProblemKind> {
        let is_function = matches!(import.ty, ExternType::Func(_));
        let (binding, reason) = if self.surface.catch_all && is_answerable(&import.ty) {
            (Binding::CatchAll, "not offered: the catch-all answers")
        } else if is_function && self.is_optional(import) {
            (Binding::Trap, "not offered, optional: traps when called")
        } else if self.surface.open {
            (Binding::Open, stays(import))
        } else {
            return Err(suggest::missing(&import.ty));
        };
        Ok(PlannedImport {
            import: import.clone(),
            signature: None,
            crossing: is_function.then_some(Crossing::Call),
            reason: reason.to_owned(),
            binding,
            inlined: None,
        })
    }

    fn is_optional(&self, import: &Import) -> bool {
        self.optional.contains(&(&*import.module, &*import.name))
    }
}

/// Why an import stays one.
fn stays(import: &Import) -> &'static str {
    match import.module.as_str() {
        "wasi_snapshot_preview1" => "stays an import: WASI, which `hostcall run` has",
        _ => "stays an import, for the host that runs the module",
    }
}

fn is_reserved(import: &Import) -> bool {
    let mut names = [&import.module, &import.name].into_iter();
    names.any(|name| name.starts_with(RESERVED_PREFIX))
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
