//! Writes a record at the position that was found for it.

use wasm_encoder::InstructionSink;

use super::layout::Size;
use super::{COPY, Stub};
use crate::ValType;
use crate::stub::{Store, StoreAs};

impl Stub<'_> {
    /// Writes the record and moves `tail` behind it.
    pub(super) fn append(&self, code: &mut InstructionSink<'_>) {
        for ((param, ty), store) in (0..).zip(&self.ty.params).zip(&self.record.stores) {
            self.store(code, param, ty, store);
        }
        self.copy_all(code);
        self.access.set_tail(code, |code| {
            code.local_get(self.layout.position());
            self.layout.total.as_i32(code);
            code.i32_add();
        });
    }

    fn store(&self, code: &mut InstructionSink<'_>, param: u32, ty: &ValType, store: &Store) {
        let page = self.access.page;
        let address = u64::from(self.access.queue.start) + u64::from(store.offset);
        code.local_get(self.layout.position()).local_get(param);
        match (store.as_, ty) {
            (StoreAs::Whole, ty) => page.store(code, ty, address),
            (StoreAs::Word, ty) => {
                let wide = widen(code, ty);
                page.store(code, wide, address);
            }
            (StoreAs::Low8, ValType::I32) => page.store_low(code, 1, address),
            (StoreAs::Low16, ValType::I32) => page.store_low(code, 2, address),
            (StoreAs::Case { bytes, .. }, ValType::I32) => page.store_low(code, bytes, address),
            (StoreAs::Char, ValType::I32) => page.store_low(code, 4, address),
            (StoreAs::Bool, ValType::I32) => {
                code.i32_const(0).i32_ne();
                page.store_low(code, 1, address);
            }
            (as_, ty) => panic!("a parameter of type {ty} is not stored as {as_:?}"),
        }
    }

    /// Copies what pointers point to, piece by piece, behind what is stored.
    fn copy_all(&self, code: &mut InstructionSink<'_>) {
        let pieces = self.record.copies.iter().zip(&self.layout.lengths);
        let mut left = self.record.copies.len();
        let mut previous = None;
        for (copy, length) in pieces {
            self.piece(code, previous.replace(*length));
            left -= 1;
            if left > 0 {
                code.local_tee(self.layout.target());
            }
            code.local_get(copy.pointer);
            length.as_i32(code);
            code.call(COPY);
        }
    }

    /// Leaves on the stack where a piece goes: behind the previous one, if there
    /// is one.
    fn piece(&self, code: &mut InstructionSink<'_>, previous: Option<Size>) {
        match previous {
            None => {
                let first = self.access.queue.start + self.record.size;
                code.local_get(self.layout.position());
                code.i32_const(first as i32);
            }
            Some(length) => {
                code.local_get(self.layout.target());
                length.rounded(code);
                code.i32_wrap_i64();
            }
        }
        code.i32_add();
    }
}

/// Makes an `i64` of a narrow number on the stack; gives the type that is then there.
fn widen<'a>(code: &mut InstructionSink<'_>, ty: &'a ValType) -> &'a ValType {
    match ty {
        ValType::I32 => code.i64_extend_i32_u(),
        ValType::F32 => code.i32_reinterpret_f32().i64_extend_i32_u(),
        ty => return ty,
    };
    &ValType::I64
}
