//! Every row of the type table, through real guests.

mod common;

use common::*;
use hostcall::{
    DynObject, Error, Guest, GuestFunc, GuestPtr, GuestSlice, GuestStr, GuestType, Host,
    HostModule, HostRef, Instance, Signature, Type, Value, host_module,
};
use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Seen = Vec<String>;

/// Passes core values to one host function that says what it saw.
macro_rules! sees {
    ($params:literal, $items:expr, $ty:ty) => {{
        let mut host = Host::<Seen>::new();
        host.func_with_state("env", "f", |seen: &mut Seen, value: $ty| {
            seen.push(format!("{value:?}"));
        });
        let mut instance = instance(&host, &forwarder($params, "", $items), Vec::new());
        move |args: &[Value]| {
            instance.call("run", args).expect("it is valid");
            instance.state_mut().pop().expect("it was called")
        }
    }};
}

#[test]
fn integers_at_their_extremes() {
    let mut f = sees!("i32", MEMORY, i32);
    assert_eq!(f(&[w(0x8000_0000)]), "-2147483648");
    let mut f = sees!("i32", MEMORY, u32);
    assert_eq!(f(&[w(u32::MAX)]), "4294967295");
    let mut f = sees!("i64", MEMORY, i64);
    assert_eq!(f(&[x(1 << 63)]), "-9223372036854775808");
    let mut f = sees!("i64", MEMORY, u64);
    assert_eq!(f(&[x(u64::MAX)]), "18446744073709551615");
}

#[test]
fn small_integers_wrap() {
    let mut f = sees!("i32", MEMORY, i8);
    for (bits, value) in [
        (0x80, "-128"),
        (0x7f, "127"),
        (0x1234_56ff, "-1"),
        (256, "0"),
    ] {
        assert_eq!(f(&[w(bits)]), value);
    }
    let mut f = sees!("i32", MEMORY, u8);
    for (bits, value) in [(0xff, "255"), (u32::MAX, "255"), (256, "0")] {
        assert_eq!(f(&[w(bits)]), value);
    }
    let mut f = sees!("i32", MEMORY, i16);
    for (bits, value) in [(0x8000, "-32768"), (0x7fff, "32767"), (0x1_ffff, "-1")] {
        assert_eq!(f(&[w(bits)]), value);
    }
    let mut f = sees!("i32", MEMORY, u16);
    for (bits, value) in [(0xffff, "65535"), (0x1_0001, "1")] {
        assert_eq!(f(&[w(bits)]), value);
    }
}

#[test]
fn small_integers_are_extended_in_results() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |n: i32| {
        (n as i8, n as u8, n as i16, n as u16, n > 0)
    });
    let mut guest = instance(&host, &forwarder("i32", "i32 i32 i32 i32 i32", ""), ());
    let results = guest.call("run", &[w(0xffff)]).expect("it returns");
    assert_eq!(
        results,
        [w(u32::MAX), w(0xff), w(u32::MAX), w(0xffff), w(1)]
    );
}

#[test]
fn floats_keep_their_bits() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |a: f32, b: f64| (a, b));
    let mut guest = instance(&host, &forwarder("f32 f64", "f32 f64", ""), ());
    for (a, b) in [
        (f32::MAX, f64::MIN_POSITIVE),
        (-0.0, f64::NEG_INFINITY),
        (
            f32::from_bits(0x7fc0_1234),
            f64::from_bits(0x7ff8_0000_dead_beef),
        ),
    ] {
        let results = guest
            .call("run", &[a.into(), b.into()])
            .expect("it returns");
        let [Value::F32(c), Value::F64(d)] = results[..] else {
            panic!("{results:?}")
        };
        assert_eq!((a.to_bits(), b.to_bits()), (c.to_bits(), d.to_bits()));
    }
}

#[test]
fn bools_and_chars() {
    let mut f = sees!("i32", MEMORY, bool);
    for (bits, value) in [
        (0, "false"),
        (1, "true"),
        (2, "true"),
        (0x100, "true"),
        (u32::MAX, "true"),
    ] {
        assert_eq!(f(&[w(bits)]), value);
    }
    let mut f = sees!("i32", MEMORY, char);
    for (bits, value) in [(0x41, "'A'"), (0x10_ffff, "'\\u{10ffff}'"), (0, "'\\0'")] {
        assert_eq!(f(&[w(bits)]), value);
    }
    let mut f = sees!(
        "i32 i32",
        r#"(memory (export "memory") 1) (data (i32.const 0) "\00\01\02\ff")"#,
        Vec<bool>
    );
    assert_eq!(f(&[w(0), w(4)]), "[false, true, true, true]");
}

#[test]
fn strings() {
    const DATA: &str = r#"(memory (export "memory") 1) (data (i32.const 8) "h\c3\a9llo\00\ff")"#;
    let mut f = sees!("i32 i32", DATA, &str);
    assert_eq!(f(&[w(8), w(6)]), "\"héllo\"");
    assert_eq!(f(&[w(65536), w(0)]), "\"\"");
    let mut f = sees!("i32 i32", DATA, String);
    assert_eq!(f(&[w(8), w(6)]), "\"héllo\"");
    let mut f = sees!("i32", DATA, &CStr);
    assert_eq!(f(&[w(8)]), "\"héllo\"");
    let mut f = sees!("i32 i32 i32", DATA, Option<&str>);
    assert_eq!(f(&[w(1), w(8), w(6)]), "Some(\"héllo\")");
    assert_eq!(f(&[w(0), w(u32::MAX), w(6)]), "None");
}

#[test]
fn strings_in_64_bit_memory() {
    const DATA: &str = r#"(memory (export "memory") i64 1)
        (data (i64.const 8) "hello\00")
        (data (i64.const 32) "\08\00\00\00\00\00\00\00\05\00\00\00\00\00\00\00")"#;
    assert_eq!(sees!("i64 i64", DATA, &str)(&[x(8), x(5)]), "\"hello\"");
    assert_eq!(sees!("i64", DATA, &CStr)(&[x(8)]), "\"hello\"");
    assert_eq!(sees!("i64 i64", DATA, &[u8])(&[x(8), x(2)]), "[104, 101]");
    assert_eq!(
        sees!("i64 i64", DATA, Vec<String>)(&[x(32), x(1)]),
        "[\"hello\"]"
    );
    assert_eq!(sees!("i64", DATA, &u16)(&[x(8)]), "25960");
}

#[test]
fn slices_of_every_number() {
    macro_rules! check {
        ($($ty:ty),*) => {$({
            let size = size_of::<$ty>();
            let mut host = Host::<Vec<$ty>>::new();
            host.func_with_state("env", "f", |seen: &mut Vec<$ty>, a: &[$ty], b: &mut [$ty]| {
                assert_eq!(a.as_ptr() as usize % align_of::<$ty>(), 0);
                seen.extend_from_slice(a);
                b.copy_from_slice(a);
                b.reverse();
            });
            let guest = forwarder("i32 i32 i32 i32", "", MEMORY);
            let mut guest = instance(&host, &guest, Vec::new());
            let data: Vec<u8> = (1..=3 * size as u8).collect();
            poke(&mut guest, 64, &data);
            let run = guest.export::<(u32, u32, u32, u32), ()>("run").expect("it exists");
            run.call(&mut guest, (64, 3, 128, 3)).expect("it runs");
            let numbers: Vec<_> = data
                .chunks(size)
                .map(|bytes| <$ty>::from_le_bytes(bytes.try_into().expect("whole")))
                .collect();
            assert_eq!(*guest.state(), numbers);
            let reversed: Vec<u8> = data.chunks(size).rev().flatten().copied().collect();
            assert_eq!(bytes(&mut guest, 128, 3 * size), reversed);
        })*};
    }
    check!(i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Segment {
    from: Point,
    to: Point,
    color: Color,
    solid: bool,
    r#type: u16,
    letter: char,
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Color {
    Red,
    Green,
}

#[derive(GuestType, Clone, Debug, PartialEq)]
enum Shape {
    Empty,
    Circle(Point, f32),
    Named { name: String, tags: Vec<u16> },
    Nested(Option<Box8>),
}

#[derive(GuestType, Clone, Debug, PartialEq)]
struct Box8(u8);

#[derive(GuestType, Clone, Debug, PartialEq)]
struct Person {
    name: String,
    age: u8,
    home: Option<Point>,
}

#[derive(GuestType, Clone, Debug, PartialEq)]
struct Nothing;

#[test]
fn structs_by_value_and_by_pointer() {
    let mut f = sees!("f64 f64", "", Point);
    assert_eq!(f(&[1.5.into(), 2.5.into()]), "Point { x: 1.5, y: 2.5 }");
    let mut f = sees!("i32 i32 i32 i32 f64 f64", MEMORY, Person);
    assert_eq!(
        f(&[w(0), w(0), w(0x107), w(0), 1.0.into(), 2.0.into()]),
        r#"Person { name: "", age: 7, home: None }"#
    );
    assert_eq!(
        f(&[w(0), w(1), w(7), w(1), 1.0.into(), 2.0.into()]),
        r#"Person { name: "\0", age: 7, home: Some(Point { x: 1.0, y: 2.0 }) }"#
    );
    let mut f = sees!("f64 f64 f64 f64 i32 i32 i32 i32", MEMORY, Segment);
    assert_eq!(
        f(&[
            1.0.into(),
            2.0.into(),
            3.0.into(),
            4.0.into(),
            w(1),
            w(2),
            w(0x1_0003),
            w(65)
        ]),
        "Segment { from: Point { x: 1.0, y: 2.0 }, to: Point { x: 3.0, y: 4.0 }, color: Green, \
         solid: true, type: 3, letter: 'A' }"
    );
    assert_eq!(
        Segment::ty().to_string(),
        "record { from: record { x: f64, y: f64 }, to: record { x: f64, y: f64 }, \
         color: enum { red, green }, solid: bool, type: u16, letter: char }"
    );

    let mut host = Host::<()>::new();
    host.func("env", "f", |from: &Segment, to: &mut Segment| {
        *to = *from;
        to.to.y = -1.0;
        to.color = Color::Green;
    });
    let mut guest = instance(&host, &forwarder("i32 i32", "", MEMORY), ());
    let mut data = Vec::new();
    [1.0_f64, 2.0, 3.0, 4.0]
        .iter()
        .for_each(|n| data.extend(n.to_le_bytes()));
    data.extend([0, 1, 3, 0, 65, 0, 0, 0]);
    poke(&mut guest, 64, &data);
    guest.call("run", &[w(64), w(128)]).expect("it copies");
    data[24..32].copy_from_slice(&(-1.0_f64).to_le_bytes());
    data[32] = 1;
    assert_eq!(bytes(&mut guest, 128, 40), data);
}

#[test]
fn slices_of_structs_and_arrays() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |points: &mut [Point], rows: &[[u16; 3]]| {
        points
            .iter_mut()
            .for_each(|point| std::mem::swap(&mut point.x, &mut point.y));
        rows.iter().map(|row| u32::from(row[2])).sum::<u32>()
    });
    let mut guest = instance(&host, &forwarder("i32 i32 i32 i32", "i32", MEMORY), ());
    let numbers = |numbers: [f64; 4]| numbers.map(f64::to_le_bytes).concat();
    poke(&mut guest, 64, &numbers([1.0, 2.0, 3.0, 4.0]));
    poke(&mut guest, 2, &[1, 0, 2, 0, 3, 1, 1, 0, 2, 0, 3, 1]);
    let sum = guest
        .call("run", &[w(64), w(2), w(2), w(2)])
        .expect("it swaps");
    assert_eq!(sum, [w(2 * 0x103)]);
    assert_eq!(bytes(&mut guest, 64, 32), numbers([2.0, 1.0, 4.0, 3.0]));
}

#[test]
fn compound_arguments() {
    let mut f = sees!("i32 i64", "", Option<u64>);
    assert_eq!(f(&[w(1), x(5)]), "Some(5)");
    assert_eq!(f(&[w(0), x(5)]), "None");
    let mut f = sees!("i32 i32 i32", "", Option<Option<bool>>);
    assert_eq!(f(&[w(1), w(1), w(0)]), "Some(Some(false))");
    assert_eq!(f(&[w(1), w(0), w(5)]), "Some(None)");
    // `f32` and `u32` share an `i32`, `f64` and `u8` an `i64`.
    let mut f = sees!("i32 i32", "", Result<f32, u32>);
    assert_eq!(f(&[w(0), w(1.5_f32.to_bits())]), "Ok(1.5)");
    assert_eq!(f(&[w(1), w(9)]), "Err(9)");
    let mut f = sees!("i32 i64", "", Result<f64, i8>);
    assert_eq!(f(&[w(0), x(1.5_f64.to_bits())]), "Ok(1.5)");
    assert_eq!(f(&[w(1), x(0xffff_ffff_ffff_ff80)]), "Err(-128)");
    let mut f = sees!("i32 i64", "", Result<f32, f64>);
    assert_eq!(
        f(&[
            w(0),
            x(0xffff_ffff_0000_0000 | u64::from(1.5_f32.to_bits()))
        ]),
        "Ok(1.5)"
    );
    let mut f = sees!("i32", "", Result<(), ()>);
    assert_eq!(f(&[w(1)]), "Err(())");
    let mut f = sees!("i32 i64 i32 i32", "", (u8, (i64, [i16; 2]), (), Nothing));
    assert_eq!(
        f(&[w(1), x(2), w(3), w(0xffff)]),
        "(1, (2, [3, -1]), (), Nothing)"
    );
    // The slots of `Shape`: `f64` and `i32` share the second and third, `f32`
    // and `i32` the fourth.
    let mut f = sees!("i32 i64 i64 i32 i32", MEMORY, Shape);
    assert_eq!(f(&[w(0), x(0), x(0), w(0), w(0)]), "Empty");
    assert_eq!(
        f(&[
            w(1),
            x(1.0_f64.to_bits()),
            x(2.0_f64.to_bits()),
            w(3.0_f32.to_bits()),
            w(0)
        ]),
        "Circle(Point { x: 1.0, y: 2.0 }, 3.0)"
    );
    assert_eq!(
        f(&[w(2), x(u64::MAX << 32), x(2), w(16), w(1)]),
        r#"Named { name: "\0\0", tags: [0] }"#
    );
    assert_eq!(
        f(&[w(3), x(1), x(0x1ff), w(0), w(0)]),
        "Nested(Some(Box8(255)))"
    );
}

#[test]
fn enum_with_payloads_of_different_shapes() {
    // case 1: f64 f64 f32; case 2: i32 i32 i32 i32; case 3: i32 i32
    assert_eq!(
        Shape::ty().to_string(),
        "variant { empty, circle(tuple<record { x: f64, y: f64 }, f32>), \
         named(record { name: string, tags: list<u16> }), nested(option<u8>) }"
    );
}

#[test]
fn lists_in_memory() {
    const DATA: &str = r#"(memory (export "memory") 1)
        (data (i32.const 0) "one")
        (data (i32.const 4) "three")
        (data (i32.const 16) "\00\00\00\00\03\00\00\00" "\04\00\00\00\05\00\00\00")
        (data (i32.const 32) "\01\ff\ff\ff\10\00\00\00\02\00\00\00" "\00\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff\ff")
        (data (i32.const 64) "\00\aa\02\00\03\aa\aa\aa\04\00\00\00\00\00\00\00")"#;
    let mut f = sees!("i32 i32", DATA, Vec<&str>);
    assert_eq!(f(&[w(16), w(2)]), r#"["one", "three"]"#);
    let mut f = sees!("i32 i32", DATA, Vec<Option<Vec<String>>>);
    assert_eq!(f(&[w(32), w(2)]), r#"[Some(["one", "three"]), None]"#);
    let mut f = sees!("i32 i32", DATA, Vec<(u8, u16, u8, u64)>);
    assert_eq!(f(&[w(64), w(1)]), "[(0, 2, 3, 4)]");
    let mut f = sees!("i32 i32", DATA, Vec<Result<(), u16>>);
    assert_eq!(f(&[w(64), w(1)]), "[Ok(())]");
    let mut f = sees!("i32 i32", DATA, Vec<[u8; 3]>);
    assert_eq!(f(&[w(0), w(1)]), "[[111, 110, 101]]");
    let mut f = sees!("i32 i32", DATA, Vec<&u8>);
    assert_eq!(f(&[w(68), w(0)]), "[]");
}

/// Calls a host function in its multi-value and in its return-pointer form;
/// both give the same value, read back by the dynamic path.
#[track_caller]
fn returns(register: impl Fn(&mut Host<()>), flat: &str, size: usize) -> (Vec<Value>, Vec<u8>) {
    let mut host = Host::<()>::new();
    register(&mut host);
    let items = format!("{MEMORY}{BUMP}");
    let mut direct = instance(&host, &forwarder("", flat, &items), ());
    let values = direct.call("run", &[]).expect("multi-value");
    let mut pointed = instance(&host, &forwarder("i32", "", &items), ());
    pointed.call("run", &[w(64)]).expect("return pointer");
    (values, bytes(&mut pointed, 64, size))
}

#[test]
fn compound_results() {
    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || (1_u8, 2_u64, -3_i16));
        },
        "i32 i64 i32",
        24,
    );
    assert_eq!(values, [w(1), x(2), w(-3_i32 as u32)]);
    let used = |at: std::ops::Range<usize>| memory[at].to_vec();
    assert_eq!(
        (used(0..1), used(8..10), used(16..18)),
        (vec![1], vec![2, 0], vec![0xfd, 0xff])
    );

    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || Some(2.5_f32));
        },
        "i32 f32",
        8,
    );
    assert_eq!(values, [w(1), 2.5_f32.into()]);
    assert_eq!(memory, [1, 0, 0, 0, 0, 0, 0x20, 0x40]);

    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || None::<u64>);
        },
        "i32 i64",
        16,
    );
    assert_eq!(values, [w(0), x(0)]);
    assert_eq!(memory[0], 0);

    type Outcome = Result<Result<u64, f32>, Error>;
    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || -> Outcome { Ok(Err(2.5)) });
        },
        "i32 i64",
        16,
    );
    assert_eq!(values, [w(1), x(2.5_f32.to_bits().into())]);
    assert_eq!((memory[0], &memory[8..12]), (1, &[0, 0, 0x20, 0x40][..]));

    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || Point { x: 1.0, y: -1.0 });
        },
        "f64 f64",
        16,
    );
    assert_eq!(values, [1.0.into(), (-1.0).into()]);
    assert_eq!(memory, [1.0_f64, -1.0].map(f64::to_le_bytes).concat());

    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || [1_u16, 2, 3]);
        },
        "i32 i32 i32",
        6,
    );
    assert_eq!(values, [w(1), w(2), w(3)]);
    assert_eq!(memory, [1, 0, 2, 0, 3, 0]);

    let named = || Shape::Named {
        name: "ab".to_owned(),
        tags: vec![1, 2],
    };
    let (values, memory) = returns(
        move |host| {
            host.func("env", "f", named);
        },
        "i32 i64 i64 i32 i32",
        40,
    );
    assert_eq!(values, [w(2), x(0x8000), x(2), w(0x8002), w(2)]);
    assert_eq!(memory[0], 2);
    assert_eq!(
        memory[8..24],
        [0x8000_u32, 2, 0x8002, 2].map(u32::to_le_bytes).concat()
    );
}

#[test]
fn string_and_list_results() {
    let (values, memory) = returns(
        |host| {
            host.func("env", "f", || "héllo".to_owned());
        },
        "i32 i32",
        8,
    );
    assert_eq!(values, [w(0x8000), w(6)]);
    assert_eq!(memory, [0x8000_u32, 6].map(u32::to_le_bytes).concat());

    let mut host = Host::<()>::new();
    host.func("env", "f", || {
        vec![Some("a".to_owned()), None, Some("bcd".to_owned())]
    });
    let mut guest = instance(&host, &forwarder("i32", "", &format!("{MEMORY}{BUMP}")), ());
    guest.call("run", &[w(8)]).expect("it returns");
    assert_eq!(
        bytes(&mut guest, 8, 8),
        [0x8000_u32, 3].map(u32::to_le_bytes).concat()
    );
    let list = bytes(&mut guest, 0x8000, 36);
    assert_eq!((list[0], list[12], list[24]), (1, 0, 1));
    assert_eq!(list[4..12], [0x8024_u32, 1].map(u32::to_le_bytes).concat());
    assert_eq!(list[28..36], [0x8025_u32, 3].map(u32::to_le_bytes).concat());
    assert_eq!(bytes(&mut guest, 0x8024, 4), b"abcd");
}

#[test]
fn results_in_64_bit_memory() {
    let mut host = Host::<()>::new();
    host.func("env", "f", || vec!["hi".to_owned()]);
    let items = format!("{MEMORY64}{BUMP64}");
    let mut guest = instance(&host, &forwarder("i64", "", &items), ());
    guest.call("run", &[x(8)]).expect("it returns");
    assert_eq!(
        bytes(&mut guest, 8, 16),
        [0x8000_u64, 1].map(u64::to_le_bytes).concat()
    );
    assert_eq!(
        bytes(&mut guest, 0x8000, 16),
        [0x8010_u64, 2].map(u64::to_le_bytes).concat()
    );
    assert_eq!(bytes(&mut guest, 0x8010, 2), b"hi");
    let mut direct = instance(&host, &forwarder("", "i64 i64", &items), ());
    assert_eq!(
        direct.call("run", &[]).expect("it returns"),
        [x(0x8000), x(1)]
    );
}

#[test]
fn closures_with_up_to_twelve_parameters() {
    let mut host = Host::<u64>::new();
    host.func("env", "none", || 7_u8);
    host.func("env", "twelve", {
        |a: u8,
         b: i16,
         c: u32,
         d: i64,
         e: f32,
         f: f64,
         g: bool,
         h: char,
         i: &str,
         j: &[u8],
         k: u8,
         l: u64| { format!("{a} {b} {c} {d} {e} {f} {g} {h} {i} {j:?} {k} {l}") }
    });
    host.func_with_state("env", "state", {
        |state: &mut u64,
         a: u64,
         b: u64,
         c: u64,
         d: u64,
         e: u64,
         f: u64,
         g: u64,
         h: u64,
         i: u64,
         j: u64,
         k: u64,
         l: u64| {
            *state = a + b + c + d + e + f + g + h + i + j + k + l;
        }
    });
    host.func("env", "guest", {
        |guest: &mut Guest<'_, u64>,
         a: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         _: u64,
         l: u64| {
            *guest.state_mut() += a * l;
        }
    });
    let twelve = "i32 i32 i32 i64 f32 f64 i32 i32 i32 i32 i32 i32 i32 i64 i32";
    let all = ["i64"; 12].join(" ");
    let parts = [
        forward("none", "none", "", "i32"),
        forward("twelve", "twelve", twelve, ""),
        forward("state", "state", &all, ""),
        forward("guest", "guest", &all, ""),
    ];
    let (imports, exports): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let guest = format!(
        "(module {} {MEMORY} {BUMP} {})",
        imports.concat(),
        exports.concat()
    );
    let mut guest = instance(&host, &guest, 0);
    poke(&mut guest, 16, b"text");
    assert_eq!(guest.call("none", &[]).expect("it returns"), [w(7)]);
    let args = [
        w(1),
        w(2),
        w(3),
        x(4),
        5.5_f32.into(),
        6.5.into(),
        w(1),
        w(65),
        w(16),
        w(4),
        w(16),
        w(2),
        w(11),
        x(12),
        w(64),
    ];
    guest.call("twelve", &args).expect("it returns");
    let expected = "1 2 3 4 5.5 6.5 true A text [116, 101] 11 12";
    assert_eq!(
        bytes(&mut guest, 0x8000, expected.len()),
        expected.as_bytes()
    );
    let args: Vec<_> = (1..=12).map(x).collect();
    guest.call("state", &args).expect("it returns");
    guest.call("guest", &args).expect("it returns");
    assert_eq!(*guest.state(), 78 + 12);
}

#[derive(Default)]
struct Wide(u64);

#[host_module(name = "wide")]
impl Wide {
    #[allow(clippy::too_many_arguments, reason = "that is the point")]
    fn thirty(
        &mut self,
        a0: u8,
        a1: u64,
        a2: u8,
        a3: u64,
        a4: u8,
        a5: u64,
        a6: u8,
        a7: u64,
        a8: u8,
        a9: u64,
        b0: u8,
        b1: u64,
        b2: u8,
        b3: u64,
        b4: u8,
        b5: u64,
        b6: u8,
        b7: u64,
        b8: u8,
        b9: u64,
        c0: f32,
        c1: f64,
        c2: f32,
        c3: f64,
        c4: f32,
        c5: f64,
        c6: f32,
        c7: f64,
        c8: &str,
        c9: &mut [u8],
    ) -> u64 {
        let bytes = [a0, a2, a4, a6, a8, b0, b2, b4, b6, b8].map(u64::from);
        let words = [a1, a3, a5, a7, a9, b1, b3, b5, b7, b9];
        let floats = [c1, c3, c5, c7, c0.into(), c2.into(), c4.into(), c6.into()];
        c9.copy_from_slice(c8.as_bytes());
        self.0 = bytes.iter().sum::<u64>() * 1_000_000 + words.iter().sum::<u64>() * 1000;
        self.0 += floats.iter().sum::<f64>() as u64;
        self.0
    }

    #[hostcall(name = "r#loop")]
    fn renamed(&self) -> u64 {
        self.0
    }

    fn r#type(r#match: u32, _unused: u32, (a, b): (u32, u32), _: u32) -> u32 {
        r#match + a * b
    }

    #[hostcall(module = "elsewhere", name = "größe 🦀")]
    fn size(guest: &mut Guest<'_, Self>, text: GuestStr) -> Result<u64, Error> {
        let (text, state) = guest.read_str_and_state(text)?;
        Ok(state.0 + text.len() as u64)
    }

    #[hostcall(skip)]
    #[allow(dead_code, reason = "not a host function")]
    fn helper<T>(&self, _: T) {}
}

#[derive(Default)]
struct Other(Vec<i32>);

#[host_module(name = "other")]
impl Other {
    fn push(&mut self, n: i32) {
        self.0.push(n);
    }

    fn count(&self) -> u32 {
        self.0.len() as u32
    }
}

#[derive(Default)]
struct State {
    wide: Wide,
    other: Other,
    again: Other,
}

#[test]
fn host_modules() {
    let mut host = Host::<State>::new();
    Wide::add_to_host(&mut host, |state| &mut state.wide);
    Other::add_to_host(&mut host, |state| &mut state.other);
    assert_eq!((Wide::NAME, Other::NAME), ("wide", "other"));
    let mut params = vec!["i32 i64"; 10];
    params.extend(["f32 f64"; 4]);
    params.push("i32 i32 i32 i32");
    let params = params.join(" ");
    let gets: Vec<_> = (0..32).map(|i| format!("(local.get {i})")).collect();
    let guest = format!(
        r#"(module
            (import "wide" "thirty" (func $thirty (param {params}) (result i64)))
            (import "wide" "r#loop" (func $loop (result i64)))
            (import "wide" "type" (func $type (param i32 i32 i32 i32 i32) (result i32)))
            (import "elsewhere" "größe 🦀" (func $size (param i32 i32) (result i64)))
            (import "other" "push" (func $push (param i32)))
            (import "other" "count" (func $count (result i32)))
            {MEMORY}
            (func (export "thirty") (param {params}) (result i64) (call $thirty {}))
            (func (export "rest") (result i64 i32 i64 i32)
                (call $push (i32.const 5)) (call $push (i32.const 6))
                (call $loop)
                (call $type (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5))
                (call $size (i32.const 0) (i32.const 10))
                (call $count)))"#,
        gets.join(" ")
    );
    let mut guest = instance(&host, &guest, State::default());
    poke(&mut guest, 0, b"hello");
    let mut args = Vec::new();
    (0..10).for_each(|i| args.extend([w(i), x(u64::from(i) * 2)]));
    (0..4).for_each(|i| args.extend([(i as f32).into(), f64::from(i).into()]));
    args.extend([w(0), w(5), w(5), w(5)]);
    let sum = 45 * 1_000_000 + 90 * 1000 + 12;
    assert_eq!(guest.call("thirty", &args).expect("it returns"), [x(sum)]);
    assert_eq!(bytes(&mut guest, 0, 10), b"hellohello");
    let rest = guest.call("rest", &[]).expect("it returns");
    assert_eq!(rest, [x(sum), w(13), x(sum + 10), w(2)]);
    assert_eq!(guest.state().other.0, [5, 6]);
    assert!(guest.state().again.0.is_empty());
}

#[test]
fn one_module_twice_with_two_projections() {
    let mut host = Host::<State>::new();
    Other::add_to_host(&mut host, |state| &mut state.again);
    let guest = r#"(module
        (import "other" "push" (func $push (param i32)))
        (func (export "run") (call $push (i32.const 5))))"#;
    let mut guest = instance(&host, guest, State::default());
    guest.call("run", &[]).expect("it runs");
    assert_eq!(
        (guest.state().other.0.len(), &guest.state().again.0[..]),
        (0, &[5][..])
    );
}

#[test]
fn guest_functions() {
    let mut host = Host::<()>::new();
    host.func(
        "env",
        "twice",
        |guest: &mut Guest<'_, ()>, f: GuestFunc<i32, i32>, n: i32| {
            let once = guest.call(&f, n)?;
            guest.call(&f, once)
        },
    );
    host.func("env", "maybe", {
        |guest: &mut Guest<'_, ()>, f: Option<GuestFunc<(i64, f64), (f64, i64)>>| match f {
            Some(f) => guest.call(&f, (2, 3.0)).map(|(a, b)| Some(a * b as f64)),
            None => Ok(None),
        }
    });
    host.func(
        "env",
        "text",
        |guest: &mut Guest<'_, ()>, f: GuestFunc<String, String>| {
            guest.call(&f, "hello".to_owned())
        },
    );
    host.func("env", "same", |f: Option<GuestFunc<i32, i32>>| f);
    host.func(
        "env",
        "unit",
        |guest: &mut Guest<'_, ()>, f: GuestFunc<(), ()>| guest.call(&f, ()),
    );
    for name in ["twice", "maybe", "text", "unit"] {
        host.reentrant("env", name, 1);
    }
    let mut guest = instance(
        &host,
        &format!(
            r#"(module
            (import "env" "twice" (func $twice (param funcref i32) (result i32)))
            (import "env" "maybe" (func $maybe (param funcref) (result i32 f64)))
            (import "env" "text" (func $text (param funcref) (result i32 i32)))
            (import "env" "same" (func $same (param funcref) (result funcref)))
            (import "env" "unit" (func $unit (param funcref)))
            {MEMORY} {BUMP}
            (type $int (func (param i32) (result i32)))
            (table 2 funcref)
            (global $count (mut i32) (i32.const 0))
            (elem declare func $double $swap $upper $bump)
            (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
            (func $swap (param i64 f64) (result f64 i64) (local.get 1) (local.get 0))
            (func $bump (global.set $count (i32.add (global.get $count) (i32.const 1))))
            (func $upper (param i32 i32) (result i32 i32)
                (i32.store8 (local.get 0)
                    (i32.sub (i32.load8_u (local.get 0)) (i32.const 32)))
                (local.get 0) (local.get 1))
            (func (export "twice") (result i32) (call $twice (ref.func $double) (i32.const 5)))
            (func (export "maybe") (result i32 f64) (call $maybe (ref.func $swap)))
            (func (export "none") (result i32 f64) (call $maybe (ref.null func)))
            (func (export "text") (result i32 i32) (call $text (ref.func $upper)))
            (func (export "unit") (result i32)
                (call $unit (ref.func $bump)) (call $unit (ref.func $bump)) (global.get $count))
            (func (export "same") (result i32)
                (table.set (i32.const 1) (call $same (ref.func $double)))
                (drop (call $same (ref.null func)))
                (call_indirect (type $int) (i32.const 21) (i32.const 1))))"#
        ),
        (),
    );
    assert_eq!(guest.call("twice", &[]).expect("it returns"), [w(20)]);
    assert_eq!(
        guest.call("maybe", &[]).expect("it returns"),
        [w(1), 6.0.into()]
    );
    assert_eq!(
        guest.call("none", &[]).expect("it returns"),
        [w(0), 0.0.into()]
    );
    let text = guest.call("text", &[]).expect("it returns");
    let [Value::S32(at), Value::S32(5)] = text[..] else {
        panic!("{text:?}")
    };
    assert_eq!(bytes(&mut guest, at as usize, 5), b"Hello");
    assert_eq!(guest.call("unit", &[]).expect("it returns"), [w(2)]);
    assert_eq!(guest.call("same", &[]).expect("it returns"), [w(42)]);
}

#[test]
fn a_guest_function_kept_for_later_and_one_of_another_instance() {
    let mut host = Host::<Option<GuestFunc<i32, i32>>>::new();
    host.func("env", "keep", {
        |guest: &mut Guest<'_, Option<GuestFunc<i32, i32>>>, f: GuestFunc<i32, i32>| {
            *guest.state_mut() = Some(f);
        }
    });
    let program = host
        .program(
            br#"(module
                (import "env" "keep" (func $keep (param funcref)))
                (elem declare func $inc)
                (func $inc (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
                (func (export "run") (call $keep (ref.func $inc))))"#,
        )
        .expect("it links");
    let mut one = program.instantiate(None).expect("it starts");
    let mut two = program.instantiate(None).expect("it starts");
    one.call("run", &[]).expect("it runs");
    let f = one.state().clone().expect("it was kept");
    assert_eq!(one.guest(|guest| guest.call(&f, 41)).expect("it runs"), 42);
    let error = two
        .guest(|guest| guest.call(&f, 41))
        .expect_err("another instance");
    assert!(
        error.to_string().contains("belongs to another instance"),
        "{error}"
    );
}

/// Counts how many of it are alive.
struct Counted(Arc<AtomicUsize>, u32);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>, n: u32) -> Counted {
        alive.fetch_add(1, Ordering::Relaxed);
        Counted(alive.clone(), n)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn host_objects() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut host = Host::<()>::new();
    let counter = alive.clone();
    host.func("env", "new", move |n: u32| {
        HostRef::new(Counted::new(&counter, n))
    });
    host.func("env", "get", |object: HostRef<Counted>| object.1);
    host.func("env", "maybe", |object: Option<HostRef<Counted>>| object);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "new" (func $new (param i32) (result externref)))
            (import "env" "get" (func $get (param externref) (result i32)))
            (import "env" "maybe" (func $maybe (param externref) (result externref)))
            (table $kept 8 externref)
            (func (export "keep") (param i32 i32)
                (table.set $kept (local.get 0) (call $maybe (call $new (local.get 1)))))
            (func (export "forget") (param i32)
                (table.set $kept (local.get 0) (call $maybe (ref.null extern))))
            (func (export "get") (param i32) (result i32)
                (call $get (table.get $kept (local.get 0)))))"#,
        (),
    );
    for i in 0..8 {
        guest.call("keep", &[w(i), w(i * 10)]).expect("it is kept");
    }
    for i in 0..8 {
        assert_eq!(
            guest.call("get", &[w(i)]).expect("it is there"),
            [w(i * 10)]
        );
    }
    guest.call("forget", &[w(3)]).expect("it is dropped");
    let error = guest.call("get", &[w(3)]).expect_err("it is null");
    assert_eq!(error.fault(), Some(&hostcall::Fault::NullReference));
    guest.store_mut().gc(None).expect("it collects");
    assert_eq!(alive.load(Ordering::Relaxed), 7);
    drop(guest);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

/// The guest drops what it makes; so does the host, in time.
#[test]
fn very_many_host_objects() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut host = Host::<()>::new();
    let counter = alive.clone();
    host.func("env", "new", move |n: u32| {
        HostRef::new(Counted::new(&counter, n))
    });
    host.func("env", "get", |object: HostRef<Counted>| object.1);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "new" (func $new (param i32) (result externref)))
            (import "env" "get" (func $get (param externref) (result i32)))
            (func (export "run") (param $n i32)
                (local $i i32)
                (loop $again
                    (if (i32.ne (call $get (call $new (local.get $i))) (local.get $i))
                        (then unreachable))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $i) (local.get $n))))))"#,
        (),
    );
    guest
        .call("run", &[w(100_000)])
        .expect("every object is the right one");
    let left = alive.load(Ordering::Relaxed);
    assert!(left < 100_000, "{left} objects are still alive");
    drop(guest);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

// Making the second object may collect garbage; the first must be a root
// until then.
#[test]
fn two_host_objects_at_once() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut host = Host::<()>::new();
    let counter = alive.clone();
    host.func("env", "new", move |n: u32| {
        (
            HostRef::new(Counted::new(&counter, n)),
            HostRef::new(Counted::new(&counter, n + 1)),
        )
    });
    host.func("env", "get", |object: HostRef<Counted>| object.1);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "new" (func $new (param i32) (result externref externref)))
            (import "env" "get" (func $get (param externref) (result i32)))
            (func (export "run") (param $n i32)
                (local $i i32) (local $a externref) (local $b externref)
                (loop $again
                    (call $new (local.get $i))
                    (local.set $b) (local.set $a)
                    (if (i32.ne (call $get (local.get $a)) (local.get $i))
                        (then unreachable))
                    (if (i32.ne (call $get (local.get $b)) (i32.add (local.get $i) (i32.const 1)))
                        (then unreachable))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $i) (local.get $n))))))"#,
        (),
    );
    guest
        .call("run", &[w(100_000)])
        .expect("every object is the right one");
    drop(guest);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

// Allocating the text runs the guest, which may collect garbage, so objects
// come last. Results of host functions and arguments of exports alike.
#[test]
fn an_object_and_a_string_at_once() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut host = Host::<()>::new();
    let counter = alive.clone();
    host.func("env", "new", move |n: u32| {
        (HostRef::new(Counted::new(&counter, n)), "text".to_owned())
    });
    let counter = alive.clone();
    host.func("env", "other", move || {
        HostRef::new(Counted::new(&counter, u32::MAX))
    });
    host.func("env", "gc", |_: &mut Guest<'_, ()>| {});
    host.func("env", "get", |object: HostRef<Counted>| object.1);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "new" (func $new (param i32) (result externref i32 i32)))
            (import "env" "other" (func $other (result externref)))
            (import "env" "get" (func $get (param externref) (result i32)))
            (memory (export "memory") 1)
            (func $garbage (local $i i32)
                (loop $again
                    (drop (call $other))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $i) (i32.const 20000)))))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (call $garbage) (i32.const 64))
            (func (export "run") (result i32)
                (call $new (i32.const 42)) drop drop
                call $get)
            (func (export "take") (param externref i32 i32) (result i32)
                (call $get (local.get 0))))"#,
        (),
    );
    for _ in 0..5 {
        assert_eq!(
            guest.call("run", &[]).expect("the object is alive"),
            [w(42)]
        );
    }
    let take = guest
        .export::<(HostRef<Counted>, &str), u32>("take")
        .expect("it fits");
    for n in 0..5 {
        let object = HostRef::new(Counted::new(&alive, n));
        assert_eq!(
            take.call(&mut guest, (object, "text"))
                .expect("it is alive"),
            n
        );
    }
    drop(guest);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn objects_of_the_embedder_are_not_mistaken_for_ours() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |object: HostRef<u32>| *object);
    let mut guest = instance(&host, &forwarder("externref", "i32", ""), ());
    let run = guest
        .wasmtime_instance()
        .get_func(guest.store_mut(), "run")
        .expect("it exists");
    let store = guest.store_mut();
    let foreign = wasmtime::ExternRef::new(&mut *store, 5_u32).expect("it fits");
    let error = run
        .call(
            &mut *store,
            &[wasmtime::Val::ExternRef(Some(foreign))],
            &mut [wasmtime::Val::I32(0)],
        )
        .expect_err("it is not ours");
    assert!(
        format!("{error:?}").contains("does not hold a host object of type `u32`"),
        "{error:?}"
    );
    let run = guest.export::<HostRef<u32>, u32>("run").expect("it fits");
    assert_eq!(run.call(&mut guest, HostRef::new(9)).expect("ours"), 9);
}

#[test]
fn references_through_dynamic_exports() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |object: HostRef<u32>| *object);
    let mut guest = instance(
        &host,
        r#"(module
            (elem declare func $inc)
            (func $inc (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (func (export "same") (param externref) (result externref) (local.get 0))
            (func (export "func") (result funcref) (ref.func $inc))
            (func (export "both") (param externref) (result externref i32)
                (local.get 0) (i32.const 1)))"#,
        (),
    );
    let object = DynObject::new(5_u32);
    let some = |value| Value::Option(Some(Box::new(value)));
    let args = [some(Value::Object(object.clone()))];
    let both = guest.call("both", &args).expect("it returns");
    assert_eq!(both, [args[0].clone(), w(1)]);
    assert_eq!(guest.call("same", &args).expect("it returns"), args);
    let results = guest.call("func", &[]).expect("it returns");
    assert!(matches!(&results[0], Value::Option(Some(_))), "{results:?}");
}

#[test]
fn pointers_as_results_of_dynamic_exports() {
    let mut guest = instance(
        &Host::<()>::new(),
        r#"(module (memory (export "memory") 1) (data (i32.const 8) "\07\00\00\00")
            (func (export "f") (result i32) (i32.const 8)))"#,
        (),
    );
    for (signature, expected) in [
        ("func() -> cstring", Value::from("\u{7}")),
        ("func() -> pointer<u32>", Value::U32(7)),
        (
            "func() -> record { p: pointer<u32> }",
            Value::Record(vec![Value::U32(7)]),
        ),
    ] {
        let signature: Signature = signature.parse().expect("a signature");
        let mut results = [Value::zero(&signature.results()[0])];
        let export = guest.export_with("f", signature).expect("it fits");
        export
            .call(&mut guest, &[], &mut results)
            .expect("it is there");
        assert_eq!(results, [expected]);
    }
}

#[test]
fn exports_with_strings_lists_and_records() {
    let host = Host::<()>::new();
    let mut guest = instance(
        &host,
        &format!(
            r#"(module {MEMORY} {BUMP}
            (global $posts (mut i32) (i32.const 0))
            ;; Returns its argument by pointer, as C and Rust guests do.
            (func $echo (param i32 i32) (result i32)
                (i32.store (i32.const 8) (local.get 0))
                (i32.store (i32.const 12) (local.get 1))
                (i32.const 8))
            (func (export "echo") (param i32 i32) (result i32)
                (call $echo (local.get 0) (local.get 1)))
            (func (export "cabi_post_echo") (param i32)
                (if (i32.ne (local.get 0) (i32.const 8)) (then unreachable))
                (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
            (func (export "direct") (param i32 i32) (result i32 i32)
                (local.get 0) (local.get 1))
            (func (export "cabi_post_direct") (param i32 i32)
                (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
            (func (export "posts") (result i32) (global.get $posts))
            (func (export "tuple") (param i32 i64 i32) (result i32)
                (i32.store8 (i32.const 32) (local.get 0))
                (i64.store (i32.const 40) (local.get 1))
                (i32.store16 (i32.const 48) (local.get 2))
                (i32.const 32))
            (func (export "some") (param i32 i32) (result i32 i32) (local.get 0) (local.get 1))
            (func (export "point") (param f64 f64) (result f64 f64) (local.get 1) (local.get 0)))"#
        ),
        (),
    );
    let posts = guest.export::<(), u32>("posts").expect("it fits");
    let mut expected = 0;
    for name in ["echo", "direct"] {
        let text = guest.export::<&str, String>(name).expect("it fits");
        assert_eq!(text.call(&mut guest, "héllo").expect("it returns"), "héllo");
        let list = guest.export::<Vec<u16>, Vec<u16>>(name).expect("it fits");
        assert_eq!(
            list.call(&mut guest, vec![1, 2, 3]).expect("it returns"),
            [1, 2, 3]
        );
        let slice = guest.export::<&[Point], Vec<Point>>(name).expect("it fits");
        let points = [Point { x: 1.0, y: 2.0 }, Point { x: 3.0, y: 4.0 }];
        assert_eq!(slice.call(&mut guest, &points).expect("it returns"), points);
        let nested = guest
            .export::<Vec<Shape>, Vec<Shape>>(name)
            .expect("it fits");
        let shapes = vec![
            Shape::Named {
                name: "a".to_owned(),
                tags: vec![7],
            },
            Shape::Empty,
            Shape::Nested(Some(Box8(3))),
            Shape::Circle(points[0], 0.5),
        ];
        assert_eq!(
            nested.call(&mut guest, shapes.clone()).expect("it returns"),
            shapes
        );
        let people = guest
            .export::<Vec<Person>, Vec<Person>>(name)
            .expect("it fits");
        let person = Person {
            name: "Ada".to_owned(),
            age: 36,
            home: Some(points[1]),
        };
        let list = vec![
            person.clone(),
            Person {
                home: None,
                ..person
            },
        ];
        assert_eq!(
            people.call(&mut guest, list.clone()).expect("it returns"),
            list
        );
        expected += 5;
        assert_eq!(posts.call(&mut guest, ()).expect("it returns"), expected);
    }
    let signature = "func(list: list<string>) -> list<string>"
        .parse()
        .expect("a signature");
    let echo = guest.export_with("echo", signature).expect("it fits");
    let list = Value::List(vec!["a".into(), "".into(), "bcd".into()]);
    let mut results = [Value::List(Vec::new())];
    echo.call(&mut guest, std::slice::from_ref(&list), &mut results)
        .expect("it returns");
    assert_eq!(results, [list]);
    assert_eq!(
        posts.call(&mut guest, ()).expect("it returns"),
        expected + 1
    );

    let tuple = guest
        .export::<(u8, i64, i16), (u8, i64, i16)>("tuple")
        .expect("it fits");
    assert_eq!(
        tuple.call(&mut guest, (1, -2, -3)).expect("it returns"),
        (1, -2, -3)
    );
    let some = guest
        .export::<Option<u8>, Option<u8>>("some")
        .expect("it fits");
    assert_eq!(some.call(&mut guest, Some(7)).expect("it returns"), Some(7));
    assert_eq!(some.call(&mut guest, None).expect("it returns"), None);
    let result = guest
        .export::<Result<char, u8>, Result<char, u8>>("some")
        .expect("it fits");
    assert_eq!(
        result.call(&mut guest, Ok('x')).expect("it returns"),
        Ok('x')
    );
    assert_eq!(result.call(&mut guest, Err(3)).expect("it returns"), Err(3));
    let point = guest.export::<Point, Point>("point").expect("it fits");
    let swapped = point
        .call(&mut guest, Point { x: 1.0, y: 2.0 })
        .expect("it returns");
    assert_eq!(swapped, Point { x: 2.0, y: 1.0 });
}

/// `cabi_post_` frees even what turned out to be invalid.
#[test]
fn post_return_after_an_invalid_result() {
    let mut guest = instance(
        &Host::<()>::new(),
        r#"(module (memory (export "memory") 1)
            (global $posts (mut i32) (i32.const 0))
            (func (export "f") (result i32 i32) (i32.const 65536) (i32.const 1))
            (func (export "cabi_post_f") (param i32 i32)
                (global.set $posts (i32.add (global.get $posts) (i32.const 1))))
            (func (export "posts") (result i32) (global.get $posts)))"#,
        (),
    );
    let f = guest.export::<(), String>("f").expect("it fits");
    assert_eq!(fault(f.call(&mut guest, ())), out_of_bounds(65536, 1));
    assert_eq!(guest.call("posts", &[]).expect("it returns"), [w(1)]);
}

#[test]
fn handles_through_the_guest() {
    let mut host = Host::<Vec<String>>::new();
    host.func("env", "f", {
        |guest: &mut Guest<'_, Vec<String>>,
         text: GuestStr,
         list: GuestSlice<u16>,
         point: GuestPtr<Point>|
         -> Result<u64, Error> {
            let before = guest.grow(1)?;
            let line = guest.read_str(text)?.to_owned();
            guest.state_mut().push(line);
            guest.slice_mut(list)?.iter_mut().for_each(|n| *n += 1);
            let sum: u16 = guest.read_slice(list)?.iter().sum();
            let Point { x, y } = guest.read(point)?;
            guest.write(point, Point { x: y, y: x })?;
            let at = guest.alloc(16, 8)?;
            guest.write(
                GuestPtr::new(at),
                Point {
                    x: 8.0,
                    y: f64::from(sum),
                },
            )?;
            assert_eq!((before, text.len(), list.len()), (1, 5, 3));
            Ok(at)
        }
    });
    let items = format!("{MEMORY}{BUMP}");
    let mut guest = instance(
        &host,
        &forwarder("i32 i32 i32 i32 i32", "i64", &items),
        Vec::new(),
    );
    let numbers = |numbers: [f64; 2]| numbers.map(f64::to_le_bytes).concat();
    poke(&mut guest, 0, b"hello");
    poke(&mut guest, 8, &[1, 0, 2, 0, 3, 0]);
    poke(&mut guest, 16, &numbers([1.0, 2.0]));
    let at = guest
        .call("run", &[w(0), w(5), w(8), w(3), w(16)])
        .expect("it runs");
    assert_eq!(at, [x(0x8000)]);
    assert_eq!(*guest.state(), ["hello"]);
    assert_eq!(bytes(&mut guest, 8, 6), [2, 0, 3, 0, 4, 0]);
    assert_eq!(bytes(&mut guest, 16, 16), numbers([2.0, 1.0]));
    assert_eq!(bytes(&mut guest, 0x8000, 16), numbers([8.0, 9.0]));
    assert_eq!(
        guest.guest(|guest| guest.memory().expect("memory").len()),
        2 * 65536
    );
}

#[derive(GuestType, Debug)]
struct Wrapped(HostRef<u32>);

/// An option of a struct that holds nothing but a reference.
#[test]
fn optional_wrapped_references() {
    // What the interface says is what the typed path must do.
    let mut flat = Vec::new();
    if <Option<Wrapped>>::ty() == Type::Option(Box::new(Type::ExternRef)) {
        flat.push("externref");
    } else {
        flat.extend(["i32", "externref"]);
    }
    let params = flat.join(" ");
    let mut host = Host::<()>::new();
    host.func("env", "f", |object: Option<Wrapped>| {
        object.map_or(0, |object| *object.0)
    });
    let gets: String = (0..flat.len())
        .map(|i| format!("(local.get {i})"))
        .collect();
    let mut guest: Instance<()> = instance(
        &host,
        &format!(
            r#"(module (import "env" "f" (func $f (param {params}) (result i32)))
            (func (export "run") (param {params}) (result i32) (call $f {gets})))"#
        ),
        (),
    );
    let run = guest.export::<Option<HostRef<u32>>, u32>("run");
    // Interface and Rust type must agree that this is one core value, or a
    // number ends up where a reference belongs.
    if let Ok(run) = run {
        assert_eq!(run.call(&mut guest, None).expect("null"), 0);
        assert_eq!(
            run.call(&mut guest, Some(HostRef::new(5))).expect("five"),
            5
        );
    }
    assert_eq!(
        <Option<Wrapped> as GuestType>::FLAT,
        flat.len(),
        "the core values of the type and of its interface differ in number"
    );
}

#[derive(GuestType, Debug)]
struct Callback(GuestFunc<i32, i32>);

// The same for functions.
#[test]
fn optional_wrapped_functions() {
    let mut host = Host::<()>::new();
    host.func("env", "call", {
        |guest: &mut Guest<'_, ()>, f: GuestFunc<i32, i32>| guest.call(&f, 41)
    })
    .reentrant("env", "call", 1);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "call" (func $call (param funcref) (result i32)))
            (elem declare func $inc)
            (func $inc (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (func (export "give") (result funcref) (ref.func $inc))
            (func (export "take") (param funcref) (result i32) (call $call (local.get 0))))"#,
        (),
    );
    let give = guest
        .export::<(), GuestFunc<i32, i32>>("give")
        .expect("it fits");
    let function = give.call(&mut guest, ()).expect("a function");
    if let Ok(take) = guest.export::<Option<Callback>, i32>("take") {
        assert_eq!(
            <Option<Callback> as GuestType>::FLAT,
            1,
            "the number of core values"
        );
        let result = take.call(&mut guest, Some(Callback(function)));
        assert_eq!(result.expect("it runs"), 42);
    }
}
