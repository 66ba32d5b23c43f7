//! What a record's size depends on, and the locals of functions that queue it.

use wasm_encoder::{InstructionSink, ValType};

use crate::FuncType;
use crate::stub::queue::HEADER;
use crate::stub::{Length, Queue, Record};

/// What is copied begins and ends at a multiple of this.
pub(super) const PIECE: u32 = 8;

/// A number of bytes.
#[derive(Clone, Copy)]
pub(super) enum Size {
    Fixed(u32),
    /// In this local, an `i64`.
    Local(u32),
}

impl Size {
    pub(super) fn as_i64(self, code: &mut InstructionSink<'_>) {
        match self {
            Size::Fixed(bytes) => code.i64_const(bytes.into()),
            Size::Local(local) => code.local_get(local),
        };
    }

    /// It was checked that nothing is lost.
    pub(super) fn as_i32(self, code: &mut InstructionSink<'_>) {
        match self {
            Size::Fixed(bytes) => code.i32_const(bytes as i32),
            Size::Local(local) => code.local_get(local).i32_wrap_i64(),
        };
    }

    /// As an `i64`, rounded up to whole words.
    pub(super) fn rounded(self, code: &mut InstructionSink<'_>) {
        let round = i64::from(PIECE) - 1;
        self.as_i64(code);
        code.i64_const(round).i64_add();
        code.i64_const(!round).i64_and();
    }
}

/// The locals of a stub, in this order: its parameters; what was measured, each an
/// `i64`: the bytes of all items of each copy that has a number of items, and of
/// the whole record if there is one such; then scratch.
pub(super) struct Layout {
    params: u32,
    /// The bytes of each copy.
    pub(super) lengths: Vec<Size>,
    /// How many of them are not the same in all records.
    pub(super) items: u32,
    /// Bytes that all records have.
    pub(super) fixed: u64,
    /// The bytes of the whole record.
    pub(super) total: Size,
}

impl Layout {
    pub(super) fn new(ty: &FuncType, record: &Record) -> Layout {
        debug_assert!(ty.results.is_empty());
        debug_assert_eq!(ty.params.len(), record.stores.len());
        debug_assert!(record.size > 0);
        debug_assert!(record.copies.is_empty() || record.size.is_multiple_of(PIECE));
        let params = ty.params.len() as u32;
        let mut items = 0;
        let mut fixed = u64::from(record.size);
        let mut lengths = Vec::new();
        for copy in &record.copies {
            lengths.push(match copy.length {
                Length::Bytes(bytes) => {
                    fixed += u64::from(bytes).next_multiple_of(PIECE.into());
                    Size::Fixed(bytes)
                }
                Length::Items { .. } => {
                    items += 1;
                    Size::Local(params + items - 1)
                }
            });
        }
        Layout {
            params,
            lengths,
            items,
            fixed,
            total: match items {
                0 => Size::Fixed(fixed as u32),
                items => Size::Local(params + items),
            },
        }
    }

    /// How many bytes an empty queue has for items; nothing if it has none even for
    /// a record without items.
    pub(super) fn room(&self, queue: &Queue) -> Option<u32> {
        let others = u32::try_from(self.fixed).ok()?;
        let room = queue.size.checked_sub(HEADER)?.checked_sub(others)?;
        Some(room - room % PIECE)
    }

    pub(super) fn params(&self) -> u32 {
        self.params
    }

    /// Types of what is measured.
    pub(super) fn measured(&self) -> Vec<ValType> {
        let total = u32::from(self.items > 0);
        vec![ValType::I64; (self.items + total) as usize]
    }

    /// Parameters and what is measured together.
    pub(super) fn passed(&self) -> u32 {
        self.params + self.measured().len() as u32
    }

    /// Types of scratch locals.
    pub(super) fn scratch(&self) -> Vec<ValType> {
        let several = usize::from(self.lengths.len() > 1);
        vec![ValType::I32; 1 + several]
    }

    /// The local with the position of the record.
    pub(super) fn position(&self) -> u32 {
        self.passed()
    }

    /// The local with the address that the next piece is copied to, if there are
    /// several.
    pub(super) fn target(&self) -> u32 {
        self.passed() + 1
    }
}
