//! The error type of the crate, and how errors travel through a guest.

use crate::deferred::DeferredFailure;
use crate::fault::Fault;
use crate::inline::InlinedCode;
use crate::limits::LimitExceeded;
use crate::reentry::Reentrancy;
use crate::ty::Signature;
use hostcall_link::{LinkError, ParseError, ProviderError};
use std::fmt;
use std::sync::Arc;
use wasmtime::{Trap, WasmBacktrace};

mod display;
mod travel;

use travel::message;
pub(crate) use travel::{Bad, Crossed, Panicked, cross};

/// Why something did not work.
///
/// `Display` is one readable paragraph: what failed, on which value, and where
/// the guest was. An error that a host function returned keeps its type, see
/// [`Error::downcast_ref`].
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    /// The host function that failed.
    site: Option<Arc<Site>>,
    place: Option<Place>,
    export: Option<String>,
    /// The element of a map or fold.
    index: Option<usize>,
    backtrace: Vec<Frame>,
    /// What the guest asked for in vain before it trapped.
    denied: Option<LimitExceeded>,
    source: Option<wasmtime::Error>,
}

/// What stands for the name of the export when an instance is made.
pub(crate) const INSTANTIATION: &str = "(start)";

/// What kind of error an [`Error`] is.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The guest was given as text that does not assemble.
    Text(String),
    /// The bytes are not a core Wasm module.
    Parse(ParseError),
    /// The guest's imports and the host's functions do not fit. Nothing was
    /// compiled.
    Link(LinkError),
    /// A module cannot provide host functions; see
    /// [`Host::provide`](crate::Host::provide).
    Provider(ProviderError),
    /// The Wasm form of a host function could not be built.
    Body(String),
    /// Wasmtime refused the module, or could not instantiate it.
    Wasmtime,
    /// A program file is damaged, or not one that this version of hostcall and
    /// this machine can run.
    ProgramFile(String),
    /// The text is not a signature or type.
    Signature(String),
    /// The guest has no such export, or one of another type.
    Export(String),
    /// A value given by the host does not fit the type it is passed as.
    Value(String),
    /// The guest passed something invalid to the host.
    Fault(Fault),
    /// A host function returned this error; see [`Error::downcast_ref`].
    Host,
    /// A host function panicked with this message.
    Panic(String),
    /// The guest trapped.
    Trap(Trap),
    /// The guest exited by WASI's `proc_exit` with this status.
    Exit(i32),
    /// A call ran into one of the [`Limits`](crate::Limits).
    Limit(LimitExceeded),
    /// The instance should not be used: an earlier call was stopped amid the
    /// guest's code. See [`Instance::clear_poison`](crate::Instance::clear_poison).
    Poisoned(String),
    /// The engine cannot do what the limits of the host need.
    Engine(String),
    /// A guest that imports async host functions was called where it cannot be
    /// suspended.
    Async(String),
    /// A host function called its guest back, which it may not, or not as deep; or
    /// waiting for a [`Shared`](crate::Shared) instance would be for itself.
    Reentrancy(Reentrancy),
    /// A message made by [`Error::msg`].
    Message(String),
}

/// The host function that a guest called.
#[derive(Debug)]
pub(crate) struct Site {
    pub module: String,
    pub name: String,
    pub signature: Signature,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "host function `{}.{}`",
            self.module.escape_debug(),
            self.name.escape_debug()
        )
    }
}

/// Which value of a call a fault is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Parameter by position.
    Argument(u32),
    /// The same, found in the signature: `text: string`.
    Named(String),
    /// An out-pointer by position.
    Out(usize),
    /// The parameters together, which are a record.
    Record,
    /// What a host function returns.
    Result,
    /// An address that the host chose.
    Address,
    /// What the host passes to an export.
    Passed,
    /// What an export returned.
    Returned,
}

/// One guest function that was active when a call failed, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Name of the function, if the guest has names.
    pub function: Option<String>,
    /// Index of the function in the guest.
    pub index: u32,
    /// Source file, if the guest has debug information.
    pub file: Option<String>,
    /// Line in `file`, from 1.
    pub line: Option<u32>,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.function {
            // A guest chooses its names.
            Some(name) => write!(f, "{}", name.escape_debug())?,
            None => write!(f, "function {}", self.index)?,
        }
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " ({}:{line})", file.escape_debug()),
            _ => Ok(()),
        }
    }
}

impl Error {
    /// An error with a message and nothing else, for host functions that have
    /// no error type of their own.
    pub fn msg(message: impl fmt::Display) -> Error {
        Error::of(ErrorKind::Message(message.to_string()))
    }

    /// What kind of error this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Module and name of the host function that failed, if one did.
    pub fn import(&self) -> Option<(&str, &str)> {
        self.0
            .site
            .as_ref()
            .map(|site| (site.module.as_str(), site.name.as_str()))
    }

    /// Name of the export that the host called.
    pub fn export(&self) -> Option<&str> {
        self.0.export.as_deref()
    }

    /// Which deferred call failed and what came after it, if the host function
    /// that failed is a deferred one.
    pub fn deferred(&self) -> Option<&DeferredFailure> {
        let source = self.0.source.as_ref()?;
        match source.downcast_ref::<Crossed>() {
            Some(Crossed {
                deferred: Some(deferred),
                ..
            }) => Some(deferred),
            _ => source.downcast_ref::<Error>()?.deferred(),
        }
    }

    /// The position of the element that failed, if an export was mapped or
    /// folded over many.
    pub fn index(&self) -> Option<usize> {
        self.0.index
    }

    /// What the guest passed that was invalid, if that is what happened.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.0.kind {
            ErrorKind::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// The limit that was reached, if one was. If the guest trapped, that is the
    /// limit for which its memory or table had not grown before.
    pub fn limit(&self) -> Option<&LimitExceeded> {
        match &self.0.kind {
            ErrorKind::Limit(limit) => Some(limit),
            _ => self.0.denied.as_ref(),
        }
    }

    /// The chain of calls that would have come back to itself, if that was refused.
    pub fn reentrancy(&self) -> Option<&Reentrancy> {
        match &self.0.kind {
            ErrorKind::Reentrancy(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The argument that was invalid, as `name: type`.
    pub fn argument(&self) -> Option<&str> {
        match &self.0.place {
            Some(Place::Named(name)) => Some(name),
            _ => None,
        }
    }

    /// Why the guest trapped, if it did.
    pub fn trap(&self) -> Option<Trap> {
        match self.0.kind {
            ErrorKind::Trap(trap) => Some(trap),
            // The guest may trap while a host function allocates in it.
            _ => self.0.source.as_ref()?.downcast_ref::<Trap>().copied(),
        }
    }

    /// The guest functions that were active, innermost first.
    pub fn backtrace(&self) -> &[Frame] {
        &self.0.backtrace
    }

    /// The error of type `E` that a host function returned, however many
    /// guests and host functions it has come through.
    pub fn downcast_ref<E>(&self) -> Option<&E>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let source = self.0.source.as_ref()?;
        source
            .downcast_ref::<E>()
            .or_else(|| source.downcast_ref::<Error>()?.downcast_ref())
    }

    pub(crate) fn of(kind: ErrorKind) -> Error {
        let inner = Inner {
            kind,
            site: None,
            place: None,
            export: None,
            index: None,
            backtrace: vec![],
            denied: None,
            source: None,
        };
        Error(Box::new(inner))
    }

    pub(crate) fn signature_text(text: &str, message: &str) -> Error {
        let message = format!(
            "`{}` is not a signature or type: {message}",
            text.escape_debug()
        );
        Error::of(ErrorKind::Signature(message))
    }

    /// Why a body could not be built or linked.
    pub(crate) fn body(error: impl fmt::Display) -> Error {
        Error::of(ErrorKind::Body(error.to_string()))
    }

    pub(crate) fn wasmtime(source: wasmtime::Error) -> Error {
        Error::of(ErrorKind::Wasmtime).with_source(source)
    }

    pub(crate) fn at_index(mut self, index: usize) -> Error {
        self.0.index = Some(index);
        self
    }

    fn with_source(mut self, source: wasmtime::Error) -> Error {
        self.0.source = Some(source);
        self
    }

    /// What came out of a call of `export`.
    #[cold]
    pub(crate) fn from_call(
        error: wasmtime::Error,
        export: &str,
        code: Option<&InlinedCode>,
    ) -> Error {
        let backtrace = backtrace(&error, code);
        let error = match code {
            Some(code) => code.explain(error),
            None => error,
        };
        let inner = Inner {
            kind: ErrorKind::Host,
            site: error
                .downcast_ref::<Crossed>()
                .map(|crossed| crossed.site.clone()),
            place: None,
            export: Some(export.to_owned()),
            index: None,
            backtrace,
            denied: None,
            source: None,
        };
        Error(Box::new(inner)).classify(error)
    }

    /// The same failure, of which a limit is the reason, whatever came of it.
    pub(crate) fn limited(mut self, limit: LimitExceeded) -> Error {
        if !matches!(self.0.kind, ErrorKind::Limit(_)) && self.deferred().is_none() {
            self.0.kind = ErrorKind::Limit(limit);
        }
        self
    }

    /// The error for a call of `export` that nothing else has failed.
    pub(crate) fn limit_of(export: &str, limit: LimitExceeded) -> Error {
        let mut error = Error::of(ErrorKind::Limit(limit));
        error.0.export = Some(export.to_owned());
        error
    }

    /// Tells what was denied before, if the guest trapped.
    pub(crate) fn after(mut self, denied: Option<LimitExceeded>) -> Error {
        if matches!(self.0.kind, ErrorKind::Trap(_)) {
            self.0.denied = denied;
        }
        self
    }

    fn classify(mut self, error: wasmtime::Error) -> Error {
        let inner = &mut self.0;
        if let Some(bad) = error.downcast_ref::<Bad>() {
            inner.kind = match &*bad.fault {
                Fault::Limit(limit) => ErrorKind::Limit(*limit),
                fault => ErrorKind::Fault(fault.clone()),
            };
            inner.place = Some(bad.place.clone());
        } else if let Some(Panicked(message)) = error.downcast_ref() {
            inner.kind = ErrorKind::Panic(message.clone());
        } else if let Some(limit) = error.downcast_ref::<LimitExceeded>() {
            inner.kind = ErrorKind::Limit(*limit);
        } else if let Some(refusal) = error.downcast_ref::<Error>().and_then(Error::reentrancy) {
            let mut refusal = refusal.clone();
            let export = inner.export.as_deref().unwrap_or_default();
            refusal.passed(export, inner.site.as_deref());
            inner.kind = ErrorKind::Reentrancy(refusal);
        } else if let Some(status) = exit_status(&error) {
            inner.kind = ErrorKind::Exit(status);
        } else if inner.site.is_none() {
            inner.kind = match error.downcast_ref::<Trap>() {
                Some(trap) => ErrorKind::Trap(*trap),
                None => ErrorKind::Wasmtime,
            };
        }
        self.with_source(error)
    }

    /// The message of the error that a host function or Wasmtime gave.
    fn cause(&self) -> String {
        let Some(source) = &self.0.source else {
            return String::new();
        };
        match source.downcast_ref::<Crossed>() {
            Some(crossed) => crossed.message.clone(),
            None => message(source, self.contexts()),
        }
    }

    /// How many contexts stand before that error.
    fn contexts(&self) -> usize {
        let source = self.0.source.as_ref();
        source.map_or(0, |error| {
            usize::from(error.downcast_ref::<Crossed>().is_some())
                + usize::from(error.downcast_ref::<WasmBacktrace>().is_some())
        })
    }
}

#[cfg(feature = "wasi")]
fn exit_status(error: &wasmtime::Error) -> Option<i32> {
    error
        .downcast_ref::<wasmtime_wasi::I32Exit>()
        .map(|exit| exit.0)
}

#[cfg(not(feature = "wasi"))]
fn exit_status(_: &wasmtime::Error) -> Option<i32> {
    None
}

/// Where the guest was: of an error that has come through several guests,
/// where it arose, for that includes the others; of a deferred call, where the
/// guest was stopped, if that had happened when the call was delivered.
fn backtrace(error: &wasmtime::Error, code: Option<&InlinedCode>) -> Vec<Frame> {
    let crossed = error.downcast_ref::<Crossed>();
    let deferred = crossed.and_then(|crossed| crossed.deferred.as_ref());
    if let Some(stopped) = deferred.and_then(|deferred| deferred.stopped_by.as_ref()) {
        return stopped.0.backtrace.clone();
    }
    match error.downcast_ref::<Error>() {
        Some(inner) if !inner.0.backtrace.is_empty() => inner.0.backtrace.clone(),
        _ => error
            .downcast_ref()
            .map_or_else(Vec::new, |backtrace| frames(backtrace, code)),
    }
}

/// The guest's own functions, as they were numbered before linking.
fn frames(backtrace: &WasmBacktrace, code: Option<&InlinedCode>) -> Vec<Frame> {
    let frames = backtrace.frames().iter();
    frames
        .filter_map(|frame| {
            let symbol = frame.symbols().first();
            Some(Frame {
                function: frame.func_name().map(str::to_owned),
                index: match code {
                    Some(code) => code.original(frame)?,
                    None => frame.func_index(),
                },
                file: symbol.and_then(|symbol| symbol.file()).map(str::to_owned),
                line: symbol.and_then(|symbol| symbol.line()),
            })
        })
        .collect()
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            self.0.fmt(f)
        } else {
            write!(f, "{self}")
        }
    }
}

impl std::error::Error for Error {
    /// The error that a host function returned. Its message is part of this
    /// error's own already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Parse(error) => Some(error),
            ErrorKind::Link(error) => Some(error),
            ErrorKind::Provider(error) => Some(error),
            ErrorKind::Fault(fault) => Some(fault),
            ErrorKind::Reentrancy(refusal) => Some(refusal),
            ErrorKind::Host => self.0.source.as_ref()?.chain().nth(self.contexts()),
            _ => None,
        }
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Error {
        Error::of(ErrorKind::Parse(error))
    }
}

/// What failed, without where the guest was.
pub(crate) fn headline(error: &Error) -> String {
    display::Headline(error).to_string()
}

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Error {
        Error::of(ErrorKind::Provider(error))
    }
}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Error {
        Error::of(ErrorKind::Link(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
