//! The guest handle of async host functions.

#![expect(unsafe_code, reason = "a handle that goes where its guest goes")]

use super::{Guest, GuestReach, Within};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// The guest that called an async host function: a [`Guest`] that may be held
/// while the function waits.
///
/// Calls of the guest that are made through it cannot wait themselves: async host
/// functions that they reach are refused.
pub struct AsyncGuest<'a, T>(Guest<'a, T>);

// SAFETY: `AsyncGuest::new` is called on fibers only, and what runs on a fiber
// reaches a store whose data is `Send`.
unsafe impl<T: Send> Send for AsyncGuest<'_, T> {}

impl<'a, T> AsyncGuest<'a, T> {
    /// # Safety
    ///
    /// The guest must be one that runs on a fiber, or the handle stay where it is.
    pub(crate) unsafe fn new(
        reach: &'a mut dyn GuestReach<T>,
        within: &'a Within,
    ) -> AsyncGuest<'a, T> {
        AsyncGuest(Guest::new(reach, within))
    }
}

impl<'a, T> Deref for AsyncGuest<'a, T> {
    type Target = Guest<'a, T>;

    fn deref(&self) -> &Guest<'a, T> {
        &self.0
    }
}

impl<'a, T> DerefMut for AsyncGuest<'a, T> {
    fn deref_mut(&mut self) -> &mut Guest<'a, T> {
        &mut self.0
    }
}

impl<T> fmt::Debug for AsyncGuest<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncGuest").finish_non_exhaustive()
    }
}
