//! Bodies read and write the guest's memory, of either address size.

mod inline_common;

use hostcall_link::inline::{self, Builder, Stored, Target, cast, lit, messages};
use inline_common::{Edges, Machine, Wire, build, build_for, narrow, wide};

const PAGE: u64 = 65536;

macro_rules! round_trip {
    ($($ty:ty)*) => {
        $(for target in [narrow(), wide()] {
            let mut machine = Machine::new(build_for(&target, |b| {
                let (at, x) = (b.param::<u32>("at"), b.param::<$ty>("x"));
                b.returns::<$ty>();
                let memory = b.memory();
                memory.store(b, at.get(), x.get());
                b.ret(memory.load::<$ty>(at.get()));
            }));
            let size = size_of::<$ty>() as u32;
            for at in [0, 1, 17, PAGE as u32 - size] {
                for x in <$ty>::edges() {
                    let found = machine.run::<$ty>(&[at.arg(), x.arg()]).expect("in bounds");
                    assert!(found.same(x), "{x} at {at}");
                    let at = at as usize;
                    assert_eq!(machine.bytes()[at..][..size as usize], x.to_le_bytes());
                }
            }
            for at in [PAGE as u32 - size + 1, PAGE as u32, u32::MAX] {
                let found = machine.run::<$ty>(&[at.arg(), <$ty>::edges()[0].arg()]);
                assert_eq!(found.expect_err("out of bounds"), messages::MEMORY);
            }
        })*
    };
}

#[test]
fn every_width_loads_and_stores() {
    round_trip!(i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);
}

#[test]
fn addresses_of_64_bits() {
    for target in [narrow(), wide()] {
        let mut machine = Machine::new(build_for(&target, load::<u8>));
        assert_eq!(machine.run::<u8>(&[7_u64.arg()]), Ok(0));
        for at in [PAGE, 1 << 32, (1 << 32) + 7, u64::MAX] {
            assert_eq!(
                machine.run::<u8>(&[at.arg()]),
                Err(messages::MEMORY.into()),
                "{at}"
            );
        }
    }
}

fn load<T: Stored>(b: &Builder) {
    let at = b.param::<u64>("at");
    b.returns::<T>();
    b.ret(b.memory().load::<T>(at.get()));
}

/// An address is checked at the access, after the value is computed.
#[test]
fn values_come_before_the_check_of_the_address() {
    for target in [narrow(), wide()] {
        let mut machine = Machine::new(build_for(&target, |b| {
            let (at, x) = (b.param::<u64>("at"), b.param::<u32>("x"));
            b.returns::<()>();
            b.memory().store(b, at.get(), lit(100) / x.get());
        }));
        let mut run = |at: u64, x: u32| machine.run::<()>(&[at.arg(), x.arg()]);
        assert_eq!(run(1 << 40, 0), Err(messages::DIV_ZERO.into()));
        assert_eq!(run(1 << 40, 1), Err(messages::MEMORY.into()));
        assert_eq!(run(8, 3), Ok(()));
        assert_eq!(machine.bytes()[8], 33);
    }
}

#[test]
fn copies_and_fills() {
    for target in [narrow(), wide()] {
        let mut machine = Machine::new(build_for(&target, |b| {
            let (to, from, len) = (b.param::<u64>("to"), b.param::<u64>("from"), b.param("len"));
            let byte = b.param::<u8>("byte");
            b.returns::<()>();
            let memory = b.memory();
            memory.fill(b, from.get(), byte.get(), len.get());
            memory.copy(b, to.get(), from.get(), len.get());
        }));
        let mut run = |to: u64, from: u64, len: u64| {
            machine.run::<()>(&[to.arg(), from.arg(), len.arg(), 0xab_u8.arg()])
        };
        assert_eq!(run(10, 100, 5), Ok(()));
        assert_eq!(run(10, 100, 1 << 32), Err(messages::MEMORY.into()));
        assert_eq!(run(10, 1 << 33, 1), Err(messages::MEMORY.into()));
        assert_eq!(run(PAGE - 1, 200, 2), Err(messages::MEMORY.into()));
        assert_eq!(run(PAGE, 200, 0), Ok(()));
        assert_eq!(machine.bytes()[9..16], [0, 0xab, 0xab, 0xab, 0xab, 0xab, 0]);
        assert_eq!(machine.bytes()[PAGE as usize - 1], 0);
    }
}

#[test]
fn the_size_is_in_bytes() {
    for target in [narrow(), wide()] {
        let mut machine = Machine::new(build_for(&target, |b| {
            b.returns::<u64>();
            b.ret(b.memory().size());
        }));
        assert_eq!(machine.run::<u64>(&[]), Ok(PAGE));
    }
}

/// Loads are not moved behind stores.
#[test]
fn loads_keep_their_turn() {
    let mut machine = Machine::new(build(|b| {
        let at = b.param::<u32>("at");
        b.returns::<u32>();
        let memory = b.memory();
        let before = b.local(memory.load::<u32>(at.get()));
        memory.store(b, at.get(), lit(7_u32));
        let after = b.local(memory.load::<u32>(at.get()));
        b.ret(before.get() * lit(100) + after.get());
    }));
    assert_eq!(machine.run::<u32>(&[64_u32.arg()]), Ok(7));
    assert_eq!(machine.run::<u32>(&[64_u32.arg()]), Ok(707));
}

#[test]
fn a_sum_of_bytes() {
    let mut machine = Machine::new(build(|b| {
        let (at, len) = (b.param::<u32>("at"), b.param::<u32>("len"));
        b.returns::<u64>();
        let memory = b.memory();
        let sum = b.local(lit(0_u64));
        let end = b.local(at.get() + len.get());
        b.while_(
            || hostcall_link::inline::lt(at.get(), end.get()),
            |_| {
                sum.set(b, sum.get() + cast(memory.load::<u8>(at.get())));
                at.set(b, at.get() + lit(1));
            },
        );
        b.ret(sum.get());
    }));
    let memory = machine.memory.expect("a memory");
    memory.data_mut(&mut machine.store)[100..104].copy_from_slice(&[1, 2, 250, 255]);
    assert_eq!(machine.run::<u64>(&[100_u32.arg(), 4_u32.arg()]), Ok(508));
    assert_eq!(
        machine.run::<u64>(&[u32::MAX.arg(), 1_u32.arg()]),
        Err(messages::ADD.into())
    );
    let past = machine.run::<u64>(&[(PAGE as u32 - 1).arg(), 2_u32.arg()]);
    assert_eq!(past, Err(messages::MEMORY.into()));
}

/// Pages of one byte, in a guest of either address size.
#[test]
fn custom_pages() {
    for target in [narrow(), wide()] {
        let target = Target {
            page_size_log2: 0,
            ..target
        };
        fn body(b: &Builder) {
            b.returns::<u64>();
            b.ret(b.memory().size());
        }
        let provider = inline::build("size", body, &target).expect("a provider");
        let operators = if target.wide { 1 } else { 2 };
        assert_eq!(provider.operators("size"), Some(operators));
        assert!(provider.uses_memory());
    }
}
