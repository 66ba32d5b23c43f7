//! What is borrowed from guest memory is not copied, and calls do not
//! allocate. A binary of its own, because it counts allocations.

#![expect(unsafe_code, reason = "an allocator that counts")]

mod common;

use common::*;
use hostcall::{Error, Guest, GuestPtr, GuestSlice, GuestType, Host, Instance, Value};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::CStr;

/// Counts the allocations of each thread, and the most bytes it had at once.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // Threads that are ending have no counters any more.
    let _ = BYTES.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(now.get())));
    });
}

// SAFETY: forwards to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
        count(layout.size() as isize);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// The most bytes that `run` needs more than are allocated before it.
fn peak<R>(run: impl FnOnce() -> R) -> (R, usize) {
    let before = BYTES.get();
    MOST.set(before);
    let result = run();
    (result, (MOST.get() - before) as usize)
}

#[derive(GuestType, Clone, Copy, Debug)]
#[repr(C)]
struct Point {
    x: f64,
    y: f64,
}

/// What the host functions have seen, in place.
#[derive(Default)]
struct Seen {
    calls: u32,
    allocations: u64,
    sum: f64,
    addresses: [usize; 4],
}

impl Seen {
    fn see(&mut self, index: usize, address: *const u8) {
        self.addresses[index] = address as usize;
        self.calls += 1;
        self.allocations = allocations();
    }
}

fn host() -> Host<Seen> {
    let mut host = Host::<Seen>::new();
    host.func_with_state("env", "text", |seen: &mut Seen, text: &str| {
        assert_eq!(text, "hello");
        seen.see(0, text.as_ptr());
    });
    host.func_with_state("env", "sum", |seen: &mut Seen, list: &[f64]| {
        seen.sum += list.iter().sum::<f64>();
        seen.see(1, list.as_ptr().cast());
    });
    host.func_with_state("env", "scale", {
        |seen: &mut Seen, list: &mut [f64], by: f64, text: &CStr| {
            list.iter_mut().for_each(|n| *n *= by);
            assert_eq!(text, c"hello");
            seen.see(2, list.as_ptr().cast());
        }
    });
    host.func_with_state(
        "env",
        "point",
        |seen: &mut Seen, point: &mut Point, other: &Point| {
            point.x += other.y;
            seen.see(3, std::ptr::from_ref(point).cast());
        },
    );
    host.func_with_state(
        "env",
        "scalars",
        |seen: &mut Seen, a: i32, b: u64, c: f32, d: bool| {
            seen.calls += 1;
            if d { a as f64 + b as f64 } else { f64::from(c) }
        },
    );
    host
}

const GUEST: &str = r#"(module
    (import "env" "text" (func $text (param i32 i32)))
    (import "env" "sum" (func $sum (param i32 i32)))
    (import "env" "scale" (func $scale (param i32 i32 f64 i32)))
    (import "env" "point" (func $point (param i32 i32)))
    (import "env" "scalars" (func $scalars (param i32 i64 f32 i32) (result f64)))
    (memory (export "memory") 1)
    (data (i32.const 16) "hello\00")
    (func (export "run") (param $n i32)
        (loop $again
            (call $text (i32.const 16) (i32.const 5))
            (call $sum (i32.const 64) (i32.const 100))
            (call $scale (i32.const 1024) (i32.const 100) (f64.const 1.5) (i32.const 16))
            (call $point (i32.const 4096) (i32.const 4112))
            (drop (call $scalars (i32.const 1) (i64.const 2) (f32.const 3) (i32.const 1)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n))))
    (func (export "add") (param i32 f64 i64) (result f64)
        (f64.add (f64.convert_i32_s (local.get 0)) (local.get 1)))
    (func (export "swap") (param i32 i64) (result i64 i32) (local.get 1) (local.get 0)))"#;

fn seen() -> Instance<Seen> {
    instance(&host(), GUEST, Seen::default())
}

#[test]
fn host_functions_that_borrow_allocate_nothing() {
    let mut guest = seen();
    let run = guest.export::<u32, ()>("run").expect("it fits");
    // What is found on first use is found here.
    run.call(&mut guest, 1).expect("it runs");
    let before = allocations();
    run.call(&mut guest, 1000).expect("it runs");
    assert_eq!(allocations(), before);
    assert_eq!(guest.state().calls, 5005);
    assert_eq!(guest.state().allocations, before);
}

#[test]
fn exports_of_scalars_allocate_nothing() {
    let mut guest = seen();
    let add = guest
        .export::<(i32, f64, u64), f64>("add")
        .expect("it fits");
    let swap = guest
        .export::<(u32, u64), (u64, u32)>("swap")
        .expect("it fits");
    add.call(&mut guest, (1, 2.0, 3)).expect("it runs");
    let before = allocations();
    for n in 0..1000 {
        assert_eq!(
            add.call(&mut guest, (n, 0.5, 3)).expect("it runs"),
            f64::from(n) + 0.5
        );
        assert_eq!(swap.call(&mut guest, (7, 8)).expect("it runs"), (8, 7));
    }
    assert_eq!(allocations(), before);
}

#[test]
fn dynamic_exports_of_scalars_allocate_nothing() {
    let mut guest = seen();
    let add = guest.export_dynamic("add").expect("it exists");
    let args = [Value::S32(1), Value::F64(0.5), Value::S64(3)];
    let mut results = [Value::F64(0.0)];
    add.call(&mut guest, &args, &mut results).expect("it runs");
    let before = allocations();
    for _ in 0..1000 {
        add.call(&mut guest, &args, &mut results).expect("it runs");
    }
    assert_eq!(allocations(), before);
    assert_eq!(results, [Value::F64(1.5)]);
}

#[test]
fn what_is_borrowed_lies_in_guest_memory() {
    let mut guest = seen();
    let numbers: Vec<u8> = (0..100).flat_map(|n| f64::from(n).to_le_bytes()).collect();
    poke(&mut guest, 64, &numbers);
    poke(&mut guest, 1024, &numbers);
    poke(
        &mut guest,
        4096,
        &[1.0_f64, 0.0, 0.0, 2.0].map(f64::to_le_bytes).concat(),
    );
    let run = guest.export::<u32, ()>("run").expect("it fits");
    run.call(&mut guest, 2).expect("it runs");
    let base = guest.guest(|guest| guest.memory().expect("it has a memory").as_ptr() as usize);
    assert_eq!(
        guest.state().addresses.map(|at| at - base),
        [16, 64, 1024, 4096]
    );
    assert_eq!(guest.state().sum, 2.0 * 4950.0);
    let scaled = bytes(&mut guest, 1024 + 8 * 10, 8);
    assert_eq!(scaled, (10.0_f64 * 1.5 * 1.5).to_le_bytes());
    assert_eq!(bytes(&mut guest, 4096, 8), 5.0_f64.to_le_bytes());
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Sample {
    channel: u32,
    value: f64,
    valid: bool,
}

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Pair(Sample, Sample);

/// A sample as the guest has it: 24 bytes, those between fields are not zero.
fn sample(channel: u32, value: f64) -> Vec<u8> {
    let mut bytes = vec![0xaa; 24];
    bytes[..4].copy_from_slice(&channel.to_le_bytes());
    bytes[8..16].copy_from_slice(&value.to_le_bytes());
    bytes[16] = 1;
    bytes
}

type Read = Vec<(usize, Sample)>;

/// A guest that passes an address and a number to `env.f`, and has samples in
/// memory from 64 on.
fn samples(host: &Host<Read>) -> Instance<Read> {
    let memory = r#"(memory (export "memory") 1)"#;
    let mut guest = instance(host, &forwarder("i32 i32", "", memory), Vec::new());
    poke(&mut guest, 64, &sample(1, 0.5));
    poke(&mut guest, 88, &sample(2, 1.5));
    guest
}

#[test]
fn structs_with_padding_are_read_in_place() {
    let mut host = Host::<Read>::new();
    host.func_with_state("env", "f", |read: &mut Read, one: &Sample, pair: &Pair| {
        let all = [one, &pair.0, &pair.1].into_iter();
        read.extend(all.map(|sample| (std::ptr::from_ref(sample) as usize, *sample)));
    });
    let mut guest = samples(&host);
    guest.call("run", &[w(88), w(64)]).expect("it is valid");
    let base = guest.guest(|guest| guest.memory().expect("it has a memory").as_ptr() as usize);
    let sample = |channel, value| Sample {
        channel,
        value,
        valid: true,
    };
    let (first, second) = (sample(1, 0.5), sample(2, 1.5));
    let read = guest.state();
    assert_eq!(
        *read,
        [(base + 88, second), (base + 64, first), (base + 88, second)]
    );
}

#[test]
fn slices_of_structs_with_padding_are_read_in_place() {
    let mut host = Host::<Read>::new();
    host.func_with_state("env", "f", |read: &mut Read, list: &[Sample]| {
        read.extend(list.iter().map(|sample| (list.as_ptr() as usize, *sample)));
    });
    let mut guest = samples(&host);
    guest.call("run", &[w(64), w(2)]).expect("it is valid");
    let base = guest.guest(|guest| guest.memory().expect("it has a memory").as_ptr() as usize);
    let read = guest.state();
    assert_eq!(read.len(), 2);
    assert!(read.iter().all(|(address, _)| *address == base + 64));
    assert_eq!(read[1].1.channel, 2);

    // Fields are still checked, and nothing else is.
    poke(&mut guest, 64 + 24 + 16, &[2]);
    let refused = fault(guest.call("run", &[w(64), w(2)]));
    assert!(
        matches!(refused, hostcall::Fault::BitPattern { pointer: 64, .. }),
        "{refused:?}"
    );
}

#[test]
fn structs_with_padding_are_read_through_the_guest() {
    let mut host = Host::<Read>::new();
    host.func(
        "env",
        "f",
        |guest: &mut Guest<'_, Read>, list: GuestSlice<Sample>| {
            let first = guest.read(GuestPtr::<Sample>::new(64))?;
            let sum: f64 = guest.read_slice(list)?.iter().map(|s| s.value).sum();
            guest.state_mut().push((sum as usize, first));
            Ok::<_, Error>(())
        },
    );
    let mut guest = samples(&host);
    guest.call("run", &[w(64), w(2)]).expect("it is valid");
    let (sum, first) = guest.state()[0];
    assert_eq!((sum, first.channel, first.value), (2, 1, 0.5));
}

#[test]
fn padding_of_the_host_stays_there() {
    let mut host = Host::<()>::new();
    host.func("env", "f", || {
        let sample = Sample {
            channel: 1,
            value: 0.5,
            valid: true,
        };
        vec![
            sample,
            Sample {
                channel: 2,
                value: 1.5,
                ..sample
            },
        ]
    });
    let guest = r#"(module
        (import "env" "f" (func $f (param i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
        (func (export "run") (call $f (i32.const 16))))"#;
    let mut guest = instance(&host, guest, ());
    poke(&mut guest, 64, &[0xaa; 48]);
    guest.call("run", &[]).expect("it is valid");
    let expected = [sample(1, 0.5), sample(2, 1.5)].concat();
    assert_eq!(bytes(&mut guest, 64, 48), expected);
}

/// A list of `outer` lists that are all the same `inner` elements.
fn nested(guest: &mut Instance<()>, outer: u32, inner: u32) -> Result<(), Error> {
    let item = [0x1_0000, inner].map(u32::to_le_bytes).concat();
    poke(guest, 0, &item.repeat(outer as usize));
    guest.call("run", &[w(0), w(outer)]).map(drop)
}

fn two_pages(signature: &str) -> Instance<()> {
    let mut host = Host::<()>::new();
    let signature = signature.parse().expect("a signature");
    host.func_dynamic("env", "f", signature, |_, _, _| Ok::<_, Error>(()));
    let memory = r#"(memory (export "memory") 2)"#;
    instance(&host, &forwarder("i32 i32", "", memory), ())
}

// Records, tuples, options and variants are charged for their own values.
#[test]
fn dynamic_values_cost_what_they_are_charged() {
    let fields = vec!["u8"; 32].join(", ");
    let mut guest = two_pages(&format!("func(l: list<list<tuple<{fields}>>>)"));
    nested(&mut guest, 2, 16).expect("it fits");
    // 2048 tuples in a page, 130 lists of them: 9 MB are charged.
    let (result, most) = peak(|| nested(&mut guest, 130, 2048));
    let limit = 128 << 20;
    assert!(most <= limit + (limit >> 2), "{most} bytes, {result:?}");
}

#[test]
fn what_is_copied_is_limited() {
    let mut guest = two_pages("func(l: list<list<u8>>)");
    let (result, most) = peak(|| nested(&mut guest, 8000, 65536));
    result.expect_err("it is too large");
    let limit = 128 << 20;
    assert!(most <= limit + (limit >> 2), "{most} bytes");
}

#[test]
fn lists_are_not_allocated_before_they_are_checked() {
    let mut guest = two_pages("func(l: list<u64>)");
    let (result, most) = peak(|| guest.call("run", &[w(0), w(u32::MAX)]));
    result.expect_err("it lies outside");
    assert!(most < 1 << 20, "{most} bytes");
}
