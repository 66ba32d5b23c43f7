//! A linked module runs without hostcall, in any engine, with the results that
//! the guest has with functions of its host.

use hostcall_link::{ProvideOptions, Provider, Provision, provide};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROWS: i32 = 500;

/// `score` and `mix`, as SQLite's functions call them.
const UDF: &str = r#"(module
    (func (export "score") (param $price f64) (param $weight f64) (result f64)
        (f64.div (local.get $price) (f64.add (local.get $weight) (f64.const 1))))
    (func (export "mix") (param $n i64) (result i64)
        (local.set $n (i64.mul
            (i64.xor (local.get $n) (i64.shr_u (local.get $n) (i64.const 33)))
            (i64.const 0xff51afd7ed558ccd)))
        (i64.xor (local.get $n) (i64.shr_u (local.get $n) (i64.const 29)))))"#;

fn score(price: f64, weight: f64) -> f64 {
    price / (weight + 1.0)
}

fn mix(n: i64) -> i64 {
    let n = (n as u64 ^ (n as u64 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (n ^ (n >> 29)) as i64
}

fn guest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/sqlite/sqlite.wasm")
}

/// What `hostcall link` writes to standard output.
fn linked(options: &[&str]) -> Vec<u8> {
    let thread = std::thread::current().id();
    let udf = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("udf-{thread:?}.wat"));
    fs::write(&udf, UDF).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hostcall"));
    command.arg("link").arg(guest());
    command.arg(format!("--provide=udf={}", udf.display()));
    let output = command.args(["-o", "-"]).args(options).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    fs::remove_file(udf).unwrap();
    output.stdout
}

/// How often the functions that linking has appended, the last two, are called.
fn calls(module: &[u8]) -> [usize; 2] {
    let text = wasmprinter::print_bytes(module).unwrap();
    assert!(!text.contains(r#"(import "udf""#));
    let mut functions = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(func (;")?.split_once(";)"));
    let last = functions.next_back().unwrap().0.parse::<u32>().unwrap();
    [last - 1, last].map(|function| {
        let call = format!("call {function}");
        text.lines().filter(|line| line.trim() == call).count()
    })
}

#[test]
fn no_call_is_left() {
    let udf = Provider::parse(&wat::parse_str(UDF).unwrap()).unwrap();
    let provision = Provision {
        module: "udf",
        provider: &udf,
    };
    let guest = fs::read(guest()).unwrap();
    let provided = provide(&guest, &[provision], &ProvideOptions::default()).unwrap();
    for planned in &provided.plan.imports[..2] {
        let inlined = planned.inlined.unwrap();
        assert_eq!((inlined.call_sites, inlined.expanded), (1, 1));
    }
    let linked = linked(&[]);
    assert!(linked == provided.linked.bytes);
    assert_eq!(calls(&linked), [0, 0]);
}

#[test]
fn calls_stay_calls_if_asked() {
    assert_eq!(calls(&linked(&["--no-inline"])), [1, 1]);
}

#[test]
fn wasmtime_runs_it_alone() {
    let guest = fs::read(guest()).unwrap();
    let native = on_wasmtime(&guest, |linker| {
        linker.func_wrap("udf", "score", score).unwrap();
        linker.func_wrap("udf", "mix", mix).unwrap();
    });
    assert!(native[0] > 0.0 && native[1] > 0.0);
    assert_eq!(on_wasmtime(&linked(&[]), |_| {}), native);
}

fn on_wasmtime(
    module: &[u8],
    define: impl FnOnce(&mut wasmtime::Linker<wasmtime_wasi::p1::WasiP1Ctx>),
) -> [f64; 2] {
    use wasmtime::{Engine, Linker, Module, Store};
    use wasmtime_wasi::{WasiCtxBuilder, p1};
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |wasi| wasi).unwrap();
    define(&mut linker);
    let mut store = Store::new(&engine, WasiCtxBuilder::new().build_p1());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let initialize = instance.get_typed_func::<(), ()>(&mut store, "_initialize");
    initialize.unwrap().call(&mut store, ()).unwrap();
    let open = instance.get_typed_func::<i32, i32>(&mut store, "open");
    assert_eq!(open.unwrap().call(&mut store, ROWS).unwrap(), 0);
    ["total", "digest"].map(|name| {
        let query = instance.get_typed_func::<(), f64>(&mut store, name);
        query.unwrap().call(&mut store, ()).unwrap()
    })
}

#[test]
fn wasmi_runs_it_alone() {
    let guest = fs::read(guest()).unwrap();
    let native = on_wasmi(&guest, |linker| {
        linker.func_wrap("udf", "score", score).unwrap();
        linker.func_wrap("udf", "mix", mix).unwrap();
    });
    assert!(native[0] > 0.0 && native[1] > 0.0);
    assert_eq!(on_wasmi(&linked(&[]), |_| {}), native);
}

/// A database in memory gets by with a WASI that has no files.
fn on_wasmi(module: &[u8], define: impl FnOnce(&mut wasmi::Linker<()>)) -> [f64; 2] {
    use wasmi::{Engine, Linker, Module, Store, Val};
    const BADF: i32 = 8;
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let mut linker = Linker::new(&engine);
    for import in module.imports().filter(|import| import.module() != "udf") {
        let ty = import.ty().func().unwrap().clone();
        let (module, name) = (import.module(), import.name());
        let fails = |_: wasmi::Caller<'_, ()>, _: &[Val], results: &mut [Val]| {
            results.fill(Val::I32(BADF));
            Ok(())
        };
        linker.func_new(module, name, ty, fails).unwrap();
    }
    define(&mut linker);
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    let initialize = instance.get_typed_func::<(), ()>(&store, "_initialize");
    initialize.unwrap().call(&mut store, ()).unwrap();
    let open = instance.get_typed_func::<i32, i32>(&store, "open");
    assert_eq!(open.unwrap().call(&mut store, ROWS).unwrap(), 0);
    ["total", "digest"].map(|name| {
        let query = instance.get_typed_func::<(), f64>(&store, name);
        query.unwrap().call(&mut store, ()).unwrap()
    })
}
