//! wasmi: an interpreter, with an API like Wasmtime's.

use super::{Functions, Work};
use crate::guests::App;
use crate::harness::Subject;
use crate::suites::deferred::digest;
use crate::suites::inline::Bodies;
use crate::suites::link::repeated;
use crate::suites::{export, map};
use std::fmt::Display;
use wasmi::{
    Caller, CompilationMode, Config, Engine, Error, Instance, Linker, Memory, Module, Store,
};
use wasmtime::{Result, format_err};

/// The data of a store.
#[derive(Default)]
struct Data {
    app: App,
    /// Found once, after instantiation.
    memory: Option<Memory>,
}

pub fn subject(name: &'static str, work: Work, wasm: &[u8]) -> Result<Subject> {
    // Without it, functions are translated when they are called first.
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager);
    let engine = Engine::new(&config);
    let made = match work {
        Work::Run(functions) => run(name, &engine, functions, wasm),
        Work::Map => mapping(name, &engine, wasm),
        Work::Sum => summing(name, &engine, wasm),
        Work::Instantiate(functions) => instantiating(name, &engine, functions, wasm),
        Work::Compile => compiling(name, engine, wasm),
    };
    made.map_err(outer)
}

fn run(
    name: &'static str,
    engine: &Engine,
    functions: Functions,
    wasm: &[u8],
) -> Result<Subject, Error> {
    let linker = linker(engine, functions)?;
    let (mut store, instance) = instantiate(&linker, &Module::new(engine, wasm)?)?;
    store.data_mut().memory = instance.get_memory(&store, "memory");
    let run = instance.get_typed_func::<u64, u64>(&store, "run")?;
    Ok(Subject::new(name, move |count| {
        store.data_mut().app = App::default();
        let result = run.call(&mut store, count).map_err(outer)?;
        Ok([result, store.data().app.total])
    }))
}

fn instantiate(linker: &Linker<Data>, module: &Module) -> Result<(Store<Data>, Instance), Error> {
    let mut store = Store::new(linker.engine(), Data::default());
    let instance = linker.instantiate_and_start(&mut store, module)?;
    Ok((store, instance))
}

fn linker(engine: &Engine, functions: Functions) -> Result<Linker<Data>, Error> {
    let mut linker = Linker::new(engine);
    match functions {
        Functions::Call => call(&mut linker)?,
        Functions::Inline => inline(&mut linker)?,
        Functions::Deferred => deferred(&mut linker)?,
    }
    Ok(linker)
}

fn call(linker: &mut Linker<Data>) -> Result<(), Error> {
    linker.func_wrap(
        "env",
        "add",
        |mut caller: Caller<'_, Data>, a: i32, b: i32| {
            caller.data_mut().app.total += 1;
            a.wrapping_add(b)
        },
    )?;
    linker.func_wrap("env", "log", log)?;
    linker.func_wrap("env", "flat", |x: i32, y: i32| x.wrapping_add(y))?;
    linker.func_wrap("env", "pointer", pointer)?;
    linker.func_wrap("env", "double", double)?;
    Ok(())
}

fn inline(linker: &mut Linker<Data>) -> Result<(), Error> {
    linker.func_wrap("env", "add", Bodies::add)?;
    linker.func_wrap("env", "clamp", Bodies::clamp)?;
    linker.func_wrap("env", "mix64", Bodies::mix64)?;
    linker.func_wrap("env", "copy32", copy32)?;
    linker.func_wrap("env", "hit", |mut caller: Caller<'_, Data>| {
        caller.data_mut().app.total += 1;
    })?;
    Ok(())
}

fn deferred(linker: &mut Linker<Data>) -> Result<(), Error> {
    linker.func_wrap(
        "env",
        "sample",
        |mut caller: Caller<'_, Data>, channel: u32, value: f64| {
            let total = &mut caller.data_mut().app.total;
            *total = digest(*total, channel, value);
        },
    )?;
    linker.func_wrap("env", "log", log)?;
    Ok(())
}

fn log(mut caller: Caller<'_, Data>, pointer: u32, length: u32) -> Result<(), Error> {
    let memory = cached_memory(&caller)?;
    let (bytes, data) = memory.data_and_store_mut(&mut caller);
    let bytes = bytes
        .get(pointer as usize..pointer as usize + length as usize)
        .ok_or_else(out_of_bounds)?;
    data.app.total += std::str::from_utf8(bytes).map_err(inner)?.len() as u64;
    Ok(())
}

fn pointer(caller: Caller<'_, Data>, pointer: u32) -> Result<i32, Error> {
    let bytes = cached_memory(&caller)?.data(&caller);
    let bytes = bytes.get(pointer as usize..).ok_or_else(out_of_bounds)?;
    let [x, y, ..] = bytes.as_chunks().0 else {
        return Err(out_of_bounds());
    };
    Ok(i32::from_le_bytes(*x).wrapping_add(i32::from_le_bytes(*y)))
}

fn double(mut caller: Caller<'_, Data>, pointer: u32, count: u32) -> Result<(), Error> {
    let end = pointer as usize + count as usize * 8;
    let bytes = cached_memory(&caller)?.data_mut(&mut caller);
    let bytes = bytes.get_mut(pointer as usize..end);
    for value in bytes.ok_or_else(out_of_bounds)?.as_chunks_mut().0 {
        *value = (f64::from_le_bytes(*value) * 2.0).to_le_bytes();
    }
    Ok(())
}

fn copy32(mut caller: Caller<'_, Data>, to: u32, from: u32) -> Result<(), Error> {
    let (to, from) = (to as usize, from as usize);
    let bytes = cached_memory(&caller)?.data_mut(&mut caller);
    if to.max(from) + 32 > bytes.len() {
        return Err(out_of_bounds());
    }
    bytes.copy_within(from..from + 32, to);
    Ok(())
}

fn cached_memory(caller: &Caller<'_, Data>) -> Result<Memory, Error> {
    let memory = caller.data().memory;
    memory.ok_or_else(|| Error::new("the guest exports no memory"))
}

fn summing(name: &'static str, engine: &Engine, wasm: &[u8]) -> Result<Subject, Error> {
    let module = Module::new(engine, wasm)?;
    let (mut store, instance) = instantiate(&Linker::new(engine), &module)?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&store, "add")?;
    Ok(Subject::new(name, move |count| {
        export::sum(count, |a, b| add.call(&mut store, (a, b)).map_err(outer))
    }))
}

fn mapping(name: &'static str, engine: &Engine, wasm: &[u8]) -> Result<Subject, Error> {
    let module = Module::new(engine, wasm)?;
    let (mut store, instance) = instantiate(&Linker::new(engine), &module)?;
    let add = instance.get_typed_func::<(i32, i32), i32>(&store, "add")?;
    Ok(map::subject(name, move |inputs, outputs| {
        for (input, output) in inputs.iter().zip(outputs) {
            *output = add.call(&mut store, *input).map_err(outer)?;
        }
        Ok(())
    }))
}

fn instantiating(
    name: &'static str,
    engine: &Engine,
    functions: Functions,
    wasm: &[u8],
) -> Result<Subject, Error> {
    let linker = linker(engine, functions)?;
    let module = Module::new(engine, wasm)?;
    Ok(Subject::new(name, move |count| {
        repeated(count, || {
            instantiate(&linker, &module).map(drop).map_err(outer)
        })
    }))
}

fn compiling(name: &'static str, engine: Engine, wasm: &[u8]) -> Result<Subject, Error> {
    let wasm = wasm.to_vec();
    Ok(Subject::new(name, move |count| {
        repeated(count, || {
            Module::new(&engine, &wasm).map(drop).map_err(outer)
        })
    }))
}

fn inner(error: impl Display) -> Error {
    Error::new(error.to_string())
}

fn outer(error: Error) -> wasmtime::Error {
    format_err!("wasmi: {error}")
}

fn out_of_bounds() -> Error {
    Error::new("out of bounds of the guest's memory")
}
