//! Control flow, and the macros that trap.

use super::reader::{Loop, Reader};
use super::refuse;
use crate::model::{Assert, Block, Expr, ExprKind, Jump, LoopHead, LoopValue};
use crate::parse::plain;
use proc_macro2::Span;
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Label, Lifetime, Lit, Macro, Token};

impl Reader<'_> {
    pub fn if_(&mut self, it: &syn::ExprIf) -> Expr {
        let condition = Box::new(self.expr(&it.cond));
        let then = self.block(&it.then_branch);
        let otherwise = it.else_branch.as_ref().map(|(_, branch)| match &**branch {
            syn::Expr::Block(block) => self.block(&block.block),
            other => {
                let value = self.expr(other);
                Block {
                    diverges: value.diverges,
                    statements: Vec::new(),
                    value: Some(Box::new(value)),
                }
            }
        });
        Expr::new(ExprKind::If(condition, then, otherwise), it.if_token.span)
    }

    pub fn while_(&mut self, it: &syn::ExprWhile) -> Expr {
        let condition = Box::new(self.expr(&it.cond));
        let (head, _, body) = self.loop_body(it.label.as_ref(), false, &it.body);
        let kind = ExprKind::While(head, condition, body);
        Expr::new(kind, it.while_token.span)
    }

    pub fn loop_(&mut self, it: &syn::ExprLoop) -> Expr {
        let (head, value, body) = self.loop_body(it.label.as_ref(), true, &it.body);
        Expr::new(ExprKind::Loop(head, value, body), it.loop_token.span)
    }

    fn loop_body(
        &mut self,
        label: Option<&Label>,
        plain_loop: bool,
        body: &syn::Block,
    ) -> (LoopHead, LoopValue, Block) {
        let id = self.loop_count;
        self.loop_count += 1;
        self.loops.push(Loop {
            id,
            label: label.map(|label| plain(&label.name.ident)),
            plain: plain_loop,
            breaks: false,
            breaks_with_value: false,
        });
        let body = self.block(body);
        let value = match self.loops.pop() {
            Some(one) if one.breaks_with_value => LoopValue::Value,
            Some(one) if one.breaks => LoopValue::Unit,
            _ => LoopValue::Never,
        };
        let label = label.map(|label| label.name.clone());
        (LoopHead { id, label }, value, body)
    }

    pub fn break_(&mut self, it: &syn::ExprBreak) -> Expr {
        let value = it.expr.as_ref().map(|value| Box::new(self.expr(value)));
        let span = it.break_token.span;
        let Some(target) = self.jump(it.label.as_ref(), span) else {
            return Expr::new(ExprKind::Refused, span);
        };
        if value.is_some() && !target.plain {
            return self.refuse(
                &it.expr,
                "`while` has no value: assign it to a variable before `break`, or write `loop`",
            );
        }
        target.breaks = true;
        target.breaks_with_value |= value.is_some();
        let jump = Jump {
            to: target.id,
            label: it.label.clone(),
        };
        Expr::new(ExprKind::Break(jump, value), span)
    }

    pub fn continue_(&mut self, it: &syn::ExprContinue) -> Expr {
        let span = it.continue_token.span;
        let Some(target) = self.jump(it.label.as_ref(), span) else {
            return Expr::new(ExprKind::Refused, span);
        };
        let jump = Jump {
            to: target.id,
            label: it.label.clone(),
        };
        Expr::new(ExprKind::Continue(jump), span)
    }

    fn jump(&mut self, label: Option<&Lifetime>, span: Span) -> Option<&mut Loop> {
        let name = label.map(|label| plain(&label.ident));
        let found = self
            .loops
            .iter()
            .rposition(|one| name.is_none() || one.label == name);
        if found.is_none() {
            let message = match label {
                Some(label) => format!("there is no loop around this with the label `{label}`"),
                None => "there is no loop around this".to_owned(),
            };
            self.report.push(syn::Error::new(span, message));
        }
        Some(&mut self.loops[found?])
    }

    pub fn macro_call(&mut self, mac: &Macro, attrs: &[syn::Attribute]) -> Expr {
        if let Some(attr) = attrs.first() {
            return self.refuse(attr, refuse::ATTRIBUTE);
        }
        let name = mac.path.segments.last().map(|last| plain(&last.ident));
        let Ok(args) =
            Punctuated::<syn::Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone())
        else {
            return self.refuse(mac, MACROS);
        };
        let args: Vec<_> = args.into_iter().collect();
        match name.as_deref().unwrap_or_default() {
            "panic" => self.trap(mac, "explicit panic", "", &args),
            "unreachable" => {
                let bare = "internal error: entered unreachable code";
                self.trap(
                    mac,
                    bare,
                    "internal error: entered unreachable code: ",
                    &args,
                )
            }
            "assert" => self.assert(mac, &args, false),
            "debug_assert" => self.assert(mac, &args, true),
            "assert_eq" | "debug_assert_eq" => self.refuse(mac, compare(&args, "==")),
            "assert_ne" | "debug_assert_ne" => self.refuse(mac, compare(&args, "!=")),
            "todo" | "unimplemented" => self.refuse(mac, "write `panic!(\"not implemented\")`"),
            _ => self.refuse(mac, MACROS),
        }
    }

    fn trap(&mut self, mac: &Macro, bare: &str, before: &str, args: &[syn::Expr]) -> Expr {
        let message = match args {
            [] => bare.to_owned(),
            [message, ..] => match self.message(message, &args[1..]) {
                Some(message) => format!("{before}{message}"),
                None => return Expr::new(ExprKind::Refused, mac.span()),
            },
        };
        Expr::new(ExprKind::Trap(message), mac.path.span())
    }

    fn assert(&mut self, mac: &Macro, args: &[syn::Expr], debug: bool) -> Expr {
        let [condition, message @ ..] = args else {
            return self.refuse(mac, "give the condition: `assert!(x > 0)`");
        };
        let text = match message {
            [] => {
                let source = refuse::source(condition.to_token_stream());
                Some(format!("assertion failed: {source}"))
            }
            [message, rest @ ..] => self.message(message, rest),
        };
        let condition = self.expr(condition);
        let Some(message) = text else {
            return Expr::new(ExprKind::Refused, mac.span());
        };
        let assert = Assert {
            condition,
            message,
            debug,
        };
        Expr::new(ExprKind::Assert(Box::new(assert)), mac.path.span())
    }

    /// The message of a trap, which is a literal without arguments.
    fn message(&mut self, message: &syn::Expr, rest: &[syn::Expr]) -> Option<String> {
        let syn::Expr::Lit(syn::ExprLit {
            lit: Lit::Str(literal),
            ..
        }) = message
        else {
            self.error(message, MESSAGE);
            return None;
        };
        let text = literal
            .value()
            .replace("{{", "\u{0}")
            .replace("}}", "\u{1}");
        if !rest.is_empty() || text.contains(['{', '}']) {
            self.error(message, MESSAGE);
            return None;
        }
        Some(text.replace('\u{0}', "{").replace('\u{1}', "}"))
    }
}

const MESSAGE: &str = "the message of a trap is a literal, and cannot hold values: the guest has nothing to format \
     them with";

const MACROS: &str = "an inline function knows the macros `panic!(\"why\")`, `unreachable!()`, \
     `assert!(condition, \"why\")` and `debug_assert!`; leave others to an ordinary host function";

fn compare(args: &[syn::Expr], op: &str) -> String {
    let source = |i: usize, otherwise: &str| {
        let arg = args.get(i).map(|arg| arg.to_token_stream());
        arg.map_or(otherwise.to_owned(), refuse::source)
    };
    format!(
        "write `assert!({} {op} {})`",
        source(0, "a"),
        source(1, "b")
    )
}
