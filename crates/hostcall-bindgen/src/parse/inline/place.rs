//! Places: what is read and assigned to.

use super::expr::SELF;
use super::reader::{Name, Reader, as_ident, is_self};
use crate::model::{Place, Step, Target};
use crate::parse::plain;

const INDEXED: &str = "only arrays in a host state are indexed: make this a field of a struct with \
     `#[derive(HostState)]`, and take that as `&mut` parameter";

impl Reader<'_> {
    /// A field of a host state. `None` if it is something else, which has been
    /// reported.
    pub fn place(&mut self, expr: &syn::Expr) -> Option<Place> {
        match expr {
            syn::Expr::Paren(inner) => self.place(&inner.expr),
            syn::Expr::Group(inner) => self.place(&inner.expr),
            syn::Expr::Field(field) => {
                let mut place = self.base(&field.base, FIELDS)?;
                place.steps.push(Step::Field(field.member.clone()));
                Some(place)
            }
            syn::Expr::Index(index) => {
                let place = self.base(&index.expr, INDEXED);
                let at = self.expr(&index.index);
                let mut place = place?;
                place
                    .steps
                    .push(Step::Index(Box::new(at), index.bracket_token.span.join()));
                Some(place)
            }
            other => {
                self.error(other, FIELDS);
                None
            }
        }
    }

    /// What a field or an element is taken of.
    fn base(&mut self, expr: &syn::Expr, otherwise: &str) -> Option<Place> {
        if is_self(expr) {
            self.error(expr, SELF);
            return None;
        }
        let Some(ident) = as_ident(expr) else {
            return match expr {
                syn::Expr::Field(_)
                | syn::Expr::Index(_)
                | syn::Expr::Paren(_)
                | syn::Expr::Group(_) => self.place(expr),
                other => {
                    self.error(other, otherwise);
                    None
                }
            };
        };
        if self.name(ident) == Some(Name::State) {
            let root = ident.clone();
            return Some(Place {
                root,
                steps: Vec::new(),
            });
        }
        if self.name(ident) != Some(Name::Refused) {
            self.error(expr, otherwise);
        }
        None
    }

    /// The left side of an assignment.
    pub fn target(&mut self, expr: &syn::Expr) -> Option<Target> {
        let Some(ident) = as_ident(expr) else {
            return match expr {
                syn::Expr::Field(_) | syn::Expr::Index(_) => self.place(expr).map(Target::State),
                syn::Expr::Paren(inner) => self.target(&inner.expr),
                syn::Expr::Tuple(_) => {
                    self.error(expr, "assign to one variable at a time");
                    None
                }
                syn::Expr::Unary(_) => {
                    self.error(expr, "there are no references to follow: remove the `*`");
                    None
                }
                _ => {
                    self.error(
                        expr,
                        "an inline function assigns to its variables, and to fields of a \
                         parameter that has `#[derive(HostState)]`",
                    );
                    None
                }
            };
        };
        let message = match self.name(ident) {
            Some(Name::Local) => return Some(Target::Local(ident.clone())),
            Some(Name::Refused) => return None,
            Some(Name::State) => "assign to its fields, one by one".to_owned(),
            Some(Name::Memory) => {
                format!(
                    "`{}.store(address, value)` writes guest memory",
                    plain(ident)
                )
            }
            None => format!(
                "there is no variable `{}` here, and constants and statics stay as they are: \
                 declare it with `let mut`, or keep it in a struct with `#[derive(HostState)]`",
                plain(ident)
            ),
        };
        self.error(expr, message);
        None
    }
}

const FIELDS: &str = "an inline function has no structs of its own: take one with `#[derive(HostState)]` as \
     `&mut` parameter, and use the fields of that";
