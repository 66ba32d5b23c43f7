//! The builder form of an inline function: what builds its Wasm.
//!
//! Expressions become trees, statements are pushed in order. What pushes
//! statements where an operand is expected stands in a block of its own.

use super::inline::build_name;
use crate::model::{
    Access, AccessKind, Assert, Block, Expr, ExprKind, Inline, Jump, LoopValue, Sort, Statement,
    Target,
};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use std::cell::RefCell;
use std::collections::HashSet;
use syn::spanned::Spanned;
use syn::{BinOp, Ident, Type};

mod value;

/// The hidden function that takes the builder.
pub fn build(function: &Inline) -> TokenStream {
    let name = build_name(&function.sig.ident);
    let emitter = Emitter::new(function);
    let b = emitter.builder(function.sig.ident.span());
    let scalars = function.params.iter().filter_map(|param| {
        let Sort::Scalar(ty) = &param.sort else {
            return None;
        };
        let (ident, name) = (&param.ident, super::inline::plain_name(&param.ident));
        Some(quote_spanned!(ty.span()=> let #ident = #b.param::<#ty>(#name);))
    });
    let contexts = function.params.iter().filter_map(|param| {
        let ident = &param.ident;
        match &param.sort {
            Sort::Scalar(_) | Sort::Refused => None,
            Sort::Memory => Some(quote!(let #ident = #b.memory();)),
            Sort::State(ty) => Some(quote_spanned!(ty.span()=> let #ident = #b.state::<#ty>();)),
        }
    });
    let returns = function
        .result
        .as_ref()
        .map(|ty| quote_spanned!(ty.span()=> #b.returns::<#ty>();));
    let body = emitter.body(&function.body);
    quote! {
        #[doc(hidden)]
        #[allow(
            dead_code,
            non_snake_case,
            overflowing_literals,
            redundant_semicolons,
            unreachable_code,
            unused_braces,
            unused_parens,
            unused_variables,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            reason = "rewritten from what a person wrote"
        )]
        fn #name(#b: &::hostcall::impl_::inline::Builder) {
            #(#scalars)*
            #returns
            #(#contexts)*
            #body
        }
    }
}

struct Emitter {
    /// Where names are looked up.
    anchor: Span,
    result: Option<Type>,
    /// The loops that give a value.
    with_value: RefCell<HashSet<usize>>,
}

impl Emitter {
    fn new(function: &Inline) -> Emitter {
        Emitter {
            anchor: function.sig.ident.span(),
            result: function.result.clone(),
            with_value: RefCell::default(),
        }
    }

    /// A variable of ours. Errors point to `span`; it is the same variable
    /// wherever that is, even in what a macro has put together.
    fn variable(&self, name: &str, span: Span) -> Ident {
        Ident::new(name, span.resolved_at(self.anchor))
    }

    fn builder(&self, span: Span) -> Ident {
        self.variable("__hostcall", span)
    }

    fn loop_name(&self, id: usize, span: Span) -> Ident {
        self.variable(&format!("__loop{id}"), span)
    }

    fn body(&self, body: &Block) -> TokenStream {
        let Some(ty) = &self.result else {
            return self.effects(body);
        };
        let (b, expr) = (self.builder(self.anchor), expr_type(ty));
        if body.diverges {
            let effects = self.effects(body);
            return quote!(#effects #b.ret::<#expr>(#b.never()););
        }
        let (statements, _) = self.statements(&body.statements);
        let value = body.value.as_ref().map(|value| self.value(value));
        quote!(#statements #b.ret::<#expr>(#value);)
    }

    /// Statements up to one that is never passed, and whether there is one.
    fn statements(&self, statements: &[Statement]) -> (TokenStream, bool) {
        let mut tokens = TokenStream::new();
        for statement in statements {
            tokens.extend(self.any_statement(statement));
            if statement.diverges() {
                return (tokens, true);
            }
        }
        (tokens, false)
    }

    fn any_statement(&self, statement: &Statement) -> TokenStream {
        let (ident, ty, init) = match statement {
            Statement::Item(item) => return quote!(#item),
            Statement::Expr(expr) => return self.statement(expr),
            Statement::Let(local) => (&local.ident, &local.ty, &local.init),
        };
        let span = ident.span();
        let (b, ty) = (self.builder(span), ty.as_ref().map(|ty| quote!(::<#ty>)));
        match init {
            Some(init) if init.diverges => self.statement(init),
            Some(init) => {
                let init = self.value(init);
                quote_spanned!(span=> let #ident = #b.local #ty (#init);)
            }
            None => quote_spanned!(span=> let #ident = #b.declare #ty ();),
        }
    }

    /// A block for what it does.
    fn effects(&self, block: &Block) -> TokenStream {
        let (statements, diverges) = self.statements(&block.statements);
        let value = block.value.as_ref().filter(|_| !diverges);
        let value = value.map(|value| self.statement(value));
        quote!(#statements #value)
    }

    /// A block for its value.
    fn valued(&self, block: &Block) -> TokenStream {
        if block.diverges {
            let (effects, b) = (self.effects(block), self.builder(self.anchor));
            return quote!(#effects #b.never());
        }
        let (statements, _) = self.statements(&block.statements);
        let value = block.value.as_ref().map(|value| self.value(value));
        quote!(#statements #value)
    }

    fn statement(&self, expr: &Expr) -> TokenStream {
        let span = expr.span;
        let b = self.builder(span);
        match &expr.kind {
            ExprKind::If(condition, then, otherwise) => {
                let (condition, then) = (self.value(condition), self.effects(then));
                match otherwise {
                    None => quote_spanned!(span=> #b.if_(#condition, || { #then });),
                    Some(otherwise) => {
                        let otherwise = self.effects(otherwise);
                        quote_spanned! {span=>
                            #b.if_else(#condition, || { #then }, || { #otherwise });
                        }
                    }
                }
            }
            ExprKind::Block(block) => {
                let effects = self.effects(block);
                quote!({ #effects })
            }
            kind => match self.effect(kind, span) {
                Some(effect) => quote!(#effect;),
                None => {
                    let value = self.value(expr);
                    quote_spanned!(span=> #b.eval(#value);)
                }
            },
        }
    }

    /// What has no value: `None` if it has one.
    fn effect(&self, kind: &ExprKind, span: Span) -> Option<TokenStream> {
        let b = self.builder(span);
        let tokens = match kind {
            ExprKind::While(head, condition, body) => {
                let (label, condition) = (self.loop_name(head.id, span), self.value(condition));
                let body = self.effects(body);
                quote_spanned!(span=> #b.while_(|| { #condition }, |#label| { #body }))
            }
            ExprKind::Loop(head, LoopValue::Unit | LoopValue::Never, body) => {
                let (label, body) = (self.loop_name(head.id, span), self.effects(body));
                quote_spanned!(span=> #b.loop_(|#label| { #body }))
            }
            ExprKind::Break(jump, value) => {
                let label = self.loop_name(jump.to, span);
                match value {
                    None => quote_spanned!(span=> #b.break_(#label)),
                    Some(value) => {
                        let value = self.value(value);
                        quote_spanned!(span=> #b.break_value(#label, #value))
                    }
                }
            }
            ExprKind::Continue(jump) => {
                let label = self.plain_label(jump, span);
                quote_spanned!(span=> #b.continue_(#label))
            }
            ExprKind::Return(value) => self.return_(value.as_deref(), span),
            ExprKind::Trap(message) => quote_spanned!(span=> #b.trap(#message)),
            ExprKind::Assert(assert) => self.assert(assert, span),
            ExprKind::Assign(Target::Local(ident), value) => {
                let value = self.value(value);
                quote_spanned!(span=> #ident.set(#b, #value))
            }
            ExprKind::Assign(Target::State(place), value) => {
                let (place, value) = (self.place(place), self.value(value));
                quote_spanned! {span=>
                    ::hostcall::impl_::inline::NumberPlace::write(&#place, #b, #value)
                }
            }
            ExprKind::Compound(target, op, value) => self.compound(target, op, value, span),
            ExprKind::Memory(access) => return self.write(access, span),
            _ => return None,
        };
        Some(tokens)
    }

    fn return_(&self, value: Option<&Expr>, span: Span) -> TokenStream {
        let b = self.builder(span);
        let value = value.map_or(quote!(()), |value| self.value(value));
        match &self.result {
            None => quote_spanned!(span=> #b.ret(#value)),
            Some(ty) => {
                let ty = expr_type(ty);
                quote_spanned!(span=> #b.ret::<#ty>(#value))
            }
        }
    }

    /// The label for `continue`.
    fn plain_label(&self, jump: &Jump, span: Span) -> TokenStream {
        let label = self.loop_name(jump.to, span);
        match self.with_value.borrow().contains(&jump.to) {
            true => quote!(#label.label()),
            false => quote!(#label),
        }
    }

    fn assert(&self, assert: &Assert, span: Span) -> TokenStream {
        let (b, message) = (self.builder(span), &assert.message);
        let condition = self.value(&assert.condition);
        let tokens = quote_spanned! {span=>
            #b.if_(::hostcall::impl_::inline::not(#condition), || #b.trap(#message))
        };
        match assert.debug {
            true => quote_spanned!(span=> if ::core::cfg!(debug_assertions) { #tokens }),
            false => tokens,
        }
    }

    fn compound(&self, target: &Target, op: &BinOp, operand: &Expr, span: Span) -> TokenStream {
        let (b, value) = (self.builder(span), self.value(operand));
        let (place, indexed) = match target {
            Target::Local(ident) => (quote!(#ident), false),
            Target::State(place) => (self.place(place), place.has_index()),
        };
        if operand.only_reads() && !indexed {
            return quote_spanned!(span=> #place.set(#b, #place.get() #op #value));
        }
        // As Rust does: the operand, then the place, then its value.
        let (temporary, held) = (
            self.variable("__value", span),
            self.variable("__place", span),
        );
        let hold = match indexed {
            true => quote_spanned!(span=> #place.held(#b)),
            false => quote!(&#place),
        };
        if let Target::State(place) = target
            && place.only_reads()
            && operand.is_plain()
        {
            return quote_spanned! {span=> {
                let #held = #hold;
                #held.set(#b, #held.get() #op #value);
            }};
        }
        quote_spanned! {span=> {
            let #temporary = #b.local(#value);
            let #held = #hold;
            #held.set(#b, #held.get() #op #temporary.get());
        }}
    }

    /// Writes to guest memory; `None` if it is read.
    fn write(&self, access: &Access, span: Span) -> Option<TokenStream> {
        let Access { memory, name, kind } = access;
        let args: Vec<_> = match kind {
            AccessKind::Store(address, value) => vec![self.value(address), self.value(value)],
            AccessKind::Copy(args) | AccessKind::Fill(args) => {
                args.iter().map(|arg| self.value(arg)).collect()
            }
            AccessKind::Load(..) | AccessKind::Size => return None,
        };
        let b = self.builder(span);
        Some(quote_spanned!(span=> #memory.#name(#b, #(#args),*)))
    }
}

fn expr_type(ty: &Type) -> TokenStream {
    quote_spanned!(ty.span()=> ::hostcall::impl_::inline::Expr<#ty>)
}
