//! The locals of an expansion: which local of the guest's function stands for
//! which local of the body.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::input::Body;
use super::module::Locals;

/// Locals of one body that stands at a call site.
pub(super) struct Renaming {
    /// By local of the body.
    names: HashMap<u32, u32>,
    taken: HashSet<u32>,
    /// Locals set to zero before the body begins.
    reset: HashSet<u32>,
    /// Locals of the body that must begin as zero.
    zeros: Rc<HashSet<u32>>,
    body: Rc<Locals>,
    params: u32,
    rules: Rules,
    /// How many blocks of the body are open.
    pub(super) open: u32,
    pub(super) home: Home,
}

/// Where a body stands, which decides how it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// In a function of its own, with its own locals: by `return`.
    Function,
    /// At a call site, in a block: by a branch out of it.
    Block,
    /// At a call site, between the operators around it: only at its end.
    Bare,
}

/// What any renaming at a place must keep to.
#[derive(Clone)]
pub(super) struct Rules {
    /// The first local that the original function does not have.
    pub(super) first: u32,
    /// The locals of the linked function.
    pub(super) linked: Rc<Locals>,
    /// Locals that the expansions around this one use.
    pub(super) busy: HashSet<u32>,
}

impl Rules {
    pub(super) fn is_free(&self, local: u32) -> bool {
        local >= self.first && !self.busy.contains(&local)
    }
}

impl Renaming {
    /// `zeros` are the locals of the body that must begin as zero.
    pub(super) fn new(
        body: &Body<'_>,
        zeros: Rc<HashSet<u32>>,
        rules: Rules,
        home: Home,
    ) -> Renaming {
        Renaming {
            names: HashMap::new(),
            taken: HashSet::new(),
            reset: HashSet::new(),
            zeros,
            body: body.locals.clone(),
            params: body.params(),
            rules,
            open: 0,
            home,
        }
    }

    pub(super) fn has_label(&self, label: u32) -> bool {
        label < self.open || (self.home != Home::Bare && label == self.open)
    }

    /// Local `right` is set to zero before the body begins.
    pub(super) fn reset(&mut self, right: u32) -> bool {
        let free = self.rules.is_free(right) && !self.taken.contains(&right);
        if free {
            self.reset.insert(right);
        }
        free
    }

    /// Whether `right` is the local for the body's `left`: from now on, if it
    /// had none. Parameters have theirs before the body begins.
    pub(super) fn relate(&mut self, left: u32, right: u32) -> bool {
        match self.names.get(&left) {
            _ if self.home == Home::Function => left == right,
            Some(name) => *name == right,
            None => left >= self.params && self.name(left, right),
        }
    }

    /// Gives the body's local `left` the local `right`.
    pub(super) fn name(&mut self, left: u32, right: u32) -> bool {
        let fits = self.rules.is_free(right)
            && self.rules.linked.get(right) == self.body.get(left)
            && (!self.zeros.contains(&left) || self.reset.contains(&right));
        fits && self.taken.insert(right) && self.names.insert(left, right).is_none()
    }

    /// The rules for what stands inside of this expansion.
    pub(super) fn inside(&self) -> Rules {
        let mut rules = self.rules.clone();
        rules.busy.extend(self.taken.iter().chain(&self.reset));
        rules
    }
}
