//! Bytes made to hurt, where linking takes bytes: errors, no panic, no hang, no
//! unbounded memory.

mod generate;
mod random;

use arbitrary::Unstructured;
use generate::{Case, Proposals};
use hostcall_link::{Budget, LinkOptions, Linked, ModuleInfo, Provider, Replacement, check, link};
use random::Random;

/// Changes a few bytes, most often to ones that mean something.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.next() % 4 {
        let at = random.next() as usize % bytes.len().max(1);
        let value = match random.next() % 4 {
            0 => [0x7f, 0xff, 0x80, 0x0b][random.next() as usize % 4],
            1 => random.next() as u8,
            _ => random.next() as u8 % 16,
        };
        match random.next() % 8 {
            0 => bytes.insert(at, value),
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            _ => bytes[at] = value,
        }
        if bytes.is_empty() {
            return;
        }
    }
}

fn cases(seed: u64, count: usize) -> impl Iterator<Item = Case> {
    let mut random = Random(seed);
    (0..count).filter_map(move |_| {
        let bytes = random.bytes(3000);
        Case::generate(&mut Unstructured::new(&bytes), Proposals::All).ok()
    })
}

#[test]
fn damaged_guests() {
    let mut random = Random(3);
    let mut survivors = 0;
    for case in cases(4, 60) {
        let providers = case.parsed();
        for _ in 0..20 {
            let mut guest = case.guest.clone();
            damage(&mut guest, &mut random);
            let _ = ModuleInfo::parse(&guest);
            survivors += u32::from(link(&guest, &case.options(&providers)).is_ok());
        }
    }
    assert!(survivors > 50, "{survivors}");
}

#[test]
fn damaged_providers() {
    let mut random = Random(5);
    let mut survivors = 0;
    for case in cases(6, 60) {
        for _ in 0..20 {
            let mut damaged = Vec::new();
            for provider in &case.providers {
                let mut bytes = provider.clone();
                damage(&mut bytes, &mut random);
                let parsed = Provider::parse(&bytes).or_else(|_| Provider::parse(provider));
                damaged.push(parsed.expect("the original can be parsed"));
            }
            let mut options = case.options(&damaged);
            // A function whose export is gone is no function to ask for.
            let there = |it: &Replacement<'_>| it.provider.function(it.function).is_some();
            options.replacements.retain(there);
            survivors += u32::from(link(&case.guest, &options).is_ok());
        }
    }
    assert!(survivors > 50, "{survivors}");
}

/// The checker refuses nearly all damage, and survives all of it.
#[test]
fn damaged_linked_modules() {
    let mut random = Random(7);
    let (mut accepted, mut refused) = (0, 0);
    for case in cases(8, 60) {
        let providers = case.parsed();
        let options = case.options(&providers);
        let linked = link(&case.guest, &options).expect("a case that links");
        for _ in 0..20 {
            let mut bytes = linked.bytes.clone();
            damage(&mut bytes, &mut random);
            let same = bytes == linked.bytes;
            let damaged = Linked {
                bytes,
                ..linked.clone()
            };
            match check(&case.guest, &options, &damaged) {
                Ok(()) if !same => accepted += 1,
                Ok(()) => {}
                Err(_) => refused += 1,
            }
        }
    }
    // What is left means the same: names of what was added, padded numbers.
    assert!(
        accepted * 100 < refused,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn random_bytes() {
    let mut random = Random(9);
    let provider = provider("(module (func (export \"f\")))");
    for _ in 0..3000 {
        let length = random.next() as usize % 200;
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        bytes.truncate(random.next() as usize % 12);
        bytes.extend(random.bytes(length));
        let _ = ModuleInfo::parse(&bytes);
        let _ = Provider::parse(&bytes);
        let _ = link(&bytes, &options(&provider));
    }
}

fn provider(wat: &str) -> Provider {
    Provider::parse(&wat::parse_str(wat).expect("valid text")).expect("a provider")
}

/// Replaces import 0 by `f`, without bounds of ours.
fn options(provider: &Provider) -> LinkOptions<'_> {
    LinkOptions {
        replacements: vec![Replacement {
            import: 0,
            provider,
            function: "f",
            call_sites: true,
        }],
        budget: Budget {
            body: u32::MAX,
            function: u32::MAX,
        },
        ..LinkOptions::default()
    }
}

const GUEST: &str = r#"(module
    (import "env" "f" (func $f))
    (func (export "run") (call $f) (call $f)))"#;

fn link_with(provider: &Provider) {
    let guest = wat::parse_str(GUEST).expect("valid text");
    let options = options(provider);
    let linked = link(&guest, &options).expect("a guest that links");
    if let Err(error) = check(&guest, &options, &linked) {
        assert!(!error.is_certain(), "{error}");
    }
}

/// Each calls the next twice: written out, more than there are atoms.
#[test]
fn bodies_that_double() {
    let mut text = String::from("(module (func (export \"f\") (call 1) (call 1))");
    for next in 2..40 {
        text += &format!("(func (call {next}) (call {next}))");
    }
    link_with(&provider(&(text + "(func nop))")));
}

/// Each calls the next once: deeper than any stack.
#[test]
fn bodies_in_a_long_chain() {
    let mut text = String::from("(module (func (export \"f\") (call 1))");
    for next in 2..20_000 {
        text += &format!("(func (call {next}))");
    }
    link_with(&provider(&(text + "(func nop))")));
}

/// Each calls itself and all others.
#[test]
fn bodies_that_call_each_other() {
    let calls: String = (0..40).map(|callee| format!("(call {callee})")).collect();
    let mut text = format!("(module (func (export \"f\") {calls})");
    for _ in 1..40 {
        text += &format!("(func {calls})");
    }
    link_with(&provider(&(text + ")")));
}

#[test]
fn deep_nesting_in_bodies() {
    let depth = 20_000;
    let (open, close) = ("block ".repeat(depth), "end ".repeat(depth));
    let text = format!("(module (func (export \"f\") {open} return {close}))");
    link_with(&provider(&text));
}

#[test]
fn very_many_locals() {
    let locals = "i64 ".repeat(49_000);
    let text = format!(
        "(module (func (export \"f\") (local {locals}) (drop (local.get 48999)) (return)))"
    );
    link_with(&provider(&text));
}

#[test]
fn very_many_call_sites() {
    let calls = "(call $f)".repeat(100_000);
    let guest = format!("(module (import \"env\" \"f\" (func $f)) (func {calls}))");
    let guest = wat::parse_str(guest).expect("valid text");
    let body = "(nop)".repeat(1000);
    let provider = provider(&format!("(module (func (export \"f\") {body}))"));
    let linked = link(&guest, &options(&provider)).expect("a guest that links");
    assert!(linked.bytes.len() < 100 << 20);
    assert!(linked.replaced[0].expanded < linked.replaced[0].call_sites);
}
