//! Wasmer with Cranelift: typed host functions with an environment, in which the
//! memory is kept.

use super::{Functions, Work};
use crate::guests::App;
use crate::harness::Subject;
use crate::suites::deferred::digest;
use crate::suites::inline::Bodies;
use crate::suites::link::repeated;
use crate::suites::{export, map};
use std::fmt::Display;
use wasmer::sys::Cranelift;
use wasmer::{
    Engine, Exports, Function, FunctionEnv, FunctionEnvMut, Imports, Instance, Memory, Module,
    RuntimeError, Store, TypedFunction, WasmPtr,
};
use wasmtime::{Result, bail, format_err};

/// The environment of host functions.
#[derive(Default)]
struct Data {
    app: App,
    /// Found once, after instantiation.
    memory: Option<Memory>,
}

type Caller<'a> = FunctionEnvMut<'a, Data>;
type Add = TypedFunction<(i32, i32), i32>;

pub fn subject(name: &'static str, work: Work, wasm: &[u8]) -> Result<Subject> {
    // As Wasmtime has it, Cranelift optimises for speed if nothing else is said.
    let engine = Engine::from(Cranelift::new());
    match work {
        Work::Run(functions) => run(name, &engine, functions, wasm),
        Work::Map => mapping(name, &engine, wasm),
        Work::Sum => summing(name, &engine, wasm),
        Work::Instantiate(functions) => instantiating(name, engine, functions, wasm),
        Work::Compile => compiling(name, engine, wasm),
    }
}

fn run(name: &'static str, engine: &Engine, functions: Functions, wasm: &[u8]) -> Result<Subject> {
    let module = Module::new(engine, wasm).map_err(outer)?;
    let names = imports(&module);
    let (mut store, env, instance) = instantiate(engine, &module, functions, &names)?;
    env.as_mut(&mut store).memory = instance.exports.get_memory("memory").ok().cloned();
    let run: TypedFunction<u64, u64> = typed(&instance, &store, "run")?;
    Ok(Subject::new(name, move |count| {
        env.as_mut(&mut store).app = App::default();
        let result = run.call(&mut store, count).map_err(outer)?;
        Ok([result, env.as_ref(&store).app.total])
    }))
}

/// What a module imports from `env`.
fn imports(module: &Module) -> Vec<String> {
    let imports = module.imports();
    imports.map(|import| import.name().to_owned()).collect()
}

fn instantiate(
    engine: &Engine,
    module: &Module,
    functions: Functions,
    names: &[String],
) -> Result<(Store, FunctionEnv<Data>, Instance)> {
    let mut store = Store::new(engine.clone());
    let env = FunctionEnv::new(&mut store, Data::default());
    let mut exports = Exports::new();
    for name in names {
        exports.insert(name, function(&mut store, &env, functions, name)?);
    }
    let mut imports = Imports::new();
    imports.register_namespace("env", exports);
    let instance = Instance::new(&mut store, module, &imports).map_err(outer)?;
    Ok((store, env, instance))
}

fn typed<A, R>(instance: &Instance, store: &Store, name: &str) -> Result<TypedFunction<A, R>>
where
    A: wasmer::WasmTypeList,
    R: wasmer::WasmTypeList,
{
    let function = instance.exports.get_typed_function(store, name);
    function.map_err(outer)
}

fn function(
    store: &mut Store,
    env: &FunctionEnv<Data>,
    functions: Functions,
    name: &str,
) -> Result<Function> {
    Ok(match (functions, name) {
        (Functions::Call, "add") => Function::new_typed_with_env(store, env, counted_add),
        (Functions::Call | Functions::Deferred, "log") => {
            Function::new_typed_with_env(store, env, log)
        }
        (Functions::Call, "flat") => Function::new_typed(store, |x: i32, y: i32| x.wrapping_add(y)),
        (Functions::Call, "pointer") => Function::new_typed_with_env(store, env, pointer),
        (Functions::Call, "double") => Function::new_typed_with_env(store, env, double),
        (Functions::Inline, "add") => Function::new_typed(store, Bodies::add),
        (Functions::Inline, "clamp") => Function::new_typed(store, Bodies::clamp),
        (Functions::Inline, "mix64") => Function::new_typed(store, Bodies::mix64),
        (Functions::Inline, "copy32") => Function::new_typed_with_env(store, env, copy32),
        (Functions::Inline, "hit") => Function::new_typed_with_env(store, env, hit),
        (Functions::Deferred, "sample") => Function::new_typed_with_env(store, env, sample),
        _ => bail!("wasmer: there is no host function `{name}`"),
    })
}

fn counted_add(mut caller: Caller<'_>, a: i32, b: i32) -> i32 {
    caller.data_mut().app.total += 1;
    a.wrapping_add(b)
}

fn hit(mut caller: Caller<'_>) {
    caller.data_mut().app.total += 1;
}

fn sample(mut caller: Caller<'_>, channel: u32, value: f64) {
    let total = &mut caller.data_mut().app.total;
    *total = digest(*total, channel, value);
}

/// The text is read where it is.
fn log(mut caller: Caller<'_>, text: WasmPtr<u8>, length: u32) -> Result<(), RuntimeError> {
    let (data, store) = caller.data_and_store_mut();
    let view = cached_memory(data)?.view(&store);
    let bytes = text.slice(&view, length)?.access()?;
    let text = std::str::from_utf8(bytes.as_ref()).map_err(inner)?;
    data.app.total += text.len() as u64;
    Ok(())
}

fn pointer(mut caller: Caller<'_>, point: WasmPtr<i32>) -> Result<i32, RuntimeError> {
    let (data, store) = caller.data_and_store_mut();
    let view = cached_memory(data)?.view(&store);
    let point = point.slice(&view, 2)?.access()?;
    let [x, y] = *point.as_ref() else {
        unreachable!("the slice has two elements");
    };
    Ok(x.wrapping_add(y))
}

fn double(mut caller: Caller<'_>, values: WasmPtr<f64>, count: u32) -> Result<(), RuntimeError> {
    let (data, store) = caller.data_and_store_mut();
    let view = cached_memory(data)?.view(&store);
    let mut values = values.slice(&view, count)?.access()?;
    for value in values.as_mut() {
        *value *= 2.0;
    }
    Ok(())
}

fn copy32(mut caller: Caller<'_>, to: u32, from: u32) -> Result<(), RuntimeError> {
    let (data, store) = caller.data_and_store_mut();
    let view = cached_memory(data)?.view(&store);
    let mut bytes = [0; 32];
    view.read(from.into(), &mut bytes)?;
    Ok(view.write(to.into(), &bytes)?)
}

fn cached_memory(data: &Data) -> Result<&Memory, RuntimeError> {
    let memory = data.memory.as_ref();
    memory.ok_or_else(|| RuntimeError::new("the guest exports no memory"))
}

fn summing(name: &'static str, engine: &Engine, wasm: &[u8]) -> Result<Subject> {
    let (mut store, add) = adding(engine, wasm)?;
    Ok(Subject::new(name, move |count| {
        export::sum(count, |a, b| add.call(&mut store, a, b).map_err(outer))
    }))
}

fn mapping(name: &'static str, engine: &Engine, wasm: &[u8]) -> Result<Subject> {
    let (mut store, add) = adding(engine, wasm)?;
    Ok(map::subject(name, move |inputs, outputs| {
        for ((a, b), output) in inputs.iter().zip(outputs) {
            *output = add.call(&mut store, *a, *b).map_err(outer)?;
        }
        Ok(())
    }))
}

fn adding(engine: &Engine, wasm: &[u8]) -> Result<(Store, Add)> {
    let mut store = Store::new(engine.clone());
    let module = Module::new(engine, wasm).map_err(outer)?;
    let instance = Instance::new(&mut store, &module, &Imports::new()).map_err(outer)?;
    let add = typed(&instance, &store, "add")?;
    Ok((store, add))
}

fn instantiating(
    name: &'static str,
    engine: Engine,
    functions: Functions,
    wasm: &[u8],
) -> Result<Subject> {
    let module = Module::new(&engine, wasm).map_err(outer)?;
    let names = imports(&module);
    Ok(Subject::new(name, move |count| {
        repeated(count, || {
            instantiate(&engine, &module, functions, &names).map(drop)
        })
    }))
}

fn compiling(name: &'static str, engine: Engine, wasm: &[u8]) -> Result<Subject> {
    let wasm = wasm.to_vec();
    Ok(Subject::new(name, move |count| {
        repeated(count, || {
            Module::new(&engine, &wasm).map(drop).map_err(outer)
        })
    }))
}

fn inner(error: impl Display) -> RuntimeError {
    RuntimeError::new(error.to_string())
}

fn outer(error: impl Display) -> wasmtime::Error {
    format_err!("wasmer: {error}")
}
