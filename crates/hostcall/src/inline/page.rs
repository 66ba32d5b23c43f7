//! The host page: memory that linking adds to a guest for structs that inlined
//! bodies and the host share. The guest's own code cannot reach it.

#![expect(unsafe_code, reason = "structs in the bytes of the page")]

use hostcall_link::HostPage;
use hostcall_link::inline::Fields;
use smallvec::{SmallVec, smallvec};
use std::any::TypeId;
use std::ops::Range;
use std::sync::Arc;
use std::{ptr, slice};

/// The export by which the host finds the host page.
pub(crate) const PAGE: &str = "hostcall:page";

/// A struct in the host page: inlined bodies read and write its fields, and so
/// does the host, through [`Instance::host_state`](crate::Instance::host_state)
/// and [`Guest::host_state`](crate::Guest::host_state).
///
/// Made by `#[derive(HostState)]` on a `#[repr(C)]` struct of integers, floats,
/// arrays and other such structs, without padding. Every instance has one, which
/// starts as its `Default`.
///
/// ```
/// use hostcall::{Host, HostModule, HostState, host_module};
///
/// #[derive(Default, HostState)]
/// #[repr(C)]
/// struct Hits {
///     count: u64,
/// }
///
/// struct App;
///
/// #[host_module(name = "env")]
/// impl App {
///     /// Costs an addition in the guest.
///     #[hostcall(inline)]
///     fn hit(hits: &mut Hits) {
///         hits.count += 1;
///     }
/// }
///
/// let mut host = Host::new();
/// App::add_to_host(&mut host, |app| app);
/// let program = host.program(
///     br#"(module (import "env" "hit" (func $hit)) (func (export "run") (call $hit) (call $hit)))"#,
/// )?;
/// let mut instance = program.instantiate(App)?;
/// instance.export::<(), ()>("run")?.call(&mut instance, ())?;
/// assert_eq!(instance.host_state::<Hits>().unwrap().count, 2);
/// # Ok::<(), hostcall::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a host state",
    note = "put `#[derive(Default, HostState)] #[repr(C)]` on the struct"
)]
pub trait HostState: Fields + PlainBytes + Default + Send {}

/// Types whose values and bytes are the same thing: every pattern of bits is a
/// value, and every byte belongs to it.
///
/// # Safety
///
/// That must hold, so there are neither padding nor references in it.
#[doc(hidden)]
pub unsafe trait PlainBytes: Sized + 'static {}

macro_rules! plain {
    ($($ty:ty)*) => {$(
        // SAFETY: numbers have neither padding nor bits that are no value.
        unsafe impl PlainBytes for $ty {}
    )*};
}

plain!(i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);

// SAFETY: there is nothing between elements.
unsafe impl<T: PlainBytes, const N: usize> PlainBytes for [T; N] {}

fn bytes_of<S: PlainBytes>(state: &S) -> &[u8] {
    // SAFETY: all bytes of the type are initialised, by its trait.
    unsafe { slice::from_raw_parts(ptr::from_ref(state).cast(), size_of::<S>()) }
}

/// The struct whose bytes these are, if they are as many and aligned.
pub(crate) fn state<S: PlainBytes>(bytes: &[u8]) -> Option<&S> {
    let at = bytes.as_ptr().cast::<S>();
    let fits = bytes.len() == size_of::<S>() && at.is_aligned();
    // SAFETY: the bytes are borrowed as long as the result, there are enough of
    // them, and any are a value of the type.
    fits.then(|| unsafe { &*at })
}

/// The same, to change it.
pub(crate) fn state_mut<S: PlainBytes>(bytes: &mut [u8]) -> Option<&mut S> {
    let at = bytes.as_mut_ptr().cast::<S>();
    let fits = bytes.len() == size_of::<S>() && at.is_aligned();
    // SAFETY: as above, and what is written leaves no byte uninitialised.
    fits.then(|| unsafe { &mut *at })
}

/// A type of the host page, without its type.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct StateType {
    id: TypeId,
    size: u32,
    align: u32,
    initial: fn() -> Vec<u8>,
}

#[doc(hidden)]
pub const fn state_of<S: HostState>() -> StateType {
    assert!(
        S::SIZE as usize == size_of::<S>() && S::ALIGN as usize == align_of::<S>(),
        "`Fields` says another layout than the struct has: derive it by `#[derive(HostState)]`"
    );
    StateType {
        id: TypeId::of::<S>(),
        size: S::SIZE,
        align: S::ALIGN,
        initial: || bytes_of(&S::default()).to_vec(),
    }
}

/// Where each struct is in the host page of a program.
#[derive(Debug, Default)]
pub(crate) struct PageLayout {
    places: Vec<(TypeId, Range<usize>)>,
    size: u32,
    /// What it holds at first, beyond zeros: offsets and bytes.
    init: Vec<(u32, Vec<u8>)>,
}

impl PageLayout {
    /// Lays out the types, each once, in the order given; nothing if a page
    /// cannot be as large.
    pub fn new<'a>(types: impl Iterator<Item = &'a StateType>) -> Option<PageLayout> {
        let mut layout = PageLayout::default();
        for ty in types {
            if layout.place(ty.id).is_none() {
                let offset = layout.reserve(ty.size, ty.align)?;
                layout.init.push((offset, (ty.initial)()));
                let place = offset as usize..layout.size as usize;
                layout.places.push((ty.id, place));
            }
        }
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        layout.init.retain(|(_, bytes)| !is_zero(bytes));
        Some(layout)
    }

    /// Takes `size` bytes behind what is there; gives where they start.
    pub fn reserve(&mut self, size: u32, align: u32) -> Option<u32> {
        let offset = self.size.checked_next_multiple_of(align)?;
        self.size = offset.checked_add(size)?;
        Some(offset)
    }

    /// The page as linking appends it; nothing if there is nothing in it.
    pub fn host_page(&self) -> Option<HostPage> {
        let (size, init) = (self.size, self.init.clone());
        (size > 0).then_some(HostPage { size, init })
    }

    /// Bytes of the memory that holds them.
    pub fn memory(&self) -> usize {
        (self.size as usize).next_multiple_of(1 << 16)
    }

    /// Where the struct of a type is, if the program has it.
    pub fn place(&self, id: TypeId) -> Option<Range<usize>> {
        let place = self.places.iter().find(|(place, _)| *place == id);
        place.map(|(_, place)| place.clone())
    }
}

/// The host page of an instance, given away struct by struct.
pub struct Page<'a> {
    layout: Arc<PageLayout>,
    /// What is left, with its offset in the page.
    pieces: SmallVec<[(usize, &'a mut [u8]); 2]>,
}

impl<'a> Page<'a> {
    pub fn new(layout: Arc<PageLayout>, bytes: &'a mut [u8]) -> Page<'a> {
        Page {
            layout,
            pieces: smallvec![(0, bytes)],
        }
    }

    /// The struct of a type, if the program has it and it was not taken yet.
    pub fn take<S: HostState>(&mut self) -> Option<&'a mut S> {
        let place = self.layout.place(TypeId::of::<S>())?;
        let mut pieces = self.pieces.iter();
        let holder = pieces
            .position(|(start, bytes)| *start <= place.start && place.end <= start + bytes.len())?;
        let (start, bytes) = self.pieces.swap_remove(holder);
        let (before, rest) = bytes.split_at_mut(place.start - start);
        let (state, after) = rest.split_at_mut(place.len());
        self.pieces.push((start, before));
        self.pieces.push((place.end, after));
        state_mut(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_structs_are_the_same() {
        let value = [[1_u16, 2], [3, 4]];
        let mut copy = value;
        let bytes = bytes_of(&value);
        assert_eq!(bytes.len(), 8);
        assert_eq!(state::<[[u16; 2]; 2]>(bytes), Some(&value));
        assert_eq!(state::<[u8; 8]>(bytes).map(|bytes| bytes[4]), Some(3));
        let half = slice_of(&mut copy);
        state_mut::<[u16; 4]>(half).expect("it fits")[3] = 9;
        assert_eq!(copy, [[1, 2], [3, 9]]);
    }

    fn slice_of(value: &mut [[u16; 2]; 2]) -> &mut [u8] {
        bytemuck::bytes_of_mut(value)
    }

    #[test]
    fn bytes_that_do_not_fit_are_no_struct() {
        let mut words = [0_u64; 3];
        let bytes: &mut [u8] = bytemuck::bytes_of_mut(&mut words);
        assert!(state::<u64>(&bytes[..7]).is_none());
        assert!(state::<u64>(&bytes[..9]).is_none());
        assert!(state::<u64>(&bytes[4..12]).is_none());
        assert!(state_mut::<u64>(&mut bytes[1..9]).is_none());
        assert!(state::<u64>(&bytes[8..16]).is_some());
    }
}
