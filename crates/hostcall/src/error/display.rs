//! What an error says.

use super::{Error, ErrorKind, INSTANTIATION, Inner, Place, Site};
use crate::fault::Fault;
use std::fmt;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Headline(self).fmt(f)?;
        if let Some(denied) = &self.0.denied {
            write!(f, "; before that, growth was denied: {denied}")?;
        }
        if let Some(deferred) = self.deferred() {
            write!(f, "; {deferred}")?;
        }
        write_trail(f, &self.0)
    }
}

/// What failed, and on which value, but not where the guest was.
pub(super) struct Headline<'a>(pub &'a Error);

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0.0;
        match (&inner.kind, &inner.site) {
            (ErrorKind::Parse(error), _) => write!(f, "{error}"),
            (ErrorKind::Link(error), _) => write!(f, "{error}"),
            (ErrorKind::Provider(error), _) => write!(f, "{error}"),
            (ErrorKind::Limit(limit), Some(site)) => write!(f, "{limit}, in {site}"),
            (ErrorKind::Limit(limit), None) => write!(f, "{limit}"),
            (ErrorKind::Reentrancy(refusal), _) => write!(f, "{refusal}"),
            (ErrorKind::Wasmtime, _) => f.write_str(&self.0.cause()),
            (
                ErrorKind::Text(message)
                | ErrorKind::ProgramFile(message)
                | ErrorKind::Signature(message)
                | ErrorKind::Body(message)
                | ErrorKind::Export(message)
                | ErrorKind::Value(message)
                | ErrorKind::Async(message)
                | ErrorKind::Poisoned(message)
                | ErrorKind::Engine(message)
                | ErrorKind::Message(message),
                _,
            ) => f.write_str(message),
            (ErrorKind::Exit(status), _) => write!(f, "the guest exited with status {status}"),
            (ErrorKind::Fault(fault), site) => {
                write_fault(f, fault, inner.place.as_ref(), site.as_deref())
            }
            (ErrorKind::Host, Some(site)) => write!(f, "{site} failed: {}", self.0.cause()),
            (ErrorKind::Host, None) => f.write_str(&self.0.cause()),
            (ErrorKind::Panic(message), Some(site)) => write!(f, "{site} panicked: {message}"),
            (ErrorKind::Panic(message), None) => write!(f, "a host function panicked: {message}"),
            (ErrorKind::Trap(trap), _) => {
                write!(
                    f,
                    "the guest trapped: {}",
                    trap.to_string().trim_start_matches("wasm trap: ")
                )
            }
        }
    }
}

fn write_fault(
    f: &mut fmt::Formatter<'_>,
    fault: &Fault,
    place: Option<&Place>,
    site: Option<&Site>,
) -> fmt::Result {
    match site {
        Some(site) => write!(f, "{site} ")?,
        None => f.write_str("the host ")?,
    }
    match place {
        Some(Place::Named(name)) => write!(f, "refused argument `{name}`: {fault}"),
        Some(Place::Argument(index)) => write!(f, "refused argument {index}: {fault}"),
        Some(Place::Out(index)) => write!(f, "refused out-pointer {index}: {fault}"),
        Some(Place::Record) => write!(f, "refused its record: {fault}"),
        Some(Place::Result) | None if site.is_some() => {
            write!(f, "could not return its result: {fault}")
        }
        Some(Place::Address) => write!(f, "could not use the guest: {fault}"),
        Some(Place::Passed) => write!(f, "could not pass its arguments: {fault}"),
        Some(Place::Returned) => write!(f, "refused what the export returned: {fault}"),
        Some(Place::Result) | None => write!(f, "could not use the guest: {fault}"),
    }
}

/// Where the guest was: frames, and the export that the host called.
fn write_trail(f: &mut fmt::Formatter<'_>, inner: &Inner) -> fmt::Result {
    const SHOWN: usize = 8;
    let Some(export) = &inner.export else {
        return Ok(());
    };
    if matches!(inner.kind, ErrorKind::Exit(_)) {
        return Ok(());
    }
    for (i, frame) in inner.backtrace.iter().take(SHOWN).enumerate() {
        write!(
            f,
            "{} {frame}",
            if i == 0 { "; guest backtrace:" } else { " <-" }
        )?;
    }
    if inner.backtrace.len() > SHOWN {
        f.write_str(" <- and more")?;
    }
    // What had stopped the guest before something else failed.
    if export.is_empty() {
        return Ok(());
    }
    if export == INSTANTIATION {
        return f.write_str("; while instantiating");
    }
    write!(f, "; in a call of export `{}`", export.escape_debug())?;
    match inner.index {
        Some(index) => write!(f, " for element {index}"),
        None => Ok(()),
    }
}
