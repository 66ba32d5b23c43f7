//! The checker knows what stands around imports, and what is exported in
//! addition.

mod common;

use common::refusals::{refusal, refusals};
use expect_test::{Expect, expect};
use hostcall_link::{
    AddedExport, FuncType, HostPage, LinkOptions, Linked, LinkedImport, Provider, Replacement,
    ValType, Wrapper, link, stub,
};

const GUEST: &str = r#"(module
    (import "env" "kept" (func (param i32)))
    (import "env" "gone" (func (param i32)))
    (import "env" "both" (func (param i32) (result i32)))
    (import "env" "plain" (func (param i32)))
    (table 2 funcref)
    (elem (i32.const 0) func 0 2)
    (export "kept" (func 0))
    (export "run" (func 5))
    (func (call 0 (i32.const 1)))
    (start 4)
    (func (param i32) (result i32)
        (call 0 (i32.const 2))
        (call 1 (i32.const 3))
        (call 3 (i32.const 4))
        (call 2 (local.get 0))))"#;

const PROVIDER: &str = r#"(module
    (func (export "both") (param i32) (result i32) (i32.add (local.get 0) (i32.const 5)))
    (func (export "gone") (param i32)))"#;

struct Case {
    guest: Vec<u8>,
    provider: Provider,
    /// Around imports 0 and 2.
    wrappers: [Provider; 2],
    driver: Provider,
}

impl Case {
    fn new() -> Case {
        let number = FuncType::new([ValType::I32], []);
        let numbers = FuncType::new([ValType::I32], [ValType::I32]);
        let batch = stub::Batch {
            progress: 16,
            input: 32,
            output: 32,
        };
        Case {
            guest: wat::parse_str(GUEST).unwrap(),
            provider: Provider::parse(&wat::parse_str(PROVIDER).unwrap()).unwrap(),
            wrappers: [
                stub::wrapper(0, &number, None, Some(8)),
                stub::wrapper(2, &numbers, None, None),
            ],
            driver: stub::map_driver("run", &numbers, &batch),
        }
    }

    fn options(&self) -> LinkOptions<'_> {
        let wrapper = |import, provider, function, call_sites| Wrapper {
            import,
            provider,
            function,
            call_sites,
        };
        LinkOptions {
            replacements: vec![Replacement {
                import: 2,
                provider: &self.provider,
                function: "both",
                call_sites: true,
            }],
            wrappers: vec![
                wrapper(0, &self.wrappers[0], stub::FUNCTION, true),
                wrapper(1, &self.provider, "gone", false),
                wrapper(2, &self.wrappers[1], stub::FUNCTION, true),
            ],
            exports: vec![AddedExport {
                name: "hostcall:map",
                provider: &self.driver,
                function: stub::FUNCTION,
            }],
            page: Some(HostPage {
                size: 100,
                init: Vec::new(),
            }),
            export_start: true,
            ..LinkOptions::default()
        }
    }
}

fn refused(changes: &[(&str, &str)], expected: Expect) {
    let case = Case::new();
    let options = case.options();
    let linked = link(&case.guest, &options).expect("a guest that links");
    expected.assert_eq(&refusals(&case.guest, &options, &linked, changes));
}

#[test]
fn what_linking_makes() {
    let case = Case::new();
    let linked = link(&case.guest, &case.options()).expect("a guest that links");
    let text = wasmprinter::print_bytes(&linked.bytes).expect("a valid module");
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (type (;1;) (func (param i32) (result i32)))
          (type (;2;) (func))
          (import "env" "kept" (func (;0;) (type 0)))
          (import "env" "plain" (func (;1;) (type 0)))
          (table (;0;) 2 funcref)
          (memory (;0;) 1 1)
          (export "kept" (func 5))
          (export "run" (func 3))
          (export "hostcall:page" (memory 0))
          (export "hostcall:map" (func 8))
          (export "hostcall:start" (func 2))
          (elem (;0;) (i32.const 0) func 5 7)
          (func (;2;) (type 2)
            i32.const 1
            i32.const 0
            i32.const 0
            i64.load offset=8
            i64.const 1
            i64.add
            i64.store offset=8
            call 0
          )
          (func (;3;) (type 1) (param i32) (result i32)
            i32.const 2
            i32.const 0
            i32.const 0
            i64.load offset=8
            i64.const 1
            i64.add
            i64.store offset=8
            call 0
            i32.const 3
            call 6
            i32.const 4
            call 1
            local.get 0
            i32.const 5
            i32.add
          )
          (func (;4;) (type 1) (param i32) (result i32)
            local.get 0
            i32.const 5
            i32.add
          )
          (func (;5;) (type 0) (param i32)
            local.get 0
            i32.const 0
            i32.const 0
            i64.load offset=8
            i64.const 1
            i64.add
            i64.store offset=8
            call 0
          )
          (func (;6;) (type 0) (param i32))
          (func (;7;) (type 1) (param i32) (result i32)
            local.get 0
            i32.const 5
            i32.add
          )
          (func (;8;) (type 0) (param i32)
            (local i32 i32 i32 i32)
            loop ;; label = @1
              local.get 0
              local.get 1
              i32.sub
              i32.const 8
              i32.ge_u
              if ;; label = @2
                i32.const 0
                local.get 1
                i32.store offset=16
                local.get 2
                i32.load offset=32
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=32
                i32.const 0
                local.get 1
                i32.const 1
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=36
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=36
                i32.const 0
                local.get 1
                i32.const 2
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=40
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=40
                i32.const 0
                local.get 1
                i32.const 3
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=44
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=44
                i32.const 0
                local.get 1
                i32.const 4
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=48
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=48
                i32.const 0
                local.get 1
                i32.const 5
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=52
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=52
                i32.const 0
                local.get 1
                i32.const 6
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=56
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=56
                i32.const 0
                local.get 1
                i32.const 7
                i32.add
                i32.store offset=16
                local.get 2
                i32.load offset=60
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=60
                local.get 1
                i32.const 8
                i32.add
                local.set 1
                local.get 2
                i32.const 32
                i32.add
                local.set 2
                local.get 3
                i32.const 32
                i32.add
                local.set 3
                br 1 (;@1;)
              end
            end
            loop ;; label = @1
              local.get 0
              local.get 1
              i32.sub
              i32.const 1
              i32.ge_u
              if ;; label = @2
                i32.const 0
                local.get 1
                i32.store offset=16
                local.get 2
                i32.load offset=32
                call 3
                local.set 4
                local.get 3
                local.get 4
                i32.store offset=32
                local.get 1
                i32.const 1
                i32.add
                local.set 1
                local.get 2
                i32.const 4
                i32.add
                local.set 2
                local.get 3
                i32.const 4
                i32.add
                local.set 3
                br 1 (;@1;)
              end
            end
            i32.const 0
            local.get 1
            i32.store offset=16
          )
        )
    "#]]
    .assert_eq(&text);
}

const COUNT: &str =
    "i32.const 0 i32.const 0 i64.load offset=8 i64.const 1 i64.add i64.store offset=8";

/// What stands for import 0 at a call.
fn counted(argument: &str) -> String {
    format!("{argument} {COUNT} call 0")
}

#[test]
fn ways_around_a_wrapper() {
    refused(
        &[
            (
                "(elem (;0;) (i32.const 0) func 5 7)",
                "(elem (;0;) (i32.const 0) func 0 7)",
            ),
            (
                "(elem (;0;) (i32.const 0) func 5 7)",
                "(elem (;0;) (i32.const 0) func 5 4)",
            ),
            (r#"(export "kept" (func 5))"#, r#"(export "kept" (func 0))"#),
            (&counted("i32.const 1"), "i32.const 1 call 0"),
            (&counted("i32.const 2"), "i32.const 2 call 0"),
            (&counted("i32.const 2"), "i32.const 2 call 1"),
            ("i32.const 3 call 6", "i32.const 3 drop"),
            ("i32.const 3 call 6", "i32.const 3 call 0"),
        ],
        expect![[r#"
            element segment 0, function 0: a copy of function 1 of provider 1 | another function
            element segment 0, function 4: a copy of function 1 of provider 2 | a copy of function 0 of provider 0
            export `kept`, function 0: a copy of function 1 of provider 1 | another function
            function 4 of the guest: `local.set` of a local for parameter 0 | `Call { function_index: 0 }`
            function 5 of the guest: `local.set` of a local for parameter 0 | `Call { function_index: 0 }`
            function 5 of the guest: `local.set` of a local for parameter 0 | `Call { function_index: 1 }`
            function 5 of the guest: a call, as bodies may not stand at call sites | `Drop`
            function 0: a copy of function 1 of provider 0 | another function
        "#]],
    );
}

#[test]
fn wrappers() {
    refused(
        &[
            (
                &counted("(param i32) local.get 0"),
                "(param i32) local.get 0 call 0",
            ),
            (
                &counted("(param i32) local.get 0"),
                &counted("(param i32) local.get 0").replace("offset=8", "offset=16"),
            ),
            (
                &counted("(param i32) local.get 0"),
                &counted("(param i32) local.get 0").replace("call 0", "call 1"),
            ),
            (
                &counted("(param i32) local.get 0"),
                &counted("(param i32) local.get 0").replace("call 0", "call 6"),
            ),
            (
                "(func (;6;) (type 0) (param i32))",
                "(func (;6;) (type 0) (param i32) local.get 0 call 1)",
            ),
            (
                "(func (;7;) (type 1) (param i32) (result i32) local.get 0",
                "(func (;7;) (type 1) (param i32) (result i32) local.get 0 call 7",
            ),
        ],
        expect![[r#"
            function 5, a copy of a provider's function 1: `I32Const { value: 0 }` | `Call { function_index: 0 }`
            function 5, a copy of a provider's function 1: `I64Load { memarg: MemArg { align: 3, max_align: 3, offset: 8, memory: 0 } }` | `I64Load { memarg: MemArg { align: 3, max_align: 3, offset: 16, memory: 0 } }`
            function 5, a copy of a provider's function 1: a call | `Call { function_index: 1 }`
            function 5, a copy of a provider's function 1: a call | `Call { function_index: 6 }`
            function 6, a copy of a provider's function 1: `end` of the body | `LocalGet { local_index: 0 }`
            function 7, a copy of a provider's function 1: `local.set` of a local for parameter 0 | `Call { function_index: 7 }`
        "#]],
    );
}

#[test]
fn kept_imports() {
    refused(
        &[
            (r#"(import "env" "kept""#, r#"(import "env" "gone""#),
            (r#"(import "env" "kept""#, r#"(import "env" "plain""#),
        ],
        expect![[r#"
            the import section: Import { module: "env", name: "kept", ty: Func(0) } | Import { module: "env", name: "gone", ty: Func(0) }
            the import section: Import { module: "env", name: "kept", ty: Func(0) } | Import { module: "env", name: "plain", ty: Func(0) }
        "#]],
    );
}

#[test]
fn added_exports() {
    refused(
        &[
            (r#"(export "hostcall:map" (func 8))"#, ""),
            (
                r#"(export "hostcall:map" (func 8))"#,
                r#"(export "hostcall:fold" (func 8))"#,
            ),
            (
                r#"(export "hostcall:map" (func 8))"#,
                r#"(export "hostcall:map" (func 5))"#,
            ),
            (
                r#"(export "hostcall:map" (func 8))"#,
                r#"(export "hostcall:map" (func 3))"#,
            ),
            (
                r#"(export "hostcall:map" (func 8))"#,
                r#"(export "hostcall:map" (table 0))"#,
            ),
            (
                r#"(export "hostcall:map" (func 8))"#,
                r#"(export "hostcall:map" (func 8)) (export "hostcall:more" (func 8))"#,
            ),
            ("i32.load offset=36 call 3", "i32.load offset=36 call 7"),
            ("i32.load offset=36 call 3", "i32.load offset=72 call 3"),
        ],
        expect![[r#"
            the export section: a function as `hostcall:map` | Func 2 as `hostcall:start`
            the export section: a function as `hostcall:map` | Func 8 as `hostcall:fold`
            export `hostcall:map`, function 5: a copy of function 1 of provider 3 | a copy of function 1 of provider 1
            export `hostcall:map`, function 3: a copy of function 1 of provider 3 | another function
            the export section: a function as `hostcall:map` | Table 0 as `hostcall:map`
            the export section: a function as `hostcall:start` | Func 8 as `hostcall:more`
            function 8, a copy of a provider's function 1: a call | `Call { function_index: 7 }`
            function 8, a copy of a provider's function 1: `I32Load { memarg: MemArg { align: 2, max_align: 2, offset: 36, memory: 0 } }` | `I32Load { memarg: MemArg { align: 2, max_align: 2, offset: 72, memory: 0 } }`
        "#]],
    );
}

#[test]
fn the_start_function() {
    let start = r#"(export "hostcall:start" (func 2))"#;
    refused(
        &[
            (start, ""),
            (start, r#"(export "hostcall:init" (func 2))"#),
            (start, r#"(export "hostcall:start" (func 3))"#),
            (start, r#"(export "hostcall:start" (func 2)) (start 2)"#),
            (start, "(start 2)"),
        ],
        expect![[r#"
            the export section: a function as `hostcall:start` | the end
            the export section: a function as `hostcall:start` | Func 2 as `hostcall:init`
            export `hostcall:start`, function 4 of the guest: function 2 | function 3
            the start function: None | Some(2)
            the export section: a function as `hostcall:start` | the end
        "#]],
    );
}

#[test]
fn what_is_told() {
    let case = Case::new();
    let options = case.options();
    let linked = link(&case.guest, &options).expect("a guest that links");
    let changes: [fn(&mut Linked); 7] = [
        |linked| linked.imports[0] = LinkedImport::Original(1),
        |linked| drop(linked.imports.remove(0)),
        |linked| linked.added.swap(0, 1),
        |linked| linked.added[4].root = 0,
        |linked| linked.replaced[0].expanded = 0,
        |linked| linked.ranges[0].root = 0,
        |linked| linked.ranges[3].root = 9,
    ];
    let messages = changes.map(|change| {
        let mut linked = linked.clone();
        change(&mut linked);
        refusal(&case.guest, &options, &linked)
    });
    expect![[r#"
        the import section: import Some(0) of the guest | 1
        the import section: 1 imports, as told | 2
        export `kept`, function 5: a copy of function 1 of provider 1 | a copy of function 0 of provider 0
        export `hostcall:map`, function 8: a copy of function 1 of provider 3 | a copy of function 0 of provider 0
        what is told about the linked module: 1 of 1 calls inlined | Inlined { operators: 3, call_sites: 1, expanded: 0 }
        the ranges told: Some((153, 168, Some(1))) | Some((153, 168, Some(0)))
        the ranges told: Some((203, 210, None)) | Some((203, 210, Some(9)))
    "#]].assert_eq(&messages.concat());
}

#[test]
fn another_plan() {
    let case = Case::new();
    let linked = link(&case.guest, &case.options()).expect("a guest that links");
    let changes: [fn(&mut LinkOptions<'_>); 8] = [
        |options| options.wrappers.retain(|wrapper| wrapper.import != 0),
        |options| options.wrappers.retain(|wrapper| wrapper.import != 1),
        |options| options.wrappers.retain(|wrapper| wrapper.import != 2),
        |options| options.wrappers[0].call_sites = false,
        |options| options.wrappers.swap(0, 1),
        |options| options.exports.clear(),
        |options| options.export_start = false,
        |options| options.wrappers[1].import = 0,
    ];
    let messages = changes.map(|change| {
        let mut options = case.options();
        change(&mut options);
        refusal(&case.guest, &options, &linked)
    });
    expect![[r#"
        export `kept`, function 0 of the guest: function 0 | function 5
        the import section: import Some(1) of the guest | 3
        export `hostcall:map`, function 8: a copy of function 1 of provider 2 | another function
        function 4 of the guest: a call, as bodies may not stand at call sites | `I32Const { value: 0 }`
        export `kept`, function 5: a copy of function 1 of provider 1 | a copy of function 0 of provider 0
        the export section: a function as `hostcall:start` | Func 8 as `hostcall:map`
        the export section: no more exports | Func 2 as `hostcall:start`
        what was asked for: one replacement or wrapper for an import | two
    "#]].assert_eq(&messages.concat());
}
