//! Why a native form ends early.

use std::error::Error;
use std::fmt::{self, Debug, Display};

/// What a trap in an inline function says, or the error of a host function that
/// it called.
pub struct BodyTrap(Cause);

enum Cause {
    Trap(&'static str),
    Host(Box<dyn Error + Send + Sync>),
}

impl BodyTrap {
    /// A trap of the body itself.
    #[cold]
    pub fn new(message: &'static str) -> BodyTrap {
        BodyTrap(Cause::Trap(message))
    }

    /// The error of a host function that the body called.
    #[cold]
    pub fn host(error: Box<dyn Error + Send + Sync>) -> BodyTrap {
        BodyTrap(Cause::Host(error))
    }

    /// What a trap of the body itself says; of a host function's error only
    /// that it is one, for [`into_host`](BodyTrap::into_host) has it.
    pub fn message(&self) -> &'static str {
        match self.0 {
            Cause::Trap(message) => message,
            Cause::Host(_) => "a host function failed",
        }
    }

    /// The error of a host function that the body called.
    ///
    /// # Errors
    ///
    /// If this is a trap of the body itself, which is given back.
    pub fn into_host(self) -> Result<Box<dyn Error + Send + Sync>, BodyTrap> {
        match self.0 {
            Cause::Trap(_) => Err(self),
            Cause::Host(error) => Ok(error),
        }
    }
}

impl Display for BodyTrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Trap(message) => f.write_str(message),
            Cause::Host(error) => Display::fmt(error, f),
        }
    }
}

impl Debug for BodyTrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BodyTrap").field(&self.to_string()).finish()
    }
}

impl Error for BodyTrap {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Cause::Trap(_) => None,
            Cause::Host(error) => error.source(),
        }
    }
}
