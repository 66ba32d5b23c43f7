//! Multiplication of 64-bit integers that traps on overflow.

use wasm_encoder::{BlockType, Instruction, ValType};

use super::Lower;
use super::operand::Again;
use crate::inline::ast::Node;
use crate::inline::messages;
use crate::inline::range::full;
use crate::inline::scalar::Kind;

impl Lower<'_> {
    /// A wrapped product is off by a multiple of 2^64, while the product of the
    /// operands as floats is off by less than 2^-50 of itself: so their
    /// difference tells overflow from rounding, exactly and without a division.
    pub(super) fn checked_mul_64(&mut self, kind: Kind, a: &Node, b: &Node) {
        let first = self.keep(a, ValType::I64, &[b]);
        let second = self.keep(b, ValType::I64, &[]);
        self.emit(Instruction::I64Mul);
        if kind.signed() {
            let product = self.keep_top(ValType::I64);
            self.trap_if_far_from_product(kind, first, second);
            self.again(product);
            self.release(product);
        } else {
            let product = self.stash_top(ValType::I64);
            self.check_large_product(kind, first, second, product);
            self.again(product);
            self.release(product);
        }
        self.release(first);
        self.release(second);
    }

    /// Unsigned integers are slow to convert, and mostly too small to overflow.
    fn check_large_product(&mut self, kind: Kind, first: Again, second: Again, product: Again) {
        self.again(first);
        self.again(second);
        self.emit(Instruction::I64Or);
        self.constant(kind, u32::MAX.into());
        self.emit(Instruction::I64GtU);
        self.code.open(Instruction::If(BlockType::Empty), None);
        self.again(product);
        self.trap_if_far_from_product(kind, first, second);
        self.code.close(true);
    }

    /// The wrapped product is on the stack.
    fn trap_if_far_from_product(&mut self, kind: Kind, first: Again, second: Again) {
        // Rounding stays below 2^14, overflow is 2^64 off at least.
        const FAR: f64 = (1_u64 << 60) as f64;
        self.cast(kind, Kind::F64, full(kind));
        for operand in [first, second] {
            self.again(operand);
            self.cast(kind, Kind::F64, full(kind));
        }
        self.emit(Instruction::F64Mul);
        self.emit(Instruction::F64Sub);
        self.emit(Instruction::F64Abs);
        self.emit(Instruction::F64Const(FAR.into()));
        self.emit(Instruction::F64Gt);
        self.code.trap_if(messages::MUL);
    }
}
