//! Calls: methods of numbers, functions of the same block, and conversions.

use super::expr::SELF;
use super::functions::{Function, Kind};
use super::reader::{Name, Reader, as_ident, is_self};
use super::{methods, types};
use crate::model::{Arg, Call, Callee, Expr, ExprKind, Sort};
use crate::parse::plain;
use syn::spanned::Spanned;
use syn::{ExprCall, ExprMethodCall, Ident, Token, Type, parse_quote_spanned};

impl Reader<'_> {
    pub fn method_call(&mut self, call: &ExprMethodCall) -> Expr {
        if is_self(&call.receiver) {
            let receiver = Token![self](call.receiver.span());
            let args: Vec<_> = call.args.iter().collect();
            return self.block_call(&call.method, Some(receiver), &args);
        }
        if let Some(ident) = as_ident(&call.receiver) {
            match self.name(ident) {
                Some(Name::Memory) => return self.access(ident, call),
                Some(Name::Refused) => {
                    return Expr::new(ExprKind::Refused, call.method.span());
                }
                Some(Name::State) => {
                    return self.refuse(
                        call,
                        format!(
                            "a host state has only fields in an inline function: make \
                             `{method}` a function of this block with `#[hostcall(inline, skip)]` \
                             that takes `{ident}`, and call it as `Self::{method}({ident})`",
                            method = call.method,
                        ),
                    );
                }
                _ => {}
            }
        }
        if let Some(turbofish) = &call.turbofish {
            return self.refuse(
                turbofish,
                "methods of numbers have no type arguments: remove them",
            );
        }
        if call.method == "len" && call.args.is_empty() && is_place(&call.receiver) {
            return match self.place(&call.receiver) {
                Some(place) => Expr::new(ExprKind::Len(place), call.method.span()),
                None => Expr::new(ExprKind::Refused, call.method.span()),
            };
        }
        let args: Vec<_> = call.args.iter().collect();
        self.method(&call.method, &call.receiver, &args)
    }

    /// `receiver.name(args)`, of a number.
    fn method(&mut self, name: &Ident, receiver: &syn::Expr, args: &[&syn::Expr]) -> Expr {
        let receiver = self.expr(receiver);
        self.method_of(name, receiver, args)
    }

    fn method_of(&mut self, name: &Ident, receiver: Expr, args: &[&syn::Expr]) -> Expr {
        let Some(method) = methods::find(&name.to_string()) else {
            if let ExprKind::Refused = receiver.kind {
                return receiver;
            }
            return self.refuse(name, methods::instead(&name.to_string()));
        };
        if args.len() != method.args {
            let message = counted(&format!("`{name}`"), method.args, args.len());
            return self.refuse(name, message);
        }
        let args = args.iter().map(|arg| self.expr(arg)).collect();
        let kind = ExprKind::Method(Box::new(receiver), method, args);
        Expr::new(kind, name.span())
    }

    pub fn call(&mut self, call: &ExprCall) -> Expr {
        let args: Vec<_> = call.args.iter().collect();
        let syn::Expr::Path(path) = &*call.func else {
            return self.refuse(&call.func, ELSEWHERE);
        };
        let segments: Vec<_> = path.path.segments.iter().collect();
        if path.qself.is_some() || segments.iter().any(|one| !one.arguments.is_none()) {
            return self.refuse(&call.func, ELSEWHERE);
        }
        match segments.as_slice() {
            [ty, name] if self.is_self_type(&ty.ident) => self.associated(&name.ident, &args),
            [ty, name] if types::is_scalar_name(&ty.ident.to_string()) => {
                let ty: Type = parse_quote_spanned!(ty.span()=> #ty);
                self.of_scalar(ty, &name.ident, &args)
            }
            [name] if self.functions.get(&plain(&name.ident)).is_some() => {
                let message = format!("call it as `Self::{}(..)`", name.ident);
                self.refuse(&call.func, message)
            }
            [.., scope, name] if scope.ident == "cmp" && is_min_max(&name.ident) => {
                let message = format!("write it as a method: `a.{}(b)`", name.ident);
                self.refuse(&call.func, message)
            }
            [.., scope, name] if scope.ident == "mem" && name.ident == "swap" => self.refuse(
                &call.func,
                "use a third variable: `let first = a; a = b; b = first;`",
            ),
            [ty, ..] if matches!(ty.ident.to_string().as_str(), "u128" | "i128" | "char") => {
                let ty: Type = parse_quote_spanned!(ty.span()=> #ty);
                self.refuse(&call.func, types::refusal(&ty).unwrap_or(ELSEWHERE))
            }
            _ => self.refuse(&call.func, ELSEWHERE),
        }
    }

    fn is_self_type(&self, ident: &Ident) -> bool {
        ident == "Self" || self.functions.self_name.as_deref() == Some(&plain(ident))
    }

    /// `Self::name(args)`, where `self` may be the first of them.
    fn associated(&mut self, name: &Ident, args: &[&syn::Expr]) -> Expr {
        let takes_self = self
            .functions
            .get(&plain(name))
            .is_some_and(|function| function.receiver);
        match args {
            [me, rest @ ..] if takes_self && is_self(me) => {
                self.block_call(name, Some(Token![self](me.span())), rest)
            }
            _ => self.block_call(name, None, args),
        }
    }

    /// A call of a function of this block.
    fn block_call(
        &mut self,
        name: &Ident,
        receiver: Option<Token![self]>,
        args: &[&syn::Expr],
    ) -> Expr {
        let functions = self.functions;
        let Some(function) = functions.get(&plain(name)) else {
            let message = match receiver {
                Some(_) => format!(
                    "there is no function `{name}` in this block: an inline function can call \
                     only functions of its own `#[host_module]` block. {SELF}"
                ),
                None => format!(
                    "there is no function `{name}` in this block: an inline function can call \
                     only functions of its own `#[host_module]` block, so move it there, with \
                     `#[hostcall(inline, skip)]` if guests should not import it"
                ),
            };
            return self.refuse(name, message);
        };
        if function.receiver && receiver.is_none() {
            let message = format!(
                "`{name}` takes `self`: take `&mut self` here, too, and call it as `self.{name}(..)`"
            );
            return self.refuse(name, message);
        }
        if let (Some(me), false) = (receiver, function.receiver) {
            let message = format!("`{name}` does not take `self`: call it as `Self::{name}(..)`");
            return self.refuse(me, message);
        }
        match self.arguments(name, function, args) {
            Some((args, callee)) => {
                let call = Call {
                    ident: name.clone(),
                    receiver,
                    args,
                    callee,
                };
                Expr::new(ExprKind::Call(Box::new(call)), name.span())
            }
            None => Expr::new(ExprKind::Refused, name.span()),
        }
    }

    fn arguments(
        &mut self,
        name: &Ident,
        function: &Function,
        args: &[&syn::Expr],
    ) -> Option<(Vec<Arg>, Callee)> {
        let (sorts, callee) = match &function.kind {
            Kind::Other(message) => {
                self.error(name, message);
                return None;
            }
            Kind::Inline { params, result } => (params.clone(), Callee::Inline(result.clone())),
            Kind::Host {
                module,
                name,
                params,
                result,
            } => {
                let sorts = params.iter().cloned().map(Sort::Scalar).collect();
                let callee = Callee::Host {
                    module: module.clone(),
                    name: name.clone(),
                    result: result.clone(),
                };
                (sorts, callee)
            }
        };
        if sorts.len() != args.len() {
            self.error(name, counted(&format!("`{name}`"), sorts.len(), args.len()));
            return None;
        }
        let args = sorts.iter().zip(args);
        let args: Vec<_> = args.map(|(sort, arg)| self.argument(sort, arg)).collect();
        Some((args.into_iter().collect::<Option<_>>()?, callee))
    }

    fn argument(&mut self, sort: &Sort, arg: &syn::Expr) -> Option<Arg> {
        let (wanted, what) = match sort {
            Sort::Scalar(ty) => {
                let value = Box::new(self.expr(arg));
                return Some(Arg::Scalar(value, Box::new(ty.clone())));
            }
            Sort::Refused => return None,
            Sort::Memory => (Name::Memory, "guest memory, which is a parameter here, too"),
            Sort::State(_) => (Name::State, "a host state, which is a parameter here, too"),
        };
        match as_ident(arg) {
            Some(ident) if self.name(ident) == Some(wanted) => Some(Arg::Context(ident.clone())),
            Some(ident) if self.name(ident) == Some(Name::Refused) => None,
            _ => {
                let message = format!("hand on {what}: write the name of that parameter alone");
                self.error(arg, message);
                None
            }
        }
    }

    /// `f64::from_bits(x)`, `u64::from(x)`, `u32::min(a, b)`.
    fn of_scalar(&mut self, ty: Type, name: &Ident, args: &[&syn::Expr]) -> Expr {
        let span = name.span();
        match (name.to_string().as_str(), args) {
            ("from", [value]) => {
                let value = Box::new(self.expr(value));
                Expr::new(ExprKind::From(Box::new(ty), value), span)
            }
            ("from_bits", [value]) => {
                let value = Box::new(self.expr(value));
                Expr::new(ExprKind::FromBits(Box::new(ty), value), span)
            }
            ("try_from", _) => self.refuse(name, "compare before, and write `as`: `x as u32`"),
            (_, [receiver, rest @ ..]) => {
                let receiver = self.expr(receiver);
                let receiver = Expr::new(ExprKind::Typed(Box::new(receiver), Box::new(ty)), span);
                self.method_of(name, receiver, rest)
            }
            _ => self.refuse(name, ELSEWHERE),
        }
    }
}

const ELSEWHERE: &str = "an inline function can call only functions of its own `#[host_module]` block, as \
     `Self::name(..)`, methods of numbers, and `from` and `from_bits`: move what is called here \
     into the block, with `#[hostcall(inline, skip)]` if guests should not import it";

fn is_place(expr: &syn::Expr) -> bool {
    matches!(expr, syn::Expr::Field(_) | syn::Expr::Index(_))
}

fn is_min_max(name: &Ident) -> bool {
    name == "min" || name == "max"
}

fn counted(what: &str, wanted: usize, found: usize) -> String {
    let arguments = if wanted == 1 { "argument" } else { "arguments" };
    format!("{what} takes {wanted} {arguments}, and {found} are given")
}
