//! What a host sets for calls that cross many at once, and where the host page
//! has room for them.

use crate::deferred::QUEUE_SIZE;
use crate::host::Host;
use crate::inline::PageLayout;
use hostcall_link::stub::{Batch, Queue, Record};

/// Bytes of the arguments and of the results of a batch in the host page: some
/// hundred elements, which stay in the first cache.
const BATCH: u32 = 8 << 10;
/// Bytes of what is counted of one import: its calls, and behind them those of a
/// deferred function that were not queued.
pub(crate) const COUNTER: u32 = 16;
/// Everything stands at multiples of this.
const ALIGN: u32 = 16;

#[derive(Clone, Debug)]
pub(crate) struct BatchSettings {
    pub deferring: bool,
    /// Bytes of the queue.
    pub queue_size: u32,
    pub counts_calls: bool,
    /// Exports that get a driver.
    pub mapped: Vec<String>,
}

impl Default for BatchSettings {
    fn default() -> BatchSettings {
        BatchSettings {
            deferring: true,
            queue_size: QUEUE_SIZE,
            counts_calls: false,
            mapped: Vec::new(),
        }
    }
}

impl BatchSettings {
    /// Whether the queue holds a record at all, and the header of its run.
    pub fn has_room(&self, record: &Record) -> bool {
        u64::from(record.size) + 8 <= self.queue_bytes()
    }

    /// The size of the queue, rounded.
    pub fn queue_bytes(&self) -> u64 {
        u64::from(self.queue_size).next_multiple_of(ALIGN.into())
    }
}

impl<T: 'static> Host<T> {
    /// Counts the calls of every import, in the guest: an addition for each, also
    /// for functions whose body stands in the guest or whose calls are deferred.
    /// [`Instance::calls`](crate::Instance::calls) gives the counts.
    pub fn count_calls(&mut self, on: bool) -> &mut Self {
        self.batching.counts_calls = on;
        self
    }

    /// Gives every guest a loop around its export `name`, by which
    /// [`Instance::map`](crate::Instance::map) and
    /// [`Instance::fold`](crate::Instance::fold) call it for many arguments in one
    /// crossing.
    pub fn map_export(&mut self, name: &str) -> &mut Self {
        self.batching.mapped.push(name.to_owned());
        self
    }
}

/// Where the host page of a program has what batches need.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchLayout {
    pub queue: Option<Queue>,
    /// For each function import of the guest, as many bytes as [`COUNTER`].
    pub counters: Option<u32>,
    pub batch: Option<Batch>,
}

/// What batches need of the host page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchNeeds {
    /// Bytes of the queue.
    pub queue: Option<u32>,
    /// Number of counters.
    pub counters: Option<u32>,
    /// The largest element, in bytes, of what is mapped.
    pub element: Option<u32>,
}

impl BatchLayout {
    /// Reserves room in the host page; nothing if it gets too large.
    pub fn new(needs: BatchNeeds, page: &mut PageLayout) -> Option<BatchLayout> {
        let counters = match needs.counters {
            Some(count) => Some(page.reserve(count.checked_mul(COUNTER)?, ALIGN)?),
            None => None,
        };
        let queue = match needs.queue {
            Some(size) => Some(queue(size, page)?),
            None => None,
        };
        let batch = match needs.element {
            Some(element) => Some(batch(element, page)?),
            None => None,
        };
        Some(BatchLayout {
            queue,
            counters,
            batch,
        })
    }
}

/// The word at `at` of the host page.
pub(crate) fn read_u32(page: &[u8], at: usize) -> u32 {
    let bytes = page[at..at + 4].try_into();
    u32::from_le_bytes(bytes.expect("a word has four bytes"))
}

fn queue(size: u32, page: &mut PageLayout) -> Option<Queue> {
    let size = size.checked_next_multiple_of(ALIGN)?;
    Some(Queue {
        control: page.reserve(ALIGN, ALIGN)?,
        start: page.reserve(size, ALIGN)?,
        size,
    })
}

fn batch(element: u32, page: &mut PageLayout) -> Option<Batch> {
    let size = BATCH.max(element);
    Some(Batch {
        progress: page.reserve(ALIGN, ALIGN)?,
        input: page.reserve(size, ALIGN)?,
        output: page.reserve(size, ALIGN)?,
    })
}

/// How many elements fit between `input` and `output`, by their sizes.
pub(crate) fn capacity(input: u32, output: u32) -> usize {
    let largest = input.max(output).max(1);
    (BATCH / largest).max(1) as usize
}
