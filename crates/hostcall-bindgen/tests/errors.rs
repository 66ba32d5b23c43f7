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
fn deferred_functions_are_accepted() {
    let block = "impl App {
        #[hostcall(deferred)]
        fn nothing() {}
        #[hostcall(deferred)]
        fn unit(&self, text: &str, list: &[u8], point: &Point) -> () {}
        #[hostcall(deferred, name = \"other\")]
        fn fails(&mut self, n: Option<u32>) -> Result<(), Error> { Ok(()) }
        #[hostcall(deferred)]
        fn alias() -> io::Result<()> { Ok(()) }
        #[hostcall(deferred)]
        fn unknown() -> Outcome {}
        #[hostcall(deferred)]
        fn with_guest(guest: &mut Guest<'_, App>, text: String, list: Vec<u8>) {}
        #[hostcall(deferred, batch)]
        fn batch(&mut self, batch: &[Sample]) -> Result<(), Error> { Ok(()) }
        #[hostcall(batch, deferred)]
        fn numbers(batch: &[u32]) {}
    }";
    assert_says(&module(block), &[]);
}

#[test]
fn deferred_functions_have_no_result() {
    let block = "impl App {
        #[hostcall(deferred)] fn a() -> u32 { 0 }
        #[hostcall(deferred)] fn b() -> Result<u32, Error> { Ok(0) }
        #[hostcall(deferred)] fn c() -> &'static str { \"\" }
        #[hostcall(deferred)] fn d() -> (u32, u32) { (0, 0) }
        #[hostcall(deferred, batch)] fn e(batch: &[u32]) -> Option<u32> { None }
    }";
    let says =
        "no result, because the guest does not wait for it: return nothing or `Result<(), E>`";
    assert_says(&module(block), &[says; 5]);
}

#[test]
fn deferred_functions_take_copies() {
    let block = "impl App {
        #[hostcall(deferred)]
        fn a(list: &mut [u8], point: &mut Point, text: &CStr) {}
        #[hostcall(deferred)]
        fn b(text: GuestStr, list: GuestSlice<u8>, point: GuestPtr<Point>) {}
        #[hostcall(deferred)]
        fn c(call: hostcall::GuestFunc<(), ()>, object: Option<HostRef<Object>>) {}
    }";
    assert_says(
        &module(block),
        &[
            "cannot write to the guest, which has gone on by then: take `&[u8]`",
            "cannot write to the guest, which has gone on by then: take `&Point`",
            "the length of this one is not known: take `&str`",
            "may have changed before a deferred call is made: take `String`",
            "may have changed before a deferred call is made: take `Vec<u8>`",
            "may have changed before a deferred call is made: take `&Point`",
            "a `GuestFunc` is a reference, which cannot wait in memory: take a number",
            "a `HostRef` is a reference",
        ],
    );
}

#[test]
fn deferred_functions_with_the_guest_own_what_they_take() {
    let block = "impl App {
        #[hostcall(deferred)]
        fn a(guest: &mut Guest<'_, App>, text: &str, list: &[u8], point: Option<&Point>) {}
        #[hostcall(deferred)]
        fn b(guest: &mut Guest<'_, App>, list: &mut [u8], text: &CStr) {}
        #[hostcall(deferred)]
        fn c(guest: &mut Guest<'_, App>, text: GuestStr, point: GuestPtr<Point>) {}
        #[hostcall(deferred)]
        fn d(&mut self, guest: &mut Guest<'_, App>) {}
    }";
    assert_says(
        &module(block),
        &[
            "which `guest` excludes: take `String`; or take `&mut self`",
            "which `guest` excludes: take `Vec<u8>`",
            "which `guest` excludes: take `Point`",
            "cannot write to the guest, which has gone on by then: take `Vec<u8>`",
            "the length of this one is not known: take `String`",
            "may have changed before a deferred call is made: take `String`",
            "may have changed before a deferred call is made: take `Point`",
            "remove `self`, and use `guest.state()`",
        ],
    );
}

#[test]
fn a_batch_is_one_slice() {
    let block = "impl App {
        #[hostcall(deferred, batch)] fn a(&mut self) {}
        #[hostcall(deferred, batch)] fn b(batch: Vec<Sample>) {}
        #[hostcall(deferred, batch)] fn c(batch: &mut [Sample]) {}
        #[hostcall(deferred, batch)] fn d(channel: u32, value: f64) {}
        #[hostcall(deferred, batch)] fn e(guest: &mut Guest<'_, App>, batch: &[Sample]) {}
        #[hostcall(batch)] fn f(batch: &[Sample]) {}
    }";
    let shape = "takes a run of calls as one slice, `batch: &[T]`";
    assert_says(
        &module(block),
        &[
            shape,
            shape,
            shape,
            shape,
            "take `&mut self` in place of the guest",
            "only deferred calls come in batches: write `#[hostcall(deferred, batch)]`",
        ],
    );
}

#[test]
fn options_that_exclude_each_other() {
    let block = "impl App {
        #[hostcall(deferred, inline)] fn a() {}
        #[hostcall(deferred, skip)] fn b() {}
        #[hostcall(deferred)] async fn c() {}
        #[hostcall(deferred, batch, inline, skip)] fn d() {}
        #[hostcall(defered)] fn e() {}
    }";
    assert_says(
        &module(block),
        &[
            "remove `inline`, or this",
            "nothing to defer: remove one of the two",
            "nothing is suspended while that waits: remove `deferred`",
            "nothing to defer: remove one of the two",
            "remove `inline`, or this",
            "`deferred`, for one that the guest does not wait for, `deferred, batch`, for one that",
        ],
    );
}

#[test]
fn handled_errors_are_accepted() {
    let block = "impl App {
        #[hostcall(result)]
        fn a(text: &str) -> Result<u32, Error> { Ok(0) }
        #[hostcall(errno)]
        fn b(&mut self) -> std::result::Result<(), Error> { Ok(()) }
        #[hostcall(errno, name = \"see\")]
        fn c(guest: &mut Guest<'_, App>, text: GuestStr) -> Outcome { Ok(()) }
    }";
    assert_says(&module(block), &[]);
}

#[test]
fn handled_errors_are_of_functions_that_return_results() {
    let block = "impl App {
        #[hostcall(result)] fn a() {}
        #[hostcall(errno)] fn b() -> u32 { 0 }
        #[hostcall(errno)] fn c() -> Option<u32> { None }
        #[hostcall(result)] fn d() -> (u32, u32) { (0, 0) }
        #[hostcall(result)] fn e() -> [u32; 2] { [0; 2] }
        #[hostcall(errno)] fn f() -> &'static str { \"\" }
    }";
    let says = "no error for the guest to get: return a `Result<T, E>`, or remove this";
    assert_says(
        &module(block),
        &[says, says, says, says, says, "returns an owned value"],
    );
}

#[test]
fn handled_errors_exclude_other_options() {
    let block = "impl App {
        #[hostcall(result, errno)] fn a() -> Result<u32, Error> { Ok(0) }
        #[hostcall(errno, skip)] fn b() -> Result<u32, Error> { Ok(0) }
        #[hostcall(result, inline)] fn c() -> u32 { 0 }
        #[hostcall(errno, deferred)] fn d() -> Result<(), Error> { Ok(()) }
        #[hostcall(deferred, batch, result)]
        fn e(batch: &[u32]) -> Result<(), Error> { Ok(()) }
        #[hostcall(errno)] fn f() -> Result<(), Error> { Ok(()) }
        #[hostcall(inline)] fn g(&mut self) { Self::f(); }
    }";
    assert_says(
        &module(block),
        &[
            "as a value or as a code: remove `result`, or `errno`",
            "so none gets its error: remove one of the two",
            "traps for an error: remove `inline`, or this",
            "it cannot get the error: remove `deferred`, or this",
            "it cannot get the error: remove `deferred`, or this",
            "call one without `result` and `errno`, whose `Err` traps",
        ],
    );
}

#[test]
fn async_functions_are_accepted() {
    let block = "impl App {
        async fn free(n: u32) -> u32 { n }
        async fn shared(&self, text: &str, list: &[u8]) -> Result<u32, Error> { Ok(0) }
        async fn exclusive(&mut self, list: &mut [u8], point: &Point) {}
        #[hostcall(reentrant = 4, fuel = 10)]
        async fn with_guest(guest: &mut AsyncGuest<'_, Self>, text: GuestStr, name: String) {}
    }";
    assert_says(&module(block), &[]);
}

#[test]
fn async_functions_have_guests_of_their_own() {
    let block = "impl App {
        async fn a(guest: &mut Guest<'_, Self>) {}
        fn b(guest: &mut hostcall::AsyncGuest<'_, Self>) {}
        async fn c(guest: &mut AsyncGuest<'_, Self>, text: &str, list: Option<&[u8]>) {}
        async fn d(&mut self, guest: &mut AsyncGuest<'_, Self>) {}
        async fn e(n: u32, guest: &mut AsyncGuest<'_, Self>) {}
        #[hostcall(deferred)]
        fn f(guest: &mut AsyncGuest<'_, Self>) {}
    }";
    let synchronous = "take `guest: &mut Guest<'_, Self>`, or make this an `async fn`";
    assert_says(
        &module(block),
        &[
            "take `guest: &mut AsyncGuest<'_, Self>`",
            synchronous,
            "take `GuestStr`",
            "take `GuestSlice<u8>`",
            "remove `self`, and use `guest.state()`",
            "the guest is the first parameter",
            synchronous,
        ],
    );
}

#[test]
fn options_that_exclude_async() {
    let block = "impl App {
        #[hostcall(inline)] async fn a() {}
        #[hostcall(deferred)] async fn b() {}
        #[hostcall(deferred, batch)] async fn c(batch: &[u32]) {}
        #[hostcall(blocking)] async fn d() {}
        #[hostcall(inline)] fn e(&mut self) { self.f() }
        async fn f(&self) {}
    }";
    assert_says(
        &module(block),
        &[
            "runs in the guest, which cannot wait: remove `inline`",
            "remove `async`, and hand the work to a task or a channel",
            "remove `async`, and hand the work to a task or a channel",
            "remove `async`, or `blocking`",
            "`f` waits, which an inline function cannot",
        ],
    );
}

#[test]
fn fuel_and_depths() {
    let block = "impl App {
        #[hostcall(fuel = 0)] fn a() {}
        #[hostcall(deferred, fuel = 100)] fn b() {}
        #[hostcall(deferred, reentrant)] fn c(guest: &mut Guest<'_, Self>) {}
        #[hostcall(reentrant = 1, blocking = 1)] fn d(guest: &mut Guest<'_, Self>) {}
        #[hostcall(reentrant = 0)] fn e(guest: &mut Guest<'_, Self>) {}
        #[hostcall(fuel)] fn f() {}
        #[hostcall(fuel = -1)] fn g() {}
        #[hostcall(fuel = 18_446_744_073_709_551_616)] fn h() {}
        #[hostcall(reentrant)] fn i(&mut self) {}
        #[hostcall(reentrant)] async fn j(&mut self) {}
        #[hostcall(reentrant, blocking)] fn k(&self) {}
        #[hostcall(reentrant, inline, fuel = 3)] fn l() {}
        #[hostcall(reentrant, skip, fuel = 3)] fn m() {}
    }";
    assert_says(
        &module(block),
        &[
            "expected `,`",
            "a depth is a whole number from 1 on, as in `reentrant = 4`",
            "expected `=`",
            "fits into a `u64`, as in `fuel = 100`",
            "fits into a `u64`, as in `fuel = 100`",
            "cannot call the guest: take `guest: &mut Guest<'_, Self>` first",
            "cannot call the guest: take `guest: &mut AsyncGuest<'_, Self>` first",
            "cannot call the guest: remove `reentrant`, or `blocking`",
            "costs the fuel that it takes there: remove `inline`",
            "does not call exports of the guest: remove `inline`",
            "with `skip`: remove one of the two",
            "with `skip`: remove one of the two",
        ],
    );
}

#[test]
fn blocking_functions_are_accepted() {
    let block = "impl App {
        #[hostcall(blocking)]
        fn a(path: String, list: Vec<u8>, key: [u64; 2]) -> Result<Vec<u8>, Error> { Ok(list) }
        #[hostcall(blocking, fuel = 5)]
        fn b(&self, object: HostRef<Object>, deadline: Deadline) {}
        #[hostcall(blocking)]
        fn c(deadline: hostcall::Deadline) {}
    }";
    assert_says(&module(block), &[]);
}

#[test]
fn blocking_functions_own_what_they_take() {
    let block = "impl App {
        #[hostcall(blocking)]
        fn a(text: &str, list: &[u8], point: Option<&Point>, name: &CStr) {}
        #[hostcall(blocking)]
        fn b(list: &mut [u8], pair: (u32, &mut Point)) {}
        #[hostcall(blocking)]
        fn c(text: GuestStr, list: GuestSlice<u8>, point: GuestPtr<Point>) {}
        #[hostcall(blocking)]
        fn d(call: GuestFunc<(), ()>) {}
        #[hostcall(blocking)]
        fn e(&mut self) {}
        #[hostcall(blocking)]
        fn f(guest: &mut Guest<'_, Self>) {}
    }";
    assert_says(
        &module(block),
        &[
            "so it owns what it takes: take `String`",
            "so it owns what it takes: take `Vec<u8>`",
            "so it owns what it takes: take `Point`",
            "so it owns what it takes: take `String`",
            "take `Vec<u8>`, and return what the guest should get",
            "take `Point`, and return what the guest should get",
            "take `String`, which is copied at the call",
            "take `Vec<u8>`, which is copied at the call",
            "take `Point`, which is copied at the call",
            "cannot call it: remove `blocking`",
            "changes would be lost: take `&self`",
            "remove the guest, and take what it needs as arguments",
        ],
    );
}

#[test]
fn options_that_exclude_blocking() {
    let block = "impl App {
        #[hostcall(blocking, inline)] fn a() {}
        #[hostcall(blocking, deferred)] fn b() {}
        #[hostcall(blocking, skip)] fn c() {}
        #[hostcall(inline)] fn d(&mut self) { self.e() }
        #[hostcall(blocking)] fn e(&self) {}
    }";
    assert_says(
        &module(block),
        &[
            "on its thread: remove `inline`",
            "the guest does not wait for a deferred function: remove `blocking`",
            "remove one of the two",
            "`e` waits, which an inline function cannot",
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
