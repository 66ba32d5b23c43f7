//! Async host functions: ready at once, and after the guest was suspended.

use super::Suite;
use crate::guests::{Data, looping};
use crate::harness::{Case, Comparison, Subject, Unit};
use hostcall::{Host, HostModule, host_module};
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::{Caller, Engine, Linker, Module, Result, Store};

pub const SUITE: Suite = Suite {
    name: "async",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    let cases = [("async/ready", 0, 1.00), ("async/wait", 1, 1.05)];
    let cases = cases.into_iter().map(|(name, waits, target)| {
        Ok(Case {
            name,
            unit: Unit::NS_PER_CALL,
            subjects: vec![hostcall(engine, waits)?, wasmtime(engine, waits)?],
            comparisons: vec![Comparison::to("wasmtime", target)],
            growth: None,
        })
    });
    cases.collect()
}

fn guest() -> String {
    looping(
        Some(r#""add" (func $add (param i32 i32) (result i32))"#),
        "(local.set $sum (call $add (local.get $sum) (i32.const 3)))",
    )
}

/// Adds, after it has let others go first so often.
async fn add(total: &mut u64, (a, b): (i32, i32), mut waits: u32) -> i32 {
    poll_fn(|context| {
        if waits == 0 {
            return Poll::Ready(());
        }
        waits -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    *total += 1;
    a.wrapping_add(b)
}

#[derive(Default)]
struct Adder {
    total: u64,
    waits: u32,
}

#[host_module(name = "env")]
impl Adder {
    async fn add(&mut self, a: i32, b: i32) -> i32 {
        add(&mut self.total, (a, b), self.waits).await
    }
}

fn hostcall(engine: &Engine, waits: u32) -> Result<Subject> {
    let mut host = Host::with_engine(engine.clone());
    Adder::add_to_host(&mut host, |adder| adder);
    let program = host.program(guest().as_bytes())?;
    let adder = Adder { total: 0, waits };
    let mut instance = block_on(program.instantiate_async(adder))?;
    let run = instance.export::<u64, u64>("run")?;
    Ok(Subject::new("hostcall", move |count| {
        instance.state_mut().total = 0;
        let result = block_on(run.call_async(&mut instance, count))?;
        Ok([result, instance.state().total])
    }))
}

fn wasmtime(engine: &Engine, waits: u32) -> Result<Subject> {
    let module = Module::new(engine, wat::parse_str(guest())?)?;
    let mut linker = Linker::<Data>::new(engine);
    linker.func_wrap_async(
        "env",
        "add",
        move |mut caller: Caller<'_, Data>, args: (i32, i32)| {
            Box::new(async move { add(&mut caller.data_mut().app.total, args, waits).await })
        },
    )?;
    let mut store = Store::new(engine, Data::default());
    let instance = block_on(linker.instantiate_async(&mut store, &module))?;
    let run = instance.get_typed_func::<u64, u64>(&mut store, "run")?;
    Ok(Subject::new("wasmtime", move |count| {
        store.data_mut().app.total = 0;
        let result = block_on(run.call_async(&mut store, count))?;
        Ok([result, store.data().app.total])
    }))
}

/// The least that an executor can be: what a call costs is not hidden behind it.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
