//! Comparisons that take as long whatever the bytes are.
//!
//! A comparison that stops at the first difference tells whoever can time it
//! how much of a guess was right, and so lets a secret be found byte by byte.
//! The one here does not stop. [`Secret`](crate::Secret) has it as
//! [`matches`](crate::Secret::matches); what is promised and what is not is in
//! `docs/src/constant-time.md`.

use subtle::ConstantTimeEq;

/// Whether `a` and `b` are the same bytes, in a time that depends on their
/// lengths only.
///
/// Lengths leak: slices of different lengths are unequal at once. Where the
/// length of a secret is one, too, compare digests.
///
/// ```
/// use hostcall::ct;
///
/// assert!(ct::eq(b"0123abcd", b"0123abcd"));
/// assert!(!ct::eq(b"0123abcd", b"0123abce"));
/// assert!(!ct::eq(b"0123abcd", b"0123"));
/// ```
pub fn eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
