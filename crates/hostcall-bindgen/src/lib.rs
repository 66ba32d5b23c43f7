//! Turns Rust syntax into the model of an interface, and that into code.
//!
//! Three phases: `parse` reads syntax into the `model` and reports everything
//! that is wrong with it, `emit` writes code from the model. The macros of
//! `hostcall-macros` forward here.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use proc_macro2::TokenStream;

mod emit;
mod model;
mod parse;

/// Expands `#[host_module(name = "...")] impl Type { ... }`.
///
/// What is wrong with the input becomes compile errors at the place where it
/// is; the `impl` block itself is kept, and the trait is implemented, so that no
/// other errors follow.
pub fn host_module(attr: TokenStream, item: TokenStream) -> TokenStream {
    match parse::host_module(attr, item.clone()) {
        Ok((module, mut block)) => {
            emit::inline_fronts(&module, &mut block);
            let (forms, registration) = (emit::inline_forms(&module), emit::host_module(&module));
            quote::quote!(#block #forms #registration)
        }
        Err(error) => {
            let errors = error.to_compile_error();
            let nothing = parse::self_type(&item).map(emit::empty_host_module);
            let block = parse::without_options(item);
            quote::quote!(#block #nothing #errors)
        }
    }
}

/// Expands `#[derive(HostState)]`.
pub fn host_state(item: TokenStream) -> TokenStream {
    match parse::host_state(item) {
        Ok(state) => emit::host_state(&state),
        Err(error) => error.to_compile_error(),
    }
}

/// Expands `#[derive(GuestType)]`.
pub fn guest_type(item: TokenStream) -> TokenStream {
    match parse::guest_type(item) {
        Ok(ty) => emit::guest_type(&ty),
        Err(error) => error.to_compile_error(),
    }
}
