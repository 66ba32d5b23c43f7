//! Secrets are compared and exposed, and nothing else.

mod common;

use common::instance;
use hostcall::{Host, HostModule, Secret, ct, host_module};
use proptest::prelude::*;

const TOKEN: &[u8] = b"correct horse battery staple";

struct App {
    token: Secret,
}

#[host_module(name = "env")]
impl App {
    fn check(&self, token: &[u8]) -> bool {
        self.token.matches(token)
    }
}

const GUEST: &str = r#"(module
    (import "env" "check" (func $check (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "correct horse battery staple!")
    (func (export "run") (param i32 i32) (result i32)
        (call $check (local.get 0) (local.get 1))))"#;

#[test]
fn a_guest_may_ask_whether_bytes_match() {
    let mut host = Host::new();
    App::add_to_host(&mut host, |app| app);
    let token = Secret::from(TOKEN);
    let mut guest = instance(&host, GUEST, App { token });
    let run = guest.export::<(u32, u32), bool>("run").unwrap();
    let mut check = |at, length| run.call(&mut guest, (at, length)).unwrap();
    assert!(check(8, 28));
    assert!(!check(8, 29));
    assert!(!check(8, 27));
    assert!(!check(8, 0));
    assert!(!check(9, 28));
}

#[test]
fn every_byte_counts() {
    let secret = Secret::from(TOKEN);
    for at in 0..TOKEN.len() {
        for bit in 0..8 {
            let mut near = TOKEN.to_vec();
            near[at] ^= 1 << bit;
            assert!(!secret.matches(&near), "bit {bit} of byte {at}");
        }
    }
    assert!(secret.matches(TOKEN));
    assert!(Secret::from(Vec::new()).matches(b""));
}

#[test]
fn it_holds_what_it_was_made_from() {
    let text = "token";
    for secret in [
        Secret::from(text),
        Secret::from(b"token"),
        Secret::from(text.as_bytes()),
        Secret::from(text.to_owned()),
        Secret::from(text.as_bytes().to_vec()),
    ] {
        assert_eq!(secret.expose(), b"token");
    }
}

#[test]
fn it_does_not_print() {
    let secret = Secret::from("token");
    assert_eq!(format!("{secret:?}"), "Secret(..)");
    assert_eq!(format!("{secret:#?}"), "Secret(..)");
    assert_eq!(format!("{:?}", Some(secret)), "Some(Secret(..))");
}

proptest! {
    #[test]
    fn equal_means_equal(a: Vec<u8>, b: Vec<u8>, at: prop::sample::Index) {
        prop_assert_eq!(ct::eq(&a, &b), a == b);
        let mut near = a.clone();
        prop_assert!(ct::eq(&a, &near));
        if !a.is_empty() {
            near[at.index(a.len())] ^= 1;
            prop_assert!(!ct::eq(&a, &near));
        }
    }
}
