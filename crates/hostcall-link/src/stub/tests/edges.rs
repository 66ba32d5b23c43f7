//! What is just inside and just outside of what can be queued.

use wasmi::Func;

use super::machine::{Event, Machine};
use super::reader::Call;
use super::shapes::{Param, Shape};
use crate::ValType;
use crate::stub::deferred::deferred_module;
use crate::stub::{Guest, Queue, StoreAs};

const QUEUE: Queue = Queue {
    control: 0,
    start: 64,
    size: 256,
};
const IMPORT: u32 = 5;
const ID: u32 = 1;
const COUNTER: u32 = 16;
const MEMORY: u64 = 1 << 16;

/// A stub alone.
struct Alone {
    machine: Machine,
    stub: Func,
}

impl Alone {
    fn new(queue: Queue, wide: bool, params: Vec<Param>) -> Alone {
        let shape = Shape::new(params, wide);
        let mut machine = Machine::new(if wide { "i64 1" } else { "1" }, queue);
        let guest = Guest {
            wide,
            page_size_log2: 16,
        };
        let (ty, record) = (&shape.ty, &shape.record);
        let wasm = deferred_module(IMPORT, ty, ID, record, &queue, guest, Some(COUNTER));
        let stub = machine.function(&wasm, None);
        machine.declare(ID, ty, record);
        Alone { machine, stub }
    }

    /// What the host sees of one call, after a drain of its own.
    fn call(&mut self, args: &[u64]) -> Event {
        self.machine.call(self.stub, args).unwrap();
        self.machine.drain();
        let mut seen = self.machine.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    fn is_queued(&mut self, args: &[u64]) -> bool {
        match self.call(args) {
            Event::Queued(call) => {
                assert_eq!(call.id, ID);
                true
            }
            event => {
                assert_eq!(event, Event::Direct(IMPORT, args.to_vec()));
                false
            }
        }
    }

    /// The field of a record with one.
    fn field(&mut self, arg: u64) -> u64 {
        match self.call(&[arg]) {
            Event::Queued(call) => call.fields[0],
            event => panic!("{event:?}"),
        }
    }
}

fn items(wide: bool, stride: u32, align: u32) -> Alone {
    Alone::new(QUEUE, wide, vec![Param::Items { stride, align }])
}

fn number(ty: ValType, as_: StoreAs) -> Alone {
    Alone::new(QUEUE, false, vec![Param::Number(ty, as_)])
}

#[test]
fn pointers_end_with_the_memory() {
    for wide in [false, true] {
        let mut bytes = items(wide, 1, 1);
        assert!(bytes.is_queued(&[MEMORY - 10, 10]));
        assert!(!bytes.is_queued(&[MEMORY - 10, 11]));
        assert!(bytes.is_queued(&[MEMORY, 0]));
        assert!(!bytes.is_queued(&[MEMORY, 1]));
        assert!(!bytes.is_queued(&[MEMORY + 1, 0]));
        let top = u64::from(u32::MAX);
        assert!(!bytes.is_queued(&[top, 0]));
        assert!(!bytes.is_queued(&[top, 1]));
        assert!(!bytes.is_queued(&[top - 7, 8]));
    }
}

#[test]
fn long_pointers_do_not_wrap() {
    let mut bytes = items(true, 1, 1);
    for pointer in [u64::MAX, u64::MAX - 7, 1 << 63, 1 << 32] {
        for length in [0, 1, 8, 200] {
            assert!(!bytes.is_queued(&[pointer, length]), "{pointer} {length}");
        }
    }
}

#[test]
fn memory_that_grew_counts() {
    let mut bytes = items(false, 1, 1);
    assert!(!bytes.is_queued(&[MEMORY, 1]));
    bytes.machine.grow();
    assert!(bytes.is_queued(&[MEMORY, 1]));
}

#[test]
fn pointers_are_aligned() {
    for wide in [false, true] {
        let mut words = items(wide, 8, 8);
        for pointer in 16..24 {
            assert_eq!(words.is_queued(&[pointer, 1]), pointer == 16);
            assert_eq!(words.is_queued(&[pointer, 0]), pointer == 16);
        }
    }
}

#[test]
fn numbers_of_items_do_not_wrap() {
    // Each product is 2^32 or 2^64 and a bit.
    let narrow = [(1 << 31, 2), (1 << 16, 1 << 16), (u32::MAX, u32::MAX)];
    for (stride, count) in narrow {
        let mut items = items(false, stride, 1);
        assert!(!items.is_queued(&[0, u64::from(count)]));
        assert!(items.is_queued(&[0, 0]));
    }
    for (stride, count) in [(1 << 31, 1 << 33), (3, u64::MAX / 3 + 1), (1, u64::MAX)] {
        let mut items = items(true, stride, 1);
        assert!(!items.is_queued(&[0, count]));
        assert!(items.is_queued(&[0, 0]));
    }
}

#[test]
fn records_end_with_the_queue() {
    // The run's header and two words come first.
    let most = u64::from(QUEUE.size) - 8 - 16;
    let mut bytes = items(false, 1, 1);
    assert!(bytes.is_queued(&[0, most]));
    assert!(!bytes.is_queued(&[0, most + 1]));
    let two = vec![
        Param::Items {
            stride: 1,
            align: 1
        };
        2
    ];
    let mut two = Alone::new(QUEUE, false, two);
    assert!(two.is_queued(&[0, 100, 0, 112]));
    assert!(!two.is_queued(&[0, 112, 0, 112]));
    assert!(!two.is_queued(&[0, 216, 0, 216]));
    assert!(two.is_queued(&[0, 216 - 16, 0, 0]));
}

#[test]
fn queues_without_room() {
    let word = || vec![Param::Number(ValType::I64, StoreAs::Whole)];
    for (size, queued) in [(0, false), (8, false), (15, false), (16, true), (17, true)] {
        let queue = Queue { size, ..QUEUE };
        let mut stub = Alone::new(queue, false, word());
        assert_eq!(stub.is_queued(&[3]), queued, "{size}");
        assert_eq!(stub.is_queued(&[4]), queued, "{size}");
        assert_eq!(stub.machine.counter(COUNTER), 2);
        let at_once = if queued { 0 } else { 2 };
        assert_eq!(stub.machine.counter(COUNTER + 8), at_once);
    }
}

#[test]
fn one_record_at_a_time() {
    let queue = Queue { size: 16, ..QUEUE };
    let word = vec![Param::Number(ValType::I64, StoreAs::Whole)];
    let mut stub = Alone::new(queue, false, word);
    for arg in 1..4 {
        stub.machine.call(stub.stub, &[arg]).unwrap();
    }
    assert_eq!(stub.machine.seen(), [1, 2].map(queued));
    assert_eq!(stub.machine.control(), [16, ID, 0]);
}

fn queued(field: u64) -> Event {
    Event::Queued(Call {
        id: ID,
        fields: vec![field],
        pieces: Vec::new(),
    })
}

#[test]
fn cases_that_exist() {
    for bytes in [1, 2, 4] {
        let mut case = number(ValType::I32, StoreAs::Case { cases: 3, bytes });
        assert_eq!(case.field(0), 0);
        assert_eq!(case.field(2), 2);
        for other in [3, 0x102, 0x8000_0000, u32::MAX.into()] {
            assert!(!case.is_queued(&[other]), "{other}");
        }
    }
}

#[test]
fn characters() {
    let mut stub = number(ValType::I32, StoreAs::Char);
    for char in [0, 0xd7ff, 0xe000, 0x10_ffff] {
        assert_eq!(stub.field(char), char);
    }
    for other in [0xd800, 0xdfff, 0x11_0000, 0x8000_0000, u32::MAX.into()] {
        assert!(!stub.is_queued(&[other]), "{other:#x}");
    }
}

#[test]
fn narrow_values() {
    let mut bool = number(ValType::I32, StoreAs::Bool);
    assert_eq!(bool.field(0), 0);
    for yes in [1, 2, 0x100, 0x8000_0000] {
        assert_eq!(bool.field(yes), 1);
    }
    assert_eq!(number(ValType::I32, StoreAs::Low8).field(0x1234_5678), 0x78);
    assert_eq!(
        number(ValType::I32, StoreAs::Low16).field(0x1234_5678),
        0x5678
    );
    let minus_zero = u64::from((-0.0f32).to_bits());
    assert_eq!(
        number(ValType::F32, StoreAs::Word).field(minus_zero),
        minus_zero
    );
    let nan = 0x7FA0_0001;
    assert_eq!(number(ValType::F32, StoreAs::Whole).field(nan), nan);
    let all = u64::from(u32::MAX);
    assert_eq!(number(ValType::I32, StoreAs::Word).field(all), all);
    assert_eq!(
        number(ValType::I64, StoreAs::Word).field(u64::MAX),
        u64::MAX
    );
}

#[test]
fn what_was_copied_stays() {
    let mut bytes = items(false, 1, 1);
    bytes.machine.memory()[..4].copy_from_slice(b"then");
    bytes.machine.call(bytes.stub, &[0, 4]).unwrap();
    bytes.machine.memory()[..4].copy_from_slice(b"now ");
    bytes.machine.drain();
    let call = Call {
        id: ID,
        fields: vec![0, 4],
        pieces: vec![b"then".to_vec()],
    };
    assert_eq!(bytes.machine.seen(), [Event::Queued(call)]);
}

#[test]
fn a_drain_that_fails_changes_nothing() {
    let queue = Queue { size: 24, ..QUEUE };
    let word = vec![Param::Number(ValType::I64, StoreAs::Whole)];
    let mut stub = Alone::new(queue, false, word);
    stub.machine.call(stub.stub, &[1]).unwrap();
    stub.machine.call(stub.stub, &[2]).unwrap();
    let before = stub.machine.page()[32..].to_vec();
    let control = stub.machine.control();
    stub.machine.host().refuse = true;
    let error = stub.machine.call(stub.stub, &[3]).unwrap_err();
    assert_eq!(error.to_string(), "the host function fails");
    assert!(stub.machine.page()[32..] == before);
    assert_eq!(stub.machine.control(), control);
    assert_eq!(stub.machine.counter(COUNTER), 3);
    stub.machine.call(stub.stub, &[4]).unwrap();
    stub.machine.drain();
    assert_eq!(stub.machine.seen(), [1, 2, 4].map(queued));
}

#[test]
fn what_waits_at_the_host_is_something_queued() {
    let cases = StoreAs::Case { cases: 3, bytes: 1 };
    let mut stub = number(ValType::I32, cases);
    // A call opens a run behind what waits, without a drain.
    stub.machine.page()[4..8].fill(0xFF);
    assert_eq!(stub.call(&[1]), queued(1));
    // A call that cannot be queued drains first.
    stub.machine.page()[4..8].fill(0xFF);
    stub.machine.call(stub.stub, &[7]).unwrap();
    let direct = Event::Direct(IMPORT, vec![7]);
    assert_eq!(stub.machine.seen(), [Event::Waited, direct]);
}
