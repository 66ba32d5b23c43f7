//! Numbers as Wasm writes them.

/// Appends `value` in the shortest form.
#[inline]
pub(super) fn write_u32(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number at the start of `bytes`, which a validator has seen, and how many
/// bytes it takes. Forms that are longer than needed are fine.
#[inline]
pub(super) fn read_u32(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0;
    for (position, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * position as u32);
        if byte & 0x80 == 0 {
            return Some((value, position + 1));
        }
    }
    None
}
