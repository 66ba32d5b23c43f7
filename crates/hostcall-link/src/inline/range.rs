//! What values an integer expression can have at all: what cannot go wrong is
//! not checked.

use super::ast::{Binary, Function, Node, Shift, Unary};
use super::fold::value;
use super::scalar::Kind;

/// The least and the greatest value.
pub(crate) type Range = (i128, i128);

/// A range that every value of `node` is in.
pub(crate) fn range(node: &Node, function: &Function) -> Range {
    let of = |node| range(node, function);
    match node {
        Node::Const(kind, bits) => {
            let value = value(*kind, *bits);
            (value, value)
        }
        Node::Get(local) => full(function.locals[*local as usize]),
        Node::Cast(from, to, a) if !from.float() => within(of(a), *to),
        Node::Cast(_, to, _) | Node::Reinterpret(to, _) => full(*to),
        Node::Unary(Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros, kind, _) => {
            (0, kind.bits().into())
        }
        Node::Binary(op, kind, a, b) if !kind.float() => binary(*op, *kind, of(a), of(b)),
        Node::Shift(op, kind, _, a, amount) => match **amount {
            Node::Const(_, by) if by < kind.bits().into() => shift(*op, *kind, of(a), by),
            _ => full(*kind),
        },
        Node::Load(kind, _) => full(*kind),
        Node::Logic(..) | Node::Unary(Unary::IsNan, ..) => full(Kind::Bool),
        Node::Index { .. } => full(Kind::U32),
        Node::If(node) => of_kind(node.result),
        Node::Loop(node) => of_kind(node.result),
        Node::Call(call) => of_kind(call.result),
        Node::Unary(_, kind, _) => full(*kind),
        Node::Block(block) => block.value.as_ref().map_or(ANY, of),
        _ => ANY,
    }
}

/// Of an expression about which nothing is known, not even its kind.
const ANY: Range = (i64::MIN as i128, u64::MAX as i128);

fn of_kind(kind: Option<Kind>) -> Range {
    kind.filter(|kind| !kind.float()).map_or(ANY, full)
}

pub(crate) fn full(kind: Kind) -> Range {
    (kind.min(), kind.max())
}

/// Whether all of `inner` is in `outer`.
pub(crate) fn contains(outer: Range, inner: Range) -> bool {
    outer.0 <= inner.0 && inner.1 <= outer.1
}

/// `exact` if no value of it wraps, or else anything of that kind.
fn within(exact: Range, kind: Kind) -> Range {
    match contains(full(kind), exact) {
        true => exact,
        false => full(kind),
    }
}

/// The results of `+`, `-` or `*`, were there no bounds. `None` if even that is
/// too large to tell.
pub(crate) fn exact(op: Binary, a: Range, b: Range) -> Option<Range> {
    match op {
        Binary::Add | Binary::WrappingAdd => Some((a.0 + b.0, a.1 + b.1)),
        Binary::Sub | Binary::WrappingSub => Some((a.0 - b.1, a.1 - b.0)),
        Binary::Mul | Binary::WrappingMul => {
            let corners = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)];
            let products = corners.map(|(a, b)| a.checked_mul(b));
            let products: Option<Vec<i128>> = products.into_iter().collect();
            let products = products?;
            Some((*products.iter().min()?, *products.iter().max()?))
        }
        _ => None,
    }
}

fn binary(op: Binary, kind: Kind, a: Range, b: Range) -> Range {
    let all = full(kind);
    let range = match op {
        Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => {
            return full(Kind::Bool);
        }
        // What overflows traps and has no value.
        Binary::Add | Binary::Sub | Binary::Mul => {
            exact(op, a, b).map(|(low, high)| (low.max(all.0), high.min(all.1)))
        }
        Binary::WrappingAdd | Binary::WrappingSub | Binary::WrappingMul => {
            exact(op, a, b).map(|exact| within(exact, kind))
        }
        Binary::Div if a.0 >= 0 && b.0 > 0 => Some((a.0 / b.1, a.1 / b.0)),
        Binary::Rem | Binary::WrappingRem if a.0 >= 0 && b.0 > 0 => Some((0, a.1.min(b.1 - 1))),
        Binary::And if a.0 >= 0 && b.0 >= 0 => Some((0, a.1.min(b.1))),
        Binary::And if a.0 >= 0 => Some((0, a.1)),
        Binary::And if b.0 >= 0 => Some((0, b.1)),
        Binary::Or if a.0 >= 0 && b.0 >= 0 => Some((a.0.max(b.0), ones(a.1 | b.1))),
        Binary::Xor if a.0 >= 0 && b.0 >= 0 => Some((0, ones(a.1 | b.1))),
        Binary::Min => Some((a.0.min(b.0), a.1.min(b.1))),
        Binary::Max => Some((a.0.max(b.0), a.1.max(b.1))),
        _ => None,
    };
    range.filter(|(low, high)| low <= high).unwrap_or(all)
}

/// All bits up to the highest one of `value`.
fn ones(value: i128) -> i128 {
    let bits = 128 - value.leading_zeros();
    (1 << bits) - 1
}

fn shift(op: Shift, kind: Kind, a: Range, by: u64) -> Range {
    match op {
        Shift::Right | Shift::WrappingRight => (a.0 >> by, a.1 >> by),
        Shift::Left | Shift::WrappingLeft => within((a.0 << by, a.1 << by), kind),
        Shift::RotateLeft | Shift::RotateRight => full(kind),
    }
}
