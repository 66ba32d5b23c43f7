//! Sizes, alignments and offsets of the canonical ABI, in both pointer widths.
//!
//! Typed code evaluates these at compile time, the dynamic path at run time:
//! one set of rules.

/// Size and alignment in guest memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Size, a multiple of `align`.
    pub size: usize,
    /// Alignment, a power of two.
    pub align: usize,
}

/// The layout in guests with 32-bit and with 64-bit memories.
pub type Layouts = [Layout; 2];

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// `offset` rounded up to a multiple of `align`.
pub const fn align_to(offset: usize, align: usize) -> usize {
    offset.next_multiple_of(align)
}

/// A scalar of `size` bytes.
pub const fn scalar(size: usize) -> Layouts {
    [Layout { size, align: size }; 2]
}

/// `words` pointers or lengths.
pub const fn words(words: usize) -> Layouts {
    [
        Layout {
            size: 4 * words,
            align: 4,
        },
        Layout {
            size: 8 * words,
            align: 8,
        },
    ]
}

/// A record or tuple of `fields`.
pub const fn record(fields: &[Layouts]) -> Layouts {
    [record_in(fields, 0), record_in(fields, 1)]
}

const fn record_in(fields: &[Layouts], width: usize) -> Layout {
    let (mut size, mut align, mut i) = (0, 1, 0);
    while i < fields.len() {
        let field = fields[i][width];
        size = align_to(size, field.align) + field.size;
        align = max(align, field.align);
        i += 1;
    }
    Layout {
        size: align_to(size, align),
        align,
    }
}

/// Offset of field `index` of a record or tuple.
pub const fn offset(fields: &[Layouts], index: usize, width: usize) -> usize {
    let (mut at, mut i) = (0, 0);
    while i < index {
        at = align_to(at, fields[i][width].align) + fields[i][width].size;
        i += 1;
    }
    align_to(at, fields[index][width].align)
}

/// Size in bytes of the discriminant of a variant with `cases` cases.
pub const fn tag_size(cases: usize) -> usize {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// A variant of as many cases as `payloads`; a case without payload has
/// `UNIT`.
pub const fn variant(payloads: &[Layouts]) -> Layouts {
    [variant_in(payloads, 0), variant_in(payloads, 1)]
}

const fn variant_in(payloads: &[Layouts], width: usize) -> Layout {
    let tag = tag_size(payloads.len());
    let (mut size, mut align, mut i) = (0, tag, 0);
    while i < payloads.len() {
        size = max(size, payloads[i][width].size);
        align = max(align, payloads[i][width].align);
        i += 1;
    }
    let payload = payload_offset(payloads, width);
    Layout {
        size: align_to(payload + size, align),
        align,
    }
}

/// Offset of the payload in a variant.
pub const fn payload_offset(payloads: &[Layouts], width: usize) -> usize {
    let (mut align, mut i) = (1, 0);
    while i < payloads.len() {
        align = max(align, payloads[i][width].align);
        i += 1;
    }
    align_to(tag_size(payloads.len()), align)
}

/// Nothing: the payload of a case without one.
pub const UNIT: Layouts = [Layout { size: 0, align: 1 }; 2];
