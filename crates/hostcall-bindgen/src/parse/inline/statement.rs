//! Blocks and statements.

use super::reader::Reader;
use super::{refuse, types};
use crate::model::{Block, Expr, Let, Statement};
use syn::{Ident, Pat, Stmt, Type};

impl Reader<'_> {
    pub fn block(&mut self, block: &syn::Block) -> Block {
        self.scope(|reader| reader.statements(&block.stmts))
    }

    fn statements(&mut self, statements: &[Stmt]) -> Block {
        let (last, others) = match statements.split_last() {
            Some((Stmt::Expr(value, None), others)) => (Some(value), others),
            _ => (None, statements),
        };
        let mut read: Vec<Statement> = Vec::new();
        for statement in others {
            read.extend(self.statement(statement));
        }
        let value: Option<Box<Expr>> = last.map(|value| Box::new(self.expr(value)));
        let diverges = read.iter().any(Statement::diverges)
            || value.as_ref().is_some_and(|value| value.diverges);
        Block {
            statements: read,
            value,
            diverges,
        }
    }

    fn statement(&mut self, statement: &Stmt) -> Option<Statement> {
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Item(item @ (syn::Item::Const(_) | syn::Item::Use(_))) => {
                Some(Statement::Item(Box::new(item.clone())))
            }
            Stmt::Item(item) => {
                self.error(item, refuse::ITEM);
                None
            }
            Stmt::Expr(expr, _) => Some(Statement::Expr(self.expr(expr))),
            Stmt::Macro(statement) => Some(Statement::Expr(
                self.macro_call(&statement.mac, &statement.attrs),
            )),
        }
    }

    fn local(&mut self, local: &syn::Local) -> Option<Statement> {
        if let Some(attr) = local.attrs.first() {
            self.error(attr, refuse::ATTRIBUTE);
        }
        let init = local.init.as_ref().and_then(|init| {
            if let Some((keyword, _)) = &init.diverge {
                self.error(
                    keyword,
                    "a variable always matches: remove this `else` and its block",
                );
                return None;
            }
            Some(self.expr(&init.expr))
        });
        let (ident, mutable, ty) = self.pattern(&local.pat)?;
        self.declare_local(ident);
        Some(Statement::Let(Box::new(Let {
            mutable,
            ident: ident.clone(),
            ty: ty.cloned(),
            init,
        })))
    }

    fn pattern<'p>(
        &mut self,
        pat: &'p Pat,
    ) -> Option<(&'p Ident, Option<syn::Token![mut]>, Option<&'p Type>)> {
        match pat {
            Pat::Type(pat) => {
                if let Some(message) = types::refusal(&pat.ty) {
                    self.error(&pat.ty, message);
                }
                let (ident, mutable, _) = self.pattern(&pat.pat)?;
                Some((ident, mutable, Some(&pat.ty)))
            }
            Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                Some((&pat.ident, pat.mutability, None))
            }
            Pat::Wild(_) => {
                self.error(pat, "give the variable a name: `let _unused = ..`");
                None
            }
            _ => {
                self.error(
                    pat,
                    "an inline function declares one variable at a time: `let x = ..`",
                );
                None
            }
        }
    }
}
