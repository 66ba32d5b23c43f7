//! `#[hostcall(inline)]`: the body of a function, if it is in the subset that
//! can stand in the guest.

use super::Report;
use crate::model::{Inline, Sort};
use reader::Reader;
use syn::{Attribute, ImplItemFn};

mod access;
mod call;
mod control;
mod expr;
mod functions;
mod methods;
mod place;
mod reader;
mod refuse;
mod signature;
mod statement;
mod types;

pub use functions::Functions;

/// Reads one function, or says at each place that is outside the subset what
/// to write instead.
pub fn inline(item: &ImplItemFn, functions: &Functions) -> syn::Result<Inline> {
    let mut report = Report::default();
    let params = signature::params(item, &mut report);
    let result = signature::result(item, &mut report);
    let mut reader = Reader::new(functions, report);
    for param in &params {
        match &param.sort {
            Sort::Memory => reader.declare_memory(&param.ident),
            Sort::State(_) => reader.declare_state(&param.ident),
            Sort::Scalar(_) => reader.declare_local(&param.ident),
            Sort::Refused => reader.declare_refused(&param.ident),
        }
    }
    let body = reader.body(&item.block, result.as_ref());
    reader.report.finish(Inline {
        sig: item.sig.clone(),
        lints: item.attrs.iter().filter(is_lint).cloned().collect(),
        params,
        result,
        body,
    })
}

/// Whether this attribute is about warnings.
fn is_lint(attr: &&Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"]
        .iter()
        .any(|name| attr.path().is_ident(name))
}
