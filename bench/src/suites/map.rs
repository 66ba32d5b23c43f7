//! An export called for many arguments.

use super::Suite;
use crate::guests::module;
use crate::harness::{Case, Comparison, Subject, Unit};
use crate::peers::{self, Work};
use hostcall::Host;
use wasmtime::{Engine, Instance, Result, Store};

pub const SUITE: Suite = Suite { name: "map", cases };

const ELEMENTS: usize = 65_536;

const GUEST: &str = r#"(module
    (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1))))"#;

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    let case = Case {
        name: "map/add",
        unit: Unit::NS_PER_CALL,
        subjects: vec![hostcall(engine)?, wasmtime(engine)?],
        comparisons: vec![Comparison::to("wasmtime", 0.08)],
        growth: None,
    };
    Ok(vec![peers::add(case, Work::Map, GUEST)?])
}

fn inputs() -> Vec<(i32, i32)> {
    let numbers = 0..ELEMENTS as i32;
    numbers.map(|i| (i, i.wrapping_mul(7))).collect()
}

/// Has `map` do as many elements as it is told, from one array into another.
pub fn subject(
    name: &'static str,
    mut map: impl FnMut(&[(i32, i32)], &mut [i32]) -> Result<()> + 'static,
) -> Subject {
    let (inputs, mut outputs) = (inputs(), vec![0; ELEMENTS]);
    Subject::new(name, move |count| {
        let mut left = count as usize;
        while left > 0 {
            let now = left.min(ELEMENTS);
            map(&inputs[..now], &mut outputs[..now])?;
            left -= now;
        }
        let last = count.min(ELEMENTS as u64) as usize;
        let sum = outputs[..last].iter().fold(0_u64, |sum, output| {
            sum.rotate_left(1).wrapping_add(u64::from(*output as u32))
        });
        Ok([sum, 0])
    })
}

fn hostcall(engine: &Engine) -> Result<Subject> {
    let mut host = Host::with_engine(engine.clone());
    host.map_export("add");
    let mut instance = host.program(GUEST.as_bytes())?.instantiate(())?;
    Ok(subject("hostcall", move |inputs, outputs| {
        Ok(instance.map::<(i32, i32), i32>("add", inputs, outputs)?)
    }))
}

fn wasmtime(engine: &Engine) -> Result<Subject> {
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module(engine, GUEST)?, &[])?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
    Ok(subject("wasmtime", move |inputs, outputs| {
        for (input, output) in inputs.iter().zip(outputs) {
            *output = add.call(&mut store, *input)?;
        }
        Ok(())
    }))
}
