//! The implementations of a host state.

use crate::model::{HostState, StateField};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

pub fn host_state(state: &HostState) -> TokenStream {
    let ident = &state.ident;
    let (places, plain) = (places(state), plain_bytes(state));
    quote! {
        const _: () = {
            #places

            #plain

            #[automatically_derived]
            impl ::hostcall::HostState for #ident {}
        };
    }
}

/// What inline functions see: a struct of the places of the fields.
fn places(state: &HostState) -> TokenStream {
    let HostState { ident, fields } = state;
    let place = format_ident!("{ident}Place");
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let declared = fields.iter().map(|StateField { vis, ident, ty }| {
        quote_spanned!(ty.span()=> #vis #ident: <#ty as ::hostcall::impl_::inline::Fields>::Place)
    });
    let made = fields.iter().map(|field| {
        let (name, ty) = (&field.ident, &field.ty);
        quote! {
            #name: <#ty as ::hostcall::impl_::inline::Fields>::place(
                at.offset(::core::mem::offset_of!(#ident, #name)),
            )
        }
    });
    let unused = idents.iter().map(|ident| quote!(let _ = &self.#ident;));
    quote! {
        #[doc(hidden)]
        pub struct #place {
            #(#declared,)*
        }

        impl #place {
            /// The host alone may use a field.
            #[allow(dead_code)]
            fn fields(&self) {
                #(#unused)*
            }
        }

        #[automatically_derived]
        impl ::hostcall::impl_::inline::Fields for #ident {
            type Place = #place;
            const SIZE: u32 = ::core::mem::size_of::<#ident>() as u32;
            const ALIGN: u32 = ::core::mem::align_of::<#ident>() as u32;

            fn place(at: ::hostcall::impl_::inline::Address) -> #place {
                #place { #(#made,)* }
            }
        }
    }
}

/// That every pattern of bits is a value, and every byte belongs to one.
///
/// SAFETY of what is generated: the fields are such themselves, and the struct
/// is `#[repr(C)]`; an assertion makes sure that there is no padding.
fn plain_bytes(state: &HostState) -> TokenStream {
    let HostState { ident, fields } = state;
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let checks = types
        .iter()
        .map(|ty| quote_spanned!(ty.span()=> plain::<#ty>();));
    let padding = format!(
        "`{ident}` has padding between or after its fields: put larger fields first, or add \
         fields in its place, such as `_pad: [u8; 4]`"
    );
    quote! {
        unsafe impl ::hostcall::impl_::PlainBytes for #ident {}

        const _: () = {
            const fn plain<T: ::hostcall::impl_::PlainBytes>() {}
            #(#checks)*
            let size = ::core::mem::size_of::<#ident>();
            assert!(size == 0 #(+ ::core::mem::size_of::<#types>())*, #padding);
        };
    }
}
