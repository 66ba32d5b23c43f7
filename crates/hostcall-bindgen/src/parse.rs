//! From Rust syntax to the model.

mod async_fn;
mod blocking;
mod deferred;
mod guest_type;
mod handled;
mod host_module;
mod host_state;
mod inline;
mod options;
mod reentrant;

pub use guest_type::guest_type;
pub use host_module::{host_module, self_type, without_options};
pub use host_state::host_state;

/// Collects errors, so that all of them are reported at once.
#[derive(Default)]
struct Report(Option<syn::Error>);

impl Report {
    fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn error(&mut self, at: impl quote::ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(at, message));
    }

    /// The same at each of these places.
    fn each<T: quote::ToTokens>(&mut self, at: impl IntoIterator<Item = T>, message: &str) {
        at.into_iter().for_each(|at| self.error(at, message));
    }

    fn finish<T>(self, value: T) -> syn::Result<T> {
        match self.0 {
            Some(errors) => Err(errors),
            None => Ok(value),
        }
    }
}

/// A Rust name as Wasm has it: without the `r#` of keywords.
fn plain(ident: &syn::Ident) -> String {
    use syn::ext::IdentExt;
    ident.unraw().to_string()
}
