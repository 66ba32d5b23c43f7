//! The options in `#[host_module(...)]` and `#[hostcall(...)]`.

use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Attribute, LitStr};

/// `#[host_module(name = "env")]`
pub fn module_name(attr: proc_macro2::TokenStream) -> syn::Result<String> {
    const HELP: &str = "say which module guests import from: `#[host_module(name = \"env\")]`";
    let mut name = None;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error(HELP));
        }
        name = Some(meta.value()?.parse::<LitStr>()?);
        Ok(())
    });
    parser.parse2(attr)?;
    match name {
        Some(name) => checked(&name),
        None => Err(syn::Error::new(proc_macro2::Span::call_site(), HELP)),
    }
}

/// `#[hostcall(...)]` of one function.
#[derive(Default)]
pub struct Options {
    pub name: Option<String>,
    pub module: Option<String>,
    pub skip: bool,
    pub inline: bool,
    /// Where it is written.
    pub deferred: Option<syn::Path>,
    pub batch: Option<syn::Path>,
    pub result: Option<syn::Path>,
    pub errno: Option<syn::Path>,
}

pub fn is_option(attr: &Attribute) -> bool {
    attr.path().is_ident("hostcall")
}

pub fn options(attrs: &[Attribute]) -> syn::Result<Options> {
    let mut options = Options::default();
    for attr in attrs.iter().filter(|attr| is_option(attr)) {
        attr.parse_nested_meta(|meta| options.set(&meta))?;
    }
    Ok(options)
}

impl Options {
    /// Whether the guest does not wait for calls.
    pub fn is_deferred(&self) -> bool {
        self.deferred.is_some() || self.batch.is_some()
    }

    fn set(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("name") {
            self.name = Some(checked(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("module") {
            self.module = Some(checked(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("skip") {
            self.skip = true;
        } else if meta.path.is_ident("inline") {
            self.inline = true;
        } else if meta.path.is_ident("deferred") {
            self.deferred = Some(meta.path.clone());
        } else if meta.path.is_ident("batch") {
            self.batch = Some(meta.path.clone());
        } else if meta.path.is_ident("result") {
            self.result = Some(meta.path.clone());
        } else if meta.path.is_ident("errno") {
            self.errno = Some(meta.path.clone());
        } else {
            return Err(meta.error(
                "unknown option; there are `name = \"...\"` and `module = \"...\"`, which say \
                 what guests import, `inline`, for a function whose body can stand in the guest, \
                 `deferred`, for one that the guest does not wait for, `deferred, batch`, for one \
                 that takes many such calls at once, `result` and `errno`, for one whose error \
                 the guest gets, as a value or as a code, and `skip`, for a function that is not \
                 a host function",
            ));
        }
        Ok(())
    }
}

fn checked(name: &LitStr) -> syn::Result<String> {
    let value = name.value();
    if value.starts_with("hostcall:") {
        return Err(syn::Error::new_spanned(
            name,
            "names that start with `hostcall:` are reserved",
        ));
    }
    Ok(value)
}
