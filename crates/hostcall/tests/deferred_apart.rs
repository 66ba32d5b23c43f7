//! Instances share nothing: in threads, and inside of each other's host
//! functions. Guests with unusual memories, limits, and program files.

#![expect(unsafe_code, reason = "loads program files")]

use hostcall::{Crossing, Error, Guest, Host, Instance, Limits, MemoryType, Program, Value};
use wasmtime::{Config, Engine};

type Log = Vec<String>;

/// A host whose functions write down what they see.
fn host_on(engine: Engine) -> Host<Log> {
    let mut host = Host::with_engine(engine);
    host.deferred_with_state("env", "note", |log: &mut Log, n: u32| {
        log.push(format!("note {n}"))
    })
    .deferred_with_state("env", "text", |log: &mut Log, text: &str| {
        log.push(format!("text {text}"))
    })
    .deferred("env", "guest", |guest: &mut Guest<'_, Log>, n: u32| {
        let bytes = guest.memory().map_or(0, |memory| memory.len());
        guest.state_mut().push(format!("guest {n} of {bytes}"));
    })
    .func_with_state("env", "plain", |log: &mut Log, n: u32| {
        log.push(format!("plain {n}"))
    });
    host
}

fn host() -> Host<Log> {
    host_on(Engine::default())
}

const IMPORTS: &str = r#"
    (import "env" "note" (func $note (param i32)))
    (import "env" "guest" (func $guest (param i32)))
    (import "env" "plain" (func $plain (param i32)))"#;

const TEXT: &str = r#"(import "env" "text" (func $text (param i32 i32)))"#;

fn run(instance: &mut Instance<Log>) -> Log {
    instance.call("run", &[]).expect("it runs");
    std::mem::take(instance.state_mut())
}

#[test]
fn threads() {
    let mut host = Host::<Vec<u64>>::new();
    host.queue_size(200)
        .count_calls(true)
        .map_export("one")
        .deferred_with_state("env", "d", |seen: &mut Vec<u64>, n: u64| {
            if n % 1000 == 999 {
                return Err(Error::msg(n));
            }
            seen.push(n);
            Ok(())
        });
    let program = host.program(
        br#"(module (import "env" "d" (func $d (param i64)))
            (func (export "one") (param i64) (result i64) (call $d (local.get 0)) (local.get 0))
            (func (export "many") (param i64 i64)
                (loop $again
                    (call $d (local.get 0))
                    (local.set 0 (i64.add (local.get 0) (i64.const 1)))
                    (br_if $again (i64.lt_u (local.get 0) (local.get 1))))))"#,
    );
    let program: Program<Vec<u64>> = program.expect("it links");
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let program = program.clone();
            scope.spawn(move || {
                let from = thread * 1_000_000;
                for round in 0..5 {
                    let mut instance = program.instantiate(Vec::new()).expect("it instantiates");
                    let many = instance.export::<(u64, u64), ()>("many").unwrap();
                    many.call(&mut instance, (from, from + 900))
                        .expect("none fails");
                    let inputs: Vec<u64> = (from + 900..from + 999).collect();
                    let mut outputs = vec![0; inputs.len()];
                    instance
                        .map("one", &inputs, &mut outputs)
                        .expect("none fails");
                    assert_eq!(inputs, outputs);
                    assert!(instance.state().iter().copied().eq(from..from + 999));
                    let error = many
                        .call(&mut instance, (from + 999, from + 1010))
                        .unwrap_err();
                    assert!(
                        error.to_string().contains(&(from + 999).to_string()),
                        "{error}"
                    );
                    let kept = error.deferred().map(|deferred| deferred.kept[0].calls);
                    assert_eq!(kept, Some(10));
                    if round % 2 == 0 {
                        instance.deliver_deferred().expect("none fails");
                        assert_eq!(instance.state().last(), Some(&(from + 1009)));
                    }
                    assert_eq!(instance.calls()[0].calls, 1010);
                }
            });
        }
    });
}

/// An instance moves to another thread with what is kept in it.
#[test]
fn kept_calls_move_between_threads() {
    let mut host = Host::<Log>::new();
    host.deferred_with_state("env", "note", |log: &mut Log, n: u32| {
        log.push(format!("note {n}"));
        if n == 0 {
            Err(Error::msg("none"))
        } else {
            Ok(())
        }
    });
    let guest = br#"(module (import "env" "note" (func $note (param i32)))
        (func (export "run") (call $note (i32.const 0)) (call $note (i32.const 1))))"#;
    let mut instance = host
        .program(guest)
        .unwrap()
        .instantiate(Log::new())
        .unwrap();
    instance.call("run", &[]).unwrap_err();
    let log = std::thread::spawn(move || {
        instance.deliver_deferred().unwrap();
        instance.into_state()
    });
    assert_eq!(log.join().unwrap(), ["note 0", "note 1"]);
}

/// A host function runs an instance of the same program, and of another.
#[test]
fn instances_inside_of_host_functions() {
    #[derive(Default)]
    struct Outer {
        log: Log,
        inner: Option<Box<Instance<Outer>>>,
    }

    fn nested(guest: &mut Guest<'_, Outer>, n: u32) -> Result<(), Error> {
        guest.state_mut().log.push(format!("inner {n}"));
        let Some(mut inner) = guest.state_mut().inner.take() else {
            return Ok(());
        };
        let result = inner.call("run", &[]);
        let log = std::mem::take(&mut inner.state_mut().log);
        let state = guest.state_mut();
        state
            .log
            .extend(log.into_iter().map(|line| format!("- {line}")));
        state.inner = Some(inner);
        result.map(drop)
    }

    let guest = br#"(module
        (import "env" "note" (func $note (param i32)))
        (import "env" "later" (func $later (param i32)))
        (import "env" "now" (func $now (param i32)))
        (func (export "run")
            (call $note (i32.const 1)) (call $later (i32.const 2)) (call $note (i32.const 3))
            (call $now (i32.const 4)) (call $note (i32.const 5)) (call $later (i32.const 6))
            (call $note (i32.const 7))))"#;
    let run = |queue: Option<u32>| {
        let mut host = Host::<Outer>::new();
        host.deferred_with_state("env", "note", |outer: &mut Outer, n: u32| {
            outer.log.push(format!("note {n}"));
        })
        .deferred("env", "later", nested)
        .func("env", "now", nested);
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest).expect("it links");
        let innermost = program
            .instantiate(Outer::default())
            .expect("it instantiates");
        let inner = program.instantiate(Outer {
            inner: Some(Box::new(innermost)),
            ..Outer::default()
        });
        let outer = Outer {
            inner: inner.ok().map(Box::new),
            ..Outer::default()
        };
        let mut outer = program.instantiate(outer).expect("it instantiates");
        outer.call("run", &[]).expect("it runs");
        outer.into_state().log
    };
    let expected = run(None);
    assert_eq!(expected.len(), 7 + 3 * (7 + 3 * 7));
    for queue in [0, 16, 24, 40, 4096] {
        assert_eq!(run(Some(queue)), expected, "with a queue of {queue}");
    }
}

#[test]
fn guests_without_memory() {
    let guest = format!(
        "(module {IMPORTS} (func (export \"run\")
            (call $note (i32.const 1)) (call $guest (i32.const 2)) (call $plain (i32.const 3))))"
    );
    let program = host().program(guest.as_bytes()).expect("it links");
    let mut instance = program.instantiate(Log::new()).expect("it instantiates");
    assert_eq!(run(&mut instance), ["note 1", "guest 2 of 0", "plain 3"]);
}

/// Pointers refer to the memory that is exported, wherever it is.
#[test]
fn several_memories() {
    for (memories, name) in [
        (
            r#"(memory $other 3) (memory $m (export "memory") 1)"#,
            "memory",
        ),
        (
            r#"(memory $m (export "memory") 1) (memory $other 3)"#,
            "memory",
        ),
        (
            r#"(memory $a 1) (memory $b 2) (memory $m (export "m") 1) (memory $other 1)"#,
            "m",
        ),
    ] {
        let guest = format!(
            "(module {IMPORTS} {TEXT} {memories}
                (data (memory $m) (i32.const 16) \"right\") (data (memory $other) (i32.const 16) \"wrong\")
                (func (export \"run\")
                    (call $text (i32.const 16) (i32.const 5))
                    (memory.fill $m (i32.const 16) (i32.const 65) (i32.const 5))
                    (call $guest (i32.const 1))
                    (call $text (i32.const 16) (i32.const 5)))
                (func (export \"bad\") (call $text (i32.const 65536) (i32.const 1))))"
        );
        let program = host().program(guest.as_bytes()).expect("it links");
        assert_eq!(
            program.plan().imports[3].crossing,
            Some(Crossing::Deferred),
            "{name}"
        );
        let mut instance = program.instantiate(Log::new()).expect("it instantiates");
        assert_eq!(
            run(&mut instance),
            ["text right", "guest 1 of 65536", "text AAAAA"]
        );
        assert!(instance.call("bad", &[]).unwrap_err().fault().is_some());
    }
}

/// The host gives the memory, so that imports are made for each instance.
#[test]
fn an_imported_memory() {
    let mut host = host();
    host.memory("env", "memory", MemoryType::new(1, Some(2)));
    for export in ["", "(export \"memory\" (memory 0))"] {
        let guest = format!(
            "(module {IMPORTS} {TEXT} (import \"env\" \"memory\" (memory 1)) {export}
                (data (i32.const 16) \"right\")
                (func (export \"run\")
                    (call $note (i32.const 1))
                    (call $text (i32.const 16) (i32.const 5))
                    (i32.store (i32.const 16) (i32.const 0x41414141))
                    (call $guest (i32.const 1))
                    (call $plain (i32.const 2))))"
        );
        for queue in [0, 16, 4096] {
            let program = host
                .queue_size(queue)
                .program(guest.as_bytes())
                .expect("it links");
            let mut instances: Vec<_> = (0..2)
                .map(|_| program.instantiate(Log::new()).expect("it instantiates"))
                .collect();
            for instance in &mut instances {
                assert_eq!(
                    run(instance),
                    ["note 1", "text right", "guest 1 of 65536", "plain 2"],
                    "{export}"
                );
            }
        }
    }
}

#[test]
fn pages_of_one_byte() {
    let mut config = Config::new();
    config.wasm_custom_page_sizes(true);
    let engine = Engine::new(&config).expect("it is supported");
    let guest = format!(
        "(module {TEXT} {IMPORTS} (memory (export \"memory\") 100 200 (pagesize 1))
            (data (i32.const 16) \"0123456789\")
            (func (export \"run\")
                (call $text (i32.const 16) (i32.const 10))
                (call $text (i32.const 93) (i32.const 7))
                (call $text (i32.const 100) (i32.const 0))
                (drop (memory.grow (i32.const 1)))
                (call $text (i32.const 94) (i32.const 7))
                (memory.fill (i32.const 0) (i32.const 65) (i32.const 101))
                (call $guest (i32.const 3)))
            (func (export \"bad\") (param i32 i32) (call $text (local.get 0) (local.get 1))))"
    );
    let log = |queue: Option<u32>| {
        let mut host = host_on(engine.clone());
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest.as_bytes()).expect("it links");
        let mut instance = program.instantiate(Log::new()).expect("it instantiates");
        let mut log = run(&mut instance);
        for (at, length) in [(101, 1), (102, 0), (95, 7), (0, 102), (-1, 1)] {
            let error = instance
                .call("bad", &[Value::S32(at), Value::S32(length)])
                .unwrap_err();
            log.push(format!("{:?}", error.fault()));
        }
        log
    };
    let expected = log(None);
    assert_eq!(expected[0], "text 0123456789");
    for queue in [0, 16, 32, 4096] {
        assert_eq!(log(Some(queue)), expected, "with a queue of {queue}");
    }
}

/// A shared memory is not copied from; other calls are queued all the same.
#[test]
fn a_shared_memory() {
    let mut config = Config::new();
    config.wasm_threads(true).shared_memory(true);
    let guest = format!(
        "(module {IMPORTS} {TEXT} (memory (export \"memory\") 1 1 shared)
            (func (export \"run\")
                (call $note (i32.const 1)) (call $guest (i32.const 2)) (call $plain (i32.const 3)))
            (func (export \"text\")
                (call $note (i32.const 4)) (call $text (i32.const 0) (i32.const 1))))"
    );
    let host = host_on(Engine::new(&config).expect("it is supported"));
    let program = host.program(guest.as_bytes()).expect("it links");
    let mut instance = program.instantiate(Log::new()).expect("it instantiates");
    assert_eq!(run(&mut instance), ["note 1", "guest 2 of 0", "plain 3"]);
    let error = instance.call("text", &[]).unwrap_err();
    assert_eq!(error.fault(), Some(&hostcall::Fault::SharedMemory));
    assert_eq!(*instance.state(), ["note 4"]);
}

/// The queue is the host's, so it does not count against what guests may use.
#[test]
fn limits_are_the_guests() {
    let guest = format!(
        "(module {IMPORTS} {TEXT} (memory (export \"memory\") 1)
            (func (export \"run\")
                (call $text (i32.const 0) (i32.const 1))
                (call $note (memory.grow (i32.const 1))) (call $note (memory.grow (i32.const 1)))))"
    );
    for size in [16, 1 << 20, 1 << 30] {
        let mut host = host();
        host.limits(Limits::NONE.memory(2 << 16))
            .queue_size(size)
            .count_calls(true)
            .map_export("run");
        let program = host.program(guest.as_bytes()).expect("it links");
        let mut instance = program.instantiate(Log::new()).expect("it instantiates");
        assert_eq!(run(&mut instance), ["text \0", "note 1", "note 4294967295"]);
        host.limits(Limits::NONE.memory(1));
        let program = host.program(guest.as_bytes()).expect("it links");
        let error = program.instantiate(Log::new()).unwrap_err();
        assert_eq!(error.limit().map(|limit| limit.used), Some(1 << 16));
    }
}

#[test]
fn huge_queues() {
    let guest = format!(
        "(module {IMPORTS} {TEXT} (memory (export \"memory\") 1)
            (func (export \"run\") (local $i i32)
                (loop $again
                    (call $text (i32.const 0) (i32.const 65536))
                    (local.set $i (i32.add (local.get $i) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $i) (i32.const 100)))
                (call $note (i32.const 1)) (call $plain (i32.const 2)))))"
    );
    for size in [1 << 31, u32::MAX - (1 << 16), u32::MAX - 63] {
        let program = host()
            .queue_size(size)
            .program(guest.as_bytes())
            .expect("it links");
        let mut instance = program.instantiate(Log::new()).expect("it instantiates");
        assert_eq!(run(&mut instance).len(), 102);
    }
    for size in [u32::MAX, u32::MAX - 15] {
        let error = host()
            .queue_size(size)
            .program(guest.as_bytes())
            .unwrap_err();
        assert!(error.to_string().contains("more than 4 GiB"), "{error}");
    }
}

#[test]
fn program_files() {
    let guest = format!(
        "(module {IMPORTS} {TEXT} (memory (export \"memory\") 1)
            (func $start (call $note (i32.const 1)))
            (func (export \"run\") (call $text (i32.const 0) (i32.const 2)) (call $note (i32.const 3)))
            (func (export \"twice\") (param i32) (result i32) (call $note (local.get 0)) (i32.mul (local.get 0) (i32.const 2)))
            (start $start))"
    );
    let make = || {
        let mut host = host();
        host.queue_size(100).count_calls(true).map_export("twice");
        host
    };
    let file = make()
        .program(guest.as_bytes())
        .unwrap()
        .serialize()
        .unwrap();
    // SAFETY: it was just made.
    let load = |host: &Host<Log>| unsafe { host.deserialize(&file) };
    let mut instance = load(&make()).unwrap().instantiate(Log::new()).unwrap();
    assert_eq!(*instance.state(), ["note 1"]);
    assert_eq!(run(&mut instance), ["note 1", "text \0\0", "note 3"]);
    let mut twice = [0; 3];
    instance.map("twice", &[4, 5, 6], &mut twice).unwrap();
    assert_eq!(twice, [8, 10, 12]);
    assert_eq!(*instance.state(), ["note 4", "note 5", "note 6"]);
    assert_eq!(instance.calls()[0].calls, 5);
    // What was compiled is for this queue, these counters and this loop.
    for host in [
        make().queue_size(200),
        make().count_calls(false),
        make().map_export("run"),
        make().deferring(false),
    ] {
        let error = load(host).unwrap_err();
        assert!(
            matches!(error.kind(), hostcall::ErrorKind::ProgramFile(_)),
            "{error}"
        );
    }
}
