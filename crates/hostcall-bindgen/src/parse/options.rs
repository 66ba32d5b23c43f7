//! The options in `#[host_module(...)]` and `#[hostcall(...)]`.

use crate::model::Depth;
use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Attribute, LitInt, LitStr, Path, Token};

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
    pub deferred: Option<Path>,
    pub batch: Option<Path>,
    pub result: Option<Path>,
    pub errno: Option<Path>,
    pub blocking: Option<Path>,
    pub fuel: Option<(Path, u64)>,
    pub reentrant: Option<(Path, Depth)>,
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
        } else if meta.path.is_ident("blocking") {
            self.blocking = Some(meta.path.clone());
        } else if meta.path.is_ident("fuel") {
            let help = "fuel is a whole number that fits into a `u64`, as in `fuel = 100`";
            self.fuel = Some((meta.path.clone(), number(meta, help)?));
        } else if meta.path.is_ident("reentrant") {
            self.reentrant = Some((meta.path.clone(), depth(meta)?));
        } else {
            return Err(meta.error(
                "unknown option; there are `name = \"...\"` and `module = \"...\"`, which say \
                 what guests import, `inline`, for a function whose body can stand in the guest, \
                 `deferred`, for one that the guest does not wait for, `deferred, batch`, for one \
                 that takes many such calls at once, `result` and `errno`, for one whose error \
                 the guest gets, as a value or as a code, `blocking`, for one that runs on a \
                 thread of its own, `fuel = 100`, for what a call costs the guest, `reentrant` and \
                 `reentrant = 4`, for one that may call the guest, to a depth, and `skip`, for a \
                 function that is not a host function",
            ));
        }
        Ok(())
    }
}

/// `reentrant` or `reentrant = 4`
fn depth(meta: &ParseNestedMeta<'_>) -> syn::Result<Depth> {
    if !meta.input.peek(Token![=]) {
        return Ok(Depth::Default);
    }
    let depth: NonZeroU32 = number(
        meta,
        "a depth is a whole number from 1 on, as in `reentrant = 4`; a function without \
         `reentrant` cannot call the guest at all",
    )?;
    Ok(Depth::Of(depth.get()))
}

/// `name = 100`
fn number<N>(meta: &ParseNestedMeta<'_>, help: &str) -> syn::Result<N>
where
    N: FromStr<Err: Display>,
{
    let number: LitInt = meta.value()?.parse()?;
    let parsed = number.base10_parse();
    parsed.map_err(|_| syn::Error::new_spanned(number, help))
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
