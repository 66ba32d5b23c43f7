//! The registration of a host module.

use crate::model::{Delivery, Depth, Function, Handling, HostModule, Param, Receiver};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
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
    if let Delivery::Batch(record) = &function.delivery {
        return batch_func(function, record);
    }
    if let Delivery::Blocking { deadline } = function.delivery {
        return blocking_func(function, deadline);
    }
    match function.receiver {
        Receiver::Guest => guest_func(function),
        Receiver::State | Receiver::None => state_func(function),
    }
}

fn decl(function: &Function, params: &[Param]) -> TokenStream {
    let Function { module, name, .. } = function;
    let names = params.iter().map(|param| &param.name);
    let fuel = function.fuel.map(|fuel| quote!(.fuel(#fuel)));
    let reentrant = function.reentrant.map(depth);
    let reentrant = reentrant.map(|depth| quote!(.reentrant(#depth)));
    quote! {
        ::hostcall::impl_::Decl::new(#module, #name, &[#(#names),*]) #fuel #reentrant
    }
}

fn depth(depth: Depth) -> TokenStream {
    match depth {
        Depth::Default => quote!(::hostcall::impl_::REENTRANT),
        Depth::Of(depth) => quote!(#depth),
    }
}

/// The types of the parameters: `(A, (B, ()))`.
fn list(params: &[Param]) -> TokenStream {
    params
        .iter()
        .rev()
        .fold(quote!(()), |tail, Param { ty, .. }| quote!((#ty, #tail)))
}

fn state_func(function: &Function) -> TokenStream {
    let (params, result) = (&function.params, result(function));
    let (decl, list, call) = (decl(function, params), list(params), call(function));
    let func = match function.delivery {
        Delivery::Deferred => quote!(deferred_func),
        Delivery::Async => quote!(async_func),
        _ => quote!(func),
    };
    let waiting = waiting(function);
    quote! {
        // SAFETY: each of the parameters is lifted once, in order.
        unsafe {
            registry.#func::<#list, #result, _>(
                #decl,
                |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_> #waiting| #call,
            );
        }
    }
}

/// The parameter by which an async function waits.
fn waiting(function: &Function) -> Option<TokenStream> {
    match function.delivery {
        Delivery::Async => Some(quote!(, waiting: &mut ::hostcall::impl_::Waiting<'_>)),
        _ => None,
    }
}

/// Waits for what an async function returns. Here it shows if the future is not
/// `Send`.
fn waited(function: &Function, args: TokenStream) -> TokenStream {
    let (ident, span) = (&function.ident, span(function));
    let waited = quote_spanned!(span=> waiting.on(Self::#ident(#args)));
    match function.handling {
        Handling::Trap => waited,
        Handling::Result => quote!(#waited.map(::hostcall::AsResult)),
        Handling::Errno => quote!(#waited.map(::hostcall::AsErrno)),
    }
}

/// Where the function is written, for code that names what is generated.
fn span(function: &Function) -> Span {
    function.ident.span().resolved_at(Span::call_site())
}

/// Lifts the arguments and calls the function.
fn call(function: &Function) -> TokenStream {
    let ident = &function.ident;
    let (idents, lifts) = lifts(&function.params);
    let (state, unused) = state(function);
    let args = quote!(#state #(#idents),*);
    let returned = match function.delivery {
        Delivery::Async => waited(function, args),
        _ => {
            let call = handled(function, quote!(Self::#ident(#args)));
            quote!(::hostcall::impl_::Result::Ok(#call))
        }
    };
    quote! {{
        #unused
        #(#lifts)*
        #returned
    }}
}

/// The type that says what becomes of an `Err`.
fn result(function: &Function) -> TokenStream {
    let ty = &function.result;
    match function.handling {
        Handling::Trap => quote!(#ty),
        Handling::Result => quote_spanned!(ty.span()=> ::hostcall::AsResult<#ty>),
        Handling::Errno => quote_spanned!(ty.span()=> ::hostcall::AsErrno<#ty>),
    }
}

/// What the function returned, as that type.
fn handled(function: &Function, returned: TokenStream) -> TokenStream {
    match function.handling {
        Handling::Trap => returned,
        Handling::Result => quote!(::hostcall::AsResult(#returned)),
        Handling::Errno => quote!(::hostcall::AsErrno(#returned)),
    }
}

/// The state as an argument, or what says that it is none.
pub fn state(function: &Function) -> (Option<TokenStream>, Option<TokenStream>) {
    match function.receiver {
        Receiver::State => (Some(quote!(state,)), None),
        _ => (None, Some(quote!(let _ = state;))),
    }
}

/// The parameters of the guest's function are the fields of `record`, so that
/// names nothing here.
fn batch_func(function: &Function, record: &Type) -> TokenStream {
    let Function { ident, result, .. } = function;
    let (decl, (state, unused)) = (decl(function, &[]), state(function));
    quote! {
        registry.batch_func::<#record, #result, _>(
            #decl,
            |state: &mut Self, batch: &[#record]| {
                #unused
                Self::#ident(#state batch)
            },
        );
    }
}

/// Arguments and a clone of the state go to another thread.
fn blocking_func(function: &Function, deadline: bool) -> TokenStream {
    let Function { ident, params, .. } = function;
    let (decl, list, result) = (decl(function, params), list(params), result(function));
    let (idents, lifts) = lifts(params);
    let span = span(function);
    let (state, clone) = match function.receiver {
        Receiver::State => (
            Some(quote!(&state,)),
            quote_spanned!(span=> let state = ::hostcall::impl_::handle::<Self>(state);),
        ),
        _ => (None, quote!(let _ = state;)),
    };
    let (token, passed) = match deadline {
        true => (quote!(deadline), Some(quote!(deadline))),
        false => (quote!(_), None),
    };
    let call = quote_spanned!(span=> Self::#ident(#state #(#idents,)* #passed));
    let call = handled(function, call);
    let job = quote_spanned!(span=> move |#token: ::hostcall::Deadline| #call);
    quote! {
        unsafe {
            registry.blocking_func::<#list, #result, _, _>(
                #decl,
                |state: &mut Self, args: &mut ::hostcall::impl_::Args<'_>| {
                    #(#lifts)*
                    #clone
                    ::hostcall::impl_::Result::Ok(#job)
                },
            );
        }
    }
}

fn guest_func(function: &Function) -> TokenStream {
    let Function { ident, params, .. } = function;
    let (decl, list, result) = (decl(function, params), list(params), result(function));
    let func = match function.delivery {
        Delivery::Deferred => quote!(deferred_guest_func),
        Delivery::Async => quote!(async_guest_func),
        _ => quote!(guest_func),
    };
    let (idents, lifts) = lifts(params);
    let (handle, waiting) = (handle(function), waiting(function));
    let args = quote!(guest, #(#idents),*);
    let returned = match function.delivery {
        Delivery::Async => waited(function, args),
        _ => handled(function, quote!(Self::#ident(#args))),
    };
    quote! {
        unsafe {
        registry.#func::<#list, _, #result, _, _>(
            #decl,
            |args: &mut ::hostcall::impl_::Args<'_>| {
                #(#lifts)*
                ::hostcall::impl_::Result::Ok((#(#idents,)*))
            },
            |guest: &mut #handle<'_, Self>, (#(#idents,)*) #waiting| {
                #returned
            },
        );
        }
    }
}

/// What the function has the guest as.
fn handle(function: &Function) -> TokenStream {
    match function.delivery {
        Delivery::Async => quote!(::hostcall::AsyncGuest),
        _ => quote!(::hostcall::Guest),
    }
}

fn lifts(params: &[Param]) -> (Vec<syn::Ident>, Vec<TokenStream>) {
    let idents: Vec<_> = (0..params.len()).map(|i| format_ident!("arg{i}")).collect();
    let lifts = params.iter().zip(&idents).map(|(Param { ty, .. }, ident)| {
        let check = unpadded(ty);
        quote_spanned!(ty.span()=> #check let #ident = args.arg::<#ty>()?;)
    });
    let lifts = lifts.collect();
    (idents, lifts)
}

/// Refuses padding in what is borrowed mutably here, where the type is written;
/// lifting would refuse it in a place of its own, and not for `cargo check`.
fn unpadded(ty: &Type) -> Option<TokenStream> {
    let Type::Reference(reference) = ty else {
        return None;
    };
    reference.mutability?;
    let elem = match &*reference.elem {
        Type::Slice(slice) => &slice.elem,
        elem => elem,
    };
    Some(quote_spanned! {elem.span()=>
        let _: [(); { ::hostcall::impl_::assert_unpadded::<#elem>(); 0 }];
    })
}
