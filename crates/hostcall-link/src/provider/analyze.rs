//! Finds out, once per body, what decides how it can stand at a call site.

use wasmparser::{Catch, FunctionBody, Operator, OperatorsReader};

use crate::ParseError;

/// What is known about the body of a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Operators, without the `end` of the function.
    pub(crate) operators: u32,
    /// For each declared local, whether it may be read before it is written: at
    /// a call site it must then be set to zero first.
    pub(crate) resets: Vec<bool>,
    /// Whether the body takes its parameters straight from the stack: it begins
    /// with `local.get` of each in order, never touches one again, and leaves
    /// only at its end.
    pub(crate) takes_stack: bool,
    /// Whether a tail call inside a `try` makes it impossible to put the body
    /// anywhere else: as an ordinary call, it would be inside the `try`.
    pub(crate) pinned: bool,
    /// Whether an exception may come out of something other than `call`.
    pub(crate) throws: bool,
    /// Whether it has tail calls that are not direct.
    pub(crate) tails: bool,
    /// Direct calls, in order.
    pub(crate) calls: Vec<DirectCall>,
    /// Indices of the functions that a reference is taken to, in order.
    pub(crate) refs: Vec<u32>,
}

/// A call that names the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirectCall {
    /// The function's index.
    pub(crate) function: u32,
    pub(crate) is_tail: bool,
}

/// Reads the body of a valid function with `params` parameters.
pub(crate) fn analyze(
    body: &FunctionBody<'_>,
    params: u32,
    locals: usize,
) -> Result<Facts, ParseError> {
    let mut analysis = Analysis::new(params, locals);
    let mut operators = OperatorsReader::new(body.get_binary_reader_for_operators()?);
    while !operators.eof() {
        analysis.operator(&operators.read()?);
    }
    Ok(analysis.finish())
}

struct Analysis {
    params: u32,
    facts: Facts,
    /// Locals that are surely written by now, in the order of their writes.
    written: Vec<u32>,
    is_written: Vec<bool>,
    /// The open blocks, without the function itself.
    frames: Vec<Frame>,
    /// Open frames that catch exceptions.
    tries: u32,
    /// Whether the function can be left before its end.
    exits: bool,
    touches_params: bool,
}

struct Frame {
    /// How many locals were written when it began.
    written: usize,
    catches: bool,
}

impl Analysis {
    fn new(params: u32, locals: usize) -> Analysis {
        Analysis {
            params,
            facts: Facts {
                resets: vec![false; locals],
                ..Facts::default()
            },
            written: Vec::new(),
            is_written: vec![false; locals],
            frames: Vec::new(),
            tries: 0,
            exits: false,
            touches_params: false,
        }
    }

    fn finish(mut self) -> Facts {
        // The `end` of the function was counted as well.
        self.facts.operators = self.facts.operators.saturating_sub(1);
        self.facts.takes_stack =
            !self.exits && !self.touches_params && self.facts.operators >= self.params;
        self.facts
    }

    fn operator(&mut self, operator: &Operator<'_>) {
        self.control(operator);
        self.local(operator);
        self.function(operator);
        self.label(operator);
        self.facts.operators += 1;
    }

    fn control(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.push(false);
            }
            Operator::Try { .. } => self.push(true),
            // The labels of its handlers are outside of it.
            Operator::TryTable { try_table } => {
                for catch in &try_table.catches {
                    self.target(catch_label(catch));
                }
                self.push(true);
            }
            Operator::Else | Operator::Catch { .. } | Operator::CatchAll => self.restart(),
            Operator::End | Operator::Delegate { .. } => self.pop(),
            Operator::Unreachable | Operator::Throw { .. } if self.frames.is_empty() => {
                self.exits = true;
            }
            Operator::ThrowRef | Operator::Rethrow { .. } if self.frames.is_empty() => {
                self.exits = true;
            }
            Operator::Return => self.exits = true,
            _ => {}
        }
    }

    fn push(&mut self, catches: bool) {
        self.tries += u32::from(catches);
        let written = self.written.len();
        self.frames.push(Frame { written, catches });
    }

    /// Another arm begins, in which nothing of the arm before has happened.
    fn restart(&mut self) {
        if let Some(frame) = self.frames.last() {
            self.forget(frame.written);
        }
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.tries -= u32::from(frame.catches);
            self.forget(frame.written);
        }
    }

    fn forget(&mut self, keep: usize) {
        for local in self.written.drain(keep..) {
            self.is_written[local as usize] = false;
        }
    }

    fn local(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::LocalGet { local_index } => {
                let taken = self.facts.operators == local_index;
                self.touches_params |= local_index < self.params && !taken;
                self.read(local_index);
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                self.touches_params |= local_index < self.params;
                self.write(local_index);
            }
            _ => {}
        }
        // The first operators must take all of them.
        if self.facts.operators < self.params {
            let next = self.facts.operators;
            let taken =
                matches!(operator, Operator::LocalGet { local_index } if *local_index == next);
            self.touches_params |= !taken;
        }
    }

    fn read(&mut self, local: u32) {
        if let Some(local) = local.checked_sub(self.params) {
            let local = local as usize;
            self.facts.resets[local] |= !self.is_written[local];
        }
    }

    fn write(&mut self, local: u32) {
        let Some(local) = local.checked_sub(self.params) else {
            return;
        };
        if !std::mem::replace(&mut self.is_written[local as usize], true) {
            self.written.push(local);
        }
    }

    fn function(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::Call { function_index } => self.direct_call(function_index, false),
            Operator::ReturnCall { function_index } => {
                self.direct_call(function_index, true);
                self.tail_call();
            }
            Operator::ReturnCallRef { .. } | Operator::ReturnCallIndirect { .. } => {
                self.facts.throws = true;
                self.facts.tails = true;
                self.tail_call();
            }
            Operator::RefFunc { function_index } => self.facts.refs.push(function_index),
            Operator::CallRef { .. }
            | Operator::CallIndirect { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. } => self.facts.throws = true,
            _ => {}
        }
    }

    fn direct_call(&mut self, function: u32, is_tail: bool) {
        self.facts.calls.push(DirectCall { function, is_tail });
    }

    fn tail_call(&mut self) {
        self.exits = true;
        self.facts.pinned |= self.tries > 0;
    }

    fn label(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Br { relative_depth }
            | Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. }
            | Operator::BrOnCastDescEq { relative_depth, .. }
            | Operator::BrOnCastDescEqFail { relative_depth, .. }
            | Operator::Delegate { relative_depth } => self.target(*relative_depth),
            Operator::BrTable { targets } => {
                self.target(targets.default());
                for target in targets.targets().map_while(Result::ok) {
                    self.target(target);
                }
            }
            _ => {}
        }
    }

    fn target(&mut self, depth: u32) {
        self.exits |= depth as usize >= self.frames.len();
    }
}

fn catch_label(catch: &Catch) -> u32 {
    match *catch {
        Catch::One { label, .. }
        | Catch::OneRef { label, .. }
        | Catch::All { label }
        | Catch::AllRef { label } => label,
    }
}
