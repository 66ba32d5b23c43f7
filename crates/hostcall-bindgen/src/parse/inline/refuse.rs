//! What is not part of inline functions, and what to write instead.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Expr;

pub const ATTRIBUTE: &str =
    "attributes inside of an inline function are not understood: put it on the function";

pub const ITEM: &str = "an inline function may hold constants and `use`, no other items: move this out of the \
     function";

/// Why an expression of this kind is refused.
pub fn expr(expr: &Expr) -> String {
    let message = match expr {
        Expr::Match(it) => return of_match(it),
        Expr::ForLoop(it) => return of_for(it),
        Expr::Closure(_) => {
            "a closure has no form in the guest: make it a function of this block with \
             `#[hostcall(inline, skip)]`, and call that as `Self::name(..)`"
        }
        Expr::Reference(_) | Expr::RawAddr(_) => {
            "an inline function works on values, not on references: pass the value itself, and \
             return what changed"
        }
        Expr::Tuple(it) if it.elems.is_empty() => {
            "`()` is not a value of inline functions: leave it out"
        }
        Expr::Tuple(_) => {
            "a tuple has no form in an inline function: use one variable for each part"
        }
        Expr::Array(_) | Expr::Repeat(_) => {
            "an array has no form in an inline function: make it a field of a struct with \
             `#[derive(HostState)]`, and take that as `&mut` parameter"
        }
        Expr::Struct(_) => {
            "a struct has no form in an inline function: use one variable for each field, or \
             assign to the fields of a parameter that has `#[derive(HostState)]`"
        }
        Expr::Range(_) => {
            "a range has no form in an inline function: compare with `start <= x && x < end`, and \
             count with `while`"
        }
        Expr::Try(_) => {
            "`?` has no form in an inline function, which cannot return an error: trap with \
             `panic!(\"why\")`; the error of a host function that is called here traps by itself"
        }
        Expr::Await(_) | Expr::Async(_) => {
            "an inline function cannot wait: make it an ordinary host function"
        }
        Expr::Unsafe(_) => {
            "an inline function is safe code: guest memory is accessed through a parameter \
             `memory: &mut Memory<'_>`"
        }
        Expr::Const(_) => "write a constant: `const NAME: Type = ..;`",
        Expr::Let(_) => {
            "`if let` and `while let` have no form in an inline function: compare with `==`"
        }
        Expr::Infer(_) => "write a value here",
        _ => {
            "this is not part of inline functions, which know variables, operators, casts, `if`, \
             `while`, `loop`, calls and methods of numbers: remove `inline` to write any Rust"
        }
    };
    message.to_owned()
}

fn of_match(it: &syn::ExprMatch) -> String {
    let value = short(&it.expr, "x");
    let pattern = it.arms.first().map(|arm| short(&arm.pat, "A"));
    let pattern = pattern.unwrap_or_else(|| "A".to_owned());
    format!(
        "`match` has no form in an inline function: write `if {value} == {pattern} {{ .. }} else \
         if .. {{ .. }} else {{ .. }}`"
    )
}

fn of_for(it: &syn::ExprForLoop) -> String {
    let counter = short(&it.pat, "i");
    let (start, comparison, end) = match &*it.expr {
        Expr::Range(range) => {
            let part = |part: &Option<Box<Expr>>, other| {
                part.as_ref()
                    .map_or(String::from(other), |one| short(one, other))
            };
            let comparison = match range.limits {
                syn::RangeLimits::HalfOpen(_) => "<",
                syn::RangeLimits::Closed(_) => "<=",
            };
            (part(&range.start, "0"), comparison, part(&range.end, "n"))
        }
        _ => ("0".to_owned(), "<", "n".to_owned()),
    };
    format!(
        "`for` has no form in an inline function, because ranges and iterators have none: write \
         `let mut {counter} = {start}; while {counter} {comparison} {end} {{ ..; {counter} += 1; \
         }}`"
    )
}

/// The source of something, or a name for it if it is long.
fn short(tokens: &impl ToTokens, otherwise: &str) -> String {
    let text = source(tokens.to_token_stream());
    if text.len() <= 24 && !text.contains(['{', '|']) {
        text
    } else {
        otherwise.to_owned()
    }
}

/// Tokens much as a person writes them.
pub fn source(tokens: TokenStream) -> String {
    let mut text = tokens.to_string();
    for (spaced, tight) in [
        (" . ", "."),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" :: ", "::"),
        (" [", "["),
        (" ;", ";"),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}
