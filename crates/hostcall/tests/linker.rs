//! Host modules in a plain Wasmtime linker.

use hostcall::{Error, Guest, GuestStr, HostModule, host_module};
use std::io;
use wasmtime::{Engine, Linker, Module, Store};

#[derive(Default)]
struct App {
    log: Vec<String>,
}

#[host_module(name = "app")]
impl App {
    fn log(&mut self, text: &str) {
        self.log.push(text.to_owned());
    }

    fn log_through_guest(guest: &mut Guest<'_, App>, text: GuestStr) -> Result<u64, Error> {
        let (text, app) = guest.read_str_and_state(text)?;
        app.log.push(text.to_uppercase());
        Ok(guest.memory()?.len() as u64)
    }

    fn double(numbers: &mut [i32]) {
        numbers.iter_mut().for_each(|n| *n *= 2);
    }

    fn greeting(&self) -> String {
        format!("{} lines", self.log.len())
    }

    fn fail(&self) -> Result<(), io::Error> {
        Err(io::Error::other("disk on fire"))
    }

    fn panic() {
        panic!("oh no");
    }
}

/// An embedder's own state, of which hostcall knows nothing.
struct Embedder {
    calls: u32,
    app: App,
}

const GUEST: &str = r#"(module
    (import "app" "log" (func $log (param i32 i32)))
    (import "app" "log_through_guest" (func $log_through_guest (param i32 i32) (result i64)))
    (import "app" "double" (func $double (param i32 i32)))
    (import "app" "greeting" (func $greeting (param i32)))
    (import "app" "fail" (func $fail))
    (import "app" "panic" (func $panic))
    (import "own" "count" (func $count))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (data (i32.const 16) "first")
    (data (i32.const 64) "\15\00\00\00")
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
    (func (export "fail") (call $fail))
    (func (export "panic") (call $panic))
    (func (export "set") (param i32) (i32.store8 (i32.const 16) (local.get 0)))
    (func (export "log") (call $count) (call $log (i32.const 16) (i32.const 5)))
    (func (export "log_at") (param i32 i32) (call $log (local.get 0) (local.get 1)))
    (func (export "log_through_guest") (result i64)
        (call $log_through_guest (i32.const 16) (i32.const 5)))
    (func (export "double") (result i32)
        (call $double (i32.const 64) (i32.const 1)) (i32.load (i32.const 64)))
    (func (export "greeting_length") (result i32)
        (call $greeting (i32.const 128))
        (i32.load (i32.const 132))))"#;

fn setup() -> (Store<Embedder>, Linker<Embedder>, Module) {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(GUEST).unwrap()).unwrap();
    let mut linker = Linker::<Embedder>::new(&engine);
    linker
        .func_wrap(
            "own",
            "count",
            |mut caller: wasmtime::Caller<'_, Embedder>| {
                caller.data_mut().calls += 1;
            },
        )
        .unwrap();
    App::add_to_linker(&mut linker, |embedder: &mut Embedder| &mut embedder.app).unwrap();
    let store = Store::new(
        &engine,
        Embedder {
            calls: 0,
            app: App::default(),
        },
    );
    (store, linker, module)
}

#[test]
fn works_beside_the_embedders_own_functions() {
    let (mut store, linker, module) = setup();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    instance
        .get_typed_func::<(), ()>(&mut store, "log")
        .unwrap()
        .call(&mut store, ())
        .unwrap();
    let through = instance
        .get_typed_func::<(), u64>(&mut store, "log_through_guest")
        .unwrap();
    assert_eq!(through.call(&mut store, ()).unwrap(), 65536);
    let double = instance
        .get_typed_func::<(), i32>(&mut store, "double")
        .unwrap();
    assert_eq!(double.call(&mut store, ()).unwrap(), 42);
    let greeting = instance
        .get_typed_func::<(), i32>(&mut store, "greeting_length")
        .unwrap();
    assert_eq!(
        greeting.call(&mut store, ()).unwrap(),
        "2 lines".len() as i32
    );
    assert_eq!(store.data().app.log, ["first", "FIRST"]);
    assert_eq!(store.data().calls, 1);
}

#[test]
fn each_instance_of_a_store_has_its_own_memory() {
    let (mut store, linker, module) = setup();
    let one = linker.instantiate(&mut store, &module).unwrap();
    let two = linker.instantiate(&mut store, &module).unwrap();
    let set = two.get_typed_func::<u32, ()>(&mut store, "set").unwrap();
    set.call(&mut store, u32::from(b'F')).unwrap();
    for instance in [one, two, one] {
        let log = instance
            .get_typed_func::<(), ()>(&mut store, "log")
            .unwrap();
        log.call(&mut store, ()).unwrap();
    }
    assert_eq!(store.data().app.log, ["first", "First", "first"]);
}

#[test]
fn errors_keep_their_type_and_say_where_they_come_from() {
    let (mut store, linker, module) = setup();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let fail = instance
        .get_typed_func::<(), ()>(&mut store, "fail")
        .unwrap();
    let error = fail.call(&mut store, ()).unwrap_err();
    assert_eq!(
        error.downcast_ref::<io::Error>().unwrap().to_string(),
        "disk on fire"
    );
    assert!(
        format!("{error:?}").contains("host function `app.fail` failed"),
        "{error:?}"
    );

    let panic = instance
        .get_typed_func::<(), ()>(&mut store, "panic")
        .unwrap();
    let error = panic.call(&mut store, ()).unwrap_err();
    assert!(
        format!("{error:?}").contains("panicked: oh no"),
        "{error:?}"
    );

    let log_at = instance
        .get_typed_func::<(u32, u32), ()>(&mut store, "log_at")
        .unwrap();
    let error = log_at.call(&mut store, (65530, 7)).unwrap_err();
    let message = format!("{error:?}");
    assert!(
        message.contains("host function `app.log` failed"),
        "{message}"
    );
    assert!(
        message.contains("argument `text: string`: address 0xfffa with length 7"),
        "{message}"
    );
}

#[test]
fn a_name_that_the_linker_has_is_an_error() {
    let (_, mut linker, _) = setup();
    let error = App::add_to_linker(&mut linker, |embedder: &mut Embedder| &mut embedder.app);
    assert!(error.unwrap_err().to_string().contains("defined twice"));
}
