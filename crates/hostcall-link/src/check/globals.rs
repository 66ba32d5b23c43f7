//! Globals that linking added: those of providers.

use super::Check;
use super::error::CheckError;
use super::relate::Scope;

impl<'a> Check<'_, 'a> {
    pub(super) fn added_globals(&mut self) -> Result<(), CheckError> {
        let first = self.input.guest.types.as_ref().global_count();
        for global in first..self.input.linked.types.as_ref().global_count() {
            self.added_global(global)?;
        }
        Ok(())
    }

    /// An added global is some provider's: the one that it was taken for, or
    /// one that nothing uses.
    fn added_global(&mut self, global: u32) -> Result<(), CheckError> {
        let candidates = match self.found.bound.get(&global) {
            Some(ours) => vec![*ours],
            None => self.unused_globals(),
        };
        let mut result = Err(CheckError::new(
            format!("global {global}"),
            0,
            "a provider's global",
            "another",
        ));
        for ours in candidates {
            let mark = self.mark();
            result = self.same_global(ours, global);
            if result.is_ok() {
                break;
            }
            self.forget(mark);
        }
        result
    }

    fn unused_globals(&self) -> Vec<(usize, u32)> {
        let sources = self.input.providers.iter().enumerate();
        let globals = sources.flat_map(|(provider, source)| {
            (0..source.module.globals.len() as u32).map(move |global| (provider, global))
        });
        globals
            .filter(|global| !self.found.globals.contains_key(global))
            .collect()
    }

    fn same_global(&mut self, ours: (usize, u32), linked: u32) -> Result<(), CheckError> {
        let input = self.input;
        let place = format!("global {linked}, a provider's global {}", ours.1);
        let source = &input.providers[ours.0].module;
        let (expected, found) = (
            source.types.as_ref().global_at(ours.1),
            input.linked.types.as_ref().global_at(linked),
        );
        let imported =
            input.linked.types.as_ref().global_count() - input.linked.globals.len() as u32;
        let left = source.globals.get(ours.1 as usize);
        let right = linked
            .checked_sub(imported)
            .and_then(|at| input.linked.globals.get(at as usize));
        let (Some(left), Some(right), true) = (
            left,
            right,
            expected == found && self.bind_global(ours, linked),
        ) else {
            return Err(CheckError::new(
                place,
                0,
                format!("{expected:?}"),
                format!("{found:?}"),
            ));
        };
        let mut scope = Scope::Constant { provider: ours.0 };
        self.constant(&mut scope, &left.init_expr, &right.init_expr, &place)
    }
}
