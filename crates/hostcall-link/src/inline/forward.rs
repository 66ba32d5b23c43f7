//! Puts what a variable is assigned where the variable is read, if that is the
//! only assignment and the only read, and nothing in between can tell: then the
//! value stays on the stack.

use super::ast::{Block, Function, LocalId, Node, Place, Stmt};
use super::usage::Usage;
use super::visit::{quiet_alone, writes};

pub(crate) fn single_uses(function: &mut Function) {
    let usage = Usage::of(function);
    let params = function.params;
    let single =
        |local: LocalId| local >= params && usage.reads(local) == 1 && usage.writes(local) == 1;
    block(&mut function.body, &single);
}

type Single<'a> = &'a dyn Fn(LocalId) -> bool;

fn block(of: &mut Block, single: Single<'_>) {
    of.stmts
        .iter_mut()
        .for_each(|stmt| inside_stmt(stmt, single));
    of.value
        .iter_mut()
        .for_each(|value| inside_node(value, single));
    let mut at = of.stmts.len();
    while at > 0 {
        at -= 1;
        forward(of, at, single);
    }
}

/// Moves the value of the assignment at `at`, if it is one, into what follows.
fn forward(of: &mut Block, at: usize, single: Single<'_>) {
    let (before, after) = of.stmts.split_at_mut(at + 1);
    let Some(Stmt::Set(local, value)) = before.last_mut() else {
        return;
    };
    if !single(*local) {
        return;
    }
    let mut moving = Moving {
        local: *local,
        value: Some(std::mem::replace(value, Node::Never)),
    };
    match (after.first_mut(), &mut of.value) {
        (Some(next), _) => moving.enter_stmt(next),
        (None, Some(value)) => moving.enter_node(value),
        (None, None) => Step::Blocked,
    };
    match moving.value {
        Some(back) => *value = back,
        None => drop(of.stmts.remove(at)),
    }
}

/// What a part of a tree means for the search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Found,
    /// Nothing here, and evaluating it before or after the value is the same.
    Passed,
    Blocked,
}

struct Moving {
    local: LocalId,
    value: Option<Node>,
}

impl Moving {
    /// Whether the value, if evaluated later, would change this variable too
    /// late for a read.
    fn disturbs(&self, local: LocalId) -> bool {
        self.value
            .as_ref()
            .is_some_and(|value| writes(value, local))
    }

    fn enter_stmt(&mut self, stmt: &mut Stmt) -> Step {
        let step = match stmt {
            Stmt::Eval(node) | Stmt::Set(_, node) => self.enter_node(node),
            Stmt::Return(Some(node)) | Stmt::Break(_, Some(node)) => self.enter_node(node),
            Stmt::Store(_, Place::Guest(_, address), value) => self.enter_all([address, value]),
            Stmt::Store(_, Place::Page { index, .. }, value) => {
                self.enter_all([value].into_iter().chain(index))
            }
            Stmt::Copy { to, from, len, .. } => self.enter_all([to, from, len]),
            Stmt::Fill { to, byte, len, .. } => self.enter_all([to, byte, len]),
            _ => Step::Blocked,
        };
        after(step, false)
    }

    fn enter_node(&mut self, node: &mut Node) -> Step {
        let quiet = quiet_alone(node);
        let step = match node {
            Node::Get(local) if *local == self.local => {
                *node = self.value.take().unwrap_or(Node::Never);
                return Step::Found;
            }
            Node::Get(local) if self.disturbs(*local) => Step::Blocked,
            Node::Const(..) | Node::Get(_) => Step::Passed,
            Node::Unary(_, _, a) | Node::Cast(_, _, a) | Node::Reinterpret(_, a) => {
                self.enter_node(a)
            }
            Node::Binary(_, _, a, b) | Node::Shift(_, _, _, a, b) => self.enter_all([&mut **a, b]),
            Node::Logic(_, a, _) => after(self.enter_node(a), false),
            Node::If(node) => after(self.enter_node(&mut node.cond), false),
            Node::Load(_, place) => self.enter_place(place),
            Node::Index { index, .. } => self.enter_node(index),
            Node::Call(call) => self.enter_all(call.args.iter_mut().map(|arg| &mut arg.1)),
            Node::Block(block) => self.enter_block(block),
            Node::Loop(_) | Node::MemorySize | Node::Never => Step::Blocked,
        };
        after(step, quiet)
    }

    fn enter_place(&mut self, place: &mut Place) -> Step {
        match place {
            Place::Guest(_, address) => self.enter_node(address),
            Place::Page { index, .. } => self.enter_all(index),
        }
    }

    fn enter_block(&mut self, block: &mut Block) -> Step {
        match (block.stmts.first_mut(), &mut block.value) {
            (Some(stmt), _) => self.enter_stmt(stmt),
            (None, Some(value)) => self.enter_node(value),
            (None, None) => Step::Blocked,
        }
    }

    /// Into the first one that takes it, in the order of evaluation.
    fn enter_all<'n>(&mut self, nodes: impl IntoIterator<Item = &'n mut Node>) -> Step {
        let mut nodes = nodes.into_iter();
        let step = nodes.find_map(|node| match self.enter_node(node) {
            Step::Passed => None,
            step => Some(step),
        });
        step.unwrap_or(Step::Passed)
    }
}

/// Operands that were passed make what they belong to pass only if it is quiet
/// itself.
fn after(operands: Step, quiet: bool) -> Step {
    match operands {
        Step::Passed if !quiet => Step::Blocked,
        step => step,
    }
}

fn inside_stmt(stmt: &mut Stmt, single: Single<'_>) {
    match stmt {
        Stmt::Eval(node) | Stmt::Set(_, node) => inside_node(node, single),
        Stmt::Return(Some(node)) | Stmt::Break(_, Some(node)) => inside_node(node, single),
        Stmt::Store(_, place, value) => {
            inside_place(place, single);
            inside_node(value, single);
        }
        Stmt::Copy { to, from, len, .. }
        | Stmt::Fill {
            to,
            byte: from,
            len,
            ..
        } => {
            [to, from, len]
                .into_iter()
                .for_each(|node| inside_node(node, single));
        }
        Stmt::While(stmt) => {
            block(&mut stmt.cond, single);
            block(&mut stmt.body, single);
        }
        Stmt::Return(None) | Stmt::Break(_, None) | Stmt::Continue(_) | Stmt::Trap(_) => {}
    }
}

fn inside_place(place: &mut Place, single: Single<'_>) {
    match place {
        Place::Guest(_, address) => inside_node(address, single),
        Place::Page { index, .. } => index.iter_mut().for_each(|node| inside_node(node, single)),
    }
}

fn inside_node(node: &mut Node, single: Single<'_>) {
    match node {
        Node::Const(..) | Node::Get(_) | Node::MemorySize | Node::Never => {}
        Node::Unary(_, _, a) | Node::Cast(_, _, a) | Node::Reinterpret(_, a) => {
            inside_node(a, single);
        }
        Node::Binary(_, _, a, b) | Node::Shift(_, _, _, a, b) | Node::Logic(_, a, b) => {
            inside_node(a, single);
            inside_node(b, single);
        }
        Node::Block(inner) => block(inner, single),
        Node::If(node) => {
            inside_node(&mut node.cond, single);
            block(&mut node.then, single);
            block(&mut node.els, single);
        }
        Node::Loop(node) => block(&mut node.body, single),
        Node::Load(_, place) => inside_place(place, single),
        Node::Index { index, .. } => inside_node(index, single),
        Node::Call(call) => {
            call.args
                .iter_mut()
                .for_each(|arg| inside_node(&mut arg.1, single));
        }
    }
}
