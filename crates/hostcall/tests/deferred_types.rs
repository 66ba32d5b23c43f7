//! Arguments of deferred functions: every type, in 32- and 64-bit guests, as
//! they were at the call.

mod common;

use common::*;
use hostcall::{Crossing, Fault, Guest, GuestType, Host, Value};

type Log = Vec<String>;

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(u8)]
enum Kind {
    One,
    Two,
    Three,
}

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(C)]
struct Point {
    x: i16,
    kind: Kind,
    up: bool,
}

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(C)]
struct Padded {
    a: u8,
    b: f64,
    c: bool,
    d: char,
    e: Point,
    f: u64,
}

#[derive(GuestType, Debug)]
enum Shape {
    Nothing,
    Round(f64),
    Square { x: u32, y: f32 },
}

#[derive(GuestType, Debug)]
struct Named {
    name: String,
    at: (u8, Option<f32>),
}

/// What a call came to: what the host saw, and the fault it was refused with.
type Seen = (Log, Option<Fault>, Option<String>);

/// Passes arguments to `env.f`, with deferring off and with queues of some
/// sizes; gives what the host has seen, which is the same.
#[track_caller]
fn same(guest: &str, add: impl Fn(&mut Host<Log>), args: &[&[Value]]) -> Vec<Seen> {
    let run = |queue: Option<u32>| {
        let mut host = Host::new();
        add(&mut host);
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest.as_bytes());
        let program = program.unwrap_or_else(|error| panic!("{error}\n{guest}"));
        let crossing = program.plan().imports[0].crossing;
        // Some of these queues have no room for any call.
        if queue.is_none_or(|size| size > 1000) {
            assert_eq!(crossing == Some(Crossing::Deferred), queue.is_some());
        }
        let mut instance = program.instantiate(Log::new()).expect("it instantiates");
        let calls = args.iter().map(|args| {
            let error = instance.call("run", args).err();
            let fault = error.as_ref().and_then(|error| error.fault().cloned());
            assert_eq!(error.is_some(), fault.is_some(), "{error:?}");
            let argument = error.and_then(|error| error.argument().map(str::to_owned));
            (std::mem::take(instance.state_mut()), fault, argument)
        });
        calls.collect::<Vec<_>>()
    };
    let expected = run(None);
    for queue in [0, 16, 24, 40, 64, 4096] {
        assert_eq!(run(Some(queue)), expected, "with a queue of {queue}");
    }
    expected
}

/// Adds `env.f`, which takes one value and writes it down.
macro_rules! one {
    ($ty:ty) => {
        |host: &mut Host<Log>| {
            host.deferred_with_state("env", "f", |log: &mut Log, value: $ty| {
                log.push(format!("{value:?}"));
            });
        }
    };
}

/// The same for records.
macro_rules! batch {
    ($ty:ty) => {
        |host: &mut Host<Log>| {
            host.deferred_batch("env", "f", |log: &mut Log, values: &[$ty]| {
                log.extend(values.iter().map(|value| format!("{value:?}")));
            });
        }
    };
}

/// What was seen of calls that are all good.
#[track_caller]
fn seen(calls: Vec<Seen>) -> Vec<String> {
    let mut all = Vec::new();
    for (log, fault, _) in calls {
        assert_eq!(fault, None);
        all.extend(log);
    }
    all
}

/// As a parameter, and as a record.
macro_rules! scalar {
    ($ty:ty, $core:literal, $args:expr, $seen:expr) => {{
        let guest = forwarder($core, "", "");
        let args = $args;
        let args: Vec<_> = args.iter().map(std::slice::from_ref).collect();
        assert_eq!(seen(same(&guest, one!($ty), &args)), $seen);
        assert_eq!(seen(same(&guest, batch!($ty), &args)), $seen);
    }};
}

#[test]
fn scalars() {
    let words = || [w(0), w(1), w(255), w(256), w(0x8000), w(u32::MAX)];
    scalar!(i8, "i32", words(), ["0", "1", "-1", "0", "0", "-1"]);
    scalar!(u8, "i32", words(), ["0", "1", "255", "0", "0", "255"]);
    scalar!(
        i16,
        "i32",
        words(),
        ["0", "1", "255", "256", "-32768", "-1"]
    );
    scalar!(
        u16,
        "i32",
        words(),
        ["0", "1", "255", "256", "32768", "65535"]
    );
    scalar!(i32, "i32", words(), ["0", "1", "255", "256", "32768", "-1"]);
    scalar!(
        u32,
        "i32",
        words(),
        ["0", "1", "255", "256", "32768", "4294967295"]
    );
    scalar!(
        bool,
        "i32",
        words(),
        ["false", "true", "true", "true", "true", "true"]
    );
    let longs = || [x(0), x(1 << 40), x(u64::MAX)];
    scalar!(i64, "i64", longs(), ["0", "1099511627776", "-1"]);
    scalar!(
        u64,
        "i64",
        longs(),
        ["0", "1099511627776", "18446744073709551615"]
    );
    let floats = [Value::F32(-0.0), Value::F32(f32::MIN), Value::F32(0.5)];
    scalar!(f32, "f32", floats, ["-0.0", "-3.4028235e38", "0.5"]);
    let doubles = [
        Value::F64(-0.0),
        Value::F64(f64::INFINITY),
        Value::F64(1e-300),
    ];
    scalar!(f64, "f64", doubles, ["-0.0", "inf", "1e-300"]);
    scalar!(
        char,
        "i32",
        [w(0), w(0xd7ff), w(0x10_ffff)],
        ["'\\0'", "'\\u{d7ff}'", "'\\u{10ffff}'"]
    );
    scalar!(Kind, "i32", [w(0), w(1), w(2)], ["One", "Two", "Three"]);
}

#[test]
fn not_a_number_keeps_its_bits() {
    let bits = |host: &mut Host<Log>| {
        host.deferred_with_state("env", "f", |log: &mut Log, a: f32, b: f64| {
            log.push(format!("{:x} {:x}", a.to_bits(), b.to_bits()));
        });
    };
    let (a, b) = (
        f32::from_bits(0xffa0_1234),
        f64::from_bits(0x7ff4_5678_9abc_def0),
    );
    let calls = same(
        &forwarder("f32 f64", "", ""),
        bits,
        &[&[Value::F32(a), Value::F64(b)]],
    );
    assert_eq!(seen(calls), ["ffa01234 7ff456789abcdef0"]);
}

/// What is no value is refused as it is without a queue; in a slice there are
/// only values.
#[test]
fn what_is_no_value() {
    let guest = forwarder("i32", "", "");
    for bad in [0xd800, 0xdfff, 0x11_0000, u32::MAX] {
        let args: [&[Value]; 3] = [&[w(65)], &[w(bad)], &[w(66)]];
        let one = same(&guest, one!(char), &args);
        assert_eq!(one[1].2.as_deref(), Some("p0: char"));
        for calls in [one, same(&guest, batch!(char), &args)] {
            assert_eq!(calls[0].0, ["'A'"]);
            assert_eq!(calls[1].0, [""; 0]);
            assert_eq!(calls[1].1, Some(Fault::Char(bad)));
            assert_eq!(calls[2].0, ["'B'"]);
        }
    }
    for tag in [3, 255, 256, u32::MAX] {
        let args: [&[Value]; 2] = [&[w(tag)], &[w(2)]];
        for calls in [
            same(&guest, one!(Kind), &args),
            same(&guest, batch!(Kind), &args),
        ] {
            assert_eq!(calls[0].0, [""; 0]);
            assert_eq!(calls[0].1, Some(Fault::Tag { tag, cases: 3 }));
            assert_eq!(calls[1].0, ["Three"]);
        }
    }
}

#[test]
fn compound_values() {
    let args = |values: &[u32]| values.iter().map(|value| w(*value)).collect::<Vec<_>>();
    let three = forwarder("i32 i32 i32", "", "");
    let point = [args(&[0x1_ffff, 1, 256]), args(&[7, 0, 0])];
    let point = [&*point[0], &*point[1]];
    let points = [
        "Point { x: -1, kind: Two, up: true }",
        "Point { x: 7, kind: One, up: false }",
    ];
    assert_eq!(seen(same(&three, one!(Point), &point)), points);
    assert_eq!(seen(same(&three, batch!(Point), &point)), points);
    let bad = args(&[1, 9, 1]);
    for calls in [
        same(&three, one!(Point), &[&bad]),
        same(&three, batch!(Point), &[&bad]),
    ] {
        assert_eq!(calls[0].1, Some(Fault::Tag { tag: 9, cases: 3 }));
    }

    let padded = forwarder("i32 f64 i32 i32 i32 i32 i32 i64", "", "");
    let values = |up: u32, letter: u32| {
        let mut values = args(&[300]);
        values.push(Value::F64(0.25));
        values.extend(args(&[up, letter, 5, 2, 512]));
        values.push(x(1 << 50));
        values
    };
    let (first, bad, last) = (values(256, 97), values(1, 0xd800), values(0, 98));
    for calls in [
        same(&padded, one!(Padded), &[&first, &bad, &last]),
        same(&padded, batch!(Padded), &[&first, &bad, &last]),
    ] {
        let text = "Padded { a: 44, b: 0.25, c: true, d: 'a', e: Point { x: 5, kind: Three, up: \
                    true }, f: 1125899906842624 }";
        assert_eq!(calls[0].0, [text]);
        assert_eq!(calls[1].1, Some(Fault::Char(0xd800)));
        assert_eq!(calls[2].0, [text.replace("true, d: 'a'", "false, d: 'b'")]);
    }

    let two = forwarder("i32 i32", "", "");
    let options = [args(&[0, 9]), args(&[1, 9]), args(&[2, 9])];
    let options = [&*options[0], &*options[1], &*options[2]];
    let calls = same(&two, one!(Option<u8>), &options);
    assert_eq!(
        (&calls[0].0, &calls[1].0),
        (&vec!["None".to_owned()], &vec!["Some(9)".to_owned()])
    );
    assert_eq!(calls[2].1, Some(Fault::Tag { tag: 2, cases: 2 }));
    let results = [[w(0), x(0x1_0005)], [w(1), x(0x4000_0000_0000_0000)]];
    let calls = same(
        &forwarder("i32 i64", "", ""),
        one!(Result<u16, f64>),
        &[&results[0], &results[1]],
    );
    assert_eq!(seen(calls), ["Ok(5)", "Err(2.0)"]);
    let shapes = [
        [w(0), x(0), Value::F32(0.0)],
        [w(1), x(0x4000_0000_0000_0000), Value::F32(0.0)],
        [w(2), x(7), Value::F32(0.5)],
    ];
    let shapes = [&shapes[0][..], &shapes[1], &shapes[2]];
    let calls = same(&forwarder("i32 i64 f32", "", ""), one!(Shape), &shapes);
    assert_eq!(
        seen(calls),
        ["Nothing", "Round(2.0)", "Square { x: 7, y: 0.5 }"]
    );
    assert_eq!(
        seen(same(
            &forwarder("i32 i32", "", ""),
            one!((u8, bool)),
            &[&[w(257), w(2)]]
        )),
        ["(1, true)"]
    );
    assert_eq!(
        seen(same(
            &forwarder("i32 i32", "", ""),
            one!([u8; 2]),
            &[&[w(257), w(2)]]
        )),
        ["[1, 2]"]
    );
    assert_eq!(
        seen(same(
            &forwarder("i32 i32", "", ""),
            batch!([u8; 2]),
            &[&[w(257), w(2)]]
        )),
        ["[1, 2]"]
    );
    assert_eq!(
        seen(same(
            &forwarder("", "", ""),
            |host| {
                host.deferred_with_state("env", "f", |log: &mut Log| {
                    log.push("nothing".to_owned())
                });
            },
            &[&[], &[], &[]]
        )),
        ["nothing"; 3]
    );
}

/// Bytes of memory: a string, numbers, what is neither.
const BYTES: &str = r#"(data (i32.const 16) "ab\f0\9f\a6\80c")
    (data (i32.const 32) "\01\00\02\00\03\00\04\00\05\00\06\00\07\00\08\00")
    (data (i32.const 48) "\01\00\02\01\00\00\00\00\05\00\00\01\00\00\00\00")
    (data (i32.const 64) "ok\ffok\c0\80") (data (i32.const 80) "\01\00\01\02")"#;

/// Passes pointers to 32- and to 64-bit guests.
#[track_caller]
fn pointers(count: usize, add: impl Fn(&mut Host<Log>) + Copy, args: &[&[u32]]) -> Vec<Seen> {
    let values: Vec<Vec<_>> = args
        .iter()
        .map(|args| args.iter().map(|arg| w(*arg)).collect())
        .collect();
    let values: Vec<_> = values.iter().map(Vec::as_slice).collect();
    let narrow = same(
        &forwarder(&"i32 ".repeat(count), "", &format!("{MEMORY} {BYTES}")),
        add,
        &values,
    );
    let values: Vec<Vec<_>> = args
        .iter()
        .map(|args| args.iter().map(|arg| x((*arg).into())).collect())
        .collect();
    let values: Vec<_> = values.iter().map(Vec::as_slice).collect();
    let bytes = BYTES.replace("i32.const", "i64.const");
    let wide = same(
        &forwarder(&"i64 ".repeat(count), "", &format!("{MEMORY64} {bytes}")),
        add,
        &values,
    );
    assert_eq!(narrow, wide);
    narrow
}

#[test]
fn strings_and_lists() {
    let text: [&[u32]; 4] = [&[16, 7], &[16, 0], &[0, 0], &[65536, 0]];
    let texts = ["\"ab🦀c\"", "\"\"", "\"\"", "\"\""];
    assert_eq!(seen(pointers(2, one!(&str), &text)), texts);
    assert_eq!(seen(pointers(2, one!(String), &text)), texts);
    assert_eq!(
        seen(pointers(2, one!(&[u8]), &[&[16, 3]])),
        ["[97, 98, 240]"]
    );
    assert_eq!(
        seen(pointers(2, one!(Vec<i8>), &[&[16, 3]])),
        ["[97, 98, -16]"]
    );
    assert_eq!(seen(pointers(2, one!(&[u16]), &[&[34, 3]])), ["[2, 3, 4]"]);
    assert_eq!(
        seen(pointers(2, one!(Vec<u32>), &[&[36, 2]])),
        ["[262147, 393221]"]
    );
    assert_eq!(
        seen(pointers(2, one!(&[u64]), &[&[32, 2], &[40, 1]])),
        ["[1125912791875585, 2251829878849541]", "[2251829878849541]"]
    );
    assert_eq!(
        seen(pointers(2, one!(&[bool]), &[&[80, 3]])),
        ["[true, false, true]"]
    );
    assert_eq!(
        seen(pointers(2, one!(&[Point]), &[&[48, 2], &[0, 0]])),
        [
            "[Point { x: 1, kind: Three, up: true }, Point { x: 0, kind: One, up: false }]",
            "[]",
        ]
    );
    assert_eq!(
        seen(pointers(1, one!(&Point), &[&[48], &[56]])),
        [
            "Point { x: 1, kind: Three, up: true }",
            "Point { x: 5, kind: One, up: true }",
        ]
    );
    assert_eq!(
        seen(pointers(2, one!(&[[u8; 2]]), &[&[17, 2]])),
        ["[[98, 240], [159, 166]]"]
    );
    assert_eq!(
        seen(pointers(2, one!(Vec<(u8, u16)>), &[&[32, 2]])),
        ["[(1, 2), (3, 4)]"]
    );
}

/// Faults name the guest's addresses, as without a queue.
#[test]
fn faults_of_strings_and_lists() {
    let utf8 = |pointer, length, valid| {
        Some(Fault::Utf8 {
            pointer,
            length,
            valid,
        })
    };
    let calls = pointers(
        2,
        one!(&str),
        &[&[64, 7], &[66, 1], &[67, 4], &[16, 3], &[65, 2]],
    );
    let faults: Vec<_> = calls.into_iter().map(|(_, fault, _)| fault).collect();
    assert_eq!(
        faults,
        [
            utf8(64, 7, 2),
            utf8(66, 1, 0),
            utf8(67, 4, 2),
            utf8(16, 3, 2),
            utf8(65, 2, 1)
        ]
    );
    let three = |host: &mut Host<Log>| {
        host.deferred_with_state(
            "env",
            "f",
            |log: &mut Log, a: &[u16], b: &str, c: String| {
                log.push(format!("{a:?} {b} {c}"));
            },
        );
    };
    let calls = pointers(
        6,
        three,
        &[
            &[32, 3, 16, 2, 64, 2],
            &[32, 3, 16, 2, 64, 3],
            &[32, 1, 65, 2, 64, 3],
            &[32, 0, 0, 0, 66, 1],
            &[33, 1, 16, 2, 16, 2],
            &[32, 1, 65535, 2, 16, 2],
            &[32, 1, 16, 2, 65536, 1],
            &[32, 0x8000_0001, 16, 2, 16, 2],
        ],
    );
    assert_eq!(calls[0].0, ["[1, 2, 3] ab ok"]);
    assert_eq!(calls[1].1, utf8(64, 3, 2));
    assert_eq!(calls[1].2.as_deref(), Some("p2: string"));
    assert_eq!(calls[2].1, utf8(65, 2, 1));
    assert_eq!(calls[2].2.as_deref(), Some("p1: string"));
    assert_eq!(calls[3].1, utf8(66, 1, 0));
    assert_eq!(
        calls[4].1,
        Some(Fault::Misaligned {
            pointer: 33,
            align: 2
        })
    );
    assert_eq!(calls[5].1, Some(out_of_bounds(65535, 2)));
    assert_eq!(calls[6].1, Some(out_of_bounds(65536, 1)));
    assert_eq!(calls[7].1, Some(out_of_bounds(32, 0x1_0000_0002)));
    // Patterns of bits in the middle of a list, or behind a pointer.
    let calls = pointers(2, one!(&[bool]), &[&[80, 4], &[83, 1], &[80, 3]]);
    assert!(
        matches!(calls[0].1, Some(Fault::BitPattern { pointer: 80, .. })),
        "{calls:?}"
    );
    assert!(
        matches!(calls[1].1, Some(Fault::BitPattern { pointer: 83, .. })),
        "{calls:?}"
    );
    assert_eq!(calls[2].0, ["[true, false, true]"]);
    let calls = pointers(1, one!(&Point), &[&[64], &[66]]);
    assert!(
        matches!(calls[0].1, Some(Fault::BitPattern { pointer: 64, .. })),
        "{calls:?}"
    );
    assert!(
        matches!(calls[1].1, Some(Fault::BitPattern { pointer: 66, .. })),
        "{calls:?}"
    );
    let calls = pointers(2, one!(Vec<char>), &[&[32, 1], &[64, 1]]);
    assert_eq!(calls[0].0, ["['\u{20001}']"]);
    assert_eq!(calls[1].1, Some(Fault::Char(0x6fff_6b6f)));
}

#[test]
fn addresses_beyond_four_gigabytes() {
    let guest = forwarder("i64 i64", "", MEMORY64);
    let args = [
        [x(1 << 32), x(0)],
        [x(1 << 32), x(1)],
        [x(u64::MAX), x(1)],
        [x(u64::MAX), x(u64::MAX)],
        [x(0), x(1 << 32)],
        [x(0), x((1 << 32) + 5)],
        [x(1), x(u64::MAX)],
        [x(u64::MAX - 3), x(4)],
    ];
    let args: Vec<_> = args.iter().map(<[Value; 2]>::as_slice).collect();
    let text = same(&guest, one!(&str), &args);
    assert!(
        text.iter()
            .all(|(_, fault, _)| matches!(fault, Some(Fault::OutOfBounds { .. })))
    );
    same(&guest, one!(&[u64]), &args);
    same(&guest, one!(Vec<u16>), &args);
}

/// What the guest does to its memory after a call changes nothing.
#[test]
fn arguments_are_those_of_the_call() {
    let add = |host: &mut Host<Log>| {
        host.deferred_with_state(
            "env",
            "f",
            |log: &mut Log, text: &str, list: &[u16], point: &Point| {
                log.push(format!("{text} {list:?} {point:?}"));
            },
        )
        .deferred("env", "g", |guest: &mut Guest<'_, Log>, named: Named| {
            guest.state_mut().push(format!("{named:?}"));
        });
    };
    let guest = format!(
        r#"(module
        (import "env" "f" (func $f (param i32 i32 i32 i32 i32)))
        (import "env" "g" (func $g (param i32 i32 i32 i32 f32)))
        {MEMORY} {BYTES}
        (func $clear (memory.fill (i32.const 0) (i32.const 0) (i32.const 128)))
        (func (export "run")
            (call $f (i32.const 16) (i32.const 7) (i32.const 32) (i32.const 4) (i32.const 48))
            (call $g (i32.const 16) (i32.const 2) (i32.const 259) (i32.const 1) (f32.const 0.5))
            (call $clear)
            (call $f (i32.const 16) (i32.const 3) (i32.const 32) (i32.const 1) (i32.const 48))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 128))
            (call $g (i32.const 16) (i32.const 1) (i32.const 0) (i32.const 0) (f32.const 0))
            (memory.fill (i32.const 0) (i32.const 65) (i32.const 128))))"#
    );
    assert_eq!(
        seen(same(&guest, add, &[&[]])),
        [
            "ab🦀c [1, 2, 3, 4] Point { x: 1, kind: Three, up: true }",
            "Named { name: \"ab\", at: (3, Some(0.5)) }",
            "\0\0\0 [0] Point { x: 0, kind: One, up: false }",
            "Named { name: \"\\u{1}\", at: (0, None) }",
        ]
    );
}

/// More core values than most functions have.
#[test]
fn many_parameters() {
    let add = |host: &mut Host<Log>| {
        host.deferred_with_state(
            "env",
            "f",
            |log: &mut Log,
             a: &str,
             b: &str,
             c: u8,
             d: &[u16],
             e: &str,
             f: f32,
             g: String,
             h: &[u8],
             i: &str,
             j: Vec<u16>,
             k: &str| {
                log.push(format!("{a} {b} {c} {d:?} {e} {f} {g} {h:?} {i} {j:?} {k}"));
            },
        );
    };
    let params = "i32 i32 i32 i32 i32 i32 i32 i32 i32 f32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32";
    let mut args: Vec<Value> = [
        16, 2, 16, 7, 259, 32, 2, 16, 0, 0, 16, 1, 16, 1, 17, 1, 32, 3, 22, 1,
    ]
    .map(w)
    .into();
    args[9] = Value::F32(0.5);
    let guest = forwarder(params, "", &format!("{MEMORY} {BYTES}"));
    let mut bad = args.clone();
    bad[19] = w(65536);
    let calls = same(&guest, add, &[&args, &bad, &args]);
    let text = "ab ab🦀c 3 [1, 2]  0.5 a [97] b [1, 2, 3] c";
    assert_eq!(
        (&calls[0].0, &calls[2].0),
        (&vec![text.to_owned()], &vec![text.to_owned()])
    );
    assert_eq!(calls[1].1, Some(out_of_bounds(22, 65536)));
}
