//! Why a body cannot be built.

use std::error::Error;
use std::fmt::{self, Display};

/// Why a body cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The body uses a host state that the host page does not hold.
    UnknownState {
        /// The inline function.
        function: String,
        /// The name of the state's type.
        state: &'static str,
    },
    /// A call does not fit the function that it calls: a mistake in the code
    /// that drives the builder.
    Mismatch {
        /// The inline function.
        function: String,
        /// What does not fit.
        what: String,
    },
    /// The body ends without the value that it should return: a mistake in the
    /// code that drives the builder.
    NoResult {
        /// The inline function.
        function: String,
    },
    /// What was built is not what linking takes.
    Invalid {
        /// The inline function.
        function: String,
        /// What is wrong with it.
        what: String,
    },
}

impl Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::UnknownState { function, state } => write!(
                f,
                "inline function `{function}` uses the host state `{state}`, which this host does not hold: \
                 register the function through its `#[host_module]`, which adds the state"
            ),
            BuildError::Mismatch { function, what } => {
                write!(f, "inline function `{function}`: {what}")
            }
            BuildError::NoResult { function } => write!(
                f,
                "inline function `{function}` ends without a value, but it returns one: \
                 end its body with `Builder::ret`"
            ),
            BuildError::Invalid { function, what } => {
                write!(f, "inline function `{function}` cannot be linked: {what}")
            }
        }
    }
}

impl Error for BuildError {}
