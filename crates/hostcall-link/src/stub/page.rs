//! Operators on the host page.

use wasm_encoder::{InstructionSink, MemArg};

use crate::ValType;

/// The host page, by its index among the memories of a module.
#[derive(Clone, Copy)]
pub(super) struct Page(pub(super) u32);

impl Page {
    /// What a load or store of `bytes` bytes has at `address` from the address on
    /// the stack.
    pub(super) fn at(self, address: u64, bytes: u32) -> MemArg {
        MemArg {
            offset: address,
            align: bytes.ilog2(),
            memory_index: self.0,
        }
    }

    /// Leaves the word at `address` on the stack.
    pub(super) fn word(self, code: &mut InstructionSink<'_>, address: u32) {
        code.i32_const(0).i32_load(self.at(address.into(), 4));
    }

    /// Adds one to the `u64` at `address`.
    pub(super) fn increment(self, code: &mut InstructionSink<'_>, address: u32) {
        let place = self.at(address.into(), 8);
        code.i32_const(0);
        code.i32_const(0).i64_load(place);
        code.i64_const(1).i64_add();
        code.i64_store(place);
    }

    /// Loads a number; its address is on the stack.
    pub(super) fn load(self, code: &mut InstructionSink<'_>, ty: &ValType, address: u64) {
        match ty {
            ValType::I32 => code.i32_load(self.at(address, 4)),
            ValType::I64 => code.i64_load(self.at(address, 8)),
            ValType::F32 => code.f32_load(self.at(address, 4)),
            ValType::F64 => code.f64_load(self.at(address, 8)),
            other => panic!("a value of type {other} has no place in memory"),
        };
    }

    /// Stores a number; its address and value are on the stack.
    pub(super) fn store(self, code: &mut InstructionSink<'_>, ty: &ValType, address: u64) {
        match ty {
            ValType::I32 => code.i32_store(self.at(address, 4)),
            ValType::I64 => code.i64_store(self.at(address, 8)),
            ValType::F32 => code.f32_store(self.at(address, 4)),
            ValType::F64 => code.f64_store(self.at(address, 8)),
            other => panic!("a value of type {other} has no place in memory"),
        };
    }

    /// Stores the low bytes of an `i32`; address and value are on the stack.
    pub(super) fn store_low(self, code: &mut InstructionSink<'_>, bytes: u32, address: u64) {
        let place = self.at(address, bytes);
        match bytes {
            1 => code.i32_store8(place),
            2 => code.i32_store16(place),
            4 => code.i32_store(place),
            other => panic!("no store has {other} bytes"),
        };
    }
}
