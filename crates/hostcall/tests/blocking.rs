//! Host functions that run on threads of their own.

#![deny(warnings)]

use hostcall::{
    Crossing, Deadline, Error, ErrorKind, Guest, Host, HostModule, HostRef, Instance, Program,
    host_module,
};
use std::num::NonZeroI32;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::Duration;

/// A handle: its clones share what they hold.
#[derive(Clone, Default)]
struct App {
    seen: Arc<Mutex<Vec<String>>>,
    threads: Arc<Mutex<Vec<ThreadId>>>,
    gate: Arc<Mutex<Option<Receiver<()>>>>,
    over: Arc<Mutex<Option<Sender<bool>>>>,
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
    #[hostcall(blocking)]
    fn free(text: String, list: Vec<u16>, n: u32) -> u32 {
        text.len() as u32 + list.iter().map(|it| u32::from(*it)).sum::<u32>() + n
    }

    #[hostcall(blocking)]
    fn name(&self, id: u32) -> Result<String, Refused> {
        self.threads.lock().unwrap().push(thread::current().id());
        match id {
            0 => Err(Refused(id)),
            1 => panic!("one is too few"),
            _ => {
                self.seen.lock().unwrap().push(format!("name {id}"));
                Ok(format!("user {id}"))
            }
        }
    }

    /// Waits to be let through.
    #[hostcall(blocking)]
    fn gate(&self) {
        let gate = self.gate.lock().unwrap().take();
        gate.unwrap().recv().unwrap();
    }

    /// Goes on until nobody waits.
    #[hostcall(blocking)]
    fn until(&self, pause: u64, deadline: Deadline) -> u32 {
        let over = self.over.lock().unwrap().take().unwrap();
        over.send(deadline.is_over()).unwrap();
        assert_eq!(deadline.instant(), None);
        while !deadline.is_over() {
            thread::sleep(Duration::from_millis(pause));
        }
        over.send(true).unwrap();
        0
    }

    #[hostcall(blocking)]
    fn object(object: Option<HostRef<String>>) -> u32 {
        object.map_or(0, |object| object.len() as u32)
    }

    #[hostcall(blocking, errno)]
    fn half(n: u32) -> Result<u32, NonZeroI32> {
        match n % 2 {
            0 => Ok(n / 2),
            _ => Err(NonZeroI32::new(22).unwrap()),
        }
    }

    #[hostcall(deferred)]
    fn later(&mut self, n: u32) {
        self.seen.lock().unwrap().push(format!("later {n}"));
    }

    #[hostcall(reentrant)]
    fn nested(guest: &mut Guest<'_, Self>, id: u32) -> Result<u32, Error> {
        guest.export::<u32, u32>("name")?.call_in(guest, id)
    }
}

const GUEST: &str = r#"(module
    (import "env" "free" (func $free (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "name" (func $name (param i32 i32)))
    (import "env" "gate" (func $gate))
    (import "env" "until" (func $until (param i64) (result i32)))
    (import "env" "object" (func $object (param externref) (result i32)))
    (import "env" "half" (func $half (param i32 i32) (result i32)))
    (import "env" "later" (func $later (param i32)))
    (import "env" "nested" (func $nested (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "hello")
    (data (i32.const 16) "\01\00\02\01")
    (global $heap (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $heap)
        (global.set $heap (i32.add (global.get $heap) (local.get 3))))
    (func (export "free") (param i32 i32) (result i32)
        (call $free (local.get 0) (local.get 1) (i32.const 16) (i32.const 2) (i32.const 100)))
    (func $named (export "name") (param i32) (result i32)
        (call $later (local.get 0))
        (call $name (local.get 0) (i32.const 128))
        (i32.load (i32.const 132)))
    (func (export "gate") (call $gate))
    (func (export "until") (result i32) (call $until (i64.const 1)))
    (func (export "object") (param externref) (result i32) (call $object (local.get 0)))
    (func (export "half") (param i32) (result i32)
        (call $half (local.get 0) (i32.const 256)))
    (func (export "nested") (param i32) (result i32) (call $nested (local.get 0)))
    (func $start (drop (call $named (i32.const 9))))
    (start $start))"#;

fn program() -> Program<App> {
    let mut host = Host::new();
    App::add_to_host(&mut host, |app| app);
    host.program(GUEST.as_bytes()).unwrap()
}

fn instance() -> Instance<App> {
    program().instantiate(App::default()).unwrap()
}

/// One thread, which must not be blocked.
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn they_are_called_and_the_plan_says_so() {
    let program = program();
    let imports = &program.plan().imports;
    for planned in &imports[..6] {
        assert_eq!(planned.crossing, Some(Crossing::Call));
        assert_eq!(
            planned.reason,
            "a host function; runs on a thread of its own"
        );
    }
    assert_eq!(imports[7].reason, "a host function");
}

#[test]
fn a_synchronous_call_waits() {
    let mut instance = instance();
    let free = instance.export::<(u32, u32), u32>("free").unwrap();
    assert_eq!(free.call(&mut instance, (8, 5)).unwrap(), 5 + 259 + 100);
    let name = instance.export::<u32, u32>("name").unwrap();
    assert_eq!(name.call(&mut instance, 12).unwrap(), 7);
    let app = instance.state();
    // The start function has called it, too.
    let seen = ["later 9", "name 9", "later 12", "name 12"];
    assert_eq!(*app.seen.lock().unwrap(), seen);
    let here = thread::current().id();
    assert!(app.threads.lock().unwrap().iter().all(|id| *id != here));
}

#[test]
fn an_async_call_is_suspended() {
    block_on(async {
        let program = program();
        let mut instance = program.instantiate_async(App::default()).await.unwrap();
        let free = instance.export::<(u32, u32), u32>("free").unwrap();
        let sum = free.call_async(&mut instance, (8, 5)).await.unwrap();
        assert_eq!(sum, 5 + 259 + 100);
        let name = instance.export::<u32, u32>("name").unwrap();
        assert_eq!(name.call_async(&mut instance, 12).await.unwrap(), 7);
        let seen = ["later 9", "name 9", "later 12", "name 12"];
        assert_eq!(*instance.state().seen.lock().unwrap(), seen);

        // What lets it through runs on the same thread as the call.
        let (open, gate) = channel();
        instance.state().gate.lock().unwrap().replace(gate);
        let opening = tokio::spawn(async move { open.send(()).unwrap() });
        let gate = instance.export::<(), ()>("gate").unwrap();
        gate.call_async(&mut instance, ()).await.unwrap();
        opening.await.unwrap();
    });
}

#[test]
fn arguments_are_checked_before_it_runs() {
    let mut instance = instance();
    let free = instance.export::<(u32, u32), u32>("free").unwrap();
    for (pointer, length) in [(0xffff, 2), (8, u32::MAX)] {
        let error = free.call(&mut instance, (pointer, length)).unwrap_err();
        assert!(error.fault().is_some(), "{error}");
    }
}

#[test]
fn errors_and_panics_come_back() {
    let mut instance = instance();
    let name = instance.export::<u32, u32>("name").unwrap();
    block_on(async {
        for synchronous in [true, false] {
            let mut errors = Vec::new();
            for id in [0, 1] {
                errors.push(match synchronous {
                    true => name.call(&mut instance, id).unwrap_err(),
                    false => name.call_async(&mut instance, id).await.unwrap_err(),
                });
            }
            assert_eq!(errors[0].downcast_ref::<Refused>().unwrap().0, 0);
            let ErrorKind::Panic(message) = errors[1].kind() else {
                panic!("{:?}", errors[1])
            };
            assert_eq!(message, "one is too few");
            assert!(errors.iter().all(|it| it.import() == Some(("env", "name"))));
            assert_eq!(name.call_async(&mut instance, 2).await.unwrap(), 6);
        }
    });
}

#[test]
fn the_guest_gets_errors() {
    let mut instance = instance();
    let half = instance.export::<u32, i32>("half").unwrap();
    assert_eq!(half.call(&mut instance, 14).unwrap(), 0);
    let written = instance.guest(|guest| guest.memory().unwrap()[256..260].to_vec());
    assert_eq!(written, 7u32.to_le_bytes());
    assert_eq!(half.call(&mut instance, 15).unwrap(), 22);
}

#[test]
fn a_dropped_call_tells_the_function() {
    block_on(async {
        let mut instance = instance();
        let (send, over) = channel();
        instance.state().over.lock().unwrap().replace(send);
        let until = instance.export::<(), u32>("until").unwrap();
        {
            let mut call = std::pin::pin!(until.call_async(&mut instance, ()));
            let polled =
                std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context).is_ready()));
            assert!(!polled.await);
            // It has begun, and somebody waits.
            assert!(!over.recv().unwrap());
            assert!(over.recv_timeout(Duration::from_millis(20)).is_err());
        }
        assert!(over.recv().unwrap());
        // The instance can be used.
        let name = instance.export::<u32, u32>("name").unwrap();
        assert_eq!(name.call_async(&mut instance, 3).await.unwrap(), 6);
    });
}

#[test]
fn where_nothing_can_be_suspended_the_thread_waits() {
    block_on(async {
        let mut instance = instance();
        let nested = instance.export::<u32, u32>("nested").unwrap();
        assert_eq!(nested.call_async(&mut instance, 123).await.unwrap(), 8);
        assert_eq!(nested.call(&mut instance, 1234).unwrap(), 9);
    });
}

#[test]
fn objects_of_the_host_go_along() {
    let mut instance = instance();
    let object = instance
        .export::<Option<HostRef<String>>, u32>("object")
        .unwrap();
    let text = HostRef::new("four".to_owned());
    assert_eq!(object.call(&mut instance, Some(text)).unwrap(), 4);
    assert_eq!(object.call(&mut instance, None).unwrap(), 0);
}

#[test]
fn closures_can_block() {
    let mut host = Host::<()>::new();
    host.func_blocking("env", "reverse", |mut bytes: Vec<u8>, n: u8| {
        thread::sleep(Duration::from_millis(1));
        bytes.reverse();
        bytes.push(n);
        bytes
            .iter()
            .fold(0, |all, byte| all * 16 + u32::from(*byte))
    });
    host.func_blocking("env", "nothing", || ());
    let program = host.program(
        br#"(module
            (import "env" "reverse" (func $reverse (param i32 i32 i32) (result i32)))
            (import "env" "nothing" (func $nothing))
            (memory (export "memory") 1)
            (data (i32.const 8) "\01\02\03")
            (func (export "run") (result i32)
                (call $nothing)
                (call $reverse (i32.const 8) (i32.const 3) (i32.const 4))))"#,
    );
    let mut instance = program.unwrap().instantiate(()).unwrap();
    let run = instance.export::<(), u32>("run").unwrap();
    assert_eq!(run.call(&mut instance, ()).unwrap(), 0x3214);
    let called = block_on(run.call_async(&mut instance, ()));
    assert_eq!(called.unwrap(), 0x3214);
}

#[test]
fn in_a_plain_linker_the_thread_waits() {
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::<App>::new(&engine);
    App::add_to_linker(&mut linker, |app| app).unwrap();
    let module = wasmtime::Module::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut store = wasmtime::Store::new(&engine, App::default());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let name = instance
        .get_typed_func::<u32, u32>(&mut store, "name")
        .unwrap();
    assert_eq!(name.call(&mut store, 12).unwrap(), 7);
    let error = name.call(&mut store, 0).unwrap_err();
    assert_eq!(error.downcast_ref::<Refused>().unwrap().0, 0);
    let error = name.call(&mut store, 1).unwrap_err();
    assert!(format!("{error:?}").contains("one is too few"), "{error:?}");
}
