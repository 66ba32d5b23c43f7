//! The implementations of a guest type.

use super::place;
use crate::model::{Case, Field, FieldKind, Fields, GuestType, Shape};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Type};

pub fn guest_type(ty: &GuestType) -> TokenStream {
    let ident = &ty.ident;
    let parts = match &ty.shape {
        Shape::Struct(fields) => of_struct(fields),
        Shape::Enum(cases) => of_enum(cases),
    };
    let Parts {
        ty: interface,
        flat,
        nullable,
        layout,
        needs,
        lift,
        load,
        lower,
        store,
    } = parts;
    let place = ty.place.then(|| place::place(ty));
    quote! {
        #[automatically_derived]
        unsafe impl ::hostcall::GuestType for #ident {
            fn ty() -> ::hostcall::Type {
                #interface
            }
            const FLAT: usize = #flat;
            const NULLABLE: bool = #nullable;
            const LAYOUT: ::hostcall::impl_::Layouts = #layout;
            const NEEDS: ::hostcall::impl_::Needs = ::hostcall::impl_::Needs::all(&[#(#needs),*]);
        }

        #[automatically_derived]
        impl ::hostcall::Lift for #ident {
            type Value<'a> = Self;

            #[inline(always)]
            fn lift(args: &mut ::hostcall::impl_::Args<'_>) -> ::hostcall::impl_::Lifted<Self> {
                #lift
            }

            fn load(
                args: &mut ::hostcall::impl_::Args<'_>,
                at: u64,
            ) -> ::hostcall::impl_::Lifted<Self> {
                #load
            }
        }

        #[automatically_derived]
        impl ::hostcall::Lower for #ident {
            type Value<'a> = Self;

            #[inline(always)]
            fn lower(
                value: Self,
                results: &mut ::hostcall::impl_::Results<'_>,
            ) -> ::hostcall::impl_::Result<()> {
                #lower
            }

            fn store(
                value: Self,
                results: &mut ::hostcall::impl_::Results<'_>,
                at: u64,
            ) -> ::hostcall::impl_::Result<()> {
                #store
            }
        }

        #[automatically_derived]
        impl ::hostcall::Returns for #ident {
            type Ok = Self;

            #[inline(always)]
            fn returned(self) -> ::hostcall::impl_::Result<Self> {
                ::hostcall::impl_::Result::Ok(self)
            }
        }

        #place
    }
}

/// What differs between types: expressions over `args`, `results`, `value` and
/// `at`.
struct Parts {
    ty: TokenStream,
    flat: TokenStream,
    nullable: TokenStream,
    layout: TokenStream,
    needs: Vec<TokenStream>,
    lift: TokenStream,
    load: TokenStream,
    lower: TokenStream,
    store: TokenStream,
}

fn of_struct(fields: &Fields) -> Parts {
    let types = fields.types();
    let idents = fields.idents();
    let pattern = fields.pattern(&quote!(Self), &idents);
    let layouts = quote!([#(<#types as ::hostcall::GuestType>::LAYOUT),*]);
    let index = 0..types.len();
    let offset = quote! {
        let layouts: &[::hostcall::impl_::Layouts] = &#layouts;
        let offset = |i, width| ::hostcall::impl_::layout::offset(layouts, i, width) as u64;
        let _ = (at, offset);
    };
    let indices: Vec<_> = index.collect();
    Parts {
        ty: fields.interface(),
        nullable: fields.nullable(),
        flat: quote!(0 #(+ <#types as ::hostcall::GuestType>::FLAT)*),
        layout: quote!(::hostcall::impl_::layout::record(&#layouts)),
        needs: needs(&types),
        lift: quote! {
            #(let #idents = <#types as ::hostcall::Lift>::lift(args)?;)*
            ::hostcall::impl_::Lifted::Ok(#pattern)
        },
        load: quote! {
            #offset
            #(let #idents = <#types as ::hostcall::Lift>::load(
                args,
                at + offset(#indices, args.width()),
            )?;)*
            ::hostcall::impl_::Lifted::Ok(#pattern)
        },
        lower: quote! {
            let #pattern = value;
            #(<#types as ::hostcall::Lower>::lower(#idents, results)?;)*
            ::hostcall::impl_::Result::Ok(())
        },
        store: quote! {
            #offset
            let #pattern = value;
            #({
                let at = at + offset(#indices, results.width());
                <#types as ::hostcall::Lower>::store(#idents, results, at)?;
            })*
            ::hostcall::impl_::Result::Ok(())
        },
    }
}

fn of_enum(cases: &[Case]) -> Parts {
    let payloads: Vec<_> = cases.iter().map(|case| case.fields.payload()).collect();
    let count = cases.len();
    let tags: Vec<_> = (0..count as u32).collect();
    let idents: Vec<_> = cases.iter().map(|case| case.fields.idents()).collect();
    let patterns: Vec<_> = cases
        .iter()
        .zip(&idents)
        .map(|(case, idents)| {
            let ident = &case.ident;
            case.fields.pattern(&quote!(Self::#ident), idents)
        })
        .collect();
    let values: Vec<_> = idents.iter().map(|idents| quote!((#(#idents,)*))).collect();
    let layouts = quote!([#(<#payloads as ::hostcall::GuestType>::LAYOUT),*]);
    let shared = quote! {
        const SHARED: usize =
            ::hostcall::impl_::max(&[#(<#payloads as ::hostcall::GuestType>::FLAT),*]);
    };
    let offset = quote! {
        let layouts: &[::hostcall::impl_::Layouts] = &#layouts;
        let offset = |width| ::hostcall::impl_::layout::payload_offset(layouts, width) as u64;
    };
    let bad_tag = quote!(tag => ::hostcall::impl_::bad_tag(tag, #count as u32));
    Parts {
        ty: enum_interface(cases),
        nullable: quote!(false),
        flat: quote! {
            1 + ::hostcall::impl_::max(&[#(<#payloads as ::hostcall::GuestType>::FLAT),*])
        },
        layout: quote!(::hostcall::impl_::layout::variant(&#layouts)),
        needs: needs(&payloads),
        lift: quote! {
            #shared
            match args.u32() {
                #(#tags => {
                    let #values = ::hostcall::impl_::lift_case::<#payloads>(args, SHARED)?;
                    ::hostcall::impl_::Lifted::Ok(#patterns)
                })*
                #bad_tag,
            }
        },
        load: quote! {
            #offset
            match ::hostcall::impl_::load_tag(args, at, #count)? {
                #(#tags => {
                    let at = at + offset(args.width());
                    let #values = <#payloads as ::hostcall::Lift>::load(args, at)?;
                    ::hostcall::impl_::Lifted::Ok(#patterns)
                })*
                #bad_tag,
            }
        },
        lower: quote! {
            #shared
            match value {
                #(#patterns => {
                    results.bits(#tags as u64)?;
                    ::hostcall::impl_::lower_case::<#payloads>(#values, results, SHARED)
                })*
            }
        },
        store: quote! {
            #offset
            match value {
                #(#patterns => {
                    ::hostcall::impl_::store_tag(results, at, #tags, #count)?;
                    let at = at + offset(results.width());
                    <#payloads as ::hostcall::Lower>::store(#values, results, at)
                })*
            }
        },
    }
}

fn enum_interface(cases: &[Case]) -> TokenStream {
    let names = cases.iter().map(|case| &case.name);
    if cases.iter().all(|case| case.fields.kind == FieldKind::Unit) {
        return quote!(::hostcall::Type::Enum(vec![#(#names.to_owned()),*]));
    }
    let payloads = cases.iter().map(|case| match case.fields.kind {
        FieldKind::Unit => quote!(::core::option::Option::None),
        _ => {
            let interface = case.fields.interface();
            quote!(::core::option::Option::Some(#interface))
        }
    });
    quote!(::hostcall::Type::Variant(
        vec![#((#names.to_owned(), #payloads)),*]
    ))
}

fn needs(types: &[impl quote::ToTokens]) -> Vec<TokenStream> {
    types
        .iter()
        .map(|ty| quote!(<#ty as ::hostcall::GuestType>::NEEDS))
        .collect()
}

impl Fields {
    fn types(&self) -> Vec<&Type> {
        self.fields.iter().map(|field| &field.ty).collect()
    }

    /// A variable for each field.
    fn idents(&self) -> Vec<Ident> {
        (0..self.fields.len())
            .map(|i| format_ident!("field{i}"))
            .collect()
    }

    /// The fields as one type: a tuple.
    fn payload(&self) -> TokenStream {
        let types = self.types();
        quote!((#(#types,)*))
    }

    /// A pattern, and an expression, of `path` with its fields in `idents`.
    fn pattern(&self, path: &TokenStream, idents: &[Ident]) -> TokenStream {
        match self.kind {
            FieldKind::Unit => path.clone(),
            FieldKind::Positional => quote!(#path(#(#idents),*)),
            FieldKind::Named => {
                let names = self.fields.iter().map(|field| field.ident.as_ref());
                quote!(#path { #(#names: #idents),* })
            }
        }
    }

    /// Whether the interface type is a reference, which may be null.
    fn nullable(&self) -> TokenStream {
        match (self.kind, self.types().as_slice()) {
            (FieldKind::Positional, [one]) => quote!(<#one as ::hostcall::GuestType>::NULLABLE),
            _ => quote!(false),
        }
    }

    /// The interface type: a record, a tuple, or what a single field has.
    fn interface(&self) -> TokenStream {
        let types = self.types();
        match (self.kind, types.as_slice()) {
            (FieldKind::Positional, [one]) => quote!(<#one as ::hostcall::GuestType>::ty()),
            (FieldKind::Named, _) => {
                let names = self.fields.iter().map(|Field { name, .. }| name);
                quote!(::hostcall::Type::Record(vec![
                    #((#names.to_owned(), <#types as ::hostcall::GuestType>::ty())),*
                ]))
            }
            _ => quote!(::hostcall::Type::Tuple(vec![
                #(<#types as ::hostcall::GuestType>::ty()),*
            ])),
        }
    }
}
