//! Bodies of host functions that stand in the guest.

use super::Suite;
use crate::guests::{self, Data, looping, module};
use crate::harness::{Case, Comparison, Subject, Unit};
use crate::peers::{self, Functions, Work};
use hostcall::{Host, HostModule, HostState, Memory, host_module};
use wasmtime::{Caller, Engine, Linker, Result, Store, bail, format_err};

pub const SUITE: Suite = Suite {
    name: "inline",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok(vec![
        add(engine)?,
        clamp(engine)?,
        mix64(engine)?,
        memcpy(engine)?,
        state(engine)?,
    ])
}

/// What the host reads after the run.
#[derive(Default, HostState)]
#[repr(C)]
pub struct Counter {
    pub hits: u64,
}

pub struct Bodies;

#[host_module(name = "env")]
impl Bodies {
    #[hostcall(inline)]
    pub fn add(a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[hostcall(inline)]
    pub fn clamp(x: i32, low: i32, high: i32) -> i32 {
        if x < low {
            low
        } else if x > high {
            high
        } else {
            x
        }
    }

    #[hostcall(inline)]
    pub fn mix64(x: u64) -> u64 {
        let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[hostcall(inline)]
    fn copy32(memory: &mut Memory<'_>, to: u32, from: u32) {
        memory.copy(to, from, 32);
    }

    #[hostcall(inline)]
    fn hit(counter: &mut Counter) {
        counter.hits = counter.hits.wrapping_add(1);
    }
}

/// The same guest twice.
pub struct Guests {
    /// It imports the function.
    pub importing: String,
    /// It has the code itself.
    pub own: String,
}

/// A body in the guest, beside code of the guest's own, and a host function.
fn beside(
    name: &'static str,
    engine: &Engine,
    guests: &Guests,
    wasmtime: Subject,
    at_most: impl Into<Option<f64>>,
) -> Result<Case> {
    let comparisons = vec![
        Comparison::to("guest", 1.05),
        Comparison::to(wasmtime.name, at_most),
    ];
    let subjects = vec![
        inlined(engine, &guests.importing)?,
        in_guest(engine, &guests.own)?,
        wasmtime,
    ];
    let case = case(name, subjects, comparisons);
    peers::add(case, Work::Run(Functions::Inline), &guests.importing)
}

fn case(name: &'static str, subjects: Vec<Subject>, comparisons: Vec<Comparison>) -> Case {
    Case {
        name,
        unit: Unit::NS_PER_CALL,
        subjects,
        comparisons,
        growth: None,
    }
}

const ADD: &str = r#""add" (func $f (param i32 i32) (result i32))"#;
const CLAMP: &str = r#""clamp" (func $f (param i32 i32 i32) (result i32))"#;
const MIX64: &str = r#""mix64" (func $f (param i64) (result i64))"#;
const COPY32: &str = r#""copy32" (func $f (param i32 i32))"#;
const HIT: &str = r#""hit" (func $f)"#;

/// `add`, imported and written in the guest.
pub fn add_guests() -> Guests {
    let importing = looping(
        Some(ADD),
        "(local.set $sum (call $f (local.get $sum) (i32.const 3)))",
    );
    let own = looping(
        None,
        "(local.set $sum (i32.add (local.get $sum) (i32.const 3)))",
    );
    Guests { importing, own }
}

fn add(engine: &Engine) -> Result<Case> {
    let texts = add_guests();
    let wasmtime = guests::wasmtime("wasmtime", engine, &texts.importing, |linker| {
        let add = |a: i32, b: i32| a.wrapping_add(b);
        linker.func_wrap("env", "add", add).map(drop)
    })?;
    beside("inline/add", engine, &texts, wasmtime, 0.15)
}

/// `clamp`, imported and written in the guest.
pub fn clamp_guests() -> Guests {
    let value = "(i32.add (local.get $sum) (i32.const 3))";
    let importing = looping(
        Some(CLAMP),
        &format!("(local.set $sum (call $f {value} (i32.const 10) (i32.const 1000000)))"),
    );
    let own = looping(
        None,
        &format!(
            "(local.set $x {value})
             (local.set $sum
                (if (result i32) (i32.lt_s (local.get $x) (i32.const 10))
                    (then (i32.const 10))
                    (else (if (result i32) (i32.gt_s (local.get $x) (i32.const 1000000))
                        (then (i32.const 1000000))
                        (else (local.get $x))))))"
        ),
    );
    Guests { importing, own }
}

fn clamp(engine: &Engine) -> Result<Case> {
    let texts = clamp_guests();
    let wasmtime = guests::wasmtime("wasmtime", engine, &texts.importing, |linker| {
        let clamp = |x: i32, low: i32, high: i32| {
            if x < low {
                low
            } else if x > high {
                high
            } else {
                x
            }
        };
        linker.func_wrap("env", "clamp", clamp).map(drop)
    })?;
    beside("inline/clamp", engine, &texts, wasmtime, None)
}

/// `mix64`, imported and written in the guest.
pub fn mix64_guests() -> Guests {
    let importing = looping(
        Some(MIX64),
        "(local.set $mix (call $f (local.get $mix)))
         (local.set $sum (i32.wrap_i64 (local.get $mix)))",
    );
    let own = looping(
        None,
        "(local.set $mix (i64.add (local.get $mix) (i64.const 0x9e3779b97f4a7c15)))
         (local.set $mix (i64.mul
            (i64.xor (local.get $mix) (i64.shr_u (local.get $mix) (i64.const 30)))
            (i64.const 0xbf58476d1ce4e5b9)))
         (local.set $mix (i64.mul
            (i64.xor (local.get $mix) (i64.shr_u (local.get $mix) (i64.const 27)))
            (i64.const 0x94d049bb133111eb)))
         (local.set $mix (i64.xor (local.get $mix) (i64.shr_u (local.get $mix) (i64.const 31))))
         (local.set $sum (i32.wrap_i64 (local.get $mix)))",
    );
    Guests { importing, own }
}

fn mix64(engine: &Engine) -> Result<Case> {
    let texts = mix64_guests();
    let wasmtime = guests::wasmtime("wasmtime", engine, &texts.importing, |linker| {
        let mix = |x: u64| {
            let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        linker.func_wrap("env", "mix64", mix).map(drop)
    })?;
    beside("inline/mix64", engine, &texts, wasmtime, None)
}

/// `copy32`, imported and written in the guest.
pub fn memcpy_guests() -> Guests {
    let importing = looping(Some(COPY32), "(call $f (i32.const 256) (i32.const 64))");
    let own = looping(
        None,
        "(memory.copy (i32.const 256) (i32.const 64) (i32.const 32))",
    );
    Guests { importing, own }
}

fn memcpy(engine: &Engine) -> Result<Case> {
    let texts = memcpy_guests();
    let wasmtime = guests::wasmtime("wasmtime-cached", engine, &texts.importing, |linker| {
        let copy = |mut caller: Caller<'_, Data>, to: u32, from: u32| {
            let Some(memory) = caller.data().memory else {
                bail!("no memory");
            };
            copy32(memory.data_mut(&mut caller), to as usize, from as usize)
        };
        linker.func_wrap("env", "copy32", copy).map(drop)
    })?;
    beside("inline/memcpy", engine, &texts, wasmtime, 0.5)
}

fn copy32(bytes: &mut [u8], to: usize, from: usize) -> Result<()> {
    let inside = |at: usize| at.checked_add(32).is_some_and(|end| end <= bytes.len());
    if !inside(to) || !inside(from) {
        return Err(format_err!("out of bounds"));
    }
    bytes.copy_within(from..from + 32, to);
    Ok(())
}

fn state(engine: &Engine) -> Result<Case> {
    let guest = looping(Some(HIT), "(call $f)");
    let wasmtime = guests::wasmtime("wasmtime", engine, &guest, |linker| {
        let hit = |mut caller: Caller<'_, Data>| caller.data_mut().app.total += 1;
        linker.func_wrap("env", "hit", hit).map(drop)
    })?;
    let case = case(
        "inline/state",
        vec![inlined(engine, &guest)?, wasmtime],
        vec![Comparison::to("wasmtime", 0.30)],
    );
    peers::add(case, Work::Run(Functions::Inline), &guest)
}

/// The guest with the bodies of [`Bodies`] in it.
fn inlined(engine: &Engine, guest: &str) -> Result<Subject> {
    let mut host = Host::with_engine(engine.clone());
    Bodies::add_to_host(&mut host, |bodies| bodies);
    let program = host.program(guest.as_bytes())?;
    let mut instance = program.instantiate(Bodies)?;
    let run = instance.export::<u64, u64>("run")?;
    Ok(Subject::new("hostcall", move |count| {
        if let Some(counter) = instance.host_state_mut::<Counter>() {
            counter.hits = 0;
        }
        let result = run.call(&mut instance, count)?;
        let counter = instance.host_state::<Counter>();
        Ok([result, counter.map_or(0, |counter| counter.hits)])
    }))
}

/// A guest that has the code itself.
fn in_guest(engine: &Engine, guest: &str) -> Result<Subject> {
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, &module(engine, guest)?)?;
    let run = instance.get_typed_func::<u64, u64>(&mut store, "run")?;
    Ok(Subject::new("guest", move |count| {
        Ok([run.call(&mut store, count)?, 0])
    }))
}
