//! Finds out whether a call can be queued at all.

use wasm_encoder::InstructionSink;

use super::Stub;
use super::layout::Size;
use crate::ValType;
use crate::stub::queue::HEADER;
use crate::stub::{Copied, Length, StoreAs};

/// Conditions, of which the stack has whether any is met. There is no branch for
/// each: nearly always, none is met.
#[derive(Default)]
struct Any {
    several: bool,
}

impl Any {
    /// The next condition is on the stack.
    fn or(&mut self, code: &mut InstructionSink<'_>) {
        if self.several {
            code.i32_or();
        }
        self.several = true;
    }
}

impl Stub<'_> {
    /// Leaves on the stack whether the call cannot be queued, and in locals the
    /// sizes of what is copied. Nothing is on the stack, and the result is `false`,
    /// if any call can.
    pub(super) fn checks(&self, code: &mut InstructionSink<'_>) -> bool {
        let mut any = Any::default();
        self.check_cases(code, &mut any);
        for (copy, length) in self.record.copies.iter().zip(&self.layout.lengths) {
            self.check_align(code, copy, &mut any);
            self.check_length(code, copy, *length, &mut any);
            self.check_end(code, copy, *length, &mut any);
        }
        self.check_total(code, &mut any);
        any.several
    }

    fn check_cases(&self, code: &mut InstructionSink<'_>, any: &mut Any) {
        for (param, store) in (0..).zip(&self.record.stores) {
            if let StoreAs::Case { cases, .. } = store.as_ {
                code.local_get(param).i32_const(cases as i32).i32_ge_u();
                any.or(code);
            }
            if store.as_ == StoreAs::Char {
                is_no_char(code, param);
                any.or(code);
            }
        }
    }

    fn check_align(&self, code: &mut InstructionSink<'_>, copy: &Copied, any: &mut Any) {
        debug_assert!(copy.align.is_power_of_two());
        if copy.align > 1 {
            code.local_get(copy.pointer);
            if self.guest.wide {
                code.i32_wrap_i64();
            }
            code.i32_const((copy.align - 1) as i32).i32_and();
            any.or(code);
        }
    }

    /// A number of items that is an `i32` cannot overflow when multiplied.
    fn check_length(
        &self,
        code: &mut InstructionSink<'_>,
        copy: &Copied,
        length: Size,
        any: &mut Any,
    ) {
        let (Length::Items { count, stride }, Size::Local(length)) = (copy.length, length) else {
            return;
        };
        if self.ty.params[count as usize] == ValType::I64 {
            code.local_get(count);
            code.i64_const(self.access.queue.size.into()).i64_gt_u();
            any.or(code);
        }
        self.unsigned(code, count);
        if stride != 1 {
            code.i64_const(stride.into()).i64_mul();
        }
        code.local_tee(length);
        code.i64_const(self.room.into()).i64_gt_u();
        any.or(code);
    }

    /// Leaves an integer parameter on the stack as an `i64`.
    fn unsigned(&self, code: &mut InstructionSink<'_>, param: u32) {
        code.local_get(param);
        if self.ty.params[param as usize] == ValType::I32 {
            code.i64_extend_i32_u();
        }
    }

    /// The same for a local that is an address.
    pub(super) fn unsigned_address(&self, code: &mut InstructionSink<'_>, local: u32) {
        code.local_get(local);
        if !self.guest.wide {
            code.i64_extend_i32_u();
        }
    }

    /// The sum overflows only if the pointer alone is too large already, or the
    /// length, which was checked before.
    fn check_end(
        &self,
        code: &mut InstructionSink<'_>,
        copy: &Copied,
        length: Size,
        any: &mut Any,
    ) {
        self.unsigned(code, copy.pointer);
        length.as_i64(code);
        code.i64_add();
        self.memory_bytes(code);
        code.i64_gt_u();
        any.or(code);
        if self.guest.wide {
            code.local_get(copy.pointer);
            self.memory_bytes(code);
            code.i64_gt_u();
            any.or(code);
        }
    }

    /// Leaves the size of the guest's memory on the stack.
    pub(super) fn memory_bytes(&self, code: &mut InstructionSink<'_>) {
        code.memory_size(self.memory);
        if !self.guest.wide {
            code.i64_extend_i32_u();
        }
        let log2 = self.guest.page_size_log2;
        if log2 > 0 {
            code.i64_const(log2.into()).i64_shl();
        }
    }

    /// One length that has room leaves room for the record; several may not.
    fn check_total(&self, code: &mut InstructionSink<'_>, any: &mut Any) {
        let Size::Local(total) = self.layout.total else {
            return;
        };
        self.sum(code);
        if self.layout.items == 1 {
            code.local_set(total);
            return;
        }
        let most = self.access.queue.size - HEADER;
        code.local_tee(total).i64_const(most.into()).i64_gt_u();
        any.or(code);
    }

    /// Leaves on the stack the bytes of the whole record.
    fn sum(&self, code: &mut InstructionSink<'_>) {
        code.i64_const(self.layout.fixed as i64);
        for length in &self.layout.lengths {
            if let Size::Local(_) = length {
                length.rounded(code);
                code.i64_add();
            }
        }
    }
}

/// Leaves on the stack whether an `i32` is no Unicode scalar value: a surrogate, or
/// beyond the last.
fn is_no_char(code: &mut InstructionSink<'_>, param: u32) {
    code.local_get(param).i32_const(0xd800).i32_sub();
    code.i32_const(0x800).i32_lt_u();
    code.local_get(param).i32_const(0x11_0000).i32_ge_u();
    code.i32_or();
}
