//! The functions of the block, which inline functions may call.

use super::signature::{self, is_state_borrow};
use super::types;
use crate::model::Sort;
use crate::parse::options::Options;
use crate::parse::plain;
use std::collections::HashMap;
use syn::{FnArg, ImplItemFn, ReturnType, Type};

/// What a call needs to know of every function of an `impl` block.
pub struct Functions {
    /// The last segment of the type's path.
    pub self_name: Option<String>,
    functions: HashMap<String, Function>,
}

pub struct Function {
    pub receiver: bool,
    pub kind: Kind,
}

pub enum Kind {
    Inline {
        params: Vec<Sort>,
        result: Option<Type>,
    },
    Host {
        module: String,
        name: String,
        params: Vec<Type>,
        result: Option<Type>,
    },
    /// What cannot be called from the guest, and why.
    Other(String),
}

impl Functions {
    pub fn new(self_ty: &Type) -> Functions {
        let self_name = match self_ty {
            Type::Path(ty) => ty.path.segments.last().map(|last| plain(&last.ident)),
            _ => None,
        };
        Functions {
            self_name,
            functions: HashMap::new(),
        }
    }

    pub fn add(&mut self, item: &ImplItemFn, options: &Options, module: &str) {
        let function = Function {
            receiver: item.sig.receiver().is_some(),
            kind: kind(item, options, module),
        };
        self.functions.insert(plain(&item.sig.ident), function);
    }

    pub fn get(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }
}

fn kind(item: &ImplItemFn, options: &Options, module: &str) -> Kind {
    let name = plain(&item.sig.ident);
    if options.inline {
        let mut nowhere = crate::parse::Report::default();
        let params = signature::params(item, &mut nowhere);
        return Kind::Inline {
            params: params.into_iter().map(|param| param.sort).collect(),
            result: signature::result(item, &mut nowhere),
        };
    }
    if options.skip {
        return Kind::Other(format!(
            "`{name}` is no host function, so the guest cannot call it: replace \
             `#[hostcall(skip)]` by `#[hostcall(inline, skip)]` if its body can stand in the \
             guest, or remove `skip`"
        ));
    }
    if options.result.is_some() || options.errno.is_some() {
        return Kind::Other(format!(
            "`{name}` gives its error to the guest, and an inline function works on scalars only: \
             call one without `result` and `errno`, whose `Err` traps"
        ));
    }
    if item.sig.asyncness.is_some() || options.blocking.is_some() {
        return Kind::Other(format!(
            "`{name}` waits, which an inline function cannot: call one that is neither `async` nor \
             `blocking`, and let the guest import `{name}` itself"
        ));
    }
    let mut params = Vec::new();
    for input in &item.sig.inputs {
        let FnArg::Typed(param) = input else { continue };
        if is_state_borrow(&param.ty) || types::refusal(&param.ty).is_some() {
            return Kind::Other(format!(
                "an inline function passes only integers, floats and `bool` to a host function: \
                 give `{name}` such parameters, and `&mut self` for everything else"
            ));
        }
        params.push((*param.ty).clone());
    }
    Kind::Host {
        module: options.module.clone().unwrap_or_else(|| module.to_owned()),
        name: options.name.clone().unwrap_or(name),
        params,
        result: match &item.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => (!gives_nothing(ty)).then(|| (**ty).clone()),
        },
    }
}

/// Whether this is `()` or `Result<(), _>`.
fn gives_nothing(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return false;
            };
            let ok = arguments.args.first();
            last.ident == "Result"
                && matches!(ok, Some(syn::GenericArgument::Type(ty)) if gives_nothing(ty))
        }),
        _ => false,
    }
}
