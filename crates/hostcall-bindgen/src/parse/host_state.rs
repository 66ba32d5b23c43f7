//! `#[derive(HostState)]`: a struct that stands in the host page.

use super::{Report, plain};
use crate::model::{HostState, StateField};
use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields, Type};

pub fn host_state(item: TokenStream) -> syn::Result<HostState> {
    let input: DeriveInput = syn::parse2(item)?;
    let mut report = Report::default();
    if !input.generics.params.is_empty() {
        report.error(
            &input.generics,
            "a host state cannot be generic, nor borrow: its layout is fixed when the guest is \
             linked, so write the types out",
        );
    }
    let fields = match &input.data {
        Data::Struct(data) => {
            repr(&input, &mut report);
            fields(&input, &data.fields, &mut report)
        }
        Data::Enum(_) | Data::Union(_) => {
            report.error(
                &input.ident,
                "a host state is a struct: for an enum keep its number in a `u32` field",
            );
            Vec::new()
        }
    };
    report.finish(HostState {
        ident: input.ident,
        fields,
    })
}

fn repr(input: &DeriveInput, report: &mut Report) {
    let mut c = false;
    for attr in input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("repr"))
    {
        let parsed = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("C") {
                c = true;
                return Ok(());
            }
            Err(meta.error("a host state is laid out as `#[repr(C)]` does it, and nothing else"))
        });
        if let Err(error) = parsed {
            report.push(error);
            return;
        }
    }
    if !c {
        report.error(
            &input.ident,
            "a host state needs a layout that guest code can rely on: add `#[repr(C)]`",
        );
    }
}

fn fields(input: &DeriveInput, fields: &Fields, report: &mut Report) -> Vec<StateField> {
    let Fields::Named(named) = fields else {
        report.error(
            &input.ident,
            "a host state has named fields: `struct Counters { hits: u64 }`",
        );
        return Vec::new();
    };
    if named.named.is_empty() {
        report.error(
            &input.ident,
            "a host state without fields holds nothing: add one",
        );
    }
    let fields = named.named.iter().filter_map(|field| {
        if let Some(message) = refusal(&field.ty) {
            report.error(&field.ty, message);
        }
        Some(StateField {
            vis: field.vis.clone(),
            ident: field.ident.clone()?,
            ty: field.ty.clone(),
        })
    });
    fields.collect()
}

/// Why a field cannot have this type, and what to do. What is behind a name
/// only rustc knows.
fn refusal(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Paren(ty) => refusal(&ty.elem),
        Type::Group(ty) => refusal(&ty.elem),
        Type::Array(ty) => refusal(&ty.elem),
        Type::Slice(_) => {
            Some("a host state has a fixed size: give the array its length, `[u32; 64]`")
        }
        Type::Path(path) => of_name(&plain(&path.path.segments.last()?.ident)),
        Type::Reference(_) | Type::Ptr(_) => {
            Some("a host state owns what it holds: keep an index or an address, as `u32`")
        }
        Type::Tuple(_) => Some("write one field for each part of the tuple"),
        _ => Some(NUMBERS),
    }
}

const NUMBERS: &str =
    "a host state holds integers, floats, arrays, and structs with `#[derive(HostState)]`";

fn of_name(name: &str) -> Option<&'static str> {
    match name {
        "bool" => Some("every byte must be valid here, and a `bool` knows two: use `u8`, 0 or 1"),
        "char" => Some("every value must be valid here: use `u32`, the number of the `char`"),
        "usize" => Some("its width differs between hosts: use `u32` or `u64`"),
        "isize" => Some("its width differs between hosts: use `i32` or `i64`"),
        "u128" | "i128" => Some("128-bit integers have no Wasm type: use two `u64`"),
        "String" | "str" | "Vec" | "Box" | "Option" | "HashMap" | "BTreeMap" => Some(
            "a host state lies in the host page as plain bytes: use an array of a fixed size, and \
             keep the rest in the state of the host",
        ),
        _ => None,
    }
}
