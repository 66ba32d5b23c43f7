//! `#[hostcall(inline)]` in a host module: bodies in the guest, state in the
//! host page, slow paths, errors, and the same with inlining off.

mod common;

use common::*;
use hostcall::{
    BodyTrap, Crossing, Error, ErrorKind, Guest, Host, HostModule, HostState, Memory, host_module,
};

#[derive(Default, HostState)]
#[repr(C)]
struct Meter {
    used: u64,
    budget: u64,
    last: [u32; 4],
    next: u32,
    unused: u32,
}

#[derive(HostState)]
#[repr(C)]
struct Table {
    weights: [f64; 3],
}

impl Default for Table {
    fn default() -> Table {
        Table {
            weights: [0.5, 1.0, 2.0],
        }
    }
}

#[derive(Default)]
struct App {
    looked_up: Vec<u32>,
    seen: Vec<u64>,
}

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    fn square(n: i32) -> i32 {
        n * n
    }

    #[hostcall(inline)]
    fn charge(meter: &mut Meter, units: u32) {
        meter.used += units as u64;
        meter.last[(meter.next % 4) as usize] = units;
        meter.next += 1;
        assert!(meter.used <= meter.budget, "the budget is spent");
    }

    #[hostcall(inline)]
    fn weigh(table: &Table, meter: &mut Meter, kind: u32) -> f64 {
        meter.used += 1;
        table.weights[kind as usize]
    }

    #[hostcall(inline)]
    fn swap(memory: &mut Memory<'_>, a: u32, b: u32) {
        let first = memory.load::<u32>(a);
        memory.store(a, memory.load::<u32>(b));
        memory.store(b, first);
    }

    #[hostcall(inline)]
    fn get(&mut self, meter: &Meter, key: u32) -> u64 {
        if key < 10 {
            return key as u64 + meter.used;
        }
        self.look_up(key)
    }

    fn look_up(&mut self, key: u32) -> u64 {
        self.looked_up.push(key);
        u64::from(key) * 1000
    }

    /// An ordinary function that reads what bodies wrote.
    fn report(guest: &mut Guest<'_, App>) {
        let used = guest
            .host_state::<Meter>()
            .map_or(u64::MAX, |meter| meter.used);
        guest.state_mut().seen.push(used);
        if let Some(meter) = guest.host_state::<Meter>() {
            meter.used = 0;
        }
    }
}

const GUEST: &str = r#"(module
    (import "env" "square" (func $square (param i32) (result i32)))
    (import "env" "charge" (func $charge (param i32)))
    (import "env" "weigh" (func $weigh (param i32) (result f64)))
    (import "env" "swap" (func $swap (param i32 i32)))
    (import "env" "get" (func $get (param i32) (result i64)))
    (import "env" "report" (func $report))
    (memory (export "memory") 1)
    (data (i32.const 16) "\01\00\00\00\02\00\00\00")
    (func (export "square") (param i32) (result i32) (call $square (local.get 0)))
    (func (export "charge") (param i32) (call $charge (local.get 0)))
    (func (export "weigh") (param i32) (result f64) (call $weigh (local.get 0)))
    (func (export "swap") (param i32 i32) (call $swap (local.get 0) (local.get 1)))
    (func (export "get") (param i32) (result i64) (call $get (local.get 0)))
    (func (export "report") (call $report)))"#;

/// The same behaviour is expected with inlining and without.
fn each(test: impl Fn(Instance)) {
    for on in [true, false] {
        let mut host = Host::new();
        App::add_to_host(&mut host, |app| app);
        host.inlining(on);
        let program = host.program(GUEST.as_bytes()).expect("it links");
        let crossing = program.plan().imports[0].crossing;
        assert_eq!(crossing == Some(Crossing::Inline), on);
        test(
            program
                .instantiate(App::default())
                .expect("it instantiates"),
        );
    }
}

type Instance = hostcall::Instance<App>;

fn call<P, R>(instance: &mut Instance, name: &str, params: P) -> Result<R, Error>
where
    P: for<'v> hostcall::Lower<Value<'v> = P>,
    R: for<'v> hostcall::Lift<Value<'v> = R>,
{
    let export = instance.export::<P, R>(name)?;
    export.call(instance, params)
}

#[test]
fn a_body_computes() {
    each(|mut instance| assert_eq!(call::<_, i32>(&mut instance, "square", 12).unwrap(), 144));
}

#[test]
fn a_trap_is_an_error_of_the_host_function() {
    each(|mut instance| {
        let error = call::<_, i32>(&mut instance, "square", 1 << 20).unwrap_err();
        assert_eq!(
            error.to_string(),
            "host function `env.square` failed: attempt to multiply with overflow; \
             guest backtrace: function 6; in a call of export `square`"
        );
        assert!(matches!(error.kind(), ErrorKind::Host));
        assert_eq!(error.import(), Some(("env", "square")));
        let trap = error.downcast_ref::<BodyTrap>().expect("the body trapped");
        assert_eq!(trap.message(), "attempt to multiply with overflow");
        // The instance can be used again.
        assert_eq!(call::<_, i32>(&mut instance, "square", 3).unwrap(), 9);
    });
}

#[test]
fn state_is_shared_with_the_host() {
    each(|mut instance| {
        instance.host_state_mut::<Meter>().unwrap().budget = 100;
        for units in [10, 20, 30, 5, 6] {
            call::<u32, ()>(&mut instance, "charge", units).unwrap();
        }
        let meter = instance.host_state::<Meter>().unwrap();
        assert_eq!(
            (meter.used, meter.last, meter.next),
            (71, [6, 20, 30, 5], 5)
        );
        let error = call::<u32, ()>(&mut instance, "charge", 60).unwrap_err();
        let text = "host function `env.charge` failed: the budget is spent";
        assert!(error.to_string().starts_with(text), "{error}");
        // What was written before the trap stays.
        assert_eq!(instance.host_state::<Meter>().unwrap().used, 131);
    });
}

#[test]
fn an_ordinary_function_reads_and_writes_the_state() {
    each(|mut instance| {
        instance.host_state_mut::<Meter>().unwrap().budget = 100;
        call::<u32, ()>(&mut instance, "charge", 42).unwrap();
        call::<(), ()>(&mut instance, "report", ()).unwrap();
        call::<(), ()>(&mut instance, "report", ()).unwrap();
        assert_eq!(instance.state().seen, [42, 0]);
    });
}

#[test]
fn a_state_starts_as_its_default_in_every_instance() {
    each(|mut first| {
        assert_eq!(call::<_, f64>(&mut first, "weigh", 2_u32).unwrap(), 2.0);
        first.host_state_mut::<Table>().unwrap().weights[2] = 9.0;
        assert_eq!(call::<_, f64>(&mut first, "weigh", 2_u32).unwrap(), 9.0);
        assert_eq!(first.host_state::<Meter>().unwrap().used, 2);
        let mut second = first.program().instantiate(App::default()).unwrap();
        assert_eq!(call::<_, f64>(&mut second, "weigh", 2_u32).unwrap(), 2.0);
        let error = call::<_, f64>(&mut second, "weigh", 3_u32).unwrap_err();
        assert!(error.to_string().contains("index out of bounds"), "{error}");
    });
}

#[test]
fn memory_is_the_guests() {
    each(|mut instance| {
        call::<(u32, u32), ()>(&mut instance, "swap", (16, 20)).unwrap();
        let memory = instance.guest(|guest| guest.memory().unwrap()[16..24].to_vec());
        assert_eq!(memory, [2, 0, 0, 0, 1, 0, 0, 0]);
        for (a, b) in [(65_533, 0), (0, 65_533), (u32::MAX, 0)] {
            let error = call::<(u32, u32), ()>(&mut instance, "swap", (a, b)).unwrap_err();
            assert_eq!(error.import(), Some(("env", "swap")));
            let text = "failed: out of bounds of the guest's memory";
            assert!(error.to_string().contains(text), "{error}");
        }
    });
}

#[test]
fn a_slow_path_crosses() {
    each(|mut instance| {
        assert_eq!(call::<_, u64>(&mut instance, "get", 7_u32).unwrap(), 7);
        assert_eq!(instance.state().looked_up, []);
        assert_eq!(
            call::<_, u64>(&mut instance, "get", 70_u32).unwrap(),
            70_000
        );
        assert_eq!(instance.state().looked_up, [70]);
    });
}

#[test]
fn the_plan_lists_the_slow_path() {
    let mut host = Host::new();
    App::add_to_host(&mut host, |app| app);
    let program = host.program(GUEST.as_bytes()).expect("it links");
    let plan = program.plan();
    assert_eq!(plan.added.len(), 1);
    assert_eq!(plan.added[0].import.name, "look_up");
    assert_eq!(plan.added[0].reason, "called by the body of `env.get`");
    let text = plan.to_string();
    assert!(text.contains("env.look_up"), "{text}");

    let linked = wasmprinter::print_bytes(program.linked()).expect("it is Wasm");
    let imports: Vec<_> = linked
        .lines()
        .filter(|line| line.contains("(import"))
        .collect();
    assert_eq!(imports.len(), 2, "{linked}");
    // The guest's own functions stand before those that replace imports.
    let (guest, _) = linked
        .split_once("\n  (func $env.")
        .expect("bodies are defined, too");
    let calls: Vec<_> = guest
        .lines()
        .filter(|line| line.trim().starts_with("call"))
        .collect();
    assert_eq!(calls.len(), 2, "{linked}");
}

#[test]
fn without_a_memory_the_call_says_so() {
    for on in [true, false] {
        let mut host = Host::new();
        App::add_to_host(&mut host, |app| app);
        host.inlining(on);
        let guest = r#"(module
            (import "env" "swap" (func $swap (param i32 i32)))
            (memory 1)
            (func (export "swap") (call $swap (i32.const 0) (i32.const 4))))"#;
        let program = host.program(guest.as_bytes()).expect("it links");
        assert_eq!(program.plan().imports[0].crossing, Some(Crossing::Call));
        let mut instance = program.instantiate(App::default()).unwrap();
        let error = call::<(), ()>(&mut instance, "swap", ()).unwrap_err();
        assert!(error.fault().is_some(), "{error}");
    }
}

#[test]
fn a_guest_that_uses_no_state_has_no_page() {
    let mut host = Host::new();
    App::add_to_host(&mut host, |app| app);
    let guest = r#"(module (import "env" "square" (func (param i32) (result i32))))"#;
    let mut instance = instance(&host, guest, App::default());
    assert!(instance.host_state::<Meter>().is_none());
    assert!(instance.host_state_mut::<Table>().is_none());
}

#[test]
fn a_64_bit_memory_is_used() {
    for on in [true, false] {
        let mut host = Host::new();
        App::add_to_host(&mut host, |app| app);
        host.inlining(on);
        let guest = r#"(module
            (import "env" "swap" (func $swap (param i32 i32)))
            (memory (export "memory") i64 1)
            (data (i64.const 16) "\01\00\00\00\02\00\00\00")
            (func (export "swap") (param i32 i32) (call $swap (local.get 0) (local.get 1))))"#;
        let mut instance = instance(&host, guest, App::default());
        call::<(u32, u32), ()>(&mut instance, "swap", (16, 20)).unwrap();
        let memory = instance.guest(|guest| guest.memory().unwrap()[16..24].to_vec());
        assert_eq!(memory, [2, 0, 0, 0, 1, 0, 0, 0]);
        assert!(call::<(u32, u32), ()>(&mut instance, "swap", (u32::MAX, 0)).is_err());
    }
}

#[test]
fn a_host_page_function_needs_a_host() {
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::<App>::new(&engine);
    let error = App::add_to_linker(&mut linker, |app| app).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("works on a struct in the host page"),
        "{error}"
    );
}

#[test]
fn all_forms_agree() {
    hostcall::testing::inline_functions_agree(App::default);
}
