//! Functions that linking puts around a guest's imports and exports, each a
//! [`Provider`](crate::Provider): stubs that queue calls for the host, wrappers
//! that let the host see queued calls first, and drivers that call an export many
//! times.
//!
//! They meet the host in the host page. A [`Queue`] there has three control words,
//! `u32` like all words of it, at [`Queue::control`]:
//!
//! | at | word      | what it is                                                |
//! |----|-----------|-----------------------------------------------------------|
//! | +0 | `tail`    | where the last record ends                                |
//! | +4 | `current` | the id of the last run's function; 0 if nothing is queued |
//! | +8 | `run`     | where the last run begins                                 |
//!
//! Positions count from [`Queue::start`], and all words are 0 after a drain. A run
//! is a header of 8 bytes at a multiple of 8, which has the function's id and where
//! the run ends, and then records of that function, one behind the other. Where
//! the last run ends only `tail` says. In `current`, `u32::MAX` is nobody's run:
//! the host itself has calls waiting.

mod deferred;
mod drivers;
mod fields;
mod module;
mod page;
mod queue;
mod record;
#[cfg(test)]
mod tests;
mod wrapper;

pub use deferred::deferred;
pub use drivers::{Batch, fold_driver, map_driver};
pub use fields::{Fields, fields};
pub use record::{Copied, Guest, Length, Queue, Record, Store, StoreAs};
pub use wrapper::{metered, wrapper};

/// The name under which every provider made here exports its function.
pub const FUNCTION: &str = "stub";
