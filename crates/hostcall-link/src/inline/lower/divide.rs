//! Division and remainder.

use wasm_encoder::{BlockType, Instruction};

use super::Lower;
use super::opcode::{self, Op};
use crate::inline::ast::{Binary, Node};
use crate::inline::fold::value;
use crate::inline::messages;
use crate::inline::scalar::Kind;

impl Lower<'_> {
    pub(super) fn divide(&mut self, kind: Kind, a: &Node, b: &Node) {
        match constant(kind, b) {
            Some(-1) => self.negate_quotient(kind, a),
            _ if self.never_zero(b) && !self.may_overflow(kind, a, b) => {
                self.plain(Binary::Div, kind, a, b);
            }
            None if kind.signed() && !kind.narrow() => self.divide_signed(kind, a, b),
            _ => {
                self.trap_on_zero(Binary::Div, kind, a, b);
                self.trap_on_greatest_quotient(kind);
            }
        }
    }

    fn never_zero(&self, divisor: &Node) -> bool {
        let (low, high) = self.range(divisor);
        low > 0 || high < 0
    }

    /// Whether it may be the least integer divided by -1.
    fn may_overflow(&self, kind: Kind, a: &Node, b: &Node) -> bool {
        let (low, high) = self.range(b);
        kind.signed() && self.range(a).0 <= kind.min() && low <= -1 && -1 <= high
    }

    /// `a / -1`.
    fn negate_quotient(&mut self, kind: Kind, a: &Node) {
        let again = self.keep(a, kind.wasm(), &[]);
        self.trap_least(kind, messages::DIV);
        self.constant(kind, 0);
        self.again(again);
        self.release(again);
        self.int(kind, Op::Sub);
    }

    /// The operator traps for two reasons: one of them is tested first, so that
    /// a trap has one meaning.
    fn divide_signed(&mut self, kind: Kind, a: &Node, b: &Node) {
        self.node(a);
        let divisor = self.keep(b, kind.wasm(), &[]);
        self.int(kind, Op::Eqz);
        self.code.trap_if(messages::DIV_ZERO);
        self.again(divisor);
        self.release(divisor);
        self.code
            .emit_trapping(opcode::plain(Binary::Div, kind), messages::DIV);
    }

    /// Here the operator traps for a zero divisor only.
    fn trap_on_zero(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        let message = match op {
            Binary::Rem | Binary::WrappingRem => messages::REM_ZERO,
            _ => messages::DIV_ZERO,
        };
        self.node(a);
        self.node(b);
        match self.never_zero(b) {
            true => self.emit(opcode::plain(op, kind)),
            false => self.code.emit_trapping(opcode::plain(op, kind), message),
        }
    }

    /// Of narrow operands, the only quotient that does not fit is that of the
    /// least one by -1.
    fn trap_on_greatest_quotient(&mut self, kind: Kind) {
        if !kind.signed() || !kind.narrow() {
            return;
        }
        let quotient = self.keep_top(kind.wasm());
        self.constant(kind, kind.max() + 1);
        self.emit(Instruction::I32Eq);
        self.code.trap_if(messages::DIV);
        self.again(quotient);
        self.release(quotient);
    }

    pub(super) fn remainder(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        let may_overflow = op == Binary::Rem && self.may_overflow(kind, a, b);
        match constant(kind, b) {
            Some(-1) if may_overflow => self.remainder_of_minus_one(kind, a),
            None if may_overflow => self.remainder_signed(kind, a, b),
            _ => self.trap_on_zero(op, kind, a, b),
        }
    }

    fn remainder_of_minus_one(&mut self, kind: Kind, a: &Node) {
        self.node(a);
        self.trap_least(kind, messages::REM);
        self.constant(kind, 0);
    }

    /// Wasm's remainder of the least integer by -1 is 0; Rust's overflows.
    fn remainder_signed(&mut self, kind: Kind, a: &Node, b: &Node) {
        let dividend = self.keep(a, kind.wasm(), &[b]);
        let divisor = self.keep(b, kind.wasm(), &[]);
        self.code
            .emit_trapping(opcode::plain(Binary::Rem, kind), messages::REM_ZERO);
        self.again(divisor);
        self.constant(kind, -1);
        self.int(kind, Op::Eq);
        self.again(dividend);
        self.constant(kind, kind.min());
        self.int(kind, Op::Eq);
        self.emit(Instruction::I32And);
        self.code.trap_if(messages::REM);
        self.release(dividend);
        self.release(divisor);
    }

    pub(super) fn wrapping_divide(&mut self, kind: Kind, a: &Node, b: &Node) {
        match constant(kind, b) {
            Some(-1) => self.wrapping_negate(kind, a),
            Some(c) if c != 0 => self.plain(Binary::Div, kind, a, b),
            None if kind.signed() && !kind.narrow() => self.wrapping_divide_signed(kind, a, b),
            _ => {
                self.trap_on_zero(Binary::WrappingDiv, kind, a, b);
                self.normalise(kind);
            }
        }
    }

    /// Wasm's division of the least integer by -1 traps: that divisor negates
    /// instead.
    fn wrapping_divide_signed(&mut self, kind: Kind, a: &Node, b: &Node) {
        let dividend = self.stash(a, kind.wasm(), &[b]);
        let divisor = self.keep(b, kind.wasm(), &[]);
        self.constant(kind, -1);
        self.int(kind, Op::Eq);
        self.code
            .open(Instruction::If(BlockType::Result(kind.wasm())), None);
        self.constant(kind, 0);
        self.again(dividend);
        self.int(kind, Op::Sub);
        self.code.else_();
        self.again(dividend);
        self.again(divisor);
        self.code
            .emit_trapping(opcode::plain(Binary::Div, kind), messages::DIV_ZERO);
        self.code.close(true);
        self.release(dividend);
        self.release(divisor);
    }
}

fn constant(kind: Kind, node: &Node) -> Option<i128> {
    match node {
        Node::Const(_, bits) => Some(value(kind, *bits)),
        _ => None,
    }
}
