//! What the macros say about input that they refuse.

use proc_macro2::TokenStream;

/// The messages of the compile errors in `tokens`, in order.
fn messages(tokens: TokenStream) -> Vec<String> {
    let file: syn::File = syn::parse2(tokens).expect("valid Rust");
    let macros = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
            Some(item.mac.parse_body::<syn::LitStr>().ok()?.value())
        }
        _ => None,
    });
    macros.collect()
}

fn module(block: &str) -> Vec<String> {
    module_with("name = \"env\"", block)
}

fn module_with(attr: &str, block: &str) -> Vec<String> {
    messages(hostcall_bindgen::host_module(
        attr.parse().unwrap(),
        block.parse().unwrap(),
    ))
}

fn derive(item: &str) -> Vec<String> {
    messages(hostcall_bindgen::guest_type(item.parse().unwrap()))
}

#[track_caller]
fn assert_says(messages: &[String], expected: &[&str]) {
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(
            message.contains(expected),
            "{message:?} does not say {expected:?}"
        );
    }
}

#[test]
fn accepts_what_is_right() {
    let block = "impl App {
        fn free(a: i32) -> i32 { a }
        fn shared(&self, text: &str) -> Result<u32, Error> { Ok(0) }
        fn exclusive(&mut self, (a, b): (i32, i32), mut c: u8, _: &[u8]) {}
        fn with_guest(guest: &mut Guest<'_, App>, text: GuestStr) {}
        #[hostcall(name = \"other\", module = \"elsewhere\")]
        fn r#type() {}
        #[hostcall(skip)]
        async fn helper<T>(self, t: T) {}
        const N: u32 = 1;
    }";
    assert_says(&module(block), &[]);
}

#[test]
fn the_module_needs_a_name() {
    let block = "impl App {}";
    assert_says(
        &module_with("", block),
        &["say which module guests import from"],
    );
    assert_says(&module_with("module = \"x\"", block), &["say which module"]);
    assert_says(&module_with("name = \"hostcall:x\"", block), &["reserved"]);
}

#[test]
fn it_goes_on_a_plain_impl_block() {
    assert_says(&module("struct App;"), &["goes on an `impl` block"]);
    assert_says(&module("impl Trait for App {}"), &["remove the trait"]);
    assert_says(&module("impl<T> App<T> {}"), &["cannot be generic"]);
}

#[test]
fn every_problem_of_every_function_is_reported() {
    let block = "impl App {
        async fn a() {}
        unsafe fn b() {}
        fn c<T>(t: T) {}
        fn d() -> &'static str { \"\" }
        fn e() -> impl Iterator { [].iter() }
        fn f(x: impl Copy) {}
        fn g(self) {}
        #[hostcall(nmae = \"x\")]
        fn h() {}
    }";
    assert_says(
        &module(block),
        &[
            "remove `async`",
            "remove `unsafe`",
            "no generic parameters",
            "`String` for `&str`",
            "name the type that the function returns",
            "name the type of the parameter",
            "`&self` or `&mut self`",
            "unknown option; there are `name = \"...\"`",
        ],
    );
}

#[test]
fn the_guest_excludes_borrows_of_its_memory() {
    let block = "impl App {
        fn a(guest: &mut Guest<'_, App>, text: &str, list: &mut [u8], p: &Point) {}
        fn b(guest: &mut Guest<'_, App>, text: Option<&str>) {}
        fn c(&mut self, guest: &mut Guest<'_, App>) {}
        fn d(n: i32, guest: &mut Guest<'_, App>) {}
    }";
    assert_says(
        &module(block),
        &[
            "take `GuestStr`, and look at it with `guest.read_str(..)`",
            "take `GuestSlice<u8>`",
            "take `GuestPtr<Point>`",
            "take `GuestStr`",
            "remove `self`, and use `guest.state()`",
            "the guest is the first parameter",
        ],
    );
}

#[test]
fn the_block_survives_an_error() {
    let block = "impl App { #[hostcall(nope)] fn a() {} }";
    let tokens =
        hostcall_bindgen::host_module("name = \"env\"".parse().unwrap(), block.parse().unwrap());
    let file: syn::File = syn::parse2(tokens).unwrap();
    let syn::Item::Impl(block) = &file.items[0] else {
        panic!("no impl block")
    };
    let syn::ImplItem::Fn(function) = &block.items[0] else {
        panic!("no function")
    };
    assert!(function.attrs.is_empty(), "an option was left behind");
}

#[test]
fn types_that_cannot_cross() {
    assert_says(&derive("struct S<T> { t: T }"), &["cannot be generic"]);
    assert_says(
        &derive("struct S<'a> { t: &'a str }"),
        &["nor borrow", "owns its fields"],
    );
    assert_says(&derive("union U { a: u8 }"), &["cannot cross"]);
    assert_says(&derive("enum E {}"), &["without cases"]);
    assert_says(
        &derive("enum E { A = 5 }"),
        &["number the cases of an enum from 0"],
    );
    assert_says(
        &derive("#[repr(C, packed)] struct S { a: u8 }"),
        &["remove `packed`"],
    );
}
