//! A host with every kind of function, which writes down all that it sees, and
//! guests to go with it. Shared by the tests of deferred functions.

#![allow(dead_code, reason = "every test binary uses some of it")]

use hostcall::{
    Error, Guest, GuestType, Host, HostModule, HostState, Instance, KeptCalls, Program, Value,
    host_module,
};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// Sizes of queues: nothing, one record of some functions, a few, many.
pub const QUEUES: &[u32] = &[
    0,
    1,
    8,
    16,
    17,
    24,
    32,
    40,
    48,
    56,
    64,
    100,
    160,
    1000,
    32 << 10,
];

/// What the host functions did, and which of them is to fail.
#[derive(Debug, Default)]
pub struct Seen {
    pub log: Vec<String>,
    /// Lengths of the slices of records.
    pub slices: Vec<usize>,
    pub fails: Option<Fails>,
    /// Calls of exports by host functions that are under way.
    depth: u32,
}

/// The effect that fails, by its number from 1.
#[derive(Clone, Copy, Debug)]
pub struct Fails {
    pub at: usize,
    pub panics: bool,
}

/// The error of a host function.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub usize);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "effect {} is refused", self.0)
    }
}

impl std::error::Error for Refused {}

/// The state of the host functions.
#[derive(Clone, Debug, Default)]
pub struct App(Arc<Mutex<Seen>>);

impl App {
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What was seen since this was asked last.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen().log)
    }

    pub fn log(&self) -> Vec<String> {
        self.seen().log.clone()
    }

    /// Takes note of an effect, which may fail.
    pub fn see(&self, what: impl fmt::Display) -> Result<(), Refused> {
        let (number, fails) = {
            let mut seen = self.seen();
            seen.log.push(what.to_string());
            (seen.log.len(), seen.fails)
        };
        match fails {
            Some(Fails { at, panics: true }) if at == number => panic!("effect {number} panics"),
            Some(Fails { at, .. }) if at == number => Err(Refused(number)),
            _ => Ok(()),
        }
    }

    fn enter(&self) -> bool {
        let mut seen = self.seen();
        seen.depth += 1;
        seen.depth <= 4
    }

    fn leave(&self) {
        self.seen().depth -= 1;
    }
}

/// A record with padding.
#[derive(GuestType, Clone, Copy, Debug)]
#[repr(C)]
pub struct Sample {
    pub channel: u32,
    pub value: f64,
}

/// A record of three bytes.
#[derive(GuestType, Clone, Copy, Debug)]
#[repr(C)]
pub struct Small {
    pub a: u8,
    pub b: bool,
    pub c: i8,
}

#[derive(Default, HostState)]
#[repr(C)]
pub struct Meter {
    pub used: u64,
}

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred)]
    fn note(&mut self, n: u32) -> Result<(), Refused> {
        self.see(format_args!("note {n}"))
    }

    #[hostcall(deferred)]
    fn owned(guest: &mut Guest<'_, App>, text: String) -> Result<(), Refused> {
        guest.state_mut().see(format_args!("owned {text}"))
    }

    #[hostcall(deferred, batch)]
    fn small(&mut self, batch: &[Small]) -> Result<(), Refused> {
        self.seen().slices.push(batch.len());
        let mut batch = batch.iter();
        batch.try_for_each(|Small { a, b, c }| self.see(format_args!("small {a} {b} {c}")))
    }

    #[hostcall(inline)]
    fn add(meter: &mut Meter, a: u32, b: u32) -> u32 {
        meter.used += 1;
        a.wrapping_add(b)
    }

    /// Its slow path is a function that guests import.
    #[hostcall(inline)]
    fn get(&mut self, x: u32) -> u32 {
        if x < 10 { x } else { self.slow(x) }
    }

    fn slow(&mut self, x: u32) -> Result<u32, Refused> {
        self.see(format_args!("slow {x}"))?;
        Ok(x * 2)
    }

    /// The same with one that they do not.
    #[hostcall(inline)]
    fn find(&mut self, x: u32) -> u32 {
        if x < 10 { x } else { self.hidden(x) }
    }

    fn hidden(&mut self, x: u32) -> Result<u32, Refused> {
        self.see(format_args!("hidden {x}"))?;
        Ok(x * 3)
    }
}

/// Everything that can be deferred, and what is not.
pub fn host(app: &App) -> Host<App> {
    let mut host = Host::new();
    let log = app.clone();
    App::add_to_host(&mut host, |app| app);
    host.deferred("env", "free", move |n: u32| {
        log.see(format_args!("free {n}"))
    })
    .deferred_with_state("env", "wide", |app: &mut App, a: i64, b: f64| {
        app.see(format_args!("wide {a} {b}"))
    })
    .deferred_with_state("env", "text", |app: &mut App, text: &str| {
        app.see(format_args!("text {text}"))
    })
    .deferred_with_state(
        "env",
        "mixed",
        |app: &mut App, text: &str, n: u32, list: &[u16]| {
            app.see(format_args!("mixed {text} {n} {list:?}"))
        },
    )
    .deferred_batch("env", "sample", |app: &mut App, batch: &[Sample]| {
        app.seen().slices.push(batch.len());
        let mut batch = batch.iter();
        batch.try_for_each(|Sample { channel, value }| {
            app.see(format_args!("sample {channel} {value}"))
        })
    })
    .deferred("env", "guest", |guest: &mut Guest<'_, App>, n: u32| {
        guest.state_mut().see(format_args!("guest {n}"))
    })
    .deferred("env", "later", |guest: &mut Guest<'_, App>, n: u32| {
        call(guest, "later", n)
    });
    let signature = "func(n: u32, text: string)".parse().expect("a signature");
    host.deferred_dynamic("env", "dynamic", signature, |guest, values| {
        let [Value::U32(n), Value::String(text)] = values else {
            unreachable!()
        };
        guest.state_mut().see(format_args!("dynamic {n} {text}"))
    })
    .expect("it has no result");
    host.func_with_state("env", "plain", |app: &mut App, n: u32| {
        app.see(format_args!("plain {n}")).map(|()| n + 1)
    })
    .func("env", "now", |guest: &mut Guest<'_, App>, n: u32| {
        call(guest, "now", n)
    })
    // As `later`, but what goes wrong in the guest is no matter.
    .deferred("env", "calm", |guest: &mut Guest<'_, App>, n: u32| {
        let failed = call(guest, "calm", n).is_err();
        let app = guest.state_mut();
        app.see(format_args!("calm {n} is over, failed: {failed}"))
    });
    for name in ["later", "calm", "now"] {
        host.reentrant("env", name, u32::MAX);
    }
    host.optional("env", "optional")
        .catch_all(|guest, import, args, _| {
            guest
                .state_mut()
                .see(format_args!("{} {args:?}", import.name))
        });
    host
}

/// Calls the export `again`, unless it is deep in such calls already.
fn call(guest: &mut Guest<'_, App>, name: &str, n: u32) -> Result<(), Error> {
    guest
        .state_mut()
        .see(format_args!("{name} {n}"))
        .map_err(Error::msg)?;
    let called = match guest.state_mut().enter() {
        true => guest
            .export::<u32, ()>("again")
            .and_then(|again| again.call_in(guest, n)),
        false => Ok(()),
    };
    guest.state_mut().leave();
    called
}

/// What a guest imports of [`host`].
pub const IMPORTS: &str = r#"
    (import "env" "free" (func $free (param i32)))
    (import "env" "note" (func $note (param i32)))
    (import "env" "wide" (func $wide (param i64 f64)))
    (import "env" "text" (func $text (param i32 i32)))
    (import "env" "mixed" (func $mixed (param i32 i32 i32 i32 i32)))
    (import "env" "owned" (func $owned (param i32 i32)))
    (import "env" "sample" (func $sample (param i32 f64)))
    (import "env" "small" (func $small (param i32 i32 i32)))
    (import "env" "dynamic" (func $dynamic (param i32 i32 i32)))
    (import "env" "guest" (func $guest (param i32)))
    (import "env" "later" (func $later (param i32)))
    (import "env" "calm" (func $calm (param i32)))
    (import "env" "now" (func $now (param i32)))
    (import "env" "plain" (func $plain (param i32) (result i32)))
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (import "env" "get" (func $get (param i32) (result i32)))
    (import "env" "slow" (func $slow (param i32) (result i32)))
    (import "env" "find" (func $find (param i32) (result i32)))
    (import "env" "unknown" (func $unknown (param i32)))"#;

/// A guest with the imports, a page of memory, and these items.
pub fn guest(items: &str) -> String {
    format!(
        r#"(module {IMPORTS}
            (memory (export "memory") 1 4)
            (data (i32.const 16) "onetwothree\f0\9f\a6\80 \ff")
            {items})"#
    )
}

/// A program, and what its host functions see.
pub struct Kit {
    pub app: App,
    pub program: Program<App>,
}

impl Kit {
    /// With deferring off, or with a queue of so many bytes.
    #[track_caller]
    pub fn new(guest: &str, queue: Option<u32>) -> Kit {
        let app = App::default();
        let mut host = host(&app);
        match queue {
            Some(size) => host.queue_size(size),
            None => host.deferring(false),
        };
        let program = host.program(guest.as_bytes());
        let program = program.unwrap_or_else(|error| panic!("{error}\n{guest}"));
        Kit { app, program }
    }

    /// An instance, of which nothing was seen yet. There should be one at a time.
    #[track_caller]
    pub fn instance(&self, fails: Option<Fails>) -> Instance<App> {
        *self.app.seen() = Seen {
            fails,
            ..Seen::default()
        };
        let instance = self.program.instantiate(self.app.clone());
        instance.expect("it instantiates")
    }
}

/// One instance of such a program.
#[track_caller]
pub fn start(guest: &str, queue: Option<u32>) -> (Instance<App>, App) {
    let kit = Kit::new(guest, queue);
    (kit.instance(None), kit.app)
}

/// How many calls wait, of which functions.
pub fn kept(calls: &[KeptCalls]) -> Vec<(&str, u64)> {
    let calls = calls.iter();
    calls.map(|kept| (kept.name.as_str(), kept.calls)).collect()
}
