//! What hostile guests pass: every kind of it is refused by name, in typed and
//! dynamic host functions alike, and the instance works on.

mod common;

use common::*;
use hostcall::{
    Error, ErrorKind, Fault, Guest, GuestFunc, GuestPtr, GuestSlice, GuestStr, GuestType, Host,
    HostRef, Instance, Signature, Trap, Value,
};
use std::ffi::CStr;
use std::time::{Duration, Instant};
use wasmtime::{Config, Engine};

/// One guest that passes the same core values to a typed and to a dynamic host
/// function of the same interface.
struct Both(Instance<u32>);

const EXPORTS: [&str; 2] = ["typed", "dynamic"];

impl Both {
    fn new(
        memory: &str,
        params: &str,
        typed: impl FnOnce(&mut Host<u32>),
        signature: &str,
    ) -> Both {
        let mut host = Host::new();
        typed(&mut host);
        let signature: Signature = signature.parse().expect("a signature");
        host.func_dynamic("env", "dynamic", signature, |_, _, _| Ok::<_, Error>(()));
        host.func_with_state("env", "alive", |calls: &mut u32, text: &str| {
            *calls += 1;
            text.len() as u32
        });
        let (typed, call_typed) = forward("typed", "typed", params, "");
        let (dynamic, call_dynamic) = forward("dynamic", "dynamic", params, "");
        let word = if memory.contains("i64") { "i64" } else { "i32" };
        let guest = format!(
            r#"(module {typed} {dynamic}
                (import "env" "alive" (func $alive (param {word} {word}) (result i32)))
                {memory} {call_typed} {call_dynamic}
                (func (export "alive") (result i32)
                    (call $alive ({word}.const 0) ({word}.const 3))))"#
        );
        Both(instance(&host, &guest, 0))
    }

    /// Both accept these core values.
    #[track_caller]
    fn accepts(&mut self, args: &[Value]) {
        for export in EXPORTS {
            if let Err(error) = self.0.call(export, args) {
                panic!("{export} refused {args:?}: {error}");
            }
        }
    }

    /// Both refuse these core values, naming the argument; the guest goes on.
    #[track_caller]
    fn refuses(&mut self, args: &[Value], argument: &str, expected: &Fault) {
        for export in EXPORTS {
            self.refused(export, args, argument, expected);
        }
    }

    #[track_caller]
    fn refused(&mut self, export: &str, args: &[Value], argument: &str, expected: &Fault) {
        let Err(error) = self.0.call(export, args) else {
            panic!("{export} accepted {args:?}");
        };
        assert_eq!(error.fault(), Some(expected), "{export} {args:?}: {error}");
        assert_eq!(error.argument(), Some(argument), "{export} {args:?}");
        assert_eq!(error.import(), Some(("env", export)));
        assert_eq!(error.export(), Some(export));
        self.alive();
    }

    #[track_caller]
    fn alive(&mut self) {
        let before = *self.0.state();
        assert_eq!(self.0.call("alive", &[]).expect("it works on"), [w(3)]);
        assert_eq!(*self.0.state(), before + 1);
    }
}

macro_rules! both {
    ($memory:expr, $params:literal, $typed:expr, $signature:expr) => {
        Both::new(
            $memory,
            $params,
            |host| {
                host.func("env", "typed", $typed);
            },
            $signature,
        )
    };
}

#[test]
fn strings_at_the_edges_of_memory() {
    let mut guest = both!(MEMORY, "i32 i32", |_: &str| {}, "func(p0: string)");
    for (at, len) in [
        (0, 0),
        (0, 65536),
        (65536, 0),
        (65535, 1),
        (65535, 0),
        (1, 65535),
    ] {
        guest.accepts(&[w(at), w(len)]);
    }
    for (at, len) in [
        (65537, 0),
        (65536, 1),
        (65535, 2),
        (0, 65537),
        (1, 65536),
        (u32::MAX, 0),
        (u32::MAX, 1),
        (0x8000_0000, 0x10_0000),
    ] {
        let fault = out_of_bounds(at.into(), len.into());
        guest.refuses(&[w(at), w(len)], "p0: string", &fault);
    }
    // `pointer + length` is 2^32 - 1 + 2^32 - 1 here, and 0 modulo 2^32 there.
    for (at, len) in [
        (u32::MAX, u32::MAX),
        (0x8000_0000, 0x8000_0000),
        (1, u32::MAX),
    ] {
        let fault = out_of_bounds(at.into(), len.into());
        guest.refused("typed", &[w(at), w(len)], "p0: string", &fault);
    }
}

#[test]
fn strings_at_the_edges_of_64_bit_memory() {
    let mut guest = both!(MEMORY64, "i64 i64", |_: &str| {}, "func(p0: string)");
    for (at, len) in [(0, 0), (0, 65536), (65536, 0), (65535, 1)] {
        guest.accepts(&[x(at), x(len)]);
    }
    for (at, len) in [
        (65537, 0),
        (65536, 1),
        (u64::MAX, 0),
        (u64::MAX, 1),
        (u64::MAX - 7, 8),
        (1 << 32, 0),
        (1 << 32, 1),
        ((1 << 32) | 1, 65535),
        (1 << 63, 16),
    ] {
        guest.refuses(&[x(at), x(len)], "p0: string", &out_of_bounds(at, len));
    }
    for (at, len) in [
        (u64::MAX, u64::MAX),
        (1 << 63, 1 << 63),
        (1, u64::MAX),
        (0, 1 << 32),
    ] {
        guest.refused(
            "typed",
            &[x(at), x(len)],
            "p0: string",
            &out_of_bounds(at, len),
        );
    }
}

// Bounds come before what copying costs.
#[test]
fn owned_strings_of_impossible_length_are_out_of_bounds() {
    let mut guest = both!(MEMORY, "i32 i32", |_: String| {}, "func(p0: string)");
    let fault = out_of_bounds(1, u32::MAX.into());
    guest.refuses(&[w(1), w(u32::MAX)], "p0: string", &fault);
}

#[test]
fn slices_at_the_edges_of_memory() {
    fn check(mut guest: Both) {
        for (at, count) in [(0, 0), (0, 16384), (65536, 0), (65532, 1), (4, 16383)] {
            guest.accepts(&[w(at), w(count)]);
        }
        for (at, count) in [
            (65540, 0),
            (65536, 1),
            (65532, 2),
            (0, 16385),
            (0, 0x4000_0000),
            (4, 0x4000_0000),
            (0, u32::MAX),
            (0xffff_fffc, 1),
            (0xffff_fffc, u32::MAX),
        ] {
            let fault = out_of_bounds(at.into(), 4 * u64::from(count));
            guest.refuses(&[w(at), w(count)], "p0: list<u32>", &fault);
        }
        for (at, count) in [
            (1, 0),
            (2, 1),
            (3, 1),
            (65535, 0),
            (65537, 0),
            (u32::MAX, u32::MAX),
        ] {
            let fault = Fault::Misaligned {
                pointer: at.into(),
                align: 4,
            };
            guest.refuses(&[w(at), w(count)], "p0: list<u32>", &fault);
        }
    }
    let signature = "func(p0: list<u32>)";
    check(both!(MEMORY, "i32 i32", |_: &[u32]| {}, signature));
    check(both!(MEMORY, "i32 i32", |_: &mut [u32]| {}, signature));
    check(both!(MEMORY, "i32 i32", |_: Vec<u32>| {}, signature));
}

#[test]
fn slices_in_64_bit_memory() {
    let signature = "func(p0: list<u64>)";
    let mut borrowed = both!(MEMORY64, "i64 i64", |_: &[u64]| {}, signature);
    let mut mutable = both!(MEMORY64, "i64 i64", |_: &mut [u64]| {}, signature);
    let mut owned = both!(MEMORY64, "i64 i64", |_: Vec<u64>| {}, signature);
    for guest in [&mut borrowed, &mut mutable, &mut owned] {
        guest.accepts(&[x(65536), x(0)]);
        guest.accepts(&[x(0), x(8192)]);
        for (at, count) in [
            (0, 8193),
            (65536, 1),
            (1 << 32, 0),
            (u64::MAX - 7, 1),
            (8, 1 << 60),
        ] {
            let fault = out_of_bounds(at, 8 * count);
            guest.refuses(&[x(at), x(count)], "p0: list<u64>", &fault);
        }
        let fault = Fault::Misaligned {
            pointer: u64::MAX,
            align: 8,
        };
        guest.refuses(&[x(u64::MAX), x(u64::MAX)], "p0: list<u64>", &fault);
    }
    // `count * size` does not fit into 64 bits.
    let overflow = Fault::OutOfBounds {
        pointer: 8,
        length: None,
        memory: PAGE,
    };
    for guest in [&mut borrowed, &mut mutable] {
        for count in [u64::MAX, 1 << 61, 1 << 63] {
            guest.refused("typed", &[x(8), x(count)], "p0: list<u64>", &overflow);
        }
    }
    for count in [u64::MAX, 1 << 61, (1 << 61) + 1] {
        let fault = fault(owned.0.call("typed", &[x(8), x(count)]));
        assert!(
            matches!(fault, Fault::OutOfBounds { pointer: 8, .. }),
            "{fault}"
        );
        let same = common::fault(owned.0.call("dynamic", &[x(8), x(count)]));
        assert_eq!(fault, same);
        owned.alive();
    }
}

#[test]
fn values_by_pointer_at_the_edges() {
    let signature = "func(p0: pointer<u64>)";
    let mut shared = both!(MEMORY, "i32", |_: &u64| {}, signature);
    let mut mutable = both!(MEMORY, "i32", |_: &mut u64| {}, signature);
    for guest in [&mut shared, &mut mutable] {
        guest.accepts(&[w(65528)]);
        for at in [65536, 0x1_0008, 0xffff_fff8] {
            guest.refuses(&[w(at)], "p0: pointer<u64>", &out_of_bounds(at.into(), 8));
        }
        for at in [1, 4, 65532, u32::MAX] {
            let fault = Fault::Misaligned {
                pointer: at.into(),
                align: 8,
            };
            guest.refuses(&[w(at)], "p0: pointer<u64>", &fault);
        }
    }
    let mut wide = both!(MEMORY64, "i64", |_: &u64| {}, signature);
    wide.accepts(&[x(65528)]);
    for at in [65536, 1 << 32, u64::MAX - 7] {
        wide.refuses(&[x(at)], "p0: pointer<u64>", &out_of_bounds(at, 8));
    }
}

/// A list of `u64` can be viewed in a memory without any bytes.
#[test]
fn empty_slices_of_an_empty_memory() {
    const EMPTY: &str = r#"(memory (export "memory") 0)"#;
    let mut host = Host::<()>::new();
    host.func("env", "f", |a: &mut [u64], b: &[f64], c: &str| {
        (a.len() + b.len() + c.len()) as u32
    });
    let guest = forwarder("i32 i32 i32 i32 i32 i32", "i32", EMPTY);
    let mut instance = instance(&host, &guest, ());
    let zero = || w(0);
    let args = [zero(), zero(), zero(), zero(), zero(), zero()];
    assert_eq!(
        instance.call("run", &args).expect("nothing is borrowed"),
        [w(0)]
    );
}

#[test]
fn c_strings() {
    const DATA: &str = r#"(memory (export "memory") 1)
        (data (i32.const 65530) "abcdef")
        (data (i32.const 8) "good\00bad \ff\00")"#;
    let mut guest = both!(DATA, "i32", |_: &CStr| {}, "func(p0: cstring)");
    guest.accepts(&[w(8)]);
    guest.accepts(&[w(12)]);
    guest.accepts(&[w(65529)]);
    for at in [65530, 65535, 65536] {
        let fault = Fault::MissingNul { pointer: at.into() };
        guest.refuses(&[w(at)], "p0: cstring", &fault);
    }
    for at in [65537, u32::MAX] {
        guest.refuses(&[w(at)], "p0: cstring", &out_of_bounds(at.into(), 0));
    }
    // `&CStr` need not be UTF-8, a dynamic string does.
    guest.0.call("typed", &[w(13)]).expect("bytes");
    let fault = Fault::Utf8 {
        pointer: 13,
        length: 5,
        valid: 4,
    };
    guest.refused("dynamic", &[w(13)], "p0: cstring", &fault);
}

#[test]
fn c_string_that_ends_with_memory() {
    const DATA: &str = r#"(memory (export "memory") 1) (data (i32.const 65533) "ab\00")"#;
    let mut host = Host::<()>::new();
    host.func("env", "f", |text: &CStr| text.to_bytes().len() as u32);
    let mut instance = instance(&host, &forwarder("i32", "i32", DATA), ());
    for (at, len) in [(65533, 2), (65534, 1), (65535, 0)] {
        assert_eq!(instance.call("run", &[w(at)]).expect("it ends"), [w(len)]);
    }
}

#[test]
fn text_that_is_not_utf8() {
    const DATA: &str = r#"(memory (export "memory") 1)
        (data (i32.const 16) "ok\ff\fe")
        (data (i32.const 32) "\ed\a0\80")
        (data (i32.const 48) "\c0\80")
        (data (i32.const 65534) "a\e2")"#;
    let mut borrowed = both!(DATA, "i32 i32", |_: &str| {}, "func(p0: string)");
    let mut owned = both!(DATA, "i32 i32", |_: String| {}, "func(p0: string)");
    for guest in [&mut borrowed, &mut owned] {
        guest.accepts(&[w(16), w(2)]);
        for (pointer, length, valid) in [
            (16, 4, 2),
            (18, 1, 0),
            (32, 3, 0),
            (48, 2, 0),
            (65534, 2, 1),
        ] {
            let fault = Fault::Utf8 {
                pointer,
                length,
                valid,
            };
            guest.refuses(&[w(pointer as u32), w(length as u32)], "p0: string", &fault);
        }
    }
}

/// Calls a function that borrows two ranges: `(at, len)` of the first and of
/// the second. Gives the fault and the argument that it was found in.
struct Overlaps(Instance<()>);

impl Overlaps {
    fn new(register: impl FnOnce(&mut Host<()>)) -> Overlaps {
        let mut host = Host::new();
        register(&mut host);
        Overlaps(instance(
            &host,
            &forwarder("i32 i32 i32 i32", "", MEMORY),
            (),
        ))
    }

    fn call(&mut self, a: (u32, u32), b: (u32, u32)) -> Result<Vec<Value>, Error> {
        self.0.call("run", &[w(a.0), w(a.1), w(b.0), w(b.1)])
    }

    #[track_caller]
    fn refuses(&mut self, a: (u32, u32), b: (u32, u32), size: (u64, u64)) {
        let expected = Fault::Overlap {
            this: (b.0.into(), u64::from(b.1) * size.1),
            other: (a.0.into(), u64::from(a.1) * size.0),
        };
        let error = self.call(a, b).expect_err("they overlap");
        assert_eq!(error.fault(), Some(&expected));
        assert!(
            error
                .argument()
                .is_some_and(|name| name.starts_with("p1: ")),
            "{error}"
        );
        self.call((0, 4), (64, 4)).expect("it works on");
    }
}

#[test]
fn overlapping_mutable_borrows() {
    let both_mutable = Overlaps::new(|host| {
        host.func("env", "f", |_: &mut [u8], _: &mut [u8]| {});
    });
    let first = Overlaps::new(|host| {
        host.func("env", "f", |_: &mut [u8], _: &[u8]| {});
    });
    let second = Overlaps::new(|host| {
        host.func("env", "f", |_: &[u8], _: &mut [u8]| {});
    });
    let text = Overlaps::new(|host| {
        host.func("env", "f", |_: &str, _: &mut [u8]| {});
    });
    for mut guest in [both_mutable, first, second, text] {
        for (a, b) in [
            ((100, 10), (100, 10)),
            ((100, 10), (109, 1)),
            ((100, 10), (91, 10)),
            ((100, 10), (104, 2)),
            ((104, 2), (100, 10)),
            ((0, 65536), (65535, 1)),
            ((65535, 1), (0, 65536)),
        ] {
            guest.refuses(a, b, (1, 1));
        }
        for (a, b) in [
            ((100, 10), (110, 10)),
            ((100, 10), (90, 10)),
            ((100, 10), (105, 0)),
            ((105, 0), (100, 10)),
            ((100, 0), (100, 0)),
            ((65536, 0), (0, 65536)),
        ] {
            guest.call(a, b).expect("they are disjoint");
        }
    }
    let mut shared = Overlaps::new(|host| {
        host.func("env", "f", |_: &[u8], _: &str| {});
    });
    shared
        .call((100, 10), (100, 10))
        .expect("neither is mutable");
    let mut sizes = Overlaps::new(|host| {
        host.func("env", "f", |_: &mut [u32], _: &[u64]| {});
    });
    sizes.refuses((8, 3), (16, 1), (4, 8));
    sizes.call((8, 2), (16, 1)).expect("they are disjoint");
}

#[test]
fn overlap_with_values_by_pointer_and_options() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: &mut u64, _: &u32, _: Option<&mut [u8]>| {});
    let guest = forwarder("i32 i32 i32 i32 i32", "", MEMORY);
    let mut instance = instance(&host, &guest, ());
    let mut call = |a, b, tag, at, len| instance.call("run", &[w(a), w(b), w(tag), w(at), w(len)]);
    call(8, 16, 0, 0, 100).expect("none");
    call(8, 16, 1, 0, 8).expect("disjoint");
    call(8, 16, 1, 20, 8).expect("disjoint");
    let overlap = |this, other| Fault::Overlap { this, other };
    assert_eq!(fault(call(8, 12, 0, 0, 0)), overlap((12, 4), (8, 8)));
    assert_eq!(fault(call(8, 16, 1, 0, 9)), overlap((0, 9), (8, 8)));
    assert_eq!(fault(call(8, 16, 1, 19, 1)), overlap((19, 1), (16, 4)));
}

#[test]
fn overlap_with_a_c_string() {
    const DATA: &str = r#"(memory (export "memory") 1) (data (i32.const 100) "abc\00")
        (data (i32.const 65533) "xyz")"#;
    let mut host = Host::<()>::new();
    host.func("env", "f", |text: &CStr, _: &mut [u8]| {
        text.to_bytes().len() as u32
    });
    host.func("env", "g", |_: &mut [u8], text: &CStr| {
        text.to_bytes().len() as u32
    });
    let (import_f, f) = forward("f", "f", "i32 i32 i32", "i32");
    let (import_g, g) = forward("g", "g", "i32 i32 i32", "i32");
    let guest = format!("(module {import_f} {import_g} {DATA} {f} {g})");
    let mut instance = instance(&host, &guest, ());
    let mut call = |name: &str, args: [u32; 3]| instance.call(name, &args.map(w));
    assert_eq!(call("f", [100, 104, 10]).expect("disjoint"), [w(3)]);
    assert_eq!(call("f", [100, 90, 10]).expect("disjoint"), [w(3)]);
    let overlap = |this, other| Fault::Overlap { this, other };
    assert_eq!(fault(call("f", [100, 103, 1])), overlap((103, 1), (100, 4)));
    assert_eq!(fault(call("f", [100, 0, 101])), overlap((0, 101), (100, 4)));
    assert_eq!(call("g", [104, 10, 100]).expect("disjoint"), [w(3)]);
    assert_eq!(call("g", [90, 10, 100]).expect("disjoint"), [w(3)]);
    // A mutable borrow of no bytes does not end the search for the NUL.
    assert_eq!(call("g", [101, 0, 100]).expect("disjoint"), [w(3)]);
    // The string ends before, or not at all.
    for args in [
        [103, 1, 100],
        [0, 101, 100],
        [102, 100, 100],
        [0, 65536, 65533],
    ] {
        let fault = fault(call("g", args));
        assert!(
            matches!(fault, Fault::MissingNul { .. } | Fault::Overlap { .. }),
            "{fault}"
        );
    }
}

#[test]
fn characters_and_bools() {
    let mut guest = both!(MEMORY, "i32", |_: char| {}, "func(p0: char)");
    for good in [0, 0x41, 0xd7ff, 0xe000, 0x10_ffff] {
        guest.accepts(&[w(good)]);
    }
    for bad in [0xd800, 0xdfff, 0x11_0000, u32::MAX] {
        guest.refuses(&[w(bad)], "p0: char", &Fault::Char(bad));
    }
    // In memory: 0x64 holds 0xd800, 0x68 holds 'A'.
    const DATA: &str = r#"(memory (export "memory") 1)
        (data (i32.const 0x64) "\00\d8\00\00A\00\00\00\00\00\11\00")"#;
    let mut guest = both!(DATA, "i32 i32", |_: Vec<char>| {}, "func(p0: list<char>)");
    guest.accepts(&[w(0x68), w(1)]);
    guest.refuses(&[w(0x64), w(1)], "p0: list<char>", &Fault::Char(0xd800));
    guest.refuses(&[w(0x68), w(2)], "p0: list<char>", &Fault::Char(0x11_0000));
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Color {
    Red,
    Green,
    Blue,
}

#[derive(GuestType, Clone, Debug, PartialEq)]
enum Shape {
    Empty,
    Circle(f32),
    Named { name: String, corners: u64 },
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Pixel {
    letter: char,
    color: Color,
    on: bool,
    depth: u16,
}

#[test]
fn discriminants_as_core_values() {
    let tag = |tag, cases| Fault::Tag { tag, cases };
    let mut guest = both!(
        MEMORY,
        "i32 i32",
        |_: Option<u32>| {},
        "func(p0: option<u32>)"
    );
    guest.accepts(&[w(0), w(u32::MAX)]);
    guest.accepts(&[w(1), w(u32::MAX)]);
    for bad in [2, 256, u32::MAX] {
        guest.refuses(&[w(bad), w(0)], "p0: option<u32>", &tag(bad, 2));
    }
    let mut guest = both!(
        MEMORY,
        "i32 i64",
        |_: Result<u64, char>| {},
        "func(p0: result<u64, char>)"
    );
    guest.accepts(&[w(0), x(u64::MAX)]);
    // The upper half of a slot that an `i32` shares with an `i64` is ignored.
    guest.accepts(&[w(1), x(0xffff_ffff_0000_0041)]);
    let name = "p0: result<u64, char>";
    guest.refuses(&[w(1), x(0xd800)], name, &Fault::Char(0xd800));
    for bad in [2, 0x100, u32::MAX] {
        guest.refuses(&[w(bad), x(0)], name, &tag(bad, 2));
    }
    let mut guest = both!(
        MEMORY,
        "i32",
        |_: Color| {},
        "func(p0: enum { red, green, blue })"
    );
    guest.accepts(&[w(2)]);
    for bad in [3, 0x100, 0x102, u32::MAX] {
        guest.refuses(&[w(bad)], "p0: enum { red, green, blue }", &tag(bad, 3));
    }
    let shape = Shape::ty().to_string();
    let mut guest = both!(
        MEMORY,
        "i32 i32 i32 i64",
        |_: Shape| {},
        &format!("func(p0: {shape})")
    );
    let name = format!("p0: {shape}");
    guest.accepts(&[w(0), w(u32::MAX), w(u32::MAX), x(u64::MAX)]);
    guest.accepts(&[w(1), w(f32::NAN.to_bits()), w(u32::MAX), x(u64::MAX)]);
    guest.accepts(&[w(2), w(0), w(1), x(u64::MAX)]);
    for bad in [3, u32::MAX] {
        guest.refuses(&[w(bad), w(0), w(0), x(0)], &name, &tag(bad, 3));
    }
    let args = [w(2), w(65536), w(1), x(0)];
    guest.refuses(&args, &name, &out_of_bounds(65536, 1));
}

#[test]
fn discriminants_in_memory() {
    const DATA: &str = r#"(memory (export "memory") 1)
        (data (i32.const 0) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\ff")"#;
    let tag = |tag, cases| Fault::Tag { tag, cases };
    let name = "p0: list<option<u32>>";
    let signature = "func(p0: list<option<u32>>)";
    let mut guest = both!(DATA, "i32 i32", |_: Vec<Option<u32>>| {}, signature);
    guest.accepts(&[w(0), w(1)]);
    guest.refuses(&[w(0), w(2)], name, &tag(2, 2));
    guest.refuses(&[w(16), w(1)], name, &tag(0xff, 2));
    guest.refuses(
        &[w(2), w(1)],
        name,
        &Fault::Misaligned {
            pointer: 2,
            align: 4,
        },
    );

    let signature = "func(p0: list<result<u32>>)";
    let mut guest = both!(DATA, "i32 i32", |_: Vec<Result<u32, ()>>| {}, signature);
    guest.refuses(&[w(0), w(2)], "p0: list<result<u32>>", &tag(2, 2));

    let signature = "func(p0: list<enum { red, green, blue }>)";
    let mut guest = both!(DATA, "i32 i32", |_: Vec<Color>| {}, signature);
    guest.accepts(&[w(0), w(16)]);
    let name = "p0: list<enum { red, green, blue }>";
    guest.refuses(&[w(0), w(17)], name, &tag(0xff, 3));

    let name = format!("p0: list<{}>", Shape::ty());
    let mut guest = both!(
        DATA,
        "i32 i32",
        |_: Vec<Shape>| {},
        &format!("func({name})")
    );
    guest.accepts(&[w(0), w(1)]);
    guest.refuses(&[w(16), w(1)], &name, &tag(0xff, 3));
}

#[test]
fn discriminants_of_two_bytes() {
    let cases: Vec<_> = (0..257).map(|i| format!("c{i}")).collect();
    let mut host = Host::<()>::new();
    let signature = format!("func(list: list<enum {{ {} }}>)", cases.join(", "));
    host.func_dynamic(
        "env",
        "f",
        signature.parse().expect("a signature"),
        |_, args, _| {
            let Value::List(items) = &args[0] else {
                unreachable!()
            };
            assert_eq!(items.last(), Some(&Value::Enum(256)));
            Ok::<_, Error>(())
        },
    );
    let data = r#"(memory (export "memory") 1) (data (i32.const 2) "\01\00\00\01\01\01")"#;
    let mut instance = instance(&host, &forwarder("i32 i32", "", data), ());
    instance
        .call("run", &[w(2), w(2)])
        .expect("cases 1 and 256");
    let bad = instance.call("run", &[w(2), w(3)]);
    assert_eq!(
        fault(bad),
        Fault::Tag {
            tag: 257,
            cases: 257
        }
    );
    let odd = instance.call("run", &[w(3), w(2)]);
    assert_eq!(
        fault(odd),
        Fault::Misaligned {
            pointer: 3,
            align: 2
        }
    );
}

#[test]
fn bit_patterns_of_borrowed_values() {
    const DATA: &str = r#"(memory (export "memory") 1)
        (data (i32.const 16) "A\00\00\00\02\01\ff\ff")
        (data (i32.const 24) "\00\d8\00\00\00\00\00\00")
        (data (i32.const 32) "A\00\00\00\03\00\00\00")
        (data (i32.const 40) "A\00\00\00\00\02\00\00")"#;
    let mut host = Host::<()>::new();
    host.func("env", "pixel", |_: &Pixel| {});
    host.func("env", "pixels", |_: &mut [Pixel]| {});
    host.func("env", "bools", |_: &[bool]| {});
    host.func("env", "chars", |_: &mut [char]| {});
    host.func("env", "colors", |_: &[Color]| {});
    let names = ["pixels", "bools", "chars", "colors"];
    let mut parts: Vec<_> = names
        .iter()
        .map(|name| forward(name, name, "i32 i32", ""))
        .collect();
    parts.push(forward("pixel", "pixel", "i32", ""));
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        "(module {} {DATA} {})",
        imports.join(" "),
        exports.join(" ")
    );
    let mut instance = instance(&host, &guest, ());
    let mut call = |name: &str, args: &[u32]| {
        let args: Vec<_> = args.iter().map(|arg| w(*arg)).collect();
        instance.call(name, &args)
    };
    let pattern = |pointer, ty| Fault::BitPattern { pointer, ty };
    call("pixel", &[16]).expect("valid");
    let pixel = std::any::type_name::<Pixel>();
    for at in [24, 32, 40] {
        assert_eq!(fault(call("pixel", &[at])), pattern(at.into(), pixel));
        assert_eq!(fault(call("pixels", &[16, 2])), pattern(16, pixel));
    }
    call("pixels", &[16, 1]).expect("valid");
    call("bools", &[17, 4]).expect_err("2 is no bool in a borrowed slice");
    assert_eq!(fault(call("bools", &[20, 2])), pattern(20, "bool"));
    call("bools", &[21, 1]).expect("valid");
    assert_eq!(fault(call("chars", &[16, 3])), pattern(16, "char"));
    call("chars", &[16, 1]).expect("valid");
    call("colors", &[20, 2]).expect("valid");
    let fault = fault(call("colors", &[32, 5]));
    assert!(
        matches!(fault, Fault::BitPattern { pointer: 32, .. }),
        "{fault}"
    );
}

#[test]
fn guests_without_memory() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: &str, _: u32| {});
    host.func("env", "g", |_: &mut [u8], _: u32| {});
    host.func("env", "h", |_: u32| "text".to_owned());
    host.func("env", "scalar", |n: u32| n + 1);
    let string = || "func(p0: string, p1: u32)".parse().expect("a signature");
    host.func_dynamic("env", "d", string(), |_, _, _| Ok::<_, Error>(()));
    let parts = [
        forward("f", "f", "i32 i32 i32", ""),
        forward("g", "g", "i32 i32 i32", ""),
        forward("d", "d", "i32 i32 i32", ""),
        forward("h", "h", "i32 i32", ""),
        forward("scalar", "scalar", "i32", "i32"),
    ];
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let (imports, exports) = (imports.concat(), exports.concat());
    for memory in ["", "(memory 1)"] {
        let guest = format!("(module {imports} {memory} {exports})");
        let mut instance = instance(&host, &guest, ());
        for name in ["f", "g", "d"] {
            let result = instance.call(name, &[w(0), w(0), w(0)]);
            assert_eq!(fault(result), Fault::NoMemory, "{name}");
        }
        let error = instance
            .call("h", &[w(0), w(0)])
            .expect_err("nowhere to put it");
        assert!(
            matches!(error.fault(), Some(Fault::NoMemory | Fault::NoRealloc)),
            "{error}"
        );
        assert_eq!(error.argument(), None);
        assert_eq!(
            instance.call("scalar", &[w(1)]).expect("no memory needed"),
            [w(2)]
        );
    }
}

#[test]
fn shared_memory() {
    let mut config = Config::new();
    config.wasm_threads(true).shared_memory(true);
    let mut host = Host::<()>::with_engine(Engine::new(&config).expect("an engine"));
    host.func("env", "typed", |_: &str| {});
    host.func("env", "mutable", |_: &mut [u8]| {});
    host.func(
        "env",
        "later",
        |guest: &mut Guest<'_, ()>, text: GuestStr| -> Result<(), Error> {
            guest.read_str(text).map(drop)
        },
    );
    host.func("env", "text", || "text".to_owned());
    let string = "func(p0: string)".parse().expect("a signature");
    host.func_dynamic("env", "dynamic", string, |_, _, _| Ok::<_, Error>(()));
    host.func("env", "scalar", |n: u32| n + 1);
    let parts = [
        forward("typed", "typed", "i32 i32", ""),
        forward("mutable", "mutable", "i32 i32", ""),
        forward("later", "later", "i32 i32", ""),
        forward("dynamic", "dynamic", "i32 i32", ""),
        forward("text", "text", "i32", ""),
        forward("scalar", "scalar", "i32", "i32"),
    ];
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        r#"(module {} (memory (export "memory") 1 1 shared) {BUMP} {})"#,
        imports.concat(),
        exports.concat()
    );
    let mut instance = instance(&host, &guest, ());
    for name in ["typed", "mutable", "later", "dynamic"] {
        let result = instance.call(name, &[w(0), w(0)]);
        assert_eq!(fault(result), Fault::SharedMemory, "{name}");
    }
    assert_eq!(fault(instance.call("text", &[w(0)])), Fault::SharedMemory);
    assert_eq!(
        instance.call("scalar", &[w(1)]).expect("it works on"),
        [w(2)]
    );
}

#[test]
fn references() {
    let mut host = Host::<()>::new();
    host.func("env", "new", || HostRef::new(String::from("a string")));
    host.func("env", "number", || HostRef::new(7_u32));
    host.func("env", "object", |_: HostRef<String>| {});
    host.func("env", "maybe", |object: Option<HostRef<String>>| {
        object.is_some()
    });
    host.func("env", "callback", |_: GuestFunc<i32, i32>| {});
    host.func("env", "maybe-callback", |f: Option<GuestFunc<i32, i32>>| {
        f.is_some()
    });
    let dynamic: Signature = "func(o: externref)".parse().expect("a signature");
    host.func_dynamic("env", "dyn-object", dynamic, |_, _, _| Ok::<_, Error>(()));
    let dynamic: Signature = "func(f: funcref)".parse().expect("a signature");
    host.func_dynamic("env", "dyn-callback", dynamic, |_, _, _| Ok::<_, Error>(()));
    let mut instance = instance(
        &host,
        r#"(module
            (import "env" "new" (func $new (result externref)))
            (import "env" "number" (func $number (result externref)))
            (import "env" "object" (func $object (param externref)))
            (import "env" "dyn-object" (func $dyn_object (param externref)))
            (import "env" "maybe" (func $maybe (param externref) (result i32)))
            (import "env" "callback" (func $callback (param funcref)))
            (import "env" "dyn-callback" (func $dyn_callback (param funcref)))
            (import "env" "maybe-callback" (func $maybe_callback (param funcref) (result i32)))
            (elem declare func $right $wrong)
            (func $right (param i32) (result i32) (local.get 0))
            (func $wrong (param i64) (result i32) (i32.const 0))
            (func (export "good") (result i32)
                (call $object (call $new))
                (call $callback (ref.func $right))
                (call $dyn_callback (ref.func $wrong))
                (call $dyn_object (call $number))
                (i32.add
                    (i32.add (call $maybe (call $new)) (call $maybe (ref.null extern)))
                    (i32.add
                        (call $maybe_callback (ref.func $right))
                        (call $maybe_callback (ref.null func)))))
            (func (export "null-object") (call $object (ref.null extern)))
            (func (export "null-dyn-object") (call $dyn_object (ref.null extern)))
            (func (export "null-callback") (call $callback (ref.null func)))
            (func (export "null-dyn-callback") (call $dyn_callback (ref.null func)))
            (func (export "other-object") (call $object (call $number)))
            (func (export "other-maybe") (drop (call $maybe (call $number))))
            (func (export "not-an-object")
                (call $object (extern.convert_any (ref.i31 (i32.const 5)))))
            (func (export "not-a-dyn-object")
                (call $dyn_object (extern.convert_any (ref.i31 (i32.const 5)))))
            (func (export "other-callback") (call $callback (ref.func $wrong)))
            (func (export "other-maybe-callback")
                (drop (call $maybe_callback (ref.func $wrong)))))"#,
        (),
    );
    let string = std::any::type_name::<String>();
    let wrong_type = Fault::FuncType {
        expected: "(i32) -> i32".to_owned(),
        found: "(i64) -> i32".to_owned(),
    };
    for (name, argument, expected) in [
        ("null-object", "p0: externref", Fault::NullReference),
        ("null-dyn-object", "o: externref", Fault::NullReference),
        ("null-callback", "p0: funcref", Fault::NullReference),
        ("null-dyn-callback", "f: funcref", Fault::NullReference),
        (
            "other-object",
            "p0: externref",
            Fault::WrongObject { expected: string },
        ),
        (
            "other-maybe",
            "p0: option<externref>",
            Fault::WrongObject { expected: string },
        ),
        (
            "not-an-object",
            "p0: externref",
            Fault::WrongObject { expected: string },
        ),
        (
            "not-a-dyn-object",
            "o: externref",
            Fault::WrongObject {
                expected: "an object of hostcall",
            },
        ),
        ("other-callback", "p0: funcref", wrong_type.clone()),
        ("other-maybe-callback", "p0: option<funcref>", wrong_type),
    ] {
        let error = instance.call(name, &[]).expect_err("a bad reference");
        assert_eq!(error.fault(), Some(&expected), "{name}: {error}");
        assert_eq!(error.argument(), Some(argument), "{name}");
        assert_eq!(instance.call("good", &[]).expect("it works on"), [w(2)]);
    }
}

/// Runs functions that return text and numbers in a guest whose `cabi_realloc`
/// has this body.
fn with_realloc(realloc: &str) -> Instance<()> {
    let mut host = Host::<()>::new();
    host.func("env", "text", || "hello".to_owned());
    host.func("env", "empty", String::new);
    host.func("env", "numbers", || vec![1_u32, 2, 3]);
    let text = "func() -> string".parse().expect("a signature");
    host.func_dynamic("env", "dyn-text", text, |_, _, results| {
        results[0] = "hello".into();
        Ok::<_, Error>(())
    });
    let numbers = "func() -> list<u32>".parse().expect("a signature");
    host.func_dynamic("env", "dyn-numbers", numbers, |_, _, results| {
        results[0] = Value::List([1, 2, 3].map(Value::U32).to_vec());
        Ok::<_, Error>(())
    });
    let names = ["text", "empty", "numbers", "dyn-text", "dyn-numbers"];
    let parts = names.map(|name| forward(name, name, "i32", ""));
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        r#"(module {} {MEMORY} {realloc} {} (func (export "alive")))"#,
        imports.concat(),
        exports.concat()
    );
    instance(&host, &guest, ())
}

fn realloc_that(body: &str) -> String {
    format!(r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {body})"#)
}

#[test]
fn no_realloc() {
    for realloc in [
        "",
        r#"(func (export "cabi_realloc") (param i32 i32) (result i32) (i32.const 64))"#,
        r#"(func (export "cabi_realloc") (param i64 i64 i64 i64) (result i32) (i32.const 64))"#,
        r#"(global (export "cabi_realloc") i32 (i32.const 64))"#,
    ] {
        let mut guest = with_realloc(realloc);
        for name in ["text", "empty", "numbers", "dyn-text", "dyn-numbers"] {
            let error = guest.call(name, &[w(0)]).expect_err("it cannot allocate");
            assert_eq!(error.fault(), Some(&Fault::NoRealloc));
            assert_eq!(error.import(), Some(("env", name)));
            guest.call("alive", &[]).expect("it works on");
        }
    }
}

#[test]
fn realloc_that_traps() {
    let mut guest = with_realloc(&realloc_that("unreachable"));
    for name in ["text", "empty", "numbers", "dyn-text", "dyn-numbers"] {
        let error = guest.call(name, &[w(0)]).expect_err("it traps");
        assert_eq!(error.import(), Some(("env", name)));
        assert!(error.to_string().contains("unreachable"), "{error}");
        guest.call("alive", &[]).expect("it works on");
    }
}

#[test]
fn realloc_that_returns_bad_addresses() {
    let bad = |pointer: u32, size, align| Fault::BadRealloc {
        pointer: pointer.into(),
        size,
        align,
    };
    for address in [u32::MAX, 65536 - 4, 65536, 65537, 0x8000_0000] {
        let mut guest = with_realloc(&realloc_that(&format!("(i32.const {address})")));
        for name in ["text", "dyn-text"] {
            assert_eq!(fault(guest.call(name, &[w(0)])), bad(address, 5, 1));
        }
        if address > 65536 {
            assert_eq!(fault(guest.call("empty", &[w(0)])), bad(address, 0, 1));
        } else {
            guest.call("empty", &[w(0)]).expect("no bytes fit there");
        }
        for name in ["numbers", "dyn-numbers"] {
            assert_eq!(fault(guest.call(name, &[w(0)])), bad(address, 12, 4));
        }
        guest.call("alive", &[]).expect("it works on");
    }
    for address in [1, 2, 65523, 65525] {
        let mut guest = with_realloc(&realloc_that(&format!("(i32.const {address})")));
        for name in ["numbers", "dyn-numbers"] {
            assert_eq!(fault(guest.call(name, &[w(0)])), bad(address, 12, 4));
        }
        guest
            .call("text", &[w(0)])
            .expect("text needs no alignment");
    }
    // The last places that are large enough.
    for (address, name) in [(65531, "text"), (65531, "dyn-text"), (65524, "numbers")] {
        let mut guest = with_realloc(&realloc_that(&format!("(i32.const {address})")));
        guest.call(name, &[w(0)]).expect("it fits");
    }
}

#[test]
fn realloc_that_grows_memory() {
    let body = "(drop (memory.grow (i32.const 1))) (i32.const 65536)";
    let mut guest = with_realloc(&realloc_that(body));
    guest
        .call("text", &[w(0)])
        .expect("it fits into the new page");
    assert_eq!(bytes(&mut guest, 65536, 5), b"hello");
    assert_eq!(bytes(&mut guest, 0, 8), [0, 0, 1, 0, 5, 0, 0, 0]);
}

/// A `cabi_realloc` that asks the host for text, which allocates, and so on.
#[test]
fn realloc_that_never_ends() {
    let mut host = Host::<()>::new();
    host.func("env", "text", || "hello".to_owned());
    let mut instance = instance(
        &host,
        r#"(module
            (import "env" "text" (func $text (param i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (call $text (i32.const 0)) (i32.const 64))
            (func (export "run") (call $text (i32.const 0)))
            (func (export "alive")))"#,
        (),
    );
    for _ in 0..3 {
        let error = instance.call("run", &[]).expect_err("it never ends");
        assert!(error.to_string().contains("stack"), "{error}");
        instance.call("alive", &[]).expect("it works on");
    }
}

/// A host and a guest that call each other, to this depth.
fn mutual(depth: u32) -> Error {
    let mut host = Host::<()>::new();
    host.func(
        "env",
        "again",
        |guest: &mut Guest<'_, ()>, n: u32| -> Result<(), Error> {
            guest.export::<u32, ()>("run")?.call_in(guest, n)
        },
    )
    .reentrant("env", "again", depth);
    let mut instance = instance(
        &host,
        r#"(module
            (import "env" "again" (func $again (param i32)))
            (func (export "run") (param i32)
                (if (i32.eqz (local.get 0)) (then unreachable))
                (call $again (i32.sub (local.get 0) (i32.const 1))))
            (func (export "alive")))"#,
        (),
    );
    let error = instance
        .call("run", &[w(depth)])
        .expect_err("it traps at last");
    instance.call("alive", &[]).expect("it works on");
    error
}

/// Runs `test` where it cannot hang the others.
fn within(time: Duration, test: impl FnOnce() + Send + 'static) {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        test();
        done.send(()).expect("the receiver waits");
    });
    wait.recv_timeout(time).expect("it ends in time");
}

// Handling an error that has crossed n times takes n steps, not 2^n.
#[test]
fn errors_through_many_crossings() {
    within(Duration::from_secs(5), || {
        let error = mutual(14);
        assert!(error.to_string().contains("unreachable"), "{error}");
        let error = mutual(40);
        assert!(error.to_string().contains("unreachable"), "{error}");
    });
}

// Until the stack ends, in time and memory that are bounded.
#[test]
fn hosts_and_guests_that_call_each_other_for_ever() {
    within(Duration::from_secs(10), || {
        let error = mutual(u32::MAX);
        assert!(error.to_string().contains("stack"), "{error}");
    });
}

#[test]
fn return_pointers() {
    // size 16, alignment 8; size 12, alignment 4
    let mut host = Host::<()>::new();
    host.func("env", "pair", || (1_u32, 2_u64));
    host.func("env", "option", || Some(Color::Blue));
    host.func("env", "triple", || (1_u32, Some(2_u32)));
    for (name, signature) in [
        ("dyn-pair", "func() -> tuple<u32, u64>"),
        ("dyn-triple", "func() -> tuple<u32, option<u32>>"),
    ] {
        let signature = signature.parse().expect("a signature");
        host.func_dynamic("env", name, signature, |_, _, _| Ok::<_, Error>(()));
    }
    let names = ["pair", "option", "triple", "dyn-pair", "dyn-triple"];
    let parts = names.map(|name| forward(name, name, "i32", ""));
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        "(module {} {MEMORY} {})",
        imports.concat(),
        exports.concat()
    );
    let mut guest = instance(&host, &guest, ());
    for name in ["pair", "dyn-pair"] {
        guest.call(name, &[w(65520)]).expect("it fits");
        for at in [65528, 65536, 0x10008, 0xffff_fff8] {
            let error = guest.call(name, &[w(at)]).expect_err("it does not fit");
            assert!(
                matches!(error.fault(), Some(Fault::OutOfBounds { memory: PAGE, .. })),
                "{error}"
            );
            assert_eq!(error.argument(), None);
            assert_eq!(error.import(), Some(("env", name)));
        }
        for at in [1, 4, 65532, u32::MAX] {
            let fault = fault(guest.call(name, &[w(at)]));
            assert_eq!(
                fault,
                Fault::Misaligned {
                    pointer: at.into(),
                    align: 8
                }
            );
        }
    }
    for name in ["triple", "dyn-triple"] {
        guest.call(name, &[w(65524)]).expect("it fits");
        assert_eq!(
            fault(guest.call(name, &[w(2)])),
            Fault::Misaligned {
                pointer: 2,
                align: 4
            }
        );
    }
    guest.call("option", &[w(65534)]).expect("two bytes fit");
    fault(guest.call("option", &[w(65535)]));
    fault(guest.call("option", &[w(65536)]));
}

#[test]
fn return_pointers_in_64_bit_memory() {
    let mut host = Host::<()>::new();
    host.func("env", "pair", || (1_u32, 2_u64));
    host.func("env", "text", || "hello".to_owned());
    let parts = ["pair", "text"].map(|name| forward(name, name, "i64", ""));
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        "(module {} {MEMORY64} {BUMP64} {})",
        imports.concat(),
        exports.concat()
    );
    let mut guest = instance(&host, &guest, ());
    for name in ["pair", "text"] {
        guest.call(name, &[x(65520)]).expect("it fits");
        for at in [65528, 65536, 1 << 32, u64::MAX - 7, u64::MAX - 15] {
            let fault = fault(guest.call(name, &[x(at)]));
            assert!(matches!(fault, Fault::OutOfBounds { .. }), "{fault}");
        }
        let fault = fault(guest.call(name, &[x(u64::MAX)]));
        assert_eq!(
            fault,
            Fault::Misaligned {
                pointer: u64::MAX,
                align: 8
            }
        );
    }
}

/// What exports return is checked in the same way.
#[test]
fn bad_results_of_exports() {
    let host = Host::<()>::new();
    let mut guest = instance(
        &host,
        r#"(module (memory (export "memory") 1)
            (data (i32.const 0) "\08\00\00\00\ff\ff\ff\ff")
            (data (i32.const 8) "\10\00\00\00\02\00\00\00\ff\ff")
            (data (i32.const 32) "\10\00\00\00\02\00\00\00")
            (func (export "at") (param i32) (result i32) (local.get 0))
            (func (export "pair") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1)))"#,
        (),
    );
    let at = guest
        .export::<u32, String>("at")
        .expect("a string by pointer");
    assert_eq!(fault(at.call(&mut guest, 65536)), out_of_bounds(65536, 8));
    assert_eq!(
        fault(at.call(&mut guest, u32::MAX)),
        out_of_bounds(u32::MAX.into(), 8)
    );
    assert_eq!(
        fault(at.call(&mut guest, 32)),
        Fault::Utf8 {
            pointer: 16,
            length: 2,
            valid: 0
        }
    );
    assert_eq!(at.call(&mut guest, 64).expect("empty"), "");
    let pair = guest
        .export::<(u32, u32), Vec<u32>>("pair")
        .expect("a list");
    assert_eq!(
        fault(pair.call(&mut guest, (0, 16385))),
        out_of_bounds(0, 65540)
    );
    assert_eq!(
        fault(pair.call(&mut guest, (2, 0))),
        Fault::Misaligned {
            pointer: 2,
            align: 4
        }
    );
    assert_eq!(pair.call(&mut guest, (65532, 1)).expect("one"), [0]);
    let tag = guest.export::<u32, char>("at").expect("a char");
    assert_eq!(fault(tag.call(&mut guest, 0xdfff)), Fault::Char(0xdfff));
    let color = guest.export::<u32, Color>("at").expect("an enum");
    assert_eq!(
        fault(color.call(&mut guest, 3)),
        Fault::Tag { tag: 3, cases: 3 }
    );
    let dynamic = guest
        .export_with(
            "at",
            "func(at: u32) -> string".parse().expect("a signature"),
        )
        .expect("a string by pointer");
    let mut results = [Value::String(String::new())];
    let error = dynamic.call(&mut guest, &[Value::U32(65536)], &mut results);
    assert_eq!(fault(error), out_of_bounds(65536, 8));
}

/// The return area of an export must be aligned, as the canonical ABI says;
/// and as the host's own return areas must be.
#[test]
fn misaligned_results_of_exports() {
    let mut guest = instance(
        &Host::<()>::new(),
        r#"(module (memory (export "memory") 1)
            (func (export "at") (param i32) (result i32) (local.get 0)))"#,
        (),
    );
    let at = guest
        .export::<u32, (u32, u64)>("at")
        .expect("a tuple by pointer");
    // Inside memory, but not where a result of this type can be.
    assert_eq!(
        fault(at.call(&mut guest, 4)),
        Fault::Misaligned {
            pointer: 4,
            align: 8
        }
    );
}

#[test]
fn handles_are_checked_when_they_are_used() {
    let mut host = Host::<()>::new();
    host.func("env", "str", |guest: &mut Guest<'_, ()>, text: GuestStr| {
        guest.read_str(text).map(|text| text.len() as u32)
    });
    host.func(
        "env",
        "read",
        |guest: &mut Guest<'_, ()>, list: GuestSlice<u32>| {
            guest.read_slice(list).map(|list| list.len() as u32)
        },
    );
    host.func(
        "env",
        "write",
        |guest: &mut Guest<'_, ()>, list: GuestSlice<u32>| {
            guest.slice_mut(list).map(|list| list.len() as u32)
        },
    );
    host.func(
        "env",
        "get",
        |guest: &mut Guest<'_, ()>, at: GuestPtr<u32>, _: u32| guest.read(at),
    );
    host.func(
        "env",
        "set",
        |guest: &mut Guest<'_, ()>, at: GuestPtr<u32>, value: u32| {
            guest.write(at, value).map(|()| 0_u32)
        },
    );
    let names = ["str", "read", "write", "get", "set"];
    let parts = names.map(|name| forward(name, name, "i32 i32", "i32"));
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        "(module {} {MEMORY} {})",
        imports.concat(),
        exports.concat()
    );
    let mut guest = instance(&host, &guest, ());
    for name in names {
        guest.call(name, &[w(65532), w(1)]).expect("it is there");
        for at in [65536, 0xffff_fffc] {
            let length = if name == "str" { 1 } else { 4 };
            let error = guest.call(name, &[w(at), w(1)]).expect_err("outside");
            assert_eq!(error.fault(), Some(&out_of_bounds(at.into(), length)));
            assert!(
                error.argument().is_some_and(|arg| arg.starts_with("p0: ")),
                "{error}"
            );
        }
        if name != "str" {
            let fault = fault(guest.call(name, &[w(65534), w(1)]));
            assert_eq!(
                fault,
                Fault::Misaligned {
                    pointer: 65534,
                    align: 4
                }
            );
        }
    }
}

/// An address that the host made up is no argument of the call.
#[test]
fn addresses_of_the_host_are_not_called_arguments() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |guest: &mut Guest<'_, ()>| {
        guest.read(GuestPtr::<u32>::new(65536)).map(drop)
    });
    let mut guest = instance(&host, &forwarder("", "", MEMORY), ());
    let error = guest.call("run", &[]).expect_err("outside");
    assert_eq!(error.fault(), Some(&out_of_bounds(65536, 4)));
    // The host chose the address, so no argument of the guest is to blame.
    assert!(!error.to_string().contains("argument"), "{error}");
}

/// A list of lists, all of which are the same memory: `outer` of `inner`
/// bytes, at address 0.
fn aliased(outer: u32, inner: u32) -> Vec<u8> {
    let item: Vec<u8> = [0_u32, inner]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect();
    item.repeat(outer as usize)
}

fn aliasing(pages: u32, register: impl FnOnce(&mut Host<()>)) -> Instance<()> {
    let mut host = Host::new();
    register(&mut host);
    let memory = format!(r#"(memory (export "memory") {pages})"#);
    instance(&host, &forwarder("i32 i32", "", &memory), ())
}

const TOO_LARGE: Fault = Fault::TooLarge { limit: 128 << 20 };

#[test]
fn lists_that_share_memory_do_not_amplify() {
    let typed = aliasing(16, |host| {
        host.func("env", "f", |_: Vec<Vec<u8>>| {});
    });
    let strings = aliasing(16, |host| {
        host.func("env", "f", |_: Vec<String>| {});
    });
    let dynamic = aliasing(16, |host| {
        let signature = "func(p0: list<list<u8>>)".parse().expect("a signature");
        host.func_dynamic("env", "f", signature, |_, _, _| Ok::<_, Error>(()));
    });
    let dynamic_strings = aliasing(16, |host| {
        let signature = "func(p0: list<string>)".parse().expect("a signature");
        host.func_dynamic("env", "f", signature, |_, _, _| Ok::<_, Error>(()));
    });
    for mut guest in [typed, strings, dynamic, dynamic_strings] {
        // 4000 times one MiB.
        guest
            .call("run", &[w(0), w(4000)])
            .expect("4000 empty ones");
        poke(&mut guest, 0, &aliased(4000, 1 << 20));
        // Zeros as text, the pairs are not.
        poke(&mut guest, 0, &[0; 8]);
        let result = guest.call("run", &[w(8), w(3999)]);
        let fault = fault(result);
        assert!(
            fault == TOO_LARGE || matches!(fault, Fault::Utf8 { .. }),
            "{fault}"
        );
        poke(&mut guest, 0, &aliased(4, 16));
        poke(&mut guest, 0, &[0; 32]);
        guest.call("run", &[w(0), w(4)]).expect("it works on");
    }
}

// Each borrowed string is read from end to end, so it is charged: here 8 GiB
// would be read.
#[test]
fn borrowed_strings_that_share_memory_do_not_amplify() {
    let mut guest = aliasing(17, |host| {
        host.func("env", "f", |_: Vec<&str>| {});
    });
    // A MiB of zeros after the first page.
    let item: Vec<u8> = [0x1_0000_u32, 0x10_0000]
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .collect();
    poke(&mut guest, 0, &item.repeat(8192));
    assert_eq!(fault(guest.call("run", &[w(0), w(8192)])), TOO_LARGE);
}

/// Elements without a size count as a byte.
#[test]
fn lists_of_nothing_are_not_free() {
    let mut guest = aliasing(1, |host| {
        host.func("env", "f", |_: Vec<Vec<()>>| {});
    });
    poke(&mut guest, 0, &aliased(4096, 65536));
    assert_eq!(fault(guest.call("run", &[w(0), w(4096)])), TOO_LARGE);
}

#[test]
fn lists_of_nothing_of_impossible_length() {
    let mut guest = both!(
        MEMORY,
        "i32 i32",
        |_: Vec<()>| {},
        "func(p0: list<tuple<>>)"
    );
    guest.accepts(&[w(0), w(65536)]);
    for count in [65537, u32::MAX] {
        let fault = out_of_bounds(0, count.into());
        guest.refuses(&[w(0), w(count)], "p0: list<tuple<>>", &fault);
    }
    let mut guest = both!(
        MEMORY64,
        "i64 i64",
        |_: Vec<[u64; 0]>| {},
        "func(p0: list<tuple<>>)"
    );
    for count in [65537, 1 << 40, u64::MAX] {
        // The alignment of no elements differs: only the count matters here.
        let fault = out_of_bounds(0, count);
        guest.refuses(&[x(0), x(count)], "p0: list<tuple<>>", &fault);
    }
}

/// Comparing each value of a list with all before it would be quadratic.
#[test]
fn many_values_beside_a_mutable_borrow() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: &mut [u8], list: Vec<(u32, u32)>| {
        list.len() as u32
    });
    let memory = r#"(memory (export "memory") 8)"#;
    let mut guest = instance(&host, &forwarder("i32 i32 i32 i32", "i32", memory), ());
    let start = Instant::now();
    let args = [w(0), w(16), w(16), w(40_000)];
    assert_eq!(guest.call("run", &args).expect("it fits"), [w(40_000)]);
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(3), "{elapsed:?}");
}

/// A copy does not borrow, so it may overlap with what is borrowed after it.
#[test]
fn copies_are_not_borrows() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |text: String, buffer: &mut [u8]| {
        buffer.copy_from_slice(text.to_uppercase().as_bytes());
    });
    let memory = r#"(memory (export "memory") 1) (data (i32.const 8) "hello")"#;
    let mut guest = instance(&host, &forwarder("i32 i32 i32 i32", "", memory), ());
    let args = [w(8), w(5), w(8), w(5)];
    guest.call("run", &args).expect("the text was copied");
    assert_eq!(bytes(&mut guest, 8, 5), b"HELLO");
}

#[test]
fn messages() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: &str| {});
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "f" (func $f (param i32 i32)))
            (memory (export "memory") 1)
            (func $inner (call $f (i32.const 65536) (i32.const 1)))
            (func (export "run") (call $inner)))"#,
        (),
    );
    let error = guest.call("run", &[]).expect_err("outside");
    expect_test::expect![[r#"
        host function `env.f` refused argument `p0: string`: address 0x10000 with length 1 lies outside the guest's memory of 65536 bytes; guest backtrace: inner <- function 2; in a call of export `run`"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn panics_become_errors() {
    let mut host = Host::<Vec<u32>>::new();
    host.func_with_state("env", "f", |state: &mut Vec<u32>, n: u32| {
        state.push(n);
        assert!(n < 10, "{n} is too much");
        state.push(n + 1);
    });
    let dynamic = "func(n: u32)".parse().expect("a signature");
    host.func_dynamic("env", "d", dynamic, |_, args, _| -> Result<(), Error> {
        panic!("given {}", args[0])
    });
    host.func("env", "g", |_: &mut Guest<'_, Vec<u32>>, n: u32| -> u32 {
        std::panic::panic_any(n)
    });
    let (import_f, f) = forward("f", "f", "i32", "");
    let (import_d, d) = forward("d", "d", "i32", "");
    let (import_g, g) = forward("g", "g", "i32", "i32");
    let guest = format!("(module {import_f} {import_d} {import_g} {f} {d} {g})");
    let mut guest = instance(&host, &guest, Vec::new());
    guest.call("f", &[w(1)]).expect("small");
    for (name, message) in [
        ("f", "12 is too much"),
        ("d", "given 12"),
        ("g", "a panic without a message"),
    ] {
        let error = guest.call(name, &[w(12)]).expect_err("it panics");
        assert!(
            matches!(error.kind(), ErrorKind::Panic(text) if text == message),
            "{error}"
        );
        assert_eq!(error.import(), Some(("env", name)));
        guest.call("f", &[w(3)]).expect("it works on");
    }
    assert_eq!(*guest.state(), [1, 2, 12, 3, 4, 3, 4, 3, 4]);
}

#[test]
fn traps_keep_their_kind() {
    let host = Host::<()>::new();
    let mut guest = instance(&host, r#"(module (func (export "run") unreachable))"#, ());
    let error = guest.call("run", &[]).expect_err("it traps");
    assert_eq!(error.trap(), Some(Trap::UnreachableCodeReached));
    assert_eq!(error.import(), None);
}
