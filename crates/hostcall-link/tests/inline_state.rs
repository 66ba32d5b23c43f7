//! Bodies read and write host states in the host page.

mod inline_common;

use std::any::TypeId;
use std::mem::offset_of;

use hostcall_link::inline::{
    Address, BuildError, Builder, Fields, Place, Target, build_module, cast, lit, messages,
};
use inline_common::{Machine, STATE, Wire, build, build_for};

#[repr(C)]
#[allow(dead_code, reason = "only its layout matters")]
struct Stats {
    calls: u64,
    scale: f32,
    small: [i16; 2],
    table: [Entry; 4],
}

#[repr(C)]
#[allow(dead_code, reason = "only its layout matters")]
struct Entry {
    key: u32,
    bytes: [u8; 8],
}

struct StatsPlace {
    calls: Place<u64>,
    scale: Place<f32>,
    small: Place<[i16; 2]>,
    table: Place<[Entry; 4]>,
}

struct EntryPlace {
    key: Place<u32>,
    bytes: Place<[u8; 8]>,
}

impl Fields for Stats {
    type Place = StatsPlace;
    const SIZE: u32 = size_of::<Stats>() as u32;
    const ALIGN: u32 = align_of::<Stats>() as u32;
    fn place(at: Address) -> StatsPlace {
        StatsPlace {
            calls: u64::place(at.offset(offset_of!(Stats, calls))),
            scale: f32::place(at.offset(offset_of!(Stats, scale))),
            small: <[i16; 2]>::place(at.offset(offset_of!(Stats, small))),
            table: <[Entry; 4]>::place(at.offset(offset_of!(Stats, table))),
        }
    }
}

impl Fields for Entry {
    type Place = EntryPlace;
    const SIZE: u32 = size_of::<Entry>() as u32;
    const ALIGN: u32 = align_of::<Entry>() as u32;
    fn place(at: Address) -> EntryPlace {
        EntryPlace {
            key: u32::place(at.offset(offset_of!(Entry, key))),
            bytes: <[u8; 8]>::place(at.offset(offset_of!(Entry, bytes))),
        }
    }
}

fn at(offset: usize) -> usize {
    STATE as usize + offset
}

#[test]
fn fields() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<f32>("x");
        b.returns::<f32>();
        let stats = b.state::<Stats>();
        stats.calls.set(b, stats.calls.get() + lit(1));
        stats.small.at(lit(1)).set(b, cast(stats.calls.get()));
        b.ret(x.get() * stats.scale.get());
    }));
    machine.page_bytes()[at(8)..][..4].copy_from_slice(&2.5_f32.to_le_bytes());
    assert_eq!(machine.run::<f32>(&[4_f32.arg()]), Ok(10.0));
    assert_eq!(machine.run::<f32>(&[1_f32.arg()]), Ok(2.5));
    assert_eq!(machine.page_bytes()[at(0)], 2);
    assert_eq!(machine.page_bytes()[at(14)], 2);
}

#[test]
fn elements_of_nested_arrays() {
    let mut machine = Machine::new(build(|b| {
        let (i, j) = (b.param::<usize>("i"), b.param::<u32>("j"));
        let value = b.param::<u8>("value");
        b.returns::<u32>();
        let table = b.state::<Stats>().table;
        table
            .at(i.get())
            .bytes
            .at(cast(j.get()))
            .set(b, value.get());
        let key = table.at(i.get()).key.held(b);
        key.set(b, key.get() + lit(1));
        b.ret(table.at(i.get()).key.get());
    }));
    let mut run = |i: usize, j: u32| machine.run::<u32>(&[i.arg(), j.arg(), 9_u8.arg()]);
    assert_eq!(run(3, 7), Ok(1));
    assert_eq!(run(3, 0), Ok(2));
    for (i, j) in [(4, 0), (0, 8), (usize::MAX, 0), (1 << 32, 0), (0, u32::MAX)] {
        assert_eq!(run(i, j), Err(messages::INDEX.into()), "{i} {j}");
    }
    let entry = at(offset_of!(Stats, table) + 3 * size_of::<Entry>());
    let page = machine.page_bytes();
    assert_eq!(page[entry], 2);
    assert_eq!(page[entry + 4..][..8], [9, 0, 0, 0, 0, 0, 0, 9]);
}

/// `small[i] = 100 / x`: the value comes first.
#[test]
fn the_value_comes_before_the_place() {
    let mut machine = Machine::new(build(|b| {
        let (i, x) = (b.param::<usize>("i"), b.param::<i16>("x"));
        b.returns::<()>();
        b.state::<Stats>()
            .small
            .at(i.get())
            .set(b, lit(100) / x.get());
    }));
    let mut run = |i: usize, x: i16| machine.run::<()>(&[i.arg(), x.arg()]);
    assert_eq!(run(2, 0), Err(messages::DIV_ZERO.into()));
    assert_eq!(run(2, 1), Err(messages::INDEX.into()));
    assert_eq!(run(1, 3), Ok(()));
    assert_eq!(machine.page_bytes()[at(14)], 33);
}

#[test]
fn constant_indices_out_of_bounds_trap() {
    let mut machine = Machine::new(build(|b| {
        b.returns::<i16>();
        b.ret(b.state::<Stats>().small.at(lit(2)).get());
    }));
    assert_eq!(machine.run::<i16>(&[]), Err(messages::INDEX.into()));
}

/// The page is the second memory if the body uses the guest's, too.
#[test]
fn two_memories() {
    let mut machine = Machine::new(build(|b| {
        let at = b.param::<u32>("at");
        b.returns::<u64>();
        let (memory, calls) = (b.memory(), b.state::<Stats>().calls);
        memory.store(b, at.get(), calls.get());
        calls.set(b, memory.load::<u64>(at.get()) + lit(5));
        b.ret(calls.get());
    }));
    assert_eq!(machine.run::<u64>(&[32_u32.arg()]), Ok(5));
    assert_eq!(machine.run::<u64>(&[32_u32.arg()]), Ok(10));
    assert_eq!(machine.bytes()[32], 5);
    assert_eq!(machine.page_bytes()[at(0)], 10);
}

#[test]
fn states_of_several_types() {
    let states = |id: TypeId| Some(if id == TypeId::of::<u32>() { 64 } else { 128 });
    let target = Target {
        states: &states,
        ..inline_common::narrow()
    };
    let mut machine = Machine::new(build_for(&target, |b| {
        b.returns::<()>();
        b.state::<u32>().set(b, lit(1));
        b.state::<u8>().set(b, lit(2));
    }));
    assert_eq!(machine.run(&[]), Ok(()));
    assert_eq!(
        (machine.page_bytes()[64], machine.page_bytes()[128]),
        (1, 2)
    );
}

#[test]
fn a_state_that_the_page_does_not_hold() {
    fn body(b: &Builder) {
        b.state::<u64>().set(b, lit(1));
    }
    let target = Target {
        states: &|_| None,
        ..inline_common::narrow()
    };
    let error = build_module("count", body, &target).expect_err("no such state");
    assert!(matches!(error, BuildError::UnknownState { .. }));
    assert!(
        error
            .to_string()
            .contains("`count` uses the host state `u64`")
    );
}
