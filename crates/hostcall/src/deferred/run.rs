//! Runs of records, in the host page or kept by the host.

#![expect(unsafe_code, reason = "arguments of records")]

use super::AnyStore;
use super::record::SLOT;
use crate::args::Args;
use crate::error::Bad;
use crate::fault::Fault;
use crate::guest::Within;
use crate::limits::Transfer;
use crate::memory::Source;
use crate::owned::StoreData;
use crate::reach::Exports;
use hostcall_link::stub::{Copied, Length, Record};
use std::mem::MaybeUninit;
use std::ops::Range;
use wasmtime::{AsContextMut, Memory, ValRaw};

/// Copies stand at multiples of this.
const ALIGN: usize = 8;

/// What records of one function look like.
pub(crate) struct Shape {
    pub record: Record,
    /// Whether pointers are 64 bits wide.
    pub wide: bool,
    /// The pointer of the only thing that is copied, if that is a string or a
    /// list of bytes, whose length comes behind it.
    text: Option<usize>,
}

type Slots<'s> = &'s mut [MaybeUninit<ValRaw>];

impl Shape {
    pub fn new(record: Record, wide: bool) -> Shape {
        let text = match record.copies.as_slice() {
            [
                Copied {
                    pointer,
                    length: Length::Items { count, stride: 1 },
                    ..
                },
            ] if *count == pointer + 1 => Some(*pointer as usize),
            _ => None,
        };
        Shape { record, wide, text }
    }

    /// Core values of a call.
    pub fn params(&self) -> usize {
        self.record.stores.len()
    }

    /// Where the record at `at` ends.
    pub fn end(&self, bytes: &[u8], at: usize) -> usize {
        let copies = self.copies(bytes, at);
        let last = copies.last().map(|(_, range)| aligned(range.end));
        last.unwrap_or(at + self.record.size as usize)
    }

    /// How many records there are.
    pub fn count(&self, bytes: &[u8], range: Range<usize>) -> u64 {
        let (mut count, mut at) = (0, range.start);
        while at < range.end {
            at = self.end(bytes, at);
            count += 1;
        }
        count
    }

    /// What was copied behind the record at `at`, and where it stands.
    fn copies<'s>(
        &'s self,
        bytes: &'s [u8],
        at: usize,
    ) -> impl Iterator<Item = (&'s Copied, Range<usize>)> {
        let mut start = at + self.record.size as usize;
        self.record.copies.iter().map(move |copied| {
            let range = start..start + length(copied, &bytes[at..]);
            start = aligned(range.end);
            (copied, range)
        })
    }

    /// The core values of the record at `at`, with pointers to the copies.
    /// Gives where the record ends.
    #[inline(always)]
    fn read(&self, bytes: &[u8], at: usize, slots: Slots<'_>) -> usize {
        // The length of the slots may be known at compile time, that of the
        // record is not.
        let mut end = at + SLOT * slots.len().max(1);
        let words = &bytes[at..end];
        for (i, slot) in slots.iter_mut().enumerate() {
            slot.write(ValRaw::u64(word(words, i as u32)));
        }
        // Most records with copies are of this kind. Without a loop over copies
        // they are read measurably faster.
        if let Some(pointer) = self.text {
            slots[pointer].write(ValRaw::u64(end as u64));
            return aligned(end + word(words, pointer as u32 + 1) as usize);
        }
        for copied in &self.record.copies {
            slots[copied.pointer as usize].write(ValRaw::u64(end as u64));
            end = aligned(end + length(copied, words));
        }
        end
    }

    /// Lets a fault speak of the guest's addresses, not of the copies'.
    #[cold]
    fn relocate(&self, error: wasmtime::Error, bytes: &[u8], at: usize) -> wasmtime::Error {
        let mut bad = match error.downcast::<Bad>() {
            Ok(bad) => bad,
            Err(error) => return error,
        };
        if let Fault::Utf8 { pointer, .. } | Fault::BitPattern { pointer, .. } = &mut *bad.fault {
            let mut copies = self.copies(bytes, at);
            let found = copies.find(|(_, range)| range.contains(&(*pointer as usize)));
            if let Some((copied, range)) = found {
                // The guest's address may be the lower one.
                *pointer -= range.start as u64;
                *pointer += word(&bytes[at..], copied.pointer);
            }
        }
        wasmtime::Error::new(bad)
    }
}

fn aligned(at: usize) -> usize {
    at.next_multiple_of(ALIGN)
}

/// How many bytes were copied for a record, which `record` begins with.
#[inline(always)]
fn length(copied: &Copied, record: &[u8]) -> usize {
    match copied.length {
        Length::Bytes(length) => length as usize,
        // Most items are bytes; a product is worth a branch here, because the
        // next record is known only when it is.
        Length::Items { count, stride: 1 } => word(record, count) as usize,
        Length::Items { count, stride } => word(record, count) as usize * stride as usize,
    }
}

/// Core value `slot` of a record.
#[inline(always)]
fn word(record: &[u8], slot: u32) -> u64 {
    let bytes = record[slot as usize * SLOT..][..SLOT].try_into();
    u64::from_le_bytes(bytes.expect("a slot has as many bytes as a `u64`"))
}

/// Records of one function, of which some may have been handed over.
pub(crate) struct Run<'r> {
    pub shape: &'r Shape,
    /// What a guest handle is told about the function that has it.
    pub caller: &'r Within,
    pub place: RunPlace<'r>,
    /// Where the next record is in its bytes.
    pub at: usize,
    pub end: usize,
    /// How many records the host function was given at once.
    pub together: u64,
}

/// Where a run is.
pub(crate) enum RunPlace<'r> {
    /// In the host page.
    Page(Memory),
    /// In bytes that the host has kept.
    Kept(&'r mut [u8]),
}

impl Run<'_> {
    /// The bytes that the run is in, and the data of the store, at once.
    #[inline(always)]
    pub fn source<'s, T>(
        place: &'s mut RunPlace<'_>,
        store: &'s mut AnyStore<'_, StoreData<T>>,
    ) -> (&'s mut [u8], &'s mut StoreData<T>) {
        match place {
            RunPlace::Page(page) => page.data_and_store_mut(store.as_context_mut()),
            RunPlace::Kept(bytes) => (bytes, store.data_mut()),
        }
    }

    /// Moves past the next record, and has its arguments read. There are as many
    /// slots as it has core values.
    #[inline(always)]
    pub fn next<R>(
        shape: &Shape,
        at: &mut usize,
        (bytes, transfer): (&mut [u8], Option<&Transfer>),
        slots: Slots<'_>,
        with: impl FnOnce(&mut Args<'_>) -> wasmtime::Result<R>,
    ) -> wasmtime::Result<R> {
        let start = *at;
        *at = shape.read(bytes, start, slots);
        let source = Source::Bytes(&mut *bytes);
        // SAFETY: `read` has initialised all of them.
        let args = unsafe { Args::new(slots, shape.wide, source, None, &[]) };
        match with(&mut args.counted(transfer)) {
            Ok(value) => Ok(value),
            Err(error) => Err(shape.relocate(error, bytes, start)),
        }
    }
}

/// Records that wait at the host: what a failure has left over, or the rest of
/// a queue while host functions run that may fill it anew.
pub(crate) struct KeptRun {
    /// See [`DeferredCalls::handlers`](super::DeferredCalls::handlers).
    pub id: u32,
    /// Aligned as the queue is, and somewhat longer than the run.
    words: Vec<u64>,
    /// Where in them the records are that were not handed over.
    range: Range<usize>,
}

impl KeptRun {
    pub fn new(id: u32, records: &[u8]) -> KeptRun {
        let mut words = vec![0; records.len().div_ceil(ALIGN)];
        bytemuck::cast_slice_mut(&mut words)[..records.len()].copy_from_slice(records);
        let range = 0..records.len();
        KeptRun { id, words, range }
    }

    /// Takes so many bytes as handed over, to the end of a record.
    pub fn skip(&mut self, bytes: usize) {
        self.range.start += bytes;
    }

    pub fn length(&self) -> usize {
        self.range.len()
    }

    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[self.range.clone()]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[self.range.clone()]
    }
}
