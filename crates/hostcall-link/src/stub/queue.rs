//! Operators on the control words of a queue.

use wasm_encoder::{BlockType, InstructionSink, ValType};

use super::Queue;
use super::module::Body;
use super::page::Page;

/// Bytes of a run's header: the function's id, and where the run ends.
pub(super) const HEADER: u32 = 8;

/// A queue, and how a module reaches it.
#[derive(Clone, Copy)]
pub(super) struct Access {
    pub(super) queue: Queue,
    pub(super) page: Page,
    /// The host's function that runs what is queued.
    pub(super) drain: u32,
}

impl Access {
    fn tail_word(self) -> u32 {
        self.queue.control
    }

    fn current_word(self) -> u32 {
        self.queue.control + 4
    }

    fn run_word(self) -> u32 {
        self.queue.control + 8
    }

    /// Leaves on the stack where the last record ends.
    pub(super) fn tail(self, code: &mut InstructionSink<'_>) {
        self.page.word(code, self.tail_word());
    }

    /// Leaves on the stack the function of the last run, 0 if nothing is queued.
    pub(super) fn current(self, code: &mut InstructionSink<'_>) {
        self.page.word(code, self.current_word());
    }

    pub(super) fn drain_if_queued(self, code: &mut InstructionSink<'_>) {
        self.current(code);
        code.if_(BlockType::Empty);
        code.call(self.drain);
        code.end();
    }

    /// Sets `tail` to what `value` leaves on the stack.
    pub(super) fn set_tail(
        self,
        code: &mut InstructionSink<'_>,
        value: impl FnOnce(&mut InstructionSink<'_>),
    ) {
        self.set(code, self.tail_word(), value);
    }

    fn set(
        self,
        code: &mut InstructionSink<'_>,
        word: u32,
        value: impl FnOnce(&mut InstructionSink<'_>),
    ) {
        code.i32_const(0);
        value(code);
        code.i32_store(self.page.at(word.into(), 4));
    }

    /// The function that begins a run of function `id`, in which a record of as
    /// many bytes as its parameter says has room, and gives the record's position.
    /// Such a record must have room in an empty queue.
    pub(super) fn open(self, id: u32) -> Body {
        let (record, run) = (0, 1);
        let mut body = Body::new(&[ValType::I32]);
        let mut code = body.code();
        code.loop_(BlockType::Empty);
        self.next_run(&mut code);
        code.local_tee(run);
        code.i32_const((self.queue.size - HEADER) as i32);
        code.local_get(record).i32_sub().i32_gt_u();
        code.if_(BlockType::Empty);
        code.call(self.drain).br(1);
        code.end().end();
        self.end_run(&mut code);
        self.begin_run(&mut code, run, id);
        code.local_get(run).i32_const(HEADER as i32).i32_add();
        body
    }

    /// Leaves on the stack where the next run can begin.
    fn next_run(self, code: &mut InstructionSink<'_>) {
        self.tail(code);
        code.i32_const(7).i32_add().i32_const(-8).i32_and();
    }

    /// Writes down where the last run ends. If there is none, that is somewhere in
    /// the header of the next one, where it means nothing.
    fn end_run(self, code: &mut InstructionSink<'_>) {
        let end = u64::from(self.queue.start) + 4;
        self.page.word(code, self.run_word());
        self.tail(code);
        code.i32_store(self.page.at(end, 4));
    }

    fn begin_run(self, code: &mut InstructionSink<'_>, run: u32, id: u32) {
        let start = u64::from(self.queue.start);
        code.local_get(run).i32_const(id as i32);
        code.i32_store(self.page.at(start, 4));
        self.set(code, self.run_word(), |code| {
            code.local_get(run);
        });
        self.set(code, self.current_word(), |code| {
            code.i32_const(id as i32);
        });
        self.set_tail(code, |code| {
            code.local_get(run).i32_const(HEADER as i32).i32_add();
        });
    }
}
