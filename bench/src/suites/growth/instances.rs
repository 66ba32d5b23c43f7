//! One program with ever more instances, all of them alive.

use super::{series, sizes};
use crate::guests::{App, Data, module};
use crate::harness::{Case, Subject, Unit};
use hostcall::{Export, Host, HostModule, Instance};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use wasmtime::{
    Caller, Config, Engine, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, Result,
    Store, TypedFunc,
};

/// As many as both subjects have at most, and one more each.
const MOST: u32 = 20_002;

/// A page, which the guest does not grow.
const MEMORY: usize = 64 << 10;

pub fn cases() -> Result<Vec<Case>> {
    let more = sizes!("growth/instances", "instances": 1, 10, 100, 1000, 10000);
    let call = sizes!("growth/instances-call", "instances": 1, 10, 100, 1000, 10000);
    let engine = pooling()?;
    let mut host = Host::<App>::with_engine(engine.clone());
    App::add_to_host(&mut host, |app| app);
    let hostcall = hostcall(&host)?;
    let wasmtime = wasmtime(&engine)?;
    let mut cases = series(more, Unit::US_PER_INSTANTIATE, |n| {
        Ok(vec![one_more(&hostcall, n), one_more(&wasmtime, n)])
    })?;
    cases.extend(series(call, Unit::NS_PER_CALL, |n| {
        Ok(vec![round_robin(&hostcall, n), round_robin(&wasmtime, n)])
    })?);
    Ok(cases)
}

/// An engine that has room for all of them: small memories out of a pool, and no
/// stacks for async calls, as there are none.
fn pooling() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(MOST)
        .total_memories(MOST)
        .max_memory_size(MEMORY)
        .total_stacks(0);
    let mut config = Config::new();
    config
        .memory_reservation(MEMORY as u64)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Instances that live at the same time.
struct Crowd<I> {
    name: &'static str,
    make: Box<dyn Fn() -> Result<I>>,
    call: fn(&mut I) -> Result<i32>,
    living: Vec<I>,
}

type Shared<I> = Rc<RefCell<Crowd<I>>>;

impl<I> Crowd<I> {
    fn new(
        name: &'static str,
        make: impl Fn() -> Result<I> + 'static,
        call: fn(&mut I) -> Result<i32>,
    ) -> Shared<I> {
        Rc::new(RefCell::new(Crowd {
            name,
            make: Box::new(make),
            call,
            living: Vec::new(),
        }))
    }

    /// Has `n` of them live.
    fn resize(&mut self, n: usize) -> Result<()> {
        self.living.truncate(n);
        while self.living.len() < n {
            self.living.push((self.make)()?);
        }
        Ok(())
    }
}

/// Makes one more, and drops it.
fn one_more<I: 'static>(crowd: &Shared<I>, n: usize) -> Subject {
    let (name, crowd) = (crowd.borrow().name, crowd.clone());
    Subject::measuring(name, move |count| {
        let mut crowd = crowd.borrow_mut();
        crowd.resize(n)?;
        let start = Instant::now();
        for _ in 0..count {
            (crowd.make)()?;
        }
        Ok((start.elapsed().as_secs_f64() / count as f64, [count, 0]))
    })
}

/// Calls one after the other; each calls the host once.
fn round_robin<I: 'static>(crowd: &Shared<I>, n: usize) -> Subject {
    let (name, crowd) = (crowd.borrow().name, crowd.clone());
    Subject::measuring(name, move |count| {
        let mut crowd = crowd.borrow_mut();
        crowd.resize(n)?;
        let (call, mut sum, mut left) = (crowd.call, 0, count as usize);
        let start = Instant::now();
        while left > 0 {
            for instance in crowd.living.iter_mut().take(left) {
                sum += u64::from(call(instance)?.cast_unsigned());
            }
            left = left.saturating_sub(n);
        }
        Ok((start.elapsed().as_secs_f64() / count as f64, [sum, count]))
    })
}

/// Without data, for which the system would keep a mapping more per instance: it
/// allows 65,530 in all, by default.
const GUEST: &str = r#"(module
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32)
        (i32.store (i32.const 64) (local.get 0))
        (call $add (i32.load (i32.const 64)) (i32.const 3))))"#;

type ByHostcall = (Instance<App>, Export<i32, i32>);

fn hostcall(host: &Host<App>) -> Result<Shared<ByHostcall>> {
    let program = host.program(GUEST.as_bytes())?;
    let make = move || {
        let mut instance = program.instantiate(App::default())?;
        let run = instance.export("run")?;
        Ok((instance, run))
    };
    Ok(Crowd::new("hostcall", make, |(instance, run)| {
        Ok(run.call(instance, 1)?)
    }))
}

type ByHand = (Store<Data>, TypedFunc<i32, i32>);

fn wasmtime(engine: &Engine) -> Result<Shared<ByHand>> {
    let mut linker = Linker::new(engine);
    let add = |mut caller: Caller<'_, Data>, a: i32, b: i32| {
        caller.data_mut().app.total += 1;
        a.wrapping_add(b)
    };
    linker.func_wrap("env", "add", add)?;
    let prepared = linker.instantiate_pre(&module(engine, GUEST)?)?;
    let engine = engine.clone();
    let make = move || {
        let mut store = Store::new(&engine, Data::default());
        let instance = prepared.instantiate(&mut store)?;
        let run = instance.get_typed_func(&mut store, "run")?;
        Ok((store, run))
    };
    Ok(Crowd::new("wasmtime", make, |(store, run)| {
        run.call(store, 1)
    }))
}
