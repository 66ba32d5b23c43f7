//! A guest with ever more imports, all of which it calls.

use super::{series, sizes};
use crate::guests::{App, Data, importing};
use crate::harness::{Case, Outcome, Subject, Unit};
use crate::suites::link::repeated;
use hostcall::{Host, Program};
use std::time::Instant;
use wasmtime::{Caller, Engine, InstancePre, Linker, Module, Result, Store};

pub fn cases(engine: &Engine) -> Result<Vec<Case>> {
    let link = sizes!("growth/imports", "imports": 1, 10, 100, 1000);
    let instantiate = sizes!("growth/imports-instantiate", "imports": 1, 10, 100, 1000);
    let call = sizes!("growth/imports-call", "imports": 1, 10, 100, 1000);
    let mut cases = series(link, Unit::US_PER_PROGRAM, |n| linking(engine, n))?;
    cases.extend(series(instantiate, Unit::US_PER_INSTANTIATE, |n| {
        instantiating(engine, n)
    })?);
    cases.extend(series(call, Unit::NS_PER_CALL, |n| calling(engine, n))?);
    Ok(cases)
}

/// Calls every import once in each turn of its loop.
fn guest(imports: usize) -> Result<Vec<u8>> {
    let imported = (0..imports)
        .map(|i| format!(r#""f{i}" (func $f{i} (param i32 i32) (result i32))"#))
        .collect::<Vec<_>>();
    let calls = (0..imports)
        .map(|i| format!("(local.set $sum (call $f{i} (local.get $sum) (i32.const 3)))"))
        .collect::<String>();
    Ok(wat::parse_str(importing(&imported, &calls))?)
}

fn host(engine: &Engine, imports: usize) -> Host<App> {
    let mut host = Host::with_engine(engine.clone());
    for i in 0..imports {
        host.func_with_state("env", &format!("f{i}"), |app: &mut App, a: i32, b: i32| {
            app.total += 1;
            a.wrapping_add(b)
        });
    }
    host
}

fn linker(engine: &Engine, imports: usize) -> Result<Linker<Data>> {
    let mut linker = Linker::new(engine);
    for i in 0..imports {
        let add = |mut caller: Caller<'_, Data>, a: i32, b: i32| {
            caller.data_mut().app.total += 1;
            a.wrapping_add(b)
        };
        linker.func_wrap("env", &format!("f{i}"), add)?;
    }
    Ok(linker)
}

/// Both have the host's functions already, and the guest compiled: what is left is
/// to bring them together, and to make an instance.
fn linking(engine: &Engine, imports: usize) -> Result<Vec<Subject>> {
    let guest = guest(imports)?;
    let host = host(engine, imports);
    let file = host.program(&guest)?.serialize()?;
    let linker = linker(engine, imports)?;
    let (code, engine) = (Module::new(engine, &guest)?.serialize()?, engine.clone());
    Ok(vec![
        Subject::new("hostcall", move |count| {
            repeated(count, || {
                load(&host, &file)?.instantiate(App::default())?;
                Ok(())
            })
        }),
        Subject::new("wasmtime", move |count| {
            repeated(count, || {
                let mut store = Store::new(&engine, Data::default());
                let module = load_module(&engine, &code)?;
                linker.instantiate(&mut store, &module).map(drop)
            })
        }),
    ])
}

#[expect(unsafe_code, reason = "runs machine code that was just compiled")]
fn load(host: &Host<App>, file: &[u8]) -> Result<Program<App>> {
    // SAFETY: `Program::serialize` made it.
    Ok(unsafe { host.deserialize(file) }?)
}

#[expect(unsafe_code, reason = "runs machine code that was just compiled")]
fn load_module(engine: &Engine, code: &[u8]) -> Result<Module> {
    // SAFETY: `Module::serialize` made it.
    unsafe { Module::deserialize(engine, code) }
}

fn prepared(engine: &Engine, imports: usize) -> Result<InstancePre<Data>> {
    let module = Module::new(engine, guest(imports)?)?;
    linker(engine, imports)?.instantiate_pre(&module)
}

fn instantiating(engine: &Engine, imports: usize) -> Result<Vec<Subject>> {
    let program = host(engine, imports).program(&guest(imports)?)?;
    let (prepared, engine) = (prepared(engine, imports)?, engine.clone());
    Ok(vec![
        Subject::new("hostcall", move |count| {
            repeated(count, || {
                Ok(program.instantiate(App::default()).map(drop)?)
            })
        }),
        Subject::new("wasmtime", move |count| {
            repeated(count, || {
                let mut store = Store::new(&engine, Data::default());
                prepared.instantiate(&mut store).map(drop)
            })
        }),
    ])
}

fn calling(engine: &Engine, imports: usize) -> Result<Vec<Subject>> {
    let program = host(engine, imports).program(&guest(imports)?)?;
    let mut instance = program.instantiate(App::default())?;
    let export = instance.export::<u64, u64>("run")?;
    let hostcall = per_call("hostcall", imports, move |count| {
        *instance.state_mut() = App::default();
        let result = export.call(&mut instance, count)?;
        Ok([result, instance.state().total])
    });
    let mut store = Store::new(engine, Data::default());
    let instance = prepared(engine, imports)?.instantiate(&mut store)?;
    let run = instance.get_typed_func::<u64, u64>(&mut store, "run")?;
    let wasmtime = per_call("wasmtime", imports, move |count| {
        store.data_mut().app = App::default();
        let result = run.call(&mut store, count)?;
        Ok([result, store.data().app.total])
    });
    Ok(vec![hostcall, wasmtime])
}

/// One operation calls all imports.
fn per_call(
    name: &'static str,
    imports: usize,
    mut run: impl FnMut(u64) -> Result<Outcome> + 'static,
) -> Subject {
    Subject::measuring(name, move |count| {
        let start = Instant::now();
        let outcome = run(count)?;
        let calls = count * imports as u64;
        Ok((start.elapsed().as_secs_f64() / calls as f64, outcome))
    })
}
