//! What parsing says about valid guests, ordinary and awkward.

mod common;

use common::{func_type, info};
use hostcall_link::{
    ExternType, FuncType, GlobalType, Import, MemoryType, ModuleInfo, TableType, ValType,
};

fn import_types(info: &ModuleInfo) -> Vec<ExternType> {
    info.imports
        .iter()
        .map(|import| import.ty.clone())
        .collect()
}

fn func(params: &str, results: &str) -> ExternType {
    ExternType::Func(func_type(params, results))
}

#[test]
fn an_empty_module_needs_and_offers_nothing() {
    assert_eq!(info("(module)"), ModuleInfo::default());
}

#[test]
fn imports_keep_order_names_and_index_spaces() {
    let info = info(
        r#"(module
            (import "env" "a" (func (param i32)))
            (import "env" "m" (memory 1 2))
            (import "env" "b" (func (result i64)))
            (import "env" "g" (global (mut f32)))
            (import "env" "t" (table 3 funcref)))"#,
    );
    let memory = ExternType::Memory(MemoryType::new(1, Some(2)));
    let global = ExternType::Global(GlobalType {
        content: ValType::F32,
        mutable: true,
    });
    let table = ExternType::Table(TableType {
        element: ValType::FuncRef,
        minimum: 3,
        maximum: None,
        table64: false,
    });
    let expected = [func("i32", ""), memory, func("", "i64"), global, table];
    assert_eq!(import_types(&info), expected);
    let slots: Vec<u32> = info.imports.iter().map(|import| import.slot).collect();
    assert_eq!(slots, [0, 0, 1, 0, 0]);
    let indices: Vec<u32> = info.imports.iter().map(|import| import.index).collect();
    assert_eq!(indices, [0, 1, 2, 3, 4]);
}

#[test]
fn offsets_point_at_the_import_and_the_export() {
    let wat = r#"(module (import "env" "log" (func)) (export "again" (func 0)))"#;
    let bytes = common::bytes(wat);
    let info = ModuleInfo::parse(&bytes).unwrap();
    let at = |offset: u64| &bytes[offset as usize..];
    assert!(at(info.imports[0].offset).starts_with(b"\x03env\x03log"));
    assert!(at(info.exports[0].offset).starts_with(b"\x05again"));
}

#[test]
fn the_same_function_may_be_imported_twice_under_two_types() {
    let info = info(
        r#"(module
            (import "env" "print" (func (param i32)))
            (import "env" "print" (func (param f64))))"#,
    );
    assert_eq!(import_types(&info), [func("i32", ""), func("f64", "")]);
}

#[test]
fn many_parameters_and_results() {
    let params = "i32 ".repeat(30);
    let wat = format!(r#"(module (import "env" "wide" (func (param {params}) (result i32 i64))))"#);
    assert_eq!(import_types(&info(&wat)), [func(&params, "i32 i64")]);
}

#[test]
fn names_may_be_empty_keywords_or_any_script() {
    let info = info(
        r#"(module
            (import "" "" (func))
            (import "fn" "match" (func))
            (import "环境" "naïve \"x\"\n" (func)))"#,
    );
    let name = |import: &Import| (import.module.clone(), import.name.clone());
    let names: Vec<(String, String)> = info.imports.iter().map(name).collect();
    let expected = [("", ""), ("fn", "match"), ("环境", "naïve \"x\"\n")];
    assert_eq!(names, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn recursive_type_groups_flatten() {
    let info = info(
        r#"(module
            (rec
                (type $node (sub (struct (field (ref null $node)))))
                (type $visit (func (param (ref null $node) (ref $visit) anyref) (result i32))))
            (type $plain (func (param i64)))
            (import "env" "visit" (func (type $visit)))
            (import "env" "plain" (func (type $plain))))"#,
    );
    let references = ["(ref null 0)", "(ref 1)", "(ref null any)"];
    let references = references.map(|text| ValType::Ref(text.to_owned()));
    let visit = ExternType::Func(FuncType::new(references, [ValType::I32]));
    assert_eq!(import_types(&info), [visit, func("i64", "")]);
}

#[test]
fn reference_types_have_a_text_form() {
    let info = info(
        r#"(module
            (type $f (func))
            (import "env" "f" (func
                (param funcref externref (ref func) (ref extern) (ref null $f) (ref $f))
                (param exnref nullref nullfuncref nullexternref i31ref (ref eq))
                (param (ref (shared func)) (ref null (shared any))))))"#,
    );
    let text = info.imports[0].ty.to_string();
    let expected = "function (funcref, externref, (ref func), (ref extern), (ref null 0), \
        (ref 0), (ref null exn), (ref null none), (ref null nofunc), (ref null noextern), \
        (ref null i31), (ref eq), (ref (shared func)), (ref null (shared any))) -> ()";
    assert_eq!(text, expected);
}

#[test]
fn tags_are_imports_and_exports_too() {
    let info = info(
        r#"(module
            (import "env" "oops" (tag (param i32)))
            (export "oops" (tag 0)))"#,
    );
    let tag = ExternType::Tag(func_type("i32", ""));
    assert_eq!(info.imports[0].ty, tag);
    assert_eq!(info.exports[0].ty, tag);
}

#[test]
fn memories_of_every_sort() {
    let info = info(
        r#"(module
            (import "env" "shared" (memory 1 4 shared))
            (memory i64 1)
            (memory 10 20 (pagesize 1))
            (memory 0))"#,
    );
    let small_pages = MemoryType {
        page_size_log2: 0,
        ..MemoryType::new(10, Some(20))
    };
    let expected = [
        MemoryType::shared(1, 4),
        MemoryType::new64(1, None),
        small_pages,
        MemoryType::new(0, None),
    ];
    assert_eq!(info.memories, expected);
}

#[test]
fn counts_of_code() {
    let info = info(
        r#"(module
            (import "env" "f" (func))
            (func (nop))
            (func $main (call 0))
            (start $main))"#,
    );
    assert_eq!(info.functions, 2);
    // Each body: no locals, its operators, `end`.
    assert_eq!(info.code_bytes, 3 + 4);
    assert!(info.start);
}

#[test]
fn names_from_the_name_section() {
    let info = info(
        r#"(module $guest
            (import "env" "log" (func (param i32)))
            (func (export "add") (param $a i32) (param $b i32) (local $sum i32))
            (func $hidden (param $x i32)))"#,
    );
    assert_eq!(info.name.as_deref(), Some("guest"));
    let names = |function| info.params_of(function).to_vec();
    assert_eq!(names(0), []);
    assert_eq!(names(1), [Some("a".to_owned()), Some("b".to_owned())]);
    assert_eq!(names(2), []);
    assert_eq!(info.custom_sections, ["name"]);
}

#[test]
fn names_of_parameters_of_imports() {
    // Locals of function 0: 0 is "text", 9 does not exist.
    let info = info(
        r#"(module
            (import "env" "log" (func (param i32 i32)))
            (@custom "name" "\02\0d\01\00\02\00\04text\09\02no"))"#,
    );
    assert_eq!(info.params_of(0), [Some("text".to_owned()), None]);
}

#[test]
fn bodies_are_read_but_not_validated() {
    let info = info("(module (func (result i32)))");
    assert_eq!(info.functions, 1);
}

#[test]
fn broken_names_do_not_matter() {
    let mut bytes = common::bytes(r#"(module (import "env" "f" (func)))"#);
    // A custom section "name" whose first subsection is cut short.
    bytes.extend(b"\x00\x08\x04name\x00\x7f\x01");
    let info = ModuleInfo::parse(&bytes).unwrap();
    assert_eq!(info.name, None);
    assert_eq!(info.custom_sections, ["name"]);
}

#[test]
fn debug_info_is_noticed() {
    let with = r#"(module (@custom ".debug_info" "") (@custom "other" "x"))"#;
    let info = info(with);
    assert!(info.debug_info);
    assert_eq!(info.custom_sections, [".debug_info", "other"]);
}

#[test]
fn descriptions_survive_json() {
    let info = info(
        r#"(module $m
            (import "env" "f" (func (param (ref any) v128) (result externref)))
            (memory (export "memory") i64 1 2))"#,
    );
    let json = serde_json::to_string(&info).unwrap();
    assert!(json.contains(r#"{"kind":"function","type":{"params":["(ref any)","v128"]"#));
    assert_eq!(serde_json::from_str::<ModuleInfo>(&json).unwrap(), info);
}
