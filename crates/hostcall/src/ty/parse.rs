//! Signatures and types from text.

use super::{Signature, Type};
use crate::error::Error;
use std::str::FromStr;

/// Nesting allowed in a type. Text may come from a stranger's configuration.
const MAX_DEPTH: usize = 64;

impl FromStr for Signature {
    type Err = Error;

    fn from_str(text: &str) -> Result<Signature, Error> {
        parse(text, Parser::signature)
    }
}

impl FromStr for Type {
    type Err = Error;

    fn from_str(text: &str) -> Result<Type, Error> {
        parse(text, Parser::ty)
    }
}

fn parse<'a, T>(text: &'a str, rule: fn(&mut Parser<'a>) -> Parsed<T>) -> Result<T, Error> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let parsed = rule(&mut parser).and_then(|value| match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.expected("the end")),
    });
    parsed.map_err(|message| Error::signature_text(text, &message))
}

type Parsed<T> = Result<T, String>;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn signature(&mut self) -> Parsed<Signature> {
        self.keyword("func")?;
        self.token('(')?;
        let params = self.list(')', |p| {
            let name = p.name("a parameter's name")?;
            p.token(':')?;
            Ok((name, p.ty()?))
        })?;
        let mut results = Vec::new();
        if self.rest().starts_with("->") {
            self.at += 2;
            results.push(self.ty()?);
        }
        Ok(Signature::new(params, results))
    }

    fn ty(&mut self) -> Parsed<Type> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("types nest deeper than {MAX_DEPTH} levels"));
        }
        let start = self.at;
        let name = self.name("a type")?;
        let ty = match self.named(&name)? {
            Some(ty) => ty,
            None => {
                self.at = start;
                self.skip_space();
                return Err(self.expected(
                    "a type (bool, s8..s64, u8..u64, f32, f64, char, string, list<T>, option<T>, \
                     result<T, E>, tuple<..>, record { .. }, variant { .. }, enum { .. }, \
                     cstring, pointer<T>, v128, funcref or externref)",
                ));
            }
        };
        self.depth -= 1;
        Ok(ty)
    }

    fn named(&mut self, name: &str) -> Parsed<Option<Type>> {
        Ok(Some(match name {
            "bool" => Type::Bool,
            "s8" => Type::S8,
            "u8" => Type::U8,
            "s16" => Type::S16,
            "u16" => Type::U16,
            "s32" => Type::S32,
            "u32" => Type::U32,
            "s64" => Type::S64,
            "u64" => Type::U64,
            "f32" => Type::F32,
            "f64" => Type::F64,
            "char" => Type::Char,
            "string" => Type::String,
            "cstring" => Type::CString,
            "v128" => Type::V128,
            "funcref" => Type::FuncRef,
            "externref" => Type::ExternRef,
            "list" => Type::List(self.argument()?),
            "option" => Type::Option(self.argument()?),
            "pointer" => Type::Pointer(self.argument()?),
            "result" => self.result()?,
            "tuple" => {
                self.token('<')?;
                Type::Tuple(self.list('>', Parser::ty)?)
            }
            "record" => {
                self.token('{')?;
                Type::Record(self.list('}', |p| {
                    let name = p.name("a field's name")?;
                    p.token(':')?;
                    Ok((name, p.ty()?))
                })?)
            }
            "variant" => {
                self.token('{')?;
                Type::Variant(self.cases(|p| {
                    let name = p.name("a case's name")?;
                    let payload = p.eat('(').then(|| p.ty()).transpose()?;
                    if payload.is_some() {
                        p.token(')')?;
                    }
                    Ok((name, payload))
                })?)
            }
            "enum" => {
                self.token('{')?;
                Type::Enum(self.cases(|p| p.name("a case's name"))?)
            }
            _ => return Ok(None),
        }))
    }

    /// `<T>`
    fn argument(&mut self) -> Parsed<Box<Type>> {
        self.token('<')?;
        let ty = self.ty()?;
        self.token('>')?;
        Ok(Box::new(ty))
    }

    /// What follows `result`: nothing, `<T>`, `<_, E>` or `<T, E>`.
    fn result(&mut self) -> Parsed<Type> {
        if !self.eat('<') {
            return Ok(Type::Result(None, None));
        }
        let ok = if self.eat('_') {
            None
        } else {
            Some(Box::new(self.ty()?))
        };
        let err = if self.eat(',') {
            Some(Box::new(self.ty()?))
        } else {
            None
        };
        self.token('>')?;
        Ok(Type::Result(ok, err))
    }

    /// The cases of a variant or enum: one at least.
    fn cases<T>(&mut self, case: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let cases = self.list('}', case)?;
        if cases.is_empty() {
            Err("a variant or enum needs a case".to_owned())
        } else {
            Ok(cases)
        }
    }

    /// Comma-separated items up to `end`; a trailing comma is allowed.
    fn list<T>(
        &mut self,
        end: char,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(end) {
            items.push(item(self)?);
            if !self.eat(',') {
                self.token(end)?;
                break;
            }
        }
        Ok(items)
    }

    /// A name, as WIT writes them: `kebab-case`, `%` before a keyword.
    fn name(&mut self, what: &str) -> Parsed<String> {
        let rest = self.rest();
        let escaped = rest.strip_prefix('%').unwrap_or(rest);
        let len = escaped
            .find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(escaped.len());
        // `->` after a name without a space belongs to the arrow.
        let name = escaped[..len].trim_end_matches('-');
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Err(self.expected(what));
        }
        self.at += rest.len() - escaped.len() + name.len();
        Ok(name.to_owned())
    }

    fn keyword(&mut self, word: &str) -> Parsed<()> {
        if !self.rest().starts_with(word) {
            return Err(self.expected(&format!("`{word}(`")));
        }
        self.at += word.len();
        Ok(())
    }

    fn token(&mut self, token: char) -> Parsed<()> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{token}`")))
        }
    }

    fn eat(&mut self, token: char) -> bool {
        let found = self.peek() == Some(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn peek(&mut self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&mut self) -> &'a str {
        self.skip_space();
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
    }

    fn expected(&mut self, what: &str) -> String {
        let at = self.at;
        match self.peek() {
            Some(found) => format!("expected {what} at byte {at}, found `{found}`"),
            None => format!("expected {what} at byte {at}, found the end"),
        }
    }
}
