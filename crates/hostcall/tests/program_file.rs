//! Program files: loaded without compiling, refused when damaged or foreign.

use hostcall::{ErrorKind, Host, Program};

const GUEST: &[u8] = br#"(module
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (func (export "run") (param i32) (result i32)
        (call $add (local.get 0) (i32.const 1))))"#;

fn host() -> Host<()> {
    let mut host = Host::new();
    host.func("env", "add", |a: i32, b: i32| a + b);
    host
}

fn load(host: &Host<()>, file: &[u8]) -> Result<Program<()>, hostcall::Error> {
    // SAFETY: the bytes come from `Program::serialize`, and where these tests
    // change them, the checksum no longer holds.
    #[expect(unsafe_code, reason = "what is tested")]
    unsafe {
        host.deserialize(file)
    }
}

fn refusal(host: &Host<()>, file: &[u8]) -> String {
    let error = load(host, file).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ProgramFile(_)), "{error}");
    error.to_string()
}

#[test]
fn runs_as_the_program_it_was_made_from() {
    let file = host().program(GUEST).unwrap().serialize().unwrap();
    let program = load(&host(), &file).unwrap();
    assert_eq!(program.plan().imports.len(), 1);
    let mut instance = program.instantiate(()).unwrap();
    let run = instance.export::<i32, i32>("run").unwrap();
    assert_eq!(run.call(&mut instance, 41).unwrap(), 42);
    assert_eq!(program.serialize().unwrap(), file);
}

#[test]
fn is_linked_against_the_host_that_loads_it() {
    let file = host().program(GUEST).unwrap().serialize().unwrap();
    let error = load(&Host::new(), &file).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Link(_)), "{error}");
    let mut other = Host::new();
    other.func("env", "add", |a: i32, b: i32| a - b);
    let mut instance = load(&other, &file).unwrap().instantiate(()).unwrap();
    let run = instance.export::<i32, i32>("run").unwrap();
    assert_eq!(run.call(&mut instance, 41).unwrap(), 40);
}

#[test]
fn every_damage_is_found() {
    let host = host();
    let file = host.program(GUEST).unwrap().serialize().unwrap();
    for at in (0..file.len()).step_by(97).chain(0..64) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x10;
        refusal(&host, &damaged);
    }
    for length in [0, 1, 15, 16, 47, 55, 56, 100, file.len() - 1] {
        refusal(&host, &file[..length]);
    }
    let mut longer = file.clone();
    longer.push(0);
    assert!(refusal(&host, &longer).contains("checksum"));
}

#[test]
fn foreign_files_are_refused() {
    let host = host();
    assert!(refusal(&host, b"\0asm\x01\0\0\0").contains("not a program file"));
    assert!(refusal(&host, GUEST).contains("not a program file"));
    let mut newer = host.program(GUEST).unwrap().serialize().unwrap();
    newer[14] = b'9';
    assert!(refusal(&host, &newer).contains("another version of hostcall"));

    // Made under another configuration of the engine.
    let mut config = wasmtime::Config::new();
    config.consume_fuel(true);
    let other = Host::<()>::with_engine(wasmtime::Engine::new(&config).unwrap());
    let file = other
        .program(b"(module (func (export \"f\")))")
        .unwrap()
        .serialize()
        .unwrap();
    assert!(refusal(&host, &file).contains("made by another version or for another machine"));
}

#[test]
fn programs_are_shared_between_threads() {
    let program = host().program(GUEST).unwrap();
    let threads = (0..4).map(|n| {
        let program = program.clone();
        std::thread::spawn(move || {
            let mut instance = program.instantiate(()).unwrap();
            let run = instance.export::<i32, i32>("run").unwrap();
            (0..100)
                .map(|i| run.call(&mut instance, n * 1000 + i).unwrap())
                .sum::<i32>()
        })
    });
    let threads: Vec<_> = threads.collect();
    for (n, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), n as i32 * 100_000 + 4950 + 100);
    }
}
