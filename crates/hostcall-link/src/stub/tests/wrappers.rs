//! Calls that are not deferred come after those that are.

use super::machine::{Event, Machine};
use super::reader::Call;
use crate::stub::deferred::deferred_module;
use crate::stub::wrapper::wrapper_module;
use crate::stub::{Guest, Queue, Record, Store, StoreAs};
use crate::{FuncType, Provider, ValType};

const QUEUE: Queue = Queue {
    control: 32,
    start: 64,
    size: 256,
};
const COUNTER: u32 = 8;
const ALL: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
const ARGS: [u64; 4] = [
    u32::MAX as u64,
    u64::MAX - 1,
    0x7FA0_0001,
    0x7FF4_0000_0000_0001,
];

#[test]
fn they_pass_everything_on() {
    let ty = FuncType::new(ALL, ALL);
    for (queue, counter) in [(None, None), (None, Some(COUNTER)), (Some(&QUEUE), None)] {
        let mut machine = Machine::new("1", QUEUE);
        let wrapper = machine.function(&wrapper_module(9, &ty, queue, counter), None);
        assert_eq!(machine.call(wrapper, &ARGS).unwrap(), ARGS);
        assert_eq!(machine.seen(), [Event::Direct(9, ARGS.to_vec())]);
        assert_eq!(machine.counter(COUNTER), counter.map_or(0, |_| 1));
    }
}

#[test]
fn they_drain_first() {
    let mut machine = Machine::new("1", QUEUE);
    let record = Record {
        size: 8,
        stores: vec![Store {
            offset: 0,
            as_: StoreAs::Word,
        }],
        copies: Vec::new(),
    };
    let ty = FuncType::new([ValType::I32], []);
    let guest = Guest {
        wide: false,
        page_size_log2: 16,
    };
    machine.declare(7, &ty, &record);
    let stub = deferred_module(0, &ty, 7, &record, &QUEUE, guest, None);
    let stub = machine.function(&stub, None);
    let wrapper = wrapper_module(1, &FuncType::default(), Some(&QUEUE), Some(COUNTER));
    let wrapper = machine.function(&wrapper, None);
    machine.call(stub, &[5]).unwrap();
    machine.host().refuse = true;
    assert!(machine.call(wrapper, &[]).is_err());
    assert_eq!(machine.seen(), []);
    machine.call(wrapper, &[]).unwrap();
    machine.call(wrapper, &[]).unwrap();
    let call = Call {
        id: 7,
        fields: vec![5],
        pieces: Vec::new(),
    };
    let direct = || Event::Direct(1, Vec::new());
    assert_eq!(machine.seen(), [Event::Queued(call), direct(), direct()]);
    assert_eq!(machine.counter(COUNTER), 3);
}

#[test]
fn references_and_vectors() {
    let types = [ValType::V128, ValType::FuncRef, ValType::ExternRef];
    let ty = FuncType::new(types.clone(), types);
    let provider = crate::stub::wrapper(2, &ty, Some(&QUEUE), Some(COUNTER));
    assert_eq!(provider.function(crate::stub::FUNCTION), Some(&ty));
    assert!(!provider.uses_memory() && provider.uses_page());
}

#[test]
fn wrappers_without_a_task_use_nothing() {
    let provider: Provider = crate::stub::wrapper(2, &FuncType::default(), None, None);
    assert!(!provider.uses_page());
    assert_eq!(provider.operators(crate::stub::FUNCTION), Some(1));
}
