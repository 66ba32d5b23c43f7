//! Expressions.

use super::reader::{Name, Reader};
use super::{refuse, types};
use crate::model::{Expr, ExprKind};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{BinOp, Lit, UnOp};

impl Reader<'_> {
    pub fn expr(&mut self, expr: &syn::Expr) -> Expr {
        if let Some(attr) = attrs(expr).first() {
            return self.refuse(attr, refuse::ATTRIBUTE);
        }
        let span = expr.span();
        match expr {
            syn::Expr::Paren(inner) => self.expr(&inner.expr),
            syn::Expr::Group(inner) => self.expr(&inner.expr),
            syn::Expr::Lit(lit) => self.literal(&lit.lit),
            syn::Expr::Path(path) => self.path(path),
            syn::Expr::Unary(unary) => self.unary(unary),
            syn::Expr::Binary(binary) => self.binary(binary),
            syn::Expr::Cast(cast) => self.cast(cast),
            syn::Expr::Assign(assign) => self.assign(assign),
            syn::Expr::Field(_) | syn::Expr::Index(_) => match self.place(expr) {
                Some(place) => Expr::new(ExprKind::State(place), span),
                None => Expr::new(ExprKind::Refused, span),
            },
            syn::Expr::MethodCall(call) => self.method_call(call),
            syn::Expr::Call(call) => self.call(call),
            syn::Expr::Macro(call) => self.macro_call(&call.mac, &[]),
            syn::Expr::If(it) => self.if_(it),
            syn::Expr::Block(it) => self.block_expr(it),
            syn::Expr::While(it) => self.while_(it),
            syn::Expr::Loop(it) => self.loop_(it),
            syn::Expr::Break(it) => self.break_(it),
            syn::Expr::Continue(it) => self.continue_(it),
            syn::Expr::Return(it) => {
                let value = it.expr.as_ref().map(|value| Box::new(self.expr(value)));
                Expr::new(ExprKind::Return(value), it.return_token.span)
            }
            other => self.refuse(other, refuse::expr(other)),
        }
    }

    fn literal(&mut self, lit: &Lit) -> Expr {
        let message = match lit {
            Lit::Int(int) => types_of_suffix(int.suffix()),
            Lit::Float(float) => types_of_suffix(float.suffix()),
            Lit::Bool(_) | Lit::Byte(_) => None,
            Lit::Char(char) => {
                let number = u32::from(char.value());
                let message = format!(
                    "`char` has no form in an inline function: write its number, `{number:#x}`{}",
                    if number < 0x80 {
                        ", or a byte with `b` before it"
                    } else {
                        ""
                    },
                );
                return self.refuse(lit, message);
            }
            _ => Some(
                "an inline function has no strings: leave them to an ordinary host function, or \
                 take an address and a length in guest memory",
            ),
        };
        match message {
            Some(message) => self.refuse(lit, message),
            None => Expr::new(ExprKind::Constant(lit.to_token_stream()), lit.span()),
        }
    }

    /// A variable or a constant.
    fn path(&mut self, path: &syn::ExprPath) -> Expr {
        let span = path.span();
        let Some(ident) = path.path.get_ident() else {
            return Expr::new(ExprKind::Constant(path.to_token_stream()), span);
        };
        if ident == "self" {
            return self.refuse(path, SELF);
        }
        match self.name(ident) {
            Some(Name::Local) => Expr::new(ExprKind::Local(ident.clone()), span),
            Some(Name::Memory) => {
                let message = format!(
                    "guest memory is not a value: `{ident}.load::<u32>(address)` reads it, and it \
                     can be handed on to an inline function of this block"
                );
                self.refuse(path, message)
            }
            Some(Name::State) => {
                let message = format!(
                    "a host state is not a value: use its fields, as in `{ident}.field`, or hand \
                     it on to an inline function of this block"
                );
                self.refuse(path, message)
            }
            Some(Name::Refused) => Expr::new(ExprKind::Refused, span),
            None => Expr::new(ExprKind::Constant(path.to_token_stream()), span),
        }
    }

    fn unary(&mut self, unary: &syn::ExprUnary) -> Expr {
        let span = unary.op.span();
        match unary.op {
            UnOp::Neg(_) => {
                // A literal with its sign is one constant: `-128_i8` fits.
                if let syn::Expr::Lit(lit) = &*unary.expr
                    && matches!(lit.lit, Lit::Int(_) | Lit::Float(_))
                {
                    let literal = self.literal(&lit.lit);
                    return match literal.kind {
                        ExprKind::Constant(_) => {
                            Expr::new(ExprKind::Constant(unary.to_token_stream()), unary.span())
                        }
                        _ => literal,
                    };
                }
                let value = Box::new(self.expr(&unary.expr));
                Expr::new(ExprKind::Neg(value), span)
            }
            UnOp::Not(_) => {
                let value = Box::new(self.expr(&unary.expr));
                Expr::new(ExprKind::Not(value), span)
            }
            _ => self.refuse(unary, "there are no references to follow: remove the `*`"),
        }
    }

    fn binary(&mut self, binary: &syn::ExprBinary) -> Expr {
        if let Some(op) = without_assignment(&binary.op) {
            let target = self.target(&binary.left);
            let value = Box::new(self.expr(&binary.right));
            return match target {
                Some(target) => Expr::new(ExprKind::Compound(target, op, value), binary.op.span()),
                None => Expr::new(ExprKind::Refused, binary.op.span()),
            };
        }
        let left = Box::new(self.expr(&binary.left));
        let right = Box::new(self.expr(&binary.right));
        let kind = ExprKind::Binary(left, binary.op, right);
        Expr::new(kind, binary.op.span())
    }

    fn cast(&mut self, cast: &syn::ExprCast) -> Expr {
        if let Some(message) = types::refusal(&cast.ty) {
            return self.refuse(&cast.ty, message);
        }
        let value = Box::new(self.expr(&cast.expr));
        let kind = ExprKind::Cast(value, cast.ty.clone());
        Expr::new(kind, cast.as_token.span)
    }

    fn assign(&mut self, assign: &syn::ExprAssign) -> Expr {
        let target = self.target(&assign.left);
        let value = Box::new(self.expr(&assign.right));
        let span = assign.eq_token.span();
        match target {
            Some(target) => Expr::new(ExprKind::Assign(target, value), span),
            None => Expr::new(ExprKind::Refused, span),
        }
    }

    fn block_expr(&mut self, it: &syn::ExprBlock) -> Expr {
        if let Some(label) = &it.label {
            return self.refuse(
                label,
                "a block has no label in an inline function: write `loop { .. break value; }`",
            );
        }
        let block = self.block(&it.block);
        Expr::new(ExprKind::Block(block), it.block.brace_token.span.join())
    }
}

/// What is said about `self` where it is not called.
pub const SELF: &str = "an inline function runs in the guest, where `self` is not: keep what it needs in a struct \
     with `#[derive(HostState)]` and take that as parameter, or call a host function as \
     `self.name(..)`";

fn types_of_suffix(suffix: &str) -> Option<&'static str> {
    let ty = syn::parse_str::<syn::Type>(suffix).ok()?;
    types::refusal(&ty)
}

/// `+` for `+=`.
fn without_assignment(op: &BinOp) -> Option<BinOp> {
    let span = op.span();
    Some(match op {
        BinOp::AddAssign(_) => BinOp::Add(syn::Token![+](span)),
        BinOp::SubAssign(_) => BinOp::Sub(syn::Token![-](span)),
        BinOp::MulAssign(_) => BinOp::Mul(syn::Token![*](span)),
        BinOp::DivAssign(_) => BinOp::Div(syn::Token![/](span)),
        BinOp::RemAssign(_) => BinOp::Rem(syn::Token![%](span)),
        BinOp::BitXorAssign(_) => BinOp::BitXor(syn::Token![^](span)),
        BinOp::BitAndAssign(_) => BinOp::BitAnd(syn::Token![&](span)),
        BinOp::BitOrAssign(_) => BinOp::BitOr(syn::Token![|](span)),
        BinOp::ShlAssign(_) => BinOp::Shl(syn::Token![<<](span)),
        BinOp::ShrAssign(_) => BinOp::Shr(syn::Token![>>](span)),
        _ => return None,
    })
}

/// The attributes of an expression, of the kinds that inline functions have.
fn attrs(expr: &syn::Expr) -> &[syn::Attribute] {
    match expr {
        syn::Expr::Assign(it) => &it.attrs,
        syn::Expr::Binary(it) => &it.attrs,
        syn::Expr::Block(it) => &it.attrs,
        syn::Expr::Break(it) => &it.attrs,
        syn::Expr::Call(it) => &it.attrs,
        syn::Expr::Cast(it) => &it.attrs,
        syn::Expr::Continue(it) => &it.attrs,
        syn::Expr::If(it) => &it.attrs,
        syn::Expr::Lit(it) => &it.attrs,
        syn::Expr::Loop(it) => &it.attrs,
        syn::Expr::Macro(it) => &it.attrs,
        syn::Expr::MethodCall(it) => &it.attrs,
        syn::Expr::Paren(it) => &it.attrs,
        syn::Expr::Path(it) => &it.attrs,
        syn::Expr::Return(it) => &it.attrs,
        syn::Expr::Unary(it) => &it.attrs,
        syn::Expr::While(it) => &it.attrs,
        _ => &[],
    }
}
