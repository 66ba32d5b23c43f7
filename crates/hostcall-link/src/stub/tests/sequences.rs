//! Random calls of several stubs that share a queue: the host sees them in order,
//! as they were when they were made.

use proptest::prelude::*;
use wasmi::Func;

use super::machine::{Event, Machine, PAGE_BYTES};
use super::model::Model;
use super::shapes::{Param, Shape, shapes};
use crate::stub::deferred::deferred_module;
use crate::stub::wrapper::wrapper_module;
use crate::stub::{Guest, Queue};
use crate::{FuncType, ValType};

const CONTROL: u32 = 16;
const COUNTERS: u32 = 64;
/// The position of the import that is not deferred.
const PLAIN: u32 = 100;
/// What the page is full of where nothing of ours is.
const FILLER: u8 = 0xA5;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Call {
        stub: usize,
        picks: Vec<(u8, u64)>,
    },
    /// The import that is not deferred is called.
    Plain(u32),
    /// The guest writes its memory.
    Write(u8),
    /// The host drains by itself.
    Drain,
    /// The host has something waiting.
    Wait,
    /// The next step's drain fails.
    Refuse,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let picks = prop::collection::vec(any::<(u8, u64)>(), 1..10);
    let call = (any::<usize>(), picks).prop_map(|(stub, picks)| Step::Call { stub, picks });
    let step = prop_oneof![
        16 => call,
        1 => any::<u32>().prop_map(Step::Plain),
        1 => any::<u8>().prop_map(Step::Write),
        1 => Just(Step::Drain),
        1 => Just(Step::Wait),
        1 => Just(Step::Refuse),
    ];
    prop::collection::vec(step, 1..60)
}

fn guests() -> impl Strategy<Value = (Guest, &'static str)> {
    let guest = |wide, page_size_log2, ty| {
        let guest = Guest {
            wide,
            page_size_log2,
        };
        Just((guest, ty))
    };
    prop_oneof![
        guest(false, 16, "1"),
        guest(true, 16, "i64 1"),
        guest(false, 0, "1003 (pagesize 1)"),
        guest(true, 0, "i64 1003 (pagesize 1)"),
    ]
}

struct World {
    machine: Machine,
    model: Model,
    queue: Queue,
    shapes: Vec<Shape>,
    stubs: Vec<Func>,
    plain: Func,
    counts: Vec<u64>,
    /// Those of them that crossed at once.
    direct: Vec<u64>,
}

impl World {
    /// The queue is at the very end of the page.
    fn new((guest, memory): (Guest, &str), size: u32, shapes: Vec<Vec<Param>>) -> World {
        let queue = Queue {
            control: CONTROL,
            start: (PAGE_BYTES - size) / 16 * 16,
            size,
        };
        let mut machine = Machine::new(memory, queue);
        machine.page().fill(FILLER);
        machine.page()[CONTROL as usize..][..12].fill(0);
        let shapes = shapes
            .into_iter()
            .map(|params| Shape::new(params, guest.wide));
        let shapes: Vec<Shape> = shapes.collect();
        let mut stubs = Vec::new();
        for (index, shape) in (0..).zip(&shapes) {
            let (ty, record, counter) = (&shape.ty, &shape.record, counter(index));
            machine.declare(id(index), ty, record);
            let wasm = deferred_module(index, ty, id(index), record, &queue, guest, counter);
            stubs.push(machine.function(&wasm, None));
            if let Some(counter) = counter {
                machine.page()[counter as usize..][..16].fill(0);
            }
        }
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        let plain = machine.function(&wrapper_module(PLAIN, &ty, Some(&queue), None), None);
        World {
            machine,
            model: Model::new(queue),
            queue,
            counts: vec![0; shapes.len()],
            direct: vec![0; shapes.len()],
            shapes,
            stubs,
            plain,
        }
    }

    fn run(&mut self, steps: &[Step]) {
        self.write(1);
        for step in steps {
            self.step(step);
            let refuse = matches!(step, Step::Refuse);
            self.machine.host().refuse = refuse;
            self.model.refuse = refuse;
            self.compare();
        }
        self.drain();
        self.compare();
        self.nothing_else_was_written();
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Call { stub, picks } => self.call(stub % self.stubs.len(), picks),
            Step::Plain(arg) => {
                let args = [u64::from(*arg)];
                let given = self.machine.call(self.plain, &args);
                let expected = self.model.direct(PLAIN, &args);
                assert_eq!(given.ok(), expected.ok().map(|()| args.to_vec()));
            }
            Step::Write(seed) => self.write(*seed),
            Step::Drain => self.drain(),
            Step::Wait if self.model.current == 0 => {
                self.model.current = u32::MAX;
                self.machine.page()[CONTROL as usize + 4..][..4].fill(0xFF);
            }
            Step::Wait | Step::Refuse => {}
        }
    }

    fn call(&mut self, index: usize, picks: &[(u8, u64)]) {
        let shape = &self.shapes[index];
        let memory = self.machine.memory().to_vec();
        let args = shape.args(picks, memory.len() as u64, self.queue.size.into());
        let import = index as u32;
        let expected = self.model.call(id(import), import, shape, &args, &memory);
        let result = self.machine.call(self.stubs[index], &args);
        assert_eq!(result.is_ok(), expected.is_ok(), "{result:?}");
        self.counts[index] += 1;
    }

    fn write(&mut self, seed: u8) {
        for (at, byte) in self.machine.memory().iter_mut().enumerate() {
            *byte = (at as u8)
                .wrapping_mul(seed | 1)
                .wrapping_add((at >> 8) as u8);
        }
    }

    fn drain(&mut self) {
        self.machine.host().refuse = false;
        self.model.refuse = false;
        self.machine.drain();
        assert!(self.model.drain().is_ok());
    }

    fn compare(&mut self) {
        let control = [self.model.tail, self.model.current, self.model.run];
        assert_eq!(self.machine.control(), control);
        let log = std::mem::take(&mut self.model.log);
        self.count_direct(&log);
        assert_eq!(self.machine.seen(), log);
        let counts = self.counts.iter().zip(&self.direct);
        for (index, (count, direct)) in (0..).zip(counts) {
            if let Some(counter) = counter(index) {
                assert_eq!(self.machine.counter(counter), *count);
                assert_eq!(self.machine.counter(counter + 8), *direct);
            }
        }
    }

    fn count_direct(&mut self, log: &[Event]) {
        for event in log {
            if let Event::Direct(import, _) = event
                && let Some(count) = self.direct.get_mut(*import as usize)
            {
                *count += 1;
            }
        }
    }

    fn nothing_else_was_written(&mut self) {
        let stubs = self.stubs.len().next_multiple_of(2) as u32;
        let first = CONTROL..COUNTERS + 8 * stubs;
        let queue = self.queue.start..self.queue.start + self.queue.size;
        let bytes = (0..).zip(self.machine.page().iter());
        for (address, byte) in bytes {
            if !first.contains(&address) && !queue.contains(&address) {
                assert_eq!(*byte, FILLER, "address {address} was written");
            }
        }
    }
}

fn id(index: u32) -> u32 {
    // Some with all bits in use.
    0x8000_0001 + index
}

/// Every other stub counts.
fn counter(index: u32) -> Option<u32> {
    index.is_multiple_of(2).then_some(COUNTERS + 8 * index)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_host_sees_every_call_in_order(
        guest in guests(),
        size in prop_oneof![0u32..64, 0u32..600, Just(60_000)],
        shapes in shapes(),
        steps in steps(),
    ) {
        World::new(guest, size, shapes).run(&steps);
    }
}
