//! What becomes of an inline function: one source, three functions.
//!
//! The function that was written keeps its signature and calls the native
//! form; the native form says what a trap in the guest would say; the builder
//! form builds the Wasm.

use super::{inline_build, inline_native};
use crate::model::{Function, HostModule, Inline, Sort};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Pat, parse_quote};

/// Where something generated is said to be: errors point to `span`, names are
/// looked up where the macro is called.
pub fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

pub fn native_name(ident: &Ident) -> Ident {
    let mut name = format_ident!("__hostcall_native_{}", plain_name(ident));
    name.set_span(ident.span());
    name
}

pub fn build_name(ident: &Ident) -> Ident {
    let mut name = format_ident!("__hostcall_build_{}", plain_name(ident));
    name.set_span(ident.span());
    name
}

/// Without the `r#` of keywords.
pub fn plain_name(ident: &Ident) -> String {
    use syn::ext::IdentExt;
    ident.unraw().to_string()
}

/// The native and the builder forms of a module's inline functions.
pub fn forms(module: &HostModule) -> Option<TokenStream> {
    let forms: Vec<_> = module
        .functions
        .iter()
        .filter_map(|function| {
            let (cfgs, inline) = (&function.cfgs, function.inline.as_ref()?);
            let (native, build) = (inline_native::native(inline), inline_build::build(inline));
            Some(quote!(#(#cfgs)* #native #(#cfgs)* #build))
        })
        .collect();
    let state = &module.state;
    (!forms.is_empty()).then(|| quote!(impl #state { #(#forms)* }))
}

/// Lets the functions that were written call their native forms.
pub fn fronts(module: &HostModule, block: &mut ItemImpl) {
    for item in &mut block.items {
        let ImplItem::Fn(item) = item else { continue };
        let mut functions = module.functions.iter();
        let found = functions.find(|one| one.inline.is_some() && one.ident == item.sig.ident);
        if found.is_some() {
            front(item);
        }
    }
}

fn front(item: &mut ImplItemFn) {
    let mut args: Vec<TokenStream> = Vec::new();
    for input in &mut item.sig.inputs {
        match input {
            FnArg::Receiver(me) => {
                let me = me.self_token;
                args.push(quote!(#me));
            }
            FnArg::Typed(param) => {
                let ident = match &*param.pat {
                    Pat::Ident(pat) => pat.ident.clone(),
                    _ => format_ident!("arg{}", args.len()),
                };
                param.pat = parse_quote!(#ident);
                args.push(quote!(#ident));
            }
        }
    }
    let native = native_name(&item.sig.ident);
    // What is expected of the body is expected of the native form.
    item.attrs.retain(|attr| !attr.path().is_ident("expect"));
    item.attrs.push(parse_quote!(#[allow(dead_code)]));
    let tracks = |attr: &syn::Attribute| attr.path().is_ident("track_caller");
    if !item.attrs.iter().any(tracks) {
        item.attrs.push(parse_quote!(#[track_caller]));
    }
    item.block = parse_quote!({
        match Self::#native(#(#args),*) {
            ::core::result::Result::Ok(value) => value,
            ::core::result::Result::Err(trap) => ::core::panic!("{}", trap),
        }
    });
}

/// Registers an inline function.
pub fn registration(function: &Function, inline: &Inline) -> TokenStream {
    let Function {
        module,
        name,
        ident,
        params,
        result,
        ..
    } = function;
    let names = params.iter().map(|param| &param.name);
    let types = params.iter().rev().map(|param| &param.ty);
    let list = types.fold(quote!(()), |tail, ty| quote!((#ty, #tail)));
    let states = inline.params.iter().filter_map(|param| match &param.sort {
        Sort::State(ty) => {
            Some(quote_spanned!(at(ty.span())=> ::hostcall::impl_::state_of::<#ty>()))
        }
        _ => None,
    });
    let memory = inline
        .params
        .iter()
        .any(|param| matches!(param.sort, Sort::Memory));
    let (build, call) = (build_name(ident), call(function, inline));
    quote! {
        // SAFETY: each of the parameters is lifted once, in order.
        unsafe {
            registry.inline_func::<
                #list,
                ::core::result::Result<#result, ::hostcall::impl_::inline::native::BodyTrap>,
                _,
            >(
                ::hostcall::impl_::Decl::new(#module, #name, &[#(#names),*]),
                ::hostcall::impl_::InlineBody {
                    build: Self::#build,
                    states: const { &[#(#states),*] },
                    memory: #memory,
                },
                |state: &mut Self, args: &mut ::hostcall::impl_::InlineArgs<'_>| #call,
            );
        }
    }
}

/// Lifts the arguments, finds memory and states, calls the native form.
fn call(function: &Function, inline: &Inline) -> TokenStream {
    let (mut lifts, mut finds, mut args) = (Vec::new(), Vec::new(), Vec::new());
    for (i, param) in inline.params.iter().enumerate() {
        let ident = format_ident!("arg{i}");
        match &param.sort {
            Sort::Scalar(ty) => {
                lifts.push(quote_spanned!(at(ty.span())=> let #ident = args.arg::<#ty>()?;));
                args.push(quote!(#ident));
            }
            Sort::Memory => {
                finds.push(quote!(let mut #ident = args.memory()?;));
                args.push(quote!(&mut #ident));
            }
            Sort::State(ty) => {
                finds.push(quote_spanned!(at(ty.span())=> let #ident = args.state::<#ty>()?;));
                args.push(quote!(#ident));
            }
            Sort::Refused => {}
        }
    }
    let native = native_name(&function.ident);
    let (state, unused) = super::host_module::state(function);
    quote! {{
        #unused
        #(#lifts)*
        #(#finds)*
        ::hostcall::impl_::body_result(Self::#native(#state #(#args),*))
    }}
}
