//! The guest's memory, as the native form accesses it.

use super::super::messages::MEMORY;
use super::super::{GuestAddress, Stored};
use super::BodyTrap;
use std::fmt;
use std::ops::Range;

/// The guest's memory: bytes that an inline function reads and writes at
/// addresses, in little-endian order and at any alignment.
///
/// An inline function takes it as `memory: &mut Memory<'_>`. To call such a
/// function from Rust, any bytes will do:
///
/// ```
/// use hostcall_link::inline::native::Memory;
///
/// let mut bytes = [0; 16];
/// let mut memory = Memory::new(&mut bytes);
/// memory.store(4_u32, 0x0102_0304_u32)?;
/// assert_eq!(memory.load::<u16>(6_u32)?, 0x0102);
/// assert!(memory.load::<u64>(9_u32).is_err());
/// assert_eq!(bytes[4], 4);
/// # Ok::<(), hostcall_link::inline::native::BodyTrap>(())
/// ```
pub struct Memory<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Memory<'a> {
    /// These bytes, from address 0.
    #[inline]
    pub fn new(bytes: &'a mut [u8]) -> Memory<'a> {
        Memory { bytes }
    }

    /// How many bytes it has.
    #[inline]
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Reads a `T` at `address`.
    ///
    /// # Errors
    ///
    /// If it is out of bounds.
    #[inline]
    pub fn load<T: Element>(&self, address: impl Address) -> Result<T, BodyTrap> {
        let range = self.range(address.widen(), size_of::<T>() as u64)?;
        Ok(T::read(&self.bytes[range]))
    }

    /// Writes `value` at `address`.
    ///
    /// # Errors
    ///
    /// If it is out of bounds; then nothing is written.
    #[inline]
    pub fn store<T: Element>(&mut self, address: impl Address, value: T) -> Result<(), BodyTrap> {
        let range = self.range(address.widen(), size_of::<T>() as u64)?;
        value.write(&mut self.bytes[range]);
        Ok(())
    }

    /// Copies `length` bytes; the two ranges may overlap.
    ///
    /// # Errors
    ///
    /// If one of them is out of bounds; then nothing is written.
    #[inline]
    pub fn copy<A: Address>(&mut self, to: A, from: A, length: A) -> Result<(), BodyTrap> {
        let (to, length) = (to.widen(), length.widen());
        let from = self.range(from.widen(), length)?;
        let to = self.range(to, length)?;
        self.bytes.copy_within(from, to.start);
        Ok(())
    }

    /// Sets `length` bytes to `byte`.
    ///
    /// # Errors
    ///
    /// If one of them is out of bounds; then nothing is written.
    #[inline]
    pub fn fill<A: Address>(&mut self, to: A, byte: u8, length: A) -> Result<(), BodyTrap> {
        let range = self.range(to.widen(), length.widen())?;
        self.bytes[range].fill(byte);
        Ok(())
    }

    #[inline]
    fn range(&self, start: u64, length: u64) -> Result<Range<usize>, BodyTrap> {
        match start.checked_add(length) {
            // Both fit in `usize`, because the end does.
            Some(end) if end <= self.size() => Ok(start as usize..end as usize),
            _ => Err(BodyTrap::new(MEMORY)),
        }
    }
}

impl fmt::Debug for Memory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("size", &self.size())
            .finish()
    }
}

/// An address or a length in the guest's memory: `u32` or `u64`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an address in guest memory",
    label = "needs `u32` or `u64`",
    note = "give literals their type, as in `0_u32`, and cast other integers: `at as u32`"
)]
pub trait Address: GuestAddress {
    #[doc(hidden)]
    fn widen(self) -> u64;
}

impl Address for u32 {
    #[inline]
    fn widen(self) -> u64 {
        self.into()
    }
}

impl Address for u64 {
    #[inline]
    fn widen(self) -> u64 {
        self
    }
}

/// A type that memory holds: every integer of a fixed size, and the floats.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from or written to memory",
    label = "its bytes are not fixed",
    note = "use u8 instead of `bool`, and i32, u32, i64 or u64 instead of `isize` and `usize`"
)]
pub trait Element: Stored {
    /// From as many bytes as it has.
    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Self;
    #[doc(hidden)]
    fn write(self, bytes: &mut [u8]);
}

macro_rules! elements {
    ($($ty:ty)*) => {
        $(impl Element for $ty {
            #[inline]
            fn read(bytes: &[u8]) -> Self {
                let mut array = [0; size_of::<$ty>()];
                array.copy_from_slice(bytes);
                <$ty>::from_le_bytes(array)
            }
            #[inline]
            fn write(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_le_bytes());
            }
        })*
    };
}

elements! { i8 u8 i16 u16 i32 u32 i64 u64 f32 f64 }
