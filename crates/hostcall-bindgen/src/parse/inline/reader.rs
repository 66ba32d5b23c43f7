//! What is known while a body is read: names, loops, and errors so far.

use super::functions::Functions;
use crate::model::{Block, Expr, ExprKind};
use crate::parse::{Report, plain};
use proc_macro2::Span;
use quote::ToTokens;
use std::collections::HashMap;
use std::fmt::Display;
use syn::spanned::Spanned;
use syn::{Ident, Type};

pub struct Reader<'a> {
    pub functions: &'a Functions,
    pub report: Report,
    /// Innermost last.
    scopes: Vec<HashMap<String, Name>>,
    /// Loops around what is being read, innermost last.
    pub loops: Vec<Loop>,
    pub loop_count: usize,
}

/// What a name means; one that is not known is a constant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Local,
    Memory,
    State,
    /// It has been reported; nothing more is said about it.
    Refused,
}

pub struct Loop {
    pub id: usize,
    pub label: Option<String>,
    /// Whether it is a `loop`, whose `break` may have a value.
    pub plain: bool,
    pub breaks: bool,
    pub breaks_with_value: bool,
}

impl<'a> Reader<'a> {
    pub fn new(functions: &'a Functions, report: Report) -> Reader<'a> {
        Reader {
            functions,
            report,
            scopes: vec![HashMap::new()],
            loops: Vec::new(),
            loop_count: 0,
        }
    }

    /// The body of a function that gives `result`.
    pub fn body(&mut self, block: &syn::Block, result: Option<&Type>) -> Block {
        let body = self.block(block);
        if let Some(ty) = result
            && body.value.is_none()
            && !body.diverges
        {
            let end = block.brace_token.span.close();
            let message = format!(
                "the body ends without its result, a `{}`: remove the `;` after the last \
                 expression, or add one",
                ty.to_token_stream(),
            );
            let place = block.stmts.last().map_or(end, |last| last.span());
            self.report.push(syn::Error::new(place, message));
        }
        body
    }

    pub fn error(&mut self, at: impl ToTokens, message: impl Display) {
        self.report.error(at, message);
    }

    /// Reports an expression; what stands for it is never emitted.
    pub fn refuse(&mut self, at: impl ToTokens, message: impl Display) -> Expr {
        self.report.error(at, message);
        Expr::new(ExprKind::Refused, Span::call_site())
    }

    pub fn scope<R>(&mut self, read: impl FnOnce(&mut Self) -> R) -> R {
        self.scopes.push(HashMap::new());
        let result = read(self);
        self.scopes.pop();
        result
    }

    pub fn declare_local(&mut self, ident: &Ident) {
        self.declare(ident, Name::Local);
    }

    pub fn declare_memory(&mut self, ident: &Ident) {
        self.declare(ident, Name::Memory);
    }

    pub fn declare_state(&mut self, ident: &Ident) {
        self.declare(ident, Name::State);
    }

    pub fn declare_refused(&mut self, ident: &Ident) {
        self.declare(ident, Name::Refused);
    }

    fn declare(&mut self, ident: &Ident, name: Name) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(plain(ident), name);
        }
    }

    /// What a name means here; `None` for a constant.
    pub fn name(&self, ident: &Ident) -> Option<Name> {
        let name = plain(ident);
        let mut scopes = self.scopes.iter().rev();
        scopes.find_map(|scope| scope.get(&name).copied())
    }
}

/// The identifier that an expression consists of.
pub fn as_ident(expr: &syn::Expr) -> Option<&Ident> {
    match expr {
        syn::Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        syn::Expr::Paren(inner) => as_ident(&inner.expr),
        syn::Expr::Group(inner) => as_ident(&inner.expr),
        _ => None,
    }
}

pub fn is_self(expr: &syn::Expr) -> bool {
    as_ident(expr).is_some_and(|ident| ident == "self")
}
