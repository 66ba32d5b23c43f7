//! Computes what is known when the body is built: mostly negated literals and
//! arithmetic on named constants.

use super::ast::{Binary, Node, Shift, Unary};
use super::scalar::Kind;

pub(crate) fn unary(op: Unary, kind: Kind, a: Node) -> Node {
    let folded = match (&a, op) {
        (Node::Const(_, bits), Unary::Neg) if kind.float() => {
            Some(Node::Const(kind, bits ^ (1 << (kind.bits() - 1))))
        }
        (Node::Const(_, bits), Unary::Neg) => in_range(kind, -value(kind, *bits)),
        (Node::Const(_, bits), Unary::Not) => in_range(kind, complement(kind, *bits)),
        _ => None,
    };
    folded.unwrap_or_else(|| Node::Unary(op, kind, Box::new(a)))
}

/// All bits of the kind flipped.
fn complement(kind: Kind, bits: u64) -> i128 {
    match kind.signed() {
        true => !value(kind, bits),
        false => kind.max() - value(kind, bits),
    }
}

pub(crate) fn binary(op: Binary, kind: Kind, a: Node, b: Node) -> Node {
    let folded = match (&a, &b) {
        (Node::Const(_, a), Node::Const(_, b)) if !kind.float() => {
            arithmetic(op, value(kind, *a), value(kind, *b))
        }
        _ => None,
    };
    let folded = folded.and_then(|value| in_range(kind, value));
    folded.unwrap_or_else(|| Node::Binary(op, kind, Box::new(a), Box::new(b)))
}

/// Shifts of constants, such as in masks: `(1 << BITS) - 1`.
pub(crate) fn shift(op: Shift, kind: Kind, by: Kind, a: Node, amount: Node) -> Node {
    let folded = match (&a, &amount) {
        (Node::Const(_, a), Node::Const(_, amount)) if *amount < kind.bits().into() => match op {
            Shift::Left => Some(wrap(kind, value(kind, *a) << amount)),
            Shift::Right => Some(wrap(kind, value(kind, *a) >> amount)),
            _ => None,
        },
        _ => None,
    };
    match folded {
        Some(bits) => Node::Const(kind, bits),
        None => Node::Shift(op, kind, by, Box::new(a), Box::new(amount)),
    }
}

fn arithmetic(op: Binary, a: i128, b: i128) -> Option<i128> {
    match op {
        Binary::Add => Some(a + b),
        Binary::Sub => Some(a - b),
        Binary::Mul => a.checked_mul(b),
        Binary::Div => a.checked_div(b),
        Binary::And => Some(a & b),
        Binary::Or => Some(a | b),
        Binary::Xor => Some(a ^ b),
        _ => None,
    }
}

pub(crate) fn cast(from: Kind, to: Kind, a: Node) -> Node {
    match a {
        a if from == to => a,
        Node::Const(_, bits) if !from.float() && !to.float() => {
            Node::Const(to, wrap(to, value(from, bits)))
        }
        a => Node::Cast(from, to, Box::new(a)),
    }
}

/// The integer behind the bits of a constant.
pub(crate) fn value(kind: Kind, bits: u64) -> i128 {
    match kind.signed() {
        true => (bits as i64).into(),
        false => bits.into(),
    }
}

/// A constant, unless computing it overflows: then the body traps when it runs.
fn in_range(kind: Kind, value: i128) -> Option<Node> {
    let fits = (kind.min()..=kind.max()).contains(&value);
    fits.then_some(Node::Const(kind, value as u64))
}

/// Keeps the low bits.
fn wrap(kind: Kind, value: i128) -> u64 {
    let unused = 64 - kind.bits();
    let high = (value as u64) << unused;
    match kind.signed() {
        true => (high as i64 >> unused) as u64,
        false => high >> unused,
    }
}
