//! What one instance may use.

use wasmtime::{StoreLimits, StoreLimitsBuilder};

/// Limits of one instance; set them with [`Host::limits`](crate::Host::limits).
///
/// A guest that asks for more memory or table space gets what Wasm gives when
/// there is none: `memory.grow` returns -1. An instance whose initial memory
/// is larger is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes in each unshared memory, and in the heap of references, if the guest is
    /// given any.
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

    pub(crate) fn limiter(&self) -> StoreLimits {
        let mut builder = StoreLimitsBuilder::new();
        if let Some(bytes) = self.memory {
            builder = builder.memory_size(bytes);
        }
        if let Some(elements) = self.table {
            builder = builder.table_elements(elements);
        }
        builder.build()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::NONE
    }
}
