//! Builds the Wasm form of inline functions.
//!
//! This is what `#[hostcall(inline)]` writes code against: the macro rewrites
//! the control flow of a body into calls of [`Builder`], and leaves operators
//! and methods alone, which [`Expr`] has under their usual names. So rustc
//! infers the types, and what inline bodies do not have fails to compile at its
//! own line.
//!
//! ```
//! use hostcall_link::inline::{Builder, Target, build_module, lit, lt};
//!
//! // fn distance(a: i32, b: i32) -> i32 { let d = a - b; if d < 0 { -d } else { d } }
//! fn distance(b: &Builder) {
//!     let (a, other) = (b.param::<i32>("a"), b.param::<i32>("b"));
//!     b.returns::<i32>();
//!     let d = b.local(a.get() - other.get());
//!     let result = b.if_else(lt(d.get(), lit(0)), || -d.get(), || d.get());
//!     b.ret(result);
//! }
//!
//! let target = Target { wide: false, page_size_log2: 16, states: &|_| None };
//! let built = build_module("distance", distance, &target)?;
//! assert!(built.traps.iter().any(|trap| trap.message == "attempt to subtract with overflow"));
//! # Ok::<(), hostcall_link::inline::BuildError>(())
//! ```

mod access;
mod assemble;
mod ast;
mod build;
mod builder;
mod cast;
mod draft;
mod error;
mod expr;
mod float;
mod fold;
mod forward;
mod int;
mod lower;
mod memory;
pub mod messages;
pub mod native;
mod operators;
mod place;
mod range;
mod scalar;
mod tail;
mod usage;
mod value;
mod variable;
mod visit;

pub use access::NumberPlace;
pub use build::{Built, BuiltTrap, Target, build, build_module};
pub use builder::Builder;
pub use cast::CastTo;
pub use error::BuildError;
pub use expr::{Expr, and, cast, eq, from_bits, ge, gt, le, lit, lt, ne, not, or, to_bits};
pub use memory::Memory;
pub use place::{Address, Fields, Place};
pub use scalar::{
    Bitwise, Float, GuestAddress, Int, Num, Remainder, Scalar, Signed, SignedInt, Stored,
};
pub use value::{Arg, Returned, Value};
pub use variable::{Label, ValueLabel, Var};
