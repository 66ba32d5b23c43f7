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
            fn sort(list: &mut [Point]) {}
            fn log(&mut self, text: &str) -> Result<(), Error> { Ok(()) }
            #[hostcall(name = "type", module = "other")]
            fn with_guest(guest: &mut Guest<'_, App>, text: GuestStr) {}
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/host_module.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn deferred() {
    let block = r#"
        impl App {
            #[hostcall(deferred)]
            fn log(&mut self, text: &str) -> Result<(), Error> { Ok(()) }
            #[hostcall(deferred)]
            fn tick(count: u64) {}
            #[hostcall(deferred, name = "notify")]
            fn with_guest(guest: &mut Guest<'_, App>, text: String) {}
            #[hostcall(deferred, batch)]
            fn samples(&mut self, batch: &[Sample]) -> Result<(), Error> { Ok(()) }
            #[hostcall(deferred, batch)]
            fn marks(batch: &[Mark]) {}
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/deferred.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn handled() {
    let block = r#"
        impl App {
            #[hostcall(result)]
            fn parse(text: &str) -> Result<u32, ParseError> { Ok(0) }
            #[hostcall(errno)]
            fn get(&mut self, key: &str) -> Result<(u32, String), KvError> { Err(KvError) }
            #[hostcall(errno)]
            fn with_guest(guest: &mut Guest<'_, App>, key: String) -> Outcome { Ok(()) }
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/handled.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn async_functions() {
    let block = r#"
        impl App {
            async fn wait(millis: u64) {}
            async fn get(&self, key: &str) -> Result<String, Error> { Ok(String::new()) }
            #[hostcall(fuel = 100)]
            async fn fill(&mut self, list: &mut [u8]) {}
            #[hostcall(errno)]
            async fn find(&self, key: &str) -> Result<u32, KvError> { Ok(0) }
            #[hostcall(reentrant)]
            async fn visit(guest: &mut AsyncGuest<'_, App>, text: GuestStr) -> u32 { 0 }
            #[hostcall(deferred, fuel = 3, reentrant = 4)]
            fn later(guest: &mut Guest<'_, App>) {}
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/async.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn blocking() {
    let block = r#"
        impl App {
            #[hostcall(blocking)]
            fn read(path: String) -> Result<Vec<u8>, Error> { Ok(Vec::new()) }
            #[hostcall(blocking, result)]
            fn parse(text: String) -> Result<u32, ParseError> { Ok(0) }
            #[hostcall(blocking, fuel = 100)]
            fn search(&self, text: String, deadline: Deadline) -> u32 { 0 }
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/blocking.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn inline() {
    let block = r#"
        impl App {
            /// Docs stay.
            #[hostcall(inline)]
            pub fn steps(mut n: u64, limit: u32) -> u32 {
                let mut steps = 0;
                while n != 1 && steps < limit {
                    if n % 2 == 0 {
                        n /= 2;
                    } else {
                        n = 3 * n + 1;
                    }
                    steps += 1;
                }
                if n == 0 { return u32::MAX }
                steps
            }
            #[hostcall(inline)]
            fn find(&mut self, memory: &mut Memory<'_>, cache: &mut Cache, key: u32) -> u32 {
                assert!(key != 0, "a key is not zero");
                let slot = key as usize % cache.keys.len();
                if cache.keys[slot] == key {
                    cache.hits[slot] += 1;
                    return memory.load(key);
                }
                self.slow(key)
            }
            fn slow(&mut self, key: u32) -> Result<u32, Error> { Ok(key) }
        }"#;
    let attr = "name = \"env\"".parse().unwrap();
    let tokens = hostcall_bindgen::host_module(attr, block.parse().unwrap());
    expect_file!["expansion/inline.rs"].assert_eq(&pretty(tokens));
}

#[test]
fn host_state() {
    let item = "#[repr(C)] struct Cache { pub keys: [u32; 16], inner: Counters }";
    let tokens = hostcall_bindgen::host_state(item.parse().unwrap());
    expect_file!["expansion/host_state.rs"].assert_eq(&pretty(tokens));
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
