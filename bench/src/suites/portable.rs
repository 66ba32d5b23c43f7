//! Linked modules in another engine: an interpreter, which has no inlining of
//! its own.

use super::Suite;
use super::inline::{Bodies, Guests, add_guests, clamp_guests, mix64_guests};
use crate::harness::{Case, Comparison, Subject, Unit};
use hostcall::{Host, HostModule};
use wasmi::{Engine, Linker, Module, Store};
use wasmtime::{Result, format_err};

pub const SUITE: Suite = Suite {
    name: "portable",
    cases,
};

fn cases(_: &wasmtime::Engine) -> Result<Vec<Case>> {
    Ok(vec![
        case("portable/add", add_guests())?,
        case("portable/clamp", clamp_guests())?,
        case("portable/mix64", mix64_guests())?,
    ])
}

fn case(name: &'static str, guests: Guests) -> Result<Case> {
    let importing = wat::parse_str(&guests.importing)?;
    let mut host = Host::new();
    Bodies::add_to_host(&mut host, |bodies| bodies);
    let program = host.program(&importing)?;
    Ok(Case {
        name,
        unit: Unit::NS_PER_CALL,
        subjects: vec![
            subject("hostcall", program.linked())?,
            subject("guest", &wat::parse_str(&guests.own)?)?,
            subject("wasmi", &importing)?,
        ],
        comparisons: vec![Comparison::to("guest", None), Comparison::to("wasmi", None)],
        growth: None,
    })
}

fn subject(name: &'static str, wasm: &[u8]) -> Result<Subject> {
    made(name, wasm).map_err(|error| format_err!("{name}: {error}"))
}

fn made(name: &'static str, wasm: &[u8]) -> Result<Subject, wasmi::Error> {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("env", "add", Bodies::add)?;
    linker.func_wrap("env", "clamp", Bodies::clamp)?;
    linker.func_wrap("env", "mix64", Bodies::mix64)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate_and_start(&mut store, &Module::new(&engine, wasm)?)?;
    let run = instance.get_typed_func::<u64, u64>(&store, "run")?;
    Ok(Subject::new(name, move |count| {
        let result = run.call(&mut store, count);
        Ok([result.map_err(|error| format_err!("{error}"))?, 0])
    }))
}
