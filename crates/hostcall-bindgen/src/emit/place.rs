//! Types that guest memory can be viewed as.

use crate::model::{Fields, GuestType, Shape};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

pub fn place(ty: &GuestType) -> TokenStream {
    let (bits, padded) = match &ty.shape {
        Shape::Struct(fields) => (struct_bits(ty, fields), padded(fields)),
        Shape::Enum(cases) => {
            let (ident, last) = (&ty.ident, (cases.len() - 1) as u8);
            // SAFETY of what is generated: `#[repr(u8)]` numbers the cases
            // from 0, because none has a value of its own; one byte has no
            // padding.
            let bits = quote! {
                unsafe impl ::hostcall::impl_::CheckedBitPattern for #ident {
                    type Bits = u8;

                    fn is_valid_bit_pattern(bits: &u8) -> bool {
                        *bits <= #last
                    }
                }
            };
            (bits, quote!(false))
        }
    };
    let ident = &ty.ident;
    quote! {
        const _: () = {
            #bits

            #[automatically_derived]
            unsafe impl ::hostcall::GuestPlace for #ident {
                const PADDED: bool = #padded;
            }
        };
    }
}

/// A struct with the same layout for which every bit pattern is valid, and
/// the check of one against the fields.
///
/// SAFETY of what is generated: the fields are places themselves and the
/// struct is `#[repr(C)]`; an assertion makes sure that its layout is the one
/// in the guest.
fn struct_bits(ty: &GuestType, fields: &Fields) -> TokenStream {
    let ident = &ty.ident;
    let types: Vec<_> = fields.fields.iter().map(|field| &field.ty).collect();
    let names: Vec<_> = (0..types.len())
        .map(|i| format_ident!("field{i}"))
        .collect();
    let bits = types.iter().zip(&names).map(
        |(ty, name)| quote_spanned!(ty.span()=> #name: <#ty as ::hostcall::impl_::PlaceField>::Bits),
    );
    let layout = format!("the layout of `{ident}` on this machine is not that of guests");
    let empty =
        format!("`{ident}` has no fields, so nothing of it is in memory: remove `#[repr(C)]`");
    quote! {
        #[doc(hidden)]
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct Bits {
            #(#bits,)*
        }

        unsafe impl ::hostcall::impl_::Zeroable for Bits {}
        unsafe impl ::hostcall::impl_::AnyBitPattern for Bits {}

        #[automatically_derived]
        unsafe impl ::hostcall::impl_::CheckedBitPattern for #ident {
            type Bits = Bits;

            #[inline(always)]
            fn is_valid_bit_pattern(bits: &Bits) -> bool {
                true #(&& <#types as ::hostcall::impl_::CheckedBitPattern>::is_valid_bit_pattern(
                    &bits.#names,
                ))*
            }
        }

        const _: () = {
            let size = ::core::mem::size_of::<#ident>();
            let guest = <#ident as ::hostcall::GuestType>::LAYOUT[0];
            assert!(size > 0, #empty);
            assert!(size == guest.size && ::core::mem::align_of::<#ident>() == guest.align, #layout);
        };
    }
}

/// Whether a struct is larger than its fields, or one of those has padding.
fn padded(fields: &Fields) -> TokenStream {
    let types: Vec<_> = fields.fields.iter().map(|field| &field.ty).collect();
    quote! {
        ::core::mem::size_of::<Self>() != 0 #(+ ::core::mem::size_of::<#types>())*
            #(|| <#types as ::hostcall::impl_::PlaceField>::PADDED)*
    }
}
