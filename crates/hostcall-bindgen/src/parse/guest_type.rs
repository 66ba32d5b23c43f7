//! `#[derive(GuestType)]`: a struct or enum.

use super::{Report, plain};
use crate::model::{Case, Field, FieldKind, Fields, GuestType, Shape};
use heck::ToKebabCase;
use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Type, Variant};

/// Payloads are handled as tuples, which have implementations up to here.
const MAX_CASE_FIELDS: usize = 16;

pub fn guest_type(item: TokenStream) -> syn::Result<GuestType> {
    let input: DeriveInput = syn::parse2(item)?;
    let mut report = Report::default();
    if !input.generics.params.is_empty() {
        report.error(
            &input.generics,
            "a guest type cannot be generic, nor borrow: guests know concrete types, so hold \
             `String` for `&str` and `Vec<T>` for `&[T]`",
        );
    }
    let repr = repr(&input, &mut report);
    let (shape, place) = match &input.data {
        Data::Struct(data) => (
            Shape::Struct(fields(&data.fields, &mut report)),
            repr == "C",
        ),
        Data::Enum(data) => {
            let cases: Vec<_> = data
                .variants
                .iter()
                .map(|variant| case(variant, &mut report))
                .collect();
            if cases.is_empty() {
                report.error(
                    &input.ident,
                    "an enum without cases has no values that could cross",
                );
            }
            let plain = cases.iter().all(|case| case.fields.kind == FieldKind::Unit);
            let place = plain && repr == "u8";
            if place && cases.len() > 256 {
                report.error(
                    &input.ident,
                    "more than 256 cases do not fit into `#[repr(u8)]`",
                );
            }
            (Shape::Enum(cases), place)
        }
        Data::Union(_) => {
            report.error(
                &input.ident,
                "a union cannot cross, because nothing says which field is valid: use an enum",
            );
            let nothing = Fields {
                kind: FieldKind::Unit,
                fields: Vec::new(),
            };
            (Shape::Struct(nothing), false)
        }
    };
    report.finish(GuestType {
        ident: input.ident,
        shape,
        place,
    })
}

/// What `#[repr(...)]` says first, or nothing.
fn repr(input: &DeriveInput, report: &mut Report) -> String {
    let mut repr = String::new();
    for attr in input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("repr"))
    {
        let parsed = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("packed") || meta.path.is_ident("align") {
                return Err(meta.error(
                    "guests lay structs out as `#[repr(C)]` does: remove `packed` and `align`",
                ));
            }
            if let Some(ident) = meta.path.get_ident() {
                repr = ident.to_string();
            }
            Ok(())
        });
        if let Err(error) = parsed {
            report.push(error);
        }
    }
    repr
}

fn fields(fields: &syn::Fields, report: &mut Report) -> Fields {
    let kind = match fields {
        syn::Fields::Unit => FieldKind::Unit,
        syn::Fields::Unnamed(_) => FieldKind::Positional,
        syn::Fields::Named(_) => FieldKind::Named,
    };
    let fields = fields.iter().map(|field| {
        if let Type::Reference(_) | Type::Ptr(_) = &field.ty {
            report.error(
                &field.ty,
                "a guest type owns its fields: `String` for `&str`, `Vec<T>` for `&[T]`, or \
                 `GuestPtr<T>` for an address in guest memory",
            );
        }
        let ident = field.ident.clone();
        let name = ident.as_ref().map(interface_name).unwrap_or_default();
        Field {
            ident,
            name,
            ty: field.ty.clone(),
        }
    });
    let fields = fields.collect();
    Fields { kind, fields }
}

fn case(variant: &Variant, report: &mut Report) -> Case {
    if let Some((_, value)) = &variant.discriminant {
        report.error(
            value,
            "guests number the cases of an enum from 0 in order: remove the value, or pass an \
             integer and convert it",
        );
    }
    if variant.fields.len() > MAX_CASE_FIELDS {
        report.error(
            &variant.fields,
            format!("a case has up to {MAX_CASE_FIELDS} fields: put them into a struct"),
        );
    }
    Case {
        ident: variant.ident.clone(),
        name: interface_name(&variant.ident),
        fields: fields(&variant.fields, report),
    }
}

/// A Rust name as WIT has it, unless too little of it would be left.
fn interface_name(ident: &syn::Ident) -> String {
    let name = plain(ident);
    let kebab = name.to_kebab_case();
    if kebab.starts_with(char::is_alphabetic) {
        kebab
    } else {
        name
    }
}
