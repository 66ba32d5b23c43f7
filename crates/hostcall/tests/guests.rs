//! Guests that real toolchains made: C, Rust, AssemblyScript.

#![cfg(feature = "wasi")]

use hostcall::wasi::WasiCtxBuilder;
use hostcall::{ErrorKind, Guest, GuestType, Host, HostModule, Instance, host_module};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};

macro_rules! guest {
    ($name:literal) => {
        include_bytes!(concat!("../../../guests/", $name, "/", $name, ".wasm"))
    };
}

#[derive(Default)]
struct Env {
    lines: Vec<String>,
}

#[host_module(name = "env")]
impl Env {
    fn log(&mut self, text: &str) {
        self.lines.push(text.to_owned());
    }

    fn sum(numbers: &[f64]) -> f64 {
        numbers.iter().sum()
    }

    fn scale(numbers: &mut [f64], by: f64) {
        numbers.iter_mut().for_each(|n| *n *= by);
    }

    fn greet(&self, name: &str) -> String {
        format!("Hello, {name}!")
    }
}

#[test]
fn rust() {
    let mut host = Host::new();
    Env::add_to_host(&mut host, |env| env);
    let program = host.program(guest!("rust-guest")).unwrap();
    let mut instance = program.instantiate(Env::default()).unwrap();

    let run = instance.export::<u32, f64>("run").unwrap();
    assert_eq!(run.call(&mut instance, 1000).unwrap(), 1000.0 * 1001.0);
    assert_eq!(instance.state().lines, ["sum → scale → sum"]);

    let hello = instance.export::<&str, String>("hello").unwrap();
    let call_greet = instance.export::<&str, String>("call_greet").unwrap();
    let mean = instance.export::<&[f64], f64>("mean").unwrap();
    for n in 0..100 {
        // Lent for one call only, and shorter-lived than the export.
        let name = format!("guest {n}");
        assert_eq!(
            hello.call(&mut instance, &name).unwrap(),
            name.to_uppercase()
        );
        assert_eq!(
            call_greet.call(&mut instance, &name).unwrap(),
            format!("Hello, {name}!")
        );
    }
    assert_eq!(mean.call(&mut instance, &[1.0, 2.0, 6.0]).unwrap(), 3.0);
}

#[test]
fn assemblyscript() {
    let mut host = Host::<Vec<String>>::new();
    host.func("env", "add", |a: i32, b: i32| a + b);
    host.func_with_state("env", "log_utf8", |lines: &mut Vec<String>, text: &str| {
        lines.push(text.to_owned());
    });
    host.optional("env", "abort");
    let program = host.program(guest!("assemblyscript")).unwrap();
    let mut instance = program.instantiate(Vec::new()).unwrap();
    let run = instance.export::<i32, i32>("run").unwrap();
    assert_eq!(run.call(&mut instance, 4).unwrap(), 10);
    assert_eq!(instance.state()[..], ["1 → 1", "2 → 3", "3 → 6", "4 → 10"]);

    let error = run.call(&mut instance, -1).unwrap_err();
    assert_eq!(error.import(), Some(("env", "abort")));
    assert!(
        error
            .to_string()
            .contains("optional import that this host does not provide")
    );
}

#[derive(GuestType, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Point {
    x: i32,
    y: i32,
}

struct Geo;

#[host_module(name = "geo")]
impl Geo {
    fn length(p: &Point) -> f64 {
        f64::from(p.x).hypot(f64::from(p.y))
    }

    fn move_by(p: &mut Point, dx: i32, dy: i32) {
        *p = Point {
            x: p.x + dx,
            y: p.y + dy,
        };
    }

    /// Clang passes a structure's return pointer first.
    fn midpoint(middle: &mut Point, a: Point, b: Point) {
        *middle = Point {
            x: (a.x + b.x) / 2,
            y: (a.y + b.y) / 2,
        };
    }

    fn name_len(name: &std::ffi::CStr) -> u32 {
        name.count_bytes() as u32
    }

    /// A function pointer of C is an index into the guest's table.
    fn visit(guest: &mut Guest<'_, Geo>, n: u32, callback: u32) -> Result<(), hostcall::Error> {
        let visit = guest.table_func::<u32, ()>("__indirect_function_table", callback.into())?;
        (0..n).try_for_each(|i| guest.call(&visit, i))
    }

    #[hostcall(name = "parse")]
    fn parse_number(text: &str) -> Parsed {
        Parsed(text.parse().map_err(|_| format!("{text:?} is no number")))
    }
}

/// A `Result` that the guest gets as a value.
#[derive(GuestType)]
struct Parsed(Result<u32, String>);

fn geo() -> Instance<Geo> {
    let mut host = Host::new();
    Geo::add_to_host(&mut host, |geo| geo);
    host.reentrant("geo", "visit", 1);
    host.program(guest!("c-abi"))
        .unwrap()
        .instantiate(Geo)
        .unwrap()
}

#[test]
fn c() {
    let mut instance = geo();
    let length = instance.export::<(i32, i32), f64>("test_length").unwrap();
    assert_eq!(length.call(&mut instance, (3, 4)).unwrap(), 5.0);
    let moved = instance
        .export::<(i32, i32, i32, i32), i32>("test_move")
        .unwrap();
    assert_eq!(moved.call(&mut instance, (1, 2, 10, 20)).unwrap(), 11_022);
    let middle = instance
        .export::<(Point, Point), i32>("test_midpoint")
        .unwrap();
    let (a, b) = (Point { x: 2, y: 4 }, Point { x: 6, y: 8 });
    assert_eq!(middle.call(&mut instance, (a, b)).unwrap(), 4006);
    let name_len = instance.export::<(), u32>("test_name_len").unwrap();
    assert_eq!(
        name_len.call(&mut instance, ()).unwrap(),
        "Zürich".len() as u32
    );
    let visit = instance.export::<u32, i32>("test_visit").unwrap();
    assert_eq!(visit.call(&mut instance, 10).unwrap(), 45);
    let parse = instance.export::<&str, i32>("test_parse").unwrap();
    assert_eq!(parse.call(&mut instance, "1234").unwrap(), 1234);
    assert_eq!(
        parse.call(&mut instance, "x").unwrap(),
        -("\"x\" is no number".len() as i32)
    );
}

/// Runs `wasi-cat`; gives its exit status and what it printed.
fn cat(args: &[&str], stdin: &str) -> (Result<i32, hostcall::Error>, String) {
    let stdout = MemoryOutputPipe::new(1 << 20);
    let (args, stdin) = (args.iter().map(|arg| arg.to_string()), stdin.to_owned());
    let args: Vec<_> = std::iter::once("cat".to_owned()).chain(args).collect();
    let mut host = Host::<()>::new();
    let out = stdout.clone();
    host.wasi(move |_| {
        WasiCtxBuilder::new()
            .args(&args)
            .env("NAME", "value")
            .stdin(MemoryInputPipe::new(stdin.clone()))
            .stdout(out.clone())
            .build_p1()
    });
    let program = host.program(guest!("wasi-cat")).unwrap();
    let status = program.instantiate(()).unwrap().run();
    (
        status,
        String::from_utf8(stdout.contents().to_vec()).unwrap(),
    )
}

#[test]
fn wasi_commands() {
    let (status, out) = cat(&["one", "two"], "");
    assert_eq!((status.unwrap(), out.as_str()), (0, "one two\n"));
    let (status, out) = cat(&[], "from stdin");
    assert_eq!((status.unwrap(), out.as_str()), (0, "from stdin"));
    let (status, out) = cat(&["--env", "NAME"], "");
    assert_eq!((status.unwrap(), out.as_str()), (0, "value\n"));
    assert_eq!(cat(&["--exit", "7"], "").0.unwrap(), 7);
}

#[test]
fn wasi_is_opt_in() {
    let error = Host::<()>::new().program(guest!("wasi-cat")).unwrap_err();
    let ErrorKind::Link(link) = error.kind() else {
        panic!("{error}")
    };
    assert_eq!(link.problems().len(), 11, "every import of the guest");
    assert!(
        error
            .to_string()
            .contains("enable WASI on the host: `Host::wasi`"),
        "{error}"
    );
}
