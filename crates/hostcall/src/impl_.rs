//! What the code that the macros generate touches. Not for anyone else: it
//! changes without notice.

pub use crate::args::Args;
pub use crate::blocking_func::handle;
pub use crate::crossing::Params;
pub use crate::deferred::BatchRecord;
pub use crate::fault::Lifted;
pub use crate::fiber::Waiting;
pub use crate::guest_type::{
    Needs, PlaceField, assert_unpadded, bad_tag, lift_case, load_tag, lower_case, max, store_tag,
};
pub use crate::inline::{
    InlineArgs, InlineBody, PlainBytes, StateType, body_result, slow_path, state_of,
};
pub use crate::layout::Layouts;
pub use crate::registry::{Decl, FuncOptions, FuncRegistry, REENTRANT, Registry};
pub use crate::results::Results;
pub use bytemuck::{AnyBitPattern, CheckedBitPattern, Zeroable};
pub use hostcall_link::inline;
pub use wasmtime::Result;

/// Layouts in guest memory.
pub mod layout {
    pub use crate::layout::{offset, payload_offset, record, variant};
}
