//! Modules that are valid and unusual.

mod common;

use common::*;
use hostcall::{
    Error, ErrorKind, Guest, GuestFunc, GuestStr, Host, HostRef, Limits, MemoryType, Signature,
    TableType, ValType, Value,
};
use std::collections::BTreeMap;

const OVERLOADED: &str = r#"(module
    (import "env" "f" (func $int (param i32) (result i32)))
    (import "env" "f" (func $float (param f64) (result f64)))
    (func (export "int") (param i32) (result i32) (call $int (local.get 0)))
    (func (export "float") (param f64) (result f64) (call $float (local.get 0))))"#;

#[test]
fn one_name_under_two_types_by_two_overloads() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |n: i32| n + 1);
    host.func("env", "f", |n: f64| n / 2.0);
    let mut guest = instance(&host, OVERLOADED, ());
    assert_eq!(guest.call("int", &[w(1)]).expect("it runs"), [w(2)]);
    assert_eq!(
        guest.call("float", &[1.0.into()]).expect("it runs"),
        [0.5.into()]
    );
}

#[test]
fn one_name_under_two_types_by_the_catch_all() {
    let mut host = Host::<()>::new();
    host.catch_all(|_, import, args, results| -> Result<(), Error> {
        assert_eq!((import.module, import.name), ("env", "f"));
        results[0] = args[0].clone();
        Ok(())
    });
    let mut guest = instance(&host, OVERLOADED, ());
    assert_eq!(guest.call("int", &[w(1)]).expect("it runs"), [w(1)]);
    assert_eq!(
        guest.call("float", &[1.5.into()]).expect("it runs"),
        [1.5.into()]
    );
}

#[test]
fn one_name_under_two_types_of_which_one_is_offered() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |n: i32| n + 1);
    host.optional("env", "f");
    for _ in 0..2 {
        let error = host
            .program(OVERLOADED.as_bytes())
            .expect_err("one does not fit");
        let ErrorKind::Link(link) = error.kind() else {
            panic!("{error}")
        };
        assert_eq!(link.problems().len(), 1, "{error}");
        assert!(error.to_string().contains("(f64) -> f64"), "{error}");
        // A catch-all does not hide a mismatch.
        host.catch_all(|_, _, _, _| Ok::<_, Error>(()));
    }
}

#[test]
fn one_import_many_times() {
    let mut host = Host::<u32>::new();
    host.func_with_state("env", "f", |calls: &mut u32| *calls += 1);
    let imports: String = (0..500)
        .map(|i| format!(r#"(import "env" "f" (func $f{i}))"#))
        .collect();
    let calls: String = (0..500).map(|i| format!("(call $f{i})")).collect();
    let guest = format!(r#"(module {imports} (func (export "run") {calls}))"#);
    let mut guest = instance(&host, &guest, 0);
    guest.call("run", &[]).expect("it runs");
    assert_eq!(*guest.state(), 500);
}

#[test]
fn thirty_parameters_and_many_results() {
    let params: Vec<_> = (0..30).map(|i| format!("p{i}: u64")).collect();
    let signature: Signature = format!("func({}) -> tuple<{}>", params.join(", "), {
        vec!["u64"; 30].join(", ")
    })
    .parse()
    .expect("a signature");
    let mut host = Host::<()>::new();
    host.func_dynamic("env", "f", signature, |_, args, results| {
        results[0] = Value::Tuple(args.iter().rev().cloned().collect());
        Ok::<_, Error>(())
    });
    let i64s = ["i64"; 30].join(" ");
    let mut guest = instance(&host, &forwarder(&i64s, &i64s, MEMORY), ());
    let args: Vec<_> = (0..30).map(x).collect();
    let mut results = guest.call("run", &args).expect("it runs");
    results.reverse();
    assert_eq!(results, args);
    let export = guest
        .export::<([u64; 16], [u64; 14]), ([u64; 15], [u64; 15])>("run")
        .expect("it fits");
    let low: [u64; 16] = std::array::from_fn(|i| i as u64);
    let high: [u64; 14] = std::array::from_fn(|i| i as u64 + 16);
    let (first, _) = export.call(&mut guest, (low, high)).expect("it runs");
    assert_eq!((first[0], first[14]), (29, 15));
}

const TWO_MEMORIES: &str = r#"
    (memory $other (export "a") 1)
    (memory $main (export "memory") 1)
    (data (memory $other) (i32.const 8) "wrong")
    (data (memory $main) (i32.const 8) "right")"#;

#[test]
fn two_memories() {
    let mut host = Host::<Vec<String>>::new();
    host.func_with_state("env", "f", |seen: &mut Vec<String>, text: &str| {
        seen.push(text.to_owned());
    });
    let mut guest = instance(&host, &forwarder("i32 i32", "", TWO_MEMORIES), Vec::new());
    guest.call("run", &[w(8), w(5)]).expect("it runs");
    // Without one named so, pointers go to the first.
    let unnamed = TWO_MEMORIES.replace(r#""memory""#, r#""b""#);
    let mut unnamed = instance(&host, &forwarder("i32 i32", "", &unnamed), Vec::new());
    unnamed.call("run", &[w(8), w(5)]).expect("it runs");
    assert_eq!(
        (&guest.state()[0][..], &unnamed.state()[0][..]),
        ("right", "wrong")
    );
}

#[test]
fn memories_of_two_widths() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |text: &str| text.len() as u32);
    let items = r#"(memory $narrow 1) (memory (export "memory") i64 1)"#;
    let mut guest = instance(&host, &forwarder("i64 i64", "i32", items), ());
    assert_eq!(guest.call("run", &[x(8), x(5)]).expect("it runs"), [w(5)]);
    let items = r#"(memory $wide i64 1) (memory (export "memory") 1)"#;
    let mut guest = instance(&host, &forwarder("i32 i32", "i32", items), ());
    assert_eq!(guest.call("run", &[w(8), w(5)]).expect("it runs"), [w(5)]);
}

#[test]
fn pages_of_one_byte() {
    let mut config = wasmtime::Config::new();
    config.wasm_custom_page_sizes(true);
    let mut host = Host::<()>::with_engine(wasmtime::Engine::new(&config).expect("an engine"));
    host.func("env", "f", |text: &str| text.len() as u32);
    let items = r#"(memory (export "memory") 13 13 (pagesize 1)) (data (i32.const 8) "abcde")"#;
    let mut guest = instance(&host, &forwarder("i32 i32", "i32", items), ());
    assert_eq!(guest.call("run", &[w(8), w(5)]).expect("it runs"), [w(5)]);
    let error = guest.call("run", &[w(9), w(5)]).expect_err("outside");
    assert!(error.to_string().contains("memory of 13 bytes"), "{error}");
}

#[test]
fn strange_names() {
    let names = [
        ("", ""),
        ("", "type"),
        ("match", "fn"),
        ("größe", "🦀 \u{202e}"),
        ("a\0b", "\n\"quoted\"\\"),
        ("env.", ".f"),
        ("0", "0"),
    ];
    let mut host = Host::<Vec<usize>>::new();
    for (i, (module, name)) in names.into_iter().enumerate() {
        host.func_with_state(module, name, move |seen: &mut Vec<usize>| seen.push(i));
    }
    let quoted = |text: &str| -> String { text.bytes().map(|b| format!("\\{b:02x}")).collect() };
    let imports: String = names
        .iter()
        .map(|(m, n)| format!(r#"(import "{}" "{}" (func))"#, quoted(m), quoted(n)))
        .collect();
    let calls: String = (0..names.len()).map(|i| format!("(call {i})")).collect();
    let guest = format!(r#"(module {imports} (func (export "") {calls}))"#);
    let mut guest = instance(&host, &guest, Vec::new());
    guest
        .export::<(), ()>("")
        .expect("it fits")
        .call(&mut guest, ())
        .expect("it runs");
    assert_eq!(*guest.state(), [0, 1, 2, 3, 4, 5, 6]);
    let error = Host::<()>::new()
        .program(format!("(module {imports})").as_bytes())
        .expect_err("nothing is offered");
    let ErrorKind::Link(link) = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(link.problems().len(), names.len());
    assert!(!error.to_string().contains(['\0', '\u{202e}']), "{error}");
}

#[test]
fn reserved_names() {
    for guest in [
        r#"(module (import "hostcall:import" "0" (func)))"#,
        r#"(module (func (export "hostcall:x")))"#,
    ] {
        let mut host = Host::<()>::new();
        host.catch_all(|_, _, _, _| Ok::<_, Error>(()));
        let error = host.program(guest.as_bytes()).expect_err("reserved");
        assert!(error.to_string().contains("hostcall:"), "{error}");
    }
}

/// The start function runs before the instance is complete.
#[test]
fn start_functions_that_call_the_host() {
    type State = Vec<String>;
    let mut host = Host::<State>::new();
    host.func_with_state("env", "log", |seen: &mut State, text: &str| {
        seen.push(text.to_owned());
    });
    host.func("env", "text", || "from the host".to_owned());
    host.func("env", "call", {
        |guest: &mut Guest<'_, State>, text: GuestStr| -> Result<u32, Error> {
            let text = guest.read_str(text)?.to_owned();
            guest.state_mut().push(text);
            guest.export::<u32, u32>("double")?.call_in(guest, 21)
        }
    })
    .reentrant("env", "call", 1);
    let mut guest = instance(
        &host,
        &format!(
            r#"(module
            (import "env" "log" (func $log (param i32 i32)))
            (import "env" "text" (func $text (param i32)))
            (import "env" "call" (func $call (param i32 i32) (result i32)))
            {MEMORY} {BUMP}
            (data (i32.const 8) "hello")
            (global $n (mut i32) (i32.const 0))
            (func (export "double") (param i32) (result i32)
                (i32.mul (local.get 0) (i32.const 2)))
            (func $start
                (call $log (i32.const 8) (i32.const 5))
                (call $text (i32.const 64))
                (call $log (i32.load (i32.const 64)) (i32.load (i32.const 68)))
                (global.set $n (call $call (i32.const 8) (i32.const 4))))
            (start $start)
            (func (export "n") (result i32)
                (call $log (i32.const 9) (i32.const 4)) (global.get $n)))"#
        ),
        Vec::new(),
    );
    assert_eq!(guest.call("n", &[]).expect("it runs"), [w(42)]);
    assert_eq!(*guest.state(), ["hello", "from the host", "hell", "ello"]);
}

#[test]
fn start_functions_that_fail() {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: &str| {});
    let guest = r#"(module
        (import "env" "f" (func $f (param i32 i32)))
        (memory (export "memory") 1)
        (func $start (call $f (i32.const 0) (i32.const -1)))
        (start $start))"#;
    let program = host.program(guest.as_bytes()).expect("it links");
    let error = program.instantiate(()).map(drop).expect_err("it fails");
    assert_eq!(error.fault(), Some(&out_of_bounds(0, u32::MAX.into())));
    assert_eq!(error.import(), Some(("env", "f")));
    assert_eq!(error.argument(), Some("p0: string"));
}

fn memory_type(minimum: u64, maximum: Option<u64>, memory64: bool) -> MemoryType {
    MemoryType {
        minimum,
        maximum,
        memory64,
        shared: false,
        page_size_log2: 16,
    }
}

#[test]
fn imported_memory_global_and_table() {
    let mut host = Host::<Vec<String>>::new();
    host.memory("env", "memory", memory_type(1, None, false));
    host.global("env", "base", false, Value::U32(64));
    host.global("env", "count", true, Value::S64(-1));
    host.global("env", "vector", false, Value::V128(7));
    host.table(
        "env",
        "table",
        TableType {
            element: ValType::FuncRef,
            table64: false,
            minimum: 4,
            maximum: None,
        },
    );
    host.func_with_state("env", "log", |seen: &mut Vec<String>, text: &str| {
        seen.push(text.to_owned());
    });
    let program = host
        .program(
            br#"(module
            (import "env" "memory" (memory $memory 1))
            (import "env" "base" (global $base i32))
            (import "env" "count" (global $count (mut i64)))
            (import "env" "vector" (global $vector v128))
            (import "env" "table" (table $table 2 funcref))
            (import "env" "log" (func $log (param i32 i32)))
            (type $void (func))
            (export "memory" (memory $memory))
            (data (global.get $base) "hello")
            (elem (i32.const 1) $inc)
            (func $inc (global.set $count (i64.add (global.get $count) (i64.const 1))))
            (func (export "run") (result i64)
                (call $log (global.get $base) (i32.const 5))
                (call_indirect (type $void) (i32.const 1))
                (call_indirect (type $void) (i32.const 1))
                (global.get $count))
            (func (export "vector") (result v128) (global.get $vector)))"#,
        )
        .expect("it links");
    // Every instance has its own.
    for _ in 0..2 {
        let mut guest = program.instantiate(Vec::new()).expect("it starts");
        assert_eq!(guest.call("run", &[]).expect("it runs"), [x(1)]);
        assert_eq!(
            guest.call("vector", &[]).expect("it runs"),
            [Value::V128(7)]
        );
        assert_eq!(*guest.state(), ["hello"]);
        let bytes = bytes(&mut guest, 64, 5);
        assert_eq!(bytes, b"hello");
    }
}

#[test]
fn imported_64_bit_memory() {
    let mut host = Host::<()>::new();
    host.memory("env", "m", memory_type(1, Some(2), true));
    host.func("env", "f", |text: &str| text.len() as u32);
    let guest = r#"(module
        (import "env" "m" (memory $m i64 1 2))
        (import "env" "f" (func $f (param i64 i64) (result i32)))
        (export "memory" (memory $m))
        (func (export "run") (result i32) (call $f (i64.const 65531) (i64.const 5))))"#;
    let mut guest = instance(&host, guest, ());
    assert_eq!(guest.call("run", &[]).expect("it runs"), [w(5)]);
    assert_eq!(guest.guest(|guest| guest.grow(1)).expect("one more"), 1);
    guest.guest(|guest| guest.grow(1)).expect_err("no more");
}

#[test]
fn items_that_do_not_fit() {
    let mut host = Host::<()>::new();
    host.memory("env", "memory", memory_type(1, None, false));
    host.global("env", "g", false, Value::U32(64));
    host.func("env", "f", |n: u32| n);
    let error = host
        .program(
            br#"(module
            (import "env" "memory" (memory i64 1))
            (import "env" "g" (global (mut i32)))
            (import "env" "f" (table 1 funcref))
            (import "env" "missing" (func)))"#,
        )
        .expect_err("nothing fits");
    let ErrorKind::Link(link) = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(link.problems().len(), 4, "{error}");
}

#[test]
fn optional_imports() {
    let mut host = Host::<()>::new();
    host.optional("env", "f").optional("env", "unused");
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "f" (func $f (param i32 externref) (result v128 funcref)))
            (func (export "run") (call $f (i32.const 1) (ref.null extern)) drop drop)
            (func (export "alive")))"#,
        (),
    );
    let error = guest.call("run", &[]).expect_err("it is not offered");
    expect_test::expect![[r#"
        host function `env.f` failed: the guest called an optional import that this host does not provide; guest backtrace: function 1; in a call of export `run`"#]]
    .assert_eq(&error.to_string());
    assert_eq!(error.import(), Some(("env", "f")));
    guest.call("alive", &[]).expect("it works on");
}

type Calls = BTreeMap<String, Vec<Value>>;

#[test]
fn the_catch_all_sees_everything() {
    let mut host = Host::<Calls>::new();
    host.func("env", "object", || HostRef::new(5_u32));
    host.catch_all(|guest, import, args, results| -> Result<(), Error> {
        let name = format!("{}.{}: {}", import.module, import.name, import.signature);
        guest.state_mut().insert(name, args.to_vec());
        // The last arguments are the results.
        let start = args.len() - results.len();
        results.clone_from_slice(&args[start..]);
        Ok(())
    });
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "object" (func $object (result externref)))
            (import "a" "numbers" (func $numbers (param i32 i64 f32 f64) (result i64 f32 f64)))
            (import "b" "vector" (func $vector (param v128) (result v128)))
            (import "c" "refs" (func $refs (param externref funcref externref) (result funcref externref)))
            (import "d" "none" (func $none))
            (elem declare func $seven)
            (type $int (func (result i32)))
            (table $t 1 funcref)
            (func $seven (result i32) (i32.const 7))
            (func (export "run") (result i64 f32 f64 v128 i32 i32)
                (call $none)
                (call $numbers (i32.const -1) (i64.const -2) (f32.const 3) (f64.const 4))
                (call $vector (v128.const i64x2 1 2))
                (call $refs (ref.null extern) (ref.func $seven) (call $object))
                ref.is_null
                (call $take))
            (func $take (param funcref i32) (result i32 i32)
                (table.set $t (i32.const 0) (local.get 0))
                (call_indirect $t (type $int) (i32.const 0))
                (local.get 1)))"#,
        Calls::new(),
    );
    let results = guest.call("run", &[]).expect("it runs");
    let vector = Value::V128(2 << 64 | 1);
    assert_eq!(
        results,
        [
            x(-2_i64 as u64),
            3.0_f32.into(),
            4.0.into(),
            vector.clone(),
            w(7),
            w(0)
        ]
    );
    let calls = guest.state();
    let names: Vec<_> = calls.keys().map(String::as_str).collect();
    expect_test::expect![[r#"
        [
            "a.numbers: func(p0: s32, p1: s64, p2: f32, p3: f64) -> (s64, f32, f64)",
            "b.vector: func(p0: v128) -> v128",
            "c.refs: func(p0: option<externref>, p1: option<funcref>, p2: option<externref>) -> (option<funcref>, option<externref>)",
            "d.none: func()",
        ]
    "#]]
    .assert_debug_eq(&names);
    assert_eq!(calls["b.vector: func(p0: v128) -> v128"], [vector]);
    let refs = &calls[names[2]];
    assert_eq!(refs[0], Value::Option(None));
    assert!(matches!(&refs[1], Value::Option(Some(f)) if matches!(**f, Value::Func(_))));
    let Value::Option(Some(object)) = &refs[2] else {
        panic!("{refs:?}")
    };
    let Value::Object(object) = &**object else {
        panic!("{refs:?}")
    };
    assert_eq!(object.downcast::<u32>().as_deref(), Some(&5));
}

#[test]
fn results_of_the_catch_all_that_do_not_fit() {
    let mut host = Host::<Value>::new();
    host.catch_all(|guest, _, _, results| -> Result<(), Error> {
        results[0] = guest.state().clone();
        Ok(())
    });
    let guest = r#"(module (import "env" "f" (func $f (result i32)))
        (func (export "run") (result i32) (call $f)))"#;
    let mut guest = instance(&host, guest, Value::Bool(true));
    let error = guest.call("run", &[]).expect_err("a bool is no s32");
    expect_test::expect![[r#"
        host function `env.f` failed: expected a value of type s32, found Bool(true); guest backtrace: function 1; in a call of export `run`"#]]
    .assert_eq(&error.to_string());
    *guest.state_mut() = Value::S32(4);
    assert_eq!(guest.call("run", &[]).expect("it fits"), [w(4)]);
}

/// A host function that the guest exports again, called by the host: there is
/// no guest in between whose memory it could find by asking who calls.
#[test]
fn imports_that_are_exported_again() {
    let mut host = Host::<Vec<String>>::new();
    host.func_with_state("env", "log", |seen: &mut Vec<String>, text: &str| {
        seen.push(text.to_owned());
    });
    host.func("env", "text", || "hello".to_owned());
    let mut guest = instance(
        &host,
        &format!(
            r#"(module
            (import "env" "log" (func $log (param i32 i32)))
            (import "env" "text" (func $text (param i32)))
            {MEMORY} {BUMP}
            (data (i32.const 8) "hello")
            (export "log" (func $log))
            (export "text" (func $text))
            (func (export "run") (call $log (i32.const 8) (i32.const 5)))
            (func (export "get") (call $text (i32.const 64))))"#
        ),
        Vec::new(),
    );
    // No guest frame is between, yet the memory is found, and kept.
    let again = guest.call("log", &[w(8), w(5)]);
    let text = guest.call("text", &[w(64)]);
    guest.call("run", &[]).expect("the guest has a memory");
    guest.call("get", &[]).expect("the guest has an allocator");
    again.expect("the instance has a memory");
    text.expect("the instance has an allocator");
    assert_eq!(*guest.state(), ["hello", "hello"]);
}

/// The same through a function reference.
#[test]
fn imports_that_are_passed_as_callbacks() {
    let mut host = Host::<Vec<String>>::new();
    host.func_with_state("env", "log", |seen: &mut Vec<String>, text: &str| {
        seen.push(text.to_owned());
    });
    host.func("env", "call", {
        |guest: &mut Guest<'_, Vec<String>>, f: GuestFunc<(u32, u32), ()>| guest.call(&f, (8, 5))
    })
    .reentrant("env", "call", 1);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "log" (func $log (param i32 i32)))
            (import "env" "call" (func $call (param funcref)))
            (memory (export "memory") 1)
            (data (i32.const 8) "hello")
            (elem declare func $log)
            (func (export "run") (call $call (ref.func $log)))
            (func (export "again") (call $log (i32.const 8) (i32.const 5))))"#,
        Vec::new(),
    );
    // The same.
    let first = guest.call("run", &[]);
    guest.call("again", &[]).expect("the guest has a memory");
    first.expect("the guest has a memory");
    assert_eq!(*guest.state(), ["hello", "hello"]);
}

#[test]
fn tables_of_functions() {
    let mut host = Host::<()>::new();
    host.func("env", "f", {
        |guest: &mut Guest<'_, ()>, index: u32, n: i32| -> Result<i32, Error> {
            let f = guest.table_func::<i32, i32>("__indirect_function_table", index.into())?;
            guest.call(&f, n)
        }
    })
    .reentrant("env", "f", 1);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "f" (func $f (param i32 i32) (result i32)))
            (table (export "__indirect_function_table") 3 funcref)
            (elem (i32.const 1) $inc $other)
            (func $inc (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (func $other (param f32))
            (func (export "run") (param i32 i32) (result i32)
                (call $f (local.get 0) (local.get 1))))"#,
        (),
    );
    assert_eq!(guest.call("run", &[w(1), w(5)]).expect("it runs"), [w(6)]);
    for (index, message) in [
        (0, "null"),
        (2, "(f32)"),
        (3, "beyond the table's 3 elements"),
        (u32::MAX, "beyond the table's 3 elements"),
    ] {
        let error = guest
            .call("run", &[w(index), w(5)])
            .expect_err("no such function");
        assert!(error.fault().is_some(), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn limits_of_memory() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.memory(2 * 65536));
    host.func("env", "grow", |guest: &mut Guest<'_, ()>, pages: u64| {
        guest.grow(pages).map_or(-1, |pages| pages as i64)
    });
    host.func("env", "new", || HostRef::new(5_u32));
    host.func("env", "get", |object: HostRef<u32>| *object);
    let mut guest = instance(
        &host,
        r#"(module
            (import "env" "grow" (func $grow (param i64) (result i64)))
            (import "env" "new" (func $new (result externref)))
            (import "env" "get" (func $get (param externref) (result i32)))
            (memory (export "memory") 1)
            (func (export "grow") (param i64) (result i64) (call $grow (local.get 0)))
            (func (export "object") (result i32) (call $get (call $new))))"#,
        (),
    );
    for (pages, result) in [
        (2, -1),
        (u64::MAX, -1),
        (1 << 48, -1),
        (1, 1),
        (1, -1),
        (0, 2),
    ] {
        let grown = guest.call("grow", &[x(pages)]).expect("it returns");
        assert_eq!(grown, [x(result as u64)], "{pages}");
    }
    // Objects live elsewhere.
    assert_eq!(guest.call("object", &[]).expect("it returns"), [w(5)]);
    let error = host
        .program(br#"(module (memory (export "memory") 3))"#)
        .expect("it links")
        .instantiate(())
        .map(drop);
    error.expect_err("too large from the start");
}

/// Only dynamic functions can have these.
#[test]
fn vectors_in_variants() {
    let mut host = Host::<Option<Value>>::new();
    let signature = "func(p0: variant { number(u32), vector(v128) })".parse();
    host.func_dynamic(
        "env",
        "f",
        signature.expect("a signature"),
        |guest, args, _| {
            *guest.state_mut() = Some(args[0].clone());
            Ok::<_, Error>(())
        },
    );
    // A place shared by an `i32` and a `v128` would be read as wider than it
    // was written.
    let narrow = host.program(forwarder("i32 i64", "", "").as_bytes());
    assert!(narrow.is_err(), "an i64 cannot hold a v128");
}

#[test]
fn references_in_memory_are_refused_when_linking() {
    for signature in [
        "func(p0: list<funcref>)",
        "func(p0: list<option<externref>>)",
    ] {
        let mut host = Host::<()>::new();
        let signature: Signature = signature.parse().expect("a signature");
        host.func_dynamic("env", "f", signature, |_, _, _| Ok::<_, Error>(()));
        let mut host_typed = Host::<()>::new();
        host_typed.func("env", "f", |_: Vec<GuestFunc<(), ()>>| {});
        // No core type fits.
        for host in [host, host_typed] {
            let linked = host.program(forwarder("i32 i32", "", MEMORY).as_bytes());
            assert!(linked.is_err(), "memory cannot hold references");
        }
    }
}
