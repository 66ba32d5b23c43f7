//! Loads, stores, and operations on ranges of memory.

use wasm_encoder::{Instruction, ValType};

use super::Lower;
use super::opcode::{self, Op};
use super::operand::Again;
use crate::inline::ast::{Node, Place};
use crate::inline::messages;
use crate::inline::scalar::Kind;
use crate::inline::visit::quiet;

/// An operand of an operation on the guest's memory: an address or a length of
/// this kind, or a plain value of this type.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    Address(Kind, &'a Node),
    Value(ValType, &'a Node),
}

impl<'a> Operand<'a> {
    fn node(self) -> &'a Node {
        match self {
            Operand::Address(_, node) | Operand::Value(_, node) => node,
        }
    }

    fn ty(self) -> ValType {
        match self {
            Operand::Address(kind, _) => kind.wasm(),
            Operand::Value(ty, _) => ty,
        }
    }
}

impl Lower<'_> {
    pub(super) fn load(&mut self, kind: Kind, place: &Place) {
        match place {
            Place::Guest(address, node) => {
                self.operands(&[Operand::Address(*address, node)]);
                let arg = opcode::mem_arg(kind, self.module.guest_memory, 0);
                self.code
                    .emit_trapping(opcode::load(kind, arg), messages::MEMORY);
            }
            Place::Page {
                state,
                offset,
                index,
            } => {
                self.page_address(index.as_ref());
                let arg = self.page_arg(kind, *state, *offset);
                self.emit(opcode::load(kind, arg));
            }
        }
    }

    pub(super) fn store(&mut self, kind: Kind, place: &Place, value: &Node) {
        match place {
            Place::Guest(address, node) => {
                let value = Operand::Value(kind.wasm(), value);
                self.operands(&[Operand::Address(*address, node), value]);
                let arg = opcode::mem_arg(kind, self.module.guest_memory, 0);
                self.code
                    .emit_trapping(opcode::store(kind, arg), messages::MEMORY);
            }
            Place::Page {
                state,
                offset,
                index,
            } => {
                self.page_store_operands(kind, index.as_ref(), value);
                let arg = self.page_arg(kind, *state, *offset);
                self.emit(opcode::store(kind, arg));
            }
        }
    }

    pub(super) fn copy(&mut self, address: Kind, ranges: [&Node; 3]) {
        self.operands(&ranges.map(|node| Operand::Address(address, node)));
        let memory = self.module.guest_memory;
        let copy = Instruction::MemoryCopy {
            src_mem: memory,
            dst_mem: memory,
        };
        self.code.emit_trapping(copy, messages::MEMORY);
    }

    pub(super) fn fill(&mut self, address: Kind, to: &Node, byte: &Node, len: &Node) {
        self.operands(&[
            Operand::Address(address, to),
            Operand::Value(ValType::I32, byte),
            Operand::Address(address, len),
        ]);
        let fill = Instruction::MemoryFill(self.module.guest_memory);
        self.code.emit_trapping(fill, messages::MEMORY);
    }

    pub(super) fn memory_size(&mut self) {
        self.emit(Instruction::MemorySize(self.module.guest_memory));
        if !self.module.wide {
            self.emit(Instruction::I64ExtendI32U);
        }
        if self.module.page_size_log2 != 0 {
            self.constant(Kind::U64, self.module.page_size_log2.into());
            self.emit(Instruction::I64Shl);
        }
    }

    /// Leaves the operands on the stack, addresses as the memory takes them. An
    /// address is checked once all operands are evaluated.
    fn operands(&mut self, operands: &[Operand<'_>]) {
        if self.in_place(operands) {
            for operand in operands {
                self.node(operand.node());
                self.fit(*operand);
            }
            return;
        }
        let nodes: Vec<&Node> = operands.iter().map(|operand| operand.node()).collect();
        let stashed: Vec<Again> = (operands.iter().enumerate())
            .map(|(at, operand)| self.stash(operand.node(), operand.ty(), &nodes[at + 1..]))
            .collect();
        for (operand, again) in operands.iter().zip(stashed) {
            self.again(again);
            self.release(again);
            self.fit(*operand);
        }
    }

    /// Whether every address may be checked as soon as it is evaluated, as
    /// nobody sees the difference.
    fn in_place(&self, operands: &[Operand<'_>]) -> bool {
        let checked = |operand: &Operand<'_>| matches!(operand, Operand::Address(kind, node) if self.needs_check(*kind, node));
        let Some(first) = operands.iter().position(checked) else {
            return true;
        };
        operands[first + 1..]
            .iter()
            .all(|operand| quiet(operand.node()).is_some())
    }

    fn needs_check(&self, kind: Kind, node: &Node) -> bool {
        let small = matches!(node, Node::Const(_, bits) if u32::try_from(*bits).is_ok());
        kind == Kind::U64 && !self.module.wide && !small
    }

    /// Makes the address on the stack as wide as those of the memory. One that
    /// no 32-bit memory has traps as the access would.
    fn fit(&mut self, operand: Operand<'_>) {
        let Operand::Address(kind, node) = operand else {
            return;
        };
        if self.needs_check(kind, node) {
            let address = self.keep_top(ValType::I64);
            self.constant(Kind::U64, u32::MAX.into());
            self.emit(Instruction::I64GtU);
            self.code.trap_if(messages::MEMORY);
            self.again(address);
            self.release(address);
        }
        match (kind, self.module.wide) {
            (Kind::U64, false) => self.emit(Instruction::I32WrapI64),
            (Kind::U32, true) => self.emit(Instruction::I64ExtendI32U),
            _ => {}
        }
    }

    fn page_arg(&self, kind: Kind, state: u32, offset: u32) -> wasm_encoder::MemArg {
        let start = self.module.states[state as usize];
        let mut arg = opcode::mem_arg(kind, self.module.page_memory, offset);
        arg.offset += u64::from(start);
        arg
    }

    fn page_address(&mut self, index: Option<&Node>) {
        match index {
            Some(index) => self.node(index),
            None => self.emit(Instruction::I32Const(0)),
        }
    }

    /// Rust evaluates the value before the place that it goes to.
    fn page_store_operands(&mut self, kind: Kind, index: Option<&Node>, value: &Node) {
        if index.is_none() || quiet(value).is_some() {
            self.page_address(index);
            return self.node(value);
        }
        let value = self.stash(value, kind.wasm(), index.as_slice());
        self.page_address(index);
        self.again(value);
        self.release(value);
    }

    pub(super) fn index(&mut self, index: &Node, len: u32, size: u32) {
        let (index, kind) = match index {
            // It is as good before it is widened.
            Node::Cast(from, Kind::U64, index) if from.wasm() == ValType::I32 && !from.signed() => {
                (&**index, *from)
            }
            _ => (index, Kind::U64),
        };
        if self.range(index).1 < len.into() {
            self.node(index);
        } else {
            let again = self.keep(index, kind.wasm(), &[]);
            self.constant(kind, len.into());
            self.int(kind, Op::GeU);
            self.code.trap_if(messages::INDEX);
            self.again(again);
            self.release(again);
        }
        if kind == Kind::U64 {
            self.emit(Instruction::I32WrapI64);
        }
        if size.is_power_of_two() {
            self.scale(size.trailing_zeros(), Op::Shl);
        } else {
            self.scale(size, Op::Mul);
        }
    }

    fn scale(&mut self, by: u32, op: Op) {
        if by != 0 {
            self.constant(Kind::U32, by.into());
            self.int(Kind::U32, op);
        }
    }
}
