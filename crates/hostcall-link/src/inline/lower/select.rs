//! What chooses between values without a branch.

use wasm_encoder::Instruction;

use super::opcode::{self, Op};
use super::operand::Again;
use super::{Lower, wide};
use crate::inline::ast::{Binary, Node};
use crate::inline::messages;
use crate::inline::scalar::Kind;

impl Lower<'_> {
    pub(super) fn min_max(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        let first = self.keep(a, kind.wasm(), &[b]);
        let second = self.keep(b, kind.wasm(), &[]);
        self.choose(op, kind, first, second);
        self.release(first);
        self.release(second);
    }

    /// Both are on the stack. Of floats, the first one is chosen if it is less
    /// (or greater), or the second one is NaN.
    fn choose(&mut self, op: Binary, kind: Kind, first: Again, second: Again) {
        self.again(first);
        self.again(second);
        self.emit(opcode::plain(op, kind));
        if kind.float() {
            self.again(second);
            self.again(second);
            self.emit(opcode::plain(Binary::Ne, kind));
            self.emit(Instruction::I32Or);
        }
        self.emit(Instruction::Select);
    }

    pub(super) fn abs(&mut self, kind: Kind, a: &Node) {
        let again = self.keep(a, kind.wasm(), &[]);
        self.trap_least(kind, messages::NEG);
        self.magnitude(kind, again);
        self.release(again);
    }

    pub(super) fn wrapping_abs(&mut self, kind: Kind, a: &Node) {
        let again = self.stash(a, kind.wasm(), &[]);
        self.magnitude(kind, again);
        self.normalise(kind);
        self.release(again);
    }

    fn magnitude(&mut self, kind: Kind, value: Again) {
        self.constant(kind, 0);
        self.again(value);
        self.int(kind, Op::Sub);
        self.again(value);
        self.again(value);
        self.constant(kind, 0);
        self.int(kind, Op::LtS);
        self.emit(Instruction::Select);
    }

    pub(super) fn signum(&mut self, kind: Kind, a: &Node) {
        let value = self.stash(a, kind.wasm(), &[]);
        if kind.float() {
            self.float_signum(kind, value);
        } else {
            self.int_signum(kind, value);
        }
        self.release(value);
    }

    /// 1 with the sign of the value, unless that is NaN.
    fn float_signum(&mut self, kind: Kind, value: Again) {
        let one = if kind == Kind::F64 {
            1_f64.to_bits()
        } else {
            1_f32.to_bits().into()
        };
        self.emit(opcode::constant(kind, one));
        self.again(value);
        self.emit(opcode::plain(Binary::Copysign, kind));
        self.again(value);
        self.again(value);
        self.again(value);
        self.emit(opcode::plain(Binary::Eq, kind));
        self.emit(Instruction::Select);
    }

    /// `(value > 0) - (value < 0)`.
    fn int_signum(&mut self, kind: Kind, value: Again) {
        for op in [Op::GtS, Op::LtS] {
            self.again(value);
            self.constant(kind, 0);
            self.int(kind, op);
        }
        self.emit(Instruction::I32Sub);
        if wide(kind) {
            self.emit(Instruction::I64ExtendI32S);
        }
    }
}
