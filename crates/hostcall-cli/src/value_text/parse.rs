//! Values from text, by a type.

use super::reader::{Parsed, Reader};
use super::{Notation, number};
use hostcall::{Type, Value};

/// Reads a value. A string is what `text` is, and so is a single character:
/// only inside other values they are quoted.
///
/// # Errors
///
/// What was expected, what was found, and where if the value has parts.
pub fn parse(text: &str, ty: &Type, notation: Notation) -> Result<Value, String> {
    let mut chars = text.chars();
    match (ty, chars.next(), chars.next()) {
        (Type::Pointer(ty), ..) => return parse(text, ty, notation),
        (Type::String | Type::CString, ..) => return Ok(Value::String(text.to_owned())),
        (Type::Char, Some(c), None) => return Ok(Value::Char(c)),
        (Type::Char, Some(c), _) if c != '\'' => {
            return Err(Reader::new(text, notation).expected("one character"));
        }
        _ => {}
    }
    let mut reader = Reader::new(text, notation);
    let value = reader.value(ty)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.expected("the end of the value")),
    }
}

/// Depth is bounded: that of types is.
impl Reader<'_> {
    fn value(&mut self, ty: &Type) -> Parsed<Value> {
        match ty {
            Type::Pointer(ty) => self.value(ty),
            Type::String | Type::CString => Ok(Value::String(self.quoted('"', "a quoted string")?)),
            Type::Char => self.char(),
            Type::List(ty) => {
                self.token('[')?;
                Ok(Value::List(self.items(']', |p, _| p.value(ty))?))
            }
            Type::Tuple(types) => self.tuple(types),
            Type::Record(fields) => self.record(fields),
            Type::Enum(cases) => self
                .case(cases.iter().map(|name| (&**name, None)))
                .map(|(index, _)| Value::Enum(index)),
            Type::Variant(cases) => {
                let cases = cases.iter().map(|(name, ty)| (&**name, ty.as_ref()));
                let (index, payload) = self.case(cases)?;
                Ok(Value::Variant(index, payload))
            }
            Type::Option(ty) if matches!(**ty, Type::FuncRef | Type::ExternRef) => {
                match self.name() {
                    "none" => Ok(Value::Option(None)),
                    _ => Err(format!(
                        "expected `none`: no other {ty} can be written down"
                    )),
                }
            }
            Type::Option(ty) => {
                let (_, payload) =
                    self.case([("none", None), ("some", Some(&**ty))].into_iter())?;
                Ok(Value::Option(payload))
            }
            Type::Result(ok, err) => {
                let cases = [("ok", ok.as_deref()), ("err", err.as_deref())];
                let (index, payload) = self.case(cases.into_iter())?;
                Ok(Value::Result(if index == 0 {
                    Ok(payload)
                } else {
                    Err(payload)
                }))
            }
            Type::FuncRef | Type::ExternRef => Err(format!("a {ty} cannot be written down")),
            _ => self.number(ty),
        }
    }

    fn number(&mut self, ty: &Type) -> Parsed<Value> {
        let rest = self.rest();
        let end = |c: char| c.is_whitespace() || ",:()[]{}".contains(c);
        let token = &rest[..rest.find(end).unwrap_or(rest.len())];
        match number::parse(token, ty, self.notation) {
            Some(value) => {
                self.at += token.len();
                Ok(value)
            }
            None => Err(self.expected(&number::expected(ty, self.notation))),
        }
    }

    fn char(&mut self) -> Parsed<Value> {
        let start = self.at;
        let text = self.quoted('\'', "a quoted character")?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Value::Char(c)),
            _ => {
                self.at = start;
                Err(self.expected("one character"))
            }
        }
    }

    fn tuple(&mut self, types: &[Type]) -> Parsed<Value> {
        self.token('(')?;
        let values = self.items(')', |p, i| match types.get(i) {
            Some(ty) => p.value(ty),
            None => Err(p.expected(&format!("the end of a tuple of {}", types.len()))),
        })?;
        if values.len() == types.len() {
            return Ok(Value::Tuple(values));
        }
        let (expected, found) = (types.len(), values.len());
        Err(format!(
            "expected a tuple of {expected}, found one of {found}"
        ))
    }

    /// Fields in any order; those that are options may be left out.
    fn record(&mut self, fields: &[(String, Type)]) -> Parsed<Value> {
        self.token('{')?;
        let mut values = vec![None; fields.len()];
        self.items('}', |p, _| {
            let start = p.at;
            let name = p.name();
            let Some(index) = fields.iter().position(|field| field.0 == name) else {
                p.at = start;
                return Err(p.expected(&one_of("a field", fields.iter().map(|field| &*field.0))));
            };
            p.token(':')?;
            match values[index].replace(p.value(&fields[index].1)?) {
                Some(_) => Err(format!("field `{name}` is there twice")),
                None => Ok(()),
            }
        })?;
        let values = values
            .into_iter()
            .zip(fields)
            .map(|(value, (name, ty))| match (value, ty) {
                (Some(value), _) => Ok(value),
                (None, Type::Option(_)) => Ok(Value::Option(None)),
                (None, _) => Err(format!("field `{name}: {ty}` is missing")),
            });
        Ok(Value::Record(values.collect::<Parsed<_>>()?))
    }

    /// The name of a case, and its payload if it has one.
    fn case<'t>(
        &mut self,
        cases: impl Iterator<Item = (&'t str, Option<&'t Type>)> + Clone,
    ) -> Parsed<(u32, Option<Box<Value>>)> {
        let start = self.at;
        let name = self.name();
        let Some((index, (_, ty))) = cases.clone().enumerate().find(|(_, case)| case.0 == name)
        else {
            self.at = start;
            let written = cases.map(|(name, ty)| match ty {
                Some(_) => format!("{name}(..)"),
                None => name.to_owned(),
            });
            return Err(self.expected(&one_of("", written)));
        };
        let Some(ty) = ty else {
            return Ok((index as u32, None));
        };
        self.token('(')?;
        let value = self.value(ty)?;
        self.token(')')?;
        Ok((index as u32, Some(Box::new(value))))
    }
}

fn one_of(what: &str, names: impl Iterator<Item = impl AsRef<str>>) -> String {
    let names: Vec<_> = names.map(|name| format!("`{}`", name.as_ref())).collect();
    let names = names.join(", ");
    match what {
        "" => format!("one of {names}"),
        _ => format!("{what} (one of {names})"),
    }
}
