//! The host calls the guest.

use super::Suite;
use crate::guests::module;
use crate::harness::{Case, Comparison, Subject, Unit};
use crate::peers::{self, Work};
use hostcall::{Host, Instance, Value};
use wasmtime::{Engine, Result, Store, Val};

pub const SUITE: Suite = Suite {
    name: "export",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok(vec![typed(engine)?, dynamic(engine)?])
}

const GUEST: &str = r#"(module
    (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1))))"#;

fn typed(engine: &Engine) -> Result<Case> {
    let case = Case {
        name: "export/typed",
        unit: Unit::NS_PER_CALL,
        subjects: vec![hostcall_typed("hostcall", engine)?, wasmtime_typed(engine)?],
        comparisons: vec![Comparison::to("wasmtime", 1.05)],
        growth: None,
    };
    peers::add(case, Work::Sum, GUEST)
}

fn dynamic(engine: &Engine) -> Result<Case> {
    Ok(Case {
        name: "export/dynamic",
        unit: Unit::NS_PER_CALL,
        subjects: vec![
            hostcall_dynamic(engine)?,
            wasmtime_dynamic(engine)?,
            hostcall_typed("hostcall-typed", engine)?,
        ],
        comparisons: vec![
            Comparison::to("wasmtime", 0.40),
            Comparison::to("hostcall-typed", 3.0),
        ],
        growth: None,
    })
}

/// Sums up 0, 1, ..., `count - 1` by calls of `add`.
pub fn sum(count: u64, mut add: impl FnMut(i32, i32) -> Result<i32>) -> Result<[u64; 2]> {
    let sum = (0..count).try_fold(0, |sum, i| add(sum, i as i32))?;
    Ok([u64::from(sum as u32), 0])
}

fn instance(engine: &Engine) -> Result<Instance<()>> {
    let host = Host::with_engine(engine.clone());
    Ok(host.program(GUEST.as_bytes())?.instantiate(())?)
}

fn hostcall_typed(name: &'static str, engine: &Engine) -> Result<Subject> {
    let mut instance = instance(engine)?;
    let add = instance.export::<(i32, i32), i32>("add")?;
    Ok(Subject::new(name, move |count| {
        sum(count, |a, b| Ok(add.call(&mut instance, (a, b))?))
    }))
}

fn hostcall_dynamic(engine: &Engine) -> Result<Subject> {
    let mut instance = instance(engine)?;
    let add = instance.export_dynamic("add")?;
    Ok(Subject::new("hostcall", move |count| {
        let mut results = [Value::S32(0)];
        sum(count, |a, b| {
            add.call(&mut instance, &[Value::S32(a), Value::S32(b)], &mut results)?;
            match results {
                [Value::S32(sum)] => Ok(sum),
                _ => unreachable!("`add` returns an i32"),
            }
        })
    }))
}

fn wasmtime_typed(engine: &Engine) -> Result<Subject> {
    let mut store = Store::new(engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module(engine, GUEST)?, &[])?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
    Ok(Subject::new("wasmtime", move |count| {
        sum(count, |a, b| add.call(&mut store, (a, b)))
    }))
}

fn wasmtime_dynamic(engine: &Engine) -> Result<Subject> {
    let mut store = Store::new(engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module(engine, GUEST)?, &[])?;
    let add = instance
        .get_func(&mut store, "add")
        .expect("the guest exports it");
    Ok(Subject::new("wasmtime", move |count| {
        let mut results = [Val::I32(0)];
        sum(count, |a, b| {
            add.call(&mut store, &[Val::I32(a), Val::I32(b)], &mut results)?;
            Ok(results[0].unwrap_i32())
        })
    }))
}
