//! Errors and traps: their types, their names, their backtraces.

use expect_test::expect;
use hostcall::{Error, ErrorKind, Guest, GuestFunc, Host, Instance, Trap};
use std::fmt;

#[derive(Debug, PartialEq)]
struct OutOfStock(u32);

impl fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "article {} is out of stock", self.0)
    }
}

impl std::error::Error for OutOfStock {}

const GUEST: &str = r#"(module
    (import "shop" "take" (func $take (param i32) (result i32)))
    (import "shop" "call_back" (func $call_back (param i32 funcref) (result i32)))
    (func $inner (param i32) (result i32) (call $take (local.get 0)))
    (func $order (export "order") (param $article i32) (result i32)
        (call $inner (local.get $article)))
    (func $order_later (export "order_later") (param i32) (result i32)
        (call $call_back (local.get 0) (ref.func $order)))
    (func (export "divide") (param i32 i32) (result i32)
        (i32.div_s (local.get 0) (local.get 1)))
    (func $deep (export "deep") (call $deep)))"#;

fn host() -> Host<u32> {
    let mut host = Host::new();
    host.func_with_state(
        "shop",
        "take",
        |taken: &mut u32, article: u32| match article {
            0 => panic!("no article {article}"),
            13 => Err(OutOfStock(article)),
            _ => {
                *taken += 1;
                Ok(article)
            }
        },
    );
    type Order = GuestFunc<u32, u32>;
    host.func(
        "shop",
        "call_back",
        |guest: &mut Guest<'_, u32>, article: u32, order: Order| guest.call(&order, article),
    )
    .reentrant("shop", "call_back", 16);
    host
}

fn instance() -> Instance<u32> {
    host()
        .program(GUEST.as_bytes())
        .unwrap()
        .instantiate(0)
        .unwrap()
}

fn fails(instance: &mut Instance<u32>, export: &str, article: u32) -> Error {
    let export = instance.export::<u32, u32>(export).unwrap();
    export.call(instance, article).unwrap_err()
}

#[test]
fn an_error_keeps_its_type() {
    let mut instance = instance();
    let error = fails(&mut instance, "order", 13);
    assert_eq!(error.downcast_ref::<OutOfStock>(), Some(&OutOfStock(13)));
    assert!(error.downcast_ref::<std::io::Error>().is_none());
    assert!(matches!(error.kind(), ErrorKind::Host));
    assert_eq!(error.import(), Some(("shop", "take")));
    assert_eq!(error.export(), Some("order"));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "article 13 is out of stock");
    expect![[
        "host function `shop.take` failed: article 13 is out of stock; guest backtrace: inner <- order; in a call of export `order`"
    ]]
    .assert_eq(&error.to_string());

    // The instance goes on.
    let order = instance.export::<u32, u32>("order").unwrap();
    assert_eq!(order.call(&mut instance, 7).unwrap(), 7);
    assert_eq!(*instance.state(), 1);
}

#[test]
fn an_error_comes_through_two_crossings() {
    let mut instance = instance();
    let error = fails(&mut instance, "order_later", 13);
    assert_eq!(error.downcast_ref::<OutOfStock>(), Some(&OutOfStock(13)));
    assert_eq!(error.import(), Some(("shop", "call_back")));
    let message = error.to_string();
    assert!(
        message.starts_with(
            "host function `shop.call_back` failed: host function `shop.take` failed: article 13"
        ),
        "{message}"
    );
    let order = instance.export::<u32, u32>("order_later").unwrap();
    assert_eq!(order.call(&mut instance, 7).unwrap(), 7);
}

#[test]
fn a_panic_becomes_an_error() {
    let mut instance = instance();
    let error = fails(&mut instance, "order", 0);
    assert!(matches!(error.kind(), ErrorKind::Panic(message) if message == "no article 0"));
    expect![[
        "host function `shop.take` panicked: no article 0; guest backtrace: inner <- order; in a call of export `order`"
    ]]
    .assert_eq(&error.to_string());
    let order = instance.export::<u32, u32>("order").unwrap();
    assert_eq!(order.call(&mut instance, 7).unwrap(), 7);
}

#[test]
fn a_trap_keeps_its_code() {
    let mut instance = instance();
    let divide = instance.export::<(i32, i32), i32>("divide").unwrap();
    let error = divide.call(&mut instance, (1, 0)).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::IntegerDivisionByZero));
    assert_eq!(error.import(), None);
    expect![[
        "the guest trapped: integer divide by zero; guest backtrace: function 5; in a call of export `divide`"
    ]]
    .assert_eq(&error.to_string());

    let deep = instance.export::<(), ()>("deep").unwrap();
    let error = deep.call(&mut instance, ()).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::StackOverflow));
    assert!(error.backtrace().len() > 8);
    assert!(error.to_string().contains("deep <- deep"), "{error}");
    assert!(
        error
            .to_string()
            .contains(" more; in a call of export `deep`"),
        "{error}"
    );
}

#[test]
fn frames_have_files_and_lines_where_the_guest_has_debug_information() {
    let mut host = Host::<()>::new();
    host.func("env", "check", |n: i32| n);
    let guest = include_bytes!("../../../guests/crash/crash.wasm");
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    let outer = instance.export::<i32, i32>("outer").unwrap();
    assert_eq!(outer.call(&mut instance, 50).unwrap(), 4);
    let error = outer.call(&mut instance, 0).unwrap_err();
    let frames: Vec<_> = error
        .backtrace()
        .iter()
        .map(|frame| frame.to_string())
        .collect();
    assert_eq!(
        frames,
        [
            "inner (guests/crash/crash.c:12)",
            "middle (guests/crash/crash.c:16)",
            "outer (guests/crash/crash.c:21)"
        ]
    );
}

#[test]
fn an_export_that_is_not_there_names_those_that_are() {
    let mut instance = instance();
    let error = instance.export::<(), ()>("odrer").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Export(_)));
    expect![[
        "the guest has no export `odrer`; it exports `order`, `order_later`, `divide`, `deep`"
    ]]
    .assert_eq(&error.to_string());
}

#[test]
fn an_export_of_another_type_names_the_parameter() {
    let mut instance = instance();
    let error = instance.export::<(u64,), u32>("order").unwrap_err();
    expect![[
        "export `order` has type (i32) -> i32, but func(p0: u64) -> u32 needs (i64) -> i32: parameter 1 `article` is i32, not i64"
    ]]
    .assert_eq(&error.to_string());
    let error = instance.export::<(u32, u32), u32>("order").unwrap_err();
    expect![[
        "export `order` has type (i32) -> i32, but func(p0: u32, p1: u32) -> u32 needs (i32, i32) -> i32: it takes 1 core parameters, not 2"
    ]]
    .assert_eq(&error.to_string());
}

#[test]
fn an_export_of_another_instance_is_refused() {
    let (mut one, mut other) = (instance(), instance());
    let order = one.export::<u32, u32>("order").unwrap();
    let error = order.call(&mut other, 7).unwrap_err();
    assert!(
        error.to_string().contains("belongs to another instance"),
        "{error}"
    );
    assert_eq!(order.call(&mut one, 7).unwrap(), 7);
}

/// Stores can be swapped between instances, pointer widths cannot.
#[test]
fn an_export_is_not_used_with_another_pointer_width() {
    let guest = |width: &str, bits: &str| {
        format!(
            r#"(module (memory (export "memory") {width} 1)
            (func (export "text") (result {bits} {bits}) ({bits}.const 0) ({bits}.const 0)))"#
        )
    };
    let host = Host::<()>::new();
    let mut instances = [guest("", "i32"), guest("i64", "i64")].map(|guest| {
        host.program(guest.as_bytes())
            .unwrap()
            .instantiate(())
            .unwrap()
    });
    let text = instances[0].export::<(), String>("text").unwrap();
    assert_eq!(text.call(&mut instances[0], ()).unwrap(), "");
    let [narrow, wide] = &mut instances;
    std::mem::swap(narrow.store_mut(), wide.store_mut());
    let error = text.call(wide, ()).unwrap_err();
    assert!(
        error.to_string().contains("belongs to another instance"),
        "{error}"
    );
}

#[test]
fn a_start_function_that_fails_leaves_no_instance() {
    let mut host = Host::<()>::new();
    host.func("env", "fail", || Err::<(), _>(OutOfStock(1)));
    let guest = br#"(module (import "env" "fail" (func $fail)) (start $fail))"#;
    let error = host.program(guest).unwrap().instantiate(()).unwrap_err();
    assert_eq!(error.downcast_ref::<OutOfStock>(), Some(&OutOfStock(1)));
    assert!(error.to_string().contains("`env.fail` failed"), "{error}");
}

#[test]
fn text_and_bytes_that_are_no_module_are_explained() {
    let host = Host::<()>::new();
    let error = host.program(b"(module (func $f (call $g)))").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Text(_)));
    assert!(error.to_string().contains("unknown func"), "{error}");
    for bytes in [&b""[..], b"\0as", b"\x7fELF", b"\0asm\x0d\0\x01\0"] {
        let error = host.program(bytes).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Parse(_)), "{error}");
    }
}
