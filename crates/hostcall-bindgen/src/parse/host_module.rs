//! `#[host_module]`: the functions of an `impl` block.

use super::async_fn::{self, Handle};
use super::inline::{Functions, inline};
use super::options::{Options, is_option, module_name, options};
use super::{Report, plain};
use super::{blocking, deferred, handled, reentrant};
use crate::model::{Delivery, Function, Handling, HostModule, Inline, Param, Receiver, Sort};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    FnArg, GenericArgument, ImplItem, ImplItemFn, ItemImpl, Pat, PatType, PathArguments,
    ReturnType, Type, parse_quote,
};

/// Reads the block; gives it back without the options of its functions.
pub fn host_module(attr: TokenStream, item: TokenStream) -> syn::Result<(HostModule, ItemImpl)> {
    let mut report = Report::default();
    let name = module_name(attr).unwrap_or_else(|error| {
        report.push(error);
        String::new()
    });
    let mut block: ItemImpl = syn::parse2(item).map_err(|error| {
        let help =
            "`#[host_module]` goes on an `impl` block, whose functions become host functions";
        syn::Error::new(error.span(), help)
    })?;
    check_block(&block, &mut report);
    let mut module = HostModule {
        name,
        state: (*block.self_ty).clone(),
        functions: Vec::new(),
    };
    let (items, functions) = functions(&block, &module.name);
    for (item, options) in items {
        match options.and_then(|options| function(item, options, &module.name, &functions)) {
            Ok(function) => module.functions.extend(function),
            Err(error) => report.push(error),
        }
    }
    strip(&mut block);
    report.finish((module, block))
}

/// The functions with their options, and what calls between them need to know.
fn functions<'b>(
    block: &'b ItemImpl,
    module: &str,
) -> (Vec<(&'b ImplItemFn, syn::Result<Options>)>, Functions) {
    let mut functions = Functions::new(&block.self_ty);
    let mut items = Vec::new();
    for item in &block.items {
        let ImplItem::Fn(item) = item else { continue };
        let options = options(&item.attrs);
        if let Ok(options) = &options {
            functions.add(item, options, module);
        }
        items.push((item, options));
    }
    (items, functions)
}

/// The block without what only this macro understands. The bodies of inline
/// functions, which is what may be wrong, are left out: some of what they say
/// is not plain Rust.
pub fn without_options(item: TokenStream) -> TokenStream {
    match syn::parse2::<ItemImpl>(item.clone()) {
        Ok(mut block) => {
            empty_inline(&mut block);
            strip(&mut block);
            block.into_token_stream()
        }
        Err(_) => item,
    }
}

/// The type of the block, if it is one that could be a host module.
pub fn self_type(item: &TokenStream) -> Option<Type> {
    let block: ItemImpl = syn::parse2(item.clone()).ok()?;
    let fits = block.trait_.is_none() && block.generics.params.is_empty();
    fits.then_some(*block.self_ty)
}

fn empty_inline(block: &mut ItemImpl) {
    for item in &mut block.items {
        let ImplItem::Fn(item) = item else { continue };
        if options(&item.attrs).is_ok_and(|options| options.inline) {
            item.attrs
                .push(parse_quote!(#[allow(unused_variables, unused_mut)]));
            item.block = parse_quote!({ ::core::unreachable!() });
        }
    }
}

fn strip(block: &mut ItemImpl) {
    for item in &mut block.items {
        if let ImplItem::Fn(item) = item {
            item.attrs.retain(|attr| !is_option(attr));
        }
    }
}

fn check_block(block: &ItemImpl, report: &mut Report) {
    if let Some((_, path, _)) = &block.trait_ {
        report.error(
            path,
            "host functions are functions of a type: remove the trait",
        );
    }
    if !block.generics.params.is_empty() {
        report.error(
            &block.generics,
            "the type of a host module cannot be generic: guests import concrete functions",
        );
    }
}

/// One function; `None` if it is not a host function.
fn function(
    item: &ImplItemFn,
    options: Options,
    module: &str,
    functions: &Functions,
) -> syn::Result<Option<Function>> {
    let mut report = Report::default();
    deferred::check_options(&options, &mut report);
    handled::check_options(&options, &mut report);
    blocking::check_options(&options, &mut report);
    reentrant::check_options(&options, &mut report);
    if options.skip && !options.inline {
        return report.finish(None);
    }
    async_fn::check_options(item, &options, &mut report);
    check_qualifiers(item, &mut report);
    if !options.inline {
        check_types(item, options.is_deferred(), &mut report);
    }
    let mut inputs = item.sig.inputs.iter().peekable();
    let mut receiver = Receiver::None;
    if let Some(FnArg::Receiver(me)) = inputs.peek() {
        if me.reference.is_none() || me.colon_token.is_some() {
            report.error(
                me,
                "a host function borrows its state: `&self` or `&mut self`",
            );
        }
        receiver = Receiver::State;
        inputs.next();
    }
    let inline = match options.inline {
        true => inline(item, functions).map(Some).unwrap_or_else(|error| {
            report.push(error);
            None
        }),
        false => None,
    };
    let mut params = Vec::new();
    for (i, input) in inputs.enumerate() {
        if options.inline {
            break;
        }
        let FnArg::Typed(param) = input else { continue };
        let Some(handle) = Handle::of(&param.ty) else {
            params.push(Param {
                name: param_name(param, params.len()),
                ty: (*param.ty).clone(),
            });
            continue;
        };
        if receiver == Receiver::State {
            report.error(
                param,
                "a host function that takes the guest reaches its state through it: remove \
                 `self`, and use `guest.state()` and `guest.state_mut()`",
            );
        } else if i > 0 {
            report.error(param, "the guest is the first parameter of a host function");
        } else {
            handle.check(&param.ty, item, &mut report);
            receiver = Receiver::Guest;
        }
    }
    reentrant::check(item, &options, receiver, &mut report);
    let delivery = match (options.inline, &item.sig.asyncness, &options.blocking) {
        (true, ..) => Delivery::AtOnce,
        (false, Some(_), _) => Delivery::Async,
        (false, None, Some(_)) => blocking::delivery(item, receiver, &mut params, &mut report),
        (false, None, None) => deferred::delivery(item, &options, receiver, &params, &mut report),
    };
    let handling = match options.inline {
        true => Handling::Trap,
        false => handled::handling(item, &options, &mut report),
    };
    if receiver == Receiver::Guest && matches!(delivery, Delivery::AtOnce | Delivery::Async) {
        params
            .iter()
            .for_each(|param| check_beside_guest(&param.ty, &mut report));
    }
    if let Some(inline) = &inline {
        params = scalars(inline);
        if !options.skip {
            check_widths(inline, &mut report);
        }
    }
    let name = plain(&item.sig.ident);
    report.finish(Some(Function {
        ident: item.sig.ident.clone(),
        module: options.module.unwrap_or_else(|| module.to_owned()),
        name: options.name.unwrap_or(name),
        receiver,
        params,
        inline,
        delivery,
        handling,
        fuel: options.fuel.map(|(_, fuel)| fuel),
        reentrant: options.reentrant.map(|(_, depth)| depth),
        imported: !options.skip,
        cfgs: item
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("cfg"))
            .cloned()
            .collect(),
        result: match &item.sig.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        },
    }))
}

/// What the guest passes to an inline function.
fn scalars(inline: &Inline) -> Vec<Param> {
    let scalars = inline.params.iter().filter_map(|param| match &param.sort {
        Sort::Scalar(ty) => Some(Param {
            name: plain(&param.ident).trim_start_matches('_').to_owned(),
            ty: ty.clone(),
        }),
        _ => None,
    });
    scalars.collect()
}

/// Guests do not pass what is as wide as the host's pointers.
fn check_widths(inline: &Inline, report: &mut Report) {
    let scalars = inline.params.iter().filter_map(|param| match &param.sort {
        Sort::Scalar(ty) => Some(ty),
        _ => None,
    });
    for ty in scalars.chain(&inline.result) {
        let wide = [("usize", "u32"), ("isize", "i32")];
        for (_, instead) in wide.iter().filter(|(name, _)| is_named(ty, name)) {
            report.error(
                ty,
                format_args!(
                    "guests have no type that is as wide as pointers of the host: take and \
                     return `{instead}`, and cast it with `as` inside"
                ),
            );
        }
    }
}

fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident(name))
}

fn check_qualifiers(item: &ImplItemFn, report: &mut Report) {
    let sig = &item.sig;
    if let Some(keyword) = &sig.unsafety {
        report.error(
            keyword,
            "guests are not trusted to uphold a contract: remove `unsafe`",
        );
    }
    if !sig.generics.params.is_empty() {
        report.error(
            &sig.generics,
            "a host function has no generic parameters: guests import concrete types, and \
             lifetimes can be elided",
        );
    }
}

fn check_types(item: &ImplItemFn, deferred: bool, report: &mut Report) {
    let sig = &item.sig;
    if let ReturnType::Type(_, ty) = &sig.output
        && !deferred
    {
        match &**ty {
            Type::Reference(_) => report.error(
                ty,
                "a host function returns an owned value, which is copied into the guest: \
                 `String` for `&str`, `Vec<T>` for `&[T]`",
            ),
            Type::ImplTrait(_) => report.error(ty, "name the type that the function returns"),
            _ => {}
        }
    }
    for input in &sig.inputs {
        if let FnArg::Typed(PatType { ty, .. }) = input
            && matches!(**ty, Type::ImplTrait(_))
        {
            report.error(
                ty,
                "name the type of the parameter: guests import concrete types",
            );
        }
    }
}

/// Borrows of guest memory and the guest exclude each other.
fn check_beside_guest(ty: &Type, report: &mut Report) {
    match ty {
        Type::Reference(reference) => {
            let (instead, how) = match &*reference.elem {
                Type::Path(path) if path.path.is_ident("str") => {
                    ("GuestStr".to_owned(), "`guest.read_str(..)`")
                }
                Type::Slice(slice) => (
                    format!("GuestSlice<{}>", slice.elem.to_token_stream()),
                    "`guest.read_slice(..)` or `guest.slice_mut(..)`",
                ),
                elem => (
                    format!("GuestPtr<{}>", elem.to_token_stream()),
                    "`guest.read(..)` or `guest.write(..)`",
                ),
            };
            report.error(
                ty,
                format!(
                    "this borrows guest memory, which `guest` may move: take `{instead}`, and \
                     look at it with {how}; or take `&mut self` in place of the guest"
                ),
            );
        }
        Type::Path(path) => {
            let arguments =
                path.path
                    .segments
                    .iter()
                    .filter_map(|segment| match &segment.arguments {
                        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
                        _ => None,
                    });
            for argument in arguments.flatten() {
                if let GenericArgument::Type(ty) = argument {
                    check_beside_guest(ty, report);
                }
            }
        }
        Type::Tuple(tuple) => tuple
            .elems
            .iter()
            .for_each(|ty| check_beside_guest(ty, report)),
        _ => {}
    }
}

fn param_name(param: &PatType, index: usize) -> String {
    match &*param.pat {
        Pat::Ident(pat) => plain(&pat.ident).trim_start_matches('_').to_owned(),
        _ => format!("p{index}"),
    }
}
