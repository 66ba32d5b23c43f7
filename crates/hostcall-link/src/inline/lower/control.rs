//! Statements, blocks, branches, loops and calls.

use wasm_encoder::{BlockType, Instruction};

use super::Lower;
use super::code::Jump;
use crate::inline::ast::{Block, Call, Callee, If, LocalId, Loop, Node, Stmt, While};
use crate::inline::scalar::Kind;
use crate::inline::visit::quiet;

/// A condition of so many nodes is put at the end of its loop, too, which saves
/// a jump per round.
const REPEATED: usize = 6;

impl Lower<'_> {
    pub(super) fn block(&mut self, block: &Block) {
        self.stmts(&block.stmts);
        if let Some(value) = &block.value {
            self.node(value);
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if self.code.dead() {
                return;
            }
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Eval(node) => self.eval(node),
            Stmt::Set(local, value) => self.set(*local, value),
            Stmt::Store(kind, place, value) => self.store(*kind, place, value),
            Stmt::Copy {
                address,
                to,
                from,
                len,
            } => self.copy(*address, [to, from, len]),
            Stmt::Fill {
                address,
                to,
                byte,
                len,
            } => self.fill(*address, to, byte, len),
            Stmt::While(stmt) => self.while_(stmt),
            Stmt::Break(label, value) => self.leave(value.as_ref(), Jump::Break(*label)),
            Stmt::Continue(label) => self.code.branch(Jump::Continue(*label)),
            Stmt::Return(value) => {
                value.iter().for_each(|value| self.node(value));
                self.code.return_();
            }
            Stmt::Trap(message) => self.code.trap(message),
        }
    }

    fn leave(&mut self, value: Option<&Node>, to: Jump) {
        value.into_iter().for_each(|value| self.node(value));
        self.code.branch(to);
    }

    /// Evaluates for the effects.
    fn eval(&mut self, node: &Node) {
        if quiet(node).is_some() {
            return;
        }
        self.node(node);
        if has_value(node) {
            self.emit(Instruction::Drop);
        }
    }

    fn set(&mut self, local: LocalId, value: &Node) {
        if self.usage.reads(local) == 0 {
            return self.eval(value);
        }
        self.node(value);
        let index = self.variable(local);
        self.emit(Instruction::LocalSet(index));
    }

    pub(super) fn if_(&mut self, node: &If) {
        if let Some(to) = lone_branch(node) {
            self.condition(&node.cond);
            return self.code.branch_if(to);
        }
        let (then, els) = (&node.then, &node.els);
        if is_empty(then) && is_empty(els) {
            return self.eval(&node.cond);
        }
        if is_empty(then) {
            self.condition_not(&node.cond);
            return self.arms(node.result, els, None);
        }
        self.condition(&node.cond);
        self.arms(node.result, then, Some(els).filter(|els| !is_empty(els)));
    }

    fn arms(&mut self, result: Option<Kind>, then: &Block, els: Option<&Block>) {
        self.code.open(Instruction::If(block_type(result)), None);
        self.block(then);
        let mut falls = !self.code.dead();
        match els {
            Some(els) => {
                self.code.else_();
                self.block(els);
                falls |= !self.code.dead();
            }
            None => falls = true,
        }
        self.code.close(falls);
    }

    /// A block is opened around a loop only for what leaves it from the middle.
    pub(super) fn loop_(&mut self, node: &Loop) {
        let (body, repeat) = self.last_break(node);
        let breaks = self.function.labels[node.label as usize].breaks;
        let outer = breaks > u32::from(repeat.is_some());
        if outer {
            let block = Instruction::Block(block_type(node.result));
            self.code.open(block, Some(Jump::Break(node.label)));
        }
        let start = Instruction::Loop(block_type(node.result));
        self.code.open(start, Some(Jump::Continue(node.label)));
        self.stmts(body);
        if let Some(until) = repeat {
            self.condition_not(until);
            self.code.branch_if(Jump::Continue(node.label));
        } else {
            // The value of a body is `()`, or never there.
            self.code.branch(Jump::Continue(node.label));
        }
        let falls = !self.code.dead();
        if outer {
            self.code.close_inner(falls);
            self.code.close(falls);
        } else {
            self.code.close(falls);
        }
    }

    /// `if until { break; }` at the end of a loop.
    fn last_break<'n>(&self, node: &'n Loop) -> (&'n [Stmt], Option<&'n Node>) {
        let stmts = &node.body.stmts[..];
        match stmts.split_last() {
            Some((Stmt::Eval(Node::If(last)), rest))
                if lone_branch(last) == Some(Jump::Break(node.label)) =>
            {
                (rest, Some(&last.cond))
            }
            _ => (stmts, None),
        }
    }

    pub(super) fn while_(&mut self, node: &While) {
        let cond = &node.cond;
        let small = |value| quiet(value).is_some_and(|size| size <= REPEATED);
        match &cond.value {
            Some(value) if cond.stmts.is_empty() && small(value) => {
                self.while_repeated(node, value);
            }
            _ => self.while_tested(node),
        }
    }

    /// `if cond { loop { body; if cond { continue } } }`.
    fn while_repeated(&mut self, node: &While, cond: &Node) {
        let continued = self.function.labels[node.label as usize].continued;
        self.condition(cond);
        self.open_empty(Instruction::If, Some(Jump::Break(node.label)));
        let again = Jump::Repeat(node.label);
        self.open_empty(Instruction::Loop, Some(again));
        if continued {
            self.open_empty(Instruction::Block, Some(Jump::Continue(node.label)));
        }
        self.block(&node.body);
        if continued {
            let falls = !self.code.dead();
            self.code.close(falls);
        }
        self.condition(cond);
        self.code.branch_if(again);
        let falls = !self.code.dead();
        self.code.close_inner(falls);
        self.code.close(true);
    }

    /// `loop { if cond { body; continue } }`.
    fn while_tested(&mut self, node: &While) {
        self.open_empty(Instruction::Loop, Some(Jump::Continue(node.label)));
        self.block(&node.cond);
        self.open_empty(Instruction::If, Some(Jump::Break(node.label)));
        self.block(&node.body);
        self.code.branch(Jump::Continue(node.label));
        self.code.close(true);
        let falls = !self.code.dead();
        self.code.close(falls);
    }

    fn open_empty(
        &mut self,
        op: impl FnOnce(BlockType) -> Instruction<'static>,
        target: Option<Jump>,
    ) {
        self.code.open(op(BlockType::Empty), target);
    }

    pub(super) fn call(&mut self, call: &Call) {
        for (_, arg) in &call.args {
            self.node(arg);
        }
        match call.callee {
            Callee::Host(index) => {
                self.emit(Instruction::Call(index));
                call.result
                    .into_iter()
                    .for_each(|kind| self.normalise(kind));
            }
            Callee::Inline(index) => {
                self.check_signature(index, call);
                self.emit(Instruction::Call(self.module.imports + index));
            }
        }
    }

    fn check_signature(&mut self, index: u32, call: &Call) {
        let (params, result) = &self.module.types[index as usize];
        let args: Vec<Kind> = call.args.iter().map(|arg| arg.0).collect();
        if *params != args || *result != call.result {
            self.mismatch = Some(format!(
                "a call passes {args:?} and expects {:?}, but the function takes {params:?} and \
                 returns {result:?}",
                call.result
            ));
        }
    }
}

fn block_type(result: Option<Kind>) -> BlockType {
    match result {
        Some(kind) => BlockType::Result(kind.wasm()),
        None => BlockType::Empty,
    }
}

fn is_empty(block: &Block) -> bool {
    block.stmts.is_empty() && block.value.is_none()
}

/// `if cond { break }`, or the same with `continue`.
fn lone_branch(node: &If) -> Option<Jump> {
    match (&node.then.stmts[..], &node.then.value) {
        _ if !is_empty(&node.els) => None,
        ([Stmt::Break(label, None)], None) => Some(Jump::Break(*label)),
        ([Stmt::Continue(label)], None) => Some(Jump::Continue(*label)),
        _ => None,
    }
}

/// Whether evaluating it leaves a value on the stack.
fn has_value(node: &Node) -> bool {
    match node {
        Node::If(node) => node.result.is_some(),
        Node::Loop(node) => node.result.is_some(),
        Node::Call(call) => call.result.is_some(),
        Node::Block(block) => block.value.is_some(),
        Node::Never => false,
        _ => true,
    }
}
