//! Refuses, with a helpful message, what is not a core Wasm module at all.

use wasmparser::BinaryReader;

use crate::ParseError;

const MAGIC: &[u8] = b"\0asm";
const HEADER_LENGTH: usize = 8;
const VERSION: std::ops::Range<usize> = 4..6;
/// The two bytes that tell a component (1) from a module (0).
const LAYER: std::ops::Range<usize> = 6..8;

/// Checks that `bytes` begin as a module does and hold every section that they
/// announce.
pub(crate) fn check(bytes: &[u8]) -> Result<(), ParseError> {
    check_magic(bytes)?;
    if bytes.get(LAYER) == Some(&[1, 0]) {
        return Err(ParseError::new(
            LAYER.start as u64,
            "this is a component, hostcall links core modules: \
             build the guest as a core module, for example for `wasm32-wasip1`",
        ));
    }
    if bytes.len() < HEADER_LENGTH {
        return Err(truncated(bytes, "a module's header has 8 bytes"));
    }
    if bytes[VERSION] != [1, 0] {
        let version = hex(&bytes[VERSION]);
        return Err(ParseError::new(
            VERSION.start as u64,
            format!("unknown version of Wasm's binary format: {version} instead of 01 00"),
        ));
    }
    check_sections(bytes)
}

fn check_magic(bytes: &[u8]) -> Result<(), ParseError> {
    if bytes.is_empty() {
        return Err(ParseError::new(0, "there is no module: the input is empty"));
    }
    let length = bytes.len().min(MAGIC.len());
    if bytes[..length] == MAGIC[..length] {
        return Ok(());
    }
    if looks_like_text(bytes) {
        return Err(ParseError::new(
            0,
            "this looks like text (WAT), a module in binary form is needed: \
             convert it first, for example with the `wat` crate",
        ));
    }
    let found = hex(&bytes[..length]);
    let what = if bytes.starts_with(b"\x7fELF") {
        " (an ELF file: a native program or a precompiled module)"
    } else {
        ""
    };
    Err(ParseError::new(
        0,
        format!("not a Wasm module: it begins with {found}{what} instead of 00 61 73 6d"),
    ))
}

fn looks_like_text(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.trim_ascii_start();
    bytes.starts_with(b"(") || bytes.starts_with(b";;")
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

/// Compares the length that each section announces with what is there: the
/// only place where a file that was cut off can be told from a damaged one.
fn check_sections(bytes: &[u8]) -> Result<(), ParseError> {
    let mut reader = BinaryReader::new(bytes, 0);
    reader.read_bytes(HEADER_LENGTH)?;
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        if reader.eof() {
            return Err(truncated(bytes, "a section's length is missing"));
        }
        let length = reader.read_var_u32()? as usize;
        let left = reader.bytes_remaining();
        if length > left {
            let section = format!(
                "section {id} at offset {start:#x} announces {length} bytes, {left} are left"
            );
            return Err(truncated(bytes, &section));
        }
        reader.read_bytes(length)?;
    }
    Ok(())
}

fn truncated(bytes: &[u8], why: &str) -> ParseError {
    let end = bytes.len() as u64;
    ParseError::new(end, format!("the module is truncated: {why}"))
}
