//! The macros of `hostcall`. See that crate for documentation; the logic is in
//! `hostcall-bindgen`.

use proc_macro::TokenStream;

/// Makes the functions of an `impl` block host functions.
#[proc_macro_attribute]
pub fn host_module(attr: TokenStream, item: TokenStream) -> TokenStream {
    hostcall_bindgen::host_module(attr.into(), item.into()).into()
}

/// Lets a struct or enum cross the boundary between guest and host.
#[proc_macro_derive(GuestType)]
pub fn guest_type(item: TokenStream) -> TokenStream {
    hostcall_bindgen::guest_type(item.into()).into()
}
