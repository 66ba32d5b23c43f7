//! Operands that are needed more than once.

use wasm_encoder::{Instruction, ValType};

use super::{Lower, opcode};
use crate::inline::ast::{LocalId, Node};
use crate::inline::scalar::Kind;
use crate::inline::visit::writes;

/// How to get at an operand again.
#[derive(Clone, Copy)]
pub(super) enum Again {
    Const(Kind, u64),
    /// A variable that nobody writes in between.
    Variable(u32),
    /// A scratch local of this operand.
    Scratch(u32),
}

impl Lower<'_> {
    /// Leaves the operand on the stack; `later` are those evaluated before it
    /// is needed again.
    pub(super) fn keep(&mut self, node: &Node, ty: ValType, later: &[&Node]) -> Again {
        if let Some(again) = self.atom(node, later) {
            self.again(again);
            return again;
        }
        self.node(node);
        self.keep_top(ty)
    }

    /// What is on the stack stays there.
    pub(super) fn keep_top(&mut self, ty: ValType) -> Again {
        let scratch = self.code.scratch(ty);
        self.emit(Instruction::LocalTee(scratch));
        Again::Scratch(scratch)
    }

    /// Evaluates the operand, and leaves nothing on the stack.
    pub(super) fn stash(&mut self, node: &Node, ty: ValType, later: &[&Node]) -> Again {
        if let Some(again) = self.atom(node, later) {
            return again;
        }
        self.node(node);
        self.stash_top(ty)
    }

    /// Takes what is on the stack.
    pub(super) fn stash_top(&mut self, ty: ValType) -> Again {
        let scratch = self.code.scratch(ty);
        self.emit(Instruction::LocalSet(scratch));
        Again::Scratch(scratch)
    }

    /// What can be read again as it is.
    fn atom(&mut self, node: &Node, later: &[&Node]) -> Option<Again> {
        match node {
            Node::Const(kind, bits) => Some(Again::Const(*kind, *bits)),
            Node::Get(local) if self.steady(*local, later) => {
                Some(Again::Variable(self.variable(*local)))
            }
            _ => None,
        }
    }

    fn steady(&self, local: LocalId, later: &[&Node]) -> bool {
        let lifted = self.usage.lifted_at_read(local);
        !lifted && !later.iter().any(|node| writes(node, local))
    }

    /// Whether reading it again costs no scratch local.
    pub(super) fn is_atom(&self, node: &Node) -> bool {
        match node {
            Node::Const(..) => true,
            Node::Get(local) => self.steady(*local, &[]),
            _ => false,
        }
    }

    pub(super) fn again(&mut self, again: Again) {
        match again {
            Again::Const(kind, bits) => self.emit(opcode::constant(kind, bits)),
            Again::Variable(index) | Again::Scratch(index) => {
                self.emit(Instruction::LocalGet(index));
            }
        }
    }

    /// The operand is not needed any more.
    pub(super) fn release(&mut self, again: Again) {
        if let Again::Scratch(index) = again {
            self.code.release(index);
        }
    }
}
