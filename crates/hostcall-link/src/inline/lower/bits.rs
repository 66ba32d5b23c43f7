//! Shifts, rotations, and what counts or moves bits.

use wasm_encoder::{Instruction, ValType};

use super::opcode::{self, Op};
use super::{Lower, wide};
use crate::inline::ast::{Node, Shift, Unary};
use crate::inline::messages;
use crate::inline::range::contains;
use crate::inline::scalar::Kind;

impl Lower<'_> {
    pub(super) fn shift(&mut self, op: Shift, kind: Kind, by: Kind, a: &Node, amount: &Node) {
        match op {
            Shift::Left => self.checked_shift(op, kind, by, [a, amount], messages::SHL),
            Shift::Right => self.checked_shift(op, kind, by, [a, amount], messages::SHR),
            Shift::RotateLeft | Shift::RotateRight if kind.narrow() => {
                self.rotate_narrow(op, kind, a, amount);
            }
            _ => self.wrapping_shift(op, kind, by, a, amount),
        }
    }

    fn checked_shift(
        &mut self,
        op: Shift,
        kind: Kind,
        by: Kind,
        [a, amount]: [&Node; 2],
        message: &'static str,
    ) {
        self.node(a);
        match amount {
            Node::Const(_, amount) if *amount < kind.bits().into() => {
                self.constant(kind, (*amount).into());
            }
            Node::Const(..) => return self.code.trap(message),
            _ if contains((0, i128::from(kind.bits()) - 1), self.range(amount)) => {
                self.node(amount);
                self.fit_amount(kind, by);
            }
            _ => {
                let again = self.keep(amount, by.wasm(), &[]);
                self.constant(by, kind.bits().into());
                self.int(by, Op::GeU);
                self.code.trap_if(message);
                self.again(again);
                self.release(again);
                self.fit_amount(kind, by);
            }
        }
        self.shift_by(op, kind);
    }

    fn wrapping_shift(&mut self, op: Shift, kind: Kind, by: Kind, a: &Node, amount: &Node) {
        self.node(a);
        if let Node::Const(_, amount) = amount {
            self.constant(kind, (*amount % u64::from(kind.bits())).into());
        } else {
            self.node(amount);
            if kind.narrow() {
                self.constant(by, i128::from(kind.bits()) - 1);
                self.int(by, Op::And);
            }
            self.fit_amount(kind, by);
        }
        self.shift_by(op, kind);
    }

    /// A shift amount has the type of the value in Wasm.
    fn fit_amount(&mut self, kind: Kind, by: Kind) {
        match (wide(by), wide(kind)) {
            (false, true) => self.emit(Instruction::I64ExtendI32U),
            (true, false) => self.emit(Instruction::I32WrapI64),
            _ => {}
        }
    }

    fn shift_by(&mut self, op: Shift, kind: Kind) {
        self.int(kind, opcode::shift(op, kind.signed()));
        if matches!(op, Shift::Left | Shift::WrappingLeft) {
            self.normalise(kind);
        }
    }

    /// A narrow value repeated to 32 bits rotates as those do.
    fn rotate_narrow(&mut self, op: Shift, kind: Kind, a: &Node, amount: &Node) {
        self.node(a);
        self.clear_sign(kind);
        let repeat = if kind.bits() == 8 {
            0x0101_0101
        } else {
            0x0001_0001
        };
        self.emit(Instruction::I32Const(repeat));
        self.emit(Instruction::I32Mul);
        self.node(amount);
        self.int(kind, opcode::shift(op, false));
        self.normalise(kind);
    }

    /// Zero-extends a narrow signed value.
    fn clear_sign(&mut self, kind: Kind) {
        if kind.narrow() && kind.signed() {
            self.constant(kind, mask(kind));
            self.emit(Instruction::I32And);
        }
    }

    pub(super) fn complement(&mut self, kind: Kind, a: &Node) {
        self.node(a);
        let flips = if kind.narrow() && !kind.signed() {
            mask(kind)
        } else {
            -1
        };
        self.constant(kind, flips);
        self.int(kind, Op::Xor);
    }

    pub(super) fn count_bits(&mut self, op: Unary, kind: Kind, a: &Node) {
        self.node(a);
        match op {
            Unary::LeadingZeros => self.leading_zeros(kind),
            Unary::TrailingZeros => self.trailing_zeros(kind),
            _ => {
                self.clear_sign(kind);
                self.int(kind, Op::Popcnt);
            }
        }
        if wide(kind) {
            self.emit(Instruction::I32WrapI64);
        }
    }

    fn leading_zeros(&mut self, kind: Kind) {
        self.clear_sign(kind);
        self.int(kind, Op::Clz);
        if kind.narrow() {
            self.constant(kind, i128::from(32 - kind.bits()));
            self.emit(Instruction::I32Sub);
        }
    }

    /// A bit beyond the narrow value stops the count there.
    fn trailing_zeros(&mut self, kind: Kind) {
        if kind.narrow() {
            self.constant(kind, 1 << kind.bits());
            self.emit(Instruction::I32Or);
        }
        self.int(kind, Op::Ctz);
    }

    /// Swaps neighbours: bytes, then pairs; then the halves.
    pub(super) fn swap_bytes(&mut self, kind: Kind, a: &Node) {
        self.node(a);
        match kind.bits() {
            8 => {}
            16 => {
                self.swap_neighbours(ValType::I32, 8, 0x00ff_00ff);
                self.normalise(kind);
            }
            32 => {
                self.swap_neighbours(ValType::I32, 8, 0x00ff_00ff);
                self.constant(kind, 16);
                self.emit(Instruction::I32Rotl);
            }
            _ => {
                self.swap_neighbours(ValType::I64, 8, 0x00ff_00ff_00ff_00ff);
                self.swap_neighbours(ValType::I64, 16, 0x0000_ffff_0000_ffff);
                self.constant(kind, 32);
                self.emit(Instruction::I64Rotl);
            }
        }
    }

    /// `(x >> bits) & mask | (x & mask) << bits`.
    fn swap_neighbours(&mut self, ty: ValType, bits: i128, mask: i128) {
        let kind = if ty == ValType::I64 {
            Kind::U64
        } else {
            Kind::U32
        };
        let x = self.keep_top(ty);
        self.constant(kind, bits);
        self.int(kind, Op::ShrU);
        self.constant(kind, mask);
        self.int(kind, Op::And);
        self.again(x);
        self.release(x);
        self.constant(kind, mask);
        self.int(kind, Op::And);
        self.constant(kind, bits);
        self.int(kind, Op::Shl);
        self.int(kind, Op::Or);
    }
}

/// All bits of a narrow kind.
fn mask(kind: Kind) -> i128 {
    (1 << kind.bits()) - 1
}
