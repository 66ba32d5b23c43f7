//! The checker accepts what linking makes, and nothing else.

mod common;

use common::refusals::refusals;
use expect_test::{Expect, expect};
use hostcall_link::{
    HostPage, LinkOptions, Linked, LinkedImport, Provider, Replacement, TrapSite, check, link,
};

const GUEST: &str = r#"(module
    (type (func (param i32)))
    (type (func (param i32 i32) (result i32)))
    (type (func (result i64)))
    (type (func (param i32) (result i32)))
    (import "env" "log" (func (type 0)))
    (import "env" "clamp" (func (type 1)))
    (import "env" "mem" (memory 1))
    (import "env" "count" (func (type 2)))
    (import "env" "late" (func (type 0)))
    (memory 1)
    (table 4 funcref)
    (global (mut i32) (i32.const 7))
    (global funcref (ref.func 1))
    (tag (type 0))
    (export "f" (func 4))
    (export "clamp" (func 1))
    (export "memory" (memory 1))
    (export "g" (global 0))
    (start 6)
    (elem (i32.const 0) func 1 4 0)
    (elem declare func 1)
    (elem funcref (ref.func 1) (ref.null func))
    (func (type 3) (local i64 i32)
        (call 0 (local.get 0))
        (i32.store offset=4 (i32.const 4) (global.get 0))
        (loop
            (local.set 0 (call 1 (local.get 0) (i32.const 7)))
            (br_if 0 (i32.gt_s (local.get 0) (i32.const 100))))
        (local.set 1 (call 2))
        (drop (ref.func 1))
        (try_table (catch 0 0) (throw 0 (i32.const 1)))
        (local.get 0))
    (func (type 1)
        (return_call 1 (local.get 0) (local.get 1)))
    (func (call 3 (i32.load (i32.const 4))) (memory.init 1 1 (i32.const 0) (i32.const 0) (i32.const 1)))
    (data (memory 0) (i32.const 8) "hello")
    (data "passive"))"#;

const PROVIDER: &str = r#"(module
    (global (mut i64) (i64.const 5))
    (global i64 (i64.const 3))
    (func (export "clamp") (param i32 i32) (result i32) (local i32 i32)
        (if (i32.lt_s (local.get 0) (local.get 1)) (then (return (local.get 1))))
        (local.set 3 (call $twice (local.get 0)))
        (i32.add (local.get 2) (local.get 3)))
    (func $twice (param i32) (result i32) (local i32)
        (local.set 1 (local.get 0))
        (block (br_if 0 (local.get 1)) (return (i32.const 1)))
        (i32.add (local.get 1) (local.get 1)))
    (func (export "count") (result i64)
        (global.set 0 (i64.add (global.get 0) (global.get 1)))
        (global.get 0)))"#;

struct Case {
    guest: Vec<u8>,
    provider: Provider,
}

impl Case {
    fn new() -> Case {
        let provider = wat::parse_str(PROVIDER).unwrap();
        Case {
            guest: wat::parse_str(GUEST).unwrap(),
            provider: Provider::parse(&provider).unwrap(),
        }
    }

    fn options(&self) -> LinkOptions<'_> {
        let replace = |import, function| Replacement {
            import,
            provider: &self.provider,
            function,
            call_sites: true,
        };
        LinkOptions {
            replacements: vec![replace(1, "clamp"), replace(3, "count")],
            page: Some(HostPage {
                size: 100,
                init: vec![(16, b"page".to_vec())],
            }),
            ..LinkOptions::default()
        }
    }
}

/// Changes what linking made, in its text form, where `from` occurs once, and
/// shows why the checker refuses each.
fn refused(changes: &[(&str, &str)], expected: Expect) {
    let case = Case::new();
    let options = case.options();
    let linked = link(&case.guest, &options).expect("a guest that links");
    let messages = refusals(&case.guest, &options, &linked, changes);
    expected.assert_eq(&messages);
}

#[test]
fn what_linking_makes() {
    let case = Case::new();
    let options = case.options();
    let linked = link(&case.guest, &options).unwrap();
    assert_eq!(check(&case.guest, &options, &linked), Ok(()));
    // Encoded differently, as in what follows, only offsets are wrong.
    let text = wasmprinter::print_bytes(&linked.bytes).unwrap();
    let again = Linked {
        bytes: wat::parse_str(text).unwrap(),
        ..linked
    };
    let error = check(&case.guest, &options, &again).unwrap_err();
    assert_eq!(error.place(), "the ranges told");
}

#[test]
fn imports() {
    refused(
        &[
            (r#"(import "env" "late""#, r#"(import "env" "later""#),
            (
                r#"(import "env" "mem" (memory (;0;) 1)) (import "env" "late" (func (;1;) (type 0)))"#,
                r#"(import "env" "late" (func (;1;) (type 0))) (import "env" "mem" (memory (;0;) 1))"#,
            ),
            (r#""mem" (memory (;0;) 1)"#, r#""mem" (memory (;0;) 2)"#),
        ],
        expect![[r#"
            the import section: Import { module: "env", name: "late", ty: Func(0) } | Import { module: "env", name: "later", ty: Func(0) }
            the import section: Import { module: "env", name: "mem", ty: Memory(MemoryType { memory64: false, shared: false, initial: 1, maximum: None, page_size_log2: None }) } | Import { module: "env", name: "late", ty: Func(0) }
            memory 0: MemoryType { memory64: false, shared: false, initial: 1, maximum: None, page_size_log2: None } | MemoryType { memory64: false, shared: false, initial: 2, maximum: None, page_size_log2: None }
        "#]],
    );
}

#[test]
fn exports_and_start() {
    refused(
        &[
            (r#"(export "g" (global 0))"#, ""),
            (r#"(export "g" (global 0))"#, r#"(export "g" (global 2))"#),
            (r#"(export "f" (func 2))"#, r#"(export "f" (func 0))"#),
            (
                r#"(export "clamp" (func 5))"#,
                r#"(export "clamp" (func 3))"#,
            ),
            (
                r#"(export "memory" (memory 1))"#,
                r#"(export "memory" (memory 2))"#,
            ),
            (
                r#"(export "f" (func 2)) (export "clamp" (func 5))"#,
                r#"(export "clamp" (func 5)) (export "f" (func 2))"#,
            ),
            (r#"(export "hostcall:page" (memory 2))"#, ""),
            (
                r#"(export "hostcall:page" (memory 2))"#,
                r#"(export "hostcall:page" (memory 1))"#,
            ),
            (
                r#"(export "hostcall:page" (memory 2))"#,
                r#"(export "hostcall:page" (memory 2)) (export "count" (global 2))"#,
            ),
            ("(start 4)", ""),
        ],
        expect![[r#"
            the export section: Global 0 as `g` | Memory 2 as `hostcall:page`
            the export section: Global 0 as `g` | Global 2 as `g`
            export `f`, function 4 of the guest: function 2 | function 0
            export `clamp`, function 3: a copy of function 0 of provider 0 | another function
            the export section: Memory 1 as `memory` | Memory 2 as `memory`
            the export section: Func 4 as `f` | Func 5 as `clamp`
            the export section: memory 2 as `hostcall:page` | the end
            the export section: memory 2 as `hostcall:page` | Memory 1 as `hostcall:page`
            the export section: no more exports | Global 2 as `count`
            the start function: Some(6) | None
        "#]],
    );
}

#[test]
fn sections() {
    refused(
        &[
            (
                "(type (;2;) (func (result i64)))",
                "(type (;2;) (sub (func (result i64))))",
            ),
            ("4 funcref", "5 funcref"),
            ("(memory (;1;) 1)", "(memory (;1;) 1 7)"),
            ("(memory (;2;) 1 1)", "(memory (;2;) 2 2)"),
            ("(memory (;2;) 1 1)", "(memory (;2;) 1)"),
            ("(mut i32) i32.const 7", "(mut i32) i32.const 8"),
            ("(mut i32) i32.const 7", "i32 i32.const 7"),
            ("funcref ref.func 5", "funcref ref.func 3"),
            ("i64.const 5", "i64.const 6"),
            (
                "(global (;3;) i64 i64.const 3)",
                "(global (;3;) (mut i64) i64.const 3)",
            ),
            (
                "(global (;3;) i64 i64.const 3)",
                "(global (;3;) i64 i64.const 3) (global (;4;) i64 i64.const 9)",
            ),
        ],
        expect![[r#"
            the type section: type 2 to be (func (result i64)) | Some(CoreTypeId { index: 5 })
            table 0: TableType { element_type: funcref, table64: false, initial: 4, maximum: None, shared: false } | TableType { element_type: funcref, table64: false, initial: 5, maximum: None, shared: false }
            memory 1: MemoryType { memory64: false, shared: false, initial: 1, maximum: None, page_size_log2: None } | MemoryType { memory64: false, shared: false, initial: 1, maximum: Some(7), page_size_log2: None }
            the host page: a memory of exactly 1 pages of 64 KiB | MemoryType { memory64: false, shared: false, initial: 2, maximum: Some(2), page_size_log2: None }
            the host page: a memory of exactly 1 pages of 64 KiB | MemoryType { memory64: false, shared: false, initial: 1, maximum: None, page_size_log2: None }
            defined global 0: `I32Const { value: 7 }` | `I32Const { value: 8 }`
            global 0: GlobalType { content_type: I32, mutable: true, shared: false } | GlobalType { content_type: I32, mutable: false, shared: false }
            defined global 1, function 3: a copy of function 0 of provider 0 | another function
            global 2, a provider's global 0: `I64Const { value: 5 }` | `I64Const { value: 6 }`
            global 3, a provider's global 1: GlobalType { content_type: I64, mutable: false, shared: false } | GlobalType { content_type: I64, mutable: true, shared: false }
            global 4: a provider's global | another
        "#]],
    );
}

#[test]
fn segments() {
    refused(
        &[
            ("func 5 2 0", "func 5 2 1"),
            ("func 5 2 0", "func 3 2 0"),
            ("(elem (;0;) (i32.const 0)", "(elem (;0;) (i32.const 1)"),
            (
                "(ref.func 5) (ref.null func)",
                "(ref.null func) (ref.func 5)",
            ),
            (
                "(elem (;1;) declare func 5)",
                "(elem (;1;) declare func 5 3)",
            ),
            ("\"hello\"", "\"hullo\""),
            ("(i32.const 8) \"hello\"", "(i32.const 9) \"hello\""),
            (
                "(i32.const 8) \"hello\"",
                "(memory 2) (i32.const 8) \"hello\"",
            ),
            ("\"passive\"", "(memory 1) (i32.const 0) \"passive\""),
            ("\"page\"", "\"pega\""),
            ("(data (;2;) (memory 2) (i32.const 16) \"page\")", ""),
            ("(i32.const 16) \"page\"", "(i32.const 17) \"page\""),
            ("(memory 2) (i32.const 16)", "(memory 1) (i32.const 16)"),
        ],
        expect![[r#"
            element segment 0, function 0 of the guest: function 0 | function 1
            element segment 0, function 3: a copy of function 0 of provider 0 | another function
            element segment 0: `I32Const { value: 0 }` | `I32Const { value: 1 }`
            element segment 2: `RefFunc { function_index: 1 }` | `RefNull { hty: Abstract { shared: false, ty: Func } }`
            element segment 1: as many items of the guest's type | another
            data segment 0: the guest's 5 bytes | 5 bytes, of which byte 1 differs
            data segment 0: `I32Const { value: 8 }` | `I32Const { value: 9 }`
            data segment 0: the guest's kind of segment, for the same memory | another
            data segment 1: the guest's kind of segment, for the same memory | another
            what the host page holds at first: Some((16, [112, 97, 103, 101])) | Some((16, [112, 101, 103, 97]))
            what the host page holds at first: (16, [112, 97, 103, 101]) | nothing
            what the host page holds at first: Some((16, [112, 97, 103, 101])) | Some((17, [112, 97, 103, 101]))
            what the host page holds at first: Some((16, [112, 97, 103, 101])) | None
        "#]],
    );
}

/// Code of the guest does what it did.
#[test]
fn code_of_the_guest() {
    refused(
        &[
            ("local.get 0 call 0", "local.get 0 call 1"),
            ("local.get 0 call 0", "local.get 3 call 0"),
            ("i32.store offset=4", "i32.store offset=8"),
            ("i32.store offset=4", "i32.store 2 offset=4"),
            ("i32.store offset=4", "i32.store16 offset=4"),
            ("i32.const 4 global.get 0", "i32.const 4 i32.const 7"),
            (
                "i32.const 4 i32.load call 1",
                "i32.const 4 i32.load 2 call 1",
            ),
            ("i32.load call 1", "i32.load call 0"),
            ("memory.init 1 1", "memory.init 2 1"),
            ("memory.init 1 1", "memory.init 1 0"),
            ("i32.const 100 i32.gt_s", "i32.const 100 i32.ge_s"),
            ("i32.const 100 i32.gt_s", "i32.const 101 i32.gt_s"),
            ("i32.gt_s br_if 0", "i32.gt_s drop i32.const 0 br_if 0"),
            ("try_table (catch 0 0)", "block"),
            ("ref.func 5 drop", "ref.null func drop"),
            (
                "(type 3) (param i32) (result i32) (local i64 i32",
                "(type 3) (param i32) (result i32) (local i64 i64",
            ),
            ("memory.init 1 1 )", "memory.init 1 1 nop )"),
            ("end local.get 0 )", "end local.get 0 return )"),
        ],
        expect![[r#"
            function 4 of the guest, function 0 of the guest: function 0 | function 1
            function 4 of the guest: `LocalGet { local_index: 0 }` | `LocalGet { local_index: 3 }`
            function 4 of the guest: `I32Store { memarg: MemArg { align: 2, max_align: 2, offset: 4, memory: 0 } }` | `I32Store { memarg: MemArg { align: 2, max_align: 2, offset: 8, memory: 0 } }`
            function 4 of the guest: `I32Store { memarg: MemArg { align: 2, max_align: 2, offset: 4, memory: 0 } }` | `I32Store { memarg: MemArg { align: 2, max_align: 2, offset: 4, memory: 2 } }`
            function 4 of the guest: `I32Store { memarg: MemArg { align: 2, max_align: 2, offset: 4, memory: 0 } }` | `I32Store16 { memarg: MemArg { align: 1, max_align: 1, offset: 4, memory: 0 } }`
            function 4 of the guest: `GlobalGet { global_index: 0 }` | `I32Const { value: 7 }`
            function 6 of the guest: `I32Load { memarg: MemArg { align: 2, max_align: 2, offset: 0, memory: 0 } }` | `I32Load { memarg: MemArg { align: 2, max_align: 2, offset: 0, memory: 2 } }`
            function 6 of the guest, function 3 of the guest: function 1 | function 0
            function 6 of the guest: `MemoryInit { data_index: 1, mem: 1 }` | `MemoryInit { data_index: 1, mem: 2 }`
            function 6 of the guest: `MemoryInit { data_index: 1, mem: 1 }` | `MemoryInit { data_index: 0, mem: 1 }`
            function 4 of the guest: `I32GtS` | `I32GeS`
            function 4 of the guest: `I32Const { value: 100 }` | `I32Const { value: 101 }`
            function 4 of the guest: `BrIf { relative_depth: 0 }` | `Drop`
            function 4 of the guest: `TryTable { try_table: TryTable { ty: Empty, catches: [One { tag: 0, label: 0 }] } }` | `Block { blockty: Empty }`
            function 4 of the guest: `RefFunc { function_index: 1 }` | `RefNull { hty: Abstract { shared: false, ty: Func } }`
            function 4 of the guest: locals Locals { runs: [(1, Plain(I32)), (2, Plain(I64)), (3, Plain(I32))] } | locals Locals { runs: [(1, Plain(I32)), (3, Plain(I64)), (9, Plain(I32))] }
            function 6 of the guest: `End` | `Nop`
            function 4 of the guest: `End` | `Return`
        "#]],
    );
}

/// A body at a call site is the provider's, and its locals are its own.
#[test]
fn bodies_at_call_sites() {
    refused(
        &[
            // Locals set to zero.
            ("i32.const 0 local.set 5 block", "block"),
            (
                "i32.const 0 local.set 5 block",
                "i32.const 1 local.set 5 block",
            ),
            (
                "i32.const 0 local.set 5 block",
                "i32.const 0 local.set 6 block",
            ),
            (
                "i32.const 0 local.set 5 block",
                "i32.const 0 local.set 0 block",
            ),
            // Arguments.
            ("local.set 4 local.set 3", "local.set 3 local.set 4"),
            ("local.set 4 local.set 3", "local.set 0 local.set 3"),
            ("local.set 4 local.set 3", "local.set 4 local.set 4"),
            ("i32.const 7 local.set 4", "i32.const 8 local.set 4"),
            // Leaving.
            ("local.get 4 br 1 end", "local.get 4 br 0 end"),
            ("local.get 4 br 1 end", "local.get 4 br 2 end"),
            ("local.get 4 br 1 end", "local.get 4 return end"),
            ("br 1 end local.get 8", "br 2 end local.get 8"),
            ("local.get 5 i32.add end return", "local.get 5 i32.add end"),
            // Operators and locals.
            (
                "local.get 3 local.get 4 i32.lt_s",
                "local.get 4 local.get 3 i32.lt_s",
            ),
            (
                "local.get 3 local.get 4 i32.lt_s",
                "local.get 3 local.get 4 i32.le_s",
            ),
            (
                "local.get 3 local.get 4 i32.lt_s",
                "local.get 0 local.get 4 i32.lt_s",
            ),
            (
                "local.get 5 local.get 6 i32.add end",
                "local.get 5 local.get 7 i32.add end",
            ),
            (
                "local.get 8 br_if 0 i32.const 1",
                "local.get 8 br_if 0 i32.const 2",
            ),
            // The body within: its locals are not those of the body around it.
            (
                "local.get 3 local.set 7 block",
                "local.get 3 local.set 3 block",
            ),
            (
                "local.get 7 local.set 8 block",
                "local.get 7 local.set 5 block",
            ),
            (
                "local.get 8 local.get 8 i32.add end local.set 6",
                "local.get 8 local.get 8 i32.sub end local.set 6",
            ),
            // Without a block, and with a provider's globals.
            (
                "global.set 2 global.get 2 local.set 1",
                "global.set 2 global.get 3 local.set 1",
            ),
            (
                "global.set 2 global.get 2 local.set 1",
                "global.set 2 global.get 2 i64.const 0 drop local.set 1",
            ),
            (
                "global.get 2 local.set 1 ref.func",
                "call 6 drop global.get 2 local.set 1 ref.func",
            ),
        ],
        expect![[r#"
            function 4 of the guest: `LocalGet { local_index: 2 }` | `LocalGet { local_index: 5 }`
            function 4 of the guest: a block of Signature { params: [], results: [Plain(I32)] } | `I32Const { value: 1 }`
            function 4 of the guest: `LocalGet { local_index: 2 }` | `LocalGet { local_index: 5 }`
            function 4 of the guest: a local that is free here | `LocalSet { local_index: 0 }`
            function 4 of the guest: `LocalGet { local_index: 0 }` | `LocalGet { local_index: 3 }`
            function 4 of the guest: `local.set` of a local for parameter 1 | `LocalSet { local_index: 0 }`
            function 4 of the guest: `local.set` of a local for parameter 0 | `LocalSet { local_index: 4 }`
            function 4 of the guest: `I32Const { value: 7 }` | `I32Const { value: 8 }`
            function 4 of the guest: `br 1` to the block around the body | `Br { relative_depth: 0 }`
            function 4 of the guest: `br 1` to the block around the body | `Br { relative_depth: 2 }`
            function 4 of the guest: `br 1` to the block around the body | `Return`
            function 4 of the guest: `br 1` to the block around the body | `Br { relative_depth: 2 }`
            function 5 of the guest: `return` | `End`
            function 4 of the guest: `LocalGet { local_index: 0 }` | `LocalGet { local_index: 4 }`
            function 4 of the guest: `I32LtS` | `I32LeS`
            function 4 of the guest: `LocalGet { local_index: 0 }` | `LocalGet { local_index: 0 }`
            function 4 of the guest: `LocalGet { local_index: 3 }` | `LocalGet { local_index: 7 }`
            function 4 of the guest: `I32Const { value: 1 }` | `I32Const { value: 2 }`
            function 4 of the guest: `local.set` of a local for parameter 0 | `LocalSet { local_index: 3 }`
            function 4 of the guest: `LocalSet { local_index: 1 }` | `LocalSet { local_index: 5 }`
            function 4 of the guest: `I32Add` | `I32Sub`
            function 4 of the guest: `GlobalGet { global_index: 0 }` | `GlobalGet { global_index: 3 }`
            function 4 of the guest: `LocalSet { local_index: 1 }` | `I64Const { value: 0 }`
            function 4 of the guest: `GlobalGet { global_index: 0 }` | `Call { function_index: 6 }`
        "#]],
    );
}

/// A function in the place of an import is the provider's.
#[test]
fn functions_of_providers() {
    refused(
        &[
            (
                "(func (;6;) (type 2) (result i64) global.get 2 global.get 3",
                "(func (;6;) (type 2) (result i64) global.get 3 global.get 2",
            ),
            ("local.get 1 return end", "local.get 1 br 1 end"),
            ("local.get 1 return end", "local.get 0 return end"),
            (
                "local.set 3 local.get 2 local.get 3 i32.add",
                "local.set 3 local.get 3 local.get 3 i32.add",
            ),
            (
                "local.get 0 local.set 4 block",
                "local.get 0 local.set 2 block",
            ),
            (
                "local.get 5 local.get 5 i32.add end local.set 3",
                "local.get 5 local.get 5 i32.add end local.set 2",
            ),
            (
                "(local i32 i32 i32 i32) local.get 0",
                "(local i32 f64 i32 i32) local.get 0",
            ),
            (
                "local.get 4 local.set 5 block",
                "local.get 4 local.set 2 block",
            ),
            ("(data (;0;)", "(func unreachable) (data (;0;)"),
            (
                "(elem (;2;)",
                "(elem (table 0) (i32.const 3) func 5) (elem (;2;)",
            ),
        ],
        expect![[r#"
            function 6, a copy of a provider's function 2: `GlobalGet { global_index: 0 }` | `GlobalGet { global_index: 3 }`
            function 5, a copy of a provider's function 0: `return` | `Br { relative_depth: 1 }`
            function 5, a copy of a provider's function 0: `LocalGet { local_index: 1 }` | `LocalGet { local_index: 0 }`
            function 5, a copy of a provider's function 0: `LocalGet { local_index: 2 }` | `LocalGet { local_index: 3 }`
            function 5, a copy of a provider's function 0: `local.set` of a local for parameter 0 | `LocalSet { local_index: 2 }`
            function 5, a copy of a provider's function 0: `LocalSet { local_index: 3 }` | `LocalSet { local_index: 2 }`
            the linked module: a valid module | type mismatch: expected f64, found i32
            function 5, a copy of a provider's function 0: `LocalSet { local_index: 1 }` | `LocalSet { local_index: 2 }`
            the function section: 2 functions after the guest's own, as told | functions 5 to 8
            element segment 2: the guest's kind of segment, for the same table | another
        "#]],
    );
}

/// Names and other custom sections, of a guest that has some.
const NAMED: &str = r#"(module $guest
    (import "env" "double" (func $double (param i32) (result i32)))
    (import "env" "log" (func $log (param $text i32)))
    (memory $mem 1)
    (global $count (mut i32) (i32.const 0))
    (func $run (export "run") (param $n i32) (result i32) (local $sum i64)
        (block $out (br_if $out (local.get $n)))
        (call $log (local.get $n))
        (call $double (local.get $n)))
    (@custom "plain" "text")
    (@custom ".debug_line" "where code was"))"#;

const DOUBLE: &str = r#"(module (func (export "double") (param i32) (result i32)
    (return (i32.add (local.get 0) (local.get 0)))))"#;

/// What the checker says when `change` is made to the linked module, or to what
/// is told about it.
fn changed(change: impl FnOnce(&mut Linked)) -> String {
    let guest = wat::parse_str(NAMED).unwrap();
    let double = Provider::parse(&wat::parse_str(DOUBLE).unwrap()).unwrap();
    let options = LinkOptions {
        replacements: vec![Replacement {
            import: 0,
            provider: &double,
            function: "double",
            call_sites: true,
        }],
        ..LinkOptions::default()
    };
    let mut linked = link(&guest, &options).unwrap();
    change(&mut linked);
    let error = check(&guest, &options, &linked).unwrap_err();
    format!(
        "{}: {} | {}\n",
        error.place(),
        error.expected(),
        error.found()
    )
}

/// Changes bytes for as many others.
fn replace(linked: &mut Linked, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let windows = linked.bytes.windows(from.len());
    let found: Vec<usize> = windows
        .enumerate()
        .filter(|(_, it)| *it == from)
        .map(|it| it.0)
        .collect();
    let [at] = found[..] else {
        panic!("{from:?} is in {found:?}");
    };
    linked.bytes[at..at + to.len()].copy_from_slice(to);
}

fn add_custom(linked: &mut Linked, name: &str, content: &[u8]) {
    let length = 1 + name.len() + content.len();
    linked.bytes.extend([0, length as u8, name.len() as u8]);
    linked
        .bytes
        .extend(name.bytes().chain(content.iter().copied()));
}

#[test]
fn names() {
    let mut messages = String::new();
    for (from, to) in [
        ("\x05guest", "\x05gUest"),
        ("run\x02", "sun\x02"),
        ("log\x01", "dog\x01"),
        ("sum", "SUM"),
        ("mem", "nem"),
        ("count", "mount"),
    ] {
        messages += &changed(|linked| replace(linked, from.as_bytes(), to.as_bytes()));
    }
    expect![[r#"
        the name section, Module 0 0: "guest" | "gUest"
        the name section, Function 1 0: "run" | "sun"
        the name section, Function 0 0: "log" | "dog"
        the name section, Local 1 1: "sum" | "SUM"
        the name section, Memory 0 0: "mem" | "nem"
        the name section, Global 0 0: "count" | "mount"
    "#]]
    .assert_eq(&messages);
}

#[test]
fn custom_sections() {
    let mut messages = changed(|linked| replace(linked, b"plaintext", b"plaintexT"));
    messages += &changed(|linked| add_custom(linked, "more", b"1"));
    messages += &changed(|linked| add_custom(linked, ".debug_line", b"where code was"));
    messages += &changed(|linked| add_custom(linked, "sourceMappingURL", b"\x01x"));
    messages += &changed(|linked| add_custom(linked, "reloc.CODE", b"123"));
    // A hint about a branch that the guest does not have.
    let hint = b"\x01\x01\x01\x04\x01\x00";
    messages += &changed(|linked| add_custom(linked, "metadata.code.branch_hint", hint));
    messages += &changed(|linked| linked.warnings.clear());
    expect![[r#"
        custom sections: `plain` of 4 bytes | `plain` of 4 bytes
        custom sections: the end | `more` of 1 bytes
        custom section `.debug_line`: nothing, or what is true of the linked module | what was true of the guest
        custom section `sourceMappingURL`: nothing, or what is true of the linked module | what was true of the guest
        custom section `reloc.CODE`: nothing, or what is true of the linked module | what was true of the guest
        custom section `metadata.code.branch_hint`: nothing, or what is true of the linked module | what was true of the guest
        debug information: a warning that debug information was dropped | none
    "#]].assert_eq(&messages);
}

#[test]
fn what_is_told() {
    let mut messages = changed(|linked| linked.imports.clear());
    messages += &changed(|linked| linked.imports[0] = LinkedImport::Original(0));
    messages += &changed(|linked| linked.replaced[0].call_sites = 2);
    messages += &changed(|linked| linked.replaced[0].expanded = 0);
    messages += &changed(|linked| linked.ranges[0].end -= 1);
    messages += &changed(|linked| linked.ranges[0].root = 1);
    messages += &changed(|linked| linked.ranges.truncate(1));
    messages += &changed(|linked| linked.ranges.swap(0, 1));
    messages += &changed(|linked| {
        linked.traps.push(TrapSite {
            offset: 70,
            root: 0,
            message: "?",
        })
    });
    messages += &changed(|linked| linked.bytes.truncate(40));
    expect![[r#"
        the import section: 0 imports, as told | 1
        the import section: import Some(1) of the guest | 0
        what is told about the linked module: 1 of 1 calls inlined | Inlined { operators: 4, call_sites: 2, expanded: 1 }
        what is told about the linked module: 1 of 1 calls inlined | Inlined { operators: 4, call_sites: 1, expanded: 0 }
        the ranges told: Some((82, 94, Some(0))) | Some((82, 93, Some(0)))
        the ranges told: Some((82, 94, Some(0))) | Some((82, 94, Some(1)))
        the ranges told: Some((96, 104, None)) | None
        what is told about the linked module: ranges sorted by their start | [InlinedRange { start: 96, end: 104, root: 0 }, InlinedRange { start: 82, end: 94, root: 0 }]
        the traps told: None | Some((70, "?"))
        the linked module: a valid module | unexpected end-of-file
    "#]].assert_eq(&messages);
}

/// A body that is nothing at all, before what could be a part of a body.
#[test]
fn nothing_before_something() {
    let guest = r#"(module
        (import "env" "nothing" (func)) (import "env" "counts" (func (result i32)))
        (func (export "f") (result i32) (call 0) (call 1) (call 0) (block)))"#;
    let provider = r#"(module
        (func (export "nothing"))
        (func (export "counts") (result i32) (local i32)
            (if (local.get 0) (then (return (i32.const 1)))) (local.get 0)))"#;
    let provider = Provider::parse(&wat::parse_str(provider).unwrap()).unwrap();
    let replace = |import, function| Replacement {
        import,
        provider: &provider,
        function,
        call_sites: true,
    };
    let options = LinkOptions {
        replacements: vec![replace(0, "nothing"), replace(1, "counts")],
        ..LinkOptions::default()
    };
    let guest = wat::parse_str(guest).unwrap();
    let linked = link(&guest, &options).unwrap();
    assert_eq!(linked.replaced[0].expanded, 2);
    assert_eq!(check(&guest, &options, &linked), Ok(()));
}
