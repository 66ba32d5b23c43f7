//! The operators of one body as they are emitted.

use wasm_encoder::{BlockType, Instruction, ValType};

use crate::inline::ast::LabelId;

/// Where a branch to a loop's label goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jump {
    Break(LabelId),
    Continue(LabelId),
    /// The next round of a loop whose `continue` goes elsewhere.
    Repeat(LabelId),
}

struct Frame {
    target: Option<Jump>,
    /// Branches to it go to its end: it is not a `loop`.
    ends: bool,
    entered: bool,
    taken: bool,
}

#[derive(Default)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Instruction<'static>>,
    /// What traps mean, by the operator's ordinal.
    pub(crate) traps: Vec<(u32, &'static str)>,
    /// Types of the locals after the parameters.
    pub(crate) locals: Vec<ValType>,
    params: u32,
    /// Scratch locals that nobody uses at the moment.
    free: Vec<(ValType, u32)>,
    frames: Vec<Frame>,
    /// Nothing can get here: what would follow is not emitted.
    dead: bool,
}

impl Code {
    pub(crate) fn new(params: u32) -> Code {
        Code {
            params,
            ..Code::default()
        }
    }

    pub(crate) fn dead(&self) -> bool {
        self.dead
    }

    /// Emits an operator. One that reads a local right after it was written
    /// becomes `local.tee`.
    pub(crate) fn emit(&mut self, op: Instruction<'static>) {
        if self.dead {
            return;
        }
        if let (Instruction::LocalGet(get), Some(Instruction::LocalSet(set))) =
            (&op, self.ops.last())
            && get == set
        {
            let tee = Instruction::LocalTee(*get);
            self.ops.pop();
            self.ops.push(tee);
            return;
        }
        self.ops.push(op);
    }

    /// Emits an operator that may trap, and what that means.
    pub(crate) fn emit_trapping(&mut self, op: Instruction<'static>, message: &'static str) {
        if !self.dead {
            self.traps.push((self.ops.len() as u32, message));
        }
        self.emit(op);
    }

    /// Traps for good.
    pub(crate) fn trap(&mut self, message: &'static str) {
        self.emit_trapping(Instruction::Unreachable, message);
        self.dead = true;
    }

    /// Traps if the `i32` on the stack is not zero.
    pub(crate) fn trap_if(&mut self, message: &'static str) {
        self.emit(Instruction::If(BlockType::Empty));
        self.emit_trapping(Instruction::Unreachable, message);
        self.emit(Instruction::End);
    }

    /// Control does not get here: says so to the validator, which may think
    /// otherwise.
    pub(crate) fn unreachable(&mut self) {
        self.emit(Instruction::Unreachable);
        self.dead = true;
    }

    pub(crate) fn return_(&mut self) {
        self.emit(Instruction::Return);
        self.dead = true;
    }

    /// A local of its own, at first use.
    pub(crate) fn local(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        self.params + self.locals.len() as u32 - 1
    }

    /// A scratch local; always written before it is read.
    pub(crate) fn scratch(&mut self, ty: ValType) -> u32 {
        let found = self.free.iter().position(|free| free.0 == ty);
        match found {
            Some(at) => self.free.swap_remove(at).1,
            None => self.local(ty),
        }
    }

    pub(crate) fn release(&mut self, local: u32) {
        let ty = self.locals[(local - self.params) as usize];
        self.free.push((ty, local));
    }

    /// Opens a block, a loop or an `if`.
    pub(crate) fn open(&mut self, op: Instruction<'static>, target: Option<Jump>) {
        self.frames.push(Frame {
            target,
            ends: !matches!(op, Instruction::Loop(_)),
            entered: !self.dead,
            taken: false,
        });
        self.emit(op);
    }

    /// From the first arm of an `if` to the second.
    pub(crate) fn else_(&mut self) {
        self.dead = !self.frames.last().is_some_and(|frame| frame.entered);
        self.emit(Instruction::Else);
    }

    /// Closes what was opened last. `falls`: control gets to its end.
    pub(crate) fn close(&mut self, falls: bool) {
        let entered = self.close_inner(falls);
        if entered && self.dead {
            self.dead = false;
            self.unreachable();
        }
    }

    /// As [`Code::close`], if the end of another block with the same result
    /// follows: then the validator need not be told that nothing gets here.
    /// Whether control got into what was closed.
    pub(crate) fn close_inner(&mut self, falls: bool) -> bool {
        let frame = self.frames.pop().expect("every close has its open");
        self.dead = !frame.entered;
        self.emit(Instruction::End);
        let left = frame.ends && frame.taken;
        self.dead = !(frame.entered && (falls || left));
        frame.entered
    }

    pub(crate) fn branch(&mut self, to: Jump) {
        if let Some(depth) = self.depth(to) {
            self.emit(Instruction::Br(depth));
            self.dead = true;
        }
    }

    pub(crate) fn branch_if(&mut self, to: Jump) {
        if let Some(depth) = self.depth(to) {
            self.emit(Instruction::BrIf(depth));
        }
    }

    /// How many blocks out a target is, which is noted to be used.
    fn depth(&mut self, to: Jump) -> Option<u32> {
        let mut outwards = self.frames.iter_mut().rev();
        let depth = outwards.position(|frame| frame.target == Some(to))?;
        if !self.dead {
            let at = self.frames.len() - 1 - depth;
            self.frames[at].taken = true;
        }
        Some(depth as u32)
    }
}
