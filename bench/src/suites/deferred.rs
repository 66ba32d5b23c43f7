//! Calls that are queued in the guest, beside calls that cross one by one.

use super::Suite;
use crate::guests::{self, Data, looping};
use crate::harness::{Case, Comparison, Subject, Unit};
use crate::peers::{self, Functions, Work};
use hostcall::{GuestType, Host, HostModule, host_module};
use wasmtime::{Caller, Engine, Result};

pub const SUITE: Suite = Suite {
    name: "deferred",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok(vec![sample(engine)?, string(engine)?])
}

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Sample {
    channel: u32,
    value: f64,
}

/// What all make of a sample.
pub fn digest(total: u64, channel: u32, value: f64) -> u64 {
    total.wrapping_add(value.to_bits() ^ u64::from(channel))
}

#[derive(Default)]
struct Deferred {
    total: u64,
}

#[host_module(name = "env")]
impl Deferred {
    #[hostcall(deferred, batch)]
    fn sample(&mut self, batch: &[Sample]) {
        let add = |total, sample: &Sample| digest(total, sample.channel, sample.value);
        self.total = batch.iter().fold(self.total, add);
    }

    #[hostcall(deferred)]
    fn log(&mut self, text: &str) {
        self.total += text.len() as u64;
    }
}

fn sample(engine: &Engine) -> Result<Case> {
    let guest = looping(
        Some(r#""sample" (func $sample (param i32 f64))"#),
        "(call $sample (local.get $sum) (f64.convert_i32_u (local.get $sum)))
         (local.set $sum (i32.add (local.get $sum) (i32.const 1)))",
    );
    let wasmtime = guests::wasmtime("wasmtime", engine, &guest, |linker| {
        let sample = |mut caller: Caller<'_, Data>, channel: u32, value: f64| {
            let total = &mut caller.data_mut().app.total;
            *total = digest(*total, channel, value);
        };
        linker.func_wrap("env", "sample", sample).map(drop)
    })?;
    let case = Case {
        name: "deferred/sample",
        unit: Unit::NS_PER_CALL,
        subjects: vec![deferred(engine, &guest)?, wasmtime],
        comparisons: vec![Comparison::to("wasmtime", 0.60)],
        growth: None,
    };
    peers::add(case, Work::Run(Functions::Deferred), &guest)
}

fn string(engine: &Engine) -> Result<Case> {
    let guest = looping(
        Some(r#""log" (func $log (param i32 i32))"#),
        "(call $log (i32.const 64) (i32.const 17))",
    );
    let cached = guests::wasmtime("wasmtime-cached", engine, &guest, guests::log_by_hand)?;
    let case = Case {
        name: "deferred/string",
        unit: Unit::NS_PER_CALL,
        subjects: vec![deferred(engine, &guest)?, cached],
        comparisons: vec![Comparison::to("wasmtime-cached", 0.90)],
        growth: None,
    };
    peers::add(case, Work::Run(Functions::Deferred), &guest)
}

/// The guest with stubs in it.
fn deferred(engine: &Engine, guest: &str) -> Result<Subject> {
    let mut host = Host::with_engine(engine.clone());
    Deferred::add_to_host(&mut host, |state| state);
    let program = host.program(guest.as_bytes())?;
    let mut instance = program.instantiate(Deferred::default())?;
    let run = instance.export::<u64, u64>("run")?;
    Ok(Subject::new("hostcall", move |count| {
        *instance.state_mut() = Deferred::default();
        let result = run.call(&mut instance, count)?;
        Ok([result, instance.state().total])
    }))
}
