//! What linking costs before a guest runs.

use super::Suite;
use super::inline::Bodies;
use crate::guests::{Data, looping, module};
use crate::harness::{Case, Comparison, Outcome, Subject, Unit};
use crate::peers::{self, Functions, Work};
use hostcall::{Host, HostModule};
use hostcall_link::{LinkOptions, ModuleInfo, Provider, Replacement, link};
use wasmtime::{Caller, Engine, Linker, Module, Result, Store};

pub const SUITE: Suite = Suite {
    name: "link",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok(vec![bytes(engine)?, instantiate(engine)?])
}

/// A real module of 1.4 MB.
const SQLITE: &[u8] = include_bytes!("../../../guests/sqlite/sqlite.wasm");

/// What its host functions do.
const UDF: &str = r#"(module
    (func (export "score") (param f64 f64) (result f64)
        (f64.mul (local.get 0) (f64.add (local.get 1) (f64.const 1))))
    (func (export "mix") (param i64) (result i64)
        (i64.mul (local.get 0) (i64.const 0x9e3779b97f4a7c15))))"#;

/// Parsing and linking, and compiling what comes out.
fn bytes(engine: &Engine) -> Result<Case> {
    let case = Case {
        name: "link/bytes",
        unit: Unit::MS_PER_MODULE,
        subjects: link_and_compile(engine, SQLITE)?,
        comparisons: vec![Comparison::to("compile", 0.05)],
        growth: None,
    };
    peers::add(case, Work::Compile, &linked_sqlite()?)
}

/// What is compiled.
fn linked_sqlite() -> Result<Vec<u8>> {
    linked(SQLITE, &Provider::parse(&wat::parse_str(UDF)?)?)
}

/// Linking a module that imports functions of `udf`, and compiling the linked one.
pub(super) fn link_and_compile(
    engine: &Engine,
    guest: impl AsRef<[u8]> + 'static,
) -> Result<Vec<Subject>> {
    let provider = Provider::parse(&wat::parse_str(UDF)?)?;
    let module = linked(guest.as_ref(), &provider)?;
    let engine = engine.clone();
    Ok(vec![
        Subject::new("hostcall", move |count| {
            repeated(count, || linked(guest.as_ref(), &provider).map(drop))
        }),
        Subject::new("compile", move |count| {
            repeated(count, || Module::new(&engine, &module).map(drop))
        }),
    ])
}

pub fn repeated(count: u64, mut work: impl FnMut() -> Result<()>) -> Result<Outcome> {
    (0..count).try_for_each(|_| work())?;
    Ok([count, 0])
}

fn linked(guest: &[u8], provider: &Provider) -> Result<Vec<u8>> {
    let info = ModuleInfo::parse(guest)?;
    let imports = info.imports.iter().filter(|import| import.module == "udf");
    let replacements = imports.map(|import| Replacement {
        import: import.index,
        provider,
        function: &import.name,
        call_sites: true,
    });
    let options = LinkOptions {
        replacements: replacements.collect(),
        ..LinkOptions::default()
    };
    Ok(link(guest, &options)?.bytes)
}

fn instantiate(engine: &Engine) -> Result<Case> {
    let guest = looping(Some(r#""hit" (func $f)"#), "(call $f)");
    let case = Case {
        name: "instantiate",
        unit: Unit::US_PER_INSTANTIATE,
        subjects: vec![hostcall(engine, &guest)?, wasmtime(engine, &guest)?],
        comparisons: vec![Comparison::to("wasmtime", 1.5)],
        growth: None,
    };
    peers::add(case, Work::Instantiate(Functions::Inline), &guest)
}

/// With a host page.
fn hostcall(engine: &Engine, guest: &str) -> Result<Subject> {
    let mut host = Host::with_engine(engine.clone());
    Bodies::add_to_host(&mut host, |bodies| bodies);
    let program = host.program(guest.as_bytes())?;
    Ok(Subject::new("hostcall", move |count| {
        repeated(count, || Ok(program.instantiate(Bodies).map(drop)?))
    }))
}

fn wasmtime(engine: &Engine, guest: &str) -> Result<Subject> {
    let mut linker = Linker::new(engine);
    let hit = |mut caller: Caller<'_, Data>| caller.data_mut().app.total += 1;
    linker.func_wrap("env", "hit", hit)?;
    let pre = linker.instantiate_pre(&module(engine, guest)?)?;
    let engine = engine.clone();
    Ok(Subject::new("wasmtime", move |count| {
        repeated(count, || {
            let mut store = Store::new(&engine, Data::default());
            pre.instantiate(&mut store).map(drop)
        })
    }))
}
