//! What the checker says when linked bytes do not keep the plan.

use std::fmt;

/// Linked bytes do not keep the plan: where, what should stand there, and what
/// stands there.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckError {
    inner: Box<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    place: String,
    offset: u64,
    expected: String,
    found: String,
    certain: bool,
}

impl CheckError {
    pub(super) fn new(
        place: impl Into<String>,
        offset: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> CheckError {
        CheckError {
            inner: Box::new(Inner {
                place: place.into(),
                offset: offset as u64,
                expected: expected.into(),
                found: found.into(),
                certain: true,
            }),
        }
    }

    /// The same error, seen from `place`, of which the old place is a part.
    pub(super) fn within(mut self, place: &str) -> CheckError {
        self.inner.place = format!("{place}, {}", self.inner.place);
        self
    }

    pub(super) fn uncertain(mut self) -> CheckError {
        self.inner.certain = false;
        self
    }

    /// Whether the linked module is surely wrong. Bodies that begin with calls
    /// of themselves, and nest without bounds, can be read in several ways, of
    /// which the checker tries only some.
    pub fn is_certain(&self) -> bool {
        self.inner.certain
    }

    /// The section or function in which the difference is.
    pub fn place(&self) -> &str {
        &self.inner.place
    }

    /// Byte offset of the difference in the linked module.
    pub fn offset(&self) -> u64 {
        self.inner.offset
    }

    /// What the plan asks for.
    pub fn expected(&self) -> &str {
        &self.inner.expected
    }

    /// What the linked module has instead.
    pub fn found(&self) -> &str {
        &self.inner.found
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            place,
            offset,
            expected,
            found,
            ..
        } = &*self.inner;
        write!(
            f,
            "the linked module does not keep the plan: {place}: expected {expected}, \
             found {found} (at offset {offset:#x})"
        )
    }
}

impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckError({self})")
    }
}

impl std::error::Error for CheckError {}
