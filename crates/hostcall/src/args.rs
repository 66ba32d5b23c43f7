//! Lifting: the arguments of one call, read in order.

#![expect(unsafe_code, reason = "reads the raw values that Wasmtime passes")]

use crate::error::Bad;
use crate::fault::{Fault, Lifted};
use crate::guest_type::Lift;
use crate::limits::Transfer;
use crate::memory::{Borrows, Source, View};
use crate::reference::Reference;
use std::mem::MaybeUninit;
use wasmtime::ValRaw;

/// Bytes that one call may copy out of the guest into strings and lists of the
/// host. A guest can nest lists that share memory, so its own size is no bound.
const MAX_COPIED: u64 = 128 << 20;

/// The core values of one call and the guest memory they point into.
pub struct Args<'a> {
    slots: &'a [MaybeUninit<ValRaw>],
    next: usize,
    /// Position of the argument being lifted, for error messages.
    argument: u32,
    /// Whether pointers are 64 bits wide.
    pub(crate) wide: bool,
    pub(crate) view: View<'a, 'a>,
    /// References among the slots, taken out before memory was borrowed.
    references: &'a [(usize, Reference)],
    copied: u64,
    /// Counts what is lifted, if that is limited.
    transfer: Option<&'a Transfer>,
}

impl<'a> Args<'a> {
    /// # Safety
    ///
    /// The first `flat` of `slots`, where `flat` is the number of core values
    /// that will be lifted, must be initialised.
    #[inline(always)]
    pub(crate) unsafe fn new(
        slots: &'a [MaybeUninit<ValRaw>],
        wide: bool,
        source: Source<'a>,
        borrows: Option<&'a mut Borrows>,
        references: &'a [(usize, Reference)],
    ) -> Args<'a> {
        Args {
            slots,
            next: 0,
            argument: 0,
            wide,
            view: View::new(source, borrows),
            references,
            copied: 0,
            transfer: None,
        }
    }

    /// The same, and what is lifted is counted.
    #[inline(always)]
    pub(crate) fn counted(self, transfer: Option<&'a Transfer>) -> Args<'a> {
        Args { transfer, ..self }
    }

    /// Counts bytes of the guest that were lifted.
    #[inline(always)]
    pub(crate) fn lifted(&self, bytes: u64) -> Lifted<()> {
        match self.transfer {
            None => Ok(()),
            Some(transfer) => transfer.lift(bytes),
        }
    }

    /// Lifts the next argument.
    #[doc(hidden)]
    #[inline(always)]
    pub fn arg<T: Lift>(&mut self) -> wasmtime::Result<T::Value<'a>> {
        match T::lift(self) {
            Ok(value) => {
                self.argument += 1;
                Ok(value)
            }
            Err(fault) => Err(refused(self.argument, fault)),
        }
    }

    /// The same for the dynamic path.
    pub(crate) fn arg_with<R>(
        &mut self,
        lift: impl FnOnce(&mut Self) -> Lifted<R>,
    ) -> wasmtime::Result<R> {
        let value = lift(self).map_err(|fault| refused(self.argument, fault))?;
        self.argument += 1;
        Ok(value)
    }

    /// The position of the argument being lifted.
    pub(crate) fn argument(&self) -> u32 {
        self.argument
    }

    #[inline(always)]
    fn slot(&mut self) -> ValRaw {
        let Some(slot) = self.slots.get(self.next) else {
            out_of_slots()
        };
        self.next += 1;
        // SAFETY: `new` was promised that every slot which is lifted has been
        // initialised, and the types that are lifted are the ones whose core
        // types the function was linked under. A slot shared by cases of a
        // variant is at least as wide as what is read from it, and narrower
        // values are zero-extended in it.
        unsafe { slot.assume_init() }
    }

    #[inline(always)]
    #[doc(hidden)]
    pub fn u32(&mut self) -> u32 {
        self.slot().get_u32()
    }

    #[inline(always)]
    pub(crate) fn u64(&mut self) -> u64 {
        self.slot().get_u64()
    }

    #[inline(always)]
    pub(crate) fn f32(&mut self) -> f32 {
        f32::from_bits(self.slot().get_f32())
    }

    #[inline(always)]
    pub(crate) fn f64(&mut self) -> f64 {
        f64::from_bits(self.slot().get_f64())
    }

    pub(crate) fn v128(&mut self) -> u128 {
        self.slot().get_v128()
    }

    /// A pointer or length.
    #[inline(always)]
    pub(crate) fn word(&mut self) -> u64 {
        if self.wide {
            self.u64()
        } else {
            u64::from(self.u32())
        }
    }

    /// A pointer and a length.
    #[inline(always)]
    pub(crate) fn pair(&mut self) -> (u64, u64) {
        (self.word(), self.word())
    }

    /// The reference in the next slot; `None` if it is null.
    pub(crate) fn reference(&mut self) -> Option<&'a Reference> {
        let at = self.next;
        self.next += 1;
        self.references
            .iter()
            .find(|(slot, _)| *slot == at)
            .map(|(_, reference)| reference)
    }

    /// Whether the next slot holds a null reference.
    pub(crate) fn is_null(&self) -> bool {
        !self.references.iter().any(|(slot, _)| *slot == self.next)
    }

    #[inline(always)]
    pub(crate) fn skip(&mut self, slots: usize) {
        self.next += slots;
    }

    /// Index into [`Layouts`](crate::layout::Layouts).
    #[inline(always)]
    #[doc(hidden)]
    pub fn width(&self) -> usize {
        usize::from(self.wide)
    }

    /// Reads `N` bytes at `pointer`.
    #[inline(always)]
    pub(crate) fn load<const N: usize>(&mut self, pointer: u64) -> Lifted<[u8; N]> {
        let bytes = self.view.peek(pointer, N as u64)?;
        Ok(bytes
            .try_into()
            .expect("the view gives as many bytes as asked for"))
    }

    /// Reads a pointer or length at `pointer`.
    #[inline(always)]
    pub(crate) fn load_word(&mut self, pointer: u64) -> Lifted<u64> {
        if self.wide {
            Ok(u64::from_le_bytes(self.load(pointer)?))
        } else {
            Ok(u64::from(u32::from_le_bytes(self.load(pointer)?)))
        }
    }

    /// Reads the pointer and length of a string or list at `pointer`.
    pub(crate) fn load_pair(&mut self, pointer: u64) -> Lifted<(u64, u64)> {
        let first = self.load_word(pointer)?;
        let second = pointer.checked_add(if self.wide { 8 } else { 4 });
        // No overflow: the first word was inside memory.
        Ok((first, self.load_word(second.unwrap_or(u64::MAX))?))
    }

    /// Checks the extent of a list whose elements have `stride` bytes in the
    /// guest and `host` bytes in the host, before anything is allocated.
    pub(crate) fn list(
        &mut self,
        pointer: u64,
        count: u64,
        stride: usize,
        host: usize,
    ) -> Lifted<usize> {
        // Elements without a size count as a byte: a length is never free.
        let length = count.saturating_mul(stride.max(1) as u64);
        self.view.peek(pointer, length)?;
        self.lifted(length)?;
        self.charge(count.saturating_mul(host.max(1) as u64))?;
        Ok(count as usize)
    }

    /// Counts the bytes at `pointer`, if they are in memory at all.
    pub(crate) fn charge_at(&mut self, pointer: u64, length: u64) -> Lifted<()> {
        self.view.peek(pointer, length)?;
        self.charge(length)
    }

    /// Counts bytes that are about to be copied to the host.
    pub(crate) fn charge(&mut self, bytes: u64) -> Lifted<()> {
        self.copied = self.copied.saturating_add(bytes);
        if self.copied > MAX_COPIED {
            return Err(Box::new(Fault::TooLarge { limit: MAX_COPIED }));
        }
        Ok(())
    }
}

#[cold]
#[inline(never)]
fn refused(argument: u32, fault: Box<Fault>) -> wasmtime::Error {
    wasmtime::Error::new(Bad::argument(argument, fault))
}

/// Ends the process: types and slots of a call disagree, which is a bug of
/// this crate. Not a panic, so that a call that cannot fail otherwise needs no
/// code for failures.
#[cold]
#[inline(never)]
pub(crate) extern "C" fn out_of_slots() -> ! {
    panic!("a call reads or writes more core values than its type has")
}
