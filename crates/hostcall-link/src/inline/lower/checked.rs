//! Arithmetic that traps on overflow. The check comes out as a compare and a
//! branch that is not taken.

use wasm_encoder::{Instruction, ValType};

use super::opcode::{self, Op};
use super::{Lower, wide};
use crate::inline::ast::{Binary, Node};
use crate::inline::fold::value;
use crate::inline::messages;
use crate::inline::range::{contains, exact, full};
use crate::inline::scalar::Kind;

impl Lower<'_> {
    pub(super) fn checked(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        if self.fits(op, kind, a, b) {
            return self.plain(op, kind, a, b);
        }
        match (a, b) {
            (a, Node::Const(_, bits)) => self.checked_constant(op, kind, a, value(kind, *bits)),
            (Node::Const(_, bits), b) if op == Binary::Sub => {
                self.constant_minus(kind, value(kind, *bits), b);
            }
            (Node::Const(_, bits), b) => self.checked_constant(op, kind, b, value(kind, *bits)),
            _ if kind.narrow() => self.checked_narrow(op, kind, a, b),
            _ => self.checked_full(op, kind, a, b),
        }
    }

    /// Whether no operands there can be overflow.
    fn fits(&self, op: Binary, kind: Kind, a: &Node, b: &Node) -> bool {
        let exact = exact(op, self.range(a), self.range(b));
        exact.is_some_and(|exact| contains(full(kind), exact))
    }

    fn checked_full(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        match (op, kind) {
            (_, Kind::I32) | (Binary::Mul, Kind::U32) => self.checked_in_64_bits(op, kind, a, b),
            (Binary::Add, Kind::I64) | (Binary::Sub, Kind::I64) => {
                self.checked_by_signs(op, a, b);
            }
            (Binary::Mul, _) => self.checked_mul_64(kind, a, b),
            (Binary::Add, _) => self.checked_unsigned_add(kind, a, b),
            _ => self.checked_unsigned_sub(kind, a, b),
        }
    }

    /// With a constant operand, the other one has to be within a range.
    fn checked_constant(&mut self, op: Binary, kind: Kind, a: &Node, c: i128) {
        let neutral = if op == Binary::Mul { 1 } else { 0 };
        if c == neutral {
            return self.node(a);
        }
        if kind == Kind::I64 && op != Binary::Mul {
            return self.checked_step(op, a, c);
        }
        let (low, high) = operand_range(op, kind, c);
        if (low, high) == (kind.min(), kind.max()) {
            self.node(a);
        } else {
            let again = self.keep(a, kind.wasm(), &[]);
            self.trap_outside(kind, low, high, overflow(op));
            self.again(again);
            self.release(again);
        }
        self.constant(kind, c);
        self.emit(opcode::plain(op, kind));
    }

    /// The bound of a 64-bit range makes a large constant, while the result tells
    /// as well: it has to be on the right side of the operand.
    fn checked_step(&mut self, op: Binary, a: &Node, c: i128) {
        let again = self.keep(a, ValType::I64, &[]);
        self.constant(Kind::I64, c);
        self.emit(opcode::plain(op, Kind::I64));
        let result = self.keep_top(ValType::I64);
        self.again(again);
        let grows = (c > 0) == (op == Binary::Add);
        self.int(Kind::I64, if grows { Op::LtS } else { Op::GtS });
        self.code.trap_if(overflow(op));
        self.again(result);
        self.release(again);
        self.release(result);
    }

    fn constant_minus(&mut self, kind: Kind, c: i128, b: &Node) {
        let low = (c - kind.max()).max(kind.min());
        let high = (c - kind.min()).min(kind.max());
        if (low, high) == (kind.min(), kind.max()) {
            self.constant(kind, c);
            self.node(b);
        } else {
            let again = self.stash(b, kind.wasm(), &[]);
            self.again(again);
            self.trap_outside(kind, low, high, messages::SUB);
            self.constant(kind, c);
            self.again(again);
            self.release(again);
        }
        self.int(kind, Op::Sub);
    }

    /// Traps if the integer on the stack is less than `low` or greater than
    /// `high`.
    fn trap_outside(&mut self, kind: Kind, low: i128, high: i128, message: &'static str) {
        let signed = kind.signed();
        if low == kind.min() && high == 0 && !signed {
            self.non_zero(kind);
        } else if low == kind.min() {
            self.constant(kind, high);
            self.int(kind, if signed { Op::GtS } else { Op::GtU });
        } else if high == kind.max() && low == 1 && !signed {
            self.int(kind, Op::Eqz);
        } else if high == kind.max() {
            self.constant(kind, low);
            self.int(kind, if signed { Op::LtS } else { Op::LtU });
        } else {
            self.constant(kind, low);
            self.int(kind, Op::Sub);
            self.constant(kind, high - low);
            self.int(kind, Op::GtU);
        }
        self.code.trap_if(message);
    }

    /// Leaves something that is not zero if the integer on the stack is not.
    pub(super) fn non_zero(&mut self, kind: Kind) {
        if wide(kind) {
            self.constant(kind, 0);
            self.int(kind, Op::Ne);
        }
    }

    /// Of narrow operands the `i32` result is exact, if taken as unsigned for
    /// unsigned ones.
    fn checked_narrow(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        self.plain(op, kind, a, b);
        let result = self.keep_top(ValType::I32);
        if kind.signed() {
            self.normalise(kind);
            self.again(result);
            self.emit(Instruction::I32Ne);
        } else {
            self.constant(kind, kind.max());
            self.emit(Instruction::I32GtU);
        }
        self.code.trap_if(overflow(op));
        self.again(result);
        self.release(result);
    }

    /// Of 32-bit operands the 64-bit result is exact.
    fn checked_in_64_bits(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        let long = if kind.signed() { Kind::I64 } else { Kind::U64 };
        self.node(a);
        self.cast(kind, long, full(kind));
        self.node(b);
        self.cast(kind, long, full(kind));
        self.emit(opcode::plain(op, long));
        let result = self.keep_top(ValType::I64);
        if kind.signed() {
            self.emit(Instruction::I64Extend32S);
            self.again(result);
            self.emit(Instruction::I64Ne);
        } else {
            self.constant(long, kind.max());
            self.emit(Instruction::I64GtU);
        }
        self.code.trap_if(overflow(op));
        self.again(result);
        self.release(result);
        self.emit(Instruction::I32WrapI64);
    }

    /// A sum that wrapped is less than either operand.
    fn checked_unsigned_add(&mut self, kind: Kind, a: &Node, b: &Node) {
        let operand = if self.is_atom(b) {
            self.node(a);
            self.keep(b, kind.wasm(), &[])
        } else {
            let operand = self.keep(a, kind.wasm(), &[b]);
            self.node(b);
            operand
        };
        self.int(kind, Op::Add);
        let sum = self.keep_top(kind.wasm());
        self.again(operand);
        self.int(kind, Op::LtU);
        self.code.trap_if(messages::ADD);
        self.again(sum);
        self.release(sum);
        self.release(operand);
    }

    /// The subtrahend must not be greater; or, if it is not at hand any more,
    /// the difference.
    fn checked_unsigned_sub(&mut self, kind: Kind, a: &Node, b: &Node) {
        let first = self.keep(a, kind.wasm(), &[b]);
        if self.is_atom(b) {
            let second = self.keep(b, kind.wasm(), &[]);
            self.int(kind, Op::LtU);
            self.code.trap_if(messages::SUB);
            self.again(first);
            self.again(second);
            self.int(kind, Op::Sub);
        } else {
            self.node(b);
            self.int(kind, Op::Sub);
            let difference = self.keep_top(kind.wasm());
            self.again(first);
            self.int(kind, Op::GtU);
            self.code.trap_if(messages::SUB);
            self.again(difference);
            self.release(difference);
        }
        self.release(first);
    }

    /// A sum has overflowed if its sign differs from that of both operands; a
    /// difference, if the operands' signs differ, and its own from the first.
    fn checked_by_signs(&mut self, op: Binary, a: &Node, b: &Node) {
        let first = self.keep(a, ValType::I64, &[b]);
        let second = self.keep(b, ValType::I64, &[]);
        self.emit(opcode::plain(op, Kind::I64));
        let result = self.keep_top(ValType::I64);
        self.again(first);
        self.emit(Instruction::I64Xor);
        self.again(if op == Binary::Add { result } else { first });
        self.again(second);
        self.emit(Instruction::I64Xor);
        self.emit(Instruction::I64And);
        self.emit(Instruction::I64Const(0));
        self.emit(Instruction::I64LtS);
        self.code.trap_if(overflow(op));
        self.again(result);
        [first, second, result]
            .into_iter()
            .for_each(|again| self.release(again));
    }

    pub(super) fn negate(&mut self, kind: Kind, a: &Node) {
        if self.range(a).0 > kind.min() {
            return self.wrapping_negate(kind, a);
        }
        let again = self.keep(a, kind.wasm(), &[]);
        self.trap_least(kind, messages::NEG);
        self.constant(kind, 0);
        self.again(again);
        self.release(again);
        self.int(kind, Op::Sub);
    }

    /// Traps if the integer on the stack is the least of its kind.
    pub(super) fn trap_least(&mut self, kind: Kind, message: &'static str) {
        self.constant(kind, kind.min());
        self.int(kind, Op::Eq);
        self.code.trap_if(message);
    }

    pub(super) fn wrapping_negate(&mut self, kind: Kind, a: &Node) {
        self.constant(kind, 0);
        self.node(a);
        self.int(kind, Op::Sub);
        self.normalise(kind);
    }
}

fn overflow(op: Binary) -> &'static str {
    match op {
        Binary::Add => messages::ADD,
        Binary::Sub => messages::SUB,
        _ => messages::MUL,
    }
}

/// What `a` may be for `a op c` not to overflow.
fn operand_range(op: Binary, kind: Kind, c: i128) -> (i128, i128) {
    let (min, max) = (kind.min(), kind.max());
    let (low, high) = match op {
        Binary::Add => (min - c, max - c),
        Binary::Sub => (min + c, max + c),
        // Division rounds towards zero, which is into the range.
        _ if c > 0 => (min / c, max / c),
        _ if c < 0 => (max / c, min / c),
        _ => (min, max),
    };
    (low.max(min), high.min(max))
}
