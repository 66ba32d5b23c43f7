//! Errors that the guest gets: as a value, or as a code with out-pointers.

mod common;

use common::*;
use hostcall::{
    AsErrno, AsResult, Errno, Error, ErrorKind, Fault, Guest, GuestStr, GuestType, Host,
    HostModule, Instance, Value, host_module,
};
use std::fmt;
use std::num::{NonZeroI32, NonZeroU8, NonZeroU16};
use wasmtime::{Engine, Linker, Module, Store};

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
enum KvError {
    NotFound,
    TooLong(u32),
}

impl Errno for KvError {
    fn errno(&self) -> NonZeroI32 {
        const NOT_FOUND: NonZeroI32 = NonZeroI32::new(-2).unwrap();
        const TOO_LONG: NonZeroI32 = NonZeroI32::new(7).unwrap();
        match self {
            KvError::NotFound => NOT_FOUND,
            KvError::TooLong(_) => TOO_LONG,
        }
    }
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for KvError {}

#[derive(Default)]
struct Kv {
    reads: u32,
}

type Found<T> = Result<T, KvError>;

impl Kv {
    fn find(&mut self, key: &str) -> Found<String> {
        self.reads += 1;
        match key {
            "a" => Ok("value".to_owned()),
            _ if key.len() > 3 => Err(KvError::TooLong(key.len() as u32)),
            _ => Err(KvError::NotFound),
        }
    }
}

#[host_module(name = "kv")]
impl Kv {
    #[hostcall(result)]
    fn see(&mut self, key: &str) -> Found<String> {
        self.find(key)
    }

    #[hostcall(errno)]
    fn read(&mut self, key: &str) -> Found<(String, u32)> {
        Ok((self.find(key)?, self.reads))
    }

    #[hostcall(errno)]
    fn check(&self, key: &str, upper: &mut [u8]) -> Result<(), KvError> {
        upper.make_ascii_uppercase();
        (key == "a").then_some(()).ok_or(KvError::NotFound)
    }

    #[hostcall(errno)]
    fn length(guest: &mut Guest<'_, Kv>, key: GuestStr) -> Found<u64> {
        let key = guest
            .read_str(key)
            .map_err(|_| KvError::NotFound)?
            .to_owned();
        Ok(guest.state_mut().find(&key)?.len() as u64)
    }

    /// What fails in this traps, what is not found does not.
    fn trusting(guest: &mut Guest<'_, Kv>, key: GuestStr) -> Result<AsErrno<Found<u8>>, Error> {
        let key = guest.read_str(key)?.to_owned();
        Ok(AsErrno(
            guest
                .state_mut()
                .find(&key)
                .map(|found| found.as_bytes()[0]),
        ))
    }
}

/// Keys are at 16: "a", "ab", "abcd".
fn kv_guest(word: &str, memory: &str) -> String {
    let imports: [(&str, &str); 5] = [
        ("see", "W W W"),
        ("read", "W W W W"),
        ("check", "W W W W"),
        ("length", "W W W"),
        ("trusting", "W W W"),
    ];
    let mut text = String::new();
    let mut exports = String::new();
    for (name, params) in imports {
        let params = params.replace('W', word);
        let results = if name == "see" { "" } else { "i32" };
        let (import, export) = forward(name, name, &params, results);
        text += &import.replace("\"env\"", "\"kv\"");
        exports += &export;
    }
    format!(r#"(module {text} {memory} (data ({word}.const 16) "abcd") {exports})"#)
}

fn kv() -> Instance<Kv> {
    let mut host = Host::new();
    Kv::add_to_host(&mut host, |kv| kv);
    let guest = kv_guest("i32", &[MEMORY, BUMP].concat());
    let mut kv = instance(&host, &guest, Kv::default());
    poke(&mut kv, 64, &[0xee; 64]);
    kv
}

#[test]
fn a_result_reaches_the_guest_as_a_value() {
    let mut kv = kv();
    kv.call("see", &[w(16), w(1), w(64)]).unwrap();
    let seen = bytes(&mut kv, 64, 12);
    assert_eq!(seen[0], 0, "ok");
    let [at, len] = [4, 8].map(|i| u32::from_le_bytes(seen[i..][..4].try_into().unwrap()));
    assert_eq!(bytes(&mut kv, at as usize, len as usize), b"value");

    kv.call("see", &[w(16), w(2), w(64)]).unwrap();
    assert_eq!(bytes(&mut kv, 64, 1), [1], "err");
    assert_eq!(bytes(&mut kv, 68, 1), [0], "the case `not-found`");
    kv.call("see", &[w(16), w(4), w(64)]).unwrap();
    assert_eq!(bytes(&mut kv, 68, 1), [1], "the case `too-long`");
    assert_eq!(bytes(&mut kv, 72, 4), 4_u32.to_le_bytes());
    assert_eq!(kv.state().reads, 3);
}

#[test]
fn closures_return_results_of_every_shape() {
    let mut host = Host::<()>::new();
    host.func("env", "both", |n: u32| {
        AsResult(n.checked_sub(1).ok_or(KvError::NotFound))
    });
    host.func("env", "no_value", |n: i64| {
        AsResult(if n == 0 { Ok(()) } else { Err(n) })
    });
    host.func("env", "no_error", |n: f64| {
        AsResult((n >= 0.0).then(|| n.sqrt()).ok_or(()))
    });
    host.func("env", "neither", |guest: &mut Guest<'_, ()>, n: u32| {
        AsResult(
            (n < guest.memory().map_or(0, |m| m.len()) as u32)
                .then_some(())
                .ok_or(()),
        )
    });
    let funcs = [
        ("both", "i32", "i32 i32 i32"),
        ("no_value", "i64", "i32 i64"),
        ("no_error", "f64", "i32 f64"),
        ("neither", "i32", "i32"),
    ];
    let (imports, exports): (Vec<_>, Vec<_>) = funcs
        .iter()
        .map(|(name, params, results)| forward(name, name, params, results))
        .unzip();
    let guest = format!(
        "(module {} {MEMORY} {})",
        imports.concat(),
        exports.concat()
    );
    let mut guest = instance(&host, &guest, ());
    assert_eq!(guest.call("both", &[w(5)]).unwrap(), [w(0), w(4), w(0)]);
    assert_eq!(guest.call("both", &[w(0)]).unwrap(), [w(1), w(0), w(0)]);
    assert_eq!(guest.call("no_value", &[x(0)]).unwrap(), [w(0), x(0)]);
    assert_eq!(guest.call("no_value", &[x(9)]).unwrap(), [w(1), x(9)]);
    let four = [Value::F64(16.0)];
    assert_eq!(
        guest.call("no_error", &four).unwrap(),
        [w(0), Value::F64(4.0)]
    );
    let none = [Value::F64(-1.0)];
    assert_eq!(
        guest.call("no_error", &none).unwrap(),
        [w(1), Value::F64(0.0)]
    );
    assert_eq!(guest.call("neither", &[w(5)]).unwrap(), [w(0)]);
    assert_eq!(guest.call("neither", &[w(65536)]).unwrap(), [w(1)]);
}

#[test]
fn a_code_is_the_result_and_values_go_through_out_pointers() {
    let mut kv = kv();
    let read = kv.call("read", &[w(16), w(1), w(64), w(80)]).unwrap();
    assert_eq!(read, [w(0)]);
    let pair = bytes(&mut kv, 64, 8);
    let [at, len] = [0, 4].map(|i| u32::from_le_bytes(pair[i..][..4].try_into().unwrap()));
    assert_eq!(bytes(&mut kv, at as usize, len as usize), b"value");
    assert_eq!(bytes(&mut kv, 80, 4), 1_u32.to_le_bytes());
    assert_eq!(bytes(&mut kv, 72, 8), [0xee; 8], "what is between stays");
    assert_eq!(bytes(&mut kv, 84, 8), [0xee; 8], "what is behind stays");

    assert_eq!(kv.call("length", &[w(16), w(1), w(96)]).unwrap(), [w(0)]);
    assert_eq!(bytes(&mut kv, 96, 8), 5_u64.to_le_bytes());
    assert_eq!(
        kv.call("length", &[w(16), w(2), w(96)]).unwrap(),
        [w(-2_i32 as u32)]
    );
    assert_eq!(kv.call("length", &[w(16), w(4), w(96)]).unwrap(), [w(7)]);
}

#[test]
fn nothing_has_no_out_pointer() {
    let mut kv = kv();
    poke(&mut kv, 100, b"up");
    let check = kv.call("check", &[w(16), w(1), w(100), w(2)]).unwrap();
    assert_eq!(check, [w(0)]);
    assert_eq!(bytes(&mut kv, 100, 2), b"UP");
    let check = kv.call("check", &[w(16), w(2), w(100), w(2)]).unwrap();
    assert_eq!(check, [w(-2_i32 as u32)]);
}

#[test]
fn out_pointers_of_a_failed_call_are_not_touched() {
    let mut kv = kv();
    let before = bytes(&mut kv, 0, PAGE as usize);
    for out in [0, 1, 64, 65535, u32::MAX] {
        let read = kv.call("read", &[w(16), w(2), w(out), w(out)]).unwrap();
        assert_eq!(read, [w(-2_i32 as u32)], "{out}");
    }
    assert_eq!(bytes(&mut kv, 0, PAGE as usize), before);
}

#[test]
fn the_outer_result_of_a_code_traps() {
    let mut kv = kv();
    assert_eq!(kv.call("trusting", &[w(16), w(1), w(64)]).unwrap(), [w(0)]);
    assert_eq!(bytes(&mut kv, 64, 2), [b'v', 0xee]);
    let missing = kv.call("trusting", &[w(16), w(2), w(0)]).unwrap();
    assert_eq!(missing, [w(-2_i32 as u32)]);
    let outside = kv.call("trusting", &[w(65535), w(2), w(64)]);
    assert_eq!(fault(outside), out_of_bounds(65535, 2));
}

/// The key may be where the value goes: the function is done with it.
#[test]
fn an_out_pointer_may_point_into_an_argument() {
    let mut kv = kv();
    assert_eq!(
        kv.call("read", &[w(16), w(1), w(16), w(24)]).unwrap(),
        [w(0)]
    );
    assert_eq!(bytes(&mut kv, 20, 4), 5_u32.to_le_bytes());
}

#[test]
fn every_kind_of_value_goes_through_an_out_pointer() {
    #[derive(GuestType)]
    struct Sample {
        flag: bool,
        at: u64,
    }
    #[derive(GuestType)]
    struct Pair(u8, u32);
    let mut host = Host::<()>::new();
    host.func("env", "f", || {
        let sample = Sample {
            flag: true,
            at: 258,
        };
        let list = vec![Some(1_u16), None];
        AsErrno(Ok::<_, NonZeroU8>((
            sample,
            Pair(3, 4),
            [5_i16, -1],
            (6_u8, 7_u8),
            list,
            'x',
        )))
    });
    host.func("env", "one", || {
        AsErrno(Ok::<_, NonZeroU8>(((8_u8, 9_u16),)))
    });
    let (f, run) = forward("f", "run", "i32 i32 i32 i32 i32 i32", "i32");
    let (one, run_one) = forward("one", "one", "i32", "i32");
    let guest = format!("(module {f} {one} {MEMORY} {BUMP} {run} {run_one})");
    let mut guest = instance(&host, &guest, ());
    poke(&mut guest, 0, &[0xee; 96]);
    let outs = [0, 16, 24, 29, 32, 40].map(w);
    assert_eq!(guest.call("run", &outs).unwrap(), [w(0)]);
    assert_eq!(bytes(&mut guest, 0, 1), [1]);
    assert_eq!(bytes(&mut guest, 8, 8), 258_u64.to_le_bytes());
    assert_eq!(bytes(&mut guest, 16, 1), [3]);
    assert_eq!(bytes(&mut guest, 20, 4), 4_u32.to_le_bytes());
    assert_eq!(bytes(&mut guest, 24, 4), [5, 0, 255, 255]);
    assert_eq!(bytes(&mut guest, 28, 4), [0xee, 6, 7, 0xee]);
    assert_eq!(
        bytes(&mut guest, 40, 8),
        [b'x', 0, 0, 0, 0xee, 0xee, 0xee, 0xee]
    );
    assert_eq!(guest.call("one", &[w(64)]).unwrap(), [w(0)]);
    assert_eq!(bytes(&mut guest, 64, 6), [8, 0xee, 9, 0, 0xee, 0xee]);
}

#[test]
fn out_pointers_of_64_bit_guests_are_64_bits_wide() {
    let mut host = Host::new();
    Kv::add_to_host(&mut host, |kv| kv);
    let guest = kv_guest("i64", &[MEMORY64, BUMP64].concat());
    let mut kv = instance(&host, &guest, Kv::default());
    let read = kv.call("read", &[x(16), x(1), x(64), x(80)]).unwrap();
    assert_eq!(read, [w(0)]);
    let pair = bytes(&mut kv, 64, 16);
    let [at, len] = [0, 8].map(|i| u64::from_le_bytes(pair[i..][..8].try_into().unwrap()));
    assert_eq!(bytes(&mut kv, at as usize, len as usize), b"value");
    assert_eq!(kv.call("length", &[x(16), x(1), x(96)]).unwrap(), [w(0)]);
    kv.call("see", &[x(16), x(1), x(128)]).unwrap();
    assert_eq!(bytes(&mut kv, 128, 1), [0]);
    assert_eq!(bytes(&mut kv, 144, 8), 5_u64.to_le_bytes());
    let far = kv.call("length", &[x(16), x(1), x(1 << 32)]);
    assert_eq!(fault(far), out_of_bounds(1 << 32, 8));
}

#[test]
fn a_plain_linker_gives_both() {
    let engine = Engine::default();
    let mut linker = Linker::<Kv>::new(&engine);
    Kv::add_to_linker(&mut linker, |kv| kv).unwrap();
    let text = kv_guest("i32", &[MEMORY, BUMP].concat());
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut store = Store::new(&engine, Kv::default());
    let guest = linker.instantiate(&mut store, &module).unwrap();
    let see = guest.get_typed_func::<(i32, i32, i32), ()>(&mut store, "see");
    see.unwrap().call(&mut store, (16, 2, 64)).unwrap();
    let read = guest.get_typed_func::<(i32, i32, i32, i32), i32>(&mut store, "read");
    let read = read.unwrap();
    assert_eq!(read.call(&mut store, (16, 1, 80, 96)).unwrap(), 0);
    assert_eq!(read.call(&mut store, (16, 4, 0, 0)).unwrap(), 7);
    let length = guest.get_typed_func::<(i32, i32, i32), i32>(&mut store, "length");
    let length = length.unwrap();
    assert_eq!(length.call(&mut store, (16, 1, 104)).unwrap(), 0);
    let memory = guest.get_memory(&mut store, "memory").unwrap();
    let data = memory.data(&store);
    assert_eq!(data[64], 1, "err");
    assert_eq!(data[84..88], 5_u32.to_le_bytes());
    assert_eq!(data[96..100], 2_u32.to_le_bytes(), "the second read");
    assert_eq!(data[104..112], 5_u64.to_le_bytes());
    let error = read.call(&mut store, (16, 1, 81, 96)).unwrap_err();
    let message = format!("{error:#}");
    assert!(
        message.contains("host function `kv.read` failed"),
        "{message}"
    );
    assert!(
        message.contains("argument `out0: out<string>`: address 0x51 is not aligned"),
        "{message}"
    );
}

#[test]
fn plans_and_problems_show_the_signature() {
    let mut host = Host::<()>::new();
    host.func("env", "get", |_key: &str| {
        AsErrno(Ok::<_, NonZeroU16>((1_u32, String::new())))
    });
    host.func("env", "one", || AsErrno(Ok::<_, NonZeroU16>(1_u64)));
    host.func("env", "none", |_n: u32| {
        AsErrno(Err::<(), _>(NonZeroU16::MIN))
    });
    host.func("env", "value", || AsResult(Ok::<u32, String>(1)));
    let wrong = br#"(module
        (import "env" "get" (func (param i32 i32) (result i32)))
        (import "env" "one" (func (result i64)))
        (import "env" "none" (func (param i32)))
        (import "env" "value" (func (result i32))))"#;
    let error = host.program(wrong).unwrap_err();
    let ErrorKind::Link(link) = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(link.problems().len(), 4);
    let text = error.to_string();
    for signature in [
        "func(p0: string, out0: out<u32>, out1: out<string>) -> errno",
        "func(out: out<u64>) -> errno",
        "func(p0: u32) -> errno",
        "func() -> result<u32, string>",
    ] {
        assert!(text.contains(signature), "{signature}\n{text}");
    }
    assert!(text.contains("(i32, i32, i32, i32) -> i32"), "{text}");
    let right = br#"(module (import "env" "one" (func (param i32) (result i32))))"#;
    let plan = host.program(right).unwrap().plan().to_string();
    assert!(plan.contains("func(out: out<u64>) -> errno"), "{plan}");
}

/// Memory cannot hold a reference, so no import fits.
#[test]
fn a_reference_does_not_go_through_an_out_pointer() {
    use hostcall::HostRef;
    let mut host = Host::<()>::new();
    host.func("env", "f", || {
        AsErrno(Ok::<_, NonZeroU16>(HostRef::new(1_u32)))
    });
    let error = host.program(forwarder("i32", "i32", MEMORY).as_bytes());
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("a reference in memory, which cannot hold it"),
        "{text}"
    );
}

#[test]
fn a_panic_in_errno_is_one_of_the_host_function() {
    struct Rude;
    impl Errno for Rude {
        fn errno(&self) -> NonZeroI32 {
            panic!("no number")
        }
    }
    let mut host = Host::<()>::new();
    host.func("env", "f", || AsErrno(Err::<(), _>(Rude)));
    let mut guest = instance(&host, &forwarder("", "i32", ""), ());
    let error = guest.call("run", &[]).unwrap_err();
    let ErrorKind::Panic(message) = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(message, "no number");
    assert_eq!(error.import(), Some(("env", "f")));
}

/// Without an attribute the same `Err` traps, and keeps its type.
#[test]
fn an_error_that_is_not_handled_traps() {
    let mut host = Host::<()>::new();
    host.func("env", "f", || Err::<(), _>(KvError::TooLong(9)));
    let mut guest = instance(&host, &forwarder("", "", ""), ());
    let error = guest.call("run", &[]).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&KvError::TooLong(9)));
}

/// What is deferred comes before a call whose error the guest handles.
#[test]
fn deferred_calls_are_delivered_before() {
    let mut host = Host::<Vec<u32>>::new();
    host.deferred_with_state("env", "log", |log: &mut Vec<u32>, n: u32| log.push(n));
    host.func_with_state("env", "f", |log: &mut Vec<u32>| {
        AsErrno(Ok::<_, NonZeroU16>(log.len() as u32))
    });
    let guest = format!(
        r#"(module
            (import "env" "log" (func $log (param i32)))
            (import "env" "f" (func $f (param i32) (result i32)))
            {MEMORY}
            (func (export "run") (result i32)
                (call $log (i32.const 1)) (call $log (i32.const 2))
                (call $f (i32.const 8)) (drop) (i32.load (i32.const 8))))"#
    );
    let mut guest = instance(&host, &guest, Vec::new());
    assert_eq!(guest.call("run", &[]).unwrap(), [w(2)]);
}

/// An async function returns the same types, and values are written when it
/// has waited.
#[test]
fn async_functions_hand_errors_to_the_guest_too() {
    let mut host = Host::<()>::new();
    host.func_async("env", "code", |n: u32| async move {
        tokio::task::yield_now().await;
        AsErrno(match n {
            0 => Err(KvError::NotFound),
            n => Ok((n.to_string(), n)),
        })
    });
    host.func_async("env", "value", |n: u32| async move {
        tokio::task::yield_now().await;
        AsResult(n.checked_sub(1).ok_or(()))
    });
    let (code, run_code) = forward("code", "code", "i32 i32 i32", "i32");
    let (value, run_value) = forward("value", "value", "i32", "i32 i32");
    let guest = format!("(module {code} {value} {MEMORY} {BUMP} {run_code} {run_value})");
    let program = host.program(guest.as_bytes()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let mut guest = program.instantiate_async(()).await.unwrap();
        let code = guest.export::<(u32, u32, u32), i32>("code").unwrap();
        assert_eq!(code.call_async(&mut guest, (12, 8, 16)).await.unwrap(), 0);
        assert_eq!(bytes(&mut guest, 12, 8), [2, 0, 0, 0, 12, 0, 0, 0]);
        assert_eq!(code.call_async(&mut guest, (0, 1, 1)).await.unwrap(), -2);
        let bad = code.call_async(&mut guest, (12, 8, 10)).await;
        assert_eq!(
            fault(bad),
            Fault::Misaligned {
                pointer: 10,
                align: 4
            }
        );
        let value = guest.export_dynamic("value").unwrap();
        let mut seen = [w(9), w(9)];
        let called = value.call_async(&mut guest, &[w(5)], &mut seen).await;
        called.unwrap();
        assert_eq!(seen, [w(0), w(4)]);
    });
}
