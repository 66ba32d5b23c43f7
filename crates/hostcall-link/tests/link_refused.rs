//! Guests and replacements that cannot be linked, and what is said about them.

mod common;

use common::linking::{provider, try_link};
use expect_test::expect;
use hostcall_link::{
    HostPage, LinkOptions, ParseError, Replacement, RewriteError, RewriteErrorKind,
};

const PROVIDED: &str = r#"(module
    (global (mut i32) (i32.const 0))
    (func (export "f") (param i32) (result i32) (global.get 0)))"#;

const IMPORT: &str = r#"(import "env" "f" (func (param i32) (result i32)))"#;

fn error(guest: &str, change: impl FnOnce(&mut LinkOptions<'_>)) -> RewriteError {
    let guest = common::bytes(guest);
    let provider = provider(PROVIDED);
    let mut options = LinkOptions {
        replacements: vec![Replacement {
            import: 0,
            provider: &provider,
            function: "f",
            call_sites: true,
        }],
        page: Some(HostPage {
            size: 16,
            init: Vec::new(),
        }),
        ..LinkOptions::default()
    };
    change(&mut options);
    try_link(&guest, &options).unwrap_err()
}

fn invalid(body: &str) -> ParseError {
    let error = error(&format!("(module {IMPORT} (memory 1) {body})"), |_| {});
    match error.kind() {
        RewriteErrorKind::Guest(error) => error.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn guests_that_name_what_is_appended() {
    let guests = [
        // The host page would be memory 1.
        "(func (drop (i32.load 1 (i32.const 0))))",
        r#"(export "page" (memory 1))"#,
        r#"(data (memory 1) (i32.const 0) "x")"#,
        // The provider's global would be global 0.
        "(func (global.set 0 (i32.const 0)))",
        // The defined function would be function 1, after moving.
        "(func (call 2))",
        "(func (drop (ref.func 2)))",
        "(elem declare func 2)",
        "(start 2)",
        "(func (block (type 7)))",
    ];
    let messages = guests.map(|body| format!("{}\n", invalid(body).message()));
    expect![[r#"
        unknown memory 1
        unknown memory 1: exported memory index out of bounds
        unknown memory 1: memory index out of bounds
        unknown global: global index out of bounds
        unknown function 2: function index out of bounds
        unknown function 2: function index out of bounds
        unknown function 2: func index out of bounds
        unknown function 2: func index out of bounds
        unknown type: type index out of bounds
    "#]]
    .assert_eq(&messages.concat());
}

#[test]
fn errors_tell_where() {
    let error = invalid("(func nop) (func (i32.add))");
    assert!(error.offset() > 30, "{error}");
}

#[test]
fn reserved_names() {
    let guests = [
        r#"(module (memory (export "hostcall:page") 1))"#,
        r#"(module (import "hostcall:guest" "memory" (memory 1)))"#,
    ];
    let messages = guests.map(|guest| format!("{}\n", error(guest, |_| {})));
    expect![[r#"
        the guest exports `hostcall:page` (at offset 0x10): names that start with `hostcall:` are reserved, choose another
        the guest imports `hostcall:guest.memory` (at offset 0xb): names that start with `hostcall:` are reserved, choose another
    "#]].assert_eq(&messages.concat());
}

#[test]
fn replacements_that_do_not_fit() {
    let guest = r#"(module
        (import "env" "f" (func (param i32) (result i32)))
        (import "env" "g" (func (param i64)))
        (import "env" "m" (memory 1)))"#;
    type Change = fn(&mut Vec<Replacement<'_>>);
    let changes: [Change; 5] = [
        |replacements| replacements[0].import = 1,
        |replacements| replacements[0].import = 2,
        |replacements| replacements[0].import = 3,
        |replacements| replacements[0].function = "h",
        |replacements| replacements.push(replacements[0]),
    ];
    let messages = changes.map(|change| {
        let error = error(guest, |options| change(&mut options.replacements));
        format!("{error}\n")
    });
    expect![[r#"
        replacement 0: `env.g` has the type (i64) -> (), the provider's function `f` has (i32) -> i32: give it the type of the import
        replacement 0: `env.m` is not a function: only functions can be replaced
        replacement 0: there is no import 3, the guest has 3
        replacement 0: the provider exports no function `h` for `env.f`, it has: f
        replacement 1: `env.f` is replaced twice, keep one of the replacements
    "#]].assert_eq(&messages.concat());
}

#[test]
fn limits() {
    let small = error(&format!("(module {IMPORT})"), |options| {
        options.page = Some(HostPage {
            size: 4,
            init: vec![(2, vec![1, 2, 3])],
        });
    });
    let memories = "(memory 0)".repeat(100);
    let many = error(&format!("(module {IMPORT} {memories})"), |_| {});
    expect![[r#"
        the host page has 4 bytes, its first content reaches to byte 5: make it larger
        the linked module would have more than 100 memories, which engines refuse: replace fewer imports, lower the budget, or do without the host page
    "#]].assert_eq(&format!("{small}\n{many}\n"));
}
