//! Of a secret that was dropped nothing is left. A binary of its own, because it
//! looks at memory when it is given back.

#![expect(unsafe_code, reason = "an allocator that looks")]

use hostcall::{Host, Secret};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

/// Looks for bytes that are left in the allocation that a thread watches.
///
/// All memory starts as zeros: reading what was never written is no undefined
/// behaviour then. Growing and shrinking are `alloc` and `dealloc`, by default.
struct Watching;

thread_local! {
    static WATCHED: Cell<usize> = const { Cell::new(0) };
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

// SAFETY: forwards to the system's allocator.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // Threads that are ending watch nothing any more.
        if WATCHED.try_with(Cell::get) == Ok(pointer.addr()) {
            // SAFETY: the allocation is the caller's to give back, so nothing else
            // uses it, and all of it was initialised when it was made.
            let bytes = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            LEFT.set(Some(bytes.iter().filter(|byte| **byte != 0).count()));
            WATCHED.set(0);
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static WATCHING: Watching = Watching;

/// How many bytes are not zero where `bytes` are, when that is given back in
/// dropping `owner`.
#[track_caller]
fn left<T>(owner: T, bytes: impl FnOnce(&T) -> *const u8) -> usize {
    LEFT.set(None);
    WATCHED.set(bytes(&owner).addr());
    drop(black_box(owner));
    LEFT.take().expect("it was given back")
}

/// 16 bytes, and 48 behind them that the vector held once.
fn with_spare_capacity() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.resize(64, 0xa5);
    black_box(&mut bytes).truncate(16);
    bytes
}

fn place(secret: &Secret) -> *const u8 {
    secret.expose().as_ptr()
}

#[test]
fn memory_that_is_not_wiped_is_seen() {
    assert_eq!(left(with_spare_capacity(), |v| v.as_ptr()), 64);
}

#[test]
fn a_vector_is_taken_in_place_and_wiped_with_its_spare_capacity() {
    let bytes = with_spare_capacity();
    let before = bytes.as_ptr();
    let secret = Secret::from(bytes);
    assert_eq!(place(&secret), before);
    assert_eq!(left(secret, place), 0);
}

#[test]
fn a_string_is_taken_in_place_and_wiped() {
    let mut text = String::with_capacity(64);
    text.push_str("open sesame");
    let before = text.as_ptr();
    let secret = Secret::from(text);
    assert_eq!(place(&secret), before);
    assert_eq!(left(secret, place), 0);
}

#[test]
fn a_copy_is_wiped() {
    assert_eq!(left(Secret::from(&[0xa5; 64]), place), 0);
}

#[test]
fn a_secret_is_wiped_with_the_instance_whose_state_it_is() {
    let host = Host::<Secret>::new();
    let program = host.program(b"(module)").unwrap();
    let instance = program.instantiate(Secret::from(&[0xa5; 64])).unwrap();
    assert_eq!(left(instance, |instance| place(instance.state())), 0);
}
