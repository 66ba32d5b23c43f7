//! What a trap in an inline body says: in its Wasm form and in its native form
//! alike. Where rustc has a panic for it, the text is rustc's.
//!
//! Both forms also have to agree where Rust leaves the result open:
//!
//! - `min` and `max` of floats are, for `min`, `if a < b || b.is_nan() { a }
//!   else { b }`, and with `>` for `max`: of two zeros the second one, and a
//!   NaN only if both are NaN.
//! - `isize` and `usize` have 64 bits.
//! - Signs and payloads of NaNs that arithmetic makes are open in Wasm, too.
//!
//! Of a division, a zero divisor is found before an overflow. In `place = value`
//! the value comes first, then the place. Addresses are checked at the access,
//! after all operands.

/// `+` of integers.
pub const ADD: &str = "attempt to add with overflow";
/// `-` of two integers.
pub const SUB: &str = "attempt to subtract with overflow";
/// `*` of integers.
pub const MUL: &str = "attempt to multiply with overflow";
/// `/` of the least integer by -1.
pub const DIV: &str = "attempt to divide with overflow";
/// `/` of an integer by zero.
pub const DIV_ZERO: &str = "attempt to divide by zero";
/// `%` of the least integer by -1.
pub const REM: &str = "attempt to calculate the remainder with overflow";
/// `%` of an integer by zero.
pub const REM_ZERO: &str = "attempt to calculate the remainder with a divisor of zero";
/// `-` of the least integer, and its `abs`.
pub const NEG: &str = "attempt to negate with overflow";
/// `<<` by as many bits as the type has, or more.
pub const SHL: &str = "attempt to shift left with overflow";
/// `>>` by as many bits as the type has, or more.
pub const SHR: &str = "attempt to shift right with overflow";
/// An index of an array in a host state.
pub const INDEX: &str = "index out of bounds";
/// A load, a store, a copy or a fill.
pub const MEMORY: &str = "out of bounds of the guest's memory";
