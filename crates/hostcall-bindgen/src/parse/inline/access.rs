//! Guest memory: the methods of a parameter `memory: &mut Memory<'_>`.

use super::reader::Reader;
use super::types;
use crate::model::{Access, AccessKind, Expr, ExprKind};
use quote::ToTokens;
use syn::{ExprMethodCall, GenericArgument, Ident, Lit, Type};

const METHODS: &str = "guest memory has the methods `load::<u32>(address)`, `store(address, value)`, `copy(to, \
     from, length)`, `fill(to, byte, length)` and `size()`";

impl Reader<'_> {
    pub fn access(&mut self, memory: &Ident, call: &ExprMethodCall) -> Expr {
        let name = call.method.to_string();
        let ty = match self.loaded_type(call, &name) {
            Ok(ty) => ty,
            Err(()) => return Expr::new(ExprKind::Refused, call.method.span()),
        };
        let kind = match (name.as_str(), call.args.len()) {
            ("load", 1) => AccessKind::Load(ty, self.address(&call.args[0])),
            ("store", 2) => {
                AccessKind::Store(self.address(&call.args[0]), self.boxed(&call.args[1]))
            }
            ("copy", 3) => AccessKind::Copy([0, 1, 2].map(|i| self.address(&call.args[i]))),
            ("fill", 3) => AccessKind::Fill([
                self.address(&call.args[0]),
                self.boxed(&call.args[1]),
                self.address(&call.args[2]),
            ]),
            ("size", 0) => AccessKind::Size,
            _ => return self.refuse(call, METHODS),
        };
        let access = Access {
            memory: memory.clone(),
            name: call.method.clone(),
            kind,
        };
        Expr::new(ExprKind::Memory(access), call.method.span())
    }

    /// What is between `::<` and `>`.
    fn loaded_type(&mut self, call: &ExprMethodCall, name: &str) -> Result<Option<Box<Type>>, ()> {
        let Some(turbofish) = &call.turbofish else {
            return Ok(None);
        };
        let ty = match turbofish.args.first() {
            Some(GenericArgument::Type(ty)) if turbofish.args.len() == 1 && name == "load" => ty,
            _ => {
                self.error(turbofish, METHODS);
                return Err(());
            }
        };
        if let Some(message) = types::refusal(ty) {
            self.error(ty, message);
            return Err(());
        }
        Ok(Some(Box::new(ty.clone())))
    }

    fn boxed(&mut self, expr: &syn::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    /// An address or a length; a literal without a type is a `u32`, since
    /// nothing else would say so.
    fn address(&mut self, expr: &syn::Expr) -> Box<Expr> {
        if let syn::Expr::Lit(lit) = expr
            && let Lit::Int(int) = &lit.lit
            && int.suffix().is_empty()
        {
            let typed = syn::LitInt::new(&format!("{}u32", int.base10_digits()), int.span());
            let kind = ExprKind::Constant(typed.to_token_stream());
            return Box::new(Expr::new(kind, int.span()));
        }
        self.boxed(expr)
    }
}
