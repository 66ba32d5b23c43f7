//! Guests that loop, under hostcall and under Wasmtime alone.

use crate::harness::Subject;
use hostcall::{GuestType, Host, HostModule, host_module};
use wasmtime::{Caller, Config, Engine, Linker, Memory, Module, Result, Store, format_err};

/// The engine that every subject of every case shares.
pub fn engine() -> Result<Engine> {
    Engine::new(&Config::new())
}

/// The state of the host functions.
#[derive(Default)]
pub struct App {
    pub total: u64,
}

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
pub struct Point {
    x: i32,
    y: i32,
}

#[host_module(name = "env")]
impl App {
    fn add(&mut self, a: i32, b: i32) -> i32 {
        self.total += 1;
        a.wrapping_add(b)
    }

    fn log(&mut self, text: &str) {
        self.total += text.len() as u64;
    }

    fn flat(point: Point) -> i32 {
        point.x.wrapping_add(point.y)
    }

    fn pointer(point: &Point) -> i32 {
        point.x.wrapping_add(point.y)
    }

    fn double(values: &mut [f64]) {
        for value in values {
            *value *= 2.0;
        }
    }

    fn sum(&mut self, values: &[u32]) {
        self.total += values.iter().map(|value| u64::from(*value)).sum::<u64>();
    }

    fn mix1(&mut self, a: i32) -> i32 {
        self.total += 1;
        mixed([a])
    }

    fn mix4(&mut self, a: i32, b: i32, c: i32, d: i32) -> i32 {
        self.total += 1;
        mixed([a, b, c, d])
    }

    #[expect(clippy::too_many_arguments, reason = "it measures what they cost")]
    fn mix16(
        &mut self,
        a: i32,
        b: i32,
        c: i32,
        d: i32,
        e: i32,
        f: i32,
        g: i32,
        h: i32,
        i: i32,
        j: i32,
        k: i32,
        l: i32,
        m: i32,
        n: i32,
        o: i32,
        p: i32,
    ) -> i32 {
        self.total += 1;
        mixed([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }
}

/// What functions of so many parameters give. Not their sum: compilers load that
/// many at a time, which has to wait for the guest to have stored each.
pub fn mixed<const N: usize>(numbers: [i32; N]) -> i32 {
    let numbers = numbers.into_iter().enumerate();
    numbers.fold(0, |mixed, (i, number)| match i % 2 {
        0 => mixed.wrapping_add(number),
        _ => mixed ^ number,
    })
}

/// The data of a Wasmtime store, as an embedder has it.
#[derive(Default)]
pub struct Data {
    pub app: App,
    /// Found once, after instantiation.
    pub memory: Option<Memory>,
}

/// A guest that does `body` in a loop, with an import from `env`. `$sum` is what
/// it returns.
pub fn looping(import: Option<&str>, body: &str) -> String {
    importing(import.as_slice(), body)
}

/// The same with any number of imports.
pub fn importing(imports: &[impl AsRef<str>], body: &str) -> String {
    let imports = imports.iter().map(AsRef::as_ref);
    let imports: String = imports
        .map(|import| format!("(import \"env\" {import})"))
        .collect();
    format!(
        r#"(module
            {imports}
            (memory (export "memory") 1)
            (data (i32.const 64) "a line to the log")
            (data (i32.const 128) "\00\00\00\00\03\00\00\00")
            (func (export "run") (param $n i64) (result i64)
                (local $sum i32) (local $x i32) (local $mix i64)
                (loop $again
                    {body}
                    (local.set $n (i64.sub (local.get $n) (i64.const 1)))
                    (br_if $again (i64.ne (local.get $n) (i64.const 0))))
                (i64.extend_i32_u (local.get $sum))))"#
    )
}

/// A guest whose export `run` does the work as often as it is told, with the
/// host functions of [`App`] by hostcall.
pub fn hostcall(engine: &Engine, guest: &str) -> Result<Subject> {
    let mut host = Host::with_engine(engine.clone());
    App::add_to_host(&mut host, |app| app);
    let mut instance = host
        .program(guest.as_bytes())?
        .instantiate(App::default())?;
    let run = instance.export::<u64, u64>("run")?;
    Ok(Subject::new("hostcall", move |count| {
        *instance.state_mut() = App::default();
        let result = run.call(&mut instance, count)?;
        Ok([result, instance.state().total])
    }))
}

/// The same guest under Wasmtime, with the host functions that `link` defines.
pub fn wasmtime(
    name: &'static str,
    engine: &Engine,
    guest: &str,
    link: impl FnOnce(&mut Linker<Data>) -> Result<()>,
) -> Result<Subject> {
    let mut linker = Linker::new(engine);
    link(&mut linker)?;
    let mut store = Store::new(engine, Data::default());
    let instance = linker.instantiate(&mut store, &module(engine, guest)?)?;
    store.data_mut().memory = instance.get_memory(&mut store, "memory");
    let run = instance.get_typed_func::<u64, u64>(&mut store, "run")?;
    Ok(Subject::new(name, move |count| {
        store.data_mut().app = App::default();
        let result = run.call(&mut store, count)?;
        Ok([result, store.data().app.total])
    }))
}

pub fn module(engine: &Engine, text: &str) -> Result<Module> {
    Module::new(engine, wat::parse_str(text)?)
}

/// What is done by hand beside hostcall.
pub fn cached_memory(caller: &Caller<'_, Data>) -> Result<Memory> {
    let memory = caller.data().memory;
    memory.ok_or_else(|| format_err!("the guest exports no memory"))
}

pub fn bytes(memory: &[u8], pointer: u32, length: u32) -> Result<&[u8]> {
    let (pointer, length) = (pointer as usize, length as usize);
    memory
        .get(pointer..pointer + length)
        .ok_or_else(out_of_bounds)
}

pub fn text(memory: &[u8], pointer: u32, length: u32) -> Result<&str> {
    Ok(std::str::from_utf8(bytes(memory, pointer, length)?)?)
}

pub fn out_of_bounds() -> wasmtime::Error {
    format_err!("out of bounds of the guest's memory")
}

/// A host function `log` as one writes it by hand: with the memory cached.
pub fn log_by_hand(linker: &mut Linker<Data>) -> Result<()> {
    let log = |mut caller: Caller<'_, Data>, pointer: u32, length: u32| {
        let memory = cached_memory(&caller)?;
        let (bytes, data) = memory.data_and_store_mut(&mut caller);
        data.app.total += text(bytes, pointer, length)?.len() as u64;
        Ok(())
    };
    linker.func_wrap("env", "log", log).map(drop)
}
