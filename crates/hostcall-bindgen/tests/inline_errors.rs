//! What is said about inline functions that are outside the subset: where, and
//! what to write instead.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;

/// The compile errors for a block: what of the source each points to, up to the
/// end of its line, and its message.
fn errors(block: &str) -> Vec<(String, String)> {
    let attr: TokenStream = "name = \"env\"".parse().unwrap();
    // Spans count from this text, because it is parsed anew.
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    found(block, tokens)
}

fn found(source: &str, tokens: TokenStream) -> Vec<(String, String)> {
    let file: syn::File = syn::parse2(tokens).expect("valid Rust");
    let macros = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => {
            let start = item.mac.path.span().start();
            let line: String = source
                .lines()
                .nth(start.line - 1)?
                .chars()
                .skip(start.column)
                .collect();
            Some((line, item.mac.parse_body::<syn::LitStr>().ok()?.value()))
        }
        _ => None,
    });
    macros.collect()
}

#[track_caller]
fn assert_errors(found: &[(String, String)], expected: &[(&str, &str)]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((place, message), (at, says)) in found.iter().zip(expected) {
        assert!(
            place.starts_with(at),
            "{message:?} points to {place:?}, not to {at:?}"
        );
        assert!(message.contains(says), "{message:?} does not say {says:?}");
    }
}

/// A function with parameters of every sort, and this body.
#[track_caller]
fn assert_body(body: &str, expected: &[(&str, &str)]) {
    let block = format!(
        "impl App {{
            #[hostcall(inline)]
            fn f(&mut self, memory: &mut Memory<'_>, state: &mut State, x: i32, flag: bool) -> i32 {{
                {body}
            }}
            #[hostcall(inline)]
            fn other(memory: &mut Memory<'_>, x: i32) -> i32 {{ x }}
            #[hostcall(inline)]
            fn by_self(&mut self, x: i32) -> i32 {{ x }}
            fn slow(&mut self, x: i32) -> i32 {{ x }}
            fn text(&mut self, text: &str) -> i32 {{ 0 }}
            #[hostcall(skip)]
            fn helper(x: i32) -> i32 {{ x }}
        }}"
    );
    assert_errors(&errors(&block), expected);
}

#[test]
fn the_subset_is_accepted() {
    assert_body(
        "const LIMIT: i32 = 7;
         let mut y: i32;
         y = -128 + x * LIMIT - i32::MAX;
         y += { let z = 1; z << 2 };
         if flag && y != 3 || !flag { y ^= 1; } else if y > 5 { return y; } else { panic!(\"no\") }
         let w = 'search: loop {
             while y < 10 { y += 1; if y == 4 { continue; } else if y == 5 { break } }
             if y > 100 { break 'search 5 }
             y = y.wrapping_mul(3).rotate_left(2).min(9);
         };
         state.hits += 1;
         state.rows[x as usize].cells[2] = state.rows.len() as u32;
         memory.store(16, memory.load::<u8>(x as u32));
         memory.copy(0, 8, 8); memory.fill(0, 0, memory.size() as u32);
         let half = f64::from_bits(u64::from(flag)).sqrt().max(0.5) as i32;
         self.slow(x); Self::slow(self, x);
         assert!(x > 0, \"positive\"); debug_assert!(x > 0);
         if x == 12 { unreachable!() }
         Self::other(memory, w) + self.by_self(half) + i32::min(x, 3)",
        &[],
    );
}

#[test]
fn control_flow_that_the_guest_has_not() {
    assert_body(
        "match x { 1 => 2, _ => 3 }",
        &[("match", "write `if x == 1 { .. } else if")],
    );
    assert_body(
        "let mut n = 0; for i in 0..x { n += i; } n",
        &[(
            "for i",
            "write `let mut i = 0; while i < x { ..; i += 1; }`",
        )],
    );
    assert_body(
        "for i in items() {} 1",
        &[("for i", "`let mut i = 0; while i < n")],
    );
    assert_body(
        "if let 3 = x { 1 } else { 2 }",
        &[("let 3", "compare with `==`")],
    );
    assert_body("while let 3 = x {} 1", &[("let 3", "compare with `==`")]);
    assert_body(
        "'a: { break 'a 1 }",
        &[("'a:", "write `loop { .. break value; }`")],
    );
    assert_body("break; 1", &[("break", "no loop around this")]);
    assert_body(
        "while flag { break 1; } 1",
        &[("1;", "`while` has no value")],
    );
    assert_body("x?", &[("x?", "trap with `panic!(\"why\")`")]);
    assert_body("x.await", &[("x.await", "cannot wait")]);
    assert_body("async { 1 }; 1", &[("async", "cannot wait")]);
    assert_body("unsafe { 1 }", &[("unsafe", "is safe code")]);
    assert_body("const { 1 }", &[("const", "write a constant")]);
}

#[test]
fn values_that_the_guest_has_not() {
    assert_body("(|| 1)()", &[("(||", "functions of its own")]);
    assert_body(
        "let f = |a: i32| a; 1",
        &[("|a", "`#[hostcall(inline, skip)]`")],
    );
    assert_body(
        "let r = &x; 1",
        &[("&x", "works on values, not on references")],
    );
    assert_body("let r = &mut x; 1", &[("&mut x", "works on values")]);
    assert_body("*x", &[("*x", "remove the `*`")]);
    assert_body("\"text\"; 1", &[("\"text\"", "has no strings")]);
    assert_body("'a' as i32", &[("'a'", "its number, `0x61`")]);
    assert_body(
        "let t = (1, 2); 1",
        &[("(1, 2)", "one variable for each part")],
    );
    assert_body(
        "let (a, b) = (1, 2); 1",
        &[
            ("(1, 2)", "one variable for each part"),
            ("(a, b)", "one variable at a time"),
        ],
    );
    assert_body("let _ = 1; 1", &[("_ =", "give the variable a name")]);
    assert_body("let a = [1, 2]; 1", &[("[1, 2]", "`#[derive(HostState)]`")]);
    assert_body("let a = [0; 4]; 1", &[("[0; 4]", "`#[derive(HostState)]`")]);
    assert_body(
        "let p = Point { x }; 1",
        &[("Point", "one variable for each field")],
    );
    assert_body("let r = 0..x; 1", &[("0..x", "count with `while`")]);
    assert_body("let n = 1_u128; 1", &[("1_u128", "use two `u64`")]);
    assert_body("let n = x as u128; 1", &[("u128", "use two `u64`")]);
    assert_body(
        "x as u8 as char as i32",
        &[("char", "use its number as `u32`")],
    );
    assert_body(
        "let n: Option<i32> = x; 1",
        &[("Option<i32>", "integers, floats and `bool`")],
    );
    assert_body(
        "let Some(n) = x else { return 1 }; n",
        &[
            ("else", "always matches"),
            ("Some(n)", "one variable at a time"),
        ],
    );
}

#[test]
fn places_that_are_not_there() {
    assert_body("x.field", &[("x.field", "`#[derive(HostState)]`")]);
    assert_body(
        "TABLE[x as usize]",
        &[("TABLE", "only arrays in a host state are indexed")],
    );
    assert_body("self.count", &[("self.count", "`self` is not")]);
    assert_body("self.count += 1; 1", &[("self.count", "`self` is not")]);
    assert_body(
        "TOTAL += 1; 1",
        &[("TOTAL", "there is no variable `TOTAL`")],
    );
    assert_body("state = x; 1", &[("state", "assign to its fields")]);
    assert_body(
        "memory = x; 1",
        &[("memory", "`memory.store(address, value)`")],
    );
    assert_body("let s = state; 1", &[("state", "as in `state.field`")]);
    assert_body(
        "let m = memory; 1",
        &[("memory", "`memory.load::<u32>(address)`")],
    );
    assert_body("*state = x; 1", &[("*state", "remove the `*`")]);
    assert_body(
        "(x, flag) = (1, true); 1",
        &[
            ("(x, flag)", "one variable at a time"),
            ("(1, true)", "one variable for each part"),
        ],
    );
}

#[test]
fn calls_that_the_guest_cannot_make() {
    assert_body(
        "foreign(x)",
        &[(
            "foreign",
            "only functions of its own `#[host_module]` block",
        )],
    );
    assert_body("other(x)", &[("other", "call it as `Self::other(..)`")]);
    assert_body(
        "Self::missing(x)",
        &[("missing", "there is no function `missing` in this block")],
    );
    assert_body(
        "self.missing(x)",
        &[("missing", "there is no function `missing` in this block")],
    );
    assert_body(
        "Other::slow(x)",
        &[("Other::slow", "only functions of its own")],
    );
    assert_body(
        "Self::helper(x)",
        &[("helper", "`#[hostcall(inline, skip)]`")],
    );
    assert_body(
        "self.text(x)",
        &[("text", "passes only integers, floats and `bool`")],
    );
    assert_body("Self::slow(x)", &[("slow", "call it as `self.slow(..)`")]);
    assert_body(
        "self.other(memory, x)",
        &[("self", "call it as `Self::other(..)`")],
    );
    assert_body(
        "self.slow(x, x)",
        &[("slow", "takes 1 argument, and 2 are given")],
    );
    assert_body("Self::other(x, x)", &[("x, x", "hand on guest memory")]);
    assert_body("std::cmp::min(x, 1)", &[("std::cmp::min", "`a.min(b)`")]);
    assert_body(
        "std::mem::swap(&mut x, &mut x); 1",
        &[("std::mem::swap", "use a third variable")],
    );
    assert_body("u128::from(x)", &[("u128", "use two `u64`")]);
    assert_body("x.pow(2)", &[("pow", "multiply")]);
    assert_body("x.sin()", &[("sin", "call an ordinary host function")]);
    assert_body(
        "x.checked_add(1).unwrap()",
        &[("checked_add", "trap on overflow already")],
    );
    assert_body(
        "x.frobnicate()",
        &[("frobnicate", "there are `wrapping_add`")],
    );
    assert_body(
        "x.min(1, 2)",
        &[("min", "takes 1 argument, and 2 are given")],
    );
    assert_body(
        "memory.read(x); 1",
        &[("memory.read", "`load::<u32>(address)`")],
    );
    assert_body(
        "memory.store::<u8>(x, 1); 1",
        &[("::<u8>", "`store(address, value)`")],
    );
    assert_body("memory.load::<char>(x)", &[("char", "use its number")]);
    assert_body(
        "state.reset(); 1",
        &[("state.reset", "`Self::reset(state)`")],
    );
    assert_body("println!(\"{x}\"); 1", &[("println", "`panic!(\"why\")`")]);
    assert_body("panic!(\"{x}\")", &[("\"{x}\"", "is a literal")]);
    assert_body("panic!(\"{}\", x)", &[("\"{}\"", "is a literal")]);
    assert_body(
        "assert_eq!(x, 3); 1",
        &[("assert_eq", "write `assert!(x == 3)`")],
    );
    assert_body("todo!()", &[("todo", "not implemented")]);
}

#[test]
fn what_is_around_statements() {
    assert_body("fn inner() {} 1", &[("fn inner", "move this out")]);
    assert_body(
        "#[cfg(unix)] let a = 1; 1",
        &[("#[cfg", "put it on the function")],
    );
    assert_body("x;", &[("x;", "the body ends without its result, a `i32`")]);
    assert_body("", &[("}", "the body ends without its result")]);
}

#[test]
fn signatures_that_do_not_fit() {
    let block = "impl App {
        #[hostcall(inline)]
        fn a(text: &str, list: &[u8]) { text.len(); list[0]; Self::a(text, list); }
        #[hostcall(inline)]
        fn b(guest: &mut Guest<'_, App>) {}
        #[hostcall(inline)]
        fn c(memory: Memory<'_>, x: &u32) {}
        #[hostcall(inline)]
        fn d((a, b): (i32, i32)) {}
        #[hostcall(inline)]
        fn e(c: char, wide: u128) {}
        #[hostcall(inline)]
        fn f() -> Result<u32, Error> { 1 }
        #[hostcall(inline)]
        fn g() -> (u32, u32) { 1 }
        #[hostcall(inline)]
        async fn h<T>(self) {}
        #[hostcall(inline)]
        fn i(memory: &mut Memory<'_>, again: &Memory<'_>, one: &mut State, two: &State) {}
        #[hostcall(inline)]
        fn j() -> ! { loop {} }
        #[hostcall(inline, nmae = \"x\")]
        fn k() {}
    }";
    assert_errors(
        &errors(block),
        &[
            ("&str", "takes an address and a length"),
            ("&[u8]", "takes an address and a length"),
            ("&mut Guest", "runs in the guest"),
            ("Memory<'_>", "`&mut Memory<'_>`"),
            ("&u32", "remove the `&`"),
            ("(i32, i32)", "one variable for each part"),
            ("(a, b)", "a plain name"),
            ("char", "use its number as `u32`"),
            ("u128", "use two `u64`"),
            ("Result<u32", "trap with `panic!(\"why\")`"),
            ("(u32, u32)", "one variable for each part"),
            ("async", "which cannot wait: remove `inline`"),
            ("<T>", "no generic parameters"),
            ("self", "`&self` or `&mut self`"),
            ("again", "take it once"),
            ("two", "take it once"),
            ("!", "remove `-> !`"),
            ("nmae", "unknown option"),
        ],
    );
}

#[test]
fn widths_of_the_host_are_for_the_inside() {
    let found = errors(
        "impl App {
            #[hostcall(inline)]
            fn f(at: usize, by: u32) -> isize { 0 }
            #[hostcall(inline, skip)]
            fn inside(at: usize) -> isize { 0 }
        }",
    );
    assert_errors(
        &found,
        &[("usize", "take and return `u32`"), ("isize", "`i32`")],
    );
}

#[test]
fn a_refused_body_is_left_out() {
    let block = "impl App { #[hostcall(inline)] fn f(x: i32) -> i32 { match x { _ => nothing } } }";
    let tokens =
        hostcall_bindgen::host_module("name = \"env\"".parse().unwrap(), block.parse().unwrap());
    let text = tokens.to_string();
    assert!(!text.contains("nothing"), "{text}");
    assert!(!text.contains("hostcall (inline)"), "{text}");
}

#[test]
fn host_states_that_do_not_fit() {
    let cases = [
        (
            "#[repr(C)] struct S<T> { a: T }",
            "<T>",
            "cannot be generic",
        ),
        ("struct S { a: u32 }", "S", "add `#[repr(C)]`"),
        (
            "#[repr(C, packed)] struct S { a: u32 }",
            "packed",
            "as `#[repr(C)]` does",
        ),
        ("#[repr(C)] struct S(u32);", "S", "has named fields"),
        ("#[repr(C)] struct S {}", "S", "holds nothing"),
        ("#[repr(C)] enum S { A }", "S", "keep its number in a `u32`"),
        (
            "#[repr(C)] struct S { a: bool }",
            "bool",
            "use `u8`, 0 or 1",
        ),
        (
            "#[repr(C)] struct S { a: [bool; 3] }",
            "[bool; 3]",
            "use `u8`, 0 or 1",
        ),
        ("#[repr(C)] struct S { a: char }", "char", "use `u32`"),
        (
            "#[repr(C)] struct S { a: usize }",
            "usize",
            "use `u32` or `u64`",
        ),
        ("#[repr(C)] struct S { a: u128 }", "u128", "use two `u64`"),
        (
            "#[repr(C)] struct S { a: &'static str }",
            "&'static str",
            "owns what it holds",
        ),
        (
            "#[repr(C)] struct S { a: Vec<u8> }",
            "Vec<u8>",
            "an array of a fixed size",
        ),
        (
            "#[repr(C)] struct S { a: (u8, u8) }",
            "(u8, u8)",
            "one field for each part",
        ),
    ];
    for (source, at, says) in cases {
        let tokens = hostcall_bindgen::host_state(source.parse().unwrap());
        assert_errors(&found(source, tokens), &[(at, says)]);
    }
}
