//! What a guest's imports are bound to when everything fits.

mod common;

use common::{func_type, function, function_of, item, logging_host, planned, surface};
use expect_test::expect;
use hostcall_link::{
    Binding, Crossing, GlobalType, MemoryType, Plan, Provides, Surface, TableType, ValType,
};

fn bindings(plan: &Plan) -> Vec<Binding> {
    plan.imports.iter().map(|import| import.binding).collect()
}

fn bound(item: usize, form: usize) -> Binding {
    Binding::Item { item, form }
}

#[test]
fn a_form_for_each_width_of_pointers() {
    let narrow = r#"(module (import "env" "log" (func (param i32 i32))))"#;
    let wide = r#"(module (import "env" "log" (func (param i64 i64))))"#;
    assert_eq!(bindings(&planned(narrow, &logging_host())), [bound(0, 0)]);
    assert_eq!(bindings(&planned(wide, &logging_host())), [bound(0, 1)]);
}

#[test]
fn overloads_serve_one_name_under_two_types() {
    let host = surface([
        function("env", "print", "func(n: s32)", func_type("i32", "")),
        function("env", "print", "func(n: f64)", func_type("f64", "")),
    ]);
    let wat = r#"(module
        (import "env" "print" (func (param f64)))
        (import "env" "print" (func (param i32))))"#;
    assert_eq!(bindings(&planned(wat, &host)), [bound(1, 0), bound(0, 0)]);
}

#[test]
fn overloads_may_differ_in_kind() {
    let host = surface([
        item("env", "x", Provides::Memory(MemoryType::new(1, None))),
        function("env", "x", "func()", func_type("", "")),
    ]);
    let wat = r#"(module (import "env" "x" (func)) (import "env" "x" (memory 1)))"#;
    assert_eq!(bindings(&planned(wat, &host)), [bound(1, 0), bound(0, 0)]);
}

fn with_memory(offer: MemoryType) -> Surface {
    surface([item("env", "m", Provides::Memory(offer))])
}

#[test]
fn memories_match_by_subtyping_of_limits() {
    let fits = |import: &str, offer| {
        let wat = format!(r#"(module (import "env" "m" (memory {import})))"#);
        hostcall_link::plan(&common::info(&wat), &with_memory(offer)).is_ok()
    };
    assert!(fits("1", MemoryType::new(2, None)));
    assert!(fits("1", MemoryType::new(1, Some(5))));
    assert!(fits("1 9", MemoryType::new(1, Some(9))));
    assert!(fits("1 9", MemoryType::new(3, Some(4))));
    assert!(!fits("2", MemoryType::new(1, None)));
    assert!(!fits("1 9", MemoryType::new(1, Some(10))));
    assert!(!fits("1 9", MemoryType::new(1, None)));
    assert!(fits("i64 1", MemoryType::new64(1, None)));
    assert!(!fits("i64 1", MemoryType::new(1, None)));
    assert!(fits("1 2 shared", MemoryType::shared(1, 2)));
    assert!(!fits("1 2 shared", MemoryType::new(1, Some(2))));
    assert!(!fits("1 2", MemoryType::shared(1, 2)));
    assert!(!fits("1 2 (pagesize 1)", MemoryType::new(1, Some(2))));
}

#[test]
fn the_first_memory_that_fits_serves() {
    let host = surface([
        item("env", "m", Provides::Memory(MemoryType::new(1, None))),
        item("env", "m", Provides::Memory(MemoryType::new(4, None))),
    ]);
    let wat = r#"(module (import "env" "m" (memory 2)))"#;
    assert_eq!(bindings(&planned(wat, &host)), [bound(1, 0)]);
}

#[test]
fn globals_and_tables() {
    let host = surface([
        item(
            "env",
            "g",
            Provides::Global(GlobalType {
                content: ValType::I32,
                mutable: true,
            }),
        ),
        item(
            "env",
            "t",
            Provides::Table(TableType {
                element: ValType::FuncRef,
                minimum: 8,
                maximum: Some(8),
                table64: false,
            }),
        ),
    ]);
    let wat = r#"(module
        (import "env" "g" (global (mut i32)))
        (import "env" "t" (table 4 10 funcref)))"#;
    let plan = planned(wat, &host);
    assert_eq!(bindings(&plan), [bound(0, 0), bound(1, 0)]);
    assert!(plan.imports.iter().all(|import| import.crossing.is_none()));
}

const UNKNOWN: &str = r#"(module (import "env" "unknown" (func (param i32))))"#;

#[test]
fn an_optional_import_traps() {
    let host = Surface {
        optional: vec![("env".into(), "unknown".into())],
        ..logging_host()
    };
    let plan = planned(UNKNOWN, &host);
    assert_eq!(bindings(&plan), [Binding::Trap]);
    assert_eq!(plan.imports[0].crossing, Some(Crossing::Call));
}

#[test]
fn the_catch_all_answers_for_what_is_unknown_and_comes_before_optional() {
    let host = Surface {
        optional: vec![("env".into(), "unknown".into())],
        catch_all: true,
        ..logging_host()
    };
    assert_eq!(bindings(&planned(UNKNOWN, &host)), [Binding::CatchAll]);
}

#[test]
fn a_plan_is_a_table() {
    let mut host = logging_host();
    host.catch_all = true;
    let memory = Provides::Memory(MemoryType::new(1, Some(16)));
    host.items.push(item("env", "memory", memory));
    let wide = func_type(&"i64 ".repeat(12), "");
    host.items.push(function_of(
        "env",
        "wide",
        "func(every thing, at great length, indeed)",
        vec![wide],
    ));
    let wat = r#"(module
        (import "env" "log" (func (param i32 i32)))
        (import "env" "memory" (memory 1))
        (import "math" "hypot" (func (param f64 f64) (result f64)))
        (import "" "a b\n" (func (result i32 i32)))
        (import "环境" "日志" (func)))"#;
    expect![[r##"
        #  import      type                         crossing  size  why
        0  env.log     func(text: string)           call         -  a host function
        1  env.memory  memory of 1 or more pages    -            -  a memory of the host
        2  math.hypot  func(x: f64, y: f64) -> f64  call         -  a host function
        3  ""."a b\n"  () -> (i32, i32)             call         -  not offered: the catch-all answers
        4  环境.日志       () -> ()                     call         -  not offered: the catch-all answers
    "##]]
    .assert_eq(&planned(wat, &host).to_string());
}

#[test]
fn a_plan_without_imports() {
    let plan = planned("(module)", &Surface::default());
    expect![[r#"
        no imports
    "#]]
    .assert_eq(&plan.to_string());
}

#[test]
fn a_plan_is_plain_data() {
    let wat = r#"(module (import "env" "now_ms" (func (result i64))))"#;
    let plan = planned(wat, &logging_host());
    let json = serde_json::to_string_pretty(&plan).unwrap();
    expect![[r#"
        {
          "imports": [
            {
              "import": {
                "index": 0,
                "offset": 18,
                "module": "env",
                "name": "now_ms",
                "ty": {
                  "kind": "function",
                  "type": {
                    "params": [],
                    "results": [
                      "i64"
                    ]
                  }
                },
                "slot": 0
              },
              "signature": "func() -> u64",
              "crossing": "call",
              "reason": "a host function",
              "binding": {
                "item": {
                  "item": 1,
                  "form": 0
                }
              },
              "inlined": null
            }
          ],
          "added": [],
          "mapped": []
        }"#]]
    .assert_eq(&json);
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}
