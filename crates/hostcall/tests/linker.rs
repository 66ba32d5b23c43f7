//! Host modules in a plain Wasmtime linker.

use hostcall::{Error, Guest, GuestFunc, GuestStr, HostModule, HostRef, host_module};
use std::io;
use wasmtime::{Config, Engine, Linker, Module, Store};

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

/// Calls a function of the guest that calls it.
struct Visitor;

#[host_module(name = "visitor")]
impl Visitor {
    fn refused(guest: &mut Guest<'_, Visitor>, n: u32) -> Result<u32, Error> {
        guest.export::<u32, u32>("main")?.call_in(guest, n)
    }

    #[hostcall(reentrant = 3)]
    fn visit(guest: &mut Guest<'_, Visitor>, n: u32) -> Result<u32, Error> {
        guest.export::<u32, u32>("down")?.call_in(guest, n)
    }

    #[hostcall(reentrant)]
    fn greet(guest: &mut Guest<'_, Visitor>, f: GuestFunc<String, String>) -> Result<u32, Error> {
        let text = guest.call(&f, "hello".to_owned())?;
        Ok(text.len() as u32)
    }

    #[hostcall(reentrant)]
    fn wide(guest: &mut Guest<'_, Visitor>) -> Result<f64, Error> {
        let objects = guest.export::<(i64, f32, f64, HostRef<u32>), (HostRef<u32>, f64)>("wide")?;
        let (object, sum) = objects.call_in(guest, (1, 2.0, 3.0, HostRef::new(7)))?;
        Ok(sum + f64::from(*object))
    }

    fn post(guest: &mut Guest<'_, Visitor>) -> Result<(), Error> {
        guest.post("main", [1_u32.into()])
    }
}

const VISITED: &str = r#"(module
    (import "visitor" "refused" (func $refused (param i32) (result i32)))
    (import "visitor" "visit" (func $visit (param i32) (result i32)))
    (import "visitor" "greet" (func $greet (param funcref) (result i32)))
    (import "visitor" "wide" (func $wide (result f64)))
    (import "visitor" "post" (func $post))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 3))))
    (elem declare func $same)
    (func $same (param i32 i32) (result i32)
        (i32.store (i32.const 64) (local.get 0))
        (i32.store (i32.const 68) (local.get 1))
        (i32.const 64))
    (func (export "wide") (param i64 f32 f64 externref) (result externref f64)
        (local.get 3)
        (f64.add (f64.convert_i64_s (local.get 0))
            (f64.add (f64.promote_f32 (local.get 1)) (local.get 2))))
    (func $main (export "main") (param i32) (result i32) (call $refused (local.get 0)))
    (func $down (export "down") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
        (call $visit (i32.sub (local.get 0) (i32.const 1))))
    (func (export "text") (result i32) (call $greet (ref.func $same)))
    (func (export "objects") (result f64) (call $wide))
    (func (export "post") (call $post)))"#;

fn visited(config: &Config) -> (Store<Visitor>, Linker<Visitor>, Module) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat::parse_str(VISITED).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    Visitor::add_to_linker(&mut linker, |visitor: &mut Visitor| visitor).unwrap();
    (Store::new(&engine, Visitor), linker, module)
}

fn refusal(error: &wasmtime::Error) -> Vec<String> {
    let error = error.downcast_ref::<Error>().expect("it is ours");
    error.reentrancy().expect("it is refused").chain().to_vec()
}

#[test]
fn calling_back_is_refused_here_too() {
    let (mut store, linker, module) = visited(&Config::new());
    let guest = linker.instantiate(&mut store, &module).unwrap();
    let main = guest
        .get_typed_func::<u32, u32>(&mut store, "main")
        .unwrap();
    let error = main.call(&mut store, 1).unwrap_err();
    assert_eq!(refusal(&error), ["main", "visitor.refused", "main"]);
    let error = format!("{error:?}");
    assert!(
        error.contains("declare `visitor.refused` with `#[hostcall(reentrant)]`"),
        "{error}"
    );
    assert!(
        !error.contains("Host::reentrant") && !error.contains("guest.post"),
        "{error}"
    );

    let down = guest
        .get_typed_func::<u32, u32>(&mut store, "down")
        .unwrap();
    for _ in 0..2 {
        assert_eq!(down.call(&mut store, 3).unwrap(), 42);
        let error = down.call(&mut store, 4).unwrap_err();
        let chain = [
            "down",
            "visitor.visit",
            "down",
            "visitor.visit",
            "...",
            "visitor.visit",
            "down",
        ];
        assert_eq!(refusal(&error)[..4], chain[..4]);
        assert!(format!("{error:?}").contains("to a depth of 3"));
    }
}

/// What crosses is what crosses in stores of hostcall.
#[test]
fn guests_are_called_with_all_types() {
    let (mut store, linker, module) = visited(&Config::new());
    let guest = linker.instantiate(&mut store, &module).unwrap();
    let text = guest.get_typed_func::<(), u32>(&mut store, "text").unwrap();
    assert_eq!(text.call(&mut store, ()).unwrap(), 5);
    let objects = guest
        .get_typed_func::<(), f64>(&mut store, "objects")
        .unwrap();
    assert_eq!(objects.call(&mut store, ()).unwrap(), 13.0);
}

/// Nobody would make the call.
#[test]
fn posting_is_refused() {
    let (mut store, linker, module) = visited(&Config::new());
    let guest = linker.instantiate(&mut store, &module).unwrap();
    let post = guest.get_typed_func::<(), ()>(&mut store, "post").unwrap();
    let error = format!("{:?}", post.call(&mut store, ()).unwrap_err());
    assert!(error.contains("plain Wasmtime linker"), "{error}");
}

/// Two guests in one store.
#[test]
fn chains_through_two_guests() {
    let (mut store, mut linker, module) = visited(&Config::new());
    let other = r#"(module
        (import "one" "main" (func $main (param i32) (result i32)))
        (func $relay (export "relay") (param i32) (result i32) (call $main (local.get 0))))"#;
    linker.module(&mut store, "one", &module).unwrap();
    let other = Module::new(store.engine(), wat::parse_str(other).unwrap()).unwrap();
    let other = linker.instantiate(&mut store, &other).unwrap();
    let relay = other
        .get_typed_func::<u32, u32>(&mut store, "relay")
        .unwrap();
    let error = relay.call(&mut store, 1).unwrap_err();
    assert_eq!(refusal(&error), ["relay", "visitor.refused", "main"]);
}

/// On a fiber the guest might be suspended with frames of the host function on it.
#[test]
fn guests_on_fibers_are_not_called() {
    let (mut store, linker, module) = visited(&Config::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let guest = linker.instantiate_async(&mut store, &module).await.unwrap();
        let down = guest
            .get_typed_func::<u32, u32>(&mut store, "down")
            .unwrap();
        assert_eq!(down.call_async(&mut store, 0).await.unwrap(), 42);
        let error = down.call_async(&mut store, 1).await.unwrap_err();
        let error = format!("{error:?}");
        assert!(error.contains("async context"), "{error}");
    });
}
