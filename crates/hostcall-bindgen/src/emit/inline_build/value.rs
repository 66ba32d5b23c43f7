//! Expressions: trees, which are evaluated where they are used.

use super::{Emitter, expr_type};
use crate::emit::inline::{build_name, plain_name};
use crate::model::{
    Access, AccessKind, Arg, Block, Call, Callee, Expr, ExprKind, LoopHead, LoopValue, Place, Step,
};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Ident};

impl Emitter {
    /// An expression that stands as operand of any other.
    pub(super) fn value(&self, expr: &Expr) -> TokenStream {
        let span = expr.span;
        let (b, inline) = (
            self.builder(span),
            quote_spanned!(span=> ::hostcall::impl_::inline),
        );
        if expr.diverges && is_control(&expr.kind) {
            let effect = self.statement(expr);
            return quote_spanned!(span=> #b.block(|| { #effect #b.never() }));
        }
        match &expr.kind {
            ExprKind::Constant(tokens) => quote_spanned!(span=> #inline::lit(#tokens)),
            ExprKind::Local(ident) => quote_spanned!(span=> #ident.get()),
            ExprKind::State(place) => {
                let place = self.place(place);
                quote_spanned!(span=> #inline::NumberPlace::read(&#place))
            }
            ExprKind::Len(place) => {
                let place = self.place(place);
                quote_spanned!(span=> #place.len())
            }
            ExprKind::Neg(operand) => {
                let operand = self.value(operand);
                quote_spanned!(span=> (-#operand))
            }
            ExprKind::Not(operand) => {
                let operand = self.value(operand);
                quote_spanned!(span=> (!#operand))
            }
            ExprKind::Binary(left, op, right) => {
                self::binary(&self.value(left), op, &self.value(right))
            }
            // Rust casts constants itself, cases of enums among them.
            ExprKind::Cast(operand, ty) if let ExprKind::Constant(tokens) = &operand.kind => {
                quote_spanned!(span=> #inline::lit((#tokens) as #ty))
            }
            ExprKind::Cast(operand, ty) | ExprKind::From(ty, operand) => {
                let operand = self.value(operand);
                quote_spanned!(span=> #inline::cast::<_, #ty>(#operand))
            }
            ExprKind::Typed(operand, ty) => {
                let (operand, ty) = (self.value(operand), expr_type(ty));
                quote_spanned!(span=> ({ let typed: #ty = #operand; typed }))
            }
            ExprKind::FromBits(ty, operand) => {
                let operand = self.value(operand);
                quote_spanned!(span=> #inline::from_bits::<#ty>(#operand))
            }
            ExprKind::Method(receiver, method, args) => {
                let (receiver, name) = (self.value(receiver), Ident::new(method.name, span));
                let args = args.iter().map(|arg| self.value(arg));
                quote_spanned!(span=> #receiver.#name(#(#args),*))
            }
            ExprKind::Memory(access) => self.access(access, span),
            ExprKind::Call(call) => self.call(call, span),
            ExprKind::If(condition, then, Some(otherwise)) => {
                let condition = self.value(condition);
                let (then, otherwise) = (self.valued(then), self.valued(otherwise));
                quote_spanned! {span=>
                    #b.if_else(#condition, || { #then }, || { #otherwise })
                }
            }
            ExprKind::If(condition, then, None) => {
                let (condition, then) = (self.value(condition), self.valued(then));
                quote_spanned!(span=> #b.if_(#condition, || { #then }))
            }
            ExprKind::Block(block) => {
                let value = self.valued(block);
                quote_spanned!(span=> #b.block(|| { #value }))
            }
            ExprKind::Loop(head, LoopValue::Value, body) => self.loop_value(head, body, span),
            ExprKind::Refused => quote!(),
            effect => self.effect(effect, span).unwrap_or_default(),
        }
    }

    fn loop_value(&self, head: &LoopHead, body: &Block, span: Span) -> TokenStream {
        self.with_value.borrow_mut().insert(head.id);
        let (b, label, body) = (
            self.builder(span),
            self.loop_name(head.id, span),
            self.effects(body),
        );
        quote_spanned!(span=> #b.loop_value(|#label| { #body }))
    }

    fn access(&self, access: &Access, span: Span) -> TokenStream {
        let Access { memory, name, kind } = access;
        match kind {
            AccessKind::Load(ty, address) => {
                let address = self.value(address);
                let ty = ty.as_ref().map(|ty| quote!(::<#ty>));
                quote_spanned!(span=> #memory.#name #ty (#address))
            }
            AccessKind::Size => quote_spanned!(span=> #memory.#name()),
            _ => self.write(access, span).unwrap_or_default(),
        }
    }

    fn call(&self, call: &Call, span: Span) -> TokenStream {
        let b = self.builder(span);
        let args = call.args.iter().filter_map(|arg| match arg {
            Arg::Context(_) => None,
            Arg::Scalar(value, ty) => {
                let value = self.value(value);
                Some(quote_spanned!(span=> #b.arg::<#ty>(#value)))
            }
        });
        let args = quote_spanned!(span=> ::std::vec![#(#args),*]);
        match &call.callee {
            Callee::Inline(result) => {
                let (name, function) = (plain_name(&call.ident), build_name(&call.ident));
                let result = result.as_ref().map_or(quote!(()), expr_type);
                quote_spanned!(span=> #b.call::<#result>(#name, Self::#function, #args))
            }
            Callee::Host {
                module,
                name,
                result,
            } => {
                let result = match result {
                    None => quote!(()),
                    Some(ty) => quote_spanned! {ty.span()=>
                        ::hostcall::impl_::inline::Expr<<#ty as ::hostcall::Returns>::Ok>
                    },
                };
                quote_spanned!(span=> #b.call_host::<#result>(#module, #name, #args))
            }
        }
    }

    pub(super) fn place(&self, place: &Place) -> TokenStream {
        let root = &place.root;
        place
            .steps
            .iter()
            .fold(quote!(#root), |base, step| match step {
                Step::Field(member) => quote!(#base.#member),
                Step::Index(index, span) => {
                    let (span, index) = (*span, self.value(index));
                    quote_spanned!(span=> #base.at(#index))
                }
            })
    }
}

/// Whether a value of this kind is made of statements.
fn is_control(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::If(..)
            | ExprKind::Loop(..)
            | ExprKind::While(..)
            | ExprKind::Break(..)
            | ExprKind::Continue(_)
            | ExprKind::Return(_)
            | ExprKind::Trap(_)
            | ExprKind::Assert(_)
            | ExprKind::Assign(..)
            | ExprKind::Compound(..)
    )
}

fn binary(left: &TokenStream, op: &BinOp, right: &TokenStream) -> TokenStream {
    let span = op.span();
    let name = match op {
        BinOp::And(_) => "and",
        BinOp::Or(_) => "or",
        BinOp::Eq(_) => "eq",
        BinOp::Ne(_) => "ne",
        BinOp::Lt(_) => "lt",
        BinOp::Le(_) => "le",
        BinOp::Gt(_) => "gt",
        BinOp::Ge(_) => "ge",
        _ => return quote_spanned!(span=> (#left #op #right)),
    };
    let name = Ident::new(name, span);
    quote_spanned!(span=> ::hostcall::impl_::inline::#name(#left, #right))
}
