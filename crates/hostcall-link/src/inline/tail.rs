//! Turns returns at the end of a function into its value, and code behind an
//! early return into the other arm: a body that never branches to its end can
//! stand at a call site as it is.

use super::ast::{Block, Function, If, Node, Stmt};
use super::scalar::Kind;

pub(crate) fn returns_to_values(function: &mut Function) {
    let result = function.result;
    tail(&mut function.body, result);
}

/// `block` is the last thing that the function does.
fn tail(block: &mut Block, result: Option<Kind>) {
    cut_dead_code(block);
    if !ends(block) && (result.is_some() || block.value.is_some()) {
        return;
    }
    split_at_early_return(block);
    match block.stmts.pop() {
        Some(Stmt::Return(Some(value))) => tail_value(block, value, result),
        Some(Stmt::Return(None)) => tail(block, result),
        Some(Stmt::Eval(Node::If(node))) if node.result.is_none() => tail_if(block, node, result),
        Some(other) => block.stmts.push(other),
        None => {}
    }
}

/// What comes after a statement that does not come back.
fn cut_dead_code(block: &mut Block) {
    if let Some(at) = block.stmts.iter().position(diverges) {
        block.stmts.truncate(at + 1);
        block.value = None;
    }
}

fn diverges(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Return(_) | Stmt::Break(..) | Stmt::Continue(_) | Stmt::Trap(_) => true,
        Stmt::Eval(Node::If(node)) => both_arms_end(node),
        Stmt::Eval(Node::Block(block)) => ends(block),
        _ => false,
    }
}

fn both_arms_end(node: &If) -> bool {
    ends(&node.then) && ends(&node.els)
}

/// Whether control never gets to the end of `block`.
fn ends(block: &Block) -> bool {
    block.stmts.iter().any(diverges)
}

fn returns(block: &Block) -> bool {
    let end = block.stmts.iter().find(|stmt| diverges(stmt));
    matches!(end, Some(Stmt::Return(_)))
}

/// `if cond { return a } rest` becomes `if cond { return a } else { rest }`.
fn split_at_early_return(block: &mut Block) {
    let early = |stmt: &Stmt| match stmt {
        Stmt::Eval(Node::If(node)) if node.result.is_none() => {
            returns(&node.then) != returns(&node.els)
        }
        _ => false,
    };
    let Some(at) = block.stmts.iter().position(early) else {
        return;
    };
    let rest = block.stmts.split_off(at + 1);
    if let Some(Stmt::Eval(Node::If(node))) = block.stmts.last_mut() {
        let other = if returns(&node.then) {
            &mut node.els
        } else {
            &mut node.then
        };
        if !ends(other) {
            other.stmts.extend(rest);
        }
    }
}

/// `block` ends with `return value`.
fn tail_value(block: &mut Block, value: Node, result: Option<Kind>) {
    match value {
        Node::Block(inner) => {
            block.stmts.extend(inner.stmts);
            match inner.value {
                Some(value) => tail_value(block, value, result),
                None => tail(block, result),
            }
        }
        Node::If(mut node) => {
            for arm in [&mut node.then, &mut node.els] {
                if let Some(value) = arm.value.take_if(|_| !ends_before_value(&arm.stmts)) {
                    arm.stmts.push(Stmt::Return(Some(value)));
                }
                arm_tail(arm, result);
            }
            block.value = Some(Node::If(node));
        }
        value => block.value = Some(value),
    }
}

fn ends_before_value(stmts: &[Stmt]) -> bool {
    stmts.iter().any(diverges)
}

/// `block` ends with this `if`.
fn tail_if(block: &mut Block, mut node: Box<If>, result: Option<Kind>) {
    arm_tail(&mut node.then, result);
    arm_tail(&mut node.els, result);
    node.result = result;
    match result {
        Some(_) => block.value = Some(Node::If(node)),
        None => block.stmts.push(Stmt::Eval(Node::If(node))),
    }
}

/// An arm of an `if` that has a value if the function has one.
fn arm_tail(arm: &mut Block, result: Option<Kind>) {
    tail(arm, result);
    if result.is_some() && arm.value.is_none() {
        arm.value = Some(Node::Never);
    }
}
