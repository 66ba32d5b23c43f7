//! The native form of an inline function: its own body, in which arithmetic
//! that can fail is checked, and returns what a trap in the guest would say.

use super::inline::native_name;
use crate::model::{
    Access, AccessKind, Arg, Assert, Block, Call, Callee, Expr, ExprKind, Inline, Let, LoopHead,
    Method, NativeMethod, Place, Statement, Step, Target,
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Index, ReturnType, parse_quote};

/// The hidden function that returns `Result<_, BodyTrap>`.
pub fn native(function: &Inline) -> TokenStream {
    let mut sig = function.sig.clone();
    sig.ident = native_name(&sig.ident);
    let result = match &sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => quote!(#ty),
    };
    sig.output = parse_quote! {
        -> ::core::result::Result<#result, ::hostcall::impl_::inline::native::BodyTrap>
    };
    let (lints, body) = (&function.lints, body(&function.body));
    quote! {
        #[doc(hidden)]
        #[allow(
            unused_braces,
            unused_parens,
            redundant_semicolons,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            reason = "rewritten from what a person wrote"
        )]
        #(#lints)*
        #sig {
            #body
        }
    }
}

fn body(body: &Block) -> TokenStream {
    let statements = statements(&body.statements);
    let end = match &body.value {
        Some(value) if body.diverges => statement(value),
        Some(value) => {
            let (span, value) = (span_of(value), self::value(value));
            quote_spanned!(span=> ::core::result::Result::Ok(#value))
        }
        None if body.diverges => quote!(),
        None => quote!(::core::result::Result::Ok(())),
    };
    quote!(#statements #end)
}

fn statements(statements: &[Statement]) -> TokenStream {
    let statements = statements.iter().map(|one| match one {
        Statement::Item(item) => quote!(#item),
        Statement::Expr(expr) => statement(expr),
        Statement::Let(local) => {
            let Let {
                mutable,
                ident,
                ty,
                init,
            } = &**local;
            let ty = ty.as_ref().map(|ty| quote!(: #ty));
            let init = init.as_ref().map(|init| {
                let init = value(init);
                quote!(= #init)
            });
            quote!(let #mutable #ident #ty #init;)
        }
    });
    quote!(#(#statements)*)
}

fn statement(expr: &Expr) -> TokenStream {
    let expr = value(expr);
    quote!(#expr;)
}

fn block(block: &Block) -> TokenStream {
    let statements = statements(&block.statements);
    let value = block.value.as_ref().map(|one| value(one));
    quote!({ #statements #value })
}

/// An expression that stands as operand of any other.
fn value(expr: &Expr) -> TokenStream {
    let span = expr.span;
    let native = quote_spanned!(span=> ::hostcall::impl_::inline::native);
    match &expr.kind {
        ExprKind::Constant(tokens) => parenthesised(tokens),
        ExprKind::Local(ident) => quote!(#ident),
        ExprKind::State(place) => read(place),
        ExprKind::Len(place) => {
            let place = read(place);
            quote_spanned!(span=> #place.len())
        }
        ExprKind::Neg(operand) => {
            let operand = value(operand);
            quote_spanned!(span=> #native::neg(#operand)?)
        }
        ExprKind::Not(operand) => {
            let operand = value(operand);
            quote_spanned!(span=> (!#operand))
        }
        ExprKind::Binary(left, op, right) => binary(&value(left), op, &value(right)),
        ExprKind::Cast(operand, ty) => {
            let operand = value(operand);
            quote_spanned!(span=> (#operand as #ty))
        }
        ExprKind::Typed(operand, ty) => {
            let operand = value(operand);
            quote_spanned!(span=> ({ let typed: #ty = #operand; typed }))
        }
        ExprKind::Method(receiver, method, args) => self::method(receiver, method, args, span),
        ExprKind::From(ty, operand) => {
            let operand = value(operand);
            quote_spanned!(span=> <#ty as ::core::convert::From<_>>::from(#operand))
        }
        ExprKind::FromBits(ty, operand) => {
            let operand = value(operand);
            quote_spanned!(span=> <#ty>::from_bits(#operand))
        }
        ExprKind::Memory(access) => self::access(access, span),
        ExprKind::Call(call) => self::call(call, span),
        ExprKind::Trap(message) => trap(message, span),
        ExprKind::Assert(assert) => self::assert(assert, span),
        ExprKind::Assign(target, operand) => assign(target, &value(operand), span),
        ExprKind::Compound(target, op, operand) => compound(target, op, operand, span),
        kind => control(kind, span),
    }
}

/// Control flow, in parentheses: an operand may be any of it.
fn control(kind: &ExprKind, span: Span) -> TokenStream {
    match kind {
        ExprKind::If(condition, then, otherwise) => {
            let (condition, then) = (value(condition), block(then));
            let otherwise = otherwise.as_ref().map(|otherwise| {
                let otherwise = block(otherwise);
                quote!(else #otherwise)
            });
            quote_spanned!(span=> (if #condition #then #otherwise))
        }
        ExprKind::Block(inner) => {
            let inner = block(inner);
            quote!((#inner))
        }
        ExprKind::While(head, condition, body) => {
            let (label, condition, body) = (label(head), value(condition), block(body));
            quote_spanned!(span=> (#label while #condition #body))
        }
        ExprKind::Loop(head, _, body) => {
            let (label, body) = (label(head), block(body));
            quote_spanned!(span=> (#label loop #body))
        }
        ExprKind::Break(jump, operand) => {
            let label = &jump.label;
            let operand = operand.as_ref().map(|operand| value(operand));
            quote_spanned!(span=> (break #label #operand))
        }
        ExprKind::Continue(jump) => {
            let label = &jump.label;
            quote_spanned!(span=> (continue #label))
        }
        ExprKind::Return(operand) => {
            let operand = operand
                .as_ref()
                .map_or(quote!(()), |operand| value(operand));
            quote_spanned!(span=> (return ::core::result::Result::Ok(#operand)))
        }
        _ => quote!(),
    }
}

/// A constant, which may have a sign.
fn parenthesised(tokens: &TokenStream) -> TokenStream {
    match tokens.clone().into_iter().next() {
        Some(proc_macro2::TokenTree::Punct(sign)) if sign.as_char() == '-' => quote!((#tokens)),
        _ => tokens.clone(),
    }
}

fn binary(left: &TokenStream, op: &BinOp, right: &TokenStream) -> TokenStream {
    let span = op.span();
    let name = match op {
        BinOp::Add(_) => "add",
        BinOp::Sub(_) => "sub",
        BinOp::Mul(_) => "mul",
        BinOp::Div(_) => "div",
        BinOp::Rem(_) => "rem",
        BinOp::Shl(_) => "shl",
        BinOp::Shr(_) => "shr",
        _ => return quote_spanned!(span=> (#left #op #right)),
    };
    let name = syn::Ident::new(name, span);
    quote_spanned!(span=> ::hostcall::impl_::inline::native::#name(#left, #right)?)
}

fn method(receiver: &Expr, method: &Method, args: &[Expr], span: Span) -> TokenStream {
    let (receiver, args) = (value(receiver), args.iter().map(value));
    let name = syn::Ident::new(method.name, span);
    let native = quote_spanned!(span=> ::hostcall::impl_::inline::native);
    match method.native {
        NativeMethod::Std => quote_spanned!(span=> #receiver.#name(#(#args),*)),
        NativeMethod::Ours => quote_spanned!(span=> #native::#name(#receiver #(, #args)*)),
        NativeMethod::Checked => quote_spanned!(span=> #native::#name(#receiver #(, #args)*)?),
    }
}

fn access(access: &Access, span: Span) -> TokenStream {
    let Access { memory, name, kind } = access;
    match kind {
        AccessKind::Load(ty, address) => {
            let address = value(address);
            let ty = ty.as_ref().map(|ty| quote!(::<#ty>));
            quote_spanned!(span=> #memory.#name #ty (#address)?)
        }
        AccessKind::Store(address, operand) => {
            let (address, operand) = (value(address), value(operand));
            quote_spanned!(span=> #memory.#name(#address, #operand)?)
        }
        AccessKind::Copy(args) | AccessKind::Fill(args) => {
            let args = args.iter().map(|arg| value(arg));
            quote_spanned!(span=> #memory.#name(#(#args),*)?)
        }
        AccessKind::Size => quote_spanned!(span=> #memory.#name()),
    }
}

fn call(call: &Call, span: Span) -> TokenStream {
    let receiver = call.receiver.iter().map(|me| quote!(#me));
    let args = call.args.iter().map(|arg| match arg {
        Arg::Context(ident) => quote!(#ident),
        Arg::Scalar(one, _) => value(one),
    });
    match &call.callee {
        Callee::Inline(_) => {
            let args = receiver.chain(args);
            let name = native_name(&call.ident);
            quote_spanned!(span=> Self::#name(#(#args),*)?)
        }
        // Arguments may return, but what is called must not unwind.
        Callee::Host { module, name, .. } => {
            let (ident, held) = (&call.ident, temporary("args", span));
            let passed = (0..call.args.len()).map(|i| {
                let i = Index::from(i);
                quote!(#held.#i)
            });
            let passed = receiver.chain(passed);
            quote_spanned! {span=> {
                let #held = (#(#args,)*);
                ::hostcall::impl_::slow_path(#module, #name, || Self::#ident(#(#passed),*))?
            }}
        }
    }
}

fn label(head: &LoopHead) -> TokenStream {
    head.label
        .as_ref()
        .map_or(quote!(), |label| quote!(#label:))
}

fn trap(message: &str, span: Span) -> TokenStream {
    quote_spanned! {span=>
        (return ::core::result::Result::Err(
            ::hostcall::impl_::inline::native::BodyTrap::new(#message)
        ))
    }
}

fn assert(assert: &Assert, span: Span) -> TokenStream {
    let condition = value(&assert.condition);
    let trap = trap(&assert.message, span);
    let debug = assert
        .debug
        .then(|| quote_spanned!(span=> ::core::cfg!(debug_assertions) &&));
    quote_spanned!(span=> (if #debug !#condition { #trap }))
}

/// The place, to read its value.
fn read(place: &Place) -> TokenStream {
    reach(place, &quote!(index), &quote!(&))
}

/// The place, to assign to it.
fn written(place: &Place) -> TokenStream {
    reach(place, &quote!(index_mut), &quote!(&mut))
}

fn reach(place: &Place, function: &TokenStream, borrow: &TokenStream) -> TokenStream {
    let root = &place.root;
    let steps = place.steps.iter();
    steps.fold(quote!(#root), |base, step| match step {
        Step::Field(member) => quote!(#base.#member),
        Step::Index(index, span) => {
            let (span, index) = (*span, value(index));
            quote_spanned! {span=>
                (*::hostcall::impl_::inline::native::#function(#borrow #base, #index)?)
            }
        }
    })
}

fn assign(target: &Target, value: &TokenStream, span: Span) -> TokenStream {
    match target {
        Target::Local(ident) => quote_spanned!(span=> (#ident = #value)),
        // Rust evaluates the value first, which a borrow of the place must not
        // outlast.
        Target::State(place) if place.has_index() => {
            let (place, temporary) = (written(place), temporary("value", value.span()));
            quote_spanned!(span=> { let #temporary = #value; #place = #temporary; })
        }
        Target::State(place) => {
            let place = written(place);
            quote_spanned!(span=> (#place = #value))
        }
    }
}

fn compound(target: &Target, op: &BinOp, operand: &Expr, span: Span) -> TokenStream {
    let indexed = matches!(target, Target::State(place) if place.has_index());
    if operand.only_reads() && !indexed {
        let place = match target {
            Target::Local(ident) => quote!(#ident),
            Target::State(place) => written(place),
        };
        let new = binary(&place, op, &value(operand));
        return quote_spanned!(span=> (#place = #new));
    }
    // As Rust does: the operand, then the place, then its value.
    let (held, operand_value) = (temporary("place", span), value(operand));
    let temporary = temporary("value", span_of(operand));
    let place = match target {
        Target::Local(ident) => quote!(#ident),
        Target::State(place) => written(place),
    };
    let new = binary(&quote!(*#held), op, &quote!(#temporary));
    quote_spanned! {span=> {
        let #temporary = #operand_value;
        let #held = &mut #place;
        *#held = #new;
    }}
}

fn temporary(name: &str, span: Span) -> syn::Ident {
    let mut ident = format_ident!("__{}", name);
    ident.set_span(span);
    ident
}

fn span_of(expr: &Expr) -> Span {
    expr.span
}
