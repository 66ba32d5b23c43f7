//! The one place where guest memory is accessed.
//!
//! Every pointer and length that a guest passes goes through [`check`], and
//! every borrow that reaches a host function goes through [`View`].

// The only borrows of guest memory with a lifetime of their own are made
// here; handing out several disjoint `&mut` from one memory is what needs it.
#![expect(unsafe_code, reason = "disjoint borrows of guest memory")]

use crate::fault::{Fault, Lifted};
use bytemuck::checked::{self, CheckedCastError};
use bytemuck::{CheckedBitPattern, NoUninit};
use smallvec::SmallVec;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;

#[cfg(target_endian = "big")]
compile_error!(
    "hostcall borrows little-endian guest memory in place: big-endian hosts are not supported"
);

/// Checks that `length` bytes at `pointer` lie inside a memory of `size`
/// bytes, and returns them as a range of host indices.
#[inline(always)]
pub fn check(size: usize, pointer: u64, length: u64) -> Lifted<Range<usize>> {
    match pointer.checked_add(length) {
        // Both fit in `usize`, because `end <= size` does.
        Some(end) if end <= size as u64 => Ok(pointer as usize..end as usize),
        _ => Err(out_of_bounds(size, pointer, Some(length))),
    }
}

/// Checks that `pointer` is a multiple of `align`, a power of two.
#[inline(always)]
pub fn check_align(pointer: u64, align: usize) -> Lifted<()> {
    if pointer & (align as u64 - 1) == 0 {
        Ok(())
    } else {
        Err(misaligned(pointer, align))
    }
}

/// Copies `bytes` into a memory at `pointer`.
pub fn write(memory: &mut [u8], pointer: u64, bytes: &[u8]) -> Lifted<()> {
    let range = check(memory.len(), pointer, bytes.len() as u64)?;
    memory[range].copy_from_slice(bytes);
    Ok(())
}

#[cold]
#[inline(never)]
fn out_of_bounds(size: usize, pointer: u64, length: Option<u64>) -> Box<Fault> {
    Box::new(Fault::OutOfBounds {
        pointer,
        length,
        memory: size as u64,
    })
}

#[cold]
#[inline(never)]
fn misaligned(pointer: u64, align: usize) -> Box<Fault> {
    Box::new(Fault::Misaligned {
        pointer,
        align: align as u64,
    })
}

/// What the host can reach of the guest's memory.
pub enum Source<'a> {
    /// No memory is exported, or the call needs none.
    Absent,
    /// The memory is shared between threads.
    Shared,
    /// The bytes of the memory.
    Bytes(&'a mut [u8]),
}

/// How one call borrows guest memory.
///
/// A view hands out any number of borrows with the lifetime of the memory
/// itself. Shared borrows may overlap; when [`View::new`] was told that the
/// call also borrows mutably, every borrow is recorded and one that overlaps a
/// mutable one is refused.
pub struct View<'a> {
    base: NonNull<u8>,
    size: usize,
    missing: Option<Missing>,
    /// Borrows made so far; only kept when `exclusive` is set.
    borrows: SmallVec<[Borrow; 4]>,
    /// Whether mutable borrows are allowed, and so all borrows are recorded.
    exclusive: bool,
    memory: PhantomData<&'a mut [u8]>,
}

#[derive(Clone, Copy)]
enum Missing {
    Absent,
    Shared,
}

struct Borrow {
    range: Range<usize>,
    mutable: bool,
}

impl<'a> View<'a> {
    /// A view of `source`. `exclusive` says whether the call borrows mutably.
    #[inline(always)]
    pub fn new(source: Source<'a>, exclusive: bool) -> View<'a> {
        let (bytes, missing) = match source {
            Source::Bytes(bytes) => (bytes, None),
            Source::Absent => (Default::default(), Some(Missing::Absent)),
            Source::Shared => (Default::default(), Some(Missing::Shared)),
        };
        View {
            size: bytes.len(),
            base: NonNull::from(bytes).cast(),
            missing,
            borrows: SmallVec::new(),
            exclusive,
            memory: PhantomData,
        }
    }

    #[inline(always)]
    fn check(&self, pointer: u64, length: u64) -> Lifted<Range<usize>> {
        match self.missing {
            None => check(self.size, pointer, length),
            Some(missing) => Err(missing.fault()),
        }
    }

    /// Borrows `length` bytes at `pointer`.
    #[inline(always)]
    pub fn bytes(&mut self, pointer: u64, length: u64) -> Lifted<&'a [u8]> {
        let range = self.check(pointer, length)?;
        if self.exclusive {
            self.record(range.clone(), false)?;
        }
        // SAFETY: `range` lies inside the memory, which this view borrows
        // mutably for `'a`, so the bytes are valid and nobody else reaches
        // them. If this view hands out mutable borrows, `record` has refused
        // a range that overlaps one of them; if it does not, every borrow it
        // hands out is shared.
        Ok(unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(range.start), range.len()) })
    }

    /// Borrows `length` bytes at `pointer` mutably.
    #[inline(always)]
    fn bytes_mut(&mut self, pointer: u64, length: u64) -> Lifted<&'a mut [u8]> {
        assert!(
            self.exclusive,
            "a mutable borrow from a view that does not record borrows"
        );
        let range = self.check(pointer, length)?;
        self.record(range.clone(), true)?;
        // SAFETY: as in `bytes`; and since this view records every borrow,
        // `record` has refused a range that overlaps any earlier one, and will
        // refuse later ones that overlap this.
        Ok(unsafe {
            std::slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), range.len())
        })
    }

    fn record(&mut self, range: Range<usize>, mutable: bool) -> Lifted<()> {
        let clash = self.borrows.iter().find(|other| {
            (mutable || other.mutable)
                && range.start < other.range.end
                && other.range.start < range.end
        });
        if let Some(other) = clash {
            return Err(Box::new(Fault::Overlap {
                this: (range.start as u64, range.len() as u64),
                other: (other.range.start as u64, other.range.len() as u64),
            }));
        }
        if !range.is_empty() {
            self.borrows.push(Borrow { range, mutable });
        }
        Ok(())
    }

    /// Borrows a UTF-8 string.
    #[inline(always)]
    pub fn str(&mut self, pointer: u64, length: u64) -> Lifted<&'a str> {
        let bytes = self.bytes(pointer, length)?;
        std::str::from_utf8(bytes).map_err(|error| {
            Box::new(Fault::Utf8 {
                pointer,
                length,
                valid: error.valid_up_to() as u64,
            })
        })
    }

    /// Borrows the NUL-terminated string at `pointer`. The search ends at the
    /// end of memory, or where a mutable borrow of the same call begins.
    pub fn cstr(&mut self, pointer: u64) -> Lifted<&'a CStr> {
        self.check(pointer, 0)?;
        let end = self.next_mutable(pointer as usize);
        let mut searched = View {
            size: end,
            borrows: SmallVec::new(),
            exclusive: false,
            ..*self
        };
        let found = CStr::from_bytes_until_nul(searched.bytes(pointer, end as u64 - pointer)?);
        match found {
            Ok(found) => {
                if self.exclusive {
                    let length = found.to_bytes_with_nul().len();
                    self.record(pointer as usize..pointer as usize + length, false)?;
                }
                Ok(found)
            }
            Err(_) => Err(Box::new(Fault::MissingNul { pointer })),
        }
    }

    /// The start of the first mutable borrow that ends after `from`, or the
    /// end of memory; never below `from`.
    fn next_mutable(&self, from: usize) -> usize {
        self.borrows
            .iter()
            .filter(|borrow| borrow.mutable && borrow.range.end > from)
            .map(|borrow| borrow.range.start.max(from))
            .min()
            .unwrap_or(self.size)
    }

    /// Borrows `count` values at `pointer`.
    #[inline(always)]
    pub fn slice<T: CheckedBitPattern>(&mut self, pointer: u64, count: u64) -> Lifted<&'a [T]> {
        check_align(pointer, align_of::<T>())?;
        let length = self.byte_length::<T>(pointer, count)?;
        let bytes = self.bytes(pointer, length)?;
        checked::try_cast_slice(bytes).map_err(|error| cast::<T>(error, pointer))
    }

    /// Borrows `count` values at `pointer` mutably.
    #[inline(always)]
    pub fn slice_mut<T: CheckedBitPattern + NoUninit>(
        &mut self,
        pointer: u64,
        count: u64,
    ) -> Lifted<&'a mut [T]> {
        check_align(pointer, align_of::<T>())?;
        let length = self.byte_length::<T>(pointer, count)?;
        let bytes = self.bytes_mut(pointer, length)?;
        checked::try_cast_slice_mut(bytes).map_err(|error| cast::<T>(error, pointer))
    }

    /// Borrows the value at `pointer`.
    #[inline(always)]
    pub fn value<T: CheckedBitPattern>(&mut self, pointer: u64) -> Lifted<&'a T> {
        Ok(&self.slice::<T>(pointer, 1)?[0])
    }

    /// Borrows the value at `pointer` mutably.
    #[inline(always)]
    pub fn value_mut<T: CheckedBitPattern + NoUninit>(
        &mut self,
        pointer: u64,
    ) -> Lifted<&'a mut T> {
        Ok(&mut self.slice_mut::<T>(pointer, 1)?[0])
    }

    #[inline(always)]
    fn byte_length<T>(&self, pointer: u64, count: u64) -> Lifted<u64> {
        const {
            assert!(
                size_of::<T>() > 0,
                "zero-sized types cannot be viewed in guest memory"
            )
        };
        match count.checked_mul(size_of::<T>() as u64) {
            Some(length) => Ok(length),
            None => Err(out_of_bounds(self.size, pointer, None)),
        }
    }
}

impl Missing {
    #[cold]
    fn fault(self) -> Box<Fault> {
        Box::new(match self {
            Missing::Absent => Fault::NoMemory,
            Missing::Shared => Fault::SharedMemory,
        })
    }
}

/// The guest's address is aligned and its length a multiple of the size, so
/// only the bit pattern can be wrong.
#[cold]
#[inline(never)]
fn cast<T>(error: CheckedCastError, pointer: u64) -> Box<Fault> {
    match error {
        CheckedCastError::InvalidBitPattern => Box::new(Fault::BitPattern {
            pointer,
            ty: std::any::type_name::<T>(),
        }),
        CheckedCastError::PodCastError(_) => misaligned(pointer, align_of::<T>()),
    }
}
