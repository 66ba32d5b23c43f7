//! What one instance may use.

mod deadline;
mod exceeded;

pub use deadline::Deadline;
pub(crate) use exceeded::time_is_over;
pub use exceeded::{LimitExceeded, LimitKind};

use wasmtime::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};

/// Limits of one instance; set them with [`Host::limits`](crate::Host::limits).
///
/// A guest that asks for more memory or table space gets what Wasm gives when
/// there is none: `memory.grow` returns -1. An instance whose initial memory
/// is larger is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in each unshared memory, and in the heap of references, if the guest is
    /// given any. The host page is the host's, and does not count.
    pub memory: Option<usize>,
    /// Elements in each table.
    pub table: Option<usize>,
}

impl Limits {
    /// No limits but those of the engine and the guest's own.
    pub const NONE: Limits = Limits {
        memory: None,
        table: None,
    };

    /// Allows at most `bytes` in each memory.
    pub const fn memory(self, bytes: usize) -> Limits {
        Limits {
            memory: Some(bytes),
            ..self
        }
    }

    /// Allows at most `elements` in each table.
    pub const fn table(self, elements: usize) -> Limits {
        Limits {
            table: Some(elements),
            ..self
        }
    }

    pub(crate) fn limiter(&self) -> Limiter {
        let mut builder = StoreLimitsBuilder::new();
        if let Some(bytes) = self.memory {
            builder = builder.memory_size(bytes);
        }
        if let Some(elements) = self.table {
            builder = builder.table_elements(elements);
        }
        Limiter {
            limits: builder.build(),
            page: None,
        }
    }
}

/// The limits as a store asks for them.
pub(crate) struct Limiter {
    limits: StoreLimits,
    /// Bytes of the host page, until it is made. If a memory of the guest has
    /// the same limits and takes its place, the page is limited instead.
    pub page: Option<usize>,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if current == 0 && self.page == Some(desired) && maximum == self.page {
            self.page = None;
            return Ok(true);
        }
        self.limits.memory_growing(current, desired, maximum)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.memory_grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.limits.table_growing(current, desired, maximum)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        self.limits.table_grow_failed(error)
    }

    fn instances(&self) -> usize {
        self.limits.instances()
    }

    fn tables(&self) -> usize {
        self.limits.tables()
    }

    fn memories(&self) -> usize {
        self.limits.memories()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::NONE
    }
}
