//! From the model to code.

mod guest_type;
mod host_module;
mod place;

pub use guest_type::guest_type;
pub use host_module::host_module;
