//! Which memory the pointers in arguments refer to.

mod common;

use common::info;

fn chosen(wat: &str) -> Option<(String, u32)> {
    let info = info(wat);
    let memory = info.pointers_memory()?;
    Some((memory.name.clone(), memory.index))
}

fn some(name: &str, index: u32) -> Option<(String, u32)> {
    Some((name.to_owned(), index))
}

#[test]
fn none_without_an_exported_memory() {
    assert_eq!(chosen("(module)"), None);
    assert_eq!(chosen("(module (memory 1))"), None);
}

#[test]
fn the_one_named_memory() {
    let wat = r#"(module
        (memory 1) (memory 1)
        (export "zero" (memory 0)) (export "memory" (memory 1)))"#;
    assert_eq!(chosen(wat), some("memory", 1));
}

#[test]
fn a_function_named_memory_is_no_memory() {
    let wat = r#"(module (func (export "memory")) (memory (export "heap") 1))"#;
    assert_eq!(chosen(wat), some("heap", 0));
}

#[test]
fn the_only_one_whatever_its_name_and_index() {
    let wat = r#"(module (memory 1) (memory (export "") 1))"#;
    assert_eq!(chosen(wat), some("", 1));
}

#[test]
fn one_memory_exported_twice_is_still_the_only_one() {
    let wat = r#"(module
        (memory 1) (memory 1)
        (export "a" (memory 1)) (export "b" (memory 1)))"#;
    assert_eq!(chosen(wat), some("a", 1));
}

#[test]
fn memory_zero_among_several() {
    let wat = r#"(module
        (memory 1) (memory 1)
        (export "one" (memory 1)) (export "zero" (memory 0)))"#;
    assert_eq!(chosen(wat), some("zero", 0));
}

#[test]
fn none_when_nothing_decides() {
    let wat = r#"(module
        (memory 1) (memory 1) (memory 1)
        (export "one" (memory 1)) (export "two" (memory 2)))"#;
    assert_eq!(chosen(wat), None);
}
