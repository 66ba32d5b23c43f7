//! Out-pointers of hostile guests: what is bad is refused by name, nothing is
//! written then, and the instance works on.

mod common;

use common::*;
use hostcall::{AsErrno, Error, Fault, Host, Instance, Value};
use std::num::NonZeroU16;
use std::ops::Range;
use wasmtime::{Config, Engine};

/// `f(fail) -> (u8, u64, u32)`, in a guest with this memory.
fn guest(word: &str, memory: &str) -> Instance<u32> {
    let mut config = Config::new();
    config.shared_memory(true);
    let mut host = Host::<u32>::with_engine(Engine::new(&config).unwrap());
    host.func_with_state("env", "f", |calls: &mut u32, fail: bool| {
        *calls += 1;
        AsErrno(match fail {
            true => Err(NonZeroU16::MIN),
            false => Ok((0x11_u8, u64::MAX, 0x2222_2222_u32)),
        })
    });
    let guest = forwarder(&format!("i32 {word} {word} {word}"), "i32", memory);
    instance(&host, &guest, 0)
}

const SIZES: [u64; 3] = [1, 8, 4];
const TYPES: [&str; 3] = ["u8", "u64", "u32"];

/// What should be refused: the position of the out-pointer, and why.
fn expected(outs: [u64; 3]) -> Option<(usize, Fault)> {
    let mut seen: Vec<Range<u64>> = Vec::new();
    for (i, (at, size)) in outs.into_iter().zip(SIZES).enumerate() {
        if at % size != 0 {
            return Some((
                i,
                Fault::Misaligned {
                    pointer: at,
                    align: size,
                },
            ));
        }
        if at.checked_add(size).is_none_or(|end| end > PAGE) {
            return Some((i, out_of_bounds(at, size)));
        }
        let clash = seen
            .iter()
            .find(|other| at < other.end && other.start < at + size);
        if let Some(other) = clash {
            let other = (other.start, other.end - other.start);
            return Some((
                i,
                Fault::Overlap {
                    this: (at, size),
                    other,
                },
            ));
        }
        seen.push(at..at + size);
    }
    None
}

fn check(guest: &mut Instance<u32>, outs: [u64; 3], value: fn(u64) -> Value) -> bool {
    poke(guest, 0, &[0xee; 64]);
    let mut memory = bytes(guest, 0, PAGE as usize);
    let calls = *guest.state();
    let args = [w(0), value(outs[0]), value(outs[1]), value(outs[2])];
    let result = guest.call("run", &args);
    assert_eq!(*guest.state(), calls + 1, "the function ran");
    let refused = expected(outs);
    match &refused {
        None => {
            assert_eq!(result.expect("they are good"), [w(0)], "{outs:x?}");
            let values: [&[u8]; 3] = [&[0x11], &[0xff; 8], &[0x22; 4]];
            for (at, value) in outs.into_iter().zip(values) {
                memory[at as usize..][..value.len()].copy_from_slice(value);
            }
        }
        Some((i, fault)) => {
            let error = result.expect_err("one is bad");
            assert_eq!(error.fault(), Some(fault), "{outs:x?}: {error}");
            let argument = format!("out{i}: out<{}>", TYPES[*i]);
            assert_eq!(error.argument(), Some(&*argument));
            assert_eq!(error.import(), Some(("env", "f")));
        }
    }
    assert_eq!(bytes(guest, 0, PAGE as usize), memory, "{outs:x?}");
    let args = [w(1), args[1].clone(), args[2].clone(), args[3].clone()];
    let failed = guest.call("run", &args).expect("nothing is written");
    assert_eq!(failed, [w(1)], "{outs:x?}");
    refused.is_none()
}

fn check_all(mut guest: Instance<u32>, addresses: &[u64], value: fn(u64) -> Value) {
    let mut accepted = 0;
    for &first in addresses {
        for &second in addresses {
            for &third in addresses {
                accepted += usize::from(check(&mut guest, [first, second, third], value));
            }
        }
    }
    assert!(accepted > 10, "{accepted}");
    assert!(accepted < addresses.len().pow(3), "{accepted}");
}

#[test]
fn all_bad_out_pointers_are_refused() {
    let addresses = [
        0,
        3,
        4,
        8,
        12,
        16,
        PAGE - 8,
        PAGE - 1,
        PAGE,
        0xffff_fff8,
        0xffff_ffff,
    ];
    check_all(guest("i32", MEMORY), &addresses, |at| w(at as u32));
}

#[test]
fn all_bad_out_pointers_of_64_bits_are_refused() {
    let addresses = [0, 4, 8, 16, PAGE - 8, PAGE, 1 << 32, u64::MAX - 7, u64::MAX];
    check_all(guest("i64", MEMORY64), &addresses, x);
}

#[test]
fn the_message_names_import_argument_and_value() {
    let mut guest = guest("i32", MEMORY);
    let error = guest.call("run", &[w(0), w(0), w(12), w(0)]).unwrap_err();
    assert!(
        error.to_string().starts_with(
            "host function `env.f` refused argument `out1: out<u64>`: address 0xc is not aligned \
             to 8 bytes"
        ),
        "{error}"
    );
}

#[test]
fn memory_that_is_not_there_is_a_fault_of_what_is_written() {
    for memory in ["", r#"(memory (export "memory") 1 1 shared)"#] {
        let mut guest = guest("i32", memory);
        let fault = fault(guest.call("run", &[w(0), w(0), w(8), w(16)]));
        let expected = match memory {
            "" => Fault::NoMemory,
            _ => Fault::SharedMemory,
        };
        assert_eq!(fault, expected);
        assert_eq!(
            guest.call("run", &[w(1), w(0), w(0), w(0)]).unwrap(),
            [w(1)]
        );
    }
}

/// A guest that gets a number and a string.
fn texts(realloc: &str) -> Instance<()> {
    let mut host = Host::<()>::new();
    host.func("env", "f", || {
        AsErrno(Ok::<_, NonZeroU16>(("text".to_owned(), 7_u32)))
    });
    let items = [MEMORY, realloc].concat();
    instance(&host, &forwarder("i32 i32", "i32", &items), ())
}

#[test]
fn pointers_are_checked_before_anything_is_allocated() {
    let traps =
        r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)"#;
    let mut guest = texts(traps);
    let fault = fault(guest.call("run", &[w(8), w(65534)]));
    assert_eq!(
        fault,
        Fault::Misaligned {
            pointer: 65534,
            align: 4
        }
    );
    let error = guest.call("run", &[w(8), w(16)]).unwrap_err();
    assert_eq!(error.trap(), Some(hostcall::Trap::UnreachableCodeReached));
    assert_eq!(bytes(&mut guest, 8, 12), [0; 12]);
}

#[test]
fn a_string_needs_an_allocator() {
    let mut guest = texts("");
    assert_eq!(fault(guest.call("run", &[w(8), w(16)])), Fault::NoRealloc);
    let wild = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const -1))"#;
    let mut guest = texts(wild);
    assert!(matches!(
        fault(guest.call("run", &[w(8), w(16)])),
        Fault::BadRealloc {
            pointer: 0xffff_ffff,
            ..
        }
    ));
    assert_eq!(bytes(&mut guest, 8, 12), [0; 12]);
}

/// An allocator that grows memory moves it in the host, not in the guest; one
/// that gives the place of the values themselves hurts its own guest only.
#[test]
fn allocators_that_grow_or_overlap_are_the_guests_own() {
    let grows = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (i32.mul (memory.grow (i32.const 16)) (i32.const 65536)))"#;
    let mut guest = texts(grows);
    assert_eq!(guest.call("run", &[w(8), w(16)]).unwrap(), [w(0)]);
    assert_eq!(bytes(&mut guest, 8, 4), 0x1_0000_u32.to_le_bytes());
    assert_eq!(bytes(&mut guest, 0x1_0000, 4), b"text");
    let same = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const 8))"#;
    let mut guest = texts(same);
    assert_eq!(guest.call("run", &[w(8), w(16)]).unwrap(), [w(0)]);
    assert_eq!(
        bytes(&mut guest, 8, 12),
        [8, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0]
    );
}

/// The raw slots of an export hold no out-pointers: the type behind a code
/// cannot be passed elsewhere to read some.
#[test]
fn a_code_is_no_argument_of_an_export() {
    use hostcall::Returns;
    type Coded = <AsErrno<Result<u32, NonZeroU16>> as Returns>::Ok;
    let host = Host::<()>::new();
    let text = r#"(module (func (export "take") (param i32)))"#;
    let mut guest = instance(&host, text, ());
    let take = guest.export::<(Coded,), ()>("take").expect("an `i32`");
    let coded = AsErrno(Ok::<_, NonZeroU16>(1_u32)).returned();
    let error: Error = take
        .call(&mut guest, (coded.expect("it is `Ok`"),))
        .unwrap_err();
    assert!(
        error.to_string().contains("what a host function returns"),
        "{error}"
    );
}
