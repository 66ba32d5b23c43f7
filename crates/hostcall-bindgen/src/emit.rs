//! From the model to code.

mod guest_type;
mod host_module;
mod host_state;
mod inline;
mod inline_build;
mod inline_native;
mod place;

pub use guest_type::guest_type;
pub use host_module::{empty_host_module, host_module};
pub use host_state::host_state;
pub use inline::{forms as inline_forms, fronts as inline_fronts};
