//! Programs as files, so that starting up skips compilation.
//!
//! A file is a header, the guest, and the linked module's machine code as
//! Wasmtime serialises it. The guest is in it because linking is repeated on
//! loading: the host may have changed. Then the linked module must come out the
//! same, which its hash in the header tells.

use super::Program;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use sha2::{Digest, Sha256};
use std::fmt;
use wasmtime::Module;

/// First bytes of a file; the digit is the version of this layout.
const MAGIC: &[u8; 16] = b"hostcall-prog-2\n";
const HASH: std::ops::Range<usize> = 16..48;
const GUEST_LENGTH: std::ops::Range<usize> = 48..56;
const LINKED: std::ops::Range<usize> = 56..88;
const HEADER: usize = 88;

impl<T: 'static> Program<T> {
    /// The program as bytes, for [`Host::deserialize`].
    ///
    /// [`Host::deserialize`]: crate::Host::deserialize
    ///
    /// # Errors
    ///
    /// If Wasmtime cannot serialise the module.
    pub fn serialize(&self) -> Result<Vec<u8>, Error> {
        let code = self.0.module.serialize().map_err(Error::wasmtime)?;
        let guest = &self.0.guest;
        let mut file = Vec::with_capacity(HEADER + guest.len() + code.len());
        file.extend(MAGIC);
        file.extend([0; HASH.end - HASH.start]);
        file.extend((guest.len() as u64).to_le_bytes());
        file.extend(Sha256::digest(self.linked()));
        file.extend(guest);
        file.extend(code);
        let hash = Sha256::digest(&file[HASH.end..]);
        file[HASH].copy_from_slice(&hash);
        Ok(file)
    }
}

impl<T: 'static> Host<T> {
    /// Loads a program from the bytes that [`Program::serialize`] gave, and
    /// links it against this host. Nothing is compiled.
    ///
    /// ```
    /// # use hostcall::Host;
    /// let host = Host::<()>::new();
    /// # let path = std::env::temp_dir().join(format!("{}.hostcall", std::process::id()));
    /// std::fs::write(&path, host.program(b"(module)")?.serialize()?)?;
    ///
    /// // SAFETY: `Program::serialize` made the file.
    /// let program = unsafe { host.deserialize(&std::fs::read(&path)?)? };
    /// assert!(program.info().imports.is_empty());
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the bytes are damaged or not a program file, or were made by another
    /// version of hostcall or Wasmtime, for another machine, or under another
    /// configuration of the engine; and as [`Host::program`].
    ///
    /// # Safety
    ///
    /// The bytes hold machine code that guests will run. A checksum finds
    /// damage, but not malice: whoever can write the file can run code in this
    /// process. Load only files that [`Program::serialize`] made and that
    /// nobody else could change since.
    #[expect(unsafe_code, reason = "runs machine code from a file")]
    pub unsafe fn deserialize(&self, file: &[u8]) -> Result<Program<T>, Error> {
        let parts = parts(file).map_err(unusable)?;
        Program::link(self, parts.guest, |engine, linked| {
            if Sha256::digest(linked)[..] != *parts.linked {
                let why = "this program file was made for other bodies of inlined host functions";
                return Err(unusable(why));
            }
            // SAFETY: promised by the caller, and the checksum holds.
            let module = unsafe { Module::deserialize(engine, parts.code) };
            module.map_err(|error| {
                unusable(format_args!(
                    "this program file was made by another version or for another machine: {error}"
                ))
            })
        })
    }
}

fn unusable(why: impl fmt::Display) -> Error {
    let message = format!("{why}; make it anew with `Program::serialize`");
    Error::of(ErrorKind::ProgramFile(message))
}

/// What a file holds.
struct Parts<'f> {
    guest: &'f [u8],
    /// The hash of the linked module.
    linked: &'f [u8],
    /// Its machine code.
    code: &'f [u8],
}

fn parts(file: &[u8]) -> Result<Parts<'_>, &'static str> {
    if !file.starts_with(&MAGIC[..14]) {
        return Err("this is not a program file of hostcall");
    }
    if !file.starts_with(MAGIC) {
        return Err("this program file was made by another version of hostcall");
    }
    let Some(header) = file.get(..HEADER) else {
        return Err("this program file is damaged: it is cut short");
    };
    if Sha256::digest(&file[HASH.end..])[..] != header[HASH] {
        return Err("this program file is damaged: its checksum does not match");
    }
    let length = header[GUEST_LENGTH].try_into().map(u64::from_le_bytes);
    let length = length.ok().and_then(|length| usize::try_from(length).ok());
    length
        .and_then(|length| file[HEADER..].split_at_checked(length))
        .map(|(guest, code)| Parts {
            guest,
            linked: &header[LINKED],
            code,
        })
        .ok_or("this program file is damaged: a length in it is wrong")
}
