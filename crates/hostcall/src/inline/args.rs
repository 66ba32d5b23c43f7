//! The arguments of the native form of an inlined function.

use super::page::{HostState, Page};
use crate::args::Args;
use crate::error::Error;
use crate::fault::Fault;
use crate::guest_type::Lift;
use crate::memory::Source;
use crate::results::unusable;
use hostcall_link::inline::native::Memory;

/// What a call of the native form gets: scalars, the guest's memory, and
/// structs of the host page.
pub struct InlineArgs<'a> {
    pub(crate) args: Args<'a>,
    pub(crate) source: Option<Source<'a>>,
    pub(crate) page: Option<Page<'a>>,
}

impl<'a> InlineArgs<'a> {
    /// Lifts the next argument.
    #[doc(hidden)]
    #[inline(always)]
    pub fn arg<T: Lift>(&mut self) -> wasmtime::Result<T::Value<'a>> {
        self.args.arg::<T>()
    }

    /// The guest's memory, once.
    #[doc(hidden)]
    pub fn memory(&mut self) -> wasmtime::Result<Memory<'a>> {
        match self.source.take() {
            Some(Source::Bytes(bytes)) => Ok(Memory::new(bytes)),
            Some(Source::Shared) => Err(unusable(Box::new(Fault::SharedMemory))),
            Some(Source::Absent) | None => Err(unusable(Box::new(Fault::NoMemory))),
        }
    }

    /// The struct of a type in the host page, once.
    #[doc(hidden)]
    pub fn state<S: HostState>(&mut self) -> wasmtime::Result<&'a mut S> {
        let state = self.page.as_mut().and_then(Page::take::<S>);
        // The page has what the function was registered with, and macros take
        // each type once. A plain Wasmtime linker refuses such functions.
        state.ok_or_else(|| Error::msg("the host page has no such struct to give").into())
    }
}
