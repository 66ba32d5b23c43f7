//! Memory and tables: what Wasmtime asks before they grow.

use super::{LimitExceeded, LimitKind, Limits};
use wasmtime::ResourceLimiter;

/// The limits of memory and tables as a store asks for them.
#[derive(Default)]
pub(crate) struct Limiter {
    memory: Option<usize>,
    table: Option<usize>,
    /// Bytes of the host page, until it is made. If a memory of the guest has
    /// the same limits and takes its place, the page is limited instead.
    pub page: Option<usize>,
    /// What was last refused in the call that is being made.
    pub denied: Option<LimitExceeded>,
}

impl Limiter {
    /// Other limits, for what grows from now on.
    pub fn set(&mut self, limits: &Limits) {
        (self.memory, self.table) = (limits.memory, limits.table);
    }

    fn allows(
        &mut self,
        limit: LimitKind,
        allowed: Option<usize>,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        if let Some(allowed) = allowed.filter(|allowed| desired > *allowed) {
            self.denied = Some(LimitExceeded {
                limit,
                allowed: allowed as u64,
                used: desired as u64,
            });
            return false;
        }
        maximum.is_none_or(|maximum| desired <= maximum)
    }
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
        Ok(self.allows(LimitKind::Memory, self.memory, desired, maximum))
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.allows(LimitKind::Table, self.table, desired, maximum))
    }
}
