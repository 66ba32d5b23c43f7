//! The registration of a host module.

use crate::model::{Function, HostModule, Param, Receiver};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

pub fn host_module(module: &HostModule) -> TokenStream {
    let HostModule {
        name,
        state,
        functions,
    } = module;
    let imported = functions.iter().filter(|function| function.imported);
    let functions = imported.map(|one| {
        let (cfgs, registration) = (&one.cfgs, function(one));
        quote!(#(#cfgs)* { #registration })
    });
    quote! {
        #[automatically_derived]
        impl ::hostcall::HostModule for #state {
            const NAME: &'static str = #name;

            fn register(registry: &mut impl ::hostcall::impl_::Registry<Self>) {
                #(#functions)*
            }
        }
    }
}

/// What stands for a module that could not be read.
pub fn empty_host_module(state: syn::Type) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::hostcall::HostModule for #state {
            const NAME: &'static str = "";

            fn register(_: &mut impl ::hostcall::impl_::Registry<Self>) {}
        }
    }
}

fn function(function: &Function) -> TokenStream {
    if let Some(inline) = &function.inline {
        return super::inline::registration(function, inline);
    }
    let Function {
        module,
        name,
        params,
        result,
        ..
    } = function;
    let names = params.iter().map(|param| &param.name);
    let decl = quote! {
        ::hostcall::impl_::Decl { module: #module, name: #name, params: &[#(#names),*] }
    };
    let list = params
        .iter()
        .rev()
        .fold(quote!(()), |tail, Param { ty, .. }| quote!((#ty, #tail)));
    match function.receiver {
        Receiver::Guest => guest_func(function, &decl, &list),
        _ => {
            let call = call(function);
            quote! {
                // SAFETY: each of the parameters is lifted once, in order.
                unsafe {
                    registry.func::<#list, #result, _>(
                        #decl,
                        |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| #call,
                    );
                }
            }
        }
    }
}

/// Lifts the arguments and calls the function.
fn call(function: &Function) -> TokenStream {
    let ident = &function.ident;
    let (idents, lifts) = lifts(&function.params);
    let (state, unused) = match function.receiver {
        Receiver::State => (Some(quote!(state,)), None),
        _ => (None, Some(quote!(let _ = state;))),
    };
    quote! {{
        #unused
        #(#lifts)*
        ::hostcall::impl_::Result::Ok(Self::#ident(#state #(#idents),*))
    }}
}

fn guest_func(function: &Function, decl: &TokenStream, list: &TokenStream) -> TokenStream {
    let Function {
        ident,
        result,
        params,
        ..
    } = function;
    let (idents, lifts) = lifts(params);
    quote! {
        unsafe {
        registry.guest_func::<#list, _, #result, _, _>(
            #decl,
            |args: &mut ::hostcall::impl_::Args<'_>| {
                #(#lifts)*
                ::hostcall::impl_::Result::Ok((#(#idents,)*))
            },
            |guest: &mut ::hostcall::Guest<'_, Self>, (#(#idents,)*)| {
                Self::#ident(guest, #(#idents),*)
            },
        );
        }
    }
}

fn lifts(params: &[Param]) -> (Vec<syn::Ident>, Vec<TokenStream>) {
    let idents: Vec<_> = (0..params.len()).map(|i| format_ident!("arg{i}")).collect();
    let lifts = params.iter().zip(&idents).map(
        |(Param { ty, .. }, ident)| quote_spanned!(ty.span()=> let #ident = args.arg::<#ty>()?;),
    );
    let lifts = lifts.collect();
    (idents, lifts)
}
