//! Which code of a linked module came from host functions: what a trap there
//! means, and how the guest's functions were numbered before.

use crate::error::{Crossed, Site, cross};
use hostcall_link::inline::native::BodyTrap;
use hostcall_link::{InlinedRange, TrapSite};
use std::sync::Arc;
use wasmtime::{FrameInfo, Module, Trap, WasmBacktrace};

/// The inlined code of a program.
#[derive(Debug, Default)]
pub(crate) struct InlinedCode {
    /// The linked module, once it is compiled: others may run in its store.
    pub module: Option<Module>,
    /// Sorted; `root` is an index into `sites`.
    pub ranges: Vec<InlinedRange>,
    /// Sorted by offset.
    pub traps: Vec<TrapSite>,
    /// The host functions whose bodies these are.
    pub sites: Vec<Arc<Site>>,
    /// Functions that the guest imports, before and after linking.
    pub imported: [u32; 2],
    /// Functions that the guest defines.
    pub defined: u32,
}

/// Bytes of `if` without a result. Cranelift makes one conditional trap of
/// `if unreachable end`, and places it at the `if`.
const IF: u32 = 2;

impl InlinedCode {
    /// Gives a trap inside a body the look of the same error of a host
    /// function that was called.
    #[cold]
    pub fn explain(&self, error: wasmtime::Error) -> wasmtime::Error {
        match self.site(&error) {
            Some((site, Some(message))) => cross(BodyTrap::new(message).into(), site),
            Some((site, None)) => {
                let site = site.clone();
                let message = error.root_cause().to_string();
                error.context(Crossed {
                    site,
                    message,
                    deferred: None,
                })
            }
            None => error,
        }
    }

    /// The host function that trapped, and what that means.
    fn site(&self, error: &wasmtime::Error) -> Option<(&Arc<Site>, Option<&'static str>)> {
        let trap = *error.downcast_ref::<Trap>()?;
        // Others stop a guest wherever it is.
        let own = matches!(
            trap,
            Trap::UnreachableCodeReached
                | Trap::IntegerDivisionByZero
                | Trap::IntegerOverflow
                | Trap::BadConversionToInteger
                | Trap::MemoryOutOfBounds
                | Trap::HeapMisaligned
        );
        let frame = error.downcast_ref::<WasmBacktrace>()?.frames().first()?;
        if !self.is_own(frame) {
            return None;
        }
        let offset = u32::try_from(frame.module_offset()?).ok()?;
        let range = self.ranges.partition_point(|range| range.end <= offset);
        let range = self
            .ranges
            .get(range)
            .filter(|range| range.start <= offset)?;
        let site = self.sites.get(range.root as usize).filter(|_| own)?;
        Some((site, self.message(trap, offset)))
    }

    fn is_own(&self, frame: &FrameInfo) -> bool {
        let module = self.module.as_ref();
        module.is_some_and(|module| Module::same(module, frame.module()))
    }

    fn message(&self, trap: Trap, offset: u32) -> Option<&'static str> {
        let found = self.traps.partition_point(|trap| trap.offset < offset);
        let found = self.traps.get(found)?;
        let distance = found.offset - offset;
        let message = match (distance, trap) {
            (0, _) | (IF, Trap::UnreachableCodeReached) => found.message,
            _ => return None,
        };
        // Division traps for two reasons, of which the note tells the other.
        Some(match trap {
            Trap::IntegerOverflow => hostcall_link::inline::messages::DIV,
            _ => message,
        })
    }

    /// The index that a function has in the guest; `None` for what linking
    /// has added.
    pub fn original(&self, frame: &FrameInfo) -> Option<u32> {
        if !self.is_own(frame) {
            return Some(frame.func_index());
        }
        let [before, after] = self.imported;
        let position = frame.func_index().checked_sub(after)?;
        (position < self.defined).then(|| before + position)
    }
}
