//! Which locals of a body may be read before the body writes them: those need
//! their zero at every call site, where a local lives on from the last time.

use std::collections::{HashMap, HashSet};

use wasmparser::Operator;

use super::module::Op;
use super::operator::Immediate;

/// The declared locals that some path through `body` reads first.
pub(super) fn read_before_written(body: &[Op<'_>], params: u32) -> HashSet<u32> {
    let mut walk = Walk::new(body, params);
    for op in body {
        walk.operator(op);
    }
    walk.unassigned
}

/// A set of locals, by their number among those that the body touches.
type Set = Vec<u64>;

struct Frame {
    /// What was written when the frame began: where handlers and `else` start.
    entry: Option<Set>,
    /// What is written on every path that jumps to the end of the frame.
    end: Option<Set>,
    is_loop: bool,
    is_if: bool,
}

struct Walk {
    /// Numbers for the locals that the body touches, in order of appearance.
    numbers: HashMap<u32, usize>,
    /// What is surely written here; nothing where control cannot come.
    written: Option<Set>,
    frames: Vec<Frame>,
    unassigned: HashSet<u32>,
}

impl Walk {
    fn new(body: &[Op<'_>], params: u32) -> Walk {
        let mut numbers = HashMap::new();
        for op in body {
            if let Some(local) = touched(&op.operator).filter(|local| *local >= params) {
                let next = numbers.len();
                numbers.entry(local).or_insert(next);
            }
        }
        let mut walk = Walk {
            written: Some(vec![0; numbers.len().div_ceil(64)]),
            numbers,
            frames: Vec::new(),
            unassigned: HashSet::new(),
        };
        walk.enter(false, false);
        walk
    }

    fn operator(&mut self, op: &Op<'_>) {
        match &op.operator {
            Operator::LocalGet { local_index } => self.read(*local_index),
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                self.write(*local_index);
            }
            Operator::Block { .. } => self.enter(false, false),
            Operator::Loop { .. } => self.enter(true, false),
            Operator::If { .. } => self.enter(false, true),
            Operator::Try { .. } => self.enter(false, false),
            Operator::TryTable { .. } => {
                // A handler may be reached before anything inside has run.
                self.jumps(op);
                self.enter(false, false);
            }
            Operator::Else | Operator::Catch { .. } | Operator::CatchAll => self.alternative(),
            Operator::End | Operator::Delegate { .. } => self.leave(),
            _ => self.other(op),
        }
    }

    fn other(&mut self, op: &Op<'_>) {
        self.jumps(op);
        if ends_path(&op.operator) {
            self.written = None;
        }
    }

    fn read(&mut self, local: u32) {
        let Some(&number) = self.numbers.get(&local) else {
            return;
        };
        let written = self.written.as_ref();
        if written.is_some_and(|set| set[number / 64] & (1 << (number % 64)) == 0) {
            self.unassigned.insert(local);
        }
    }

    fn write(&mut self, local: u32) {
        let number = self.numbers.get(&local).copied();
        if let (Some(number), Some(set)) = (number, &mut self.written) {
            set[number / 64] |= 1 << (number % 64);
        }
    }

    fn enter(&mut self, is_loop: bool, is_if: bool) {
        self.frames.push(Frame {
            entry: self.written.clone(),
            end: None,
            is_loop,
            is_if,
        });
    }

    /// Control may go on at each label of `op`.
    fn jumps(&mut self, op: &Op<'_>) {
        for immediate in op.parts().1 {
            let Immediate::Label(label) = immediate else {
                continue;
            };
            let frame = self.frames.len().checked_sub(1 + label as usize);
            // A jump back to a loop brings no less than entering it did.
            if let Some(frame) = frame.map(|frame| &mut self.frames[frame])
                && !frame.is_loop
            {
                meet(&mut frame.end, &self.written);
            }
        }
    }

    /// The second arm of an `if`, or a handler of a `try`.
    fn alternative(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            meet(&mut frame.end, &self.written);
            self.written = frame.entry.clone();
            frame.is_if = false;
        }
    }

    fn leave(&mut self) {
        let Some(mut frame) = self.frames.pop() else {
            return;
        };
        if frame.is_if {
            meet(&mut frame.end, &frame.entry);
        }
        meet(&mut frame.end, &self.written);
        self.written = frame.end;
    }
}

fn touched(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::LocalGet { local_index }
        | Operator::LocalSet { local_index }
        | Operator::LocalTee { local_index } => Some(*local_index),
        _ => None,
    }
}

/// Where two paths come together, only what both wrote is written.
fn meet(into: &mut Option<Set>, other: &Option<Set>) {
    match (&mut *into, other) {
        (_, None) => {}
        (None, Some(other)) => *into = Some(other.clone()),
        (Some(into), Some(other)) => {
            for (into, other) in into.iter_mut().zip(other) {
                *into &= other;
            }
        }
    }
}

pub(super) fn ends_path(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        Br { .. }
            | BrTable { .. }
            | Return
            | ReturnCall { .. }
            | ReturnCallIndirect { .. }
            | ReturnCallRef { .. }
            | Rethrow { .. }
            | Throw { .. }
            | ThrowRef
            | Unreachable
    )
}
