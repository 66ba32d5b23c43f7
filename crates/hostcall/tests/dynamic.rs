//! Functions whose types are known only at run time, beyond what they share
//! with typed ones.

use hostcall::{Error, ErrorKind, Host, HostModule, Value, host_module};

#[test]
fn a_dynamic_host_function_calls_the_guest() {
    let mut host = Host::<()>::new();
    let signature = "func(n: s32, then: funcref) -> s32".parse().unwrap();
    host.func_dynamic("env", "apply", signature, |guest, args, results| {
        let Value::Func(then) = &args[1] else {
            panic!("{args:?}")
        };
        let then = guest.func_dynamic(then)?;
        let mut once = [Value::S32(0)];
        then.call_in(guest, &args[..1], &mut once)?;
        let double = guest.export_dynamic("double")?;
        double.call_in(guest, &once, results)
    })
    .reentrant("env", "apply", 1);
    let guest = br#"(module
        (import "env" "apply" (func $apply (param i32 funcref) (result i32)))
        (elem declare func $next)
        (func $next (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        (func (export "double") (param i32) (result i32)
            (i32.mul (local.get 0) (i32.const 2)))
        (func (export "run") (param i32) (result i32)
            (call $apply (local.get 0) (ref.func $next))))"#;
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    assert_eq!(
        instance.call("run", &[Value::S32(20)]).unwrap(),
        [Value::S32(42)]
    );
}

/// What a case leaves unused is zero, all 16 bytes of it.
#[test]
fn nothing_of_the_host_is_left_in_unused_slots() {
    let mut host = Host::<()>::new();
    let signature = "func(some: bool) -> option<v128>".parse().unwrap();
    host.func_dynamic(
        "env",
        "vector",
        signature,
        |_, args, results| -> Result<(), Error> {
            if args[0] == Value::Bool(true) {
                results[0] = Value::Option(Some(Box::new(Value::V128(u128::MAX))));
            }
            Ok(())
        },
    );
    let guest = br#"(module
        (import "env" "vector" (func $vector (param i32) (result i32 v128)))
        (func (export "run") (param i32) (result i64 i64)
            (local $v v128)
            (local.set $v (call $vector (local.get 0)))
            drop
            (i64x2.extract_lane 0 (local.get $v))
            (i64x2.extract_lane 1 (local.get $v))))"#;
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    for _ in 0..100 {
        let some = instance.call("run", &[Value::S32(1)]).unwrap();
        assert_eq!(some, [Value::S64(-1), Value::S64(-1)]);
        let none = instance.call("run", &[Value::S32(0)]).unwrap();
        assert_eq!(none, [Value::S64(0), Value::S64(0)]);
    }
}

/// References into the GC heap are no values, so this is a problem of linking.
#[test]
fn a_catch_all_does_not_hide_what_it_cannot_answer() {
    let mut host = Host::<()>::new();
    host.catch_all(|_, _, _, _| Ok::<_, Error>(()));
    let guest = br#"(module
        (import "env" "a" (func (param (ref null any))))
        (import "env" "b" (func (param i32)))
        (import "env" "m" (memory 1)))"#;
    let error = host.program(guest).unwrap_err();
    let ErrorKind::Link(link) = error.kind() else {
        panic!("{error}")
    };
    let names: Vec<_> = link
        .problems()
        .iter()
        .map(|problem| problem.name.as_str())
        .collect();
    assert_eq!(names, ["a", "m"]);
}

struct Env;

#[host_module(name = "env")]
impl Env {
    fn always() -> u32 {
        1
    }

    #[cfg(any())]
    fn never(text: NoSuchType) -> u32 {
        text.length()
    }
}

#[test]
fn a_function_that_is_configured_out_is_not_offered() {
    let mut host = Host::new();
    Env::add_to_host(&mut host, |env| env);
    assert!(
        host.program(br#"(module (import "env" "always" (func (result i32))))"#)
            .is_ok()
    );
    assert!(
        host.program(br#"(module (import "env" "never" (func (result i32))))"#)
            .is_err()
    );
}
