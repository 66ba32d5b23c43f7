//! `as`: extending, wrapping, rounding and saturating.

use wasm_encoder::{Instruction, ValType};

use super::opcode::Op;
use super::{Lower, wide};
use crate::inline::range::{Range, contains, full};
use crate::inline::scalar::Kind;

/// The operator that takes bits as those of this kind.
pub(super) fn reinterpret(to: Kind) -> Instruction<'static> {
    match to.wasm() {
        ValType::F32 => Instruction::F32ReinterpretI32,
        ValType::F64 => Instruction::F64ReinterpretI64,
        ValType::I64 => Instruction::I64ReinterpretF64,
        _ => Instruction::I32ReinterpretF32,
    }
}

impl Lower<'_> {
    /// Casts what is on the stack, a value in `range` if it is an integer.
    pub(super) fn cast(&mut self, from: Kind, to: Kind, range: Range) {
        match (from.float(), to.float()) {
            (false, false) => self.int_to_int(from, to, range),
            (false, true) => self.emit(int_to_float(from, to)),
            (true, false) => self.float_to_int(from, to),
            (true, true) if from == to => {}
            (true, true) if to == Kind::F64 => self.emit(Instruction::F64PromoteF32),
            (true, true) => self.emit(Instruction::F32DemoteF64),
        }
    }

    fn int_to_int(&mut self, from: Kind, to: Kind, range: Range) {
        match (wide(from), wide(to)) {
            (true, false) => self.emit(Instruction::I32WrapI64),
            (false, true) if from.signed() => self.emit(Instruction::I64ExtendI32S),
            (false, true) => self.emit(Instruction::I64ExtendI32U),
            _ => {}
        }
        if !contains(full(to), range) {
            self.normalise(to);
        }
    }

    fn float_to_int(&mut self, from: Kind, to: Kind) {
        self.emit(float_to_int(from, to));
        if !to.narrow() {
            return;
        }
        if to.signed() {
            self.bound(to.min(), Op::GtS);
            self.bound(to.max(), Op::LtS);
        } else {
            self.bound(to.max(), Op::LtU);
        }
    }

    /// Replaces the `i32` on the stack by `bound` unless the comparison with it
    /// holds.
    fn bound(&mut self, bound: i128, holds: Op) {
        let value = self.keep_top(ValType::I32);
        self.constant(Kind::I32, bound);
        self.again(value);
        self.constant(Kind::I32, bound);
        self.int(Kind::I32, holds);
        self.emit(Instruction::Select);
        self.release(value);
    }
}

fn int_to_float(from: Kind, to: Kind) -> Instruction<'static> {
    // Narrow unsigned integers are never negative as an `i32`, and signed
    // conversions are the cheaper ones.
    let signed = from.signed() || from.narrow();
    match (wide(from), signed, to) {
        (false, true, Kind::F32) => Instruction::F32ConvertI32S,
        (false, false, Kind::F32) => Instruction::F32ConvertI32U,
        (true, true, Kind::F32) => Instruction::F32ConvertI64S,
        (true, false, Kind::F32) => Instruction::F32ConvertI64U,
        (false, true, _) => Instruction::F64ConvertI32S,
        (false, false, _) => Instruction::F64ConvertI32U,
        (true, true, _) => Instruction::F64ConvertI64S,
        (true, false, _) => Instruction::F64ConvertI64U,
    }
}

fn float_to_int(from: Kind, to: Kind) -> Instruction<'static> {
    match (from, wide(to), to.signed()) {
        (Kind::F32, false, true) => Instruction::I32TruncSatF32S,
        (Kind::F32, false, false) => Instruction::I32TruncSatF32U,
        (Kind::F32, true, true) => Instruction::I64TruncSatF32S,
        (Kind::F32, true, false) => Instruction::I64TruncSatF32U,
        (_, false, true) => Instruction::I32TruncSatF64S,
        (_, false, false) => Instruction::I32TruncSatF64U,
        (_, true, true) => Instruction::I64TruncSatF64S,
        (_, true, false) => Instruction::I64TruncSatF64U,
    }
}
