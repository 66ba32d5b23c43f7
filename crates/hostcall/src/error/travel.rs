//! How errors travel through a guest: what host functions raise, and what is
//! added when it leaves them.

use super::display::Headline;
use super::{Error, ErrorKind, Inner, Place, Site};
use crate::deferred::DeferredFailure;
use crate::fault::Fault;
use crate::ty::Signature;
use std::fmt;
use std::sync::Arc;

/// A fault on its way out of a host function.
#[derive(Debug)]
pub(crate) struct Bad {
    pub place: Place,
    pub fault: Box<Fault>,
}

impl Bad {
    pub fn argument(index: u32, fault: Box<Fault>) -> Bad {
        if index == u32::MAX {
            return Bad {
                place: Place::Address,
                fault,
            };
        }
        Bad {
            place: Place::Argument(index),
            fault,
        }
    }

    pub fn result(fault: Box<Fault>) -> Bad {
        Bad {
            place: Place::Result,
            fault,
        }
    }

    #[cold]
    pub fn at(place: Place, fault: Box<Fault>) -> wasmtime::Error {
        wasmtime::Error::new(Bad { place, fault })
    }

    fn named(mut self, signature: &Signature) -> Bad {
        let named = match self.place {
            Place::Argument(index) => {
                let param = signature.params.get(index as usize);
                param.map(|(name, ty)| format!("{name}: {ty}"))
            }
            Place::Out(index) => signature.outs().nth(index),
            _ => None,
        };
        if let Some(named) = named {
            self.place = Place::Named(named);
        }
        self
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Named(name) => write!(f, "argument `{name}`: {}", self.fault),
            Place::Argument(index) => write!(f, "argument {index}: {}", self.fault),
            Place::Out(index) => write!(f, "out-pointer {index}: {}", self.fault),
            Place::Record => write!(f, "record: {}", self.fault),
            Place::Result | Place::Returned => write!(f, "result: {}", self.fault),
            Place::Address => write!(f, "{}", self.fault),
            Place::Passed => write!(f, "arguments: {}", self.fault),
        }
    }
}

impl std::error::Error for Bad {}

impl From<Bad> for Error {
    fn from(bad: Bad) -> Error {
        let mut error = Error::of(match *bad.fault {
            Fault::Limit(limit) => ErrorKind::Limit(limit),
            fault => ErrorKind::Fault(fault),
        });
        error.0.place = Some(bad.place);
        error
    }
}

/// A panic on its way out of a host function.
#[derive(Debug)]
pub(crate) struct Panicked(pub(super) String);

impl Panicked {
    pub fn new(payload: &(dyn std::any::Any + Send)) -> Panicked {
        let message = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        Panicked(message.unwrap_or("a panic without a message").to_owned())
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}

/// Context of an error that left a host function: which one it was.
#[derive(Debug)]
pub(crate) struct Crossed {
    pub site: Arc<Site>,
    /// What the error says that the host function returned.
    pub message: String,
    /// Set if its calls are deferred, when the failure becomes known.
    pub deferred: Option<Box<DeferredFailure>>,
}

impl fmt::Display for Crossed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.site)
    }
}

/// Marks `error` as coming out of `site`. The first site is kept: it is where
/// the error arose.
#[cold]
#[inline(never)]
pub(crate) fn cross(error: wasmtime::Error, site: &Arc<Site>) -> wasmtime::Error {
    if error.downcast_ref::<Crossed>().is_some() {
        return error;
    }
    let error = match error.downcast::<Error>() {
        // A fault that a `Guest` method met in this very call.
        Ok(Error(inner)) if inner.site.is_none() && inner.export.is_none() => match *inner {
            Inner {
                kind: ErrorKind::Fault(fault),
                place,
                ..
            } => wasmtime::Error::new(Bad {
                place: place.unwrap_or(Place::Result),
                fault: Box::new(fault),
            }),
            inner => wasmtime::Error::new(Error(Box::new(inner))),
        },
        Ok(error) => wasmtime::Error::new(error),
        Err(error) => error,
    };
    let error = match error.downcast::<Bad>() {
        Ok(bad) => wasmtime::Error::new(bad.named(&site.signature)),
        Err(error) => error,
    };
    let (site, message) = (site.clone(), message(&error, 0));
    error.context(Crossed {
        site,
        message,
        deferred: None,
    })
}

/// The message of `error` and its sources, after some contexts. An error of
/// ours tells its sources itself; one that has come through many guests would
/// tell them all, so the middle of what is too long is left out.
pub(super) fn message(error: &wasmtime::Error, contexts: usize) -> String {
    const LONGEST: usize = 2000;
    const CUT: &str = " [...] ";
    let mut text = String::new();
    for error in error.chain().skip(contexts) {
        let separator = if text.is_empty() { "" } else { ": " };
        let ours = error.downcast_ref::<Error>();
        let message = ours.map_or_else(|| error.to_string(), |error| Headline(error).to_string());
        text.push_str(separator);
        text.push_str(&message);
        if ours.is_some() {
            break;
        }
    }
    if text.len() > LONGEST {
        let head = text.floor_char_boundary(LONGEST / 2);
        let tail = text.ceil_char_boundary(text.len() - LONGEST / 2 + CUT.len());
        text.replace_range(head..tail, CUT);
    }
    text
}
