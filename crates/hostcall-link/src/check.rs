//! An independent judge of linked modules: it shares no code with the passes
//! that make them.

mod assigned;
mod copy;
mod custom;
mod error;
mod expand;
mod globals;
mod guest;
mod imports;
mod input;
mod metadata;
mod module;
mod names;
mod operator;
mod reach;
mod relate;
mod renaming;
mod roots;
mod sections;
mod segments;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use wasmparser::Operator;

pub use error::CheckError;

use crate::{LinkOptions, Linked};
use input::{Callee, Input};
use module::Op;

/// Says whether `linked` keeps the plan: whether it is what [`link`](crate::link())
/// may make of `guest` and `options`.
///
/// It is valid Wasm; it has the guest's imports but for those that something
/// takes the place of, the guest's exports, types, globals, tables, memories, tags
/// and segments; the guest's functions are unchanged, but that what replaces an
/// import or stands around it may stand where it was called, operator by operator
/// as the provider has it; no code of the guest can reach the host page, a global
/// of a provider, or an import that something stands around; it exports what
/// was asked for; and what [`Linked`] tells about the bytes is true.
///
/// Debug builds check whatever they link.
///
/// # Errors
///
/// A [`CheckError`] with the first difference that was found.
pub fn check(guest: &[u8], options: &LinkOptions<'_>, linked: &Linked) -> Result<(), CheckError> {
    let input = Input::read(guest, options, linked)?;
    let mut check = Check {
        input: &input,
        found: Found::new(&input),
    };
    let result = check.all();
    let certain = !check.found.guessed && check.found.steps > 0;
    result.map_err(|error| if certain { error } else { error.uncertain() })
}

/// A check in progress: what is given, and what was found out about it.
struct Check<'c, 'a> {
    input: &'c Input<'a>,
    found: Found,
}

struct Found {
    /// Globals of providers, and which globals of the linked module they are.
    globals: HashMap<(usize, u32), u32>,
    /// The same, the other way round.
    bound: HashMap<u32, (usize, u32)>,
    /// The same, in the order of their discovery.
    bindings: Vec<(usize, u32)>,
    /// Whether the first operator of a body can be a call of itself.
    leads: HashMap<Callee, bool>,
    /// Whether something was read one way that can be read in two.
    guessed: bool,
    /// How many bodies are being compared, one inside of another.
    depth: usize,
    /// Locals of bodies that must begin as zero.
    zeros: HashMap<Callee, Rc<HashSet<u32>>>,
    /// For each replacement: calls of the import, and bodies in their place.
    sites: Vec<(u32, u32)>,
    /// Where bodies stand at call sites: start, end, root.
    ranges: Vec<(usize, usize, usize)>,
    /// Functions whose bodies stand at a call site, one inside of another.
    expanded: Vec<Callee>,
    /// Operators whose traps mean something: offset, message.
    traps: Vec<(usize, &'static str)>,
    /// For each function that the guest defines, how many locals it has.
    locals: Vec<u32>,
    /// By function of the guest: where its labels are among the linked ones.
    labels: HashMap<u32, Vec<u32>>,
    /// By function of the guest that metadata tells of: offsets of operators in
    /// its body, and in its linked body.
    offsets: HashMap<u32, Vec<(u32, u32)>>,
    /// Comparisons that may still be made.
    steps: u64,
}

/// How much of what was found to keep.
#[derive(Clone, Copy)]
struct Mark {
    bindings: usize,
    ranges: usize,
    expanded: usize,
    traps: usize,
}

impl Found {
    fn new(input: &Input<'_>) -> Found {
        let size = |bytes: &[u8]| bytes.len() as u64;
        let providers = input.providers.iter();
        let providers: u64 = providers.map(|source| size(&source.provider.bytes)).sum();
        let linked = size(&input.report.bytes);
        let noted = custom::noted_functions(&input.guest).into_iter();
        Found {
            globals: HashMap::new(),
            bound: HashMap::new(),
            bindings: Vec::new(),
            leads: HashMap::new(),
            guessed: false,
            depth: 0,
            zeros: HashMap::new(),
            sites: vec![(0, 0); input.options.replacements.len()],
            ranges: Vec::new(),
            expanded: Vec::new(),
            traps: Vec::new(),
            locals: Vec::new(),
            labels: HashMap::new(),
            offsets: noted.map(|function| (function, Vec::new())).collect(),
            // Every operator once; what is tried and given up, some more.
            steps: 10_000_000 + 100 * (linked + providers),
        }
    }
}

impl<'a> Check<'_, 'a> {
    fn all(&mut self) -> Result<(), CheckError> {
        self.imports()?;
        self.sections()?;
        self.segments()?;
        self.guest_bodies()?;
        self.added_functions()?;
        self.added_globals()?;
        self.names()?;
        self.customs()?;
        self.metadata()
    }

    fn mark(&self) -> Mark {
        Mark {
            bindings: self.found.bindings.len(),
            ranges: self.found.ranges.len(),
            expanded: self.found.expanded.len(),
            traps: self.found.traps.len(),
        }
    }

    /// What was found since then rests on a reading that did not hold.
    fn forget(&mut self, mark: Mark) {
        for global in self.found.bindings.drain(mark.bindings..) {
            let linked = self.found.globals.remove(&global);
            linked.map(|linked| self.found.bound.remove(&linked));
        }
        self.found.ranges.truncate(mark.ranges);
        self.found.expanded.truncate(mark.expanded);
        self.found.traps.truncate(mark.traps);
    }

    /// Counts a comparison: bytes made to hurt must not keep us for ever.
    fn step(&mut self, place: &str) -> Result<(), CheckError> {
        match self.found.steps.checked_sub(1) {
            Some(steps) => {
                self.found.steps = steps;
                Ok(())
            }
            None => Err(CheckError::new(
                place,
                self.input.linked.code.start,
                "bodies that can be told apart in reasonable time",
                "too many that nearly fit",
            )),
        }
    }

    /// Takes global `linked` for the provider's `global`, if nothing is against
    /// it: each has one counterpart, and linking added it.
    fn bind_global(&mut self, global: (usize, u32), linked: u32) -> bool {
        let first = self.input.guest.types.as_ref().global_count();
        match (
            self.found.globals.get(&global),
            self.found.bound.get(&linked),
        ) {
            (None, None) if linked >= first => {
                self.found.globals.insert(global, linked);
                self.found.bound.insert(linked, global);
                self.found.bindings.push(global);
                true
            }
            (Some(known), _) => *known == linked,
            _ => false,
        }
    }

    /// The operator at `op` is a copy of the provider's: what a trap there
    /// means goes with it.
    fn note_trap(&mut self, callee: Callee, ordinal: usize, op: Option<&Op<'a>>) {
        let source = &self.input.providers[callee.0];
        let function = callee.1 - source.module.imported_functions();
        let note = source.provider.traps.get(&(function, ordinal as u32));
        if let (Some(message), Some(op)) = (note, op) {
            self.found.traps.push((op.offset, message));
        }
    }
}

/// Whether an operator gives what a local holds at first.
fn zero(operator: &Operator<'_>) -> bool {
    match operator {
        Operator::I32Const { value } => *value == 0,
        Operator::I64Const { value } => *value == 0,
        Operator::F32Const { value } => value.bits() == 0,
        Operator::F64Const { value } => value.bits() == 0,
        Operator::V128Const { value } => value.i128() == 0,
        Operator::RefNull { .. } => true,
        _ => false,
    }
}
