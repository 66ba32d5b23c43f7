//! The guest's own functions: unchanged, but for calls of imports that
//! something stands for.

use std::collections::HashSet;
use std::rc::Rc;

use wasmparser::Operator;

use super::Check;
use super::copy::invalid;
use super::error::CheckError;
use super::expand::{Site, track};
use super::input::{Callee, Counterpart};
use super::module::{Locals, Op, operators};
use super::relate::Scope;
use super::renaming::Rules;
use super::roots::Root;

impl<'a> Check<'_, 'a> {
    /// Compares all bodies of the guest with what they became.
    pub(super) fn guest_bodies(&mut self) -> Result<(), CheckError> {
        let first = self.input.guest.imported_functions();
        for position in 0..self.input.guest.bodies.len() as u32 {
            self.guest_body(first + position)?;
        }
        Ok(())
    }

    fn guest_body(&mut self, function: u32) -> Result<(), CheckError> {
        let input = self.input;
        let place = format!("function {function} of the guest");
        let counterpart = match input.functions[function as usize] {
            Counterpart::Same(counterpart) => input
                .linked
                .body(counterpart)
                .map(|body| (counterpart, body)),
            Counterpart::Root(_) => None,
        };
        let (Some(left), Some((counterpart, right))) = (input.guest.body(function), counterpart)
        else {
            let offset = input.linked.code.end;
            return Err(CheckError::new(place, offset, "a body", "none"));
        };
        let (left_type, right_type) = (
            input.guest.function_type(function),
            input.linked.function_type(counterpart),
        );
        if left_type != right_type {
            let types = (
                &input.guest.types[left_type],
                &input.linked.types[right_type],
            );
            let found = types.1.to_string();
            return Err(CheckError::new(
                place,
                right.range().start,
                types.0.to_string(),
                found,
            ));
        }
        let read = |error| invalid(&place, error);
        let signature = input.guest.signature(function);
        let mine = Locals::read(&input.guest, &signature, left).map_err(read)?;
        let locals = Locals::read(&input.linked, &signature, right).map_err(read)?;
        if !locals.starts_with(&mine) {
            let (expected, found) = (format!("locals {mine:?}"), format!("locals {locals:?}"));
            return Err(CheckError::new(place, right.range().start, expected, found));
        }
        let starts = (left.range().start, right.range().start);
        let (left, right) = (
            operators(left).map_err(read)?,
            operators(right).map_err(read)?,
        );
        let rules = Rules {
            first: mine.count(),
            linked: Rc::new(locals),
            busy: HashSet::new(),
        };
        let mut site = Site {
            ops: &right,
            place: &place,
            chain: Vec::new(),
        };
        self.found.locals.push(rules.first);
        let pairs = self.guest_operators(&left, &mut site, &rules)?;
        self.keep_labels(function, &left, &right, &pairs);
        self.keep_offsets(function, &left, &right, &pairs, starts);
        Ok(())
    }

    /// Where the labels of `left` are among those of `right`: each block has
    /// the next number.
    fn keep_labels(&mut self, function: u32, left: &[Op<'a>], right: &[Op<'a>], pairs: &[usize]) {
        let mut numbers = Vec::new();
        let mut next = 0;
        for op in right {
            numbers.push(next);
            next += u32::from(has_label(&op.operator));
        }
        let blocks = left.iter().zip(pairs);
        let blocks = blocks.filter(|(op, _)| has_label(&op.operator));
        let labels = blocks.map(|(_, at)| numbers[*at]).collect();
        self.found.labels.insert(function, labels);
    }

    /// Where the operators of `left` are now, if something tells of them.
    fn keep_offsets(
        &mut self,
        function: u32,
        left: &[Op<'a>],
        right: &[Op<'a>],
        pairs: &[usize],
        starts: (usize, usize),
    ) {
        let Some(offsets) = self.found.offsets.get_mut(&function) else {
            return;
        };
        for (op, at) in left.iter().zip(pairs) {
            let to = right.get(*at).map_or(0, |op| op.offset - starts.1);
            offsets.push(((op.offset - starts.0) as u32, to as u32));
        }
    }

    /// Returns, for each operator, the position of what it became.
    fn guest_operators(
        &mut self,
        left: &[Op<'a>],
        site: &mut Site<'_, 'a>,
        rules: &Rules,
    ) -> Result<Vec<usize>, CheckError> {
        let mut at = 0;
        let mut pairs = Vec::with_capacity(left.len());
        let mut frames = Vec::new();
        for op in left {
            pairs.push(at);
            let call = match op.operator {
                Operator::Call { function_index } => Some((function_index, false)),
                Operator::ReturnCall { function_index } => Some((function_index, true)),
                _ => None,
            };
            let call = call.and_then(|(function, tail)| self.call_of(function, tail));
            at = match call {
                Some(call) => self.call_site(site, at, &call, rules, &frames)?,
                None => {
                    self.operator(&mut Scope::Guest, op, site.ops.get(at), site.place)?;
                    at + 1
                }
            };
            track(&mut frames, &op.operator);
        }
        let gained = site.ops.len().saturating_sub(left.len()) as u64;
        let allowed = self.input.options.budget.function;
        if gained > u64::from(allowed) {
            let expected = format!("at most {allowed} operators more than before");
            return Err(self.differs(expected, site.ops.first(), site.place));
        }
        match site.ops.get(at) {
            None => Ok(pairs),
            extra => Err(self.differs("the end".into(), extra, site.place)),
        }
    }

    /// A call of an import, if something stands for that.
    fn call_of(&self, function: u32, tail: bool) -> Option<Call> {
        match self.input.functions[function as usize] {
            Counterpart::Root(root) => Some(Call {
                function,
                root,
                tail,
            }),
            Counterpart::Same(_) => None,
        }
    }

    /// A call of an import that something stands for: still a call, or the body
    /// itself.
    fn call_site(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        wanted: &Call,
        rules: &Rules,
        frames: &[bool],
    ) -> Result<usize, CheckError> {
        let Call {
            function,
            root,
            tail,
        } = *wanted;
        self.count_call(function, None);
        let call = match (site.ops.get(at).map(|op| &op.operator), tail) {
            (Some(Operator::Call { function_index }), false)
            | (Some(Operator::ReturnCall { function_index }), true) => Some(*function_index),
            _ => None,
        };
        let called = call.map(|found| self.stands_for(root, function, found));
        if let (Some(Ok(())), false) = (&called, self.is_told(site, at, root)) {
            return Ok(at + 1);
        }
        let Root {
            callee, call_sites, ..
        } = self.input.roots[root];
        if !call_sites {
            let expected = "a call, as bodies may not stand at call sites".into();
            let differs = self.differs(expected, site.ops.get(at), site.place);
            return Err(called.and_then(Result::err).unwrap_or(differs));
        }
        if tail {
            self.may_leave(site, at, frames, !self.throws(callee))?;
        }
        let end = match (self.expansion(site, at, callee, rules.clone()), called) {
            (Ok(end), _) => end,
            (Err(_), Some(Err(error))) if call >= Some(self.input.first_added()) => {
                return Err(error.within(site.place));
            }
            (Err(error), _) => return Err(error),
        };
        let bodies = std::mem::take(&mut self.found.expanded);
        self.count_call(function, Some(&bodies));
        let offset = |at: usize| {
            site.ops
                .get(at)
                .map_or(self.input.linked.code.end, |op| op.offset)
        };
        self.found.ranges.push((offset(at), offset(end), root));
        self.within_budget(site, at, end, callee)?;
        match (tail, site.ops.get(end).map(|op| &op.operator)) {
            (true, Some(Operator::Return)) => Ok(end + 1),
            (true, _) => Err(self.differs("`return`".into(), site.ops.get(end), site.place)),
            _ => Ok(end),
        }
    }

    /// Counts a call of an import that is replaced, or the bodies that stand in
    /// its place, if that of the replacement is one of them.
    fn count_call(&mut self, function: u32, bodies: Option<&[Callee]>) {
        let Counterpart::Root(replacement) = self.input.inner[function as usize] else {
            return;
        };
        let callee = self.input.roots[replacement].callee;
        let site = &mut self.found.sites[replacement];
        match bodies {
            None => site.0 += 1,
            Some(bodies) => site.1 += u32::from(bodies.contains(&callee)),
        }
    }

    /// Whether a body is told to begin at `at`: then a call there may be its
    /// first operator.
    fn is_told(&self, site: &Site<'_, 'a>, at: usize, root: usize) -> bool {
        let ranges = &self.input.report.ranges;
        let offset = site.ops.get(at).map_or(0, |op| op.offset);
        let first = ranges.partition_point(|range| (range.start as usize) < offset);
        // Bodies that are nothing at all share their place with what follows.
        let mut here = ranges[first..]
            .iter()
            .take_while(|range| range.start as usize == offset);
        here.any(|range| range.root as usize == root)
    }

    /// A body is no larger than allowed, but for what takes its arguments, sets
    /// its locals to zero, and follows calls that were tail calls.
    fn within_budget(
        &self,
        site: &Site<'_, 'a>,
        at: usize,
        end: usize,
        callee: Callee,
    ) -> Result<(), CheckError> {
        let Some(body) = self.input.body(callee) else {
            return Ok(());
        };
        let around = 2 + u64::from(body.params()) + 2 * u64::from(body.locals.count());
        let allowed = u64::from(self.input.options.budget.body);
        if (end - at) as u64 <= 2 * allowed + around {
            return Ok(());
        }
        let expected = format!("a body of at most {allowed} operators");
        Err(self.differs(expected, site.ops.get(at), site.place))
    }
}

/// A call of an import of the guest that something stands for.
struct Call {
    /// The import, by function index.
    function: u32,
    /// What stands for it.
    root: usize,
    tail: bool,
}

fn has_label(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        Block { .. } | Loop { .. } | If { .. } | Try { .. } | TryTable { .. }
    )
}
