//! Async functions that `#[host_module]` takes: what they borrow, while they wait.

#![deny(warnings)]

use hostcall::{
    AsyncGuest, Crossing, Error, ErrorKind, Guest, GuestPtr, GuestSlice, GuestStr, GuestType, Host,
    HostModule, Instance, host_module,
};
use std::num::NonZeroI32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Default)]
struct App {
    seen: Vec<String>,
    /// How many borrows are held.
    held: Arc<AtomicUsize>,
    turns: Turns,
}

/// What functions wait for that are dropped in between.
#[derive(Clone)]
struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Turns(Arc::new(Semaphore::new(0)))
    }
}

impl Turns {
    async fn next(&self) {
        self.0.acquire().await.unwrap().forget();
    }
}

/// Counts what is held while a function waits.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn new(held: &Arc<AtomicUsize>) -> Held {
        held.fetch_add(1, Relaxed);
        Held(held.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[derive(Debug)]
struct Refused(u32);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is refused", self.0)
    }
}

impl std::error::Error for Refused {}

#[host_module(name = "env")]
impl App {
    async fn twice(n: u32) -> u32 {
        yield_now().await;
        2 * n
    }

    async fn shared(&self, text: &str, list: &[u32]) -> u32 {
        let before = (text.to_owned(), list.to_vec());
        for _ in 0..3 {
            yield_now().await;
        }
        assert_eq!((text, list), (&*before.0, &*before.1));
        text.len() as u32 + list.iter().sum::<u32>() + self.seen.len() as u32
    }

    async fn exclusive(&mut self, text: &str) {
        let seen = &mut self.seen;
        yield_now().await;
        seen.push(text.to_owned());
        yield_now().await;
        seen.push(text.to_uppercase());
    }

    async fn sort(list: &mut [u32]) {
        for end in (1..list.len()).rev() {
            yield_now().await;
            for i in 0..end {
                if list[i] > list[i + 1] {
                    list.swap(i, i + 1);
                }
            }
        }
    }

    async fn mirror(from: &Point, to: &mut Point) {
        yield_now().await;
        (to.x, to.y) = (from.y, from.x);
    }

    /// Waits `n` turns, holding a borrow of the state and one of the guest.
    async fn hold(&mut self, list: &mut [u8], n: u32) -> Result<u32, Refused> {
        let held = Held::new(&self.held);
        for _ in 0..n {
            self.turns.next().await;
            list[0] += 1;
        }
        drop(held);
        match n {
            4 => Err(Refused(n)),
            n => Ok(n),
        }
    }

    async fn name(&self, id: u32) -> Result<String, Error> {
        yield_now().await;
        match id {
            0 => Err(Error::msg("nobody has this number")),
            id => Ok(format!("user {id}")),
        }
    }

    #[hostcall(errno)]
    async fn find(&mut self, key: &str) -> Result<u32, NonZeroI32> {
        yield_now().await;
        match key.len() {
            5 => Ok(55),
            length => Err(NonZeroI32::new(length as i32).unwrap()),
        }
    }

    async fn guest(
        guest: &mut AsyncGuest<'_, Self>,
        text: GuestStr,
        list: GuestSlice<u32>,
        point: GuestPtr<Point>,
        owned: String,
    ) -> Result<u32, Error> {
        yield_now().await;
        let read = guest.read_str(text)?.to_owned();
        assert_eq!(read, owned);
        guest.slice_mut(list)?[0] += 1;
        yield_now().await;
        guest.write(point, Point { x: 7, y: 8 })?;
        guest.grow(1)?;
        yield_now().await;
        let sum = guest.read_slice(list)?.iter().sum::<u32>();
        guest.state_mut().seen.push(read);
        yield_now().await;
        Ok(sum)
    }

    #[hostcall(reentrant)]
    async fn visit(guest: &mut AsyncGuest<'_, Self>, n: u32) -> Result<u32, Error> {
        let done = guest.export::<u32, u32>("visited")?;
        yield_now().await;
        let once = done.call_in(guest, n)?;
        yield_now().await;
        done.call_in(guest, once)
    }

    #[hostcall(reentrant)]
    fn nested(guest: &mut Guest<'_, Self>) -> Result<u32, Error> {
        guest.export::<u32, u32>("twice")?.call_in(guest, 1)
    }

    #[hostcall(reentrant)]
    async fn nested_async(guest: &mut AsyncGuest<'_, Self>) -> Result<u32, Error> {
        guest.export::<u32, u32>("twice")?.call_in(guest, 1)
    }

    #[hostcall(deferred)]
    fn later(&mut self, n: u32) {
        self.seen.push(format!("later {n}"));
    }

    async fn marked(&mut self) {
        self.seen.push("marked".to_owned());
        self.turns.next().await;
        self.seen.push("marked again".to_owned());
    }
}

const GUEST: &str = r#"(module
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (import "env" "shared" (func $shared (param i32 i32 i32 i32) (result i32)))
    (import "env" "exclusive" (func $exclusive (param i32 i32)))
    (import "env" "sort" (func $sort (param i32 i32)))
    (import "env" "mirror" (func $mirror (param i32 i32)))
    (import "env" "hold" (func $hold (param i32 i32 i32) (result i32)))
    (import "env" "name" (func $name (param i32 i32)))
    (import "env" "find" (func $find (param i32 i32 i32) (result i32)))
    (import "env" "guest" (func $guest (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "visit" (func $visit (param i32) (result i32)))
    (import "env" "nested" (func $nested (result i32)))
    (import "env" "nested_async" (func $nested_async (result i32)))
    (import "env" "later" (func $later (param i32)))
    (import "env" "marked" (func $marked))
    (memory (export "memory") 1)
    (data (i32.const 8) "hello")
    (data (i32.const 16) "\05\00\00\00\02\00\00\00\09\00\00\00\01\00\00\00")
    (data (i32.const 32) "\01\00\00\00\02\00\00\00")
    (global $heap (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $heap)
        (global.set $heap (i32.add (global.get $heap) (local.get 3))))
    (func (export "twice") (param i32) (result i32) (call $twice (local.get 0)))
    (func (export "shared") (result i32)
        (call $shared (i32.const 8) (i32.const 5) (i32.const 16) (i32.const 4)))
    (func (export "exclusive") (call $exclusive (i32.const 8) (i32.const 5)))
    (func (export "sort") (param i32 i32) (result i32)
        (call $sort (local.get 0) (local.get 1))
        (i32.load (i32.const 16)))
    (func (export "mirror") (param i32 i32) (call $mirror (local.get 0) (local.get 1)))
    (func (export "hold") (param i32) (result i32)
        (call $hold (i32.const 64) (i32.const 1) (local.get 0)))
    (func (export "name") (param i32) (result i32)
        (call $name (local.get 0) (i32.const 128))
        (i32.load (i32.const 132)))
    (func (export "find") (param i32) (result i32)
        (call $find (i32.const 8) (local.get 0) (i32.const 256)))
    (func (export "guest") (result i32)
        (call $guest (i32.const 8) (i32.const 5) (i32.const 16) (i32.const 4) (i32.const 32)
            (i32.const 8) (i32.const 5)))
    (func (export "visit") (result i32) (call $visit (i32.const 5)))
    (func (export "visited") (param i32) (result i32)
        (i32.mul (local.get 0) (i32.const 3)))
    (func (export "nested") (result i32) (call $nested))
    (func (export "nested_async") (result i32) (call $nested_async))
    (func (export "deferred")
        (call $later (i32.const 1))
        (call $later (i32.const 2))
        (call $marked)
        (call $later (i32.const 3))))"#;

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
        .block_on(future)
}

async fn instance() -> Instance<App> {
    let mut host = Host::new();
    App::add_to_host(&mut host, |app| app);
    let program = host.program(GUEST.as_bytes()).unwrap();
    program.instantiate_async(App::default()).await.unwrap()
}

fn memory(instance: &mut Instance<App>, at: usize, len: usize) -> Vec<u8> {
    instance.guest(|guest| guest.memory().unwrap()[at..at + len].to_vec())
}

/// Polls a future so often, a turn each, then drops it.
async fn drop_after(polls: usize, turns: &Turns, future: impl Future) {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        let polled =
            std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready()));
        assert!(!polled.await);
        turns.0.add_permits(1);
    }
}

#[test]
fn all_of_them_are_async() {
    block_on(async {
        let instance = instance().await;
        for planned in &instance.program().plan().imports {
            let expected = match planned.import.name.as_str() {
                "later" => Crossing::Deferred,
                "nested" => Crossing::Call,
                _ => Crossing::Async,
            };
            assert_eq!(planned.crossing, Some(expected), "{}", planned.import.name);
        }
    });
}

#[test]
fn borrows_are_held_while_they_wait() {
    block_on(async {
        let mut instance = instance().await;
        let twice = instance.export::<u32, u32>("twice").unwrap();
        assert_eq!(twice.call_async(&mut instance, 21).await.unwrap(), 42);

        let exclusive = instance.export::<(), ()>("exclusive").unwrap();
        exclusive.call_async(&mut instance, ()).await.unwrap();
        assert_eq!(instance.state().seen, ["hello", "HELLO"]);

        let shared = instance.export::<(), u32>("shared").unwrap();
        let sum = shared.call_async(&mut instance, ()).await.unwrap();
        assert_eq!(sum, 5 + 17 + 2);
    });
}

#[test]
fn the_guest_sees_what_is_written_after_an_await() {
    block_on(async {
        let mut instance = instance().await;
        let sort = instance.export::<(u32, u32), u32>("sort").unwrap();
        assert_eq!(sort.call_async(&mut instance, (16, 4)).await.unwrap(), 1);
        let sorted = [1u32, 2, 5, 9].map(u32::to_le_bytes).concat();
        assert_eq!(memory(&mut instance, 16, 16), sorted);

        let mirror = instance.export::<(u32, u32), ()>("mirror").unwrap();
        mirror.call_async(&mut instance, (32, 40)).await.unwrap();
        let mirrored = [2u32, 1].map(u32::to_le_bytes).concat();
        assert_eq!(memory(&mut instance, 40, 8), mirrored);
    });
}

#[test]
fn borrows_are_checked_before_anything_waits() {
    block_on(async {
        let mut instance = instance().await;
        let sort = instance.export::<(u32, u32), u32>("sort").unwrap();
        for (pointer, length) in [(16, u32::MAX), (0x1_0000, 1), (17, 1)] {
            let error = sort.call_async(&mut instance, (pointer, length)).await;
            assert!(error.unwrap_err().fault().is_some(), "{pointer} {length}");
        }
        // One of the two is mutable.
        let mirror = instance.export::<(u32, u32), ()>("mirror").unwrap();
        let error = mirror.call_async(&mut instance, (32, 36)).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error.fault(), Some(hostcall::Fault::Overlap { .. })),
            "{error}"
        );
    });
}

#[test]
fn results_are_put_into_the_guest() {
    block_on(async {
        let mut instance = instance().await;
        let name = instance.export::<u32, u32>("name").unwrap();
        assert_eq!(name.call_async(&mut instance, 12).await.unwrap(), 7);
        assert_eq!(memory(&mut instance, 1024, 7), b"user 12");
        let error = name.call_async(&mut instance, 0).await.unwrap_err();
        let says = "host function `env.name` failed: nobody has this number; guest backtrace:";
        assert!(error.to_string().starts_with(says), "{error}");
    });
}

#[test]
fn errors_keep_their_type() {
    block_on(async {
        let mut instance = instance().await;
        instance.state().turns.0.add_permits(7);
        let hold = instance.export::<u32, u32>("hold").unwrap();
        assert_eq!(hold.call_async(&mut instance, 3).await.unwrap(), 3);
        let error = hold.call_async(&mut instance, 4).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Refused>().unwrap().0, 4);
        assert_eq!(error.import(), Some(("env", "hold")));
    });
}

#[test]
fn the_guest_gets_errors() {
    block_on(async {
        let mut instance = instance().await;
        let find = instance.export::<u32, i32>("find").unwrap();
        assert_eq!(find.call_async(&mut instance, 5).await.unwrap(), 0);
        assert_eq!(memory(&mut instance, 256, 4), 55u32.to_le_bytes());
        assert_eq!(find.call_async(&mut instance, 3).await.unwrap(), 3);
    });
}

#[test]
fn a_call_is_dropped_while_it_borrows() {
    block_on(async {
        let mut instance = instance().await;
        let (held, turns) = (
            instance.state().held.clone(),
            instance.state().turns.clone(),
        );
        let hold = instance.export::<u32, u32>("hold").unwrap();
        for polls in 1..6 {
            instance.guest(|guest| guest.memory().unwrap()[64] = 0);
            drop_after(polls, &turns, hold.call_async(&mut instance, 10)).await;
            assert_eq!(held.load(Relaxed), 0, "{polls}");
            // It has written as far as it came.
            assert_eq!(memory(&mut instance, 64, 1), [polls as u8 - 1]);
            turns.0.add_permits(1);
            assert_eq!(hold.call_async(&mut instance, 2).await.unwrap(), 2);
        }
    });
}

#[test]
fn the_guest_can_be_used_between_awaits() {
    block_on(async {
        let mut instance = instance().await;
        let guest = instance.export::<(), u32>("guest").unwrap();
        assert_eq!(guest.call_async(&mut instance, ()).await.unwrap(), 18);
        assert_eq!(instance.state().seen, ["hello"]);
        let point = [7u32, 8].map(u32::to_le_bytes).concat();
        assert_eq!(memory(&mut instance, 32, 8), point);
        assert_eq!(
            instance.guest(|guest| guest.memory().unwrap().len()),
            0x2_0000
        );
    });
}

#[test]
fn the_guest_can_be_called_between_awaits() {
    block_on(async {
        let mut instance = instance().await;
        let visit = instance.export::<(), u32>("visit").unwrap();
        assert_eq!(visit.call_async(&mut instance, ()).await.unwrap(), 45);
    });
}

#[test]
fn nothing_waits_within_another_host_function() {
    block_on(async {
        let mut instance = instance().await;
        for name in ["nested", "nested_async"] {
            let nested = instance.export::<(), u32>(name).unwrap();
            let error = nested.call_async(&mut instance, ()).await.unwrap_err();
            let says = "the guest cannot be suspended here";
            assert!(error.to_string().contains(says), "{error}");
        }
        let twice = instance.export::<u32, u32>("twice").unwrap();
        assert_eq!(twice.call_async(&mut instance, 2).await.unwrap(), 4);
    });
}

#[test]
fn a_map_is_refused() {
    let mut host = Host::new();
    App::add_to_host(&mut host, |app| app);
    host.map_export("twice");
    let program = host.program(GUEST.as_bytes()).unwrap();
    let mut instance = program.instantiate(App::default()).unwrap();
    let error = instance.map::<u32, u32>("twice", &[1, 2], &mut [0; 2]);
    let error = error.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Async(_)), "{error:?}");
}

#[test]
fn deferred_calls_come_before_what_waits() {
    block_on(async {
        let mut instance = instance().await;
        let turns = instance.state().turns.clone();
        turns.0.add_permits(1);
        let run = instance.export::<(), ()>("deferred").unwrap();
        run.call_async(&mut instance, ()).await.unwrap();
        let seen = ["later 1", "later 2", "marked", "marked again", "later 3"];
        assert_eq!(instance.state().seen, seen);

        // Dropped while `marked` waits: what was queued before it was delivered.
        instance.state_mut().seen.clear();
        drop_after(1, &turns, run.call_async(&mut instance, ())).await;
        assert_eq!(instance.state().seen, &seen[..3]);
        assert!(instance.undelivered().is_empty());
        run.call_async(&mut instance, ()).await.unwrap();
        assert_eq!(instance.state().seen[3..], seen);
    });
}

#[test]
fn a_synchronous_call_says_what_to_do() {
    let mut instance = block_on(instance());
    let twice = instance.export::<u32, u32>("twice").unwrap();
    let error = twice.call(&mut instance, 1).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Async(_)), "{error:?}");
}

#[test]
fn a_plain_linker_cannot_suspend_guests() {
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::<App>::new(&engine);
    let error = App::add_to_linker(&mut linker, |app| app).unwrap_err();
    let says = "`env.twice` is async, and only guests linked by `Host::program` can be suspended";
    assert!(error.to_string().contains(says), "{error}");
}

macro_rules! module_of {
    ($name:ident, $ty:ty) => {
        #[host_module(name = "other")]
        impl Other {
            async fn $name(&self, list: &[$ty]) -> u32 {
                yield_now().await;
                list.len() as u32
            }
        }
    };
}

struct Other;
module_of!(count, Point);

#[test]
fn names_and_types_may_come_from_macros() {
    let mut host = Host::new();
    Other::add_to_host(&mut host, |other| other);
    let program = host.program(
        br#"(module
            (import "other" "count" (func $count (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "run") (result i32) (call $count (i32.const 0) (i32.const 3))))"#,
    );
    let program = program.unwrap();
    block_on(async {
        let mut instance = program.instantiate_async(Other).await.unwrap();
        let run = instance.export::<(), u32>("run").unwrap();
        assert_eq!(run.call_async(&mut instance, ()).await.unwrap(), 3);
    });
}
