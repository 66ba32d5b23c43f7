//! Every shape of a deferred function that `#[host_module]` takes.

#![deny(warnings)]

use hostcall::{Crossing, Error, Guest, GuestType, Host, HostModule, host_module};

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Sample {
    channel: u32,
    value: f64,
}

#[derive(Default)]
struct App {
    seen: Vec<String>,
}

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred)]
    fn log(&mut self, text: &str) -> Result<(), Error> {
        self.seen.push(format!("log {text}"));
        Ok(())
    }

    #[hostcall(deferred)]
    fn tick(count: u64, list: &[u8]) {
        assert_eq!((count, list), (7, &b"ab"[..]));
    }

    #[hostcall(deferred)]
    fn guest(guest: &mut Guest<'_, App>, text: String) {
        guest.state_mut().seen.push(format!("guest {text}"));
    }

    #[hostcall(deferred, batch)]
    fn samples(&mut self, batch: &[Sample]) -> Result<(), Error> {
        let shown = batch
            .iter()
            .map(|it| format!(" {}:{}", it.channel, it.value));
        self.seen
            .push(format!("samples{}", shown.collect::<String>()));
        Ok(())
    }

    #[hostcall(deferred, batch)]
    fn shared(&self, batch: &[Sample]) {
        assert_eq!((batch[0].channel, batch[0].value), (3, 1.5));
    }

    #[hostcall(deferred, batch)]
    fn free(batch: &[i16]) {
        assert!(batch.iter().all(|value| *value == -2));
    }
}

const GUEST: &[u8] = br#"(module
    (import "env" "log" (func $log (param i32 i32)))
    (import "env" "tick" (func $tick (param i64 i32 i32)))
    (import "env" "guest" (func $guest (param i32 i32)))
    (import "env" "samples" (func $samples (param i32 f64)))
    (import "env" "shared" (func $shared (param i32 f64)))
    (import "env" "free" (func $free (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "ab")
    (func (export "run")
        (call $samples (i32.const 1) (f64.const 0.5))
        (call $samples (i32.const 2) (f64.const 2))
        (call $log (i32.const 8) (i32.const 2))
        (call $samples (i32.const 3) (f64.const 3))
        (call $tick (i64.const 7) (i32.const 8) (i32.const 2))
        (call $guest (i32.const 9) (i32.const 1))
        (call $shared (i32.const 3) (f64.const 1.5))
        (call $free (i32.const -2))
        (call $free (i32.const 0xfffe))
        (call $log (i32.const 9) (i32.const 1))))"#;

#[test]
fn every_shape_is_queued_and_delivered_in_order() {
    for deferring in [true, false] {
        let mut host = Host::new();
        App::add_to_host(&mut host, |app| app);
        host.deferring(deferring);
        let program = host.program(GUEST).unwrap();
        let crossing = if deferring {
            Crossing::Deferred
        } else {
            Crossing::Call
        };
        for planned in &program.plan().imports {
            assert_eq!(planned.crossing, Some(crossing), "{}", planned.import.name);
        }
        let mut instance = program.instantiate(App::default()).unwrap();
        let run = instance.export::<(), ()>("run").unwrap();
        run.call(&mut instance, ()).unwrap();
        let first = match deferring {
            true => vec!["samples 1:0.5 2:2"],
            false => vec!["samples 1:0.5", "samples 2:2"],
        };
        let rest = ["log ab", "samples 3:3", "guest b", "log b"];
        assert_eq!(instance.state().seen, [&first[..], &rest].concat());
    }
}

macro_rules! module_of {
    ($ty:ty) => {
        #[host_module(name = "other")]
        impl Other {
            #[hostcall(deferred, batch)]
            fn batch(batch: &[$ty]) {
                assert_eq!(batch.len(), 1);
            }

            #[hostcall(deferred)]
            fn value(value: $ty) {
                assert_eq!(value.channel, 1);
            }
        }
    };
}

struct Other;
module_of!(Sample);

#[test]
fn types_may_come_from_macros() {
    let mut host = Host::new();
    Other::add_to_host(&mut host, |other| other);
    let program = host.program(
        br#"(module
            (import "other" "batch" (func $batch (param i32 f64)))
            (import "other" "value" (func $value (param i32 f64)))
            (func (export "run")
                (call $batch (i32.const 1) (f64.const 0))
                (call $value (i32.const 1) (f64.const 0))))"#,
    );
    let mut instance = program.unwrap().instantiate(Other).unwrap();
    let run = instance.export::<(), ()>("run").unwrap();
    run.call(&mut instance, ()).unwrap();
}
