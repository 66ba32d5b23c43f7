//! Host functions given as Wasm: they go into the guests that import them.

#![expect(unsafe_code, reason = "loads program files")]

mod common;

use common::*;
use hostcall::{Budget, Crossing, ErrorKind, Host, Trap};

const CLAMP: &str = "(func (param i32 i32 i32) (result i32)
    (if (i32.lt_s (local.get 0) (local.get 1)) (then (return (local.get 1))))
    (if (i32.gt_s (local.get 0) (local.get 2)) (then (return (local.get 2))))
    (local.get 0))";

const GUEST: &str = r#"(module
    (import "env" "clamp" (func $clamp (param i32 i32 i32) (result i32)))
    (func (export "run") (param i32) (result i32)
        (i32.add
            (call $clamp (local.get 0) (i32.const -10) (i32.const 10))
            (call $clamp (local.get 0) (i32.const 0) (i32.const 100)))))"#;

fn clamping() -> Host<()> {
    let mut host = Host::new();
    host.inline_wat("env", "clamp", CLAMP)
        .expect("it assembles");
    host
}

#[test]
fn a_body_stands_at_every_call() {
    let program = clamping().program(GUEST.as_bytes()).expect("it links");
    let planned = &program.plan().imports[0];
    assert_eq!(planned.crossing, Some(Crossing::Inline));
    assert_eq!(planned.reason, "its body stands at every call, 2 in all");
    let inlined = planned.inlined.expect("it was linked");
    assert_eq!((inlined.call_sites, inlined.expanded), (2, 2));
    assert!(inlined.operators > 8, "{}", inlined.operators);

    let linked = wasmprinter::print_bytes(program.linked()).expect("it is Wasm");
    assert!(!linked.contains("call"), "{linked}");
    assert!(!linked.contains("import"), "{linked}");

    let mut instance = program.instantiate(()).expect("it instantiates");
    let run = instance.export::<i32, i32>("run").expect("it is exported");
    for (n, sum) in [(-50, -10), (5, 10), (50, 60), (500, 110)] {
        assert_eq!(run.call(&mut instance, n).expect("it runs"), sum);
    }
}

#[test]
fn a_function_may_have_a_name() {
    for wat in [
        "(func $one (result i32) (i32.const 1))",
        "(func $one(result i32)\n i32.const 1)",
        "(func$one(result i32) (if (i32.const 0) (then (return (call $one)))) (i32.const 1))",
    ] {
        let mut host = Host::<()>::new();
        host.inline_wat("env", "one", wat).expect(wat);
    }
}

#[test]
fn switched_off_calls_stay_calls() {
    for host in [
        clamping().inlining(false),
        clamping().inlining_of("env", "clamp", false),
        clamping().inline_budget(Budget {
            body: 3,
            ..Budget::default()
        }),
    ] {
        let program = host.program(GUEST.as_bytes()).expect("it links");
        let inlined = program.plan().imports[0].inlined.expect("it was linked");
        assert_eq!((inlined.call_sites, inlined.expanded), (2, 0));
        let linked = wasmprinter::print_bytes(program.linked()).expect("it is Wasm");
        assert_eq!(linked.matches("call ").count(), 2, "{linked}");
        let mut instance = program.instantiate(()).expect("it instantiates");
        let run = instance.export::<i32, i32>("run").expect("it is exported");
        assert_eq!(run.call(&mut instance, 50).expect("it runs"), 60);
    }
}

#[test]
fn one_import_among_others_keeps_the_others() {
    let mut host = clamping();
    host.func("env", "double", |x: i32| x * 2);
    let guest = r#"(module
        (import "env" "double" (func $double (param i32) (result i32)))
        (import "env" "clamp" (func $clamp (param i32 i32 i32) (result i32)))
        (import "env" "double" (func $again (param i32) (result i32)))
        (table 3 funcref)
        (elem (i32.const 0) $double $clamp $again)
        (func (export "run") (param i32) (result i32)
            (call $again (call $clamp (call $double (local.get 0)) (i32.const 0) (i32.const 7))))
        (func (export "table") (param i32) (result i32)
            (call_indirect (param i32 i32 i32) (result i32)
                (local.get 0) (i32.const 1) (i32.const 2) (i32.const 1))))"#;
    let mut instance = instance(&host, guest, ());
    assert_eq!(
        instance
            .export::<i32, i32>("run")
            .unwrap()
            .call(&mut instance, 2)
            .unwrap(),
        8
    );
    assert_eq!(
        instance
            .export::<i32, i32>("run")
            .unwrap()
            .call(&mut instance, 5)
            .unwrap(),
        14
    );
    assert_eq!(
        instance
            .export::<i32, i32>("table")
            .unwrap()
            .call(&mut instance, 5)
            .unwrap(),
        2
    );
}

#[test]
fn providers_keep_their_globals_to_themselves() {
    let mut host = Host::<()>::new();
    host.provide(
        "ids",
        br#"(module
            (global $next (mut i32) (i32.const 100))
            (func (export "next") (result i32)
                (global.set $next (i32.add (global.get $next) (i32.const 1)))
                (global.get $next))
            (func (export "reset") (global.set $next (i32.const 0))))"#,
    )
    .expect("it is a provider");
    let guest = r#"(module
        (import "ids" "next" (func $next (result i32)))
        (import "ids" "reset" (func $reset))
        (global (export "own") (mut i32) (i32.const 5))
        (func (export "next") (result i32) (call $next))
        (func (export "reset") (call $reset)))"#;
    let program = host.program(guest.as_bytes()).expect("it links");
    let mut first = program.instantiate(()).expect("it instantiates");
    let next = first.export::<(), i32>("next").unwrap();
    assert_eq!(next.call(&mut first, ()).unwrap(), 101);
    assert_eq!(next.call(&mut first, ()).unwrap(), 102);
    let mut second = program.instantiate(()).expect("it instantiates");
    let fresh = second.export::<(), i32>("next").unwrap();
    assert_eq!(fresh.call(&mut second, ()).unwrap(), 101);
    first
        .export::<(), ()>("reset")
        .unwrap()
        .call(&mut first, ())
        .unwrap();
    assert_eq!(next.call(&mut first, ()).unwrap(), 1);
}

#[test]
fn a_trap_in_a_body_names_the_import() {
    let mut host = Host::<()>::new();
    let div = "(func (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))";
    host.inline_wat("env", "div", div).expect("it assembles");
    let guest = r#"(module
        (import "env" "div" (func $div (param i32 i32) (result i32)))
        (func $inner (param i32) (result i32) (call $div (i32.const 100) (local.get 0)))
        (func (export "run") (param i32) (result i32) (i32.add (call $inner (local.get 0)) (i32.const 1)))
        (func (export "own") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0))))"#;
    for expanded in [true, false] {
        host.inlining(expanded);
        let mut instance = instance(&host, guest, ());
        let run = instance.export::<i32, i32>("run").unwrap();
        assert_eq!(run.call(&mut instance, 5).unwrap(), 21);
        let error = run.call(&mut instance, 0).unwrap_err();
        assert_eq!(error.import(), Some(("env", "div")));
        assert_eq!(error.trap(), Some(Trap::IntegerDivisionByZero));
        assert_eq!(
            error.to_string(),
            "host function `env.div` failed: wasm trap: integer divide by zero; \
             guest backtrace: inner <- function 2; in a call of export `run`"
        );
        assert_eq!(error.backtrace()[0].index, 1);

        // The guest's own division is the guest's own fault.
        let own = instance.export::<i32, i32>("own").unwrap();
        let error = own.call(&mut instance, 0).unwrap_err();
        assert_eq!(error.import(), None);
        assert_eq!(
            error.to_string(),
            "the guest trapped: integer divide by zero; guest backtrace: function 3; \
             in a call of export `own`"
        );
    }
}

#[test]
fn a_start_function_may_call_a_body() {
    let mut host = Host::<()>::new();
    host.inline_wat("env", "fail", "(func unreachable)")
        .expect("it assembles");
    let guest = r#"(module (import "env" "fail" (func $fail)) (start $fail))"#;
    let program = host.program(guest.as_bytes()).expect("it links");
    let error = program.instantiate(()).unwrap_err();
    assert_eq!(error.import(), Some(("env", "fail")));
    assert!(
        error.to_string().ends_with("; while instantiating"),
        "{error}"
    );
}

#[test]
fn a_type_that_differs_is_refused_with_both_types() {
    let guest = r#"(module (import "env" "clamp" (func (param i64) (result i32))))"#;
    let error = clamping().program(guest.as_bytes()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("(i64) -> i32"), "{text}");
    assert!(
        text.contains("func(p0: s32, p1: s32, p2: s32) -> s32"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_a_body_is_refused() {
    let mut host = Host::<()>::new();
    for (wat, expected) in [
        ("(func (param i32", "expected"),
        ("i32.const 1", "expected one function"),
        ("(memory 1)", "expected one function"),
        ("(func) (func)", "expected one function"),
        ("(func) (memory 1)", "memory"),
        ("(func) (import \"a\" \"b\" (func))", "import"),
        ("(func) (table 1 funcref)", "table"),
        ("(func (result i32) (i64.const 1))", "type mismatch"),
    ] {
        let error = host.inline_wat("env", "f", wat).unwrap_err();
        assert!(error.to_string().contains(expected), "{wat}: {error}");
    }
    let error = host.provide("env", b"\0asm\x01\0\0").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Provider(_)), "{error:?}");
}

#[test]
fn a_guest_cannot_name_what_linking_appends() {
    let mut host = clamping();
    host.provide(
        "ids",
        br#"(module (global $n (mut i32) (i32.const 1)) (func (export "n") (result i32) (global.get $n)))"#,
    )
    .expect("it is a provider");
    for body in [
        "(drop (global.get 0))",
        "(drop (i32.load (i32.const 0)))",
        "(call 3)",
        "(drop (ref.func 3))",
    ] {
        let guest = format!(
            r#"(module
                (import "env" "clamp" (func (param i32 i32 i32) (result i32)))
                (import "ids" "n" (func (result i32)))
                (func {body}))"#
        );
        // Assembled without validation.
        let error = host.program(guest.as_bytes()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Parse(_)),
            "{body}: {error:?}"
        );
    }
}

#[test]
fn a_program_file_holds_the_linked_module() {
    let file = clamping()
        .program(GUEST.as_bytes())
        .and_then(|program| program.serialize());
    let file = file.expect("it serialises");
    // SAFETY: made above.
    let program = unsafe { clamping().deserialize(&file) }.expect("it loads");
    let mut instance = program.instantiate(()).expect("it instantiates");
    let run = instance.export::<i32, i32>("run").unwrap();
    assert_eq!(run.call(&mut instance, 50).unwrap(), 60);

    let mut other = Host::<()>::new();
    other
        .inline_wat(
            "env",
            "clamp",
            "(func (param i32 i32 i32) (result i32) (local.get 2))",
        )
        .unwrap();
    // SAFETY: made above.
    let error = unsafe { other.deserialize(&file) }.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::ProgramFile(_)),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("other bodies of inlined host functions"),
        "{error}"
    );
}

#[test]
fn a_trap_of_another_module_in_the_store_is_not_the_bodys() {
    let mut host = Host::<()>::new();
    host.inline_wat("env", "fail", "(func unreachable)")
        .expect("it assembles");
    let guest = r#"(module
        (import "env" "fail" (func $fail))
        (table (export "table") 1 funcref)
        (func (export "run") (call $fail))
        (func (export "indirect") (call_indirect (i32.const 0))))"#;
    let program = host.program(guest.as_bytes()).expect("it links");
    let mut instance = program.instantiate(()).expect("it instantiates");

    // The same code at the same offsets, but another module.
    let module = wasmtime::Module::new(host.engine(), program.linked()).expect("it is valid");
    let table = instance
        .wasmtime_instance()
        .get_table(instance.store_mut(), "table")
        .expect("it is exported");
    let other = wasmtime::Instance::new(instance.store_mut(), &module, &[]).expect("it starts");
    let run = other.get_func(instance.store_mut(), "run");
    let set = table.set(instance.store_mut(), 0, wasmtime::Ref::Func(run));
    set.expect("there is an element");

    let call = |instance: &mut hostcall::Instance<()>, name| {
        let export = instance.export::<(), ()>(name).expect("it is exported");
        export.call(instance, ()).unwrap_err()
    };
    let own = call(&mut instance, "run");
    assert_eq!(own.import(), Some(("env", "fail")));
    let foreign = call(&mut instance, "indirect");
    assert_eq!(foreign.import(), None);
    assert_eq!(foreign.trap(), Some(Trap::UnreachableCodeReached));
}
