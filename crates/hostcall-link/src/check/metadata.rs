//! What is told about the linked module: how often a body was put in, where,
//! and what traps mean.

use super::Check;
use super::error::CheckError;
use crate::InlinedRange;

const PLACE: &str = "what is told about the linked module";

/// Start, end, and for a body at a call site the root.
type Range = (usize, usize, Option<usize>);

impl Check<'_, '_> {
    pub(super) fn metadata(&mut self) -> Result<(), CheckError> {
        self.counts()?;
        self.ranges()?;
        self.traps()
    }

    fn counts(&self) -> Result<(), CheckError> {
        let told = &self.input.report.replaced;
        if told.len() != self.found.sites.len() {
            return Err(wrong("one entry for each replacement", told.len()));
        }
        for (told, (sites, inlined)) in told.iter().zip(&self.found.sites) {
            if (told.call_sites, told.expanded) != (*sites, *inlined) {
                return Err(wrong(&format!("{inlined} of {sites} calls inlined"), told));
            }
        }
        Ok(())
    }

    /// Every body at a call site and every added function is told of, and
    /// nothing else is.
    fn ranges(&self) -> Result<(), CheckError> {
        let told = &self.input.report.ranges;
        if !told.is_sorted_by_key(|range| (range.start, range.end)) {
            return Err(wrong("ranges sorted by their start", told));
        }
        let told = told.iter().filter(|range| range.start < range.end);
        let told: Vec<Range> = told.map(|range| self.told(range)).collect();
        let sites = self
            .found
            .ranges
            .iter()
            .filter(|(start, end, _)| start < end);
        let sites = sites.map(|(start, end, root)| (*start, *end, Some(*root)));
        let mut expected: Vec<Range> = sites.collect();
        expected.extend(self.added_bodies());
        expected.sort_unstable();
        let pairs = expected.iter().zip(&told);
        let same = pairs.take_while(|(left, right)| left == right).count();
        if same == expected.len() && same == told.len() {
            return Ok(());
        }
        let (expected, found) = (expected.get(same), told.get(same));
        let offset = expected.or(found).map_or(0, |range| range.0);
        let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
        Err(CheckError::new("the ranges told", offset, expected, found))
    }

    /// The bodies of functions that linking added. Which root one belongs to that
    /// several need is for the linker to say.
    fn added_bodies(&self) -> impl Iterator<Item = Range> {
        let added = &self.input.linked.bodies[self.input.guest.bodies.len()..];
        added
            .iter()
            .map(|body| (body.range().start, body.range().end, None))
    }

    fn told(&self, range: &InlinedRange) -> Range {
        let (start, end) = (range.start as usize, range.end as usize);
        let root = range.root as usize;
        let added = self
            .added_bodies()
            .next()
            .is_some_and(|first| start >= first.0);
        let known = root < self.input.roots.len();
        (start, end, (!(added && known)).then_some(root))
    }

    fn traps(&mut self) -> Result<(), CheckError> {
        let told = &self.input.report.traps;
        let told: Vec<_> = told
            .iter()
            .map(|trap| (trap.offset as usize, trap.message))
            .collect();
        self.found.traps.sort_unstable();
        self.found.traps.dedup();
        if told == self.found.traps {
            return Ok(());
        }
        let same = told
            .iter()
            .zip(&self.found.traps)
            .take_while(|(left, right)| left == right)
            .count();
        let (expected, found) = (self.found.traps.get(same), told.get(same));
        let offset = expected.or(found).map_or(0, |trap| trap.0);
        Err(CheckError::new(
            "the traps told",
            offset,
            format!("{expected:?}"),
            format!("{found:?}"),
        ))
    }
}

fn wrong(expected: &str, found: impl std::fmt::Debug) -> CheckError {
    CheckError::new(PLACE, 0, expected, format!("{found:?}"))
}
