//! Why a module cannot be a provider.

use std::fmt;

use crate::ParseError;

/// The bytes are not a module whose functions can stand in a guest.
///
/// The message says what stands in the way, at which byte offset, and what to
/// do about it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderError {
    inner: Box<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    offset: u64,
    message: String,
}

impl ProviderError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> ProviderError {
        let offset = offset as u64;
        let message = message.into();
        ProviderError {
            inner: Box::new(Inner { offset, message }),
        }
    }

    /// Byte offset in the module at which the problem was found.
    pub fn offset(&self) -> u64 {
        self.inner.offset
    }

    /// What is wrong, without the offset.
    pub fn message(&self) -> &str {
        &self.inner.message
    }
}

impl From<ParseError> for ProviderError {
    fn from(error: ParseError) -> ProviderError {
        ProviderError::new(error.offset() as usize, error.message())
    }
}

/// For `?` inside this crate: which parser it uses is no part of its API.
#[doc(hidden)]
impl From<wasmparser::Error> for ProviderError {
    fn from(error: wasmparser::Error) -> ProviderError {
        ProviderError::from(ParseError::from(error))
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at offset {:#x})", self.message(), self.offset())
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("ProviderError");
        debug.field("offset", &self.offset());
        debug.field("message", &self.message()).finish()
    }
}

impl std::error::Error for ProviderError {}
