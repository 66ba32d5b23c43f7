//! Hands out the locals of a template, so that bodies that are never at work at
//! the same time share them.

use super::template::Local;

/// Locals by type; those in use come first.
#[derive(Default)]
pub(super) struct Pool {
    locals: Vec<Local>,
    by_type: Vec<Members>,
}

#[derive(Default)]
struct Members {
    locals: Vec<u32>,
    used: usize,
}

/// How many locals of each type were in use.
pub(super) struct Mark(Vec<usize>);

impl Pool {
    /// A parameter of the function itself: in use to the end.
    pub(super) fn parameter(&mut self, ty: u32) -> u32 {
        self.locals.push(Local { ty, ordinal: 0 });
        self.locals.len() as u32 - 1
    }

    /// A local that is in use until [`Pool::release`].
    pub(super) fn take(&mut self, ty: u32) -> u32 {
        let at = ty as usize;
        if self.by_type.len() <= at {
            self.by_type.resize_with(at + 1, Members::default);
        }
        let members = &mut self.by_type[at];
        if members.used == members.locals.len() {
            members.locals.push(self.locals.len() as u32);
            let ordinal = members.used as u32;
            self.locals.push(Local { ty, ordinal });
        }
        members.used += 1;
        members.locals[members.used - 1]
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.by_type.iter().map(|members| members.used).collect())
    }

    /// Gives back what was taken since `mark`.
    pub(super) fn release(&mut self, mark: &Mark) {
        for (at, members) in self.by_type.iter_mut().enumerate() {
            members.used = mark.0.get(at).copied().unwrap_or(0);
        }
    }

    /// All locals, and how many of each type there are besides parameters.
    pub(super) fn finish(self) -> (Vec<Local>, Vec<(u32, u32)>) {
        let counts = self.by_type.iter().map(|members| members.locals.len());
        let needs = (0u32..).zip(counts).map(|(ty, count)| (ty, count as u32));
        let needs = needs.filter(|(_, count)| *count > 0).collect();
        (self.locals, needs)
    }
}
