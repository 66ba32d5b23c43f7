//! A call site where the body of a provider's function stands instead of the
//! call.

use std::collections::HashSet;
use std::rc::Rc;

use wasmparser::Operator;

use super::assigned::read_before_written;
use super::error::CheckError;
use super::input::{Body, Callee};
use super::module::{Op, Signature};
use super::relate::{Scope, block_signature};
use super::renaming::{Home, Renaming, Rules};
use super::{Check, zero};

/// Bodies in progress around an expansion: more than the linker ever nests.
const MAX_DEPTH: usize = 80;

/// The linked function around the call site.
pub(super) struct Site<'s, 'a> {
    pub(super) ops: &'s [Op<'a>],
    pub(super) place: &'s str,
    /// The functions whose expansions are around this one.
    pub(super) chain: Vec<Callee>,
}

impl<'a> Check<'_, 'a> {
    /// Matches a call of `callee` that stands in a body, from position `at`, and
    /// returns the position behind.
    fn inner_call(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        rules: Rules,
    ) -> Result<usize, CheckError> {
        let called = match operator(site, at) {
            Some(Operator::Call { function_index }) => {
                let function = *function_index;
                Some(self.calls(callee, function, site, at))
            }
            _ => None,
        };
        let inner = self.input.resolve(callee);
        let inner = inner.filter(|_| self.input.call_sites(callee));
        match (inner, called) {
            (Some(inner), Some(Ok(()))) if self.begins_with_itself(inner) => {
                self.guess(site, at, inner, rules)
            }
            (_, Some(Ok(()))) => Ok(at + 1),
            (Some(inner), _) => self.expansion(site, at, inner, rules),
            (None, _) => Err(self.differs("a call".into(), site.ops.get(at), site.place)),
        }
    }

    /// A body that begins with a call of itself looks like that call, until one
    /// looks further. Two such bodies that call each other can look alike: so
    /// an error that follows may be ours.
    fn guess(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        rules: Rules,
    ) -> Result<usize, CheckError> {
        self.found.guessed = true;
        let mark = self.mark();
        let expanded = self.expansion(site, at, callee, rules);
        expanded.or_else(|_| {
            self.forget(mark);
            Ok(at + 1)
        })
    }

    /// Whether the first operator of a body, once bodies stand in the place of
    /// calls, may be a call of the body's own function.
    fn begins_with_itself(&mut self, callee: Callee) -> bool {
        if let Some(known) = self.found.leads.get(&callee) {
            return *known;
        }
        let mut first = self.first_call(callee);
        for _ in 0..MAX_DEPTH {
            let next = first.filter(|next| *next != callee);
            first = next.map_or(first, |next| self.first_call(next));
        }
        let leads = first == Some(callee);
        self.found.leads.insert(callee, leads);
        leads
    }

    fn first_call(&self, callee: Callee) -> Option<Callee> {
        let body = self.input.body(callee)?;
        match body.ops.get(body.params() as usize)?.operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                self.input.resolve((callee.0, function_index))
            }
            _ => None,
        }
    }

    /// Whether a call of `callee` may have become the call of `function` at `at`.
    fn calls(
        &mut self,
        callee: Callee,
        function: u32,
        site: &Site<'_, 'a>,
        at: usize,
    ) -> Result<(), CheckError> {
        match self.input.resolve(callee) {
            Some(callee) => self.copied(callee, function),
            None if self.input.is_host_call(callee, function) => Ok(()),
            None => {
                let expected = "a call of the host function that the body calls";
                Err(self.differs(expected.into(), site.ops.get(at), site.place))
            }
        }
    }

    /// Matches the body of `callee`, in either form.
    pub(super) fn expansion(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        rules: Rules,
    ) -> Result<usize, CheckError> {
        self.step(site.place)?;
        let body = self.input.body(callee);
        let open = self.found.depth < MAX_DEPTH && !site.chain.contains(&callee);
        let Some(body) = body.filter(|_| open) else {
            return Err(self.differs("a call".into(), site.ops.get(at), site.place));
        };
        site.chain.push(callee);
        self.found.depth += 1;
        let result = self.either_form(site, at, callee, &body, rules);
        self.found.depth -= 1;
        site.chain.pop();
        self.found.expanded.extend(result.is_ok().then_some(callee));
        result
    }

    fn either_form(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        body: &Rc<Body<'a>>,
        rules: Rules,
    ) -> Result<usize, CheckError> {
        let mark = self.mark();
        let mut furthest: Option<CheckError> = None;
        let mut failed = |error: CheckError| match &furthest {
            Some(known) if known.offset() > error.offset() => {}
            _ => furthest = Some(error),
        };
        // What sets a local to zero may go before the body, belong to it, or to
        // what stands behind it: the fewest that will do. So may a block be the
        // guest's: a body that needs none has none.
        let fewest = self.zeros(callee, body).len();
        for resets in fewest..=zeroed(site, at) {
            match self.on_stack(site, at, resets, callee, body, rules.clone()) {
                Ok(end) => return Ok(end),
                Err(error) => failed(error),
            }
            self.forget(mark);
        }
        match self.in_block(site, at, callee, body, rules) {
            Ok(end) => return Ok(end),
            Err(error) => failed(error),
        }
        self.forget(mark);
        let none = || self.differs("a body".into(), site.ops.get(at), site.place);
        Err(furthest.unwrap_or_else(none))
    }

    /// Arguments go to locals, and a block stands around the body.
    fn in_block(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        body: &Rc<Body<'a>>,
        rules: Rules,
    ) -> Result<usize, CheckError> {
        let mut renaming = Renaming::new(body, self.zeros(callee, body), rules, Home::Block);
        let mut at = at;
        for param in (0..body.params()).rev() {
            let named = match operator(site, at) {
                Some(Operator::LocalSet { local_index }) => renaming.name(param, *local_index),
                _ => false,
            };
            if !named {
                let expected = format!("`local.set` of a local for parameter {param}");
                return Err(self.differs(expected, site.ops.get(at), site.place));
            }
            at += 1;
        }
        at = self.resets(site, at, zeroed(site, at), &mut renaming)?;
        let results = Signature {
            params: Vec::new(),
            results: body.signature.results.clone(),
        };
        match operator(site, at) {
            Some(Operator::Block { blockty })
                if block_signature(&self.input.linked, *blockty) == results => {}
            _ => {
                let expected = format!("a block of {results:?}");
                return Err(self.differs(expected, site.ops.get(at), site.place));
            }
        }
        self.inside(site, at + 1, callee, (body, 0), &mut renaming)
    }

    /// Arguments stay on the stack, where the body takes them.
    fn on_stack(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        resets: usize,
        callee: Callee,
        body: &Rc<Body<'a>>,
        rules: Rules,
    ) -> Result<usize, CheckError> {
        let mut renaming = Renaming::new(body, self.zeros(callee, body), rules, Home::Bare);
        let at = self.resets(site, at, resets, &mut renaming)?;
        let params = body.params() as usize;
        let takes = |(param, op): (usize, &Op<'_>)| match op.operator {
            Operator::LocalGet { local_index } => local_index as usize == param,
            _ => false,
        };
        let mut taken = body.ops.iter().take(params).enumerate();
        if body.ops.len() <= params || !taken.all(takes) {
            let expected = "a body that takes its parameters first, or locals for them";
            return Err(self.differs(expected.into(), site.ops.get(at), site.place));
        }
        self.inside(site, at, callee, (body, params), &mut renaming)
    }

    fn resets(
        &self,
        site: &Site<'_, 'a>,
        at: usize,
        count: usize,
        renaming: &mut Renaming,
    ) -> Result<usize, CheckError> {
        for reset in 0..count {
            let at = at + 2 * reset + 1;
            let Some(Operator::LocalSet { local_index }) = operator(site, at) else {
                return Err(self.differs("`local.set`".into(), site.ops.get(at), site.place));
            };
            if !renaming.reset(*local_index) {
                let expected = "a local that is free here".into();
                return Err(self.differs(expected, site.ops.get(at), site.place));
            }
        }
        Ok(at + 2 * count)
    }

    /// The locals of a body that must begin as zero.
    pub(super) fn zeros(&mut self, callee: Callee, body: &Body<'a>) -> Rc<HashSet<u32>> {
        let zeros = self.found.zeros.entry(callee);
        let compute = || Rc::new(read_before_written(&body.ops, body.params()));
        zeros.or_insert_with(compute).clone()
    }

    /// Matches the operators of a body, from the `start`th on.
    pub(super) fn inside(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        (body, start): (&Rc<Body<'a>>, usize),
        renaming: &mut Renaming,
    ) -> Result<usize, CheckError> {
        let mut at = at;
        // For each open block: whether it catches exceptions.
        let mut frames: Vec<bool> = Vec::new();
        for (ordinal, op) in body.ops.iter().enumerate().skip(start) {
            renaming.open = frames.len() as u32;
            if frames.is_empty() && matches!(op.operator, Operator::End) {
                return self.leave(site, at, renaming);
            }
            let before = at;
            at = self.body_operator(site, at, callee, op, renaming, &frames)?;
            self.note_trap(callee, ordinal, site.ops.get(before));
            track(&mut frames, &op.operator);
        }
        Err(self.differs("a body with an end".into(), site.ops.get(at), site.place))
    }

    fn leave(
        &mut self,
        site: &Site<'_, 'a>,
        at: usize,
        renaming: &Renaming,
    ) -> Result<usize, CheckError> {
        match operator(site, at) {
            _ if renaming.home == Home::Bare => Ok(at),
            Some(Operator::End) => Ok(at + 1),
            _ => Err(self.differs("`end` of the body".into(), site.ops.get(at), site.place)),
        }
    }

    fn body_operator(
        &mut self,
        site: &mut Site<'_, 'a>,
        at: usize,
        callee: Callee,
        op: &Op<'a>,
        renaming: &mut Renaming,
        frames: &[bool],
    ) -> Result<usize, CheckError> {
        let provider = callee.0;
        match op.operator {
            Operator::Return => self.exit(site, at, renaming),
            Operator::Call { function_index } => {
                self.inner_call(site, at, (provider, function_index), renaming.inside())
            }
            Operator::ReturnCall { function_index } => {
                let callee = (provider, function_index);
                if renaming.home == Home::Function
                    && let Some(Operator::ReturnCall { function_index }) = operator(site, at)
                {
                    let function = *function_index;
                    self.calls(callee, function, site, at)?;
                    return Ok(at + 1);
                }
                self.may_leave(site, at, frames, !self.throws(callee))?;
                let at = self.inner_call(site, at, callee, renaming.inside())?;
                self.exit(site, at, renaming)
            }
            Operator::ReturnCallRef { type_index } if renaming.home != Home::Function => {
                self.may_leave(site, at, frames, false)?;
                let call = Op {
                    offset: op.offset,
                    operator: Operator::CallRef { type_index },
                };
                let mut scope = Scope::Body { provider, renaming };
                self.operator(&mut scope, &call, site.ops.get(at), site.place)?;
                self.exit(site, at + 1, renaming)
            }
            _ => {
                // The label of `delegate` is counted from outside of its `try`.
                renaming.open -= u32::from(matches!(op.operator, Operator::Delegate { .. }));
                let mut scope = Scope::Body { provider, renaming };
                self.operator(&mut scope, op, site.ops.get(at), site.place)?;
                Ok(at + 1)
            }
        }
    }

    /// The body is left.
    fn exit(
        &self,
        site: &Site<'_, 'a>,
        at: usize,
        renaming: &Renaming,
    ) -> Result<usize, CheckError> {
        let depth = renaming.open;
        let expected = match (renaming.home, operator(site, at)) {
            (Home::Function, Some(Operator::Return)) => return Ok(at + 1),
            (Home::Block, Some(Operator::Br { relative_depth })) if *relative_depth == depth => {
                return Ok(at + 1);
            }
            (Home::Function, _) => "`return`".to_owned(),
            (Home::Block, _) => format!("`br {depth}` to the block around the body"),
            (Home::Bare, _) => "a block around a body that returns early".to_owned(),
        };
        Err(self.differs(expected, site.ops.get(at), site.place))
    }

    /// A tail call leaves the handlers around it; what stands in its place
    /// does not. That is the same only if nothing is thrown.
    pub(super) fn may_leave(
        &self,
        site: &Site<'_, 'a>,
        at: usize,
        frames: &[bool],
        quiet: bool,
    ) -> Result<(), CheckError> {
        if quiet || !frames.contains(&true) {
            return Ok(());
        }
        let expected = "a tail call, as it stands inside a `try` and the callee may throw";
        Err(self.differs(expected.into(), site.ops.get(at), site.place))
    }

    /// Whether an exception may come out of a function of a provider.
    pub(super) fn throws(&self, callee: Callee) -> bool {
        let callee = self.input.resolve(callee).unwrap_or(callee);
        let mut seen = HashSet::from([callee]);
        let mut open = vec![callee];
        while let Some(callee) = open.pop() {
            let body = self
                .input
                .resolve(callee)
                .and_then(|callee| self.input.body(callee));
            let Some(body) = body else {
                return true;
            };
            for op in &body.ops {
                match op.operator {
                    Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                        let next = (callee.0, function_index);
                        let next = self.input.resolve(next).unwrap_or(next);
                        if seen.insert(next) {
                            open.push(next);
                        }
                    }
                    _ if throws(&op.operator) => return true,
                    _ => {}
                }
            }
        }
        false
    }
}

fn throws(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        CallRef { .. }
            | ReturnCallRef { .. }
            | CallIndirect { .. }
            | ReturnCallIndirect { .. }
            | Throw { .. }
            | ThrowRef
            | Rethrow { .. }
            | Resume { .. }
            | ResumeThrow { .. }
            | ResumeThrowRef { .. }
            | Suspend { .. }
            | Switch { .. }
    )
}

/// Follows the blocks of a body: for each open one, whether it catches.
pub(super) fn track(frames: &mut Vec<bool>, operator: &Operator<'_>) {
    match operator {
        Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => frames.push(false),
        Operator::Try { .. } | Operator::TryTable { .. } => frames.push(true),
        Operator::Catch { .. } | Operator::CatchAll => {
            if let Some(last) = frames.last_mut() {
                *last = false;
            }
        }
        Operator::End | Operator::Delegate { .. } => drop(frames.pop()),
        _ => {}
    }
}

fn operator<'s, 'a>(site: &'s Site<'_, 'a>, at: usize) -> Option<&'s Operator<'a>> {
    site.ops.get(at).map(|op| &op.operator)
}

/// How many locals are set to zero from position `at` on.
fn zeroed(site: &Site<'_, '_>, at: usize) -> usize {
    let ops = site.ops.get(at..).unwrap_or_default();
    let pairs = ops.chunks_exact(2).take_while(|pair| {
        zero(&pair[0].operator) && matches!(pair[1].operator, Operator::LocalSet { .. })
    });
    pairs.count()
}
