//! What a guest that does not link is told.

mod common;

use common::{func_type, function, info, item, logging_host, refused, surface};
use expect_test::expect;
use hostcall_link::{
    GlobalType, MemoryType, ProblemKind, Provides, Surface, TableType, ValType, plan,
};

#[test]
fn a_near_miss() {
    let wat = r#"(module (import "env" "lgo" (func (param i32 i32))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.lgo` (at offset 0x13): the host offers nothing by this name
            guest: function (i32, i32) -> ()
            host:  `env` has `log`, `now_ms`
                   did you mean `env.log`?
            help:  register a host function by this name, make the import optional, or set a catch-all"#]].assert_eq(&refused(wat, &logging_host()));
}

fn suggestions(module: &str, name: &str, host: &Surface) -> Vec<String> {
    let wat = format!(r#"(module (import "{module}" "{name}" (func)))"#);
    let error = plan(&info(&wat), host).unwrap_err();
    let ProblemKind::Missing { suggestions, .. } = &error.problems()[0].kind else {
        panic!("{error}");
    };
    let names = suggestions.iter();
    names
        .map(|(module, name)| format!("{module}.{name}"))
        .collect()
}

#[test]
fn near_misses_of_every_sort() {
    let host = logging_host();
    assert_eq!(suggestions("env", "Log", &host), ["env.log"]);
    assert_eq!(suggestions("env", "now-ms", &host), ["env.now_ms"]);
    assert_eq!(suggestions("env", "nowMs", &host), ["env.now_ms"]);
    assert_eq!(suggestions("host", "log", &host), ["env.log"]);
    assert_eq!(suggestions("Env", "log", &host), ["env.log"]);
    assert_eq!(suggestions("maths", "hypo", &host), ["math.hypot"]);
    assert_eq!(suggestions("env", "unrelated", &host), Vec::<String>::new());
    assert_eq!(suggestions("", "", &host), Vec::<String>::new());
}

#[test]
fn at_most_three_near_misses_nearest_first() {
    let names = ["value_4xx", "value_2", "value_1", "value_3", "value_1"];
    let items = names.map(|name| function("env", name, "func()", func_type("", "")));
    let found = suggestions("env", "value_0", &surface(items));
    assert_eq!(found, ["env.value_2", "env.value_1", "env.value_3"]);
}

#[test]
fn a_suggestion_is_of_the_kind_that_is_imported() {
    let host = surface([item(
        "env",
        "log",
        Provides::Memory(MemoryType::new(1, None)),
    )]);
    assert_eq!(suggestions("env", "logs", &host), Vec::<String>::new());
}

#[test]
fn nothing_near() {
    let wat = r#"(module
        (import "console" "write" (func (param i32)))
        (import "env" "memory" (memory 1))
        (import "env" "oops" (tag (param i32))))"#;
    expect![[r#"
        cannot link the guest: 3 problems

        import 0 `console.write` (at offset 0x12): the host offers nothing by this name
            guest: function (i32) -> ()
            host:  no module `console`, only `env`, `math`
            help:  register a host function by this name, make the import optional, or set a catch-all

        import 1 `env.memory` (at offset 0x22): the host offers nothing by this name
            guest: memory of 1 or more pages
            host:  `env` has `log`, `now_ms`
            help:  offer it under this name, or build the guest so that it defines its own

        import 2 `env.oops` (at offset 0x30): the host offers nothing by this name
            guest: tag (i32) -> ()
            host:  `env` has `log`, `now_ms`
            help:  a host cannot offer exception tags: define the tag in the guest"#]].assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn a_host_with_many_names() {
    let names = (0..20).map(|number| format!("f{number}"));
    let items = names.map(|name| function("env", &name, "func()", func_type("", "")));
    let wat = r#"(module (import "env" "missing" (func)))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.missing` (at offset 0x11): the host offers nothing by this name
            guest: function () -> ()
            host:  `env` has `f0`, `f1`, `f2`, `f3`, `f4`, `f5`, `f6`, `f7` and 12 more
            help:  register a host function by this name, make the import optional, or set a catch-all"#]].assert_eq(&refused(wat, &surface(items)));
}

#[test]
fn an_empty_host() {
    let wat = r#"(module (import "env" "f" (func)))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.f` (at offset 0x11): the host offers nothing by this name
            guest: function () -> ()
            host:  no module `env`
            help:  register a host function by this name, make the import optional, or set a catch-all"#]].assert_eq(&refused(wat, &Surface::default()));
}

#[test]
fn wasi_is_opt_in() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `wasi_snapshot_preview1.proc_exit` (at offset 0x12): the host offers nothing by this name
            guest: function (i32) -> ()
            host:  no module `wasi_snapshot_preview1`, only `env`, `math`
            help:  enable WASI on the host: `Host::wasi`, or `hostcall run`, which has it"#]].assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn a_function_that_wasi_does_not_have() {
    let mut surface = logging_host();
    surface.items[0].module = "wasi_snapshot_preview1".to_owned();
    let wat = r#"(module (import "wasi_snapshot_preview1" "lag" (func (param i32 i32))))"#;
    let message = refused(wat, &surface);
    assert!(
        message.contains("did you mean `wasi_snapshot_preview1.log`?"),
        "{message}"
    );
    assert!(
        message.ends_with("WASI preview 1 has no such function: see what the guest was built with"),
        "{message}"
    );
}

#[test]
fn a_wrong_signature() {
    let wat = r#"(module (import "env" "log" (func (param i32) (result i32))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.log` (at offset 0x13): the guest and the host disagree about its type
            guest: (i32) -> i32
            host:  func(text: string), which is (i32, i32) -> () or (i64, i64) -> ()
                   parameters: the guest passes 1, the host takes 2
            help:  change one of the two so that they agree"#]]
    .assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn a_wrong_signature_despite_a_catch_all_or_optional() {
    let host = Surface {
        optional: vec![("env".into(), "log".into())],
        catch_all: true,
        ..logging_host()
    };
    let wat = r#"(module (import "env" "log" (func)))"#;
    let error = plan(&info(wat), &host).unwrap_err();
    assert!(matches!(
        error.problems()[0].kind,
        ProblemKind::Signature { .. }
    ));
}

#[test]
fn each_of_two_imports_of_one_name_is_judged_alone() {
    let wat = r#"(module
        (import "env" "log" (func (param i32 i32)))
        (import "env" "log" (func (param i32 i64))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 1 `env.log` (at offset 0x22): the guest and the host disagree about its type
            guest: (i32, i64) -> ()
            host:  func(text: string), which is (i32, i32) -> () or (i64, i64) -> ()
                   parameter 2: i64 in the guest, i32 in the host
            help:  change one of the two so that they agree"#]]
    .assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn the_nearest_form_explains_the_difference() {
    let wat = r#"(module (import "env" "log" (func (param i64 i32))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.log` (at offset 0x13): the guest and the host disagree about its type
            guest: (i64, i32) -> ()
            host:  func(text: string), which is (i32, i32) -> () or (i64, i64) -> ()
                   parameter 1: i64 in the guest, i32 in the host
            help:  change one of the two so that they agree"#]]
    .assert_eq(&refused(wat, &logging_host()));
    let wat = r#"(module (import "env" "log" (func (param i64))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.log` (at offset 0x12): the guest and the host disagree about its type
            guest: (i64) -> ()
            host:  func(text: string), which is (i32, i32) -> () or (i64, i64) -> ()
                   parameters: the guest passes 1, the host takes 2
            help:  change one of the two so that they agree"#]]
    .assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn wrong_overloads() {
    let host = surface([
        function("env", "print", "func(n: s32)", func_type("i32", "")),
        function("env", "print", "func(n: f64)", func_type("f64", "")),
    ]);
    let wat = r#"(module (import "env" "print" (func (param i64))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.print` (at offset 0x12): the guest and the host disagree about its type
            guest: (i64) -> ()
            host:  func(n: s32), which is (i32) -> ()
            host:  func(n: f64), which is (f64) -> ()
            help:  change one of the two so that they agree"#]]
    .assert_eq(&refused(wat, &host));
}

#[test]
fn only_the_results_differ() {
    let wat = r#"(module (import "env" "now_ms" (func (result f64))))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.now_ms` (at offset 0x12): the guest and the host disagree about its type
            guest: () -> f64
            host:  func() -> u64, which is () -> i64
                   parameters agree, results differ
            help:  change one of the two so that they agree"#]]
    .assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn another_kind() {
    let wat = r#"(module (import "env" "log" (global i32)))"#;
    expect![[r#"
        cannot link the guest: 1 problem

        import 0 `env.log` (at offset 0xb): the guest needs a global, the host offers a function
            guest: global of i32
            help:  offer a global under this name as well or instead"#]]
    .assert_eq(&refused(wat, &logging_host()));
}

#[test]
fn memories_tables_and_globals_that_do_not_fit() {
    let host = surface([
        item("env", "memory", Provides::Memory(MemoryType::new(1, None))),
        item(
            "env",
            "global",
            Provides::Global(GlobalType {
                content: ValType::I32,
                mutable: false,
            }),
        ),
        item(
            "env",
            "table",
            Provides::Table(TableType {
                element: ValType::FuncRef,
                minimum: 1,
                maximum: None,
                table64: false,
            }),
        ),
    ]);
    let wat = r#"(module
        (import "env" "memory" (memory 2))
        (import "env" "memory" (memory 1 4))
        (import "env" "memory" (memory i64 1))
        (import "env" "memory" (memory 1 4 shared))
        (import "env" "memory" (memory 1 (pagesize 1)))
        (import "env" "global" (global (mut i32)))
        (import "env" "table" (table 1 externref))
        (import "env" "table" (table 9 funcref)))"#;
    expect![[r#"
        cannot link the guest: 8 problems

        import 0 `env.memory` (at offset 0xb): the guest and the host disagree about its type
            guest: memory of 2 or more pages
            host:  memory of 1 or more pages
                   the guest needs at least 2 pages, the host has 1
            help:  offer a memory that fits, or build the guest for this one

        import 1 `env.memory` (at offset 0x19): the guest and the host disagree about its type
            guest: memory of 1 to 4 pages
            host:  memory of 1 or more pages
                   the guest allows at most 4 pages, the host's may grow without bound
            help:  offer a memory that fits, or build the guest for this one

        import 2 `env.memory` (at offset 0x28): the guest and the host disagree about its type
            guest: 64-bit memory of 1 or more pages
            host:  memory of 1 or more pages
                   the guest needs 64-bit addresses, the host has 32-bit ones
            help:  offer a memory that fits, or build the guest for this one

        import 3 `env.memory` (at offset 0x36): the guest and the host disagree about its type
            guest: shared memory of 1 to 4 pages
            host:  memory of 1 or more pages
                   the guest needs a shared memory, the host has an unshared one
            help:  offer a memory that fits, or build the guest for this one

        import 4 `env.memory` (at offset 0x45): the guest and the host disagree about its type
            guest: memory of 1 or more pages of 2^0 bytes
            host:  memory of 1 or more pages
                   the guest needs pages of 2^0 bytes, the host has 2^16
            help:  offer a memory that fits, or build the guest for this one

        import 5 `env.global` (at offset 0x54): the guest and the host disagree about its type
            guest: mutable global of i32
            host:  global of i32
                   a global must have exactly the type that is imported
            help:  offer a global that fits, or build the guest for this one

        import 6 `env.table` (at offset 0x62): the guest and the host disagree about its type
            guest: table of 1 or more externref
            host:  table of 1 or more funcref
                   the guest needs elements of type externref, the host has funcref
            help:  offer a table that fits, or build the guest for this one

        import 7 `env.table` (at offset 0x70): the guest and the host disagree about its type
            guest: table of 9 or more funcref
            host:  table of 1 or more funcref
                   the guest needs at least 9 elements, the host has 1
            help:  offer a table that fits, or build the guest for this one"#]]
    .assert_eq(&refused(wat, &host));
}

#[test]
fn reserved_names() {
    let host = Surface {
        catch_all: true,
        ..Surface::default()
    };
    let wat = r#"(module
        (import "hostcall:queue" "push" (func))
        (import "env" "hostcall:x" (func))
        (func (export "fine"))
        (func (export "hostcall:map")))"#;
    expect![[r#"
        cannot link the guest: 3 problems

        import 0 `hostcall:queue.push` (at offset 0x11): names starting with `hostcall:` are reserved
            help:  rename the import in the guest

        import 1 `env.hostcall:x` (at offset 0x27): names starting with `hostcall:` are reserved
            help:  rename the import in the guest

        export 1 `hostcall:map` (at offset 0x47): names starting with `hostcall:` are reserved
            help:  rename the export in the guest"#]].assert_eq(&refused(wat, &host));
}

#[test]
fn odd_names_stay_readable() {
    let long = "x".repeat(100_000);
    let wat = format!(
        r#"(module
            (import "" "" (func))
            (import "a.b" "c d" (func))
            (import "tab\t" "\1b[31mred\"" (func))
            (import "环境" "日志" (func))
            (import "env" "\e2\80\ae" (func))
            (import "env" "{long}" (func)))"#
    );
    expect![[r#"
        cannot link the guest: 6 problems

        import 0 `"".""` (at offset 0x13): the host offers nothing by this name
            guest: function () -> ()
            host:  no module `""`, only `env`, `math`
            help:  register a host function by this name, make the import optional, or set a catch-all

        import 1 `"a.b"."c d"` (at offset 0x17): the host offers nothing by this name
            guest: function () -> ()
            host:  no module `"a.b"`, only `env`, `math`
            help:  register a host function by this name, make the import optional, or set a catch-all

        import 2 `"tab\t"."\u{1b}[31mred\""` (at offset 0x21): the host offers nothing by this name
            guest: function () -> ()
            host:  no module `"tab\t"`, only `env`, `math`
            help:  register a host function by this name, make the import optional, or set a catch-all

        import 3 `环境.日志` (at offset 0x32): the host offers nothing by this name
            guest: function () -> ()
            host:  no module `环境`, only `env`, `math`
            help:  register a host function by this name, make the import optional, or set a catch-all

        import 4 `"env"."\u{202e}"` (at offset 0x42): the host offers nothing by this name
            guest: function () -> ()
            host:  `env` has `log`, `now_ms`
            help:  register a host function by this name, make the import optional, or set a catch-all

        import 5 `"env"."xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"…` (at offset 0x4c): the host offers nothing by this name
            guest: function () -> ()
            host:  `env` has `log`, `now_ms`
            help:  register a host function by this name, make the import optional, or set a catch-all"#]].assert_eq(&refused(&wat, &logging_host()));
}

#[test]
fn problems_come_in_import_order_with_index_and_offset() {
    let wat = r#"(module
        (import "env" "nope" (func))
        (import "env" "log" (func (param i32 i32)))
        (import "env" "log" (memory 1))
        (import "env" "now_ms" (func)))"#;
    let info = info(wat);
    let error = plan(&info, &logging_host()).unwrap_err();
    let found: Vec<u32> = error
        .problems()
        .iter()
        .map(|problem| problem.index)
        .collect();
    assert_eq!(found, [0, 2, 3]);
    for problem in error.problems() {
        let import = &info.imports[problem.index as usize];
        assert_eq!(problem.offset, import.offset);
        assert_eq!(
            (&problem.module, &problem.name),
            (&import.module, &import.name)
        );
    }
}

#[test]
fn a_thousand_problems_are_all_there_but_not_all_printed() {
    let imports = r#"(import "env" "nope" (func))"#.repeat(1000);
    let error = plan(&info(&format!("(module {imports})")), &logging_host()).unwrap_err();
    assert_eq!(error.problems().len(), 1000);
    let text = error.to_string();
    assert!(text.starts_with("cannot link the guest: 1000 problems\n"));
    assert!(text.ends_with("\n\nand 900 more"));
}
