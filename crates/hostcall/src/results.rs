//! Lowering: values of the host, written as core values or into guest memory.

use crate::args::out_of_slots;
use crate::call::{Callable, check_owner};
use crate::error::{Bad, Error, Place};
use crate::fault::Fault;
use crate::handled::misplaced;
use crate::layout::Layouts;
use crate::memory::{self, check, check_align, clash};
use crate::reach::Reach;
use smallvec::SmallVec;
use std::any::Any;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;
use wasmtime::ValRaw;

/// Objects that wait for their slots until nothing is allocated any more, for
/// allocating can run the guest or collect garbage.
type Objects = Vec<(usize, Arc<dyn Any + Send + Sync>)>;

/// Lowers values into slots, or into memory where `outs` points. `references`
/// says whether objects can be among them; otherwise there is nothing to drop,
/// and all stays in registers.
#[inline(always)]
pub(crate) fn lower_into(
    slots: &mut [MaybeUninit<ValRaw>],
    outs: &[u64],
    reach: &mut dyn Reach,
    references: bool,
    lower: impl FnOnce(&mut Results<'_>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    let wide = reach.wide();
    if !references {
        return lower(&mut Results {
            slots,
            outs,
            next: 0,
            wide,
            reach,
            objects: None,
        });
    }
    let mut objects = Objects::new();
    let waiting = Some(&mut objects);
    lower(&mut Results {
        slots: &mut *slots,
        outs,
        next: 0,
        wide,
        reach: &mut *reach,
        objects: waiting,
    })?;
    reach.lower_objects(&objects, slots)
}

/// The core values being written for one call.
pub struct Results<'a> {
    slots: &'a mut [MaybeUninit<ValRaw>],
    /// Where the guest wants the values of an error code, as it says.
    outs: &'a [u64],
    next: usize,
    pub(crate) wide: bool,
    reach: &'a mut dyn Reach,
    /// Where objects wait; `None` where no reference can be.
    objects: Option<&'a mut Objects>,
}

impl<'a> Results<'a> {
    /// Lowers what goes into guest memory, where there are no slots.
    pub(crate) fn in_memory(wide: bool, reach: &'a mut dyn Reach) -> Results<'a> {
        Results {
            slots: &mut [],
            outs: &[],
            next: 0,
            wide,
            reach,
            objects: None,
        }
    }

    #[inline(always)]
    fn push(&mut self, raw: ValRaw) -> wasmtime::Result<()> {
        let Some(slot) = self.slots.get_mut(self.next) else {
            out_of_slots()
        };
        slot.write(raw);
        self.next += 1;
        Ok(())
    }

    /// Writes a core value of up to 64 bits, zero-extended to 64.
    #[inline(always)]
    #[doc(hidden)]
    pub fn bits(&mut self, bits: u64) -> wasmtime::Result<()> {
        self.push(ValRaw::u64(bits))
    }

    pub(crate) fn v128(&mut self, bits: u128) -> wasmtime::Result<()> {
        self.push(ValRaw::v128(bits))
    }

    pub(crate) fn func(&mut self, callable: &Callable) -> wasmtime::Result<()> {
        check_owner(callable, self.reach.owner())?;
        let raw = self.reach.lower_func(&callable.func);
        self.push(raw)
    }

    pub(crate) fn object(&mut self, object: Arc<dyn Any + Send + Sync>) -> wasmtime::Result<()> {
        let at = self.next;
        match &mut self.objects {
            Some(objects) => objects.push((at, object)),
            None => return Err(unstorable()),
        }
        self.push(ValRaw::null())
    }

    pub(crate) fn null(&mut self) -> wasmtime::Result<()> {
        self.push(ValRaw::null())
    }

    /// Fills slots that the chosen case of a variant does not use.
    pub(crate) fn zeros(&mut self, slots: usize) -> wasmtime::Result<()> {
        // A `v128` is 16 bytes wide, and may be what shares the slot.
        (0..slots).try_for_each(|_| self.push(ValRaw::v128(0)))
    }

    /// The out-pointers for values of these layouts: all of them checked, so
    /// that nothing is written if one is bad.
    pub(crate) fn outs(&mut self, layouts: &[Layouts]) -> wasmtime::Result<&'a [u64]> {
        let (outs, width) = (self.outs, self.width());
        if outs.len() != layouts.len() {
            return Err(misplaced());
        }
        if outs.is_empty() {
            return Ok(outs);
        }
        let size = self.reach.bytes_mut().map_err(unusable)?.len();
        let mut ranges = SmallVec::<[Range<usize>; 4]>::new();
        for (&at, layouts) in outs.iter().zip(layouts) {
            let layout = layouts[width];
            let range = check_align(at, layout.align)
                .and_then(|()| check(size, at, layout.size as u64))
                .and_then(|range| clash(&range, &ranges).map(|()| range))
                .map_err(|fault| Bad::at(Place::Out(ranges.len()), fault))?;
            ranges.push(range);
        }
        let bytes = ranges.iter().map(|range| range.len() as u64).sum();
        self.reach.transfer(bytes)?;
        Ok(outs)
    }

    /// Number of slots written so far.
    pub(crate) fn written(&self) -> usize {
        self.next
    }

    /// Writes a pointer or length into guest memory.
    pub(crate) fn store_word(&mut self, at: u64, word: u64) -> wasmtime::Result<()> {
        if self.wide {
            self.store(at, &word.to_le_bytes())
        } else {
            self.store(at, &(word as u32).to_le_bytes())
        }
    }

    /// Writes the pointer and length of a string or list into guest memory.
    pub(crate) fn store_pair(&mut self, at: u64, pair: (u64, u64)) -> wasmtime::Result<()> {
        self.store_word(at, pair.0)?;
        self.store_word(at + if self.wide { 8 } else { 4 }, pair.1)
    }

    /// Writes bytes into guest memory.
    pub(crate) fn store(&mut self, at: u64, bytes: &[u8]) -> wasmtime::Result<()> {
        let memory = self.reach.bytes_mut().map_err(unusable)?;
        memory::write(memory, at, bytes).map_err(unusable)
    }

    /// Allocates `count` elements of `stride` bytes in the guest.
    pub(crate) fn alloc(
        &mut self,
        count: usize,
        stride: usize,
        align: usize,
    ) -> wasmtime::Result<u64> {
        let size = count as u64 * stride as u64;
        if !self.wide && size > u64::from(u32::MAX) {
            return Err(wasmtime::Error::new(Error::msg(format!(
                "a list of {size} bytes does not fit into a 32-bit memory"
            ))));
        }
        self.reach.transfer(size)?;
        self.reach.alloc(size, align as u64)
    }

    /// Copies bytes into a fresh allocation of the guest.
    pub(crate) fn alloc_bytes(&mut self, bytes: &[u8], align: usize) -> wasmtime::Result<u64> {
        let at = self.alloc(bytes.len(), 1, align)?;
        self.store(at, bytes)?;
        Ok(at)
    }

    /// Index into [`Layouts`](crate::layout::Layouts).
    #[doc(hidden)]
    pub fn width(&self) -> usize {
        usize::from(self.wide)
    }
}

#[cold]
pub(crate) fn unusable(fault: Box<Fault>) -> wasmtime::Error {
    wasmtime::Error::new(Bad::result(fault))
}

/// What is said when a reference would have to be stored in memory.
#[cold]
pub(crate) fn unstorable() -> wasmtime::Error {
    wasmtime::Error::new(Error::msg(
        "a function or object reference cannot be stored in guest memory; pass it as an argument \
         or result of its own",
    ))
}
