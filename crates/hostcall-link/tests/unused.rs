//! Providers that a guest has no use for.

mod common;

use common::info;
use common::linking::provider;
use expect_test::expect;
use hostcall_link::{Available, Provision, unused};

const MATH: &str = r#"(module
    (func (export "double") (param i32) (result i32) (local.get 0))
    (func (export "half") (param i32) (result i32) (local.get 0)))"#;

/// What is said about a provider of `MATH` for `module`.
fn said(guest: &str, module: &str) -> Vec<String> {
    let provider = &provider(MATH);
    let unused = unused(&info(guest), &[Provision { module, provider }]);
    unused.iter().map(ToString::to_string).collect()
}

#[test]
fn one_function_is_use_enough() {
    let guest = r#"(module (import "env" "half" (func (param i64))))"#;
    assert!(said(guest, "env").is_empty());
}

#[test]
fn another_module_or_a_misspelt_name_is_suggested() {
    let guest = r#"(module
        (import "env" "double" (func))
        (import "math" "duoble" (func))
        (import "math" "log" (func)))"#;
    expect![[r"
        the guest imports none of its functions
            guest: imports nothing from `evn`, only from `env`, `math`
            given: `double`, `half` as `evn`
                   did you mean `env.double` by `evn.double`?
            help:  name module and functions as the guest imports them, or leave it out"]]
    .assert_eq(&said(guest, "evn")[0]);
    expect![[r"
        the guest imports none of its functions
            guest: imports `duoble`, `log` from `math`
            given: `double`, `half` as `math`
                   did you mean `math.duoble` by `math.double`?
            help:  name module and functions as the guest imports them, or leave it out"]]
    .assert_eq(&said(guest, "math")[0]);
}

#[test]
fn only_functions_count_as_imports() {
    let guest = r#"(module (import "env" "double" (memory 1)))"#;
    let text = said(guest, "env");
    assert!(text[0].contains("imports no functions"), "{text:?}");
}

#[test]
fn each_is_told_apart_by_its_position() {
    let math = provider(MATH);
    let empty = provider("(module)");
    let guest = info(r#"(module (import "env" "double" (func)))"#);
    let provisions = [("a", &empty), ("env", &math), ("b", &math)];
    let provisions = provisions.map(|(module, provider)| Provision { module, provider });
    let unused = unused(&guest, &provisions);
    let positions: Vec<usize> = unused.iter().map(|unused| unused.provision).collect();
    assert_eq!(positions, [0, 2]);
    assert!(unused[0].functions.is_empty());
    assert_eq!(
        unused[1].imports,
        Available::Modules {
            names: vec!["env".into()],
            more: 0
        }
    );
}
