//! The code that the macros generate, formatted. `UPDATE_EXPECT=1` rewrites it.

use expect_test::expect_file;
use proc_macro2::TokenStream;

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("valid Rust"))
}

#[test]
fn host_module() {
    let block = r#"
        impl App {
            fn add(a: i32, b: i32) -> i32 { a + b }
            fn log(&mut self, text: &str) -> Result<(), Error> { Ok(()) }
            #[hostcall(name = "type", module = "other")]
            fn with_guest(guest: &mut Guest<'_, App>, text: GuestStr) {}
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/host_module.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn record() {
    let item = "#[repr(C)] struct Point { x: i32, y: i32 }";
    let tokens = hostcall_bindgen::guest_type(item.parse().unwrap());
    expect_file!["expansion/record.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn variant() {
    let item = "enum Shape { Empty, Circle(f64), Rect { width: f64, height: f64 } }";
    let tokens = hostcall_bindgen::guest_type(item.parse().unwrap());
    expect_file!["expansion/variant.rs"].assert_eq(&pretty(tokens));
}
