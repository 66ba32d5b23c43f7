//! Copies what a pointer points to into a record.

use wasm_encoder::{BlockType, MemArg, ValType};

use super::Stub;
use super::layout::PIECE;
use crate::stub::module::Body;

/// Up to so many bytes are copied word by word: a short string costs less so than
/// by what an engine calls to copy.
const WORDS: u32 = 64;

/// The parameters: an address in the host page, one in the guest's memory, and a
/// number of bytes, which lie inside both.
const TO: u32 = 0;
const FROM: u32 = 1;
const LENGTH: u32 = 2;
/// Where the last word ends, or more.
const END: u32 = 3;

impl Stub<'_> {
    /// The types of its parameters.
    pub(super) fn copy_params(&self) -> Vec<ValType> {
        vec![ValType::I32, self.address(), ValType::I32]
    }

    fn address(&self) -> ValType {
        match self.guest.wide {
            true => ValType::I64,
            false => ValType::I32,
        }
    }

    /// A function that copies. It may write up to the next multiple of 8, which
    /// is part of the record.
    pub(super) fn copy(&self) -> Body {
        let mut body = Body::new(&[ValType::I32]);
        let mut code = body.code();
        code.local_get(LENGTH);
        code.i32_const(WORDS as i32).i32_gt_u();
        // The last word may reach beyond what is copied, but not beyond memory.
        self.unsigned_address(&mut code, FROM);
        code.i64_const(WORDS.into()).i64_add();
        self.memory_bytes(&mut code);
        code.i64_gt_u().i32_or();
        code.if_(BlockType::Empty);
        code.local_get(TO).local_get(FROM).local_get(LENGTH);
        code.memory_copy(self.access.page.0, self.memory);
        code.else_();
        self.words(&mut code);
        code.end();
        body
    }

    fn words(&self, code: &mut wasm_encoder::InstructionSink<'_>) {
        let word = |memory_index| MemArg {
            offset: 0,
            align: 0,
            memory_index,
        };
        code.local_get(TO).local_get(LENGTH).i32_add();
        code.local_set(END);
        code.loop_(BlockType::Empty);
        code.local_get(TO).local_get(END).i32_lt_u();
        code.if_(BlockType::Empty);
        code.local_get(TO);
        code.local_get(FROM).i64_load(word(self.memory));
        code.i64_store(word(self.access.page.0));
        code.local_get(TO).i32_const(PIECE as i32).i32_add();
        code.local_set(TO);
        code.local_get(FROM);
        match self.guest.wide {
            true => code.i64_const(PIECE.into()).i64_add(),
            false => code.i32_const(PIECE as i32).i32_add(),
        };
        code.local_set(FROM).br(1);
        code.end().end();
    }
}
