//! Functions that linked modules export in addition, and the start function.

use expect_test::expect;

use super::{built, linked, printed, seen, try_linked};
use crate::{AddedExport, HostPage, Linked, LinkedImport, Provider, Wrapper};

const GUEST: &str = r#"(module
    (import "env" "log" (func $log (param i32)))
    (memory (export "memory") 1)
    (func $twice (export "twice") (param i32)
        (call $log (local.get 0))
        (call $log (local.get 0)))
    (export "again" (func $log)))"#;

/// Calls an export of the guest for each number below a count.
fn each(export: &str) -> Provider {
    built(&format!(
        r#"(module
            (import "hostcall:export" "{export}" (func $export (param i32)))
            (func (export "stub") (param $count i32) (local $i i32)
                (loop $next
                    (if (i32.lt_u (local.get $i) (local.get $count)) (then
                        (call $export (local.get $i))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (br $next))))))"#
    ))
}

fn export<'a>(name: &'a str, provider: &'a Provider) -> AddedExport<'a> {
    AddedExport {
        name,
        provider,
        function: "stub",
    }
}

fn exported<'p>(guest: &str, exports: &[AddedExport<'p>], bodies: &[&'p Provider]) -> Linked {
    linked(guest, bodies, |options| options.exports = exports.to_vec())
}

/// What the host sees when it calls `hostcall:each`.
fn seen_by_each(linked: &Linked, count: i32) -> Vec<String> {
    seen(linked, &[("hostcall:each", &[count])])
}

#[test]
fn one_that_calls_an_export() {
    let each = each("twice");
    let linked = exported(GUEST, &[export("hostcall:each", &each)], &[]);
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (import "env" "log" (func $log (;0;) (type 0)))
          (memory (;0;) 1)
          (export "memory" (memory 0))
          (export "twice" (func $twice))
          (export "again" (func $log))
          (export "hostcall:each" (func $hostcall:each))
          (func $twice (;1;) (type 0) (param i32)
            local.get 0
            call $log
            local.get 0
            call $log
          )
          (func $hostcall:each (;2;) (type 0) (param i32)
            (local i32)
            loop ;; label = @1
              local.get 1
              local.get 0
              i32.lt_u
              if ;; label = @2
                local.get 1
                call $twice
                local.get 1
                i32.const 1
                i32.add
                local.set 1
                br 1 (;@1;)
              end
            end
          )
        )
    "#]]
    .assert_eq(&printed(&linked));
    assert_eq!(linked.imports, [LinkedImport::Original(0)]);
    assert_eq!((linked.added.len(), linked.added[0].root), (1, 0));
    let logs = ["log(0)", "log(0)", "log(1)", "log(1)"];
    assert_eq!(seen_by_each(&linked, 2), logs);
}

#[test]
fn an_export_that_is_an_import() {
    let each = each("again");
    let linked = exported(GUEST, &[export("hostcall:each", &each)], &[]);
    assert_eq!(seen_by_each(&linked, 2), ["log(0)", "log(1)"]);
}

#[test]
fn an_export_that_is_an_import_with_something_in_its_place() {
    let each = each("again");
    let body = built(
        r#"(module
            (import "env" "body" (func $body (param i32)))
            (func (export "log") (param i32) (call $body (i32.add (local.get 0) (i32.const 5)))))"#,
    );
    let around = built(
        r#"(module
            (import "hostcall:import" "0" (func $import (param i32)))
            (func (export "stub") (param i32)
                (call $import (local.get 0))
                (call $import (i32.const -1))))"#,
    );
    let wrapper = Wrapper {
        import: 0,
        provider: &around,
        function: "stub",
        call_sites: true,
    };
    let exports = [export("hostcall:each", &each)];
    let replaced = exported(GUEST, &exports, &[&body]);
    assert_eq!(seen_by_each(&replaced, 2), ["body(5)", "body(6)"]);
    // Its calls are the provider's, not the guest's.
    assert_eq!(replaced.replaced[0].call_sites, 2);
    let expected: [(&[&Provider], [&str; 2]); 2] = [
        (&[], ["log(0)", "log(-1)"]),
        (&[&body], ["body(5)", "body(4)"]),
    ];
    for (bodies, expected) in expected {
        let wrapped = linked(GUEST, bodies, |options| {
            options.exports = exports.to_vec();
            options.wrappers = vec![wrapper];
        });
        assert_eq!(seen_by_each(&wrapped, 1), expected);
    }
}

#[test]
fn one_that_calls_an_import_and_the_host() {
    let driver = built(
        r#"(module
            (import "hostcall:import" "0" (func $import (param i32)))
            (import "env" "log" (func $log (param i32)))
            (import "hostcall:queue" "drain" (func $drain))
            (func (export "stub") (param i32)
                (call $drain)
                (call $import (local.get 0))
                (call $log (local.get 0))))"#,
    );
    let around = built(
        r#"(module
            (import "env" "around" (func $around (param i32)))
            (func (export "stub") (param i32) (call $around (local.get 0))))"#,
    );
    let linked = linked(GUEST, &[], |options| {
        options.exports = vec![export("hostcall:each", &driver)];
        options.wrappers = vec![Wrapper {
            import: 0,
            provider: &around,
            function: "stub",
            call_sites: true,
        }];
    });
    assert_eq!(linked.imports[0], LinkedImport::Original(0));
    let added = linked.imports[1..].iter().map(|import| match import {
        LinkedImport::Added(import) => format!("{}.{}", import.module, import.name),
        LinkedImport::Original(position) => position.to_string(),
    });
    let added: Vec<String> = added.collect();
    assert_eq!(added, ["env.around", "hostcall:queue.drain"]);
    let expected = ["drain()", "log(3)", "around(3)"];
    assert_eq!(seen_by_each(&linked, 3), expected);
}

#[test]
fn in_a_guest_without_exports_or_code() {
    let stub = built(r#"(module (func (export "stub") (param i32)))"#);
    let linked = linked("(module)", &[], |options| {
        options.exports = vec![export("hostcall:a", &stub), export("hostcall:b", &stub)];
        options.page = Some(HostPage::default());
        options.export_start = true;
    });
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (memory (;0;) 0 0)
          (export "hostcall:page" (memory 0))
          (export "hostcall:a" (func 0))
          (export "hostcall:b" (func 1))
          (func (;0;) (type 0) (param i32))
          (func (;1;) (type 0) (param i32))
        )
    "#]]
    .assert_eq(&printed(&linked));
}

#[test]
fn a_start_function_that_the_host_calls() {
    let guest = r#"(module
        (import "env" "log" (func $log (param i32)))
        (memory 1)
        (func $start (call $log (i32.const 1)))
        (start $start))"#;
    let runs = linked(guest, &[], |_| {});
    assert_eq!(seen(&runs, &[]), ["log(1)"]);
    let waits = linked(guest, &[], |options| options.export_start = true);
    assert!(seen(&waits, &[]).is_empty());
    assert_eq!(seen(&waits, &[("hostcall:start", &[])]), ["log(1)"]);
}

#[test]
fn a_start_function_that_is_an_import() {
    let guest = r#"(module (import "env" "init" (func $init)) (start $init))"#;
    let around = built(
        r#"(module
            (import "hostcall:import" "0" (func $import))
            (func (export "stub") (call $import) (call $import)))"#,
    );
    let linked = linked(guest, &[], |options| {
        options.export_start = true;
        options.wrappers = vec![Wrapper {
            import: 0,
            provider: &around,
            function: "stub",
            call_sites: false,
        }];
    });
    let start: [(&str, &[i32]); 1] = [("hostcall:start", &[])];
    assert_eq!(seen(&linked, &start), ["init()", "init()"]);
}

#[test]
fn a_guest_without_a_start_function() {
    let linked = linked(GUEST, &[], |options| options.export_start = true);
    assert!(!printed(&linked).contains("hostcall:start"));
}

#[test]
fn names_of_functions_and_globals() {
    let guest = r#"(module (func $named (export "run")))"#;
    let driver = built(
        r#"(module
            (import "hostcall:export" "run" (func $run))
            (global $steps (mut i32) (i32.const 0))
            (func (export "stub") (global.set $steps (i32.const 1)) (call $step))
            (func $step (call $run) (call $step)))"#,
    );
    let linked = exported(guest, &[export("hostcall:map/run", &driver)], &[]);
    expect![[r#"
        (module
          (type (;0;) (func))
          (global $hostcall:map/run:steps (;0;) (mut i32) i32.const 0)
          (export "run" (func $named))
          (export "hostcall:map/run" (func $hostcall:map/run))
          (func $named (;0;) (type 0))
          (func $hostcall:map/run (;1;) (type 0)
            i32.const 1
            global.set $hostcall:map/run:steps
            call $named
            call $hostcall:map/run:step
          )
          (func $hostcall:map/run:step (;2;) (type 0)
            call $named
            call $hostcall:map/run:step
          )
        )
    "#]]
    .assert_eq(&printed(&linked));
}

#[test]
fn what_does_not_fit() {
    let each = each("twice");
    let refused = |export: AddedExport<'_>| error(&[export]);
    let messages = [
        refused(export("each", &each)),
        refused(export("hostcall:page", &each)),
        refused(export("hostcall:start", &each)),
        refused(AddedExport {
            function: "each",
            ..export("hostcall:each", &each)
        }),
        error(&[
            export("hostcall:each", &each),
            export("hostcall:each", &each),
        ]),
        refused(export("hostcall:each", &self::each("thrice"))),
        refused(export("hostcall:each", &self::each("memory"))),
        refused(export("hostcall:each", &built(&with_type("(param i64)")))),
    ];
    expect![[r#"
        added export 0: `each` does not start with `hostcall:`: only such names can be added
        added export 0: `hostcall:page` is the name of another export of linked modules, choose another
        added export 0: `hostcall:start` is the name of another export of linked modules, choose another
        added export 0: the provider exports no function `each` for `hostcall:each`, it has: stub
        added export 1: `hostcall:each` is exported twice, keep one of the exports
        added export 0: the provider calls `hostcall:export.thrice`, but the guest has no such function
        added export 0: the provider calls `hostcall:export.memory`, but the guest has no such function
        added export 0: the provider calls `hostcall:export.twice` as (i64) -> (), but the guest's function is (i32) -> ()
    "#]].assert_eq(&messages.concat());
}

fn with_type(ty: &str) -> String {
    format!(
        r#"(module
            (import "hostcall:export" "twice" (func {ty}))
            (func (export "stub")))"#
    )
}

fn error(exports: &[AddedExport<'_>]) -> String {
    let error = try_linked(GUEST, &[], |options| {
        options.exports = exports.to_vec();
    });
    format!("{}\n", error.unwrap_err())
}
