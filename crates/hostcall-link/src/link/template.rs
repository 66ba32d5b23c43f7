//! Prepares bodies so that they can be written anywhere: encoded, with every
//! index final except those of locals.

use std::ops::Range;

use wasm_encoder::ValType;

/// A body, ready to be written.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    pub(super) pieces: Vec<Piece>,
    pub(super) bytes: Vec<u8>,
    /// Its locals, the parameters of a whole function included.
    pub(super) locals: Vec<Local>,
    /// How many locals of each type it needs at the same time.
    pub(super) needs: Vec<(u32, u32)>,
    pub(super) operators: u32,
    /// Whether it has blocks.
    pub(super) has_blocks: bool,
    /// No fewer bytes than it takes when written.
    pub(super) max_length: usize,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Bytes to copy.
    Bytes(Range<usize>),
    /// An operator on a local.
    Local { opcode: u8, local: u32 },
    /// The operator that follows traps for this reason.
    Trap(&'static str),
}

/// A local of a template: the nth of its type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    /// Index in [`ValTypes`].
    pub(super) ty: u32,
    pub(super) ordinal: u32,
}

/// The types of the locals of all templates.
#[derive(Clone, Debug, Default)]
pub(super) struct ValTypes(Vec<ValType>);

impl ValTypes {
    pub(super) fn intern(&mut self, ty: ValType) -> u32 {
        let known = self.0.iter().position(|it| *it == ty);
        let index = known.unwrap_or_else(|| {
            self.0.push(ty);
            self.0.len() - 1
        });
        index as u32
    }

    pub(super) fn get(&self, index: u32) -> ValType {
        self.0[index as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Bytes of a local operator: its opcode and the longest index.
const MAX_LOCAL_OPERATOR: usize = 6;

impl Template {
    /// Makes room for one more operator that is copied as it is.
    pub(super) fn bytes(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        encode(&mut self.bytes);
        let end = self.bytes.len();
        self.operators += 1;
        self.max_length += end - start;
        match self.pieces.last_mut() {
            Some(Piece::Bytes(range)) if range.end == start => range.end = end,
            _ => self.pieces.push(Piece::Bytes(start..end)),
        }
    }

    pub(super) fn local(&mut self, opcode: u8, local: u32) {
        self.operators += 1;
        self.max_length += MAX_LOCAL_OPERATOR;
        self.pieces.push(Piece::Local { opcode, local });
    }

    pub(super) fn trap(&mut self, message: &'static str) {
        self.pieces.push(Piece::Trap(message));
    }

    /// Writes the body to `out`. `index` tells the number of a local, `trap` is
    /// told the offset in `out` of each operator that traps for a reason.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        index: impl Fn(u32) -> u32,
        mut trap: impl FnMut(usize, &'static str),
    ) {
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(range) => out.extend_from_slice(&self.bytes[range.clone()]),
                Piece::Local { opcode, local } => {
                    out.push(*opcode);
                    super::leb::write_u32(out, index(*local));
                }
                Piece::Trap(message) => trap(out.len(), message),
            }
        }
    }
}
