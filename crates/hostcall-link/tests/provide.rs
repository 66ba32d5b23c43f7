//! Guests linked with providers, for whatever host runs them.

mod common;

use common::bytes;
use common::linking::provider;
use expect_test::expect;
use hostcall_link::inline::{Builder, Target, build};
use hostcall_link::{
    Binding, Budget, Crossing, LinkedImport, ProvideError, ProvideErrorKind, ProvideOptions,
    Provided, Provider, Provision, RewriteErrorKind, provide,
};

fn linked(guest: &str, provisions: &[(&str, &Provider)]) -> Result<Provided, ProvideError> {
    linked_with(guest, provisions, ProvideOptions::default())
}

fn linked_with(
    guest: &str,
    provisions: &[(&str, &Provider)],
    options: ProvideOptions,
) -> Result<Provided, ProvideError> {
    let provisions = provisions.iter();
    let provisions = provisions.map(|&(module, provider)| Provision { module, provider });
    let provisions: Vec<Provision<'_>> = provisions.collect();
    provide(&bytes(guest), &provisions, &options)
}

/// Calls the export `run` of a module without imports.
fn run(provided: &Provided) -> i32 {
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &provided.linked.bytes[..]).unwrap();
    let mut store = wasmi::Store::new(&engine, ());
    let linker = wasmi::Linker::new(&engine);
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<(), i32>(&store, "run").unwrap();
    run.call(&mut store, ()).unwrap()
}

fn counter() -> Provider {
    provider(
        r#"(module
            (global $n (mut i32) (i32.const 0))
            (func (export "next") (result i32)
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                (global.get $n))
            (func (export "last") (result i32) (global.get $n)))"#,
    )
}

const COUNTING: &str = r#"(module
    (import "a" "next" (func $next (result i32)))
    (import "a" "last" (func $last (result i32)))
    (import "b" "next" (func $other (result i32)))
    (func (export "run") (result i32)
        (drop (call $next))
        (drop (call $next))
        (drop (call $other))
        (i32.add (i32.mul (call $last) (i32.const 10)) (call $other))))"#;

#[test]
fn functions_of_one_provider_share_its_globals() {
    let (one, other) = (counter(), counter());
    let apart = linked(COUNTING, &[("a", &one), ("b", &other)]).unwrap();
    assert_eq!(run(&apart), 22);
    let shared = linked(COUNTING, &[("a", &one), ("b", &one)]).unwrap();
    assert_eq!(run(&shared), 34);
}

#[test]
fn calls_stay_calls_with_the_same_results() {
    let counter = counter();
    let options = ProvideOptions {
        call_sites: false,
        budget: Budget::default(),
    };
    let provided = linked_with(COUNTING, &[("a", &counter), ("b", &counter)], options).unwrap();
    assert_eq!(run(&provided), 34);
    let expanded = provided.plan.imports.iter();
    let expanded = expanded.map(|planned| planned.inlined.unwrap().expanded);
    assert_eq!(expanded.sum::<u32>(), 0);
}

#[test]
fn what_is_not_provided_stays_an_import() {
    let guest = r#"(module
        (import "env" "log" (func $log (param (ref null func))))
        (import "a" "next" (func $next (result i32)))
        (import "env" "memory" (memory 1 2 shared))
        (import "env" "table" (table 1 externref))
        (import "env" "base" (global i64))
        (import "env" "failed" (tag))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
        (func (export "run") (result i32) (call $next)))"#;
    let provided = linked(guest, &[("a", &counter())]).unwrap();
    let kept = provided.linked.imports.iter().map(|import| match import {
        LinkedImport::Original(index) => *index,
        LinkedImport::Added(import) => panic!("{import:?}"),
    });
    assert_eq!(kept.collect::<Vec<_>>(), [0, 2, 3, 4, 5, 6]);
    for planned in &provided.plan.imports {
        let provided = planned.import.module == "a";
        assert_eq!(planned.binding == Binding::Open, !provided);
    }
    expect![[r#"
        #  import                           type                           crossing  size  why
        0  env.log                          (funcref) -> ()                call         -  stays an import, for the host that runs the module
        1  a.next                           () -> i32                      inline       5  its body stands at every call, 1 in all
        2  env.memory                       shared memory of 1 to 2 pages  -            -  stays an import, for the host that runs the module
        3  env.table                        table of 1 or more externref   -            -  stays an import, for the host that runs the module
        4  env.base                         global of i64                  -            -  stays an import, for the host that runs the module
        5  env.failed                       tag () -> ()                   -            -  stays an import, for the host that runs the module
        6  wasi_snapshot_preview1.fd_close  (i32) -> i32                   call         -  stays an import: WASI, which `hostcall run` has
    "#]]
    .assert_eq(&provided.plan.to_string());
}

#[test]
fn the_first_function_that_fits_serves() {
    let returning = |ty: &str, value: u32| {
        let f = format!(r#"(module (func (export "f") (result {ty}) ({ty}.const {value})))"#);
        provider(&f)
    };
    let guest = r#"(module
        (import "env" "f" (func $narrow (result i32)))
        (import "env" "f" (func $wide (result i64)))
        (func (export "run") (result i32)
            (i32.add (call $narrow) (i32.wrap_i64 (call $wide)))))"#;
    let (wide, narrow, late) = (
        returning("i64", 20),
        returning("i32", 1),
        returning("i32", 5),
    );
    let provisions = [("env", &wide), ("env", &narrow), ("env", &late)];
    assert_eq!(run(&linked(guest, &provisions).unwrap()), 21);
}

#[test]
fn without_providers_nothing_changes_but_the_plan_says_so() {
    let guest = r#"(module (import "env" "f" (func)) (func (export "run") call 0))"#;
    let provided = linked(guest, &[]).unwrap();
    assert_eq!(provided.linked.bytes, bytes(guest));
    assert_eq!(provided.plan.imports[0].crossing, Some(Crossing::Call));
}

#[test]
fn another_type_is_refused_with_both() {
    let guest = r#"(module (import "a" "next" (func (param f32) (result i32))))"#;
    let error = linked(guest, &[("a", &counter())]).unwrap_err();
    assert!(matches!(error.kind(), ProvideErrorKind::Link(_)));
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `a.next` (at offset 0x13): the guest and the host disagree about its type
            guest: (f32) -> i32
            host:  () -> i32
                   parameters: the guest passes 1, the host takes 0
            help:  change one of the two so that they agree"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn an_invalid_guest_is_refused() {
    let error = linked("(module (func (result i32)))", &[]).unwrap_err();
    let ProvideErrorKind::Rewrite(error) = error.kind() else {
        panic!("{error}");
    };
    assert!(matches!(error.kind(), RewriteErrorKind::Guest(_)));
    let truncated = provide(b"\0asm\x01\0\0\0\x01", &[], &ProvideOptions::default());
    assert!(truncated.is_err());
}

#[test]
fn an_error_is_one_word_wide() {
    assert_eq!(size_of::<ProvideError>(), size_of::<usize>());
}

/// A body from the builder, with a slow path in the host.
fn read(b: &Builder) {
    let at = b.param::<u32>("at");
    b.returns::<i32>();
    let args = vec![b.arg(b.memory().load::<i32>(at.get()))];
    let slow = b.call_host("env", "slow", args);
    b.ret::<hostcall_link::inline::Expr<i32>>(slow);
}

fn reader() -> Provider {
    let target = Target {
        wide: false,
        page_size_log2: 16,
        states: &|_| None,
    };
    build("read", read, &target).unwrap()
}

#[test]
fn bodies_bring_their_slow_paths_along() {
    let guest = r#"(module
        (import "env" "read" (func $read (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (result i32) (call $read (i32.const 8))))"#;
    let provided = linked(guest, &[("env", &reader())]).unwrap();
    expect![[r#"
        #  import    type          crossing  size  why
        0  env.read  (i32) -> i32  inline       3  its body stands at every call, 1 in all
        +  env.slow  (i32) -> i32  call         -  called by a body, for the host that runs the module
    "#]].assert_eq(&provided.plan.to_string());
    assert_eq!(provided.plan.added[0].binding, Binding::Open);
}

#[test]
fn a_body_without_the_memory_it_needs_stays_out() {
    let guest = r#"(module
        (import "env" "read" (func $read (param i32) (result i32)))
        (func (export "run") (result i32) (call $read (i32.const 8))))"#;
    let provided = linked(guest, &[("env", &reader())]).unwrap();
    assert_eq!(provided.linked.bytes, bytes(guest));
    let [planned] = &provided.plan.imports[..] else {
        panic!("{}", provided.plan);
    };
    assert_eq!(planned.binding, Binding::Open);
    assert_eq!(planned.reason, "not inlined: the guest exports no memory");
}
