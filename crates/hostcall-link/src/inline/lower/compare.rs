//! Comparisons, `!`, `&&` and `||`.

use wasm_encoder::{BlockType, Instruction, ValType};

use super::opcode::{self, Op};
use super::{Lower, wide};
use crate::inline::ast::{Binary, Logic, Node, Unary};
use crate::inline::scalar::Kind;
use crate::inline::visit::quiet;

/// So many nodes are cheaper to evaluate than to branch around.
const CHEAP: usize = 4;

impl Lower<'_> {
    /// `==` and `!=`; with 0, one operator does.
    pub(super) fn equality(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        match (zero(kind, a), zero(kind, b)) {
            (_, true) if op == Binary::Eq => {
                self.node(a);
                self.int(kind, Op::Eqz);
            }
            (true, _) if op == Binary::Eq => {
                self.node(b);
                self.int(kind, Op::Eqz);
            }
            _ => self.plain(op, kind, a, b),
        }
    }

    /// Leaves an `i32` that is not zero if the condition holds.
    pub(super) fn condition(&mut self, cond: &Node) {
        match cond {
            Node::Unary(Unary::Not, Kind::Bool, a) => self.condition_not(a),
            Node::Get(local) if self.usage.lifted_at_read(*local) => self.get_raw(*local),
            Node::Binary(Binary::Ne, kind, a, b) if zero(*kind, b) && !wide(*kind) => self.node(a),
            _ => self.node(cond),
        }
    }

    /// Leaves an `i32` that is not zero if the condition does not hold.
    pub(super) fn condition_not(&mut self, cond: &Node) {
        match cond {
            Node::Unary(Unary::Not, Kind::Bool, a) => self.condition(a),
            Node::Get(local) if self.usage.lifted_at_read(*local) => {
                self.get_raw(*local);
                self.emit(Instruction::I32Eqz);
            }
            Node::Binary(Binary::Eq, kind, a, b) if zero(*kind, b) && !wide(*kind) => self.node(a),
            _ => self.not_bool(cond),
        }
    }

    /// `!` of a `bool`.
    pub(super) fn not_bool(&mut self, a: &Node) {
        match a {
            Node::Binary(op, kind, a, b) if opposite(*op, *kind).is_some() => {
                let op = opposite(*op, *kind).unwrap_or(*op);
                self.binary(op, *kind, a, b);
            }
            _ => {
                self.node(a);
                self.emit(Instruction::I32Eqz);
            }
        }
    }

    pub(super) fn logic(&mut self, op: Logic, a: &Node, b: &Node) {
        if quiet(b).is_some_and(|size| size <= CHEAP) {
            let op = match op {
                Logic::And => Binary::And,
                Logic::Or => Binary::Or,
            };
            return self.plain(op, Kind::Bool, a, b);
        }
        self.condition(a);
        self.code
            .open(Instruction::If(BlockType::Result(ValType::I32)), None);
        match op {
            Logic::And => {
                self.node(b);
                self.code.else_();
                self.emit(Instruction::I32Const(0));
            }
            Logic::Or => {
                self.emit(Instruction::I32Const(1));
                self.code.else_();
                self.node(b);
            }
        }
        self.code.close(true);
    }

    pub(super) fn is_nan(&mut self, kind: Kind, a: &Node) {
        let again = self.keep(a, kind.wasm(), &[]);
        self.again(again);
        self.release(again);
        self.emit(opcode::plain(Binary::Ne, kind));
    }
}

/// The comparison that holds if this one does not. Of floats only `==` and `!=`
/// have one, because of NaN.
fn opposite(op: Binary, kind: Kind) -> Option<Binary> {
    match op {
        Binary::Eq => Some(Binary::Ne),
        Binary::Ne => Some(Binary::Eq),
        _ if kind.float() => None,
        Binary::Lt => Some(Binary::Ge),
        Binary::Ge => Some(Binary::Lt),
        Binary::Le => Some(Binary::Gt),
        Binary::Gt => Some(Binary::Le),
        _ => None,
    }
}

/// Whether `node` is the integer 0, or `false`.
fn zero(kind: Kind, node: &Node) -> bool {
    !kind.float() && matches!(node, Node::Const(_, 0))
}
