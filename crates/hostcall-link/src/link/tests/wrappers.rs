//! Functions that stand around imports.

use expect_test::expect;

use super::{built, built_with, linked, printed, seen, try_linked};
use crate::provider::TrapNote;
use crate::{Budget, HostPage, Inlined, Linked, LinkedImport, Provider, Wrapper};

const GUEST: &str = r#"(module
    (import "env" "log" (func $log (param i32)))
    (func (export "go") (call $log (i32.const 7))))"#;

/// In the place of an import.
const BODY: &str = r#"(module
    (import "env" "body" (func $body (param i32)))
    (func (export "log") (param i32) (call $body (i32.add (local.get 0) (i32.const 1)))))"#;

/// Around an import of one number: tells the host before.
fn around(import: u32) -> Provider {
    built(&format!(
        r#"(module
            (import "hostcall:import" "{import}" (func $import (param i32)))
            (import "env" "before" (func $before))
            (func (export "stub") (param i32)
                (call $before)
                (call $import (local.get 0))))"#
    ))
}

/// Around an import of one number: does not call it.
fn instead() -> Provider {
    built(
        r#"(module
            (import "env" "instead" (func $instead (param i32)))
            (func (export "stub") (param i32) (call $instead (local.get 0))))"#,
    )
}

fn wrap(import: u32, provider: &Provider) -> Wrapper<'_> {
    Wrapper {
        import,
        provider,
        function: "stub",
        call_sites: true,
    }
}

/// Links with functions of `bodies` in the place of imports of their names, and
/// with wrappers.
fn wrapped<'p>(guest: &str, wrappers: &[Wrapper<'p>], bodies: &[&'p Provider]) -> Linked {
    linked(guest, bodies, |options| {
        options.wrappers = wrappers.to_vec()
    })
}

/// What the host of a guest with a wrapper around import 0 sees.
fn seen_around(guest: &str, calls: &[(&str, &[i32])]) -> Vec<String> {
    let around = around(0);
    let linked = wrapped(guest, &[wrap(0, &around)], &[]);
    seen(&linked, calls)
}

#[test]
fn one_that_calls_the_import() {
    let around = around(0);
    let linked = wrapped(GUEST, &[wrap(0, &around)], &[]);
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (type (;1;) (func))
          (import "env" "log" (func $log (;0;) (type 0)))
          (import "env" "before" (func $env.before (;1;) (type 1)))
          (export "go" (func 2))
          (func (;2;) (type 1)
            (local i32)
            i32.const 7
            local.set 0
            block ;; label = @1
              call $env.before
              local.get 0
              call $log
            end
          )
          (func $env.log:wrapper (;3;) (type 0) (param i32)
            call $env.before
            local.get 0
            call $log
          )
        )
    "#]]
    .assert_eq(&printed(&linked));
    assert!(matches!(
        linked.imports[..],
        [LinkedImport::Original(0), LinkedImport::Added(_)]
    ));
    assert!(linked.replaced.is_empty());
    assert_eq!(linked.added.len(), 1);
    assert_eq!(seen(&linked, &[("go", &[])]), ["before()", "log(7)"]);
}

#[test]
fn one_that_does_not_call_the_import() {
    let instead = instead();
    let linked = wrapped(GUEST, &[wrap(0, &instead)], &[]);
    assert!(matches!(linked.imports[..], [LinkedImport::Added(_)]));
    assert_eq!(seen(&linked, &[("go", &[])]), ["instead(7)"]);
}

#[test]
fn calls_stay_calls_if_that_is_wished() {
    let around = around(0);
    let wrapper = Wrapper {
        call_sites: false,
        ..wrap(0, &around)
    };
    let linked = wrapped(GUEST, &[wrapper], &[]);
    assert_eq!(linked.ranges.len(), 1);
    assert!(printed(&linked).contains("i32.const 7\n    call $env.log:wrapper"));
    assert_eq!(seen(&linked, &[("go", &[])]), ["before()", "log(7)"]);
}

#[test]
fn every_way_to_reach_an_import_leads_to_its_wrapper() {
    let guest = r#"(module
        (type $log (func (param i32)))
        (import "env" "log" (func $log (type $log)))
        (table 4 funcref)
        (elem (i32.const 0) func $log)
        (elem (table 0) (i32.const 1) funcref (ref.func $log))
        (global $log funcref (ref.func $log))
        (export "log" (func $log))
        (func (export "direct") (call $log (i32.const 1)))
        (func (export "tail") (return_call $log (i32.const 2)))
        (func (export "indirect") (param i32)
            (call_indirect (type $log) (i32.const 3) (local.get 0)))
        (func (export "reference")
            (table.set (i32.const 2) (ref.func $log))
            (table.set (i32.const 3) (global.get $log))))"#;
    let calls: [(&str, &[i32]); 8] = [
        ("direct", &[]),
        ("tail", &[]),
        ("indirect", &[0]),
        ("indirect", &[1]),
        ("reference", &[]),
        ("indirect", &[2]),
        ("indirect", &[3]),
        ("log", &[4]),
    ];
    let seen = seen_around(guest, &calls);
    let logs = [1, 2, 3, 3, 3, 3, 4].map(|value| ["before()".to_owned(), format!("log({value})")]);
    assert_eq!(seen, logs.concat());
}

#[test]
fn an_import_that_is_the_start_function() {
    let guest = r#"(module
        (import "env" "init" (func $init))
        (start $init))"#;
    let around = built(
        r#"(module
            (import "hostcall:import" "0" (func $import))
            (import "env" "before" (func $before))
            (func (export "stub") (call $before) (call $import)))"#,
    );
    let linked = wrapped(guest, &[wrap(0, &around)], &[]);
    assert_eq!(seen(&linked, &[]), ["before()", "init()"]);
}

#[test]
fn around_what_replaces_the_import() {
    let (around, body) = (around(0), built(BODY));
    let linked = wrapped(GUEST, &[wrap(0, &around)], &[&body]);
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (type (;1;) (func))
          (import "env" "body" (func $env.body (;0;) (type 0)))
          (import "env" "before" (func $env.before (;1;) (type 1)))
          (export "go" (func 2))
          (func (;2;) (type 1)
            (local i32)
            i32.const 7
            local.set 0
            block ;; label = @1
              call $env.before
              local.get 0
              i32.const 1
              i32.add
              call $env.body
            end
          )
          (func $env.log (;3;) (type 0) (param i32)
            local.get 0
            i32.const 1
            i32.add
            call $env.body
          )
          (func $env.log:wrapper (;4;) (type 0) (param i32)
            call $env.before
            local.get 0
            i32.const 1
            i32.add
            call $env.body
          )
        )
    "#]]
    .assert_eq(&printed(&linked));
    let expected = Inlined {
        operators: 4,
        call_sites: 1,
        expanded: 1,
    };
    assert_eq!(linked.replaced, [expected]);
    // At the call, the replacement, the wrapper.
    let roots = linked.ranges.iter().map(|range| range.root);
    assert_eq!(roots.collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(seen(&linked, &[("go", &[])]), ["before()", "body(8)"]);
}

#[test]
fn a_replacement_that_its_wrapper_does_not_call() {
    let (instead, body) = (instead(), built(BODY));
    let linked = wrapped(GUEST, &[wrap(0, &instead)], &[&body]);
    assert_eq!(linked.replaced[0].call_sites, 1);
    assert_eq!(linked.replaced[0].expanded, 0);
    assert_eq!(seen(&linked, &[("go", &[])]), ["instead(7)"]);
}

#[test]
fn either_may_be_kept_from_call_sites() {
    let (around, body) = (around(0), built(BODY));
    for (outer, inner) in [(true, false), (false, true), (false, false)] {
        let linked = linked(GUEST, &[&body], |options| {
            options.replacements[0].call_sites = inner;
            options.wrappers = vec![wrap(0, &around)];
            options.wrappers[0].call_sites = outer;
        });
        assert_eq!(linked.replaced[0].call_sites, 1);
        assert_eq!(linked.replaced[0].expanded, 0);
        assert_eq!(linked.ranges.len(), 2 + usize::from(outer));
        assert_eq!(seen(&linked, &[("go", &[])]), ["before()", "body(8)"]);
    }
}

#[test]
fn the_budget_holds_for_both_together() {
    let (around, body) = (around(0), built(BODY));
    let expanded = [2, 5, 6].map(|limit| {
        let linked = linked(GUEST, &[&body], |options| {
            options.wrappers = vec![wrap(0, &around)];
            options.budget.body = limit;
        });
        assert_eq!(seen(&linked, &[("go", &[])]), ["before()", "body(8)"]);
        (linked.ranges.len() - 2, linked.replaced[0].expanded)
    });
    assert_eq!(expanded, [(0, 0), (1, 0), (1, 1)]);
    let none = linked(GUEST, &[&body], |options| {
        options.wrappers = vec![wrap(0, &around)];
        options.budget = Budget {
            function: 0,
            ..Budget::default()
        };
    });
    assert_eq!((none.ranges.len(), none.replaced[0].expanded), (2, 0));
}

#[test]
fn imports_of_one_name() {
    let guest = r#"(module
        (import "env" "log" (func $first (param i32)))
        (global (import "env" "g") i32)
        (import "env" "log" (func $second (param i32)))
        (func (export "go") (call $first (i32.const 1)) (call $second (i32.const 2))))"#;
    let (around, instead) = (around(2), instead());
    let go: [(&str, &[i32]); 1] = [("go", &[])];
    let imported = |linked: Linked| {
        let imports = linked.imports.iter();
        let functions = imports.map(|import| match import {
            LinkedImport::Original(position) => position.to_string(),
            LinkedImport::Added(import) => import.name.clone(),
        });
        functions.collect::<Vec<_>>().join(" ")
    };
    let second = wrapped(guest, &[wrap(2, &around)], &[]);
    assert_eq!(imported(second), "0 1 2 before");
    let both = wrapped(guest, &[wrap(2, &around), wrap(0, &instead)], &[]);
    assert_eq!(imported(both), "1 2 before instead");
    let no_global = guest.replace(
        "(global (import \"env\" \"g\") i32)",
        "(import \"env\" \"x\" (func))",
    );
    let both = wrapped(&no_global, &[wrap(2, &around), wrap(0, &instead)], &[]);
    assert_eq!(seen(&both, &go), ["instead(1)", "before()", "log(2)"]);
    let second = wrapped(&no_global, &[wrap(2, &around)], &[]);
    assert_eq!(seen(&second, &go), ["log(1)", "before()", "log(2)"]);
}

#[test]
fn slow_paths_reach_wrappers() {
    let guest = r#"(module
        (import "env" "fast" (func $fast (param i32)))
        (import "env" "slow" (func $slow (param i32)))
        (func (export "go") (call $fast (i32.const 1))))"#;
    let fast = built(
        r#"(module
            (import "env" "slow" (func $slow (param i32)))
            (func (export "fast") (param i32) (call $slow (i32.add (local.get 0) (i32.const 4)))))"#,
    );
    let around = around(1);
    let kept = wrapped(guest, &[wrap(1, &around)], &[&fast]);
    assert_eq!(seen(&kept, &[("go", &[])]), ["before()", "slow(5)"]);
    let instead = instead();
    let gone = wrapped(guest, &[wrap(1, &instead)], &[&fast]);
    assert_eq!(seen(&gone, &[("go", &[])]), ["instead(5)"]);
}

#[test]
fn a_wrapper_reaches_itself_by_the_name_of_its_import() {
    let around = built(
        r#"(module
            (import "hostcall:import" "0" (func $import (param i32)))
            (import "env" "log" (func $log (param i32)))
            (func (export "stub") (param i32)
                (if (local.get 0)
                    (then (call $log (i32.shr_u (local.get 0) (i32.const 1)))))
                (call $import (local.get 0))))"#,
    );
    let linked = wrapped(GUEST, &[wrap(0, &around)], &[]);
    let expected = ["log(0)", "log(1)", "log(3)", "log(7)"];
    assert_eq!(seen(&linked, &[("go", &[])]), expected);
}

#[test]
fn one_provider_around_several_imports() {
    let guest = r#"(module
        (import "env" "a" (func $a (param i32)))
        (import "env" "b" (func $b (param i32)))
        (func (export "go") (call $a (i32.const 1)) (call $b (i32.const 2)) (call $a (i32.const 3))))"#;
    let both = built(
        r#"(module
            (import "hostcall:import" "0" (func $a (param i32)))
            (import "hostcall:import" "1" (func $b (param i32)))
            (global $count (mut i32) (i32.const 10))
            (func $next (result i32)
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (global.get $count))
            (func (export "a") (param i32) (call $a (i32.add (local.get 0) (call $next))))
            (func (export "b") (param i32) (call $b (i32.add (local.get 0) (call $next)))))"#,
    );
    let wrapper = |import, function| Wrapper {
        function,
        ..wrap(import, &both)
    };
    let linked = wrapped(guest, &[wrapper(1, "b"), wrapper(0, "a")], &[]);
    assert_eq!(seen(&linked, &[("go", &[])]), ["a(12)", "b(14)", "a(16)"]);
}

#[test]
fn values_of_all_types_pass_through() {
    let ty = "(param i32 v128 externref funcref f64) (result f32 externref i64)";
    let guest = format!(
        r#"(module
            (import "env" "f" (func $f {ty}))
            (func (export "f") {ty}
                (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4))))"#
    );
    let around = built(&format!(
        r#"(module
            (import "hostcall:import" "0" (func $import {ty}))
            (func (export "stub") {ty}
                (call $import (local.get 0) (local.get 1) (local.get 2) (local.get 3)
                    (local.get 4))))"#
    ));
    let linked = wrapped(&guest, &[wrap(0, &around)], &[]);
    assert_eq!(linked.imports, [LinkedImport::Original(0)]);
    // Nothing but the call stands at the call.
    assert!(printed(&linked).contains("local.get 4\n    call $f\n  )\n"));
}

#[test]
fn traps_are_found_inside_of_wrappers() {
    let guest = r#"(module
        (import "env" "div" (func $div (param i32 i32) (result i32)))
        (func (export "go") (param i32) (result i32) (call $div (local.get 0) (i32.const 2))))"#;
    let div = |notes| {
        built_with(
            r#"(module (func (export "div") (param i32 i32) (result i32)
                (i32.div_s (local.get 0) (local.get 1))))"#,
            notes,
        )
    };
    let around = built(
        r#"(module
            (import "hostcall:import" "0" (func $import (param i32 i32) (result i32)))
            (import "env" "before" (func $before))
            (func (export "stub") (param i32 i32) (result i32)
                (call $before)
                (call $import (local.get 0) (local.get 1))))"#,
    );
    let div = div(vec![TrapNote {
        func: 0,
        operator: 2,
        message: "division",
    }]);
    let linked = wrapped(guest, &[wrap(0, &around)], &[&div]);
    // At the call, in the replacement, and in the wrapper.
    let found = linked.traps.iter().map(|trap| {
        let opcode = linked.bytes[trap.offset as usize];
        (opcode, trap.root, trap.message)
    });
    let expected = [1, 0, 1].map(|root| (0x6d, root, "division"));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    for trap in &linked.traps {
        let mut ranges = linked.ranges.iter();
        let around = ranges.find(|range| (range.start..range.end).contains(&trap.offset));
        assert_eq!(around.map(|range| range.root), Some(trap.root));
    }
}

#[test]
fn with_the_host_page() {
    let counting = built(
        r#"(module
            (import "hostcall:host" "page" (memory 0))
            (import "hostcall:import" "0" (func $import (param i32)))
            (func (export "stub") (param i32)
                (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
                (call $import (i32.load (i32.const 8)))))"#,
    );
    let guest = GUEST.replace("(func (export", "(memory 1) (func (export");
    let linked = linked(&guest, &[], |options| {
        options.wrappers = vec![wrap(0, &counting)];
        options.page = Some(HostPage::default());
        options.page.as_mut().unwrap().size = 16;
    });
    let go: [(&str, &[i32]); 2] = [("go", &[]); 2];
    assert_eq!(seen(&linked, &go), ["log(1)", "log(2)"]);
}

#[test]
fn names() {
    let guest = r#"(module
        (import "env" "log" (func $log (param i32)))
        (import "env" "gone" (func $gone (param i32)))
        (func $go (export "go") (call $log (i32.const 7)) (call $gone (i32.const 8))))"#;
    let around = built(
        r#"(module
            (import "hostcall:import" "0" (func $import (param i32)))
            (global $calls (mut i32) (i32.const 0))
            (func (export "stub") (param i32)
                (global.set $calls (local.get 0))
                (call $helper (local.get 0)))
            (func $helper (param i32)
                (call $import (local.get 0))
                (return_call $helper (local.get 0))))"#,
    );
    let (instead, body) = (instead(), built(&BODY.replace("\"log\"", "\"gone\"")));
    let linked = wrapped(guest, &[wrap(0, &around), wrap(1, &instead)], &[&body]);
    let text = printed(&linked);
    let names = text
        .lines()
        .filter(|line| line.contains("(;") && !line.contains("@"));
    let names = names.map(|line| line.trim().to_owned() + "\n");
    expect![[r#"
        (type (;0;) (func (param i32)))
        (type (;1;) (func))
        (import "env" "log" (func $log (;0;) (type 0)))
        (import "env" "body" (func $env.body (;1;) (type 0)))
        (import "env" "instead" (func $env.instead (;2;) (type 0)))
        (global $env.log:wrapper:calls (;0;) (mut i32) i32.const 0)
        (func $go (;3;) (type 1)
        (func $env.gone (;4;) (type 0) (param i32)
        (func $env.log:wrapper (;5;) (type 0) (param i32)
        (func $env.gone:wrapper (;6;) (type 0) (param i32)
        (func $env.log:wrapper:helper (;7;) (type 0) (param i32)
    "#]]
    .assert_eq(&names.collect::<String>());
}

#[test]
fn wrappers_that_do_not_fit() {
    let guest = r#"(module
        (import "env" "log" (func (param i32)))
        (import "env" "wide" (func (param i64)))
        (import "env" "memory" (memory 1)))"#;
    let (around, other, missing) = (around(0), around(1), around(9));
    let refused = |change: &dyn Fn(&mut Wrapper<'_>)| {
        let mut wrapper = wrap(0, &around);
        change(&mut wrapper);
        error(guest, &[wrapper])
    };
    let messages = [
        refused(&|wrapper| wrapper.import = 1),
        refused(&|wrapper| wrapper.import = 2),
        refused(&|wrapper| wrapper.import = 3),
        refused(&|wrapper| wrapper.function = "log"),
        error(guest, &[wrap(0, &around), wrap(0, &around)]),
        error(guest, &[wrap(0, &other)]),
        error(guest, &[wrap(0, &missing)]),
    ];
    expect![[r#"
        wrapper 0: `env.wide` has the type (i64) -> (), the provider's function `stub` has (i32) -> (): give it the type of the import
        wrapper 0: `env.memory` is not a function: only functions can be wrapped
        wrapper 0: there is no import 3, the guest has 3
        wrapper 0: the provider exports no function `log` for `env.log`, it has: stub
        wrapper 1: `env.log` is wrapped twice, keep one of the wrappers
        wrapper 0: the provider calls `hostcall:import.1` as (i32) -> (), but the guest's function is (i64) -> ()
        wrapper 0: the provider calls `hostcall:import.9`, but the guest has no such function
    "#]].assert_eq(&messages.concat());
}

fn error(guest: &str, wrappers: &[Wrapper<'_>]) -> String {
    let error = try_linked(guest, &[], |options| options.wrappers = wrappers.to_vec());
    format!("{}\n", error.unwrap_err())
}

#[test]
fn what_comes_from_the_guest_is_only_called() {
    let refused = |text: &str| {
        let error = Provider::built(&super::bytes(text), Vec::new()).unwrap_err();
        format!("{error}\n")
    };
    let messages = [
        refused(
            r#"(module
                (import "hostcall:import" "0" (func $import))
                (global funcref (ref.func $import)))"#,
        ),
        refused(r#"(module (import "hostcall:import" "01" (func)))"#),
        refused(r#"(module (import "hostcall:queue" "grow" (func)))"#),
        refused(r#"(module (import "hostcall:export" "memory" (memory 1)))"#),
    ];
    expect![[r#"
        a global refers to `hostcall:import.0`, which can only be called (at offset 0x2a)
        a provider imports nothing, this one imports the function `hostcall:import.01`: define it inside the provider or pass what it gives as a parameter (at offset 0x11)
        a provider imports nothing, this one imports the function `hostcall:queue.grow`: define it inside the provider or pass what it gives as a parameter (at offset 0x11)
        a provider imports nothing, this one imports the memory `hostcall:export.memory`: define it inside the provider or pass what it gives as a parameter (at offset 0xb)
    "#]].assert_eq(&messages.concat());
}
