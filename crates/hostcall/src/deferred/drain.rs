//! Delivers what is queued, in order.

use super::failure::{DeferredFailure, KeptCalls};
use super::run::RunPlace;
use super::{AnyStore, DeferredCalls, Handler, KeptRun, Run};
use crate::batching::read_u32;
use crate::error::{Crossed, Panicked, cross};
use crate::limits::metered;
use crate::owned::StoreData;
use crate::reach::Exports;
use hostcall_link::stub::Queue;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmtime::{AsContext, Memory, Trap};

/// Bytes of the header of a run.
const HEADER: usize = 8;
/// Stands for the current function where the host keeps records, so that the
/// guest lets it deliver them.
const KEPT: u32 = u32::MAX;
/// Bytes of the stack that deliveries inside deliveries may take: as many as an
/// engine gives guests by default. Where they begin after the guest has
/// returned, nothing else limits how deep a guest lets them become.
const STACK: usize = 512 << 10;

/// Delivers what is kept, before the guest is called again: so no guest can have
/// the host keep more and more.
#[inline(always)]
pub(crate) fn drain_kept<T: 'static>(
    store: &mut impl Exports<Data = StoreData<T>>,
) -> wasmtime::Result<()> {
    match store.data_mut().kept.is_empty() {
        true => Ok(()),
        false => drain_queue(AnyStore(store)),
    }
}

/// Delivers all that is queued or kept, if the program defers anything.
///
/// The first call that fails ends it: those after it are kept.
#[inline(always)]
pub(crate) fn drain<T: 'static>(
    store: &mut impl Exports<Data = StoreData<T>>,
) -> wasmtime::Result<()> {
    match store.data_mut().deferred {
        None => Ok(()),
        Some(_) => drain_queue(AnyStore(store)),
    }
}

fn drain_queue<T: 'static>(mut store: AnyStore<'_, StoreData<T>>) -> wasmtime::Result<()> {
    let data = store.data_mut();
    // No instance has made a call before these are known.
    let (Some(calls), Some(page)) = (&data.deferred, data.page) else {
        return Ok(());
    };
    let queue = calls.queue;
    if Control::read(page.data(&store), &queue).current == 0 {
        return Ok(());
    }
    let data = store.data_mut();
    let (calls, pending) = (data.deferred.clone(), std::mem::take(&mut data.kept));
    let Some(calls) = calls else { return Ok(()) };
    let drain = Drain {
        store,
        calls: &calls,
        page,
        pending,
        delivered: 0,
    };
    drain.nested()
}

/// The words that the stubs and the host share.
#[derive(Clone, Copy, Default)]
struct Control {
    tail: u32,
    current: u32,
    run: u32,
}

impl Control {
    fn read(page: &[u8], queue: &Queue) -> Control {
        let word = |index: u32| read_u32(page, (queue.control + 4 * index) as usize);
        Control {
            tail: word(0),
            current: word(1),
            run: word(2),
        }
    }

    fn write(self, page: &mut [u8], queue: &Queue) {
        let words = [self.tail, self.current, self.run];
        for (at, word) in (queue.control as usize..).step_by(4).zip(words) {
            page[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
    }

    /// The runs in the queue.
    fn runs(self, page: &[u8], queue: &Queue) -> Runs {
        let (mut runs, mut header) = (Runs::new(), 0);
        while header < self.tail {
            let at = (queue.start + header) as usize;
            let end = match header == self.run {
                true => self.tail,
                false => read_u32(page, at + 4),
            };
            runs.push(PageRun {
                id: read_u32(page, at),
                records: at + HEADER..(queue.start + end) as usize,
            });
            header = end.next_multiple_of(HEADER as u32);
        }
        runs
    }
}

type Runs = SmallVec<[PageRun; 4]>;

/// A run in the host page.
struct PageRun {
    id: u32,
    records: Range<usize>,
}

struct Drain<'d, 's, T: 'static> {
    store: AnyStore<'s, StoreData<T>>,
    calls: &'d DeferredCalls<T>,
    page: Memory,
    /// What comes before anything in the page.
    pending: VecDeque<KeptRun>,
    /// Records that were delivered.
    delivered: u64,
}

impl<T: 'static> Drain<'_, '_, T> {
    /// Delivers everything, unless this is in too many other deliveries.
    fn nested(mut self) -> wasmtime::Result<()> {
        let here = stack_address();
        let outermost = self.store.data_mut().delivering;
        if outermost.is_some_and(|first| first.abs_diff(here) > STACK) {
            return self.too_deep();
        }
        self.store.data_mut().delivering = outermost.or(Some(here));
        let delivered = self.run();
        self.store.data_mut().delivering = outermost;
        delivered
    }

    /// Fails the first call, as the guest's own call of a host function would.
    #[cold]
    fn too_deep(&mut self) -> wasmtime::Result<()> {
        self.pend_queued();
        let mut pending = std::iter::from_fn(|| self.pending.pop_front());
        let Some(mut run) = pending.find(|run| run.length() > 0) else {
            return Ok(());
        };
        let handler = self.calls.handler(run.id);
        run.skip(handler.shape.end(run.bytes(), 0));
        self.delivered = 1;
        Err(self.failed(Trap::StackOverflow.into(), handler, 1, run))
    }

    fn run(&mut self) -> wasmtime::Result<()> {
        if !self.pending.is_empty() {
            // Else calls of host functions would find it before what is pending.
            self.pend_queued();
        }
        loop {
            if let Some(run) = self.pending.pop_front() {
                self.kept(run)?;
            } else if !self.page()? {
                return Ok(());
            }
        }
    }

    /// Empties the queue; gives whether there was anything in it. Host
    /// functions that may run the guest, which may then queue more, get their
    /// records from a copy.
    fn page(&mut self) -> wasmtime::Result<bool> {
        let runs = self.take_runs();
        if runs
            .iter()
            .any(|run| self.calls.handler(run.id).func.reenters)
        {
            self.pending = self.copies(&runs);
        } else {
            self.in_place(&runs)?;
        }
        Ok(!runs.is_empty())
    }

    /// The runs in the queue, which is then empty.
    fn take_runs(&mut self) -> Runs {
        let queue = &self.calls.queue;
        let bytes = self.page.data_mut(&mut self.store);
        let control = Control::read(bytes, queue);
        Control::default().write(bytes, queue);
        control.runs(bytes, queue)
    }

    fn in_place(&mut self, runs: &[PageRun]) -> wasmtime::Result<()> {
        for (position, PageRun { id, records }) in runs.iter().enumerate() {
            let handler = self.calls.handler(*id);
            let mut run = handler.run(RunPlace::Page(self.page), records.clone());
            let delivered = deliver(handler, &mut self.store, &mut run);
            if let Err(error) = delivered {
                let (at, together) = (run.at, run.together);
                let before = &runs[..position];
                let before = before
                    .iter()
                    .map(|run| self.count(run.id, run.records.clone()));
                self.delivered += before.sum::<u64>() + self.count(*id, records.start..at);
                self.pending = self.copies(&runs[position + 1..]);
                let rest = self.copy(*id, at..records.end);
                return Err(self.failed(error, handler, together, rest));
            }
        }
        Ok(())
    }

    /// Delivers a run that the host has kept.
    fn kept(&mut self, mut kept: KeptRun) -> wasmtime::Result<()> {
        let handler = self.calls.handler(kept.id);
        let end = kept.length();
        let mut run = handler.run(RunPlace::Kept(kept.bytes_mut()), 0..end);
        let delivered = deliver(handler, &mut self.store, &mut run);
        let (at, together) = (run.at, run.together);
        self.delivered += handler.shape.count(kept.bytes(), 0..at);
        kept.skip(at);
        if let Err(error) = delivered {
            return Err(self.failed(error, handler, together, kept));
        }
        if kept.length() > 0 {
            self.pending.push_front(kept);
        }
        // What could not be delivered while the host function ran comes next.
        let first = std::mem::take(&mut self.store.data_mut().kept);
        first
            .into_iter()
            .rev()
            .for_each(|run| self.pending.push_front(run));
        Ok(())
    }

    fn count(&self, id: u32, records: Range<usize>) -> u64 {
        let bytes = self.page.data(&self.store);
        self.calls.handler(id).shape.count(bytes, records)
    }

    fn copy(&self, id: u32, records: Range<usize>) -> KeptRun {
        KeptRun::new(id, &self.page.data(&self.store)[records])
    }

    fn copies(&self, runs: &[PageRun]) -> VecDeque<KeptRun> {
        let runs = runs.iter();
        runs.map(|run| self.copy(run.id, run.records.clone()))
            .collect()
    }

    /// Takes what is in the queue behind what is pending.
    fn pend_queued(&mut self) {
        let runs = self.take_runs();
        let queued = self.copies(&runs);
        self.pending.extend(queued);
    }

    /// Keeps what is left of a run, and all that comes after it, behind what
    /// is kept already.
    fn keep_rest(&mut self, rest: KeptRun) {
        let pending = std::mem::take(&mut self.pending);
        let kept = &mut self.store.data_mut().kept;
        kept.extend(Some(rest).filter(|rest| rest.length() > 0));
        kept.extend(pending);
    }

    /// Has the guest deliver what is kept before anything else. Its queue is
    /// empty.
    fn mark_kept(&mut self) {
        if !self.store.data_mut().kept.is_empty() {
            let bytes = self.page.data_mut(&mut self.store);
            let current = KEPT;
            let control = Control::default();
            Control { current, ..control }.write(bytes, &self.calls.queue);
        }
    }

    /// The error for the call that failed, which was the last delivered.
    #[cold]
    fn failed(
        &mut self,
        error: wasmtime::Error,
        handler: &Handler<T>,
        together: u64,
        rest: KeptRun,
    ) -> wasmtime::Error {
        // What a host function has left in the queue, by calls that nothing
        // settled, comes last.
        self.pend_queued();
        self.keep_rest(rest);
        self.mark_kept();
        let page = self.page.data(&self.store);
        let kept = undelivered(self.store.as_context().data(), page, self.calls);
        let later: u64 = kept.iter().map(|kept| kept.calls).sum();
        let failure = DeferredFailure {
            record: self.delivered + 1 - together,
            together,
            queued: self.delivered + later,
            kept,
            stopped_by: None,
        };
        let mut error = cross(error, &handler.site);
        // A failure that came through this call from calls of its own keeps
        // its place.
        if let Some(crossed) = error.downcast_mut::<Crossed>() {
            crossed.deferred.get_or_insert(Box::new(failure));
        }
        error
    }
}

impl<T: 'static> Handler<T> {
    fn run<'r>(&'r self, place: RunPlace<'r>, records: Range<usize>) -> Run<'r> {
        Run {
            shape: &self.shape,
            caller: &self.caller,
            place,
            at: records.start,
            end: records.end,
            together: 1,
        }
    }
}

/// A panic is an error of the call, as in any host function.
fn deliver<T: 'static>(
    handler: &Handler<T>,
    store: &mut AnyStore<'_, StoreData<T>>,
    run: &mut Run<'_>,
) -> wasmtime::Result<()> {
    let delivered = catch_unwind(AssertUnwindSafe(|| match handler.metered {
        true => deliver_metered(handler, store, run),
        false => (handler.func.deliver)(store, run),
    }));
    delivered.unwrap_or_else(|payload| Err(wasmtime::Error::new(Panicked::new(&*payload))))
}

/// The same within limits: record by record, or all at once if that is how the
/// function takes them. One that is refused has failed.
fn deliver_metered<T: 'static>(
    handler: &Handler<T>,
    store: &mut AnyStore<'_, StoreData<T>>,
    run: &mut Run<'_>,
) -> wasmtime::Result<()> {
    let end = run.end;
    while run.at < end && store.data_mut().kept.is_empty() {
        let (bytes, _) = Run::source(&mut run.place, store);
        let next = handler.shape.end(bytes, run.at);
        let (next, calls, moved) = match handler.func.batch {
            true => (end, handler.shape.count(bytes, run.at..end), end - run.at),
            false => (next, 1, 0),
        };
        let fuel = handler.fuel.saturating_mul(calls);
        run.end = next;
        run.together = if handler.func.batch { calls } else { 1 };
        let delivered = metered(store, (calls, fuel), |store| {
            let transfer = store.data_mut().budget.transfer.as_ref();
            transfer.map_or(Ok(()), |transfer| transfer.take(moved as u64))?;
            (handler.func.deliver)(store, run)
        });
        run.end = end;
        if delivered.is_err() {
            run.at = next;
        }
        delivered?;
    }
    Ok(())
}

/// About where the stack is.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// The calls that are kept, and those in the host page, by host function.
pub(crate) fn undelivered<T>(
    data: &StoreData<T>,
    page: &[u8],
    calls: &DeferredCalls<T>,
) -> Vec<KeptCalls> {
    let mut list = Vec::new();
    let mut add = |id: u32, bytes: &[u8], records| {
        let handler = calls.handler(id);
        let count = handler.shape.count(bytes, records);
        KeptCalls::add(&mut list, &handler.site, count);
    };
    for run in &data.kept {
        add(run.id, run.bytes(), 0..run.length());
    }
    let queue = &calls.queue;
    for run in Control::read(page, queue).runs(page, queue) {
        add(run.id, page, run.records);
    }
    list
}

/// Forgets them.
pub(crate) fn discard(page: &mut [u8], queue: &Queue) {
    Control::default().write(page, queue);
}
