//! The one place where guest memory is accessed.
//!
//! Every pointer and length that a guest passes goes through [`check`], and
//! every borrow that reaches a host function goes through [`View`].

// The only borrows of guest memory with a lifetime of their own are made
// here; handing out several disjoint `&mut` from one memory is what needs it.
#![expect(unsafe_code, reason = "disjoint borrows of guest memory")]

use crate::fault::{Fault, Lifted};
use crate::guest_type::{GuestPlace, assert_unpadded};
use bytemuck::CheckedBitPattern;
use bytemuck::checked::{self, CheckedCastError};
use smallvec::SmallVec;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::NonNull;
use std::str::Utf8Error;

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

/// The size of a memory with this limit.
fn size(limit: u64) -> usize {
    limit.saturating_sub(1) as usize
}

/// Why [`View::check`] has failed.
#[cold]
#[inline(never)]
fn outside(limit: u64, missing: Missing, pointer: u64, length: u64) -> Box<Fault> {
    match limit {
        0 => missing.fault(),
        _ => out_of_bounds(size(limit), pointer, Some(length)),
    }
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
/// itself. Shared borrows may overlap; when [`View::new`] was given a place to
/// record them, the call may also borrow mutably, and a borrow that overlaps a
/// mutable one is refused.
pub struct View<'a, 'r> {
    base: NonNull<u8>,
    /// One more than the size of the memory; zero if there is none, so that nothing
    /// passes [`View::check`].
    limit: u64,
    /// Why there is none.
    missing: Missing,
    /// Where borrows are recorded; `None` if none is mutable.
    borrows: Option<&'r mut Borrows>,
    memory: PhantomData<&'a mut [u8]>,
}

/// Borrows that one call has made. There are as many mutable ones as the
/// signature has, shared ones as many as lists have elements.
///
/// Apart from [`View`], so that a view has nothing to drop and can stay in
/// registers.
#[derive(Default)]
pub struct Borrows {
    mutable: SmallVec<[Range<usize>; 2]>,
    shared: SmallVec<[Range<usize>; 2]>,
}

#[derive(Clone, Copy)]
enum Missing {
    Absent,
    Shared,
}

impl<'a, 'r> View<'a, 'r> {
    /// A view of `source`. A call that borrows mutably gives `borrows`.
    #[inline(always)]
    pub fn new(source: Source<'a>, borrows: Option<&'r mut Borrows>) -> View<'a, 'r> {
        let none: &mut [u8] = &mut [];
        let (bytes, limit, missing) = match source {
            Source::Bytes(bytes) => {
                let limit = bytes.len() as u64 + 1;
                (bytes, limit, Missing::Absent)
            }
            Source::Absent => (none, 0, Missing::Absent),
            Source::Shared => (none, 0, Missing::Shared),
        };
        View {
            base: NonNull::from(bytes).cast(),
            limit,
            missing,
            borrows,
            memory: PhantomData,
        }
    }

    /// Checks that `length` bytes at `pointer` lie inside the memory, if there is
    /// one.
    #[inline(always)]
    fn check(&self, pointer: u64, length: u64) -> Lifted<Range<usize>> {
        if length < self.limit && pointer < self.limit - length {
            // Both fit in `usize`, because their sum is below `limit`.
            let start = pointer as usize;
            Ok(start..start + length as usize)
        } else {
            Err(outside(self.limit, self.missing, pointer, length))
        }
    }

    /// Borrows `length` bytes at `pointer`.
    #[inline(always)]
    pub fn bytes(&mut self, pointer: u64, length: u64) -> Lifted<&'a [u8]> {
        let range = self.check(pointer, length)?;
        if let Some(borrows) = &mut self.borrows {
            clash(&range, &borrows.mutable)?;
            borrows.shared.push(range.clone());
        }
        // SAFETY: `range` lies inside the memory, which this view borrows
        // mutably for `'a`, so the bytes are valid and nobody else reaches
        // them. If this view hands out mutable borrows, none overlaps: earlier
        // ones were just compared, and later ones will be compared with this.
        // If it does not, every borrow it hands out is shared.
        Ok(unsafe { self.slice_at(range.start, length as usize) })
    }

    /// Looks at `length` bytes at `pointer` to copy them. The borrow ends with
    /// that of the view, so it is not recorded.
    #[inline(always)]
    pub fn peek(&self, pointer: u64, length: u64) -> Lifted<&[u8]> {
        let range = self.check(pointer, length)?;
        if let Some(borrows) = &self.borrows {
            clash(&range, &borrows.mutable)?;
        }
        // SAFETY: as in `bytes`; mutable borrows that this view hands out
        // later begin after this one, which borrows the view, has ended.
        Ok(unsafe { self.slice_at(range.start, length as usize) })
    }

    /// Borrows `length` bytes at `pointer` mutably.
    #[inline(always)]
    fn bytes_mut(&mut self, pointer: u64, length: u64) -> Lifted<&'a mut [u8]> {
        let range = self.check(pointer, length)?;
        let borrows = self.borrows.as_mut();
        let borrows = borrows.expect("a view that borrows mutably records its borrows");
        clash(&range, &borrows.mutable)?;
        clash(&range, &borrows.shared)?;
        // An empty one overlaps nothing, and would end the search of `cstr`.
        if !range.is_empty() {
            borrows.mutable.push(range.clone());
        }
        // SAFETY: `range` lies inside the memory, which this view borrows
        // mutably for `'a`. It overlaps no earlier borrow, because this view
        // has recorded them all, and later ones will be compared with this.
        Ok(unsafe {
            std::slice::from_raw_parts_mut(self.base.as_ptr().add(range.start), length as usize)
        })
    }

    /// # Safety
    ///
    /// The bytes must lie inside the memory, and no mutable borrow of them may be
    /// alive during `'b`.
    #[inline(always)]
    unsafe fn slice_at<'b>(&self, start: usize, length: usize) -> &'b [u8]
    where
        'a: 'b,
    {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(start), length) }
    }

    /// Borrows a UTF-8 string.
    #[inline(always)]
    pub fn str(&mut self, pointer: u64, length: u64) -> Lifted<&'a str> {
        let bytes = self.bytes(pointer, length)?;
        std::str::from_utf8(bytes).map_err(|error| not_utf8(pointer, length, error))
    }

    /// Copies a UTF-8 string.
    pub fn string(&self, pointer: u64, length: u64) -> Lifted<String> {
        match std::str::from_utf8(self.peek(pointer, length)?) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(not_utf8(pointer, length, error)),
        }
    }

    /// Borrows the NUL-terminated string at `pointer`. The search ends at the
    /// end of memory, or where a mutable borrow of the same call begins.
    pub fn cstr(&mut self, pointer: u64) -> Lifted<&'a CStr> {
        self.check(pointer, 0)?;
        let end = self.next_mutable(pointer as usize);
        let searched = self.peek(pointer, end as u64 - pointer)?;
        let Ok(found) = CStr::from_bytes_until_nul(searched) else {
            return Err(Box::new(Fault::MissingNul { pointer }));
        };
        let length = found.count_bytes() as u64 + 1;
        let bytes = self.bytes(pointer, length)?;
        Ok(CStr::from_bytes_with_nul(bytes).expect("the first NUL was just found at its end"))
    }

    /// The start of the first mutable borrow that ends after `from`, or the
    /// end of memory; never below `from`.
    fn next_mutable(&self, from: usize) -> usize {
        let mutable = self.borrows.iter().flat_map(|borrows| &borrows.mutable);
        let behind = mutable.filter(|borrow| borrow.end > from);
        behind
            .map(|borrow| borrow.start.max(from))
            .min()
            .unwrap_or(size(self.limit))
    }

    /// Borrows `count` values at `pointer`.
    #[inline(always)]
    pub fn slice<T: CheckedBitPattern>(&mut self, pointer: u64, count: u64) -> Lifted<&'a [T]> {
        check_align(pointer, align_of::<T>())?;
        let length = self.byte_length::<T>(pointer, count)?;
        let bytes = self.bytes(pointer, length)?;
        checked::try_cast_slice(bytes).map_err(|error| cast::<T>(error, pointer))
    }

    /// Copies `count` values at `pointer`.
    pub fn copy<T: CheckedBitPattern>(&self, pointer: u64, count: u64) -> Lifted<Vec<T>> {
        check_align(pointer, align_of::<T>())?;
        let bytes = self.peek(pointer, self.byte_length::<T>(pointer, count)?)?;
        let values = checked::try_cast_slice(bytes).map_err(|error| cast::<T>(error, pointer))?;
        Ok(values.to_vec())
    }

    /// Borrows `count` values at `pointer` mutably.
    #[inline(always)]
    pub fn slice_mut<T: GuestPlace>(&mut self, pointer: u64, count: u64) -> Lifted<&'a mut [T]> {
        check_align(pointer, align_of::<T>())?;
        let length = self.byte_length::<T>(pointer, count)?;
        let bytes = self.bytes_mut(pointer, length)?;
        cast_slice_mut(bytes).map_err(|error| cast::<T>(error, pointer))
    }

    /// Borrows the value at `pointer`.
    #[inline(always)]
    pub fn value<T: CheckedBitPattern>(&mut self, pointer: u64) -> Lifted<&'a T> {
        let length = self.byte_length::<T>(pointer, 1)?;
        let bytes = self
            .bytes(pointer, length)
            .map_err(|fault| first::<T>(pointer, fault))?;
        checked::try_from_bytes(bytes).map_err(|error| cast::<T>(error, pointer))
    }

    /// Borrows the value at `pointer` mutably.
    #[inline(always)]
    pub fn value_mut<T: GuestPlace>(&mut self, pointer: u64) -> Lifted<&'a mut T> {
        let length = self.byte_length::<T>(pointer, 1)?;
        let bytes = self
            .bytes_mut(pointer, length)
            .map_err(|fault| first::<T>(pointer, fault))?;
        from_bytes_mut(bytes).map_err(|error| cast::<T>(error, pointer))
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
            None => Err(out_of_bounds(size(self.limit), pointer, None)),
        }
    }
}

/// As bytemuck's, which knows nothing of [`GuestPlace::PADDED`].
#[inline(always)]
fn cast_slice_mut<T: GuestPlace>(bytes: &mut [u8]) -> Result<&mut [T], CheckedCastError> {
    const { assert_unpadded::<T>() };
    let count = checked::try_cast_slice::<u8, T>(bytes)?.len();
    // SAFETY: the same cast, for a shared borrow, was just checked: `bytes` are
    // aligned and are `count` valid values. They are borrowed mutably as long
    // as the result. `T` has no padding, so whatever is written through it,
    // all of `bytes` stays initialised.
    Ok(unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), count) })
}

/// The same for one value.
#[inline(always)]
fn from_bytes_mut<T: GuestPlace>(bytes: &mut [u8]) -> Result<&mut T, CheckedCastError> {
    const { assert_unpadded::<T>() };
    checked::try_from_bytes::<T>(bytes)?;
    // SAFETY: as in `cast_slice_mut`.
    Ok(unsafe { &mut *bytes.as_mut_ptr().cast() })
}

#[cold]
#[inline(never)]
pub fn not_utf8(pointer: u64, length: u64, error: Utf8Error) -> Box<Fault> {
    Box::new(Fault::Utf8 {
        pointer,
        length,
        valid: error.valid_up_to() as u64,
    })
}

/// Refuses a range that overlaps one of `borrows`.
#[inline(always)]
pub fn clash(range: &Range<usize>, borrows: &[Range<usize>]) -> Lifted<()> {
    let overlaps = |other: &&Range<usize>| {
        range.start < other.end && other.start < range.end && !range.is_empty() && !other.is_empty()
    };
    match borrows.iter().find(overlaps) {
        None => Ok(()),
        Some(other) => Err(Box::new(Fault::Overlap {
            this: (range.start as u64, range.len() as u64),
            other: (other.start as u64, other.len() as u64),
        })),
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

/// Alignment is reported before anything else. The cast checks it, on the
/// host's address: memories are aligned to more than any type, so the guest's
/// need not be checked as well where nothing else is wrong.
#[cold]
#[inline(never)]
fn first<T>(pointer: u64, fault: Box<Fault>) -> Box<Fault> {
    check_align(pointer, align_of::<T>()).err().unwrap_or(fault)
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

/// Without an engine, so that Miri can run them.
#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that is aligned as an engine's is.
    fn memory() -> Vec<u64> {
        (0..8).collect()
    }

    fn bytes(memory: &mut [u64]) -> Source<'_> {
        Source::Bytes(bytemuck::cast_slice_mut(memory))
    }

    #[test]
    fn disjoint_borrows_are_used_at_once() {
        let mut memory = memory();
        let mut borrows = Borrows::default();
        let mut view = View::new(bytes(&mut memory), Some(&mut borrows));
        let first = view.slice_mut::<u64>(0, 2).unwrap();
        let second = view.slice_mut::<u32>(16, 2).unwrap();
        let third = view.value_mut::<u64>(24).unwrap();
        let shared = view.slice::<u64>(32, 2).unwrap();
        let again = view.bytes(32, 16).unwrap();
        let copied = view.copy::<u64>(40, 1).unwrap();
        first.swap(0, 1);
        second[0] = first[0] as u32;
        *third += shared[0] + u64::from(again[8]) + copied[0];
        assert_eq!(memory, [1, 0, 1, 3 + 4 + 5 + 5, 4, 5, 6, 7]);
    }

    #[test]
    fn overlaps_with_mutable_borrows_are_refused() {
        let mut memory = memory();
        let mut borrows = Borrows::default();
        let mut view = View::new(bytes(&mut memory), Some(&mut borrows));
        let held = view.slice_mut::<u8>(8, 8).unwrap();
        for (pointer, length) in [(8, 1), (15, 1), (0, 9), (15, 20), (0, 64)] {
            assert!(matches!(
                *view.bytes(pointer, length).unwrap_err(),
                Fault::Overlap { .. }
            ));
            assert!(matches!(
                *view.peek(pointer, length).unwrap_err(),
                Fault::Overlap { .. }
            ));
            assert!(view.slice_mut::<u8>(pointer, length).is_err());
        }
        for (pointer, length) in [(0, 8), (16, 48), (9, 0)] {
            assert!(view.peek(pointer, length).is_ok());
        }
        let shared = view.bytes(16, 8).unwrap();
        assert!(
            view.slice_mut::<u8>(20, 1).is_err(),
            "{shared:?} is borrowed"
        );
        held.fill(0xff);
        assert_eq!(memory[1], u64::MAX);
    }

    #[test]
    fn a_c_string_ends_before_a_mutable_borrow() {
        let mut memory = memory();
        memory[0] = u64::from_le_bytes(*b"abc\0defg");
        memory[1] = u64::from_le_bytes(*b"hij\0\0\0\0\0");
        let mut borrows = Borrows::default();
        let mut view = View::new(bytes(&mut memory), Some(&mut borrows));
        let held = view.slice_mut::<u8>(8, 8).unwrap();
        let found = view.cstr(0).unwrap();
        assert!(matches!(
            *view.cstr(4).unwrap_err(),
            Fault::MissingNul { pointer: 4 }
        ));
        held[0] = b'x';
        assert_eq!(found.to_bytes(), b"abc");
        let mut view = View::new(bytes(&mut memory), None);
        assert_eq!(view.cstr(4).unwrap().to_bytes(), b"defgxij");
        assert!(view.cstr(64).is_err());
        assert!(view.cstr(65).is_err());
    }

    #[test]
    fn mutable_borrows_are_of_valid_values() {
        let mut memory = memory();
        let mut borrows = Borrows::default();
        let mut view = View::new(bytes(&mut memory), Some(&mut borrows));
        let flags = view.slice_mut::<bool>(8, 8).unwrap();
        assert!(matches!(
            *view.slice_mut::<bool>(16, 8).unwrap_err(),
            Fault::BitPattern { pointer: 16, .. }
        ));
        assert!(matches!(
            *view.value_mut::<bool>(24).unwrap_err(),
            Fault::BitPattern { pointer: 24, .. }
        ));
        assert!(matches!(
            *view.value_mut::<u32>(34).unwrap_err(),
            Fault::Misaligned { pointer: 34, .. }
        ));
        flags.reverse();
        *view.value_mut::<char>(40).unwrap() = 'x';
        assert_eq!(memory[1], 1 << 56);
        assert_eq!(memory[5], u64::from('x'));
    }

    #[test]
    fn everything_outside_is_refused() {
        let mut memory = memory();
        let mut view = View::new(bytes(&mut memory), None);
        assert!(view.bytes(64, 0).is_ok());
        for (pointer, length) in [(64, 1), (65, 0), (0, 65), (u64::MAX, 1), (1, u64::MAX)] {
            assert!(view.bytes(pointer, length).is_err(), "{pointer} {length}");
        }
        assert!(view.slice::<u64>(0, u64::MAX).is_err());
        assert!(matches!(
            *view.slice::<u64>(4, 1).unwrap_err(),
            Fault::Misaligned { .. }
        ));
        assert!(matches!(
            *view.value::<u64>(4).unwrap_err(),
            Fault::Misaligned { .. }
        ));
        assert!(matches!(
            *view.value::<bool>(24).unwrap_err(),
            Fault::BitPattern { .. }
        ));
        let mut none = View::new(Source::Absent, None);
        assert!(matches!(*none.bytes(0, 0).unwrap_err(), Fault::NoMemory));
    }
}
