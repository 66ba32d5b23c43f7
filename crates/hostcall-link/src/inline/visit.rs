//! Looks for something in a tree.

use super::ast::{Block, LocalId, Node, Place, Stmt};

/// A part of a tree.
#[derive(Clone, Copy)]
pub(crate) enum Part<'a> {
    Node(&'a Node),
    Stmt(&'a Stmt),
}

/// Calls `see` for every part of `node`, itself included, in the order of
/// evaluation (loops once).
pub(crate) fn each_in_node<'a>(node: &'a Node, see: &mut dyn FnMut(Part<'a>)) {
    match node {
        Node::Const(..) | Node::Get(_) | Node::MemorySize | Node::Never => {}
        Node::Unary(_, _, a) | Node::Cast(_, _, a) | Node::Reinterpret(_, a) => {
            each_in_node(a, see);
        }
        Node::Binary(_, _, a, b) | Node::Shift(_, _, _, a, b) | Node::Logic(_, a, b) => {
            each_in_node(a, see);
            each_in_node(b, see);
        }
        Node::Block(block) => each_in_block(block, see),
        Node::If(node) => {
            each_in_node(&node.cond, see);
            each_in_block(&node.then, see);
            each_in_block(&node.els, see);
        }
        Node::Loop(node) => each_in_block(&node.body, see),
        Node::Load(_, place) => each_in_place(place, see),
        Node::Index { index, .. } => each_in_node(index, see),
        Node::Call(call) => call.args.iter().for_each(|arg| each_in_node(&arg.1, see)),
    }
    see(Part::Node(node));
}

fn each_in_place<'a>(place: &'a Place, see: &mut dyn FnMut(Part<'a>)) {
    match place {
        Place::Guest(_, address) => each_in_node(address, see),
        Place::Page { index, .. } => index.iter().for_each(|index| each_in_node(index, see)),
    }
}

pub(crate) fn each_in_block<'a>(block: &'a Block, see: &mut dyn FnMut(Part<'a>)) {
    block.stmts.iter().for_each(|stmt| each_in_stmt(stmt, see));
    block
        .value
        .iter()
        .for_each(|value| each_in_node(value, see));
}

pub(crate) fn each_in_stmt<'a>(stmt: &'a Stmt, see: &mut dyn FnMut(Part<'a>)) {
    match stmt {
        Stmt::Eval(node) | Stmt::Set(_, node) => each_in_node(node, see),
        Stmt::Store(_, place, value) => {
            each_in_place(place, see);
            each_in_node(value, see);
        }
        Stmt::Copy { to, from, len, .. } => {
            [to, from, len]
                .into_iter()
                .for_each(|node| each_in_node(node, see));
        }
        Stmt::Fill { to, byte, len, .. } => {
            [to, byte, len]
                .into_iter()
                .for_each(|node| each_in_node(node, see));
        }
        Stmt::While(stmt) => {
            each_in_block(&stmt.cond, see);
            each_in_block(&stmt.body, see);
        }
        Stmt::Break(_, value) | Stmt::Return(value) => {
            value.iter().for_each(|value| each_in_node(value, see));
        }
        Stmt::Continue(_) | Stmt::Trap(_) => {}
    }
    see(Part::Stmt(stmt));
}

/// Whether evaluating `node` may assign to the variable.
pub(crate) fn writes(node: &Node, local: LocalId) -> bool {
    let mut found = false;
    each_in_node(node, &mut |part| {
        found |= matches!(part, Part::Stmt(Stmt::Set(to, _)) if *to == local);
    });
    found
}

/// The number of nodes in a tree that neither traps, nor has effects, nor
/// depends on what others may write but variables; `None` for any other tree.
pub(crate) fn quiet(node: &Node) -> Option<usize> {
    let (mut size, mut quiet) = (0, true);
    each_in_node(node, &mut |part| {
        size += 1;
        quiet &= matches!(part, Part::Node(node) if quiet_alone(node));
    });
    quiet.then_some(size)
}

pub(crate) fn quiet_alone(node: &Node) -> bool {
    use super::ast::{Binary, Shift, Unary};
    match node {
        Node::Const(..) | Node::Get(_) | Node::Cast(..) | Node::Reinterpret(..) => true,
        Node::Logic(..) => true,
        Node::Unary(Unary::Neg | Unary::Abs, kind, _) => kind.float(),
        Node::Unary(..) => true,
        Node::Shift(Shift::Left | Shift::Right, kind, _, _, amount) => {
            matches!(**amount, Node::Const(_, amount) if amount < kind.bits().into())
        }
        Node::Shift(..) => true,
        Node::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div, kind, _, _) => {
            kind.float()
        }
        Node::Binary(Binary::Rem | Binary::WrappingDiv | Binary::WrappingRem, ..) => false,
        Node::Binary(..) => true,
        _ => false,
    }
}
