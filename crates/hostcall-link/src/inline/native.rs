//! The native form of inline functions: what the macro writes in the place of
//! operators that can fail, so that they say what their Wasm form says.
//!
//! Arithmetic here never wraps silently and never panics: what traps in the
//! guest is an `Err` here, with the same message.
//!
//! ```
//! use hostcall_link::inline::native::{BodyTrap, add, shl};
//!
//! fn next(x: u8) -> Result<u8, BodyTrap> {
//!     add(shl(x, 1)?, 1)
//! }
//! assert_eq!(next(3)?, 7);
//! assert_eq!(add(next(127)?, 1).unwrap_err().to_string(), "attempt to add with overflow");
//! # Ok::<(), BodyTrap>(())
//! ```

mod arithmetic;
mod index;
mod memory;
mod order;
mod shift;
mod sign;
mod trap;

pub use arithmetic::{
    Arithmetic, CheckedRemainder, add, div, mul, rem, sub, wrapping_div, wrapping_rem,
};
pub use index::{index, index_mut};
pub use memory::{Address, Element, Memory};
pub use order::{Ordered, max, min};
pub use shift::{ShiftAmount, Shifted, shl, shr};
pub use sign::{CheckedSign, abs, neg};
pub use trap::BodyTrap;
