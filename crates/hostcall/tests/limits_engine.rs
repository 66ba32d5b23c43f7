//! What limits need of an engine, and pools.

use hostcall::{Error, ErrorKind, Host, LimitKind, Limits};
use std::time::Duration;
use wasmtime::{Config, Engine};

const SPIN: &[u8] = br#"(module (func (export "nothing")) (func (export "spin") (loop (br 0))))"#;

fn with_engine(config: &Config, limits: Limits) -> Host<()> {
    let mut host = Host::with_engine(Engine::new(config).unwrap());
    host.limits(limits);
    host
}

#[test]
fn a_setting_that_an_engine_lacks_is_named() {
    let ms = Duration::from_millis;
    for (limits, setting) in [
        (Limits::NONE.fuel(1), "`Config::consume_fuel(true)`"),
        (
            Limits::NONE.timeout(ms(1)),
            "`Config::epoch_interruption(true)`",
        ),
        (
            Limits::NONE.time_slice(ms(1)),
            "`Config::epoch_interruption(true)`",
        ),
        (Limits::NONE.stack(1000), "`Config::max_wasm_stack(1000)`"),
    ] {
        let error = with_engine(&Config::new(), limits)
            .program(SPIN)
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Engine(_)), "{error:?}");
        assert!(error.to_string().contains(setting), "{error}");
    }
    // The others need none.
    let limits = Limits::NONE.host_calls(1).transferred(1).host_time(ms(1));
    let host = with_engine(&Config::new(), limits.memory(1).table(1));
    host.program(SPIN).unwrap();
}

#[test]
fn an_engine_that_has_the_settings_will_do() {
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true);
    for (limits, kind) in [
        (
            Limits::NONE.fuel(1000).timeout(Duration::from_secs(600)),
            LimitKind::Fuel,
        ),
        (
            Limits::NONE
                .fuel(u64::MAX)
                .timeout(Duration::from_millis(20)),
            LimitKind::Time,
        ),
    ] {
        let program = with_engine(&config, limits).program(SPIN).unwrap();
        let mut instance = program.instantiate(()).unwrap();
        let spin = instance.export::<(), ()>("spin").unwrap();
        let error = spin.call(&mut instance, ()).unwrap_err();
        assert_eq!(error.limit().unwrap().limit, kind);
    }
}

#[test]
fn limits_of_an_instance_change_between_calls() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.fuel(1000).timeout(Duration::from_secs(600)));
    let program = host.program(SPIN).unwrap();
    let mut instance = program.instantiate(()).unwrap();
    let spin = instance.export::<(), ()>("spin").unwrap();
    let mut check = |limits: Limits, kind| {
        instance.set_limits(limits).unwrap();
        assert_eq!(instance.limits(), limits);
        let error = spin.call(&mut instance, ()).unwrap_err();
        assert_eq!(error.limit().unwrap().limit, kind);
        instance.clear_poison();
    };
    check(Limits::NONE.fuel(100), LimitKind::Fuel);
    let brief = Duration::from_millis(20);
    check(Limits::NONE.fuel(u64::MAX).timeout(brief), LimitKind::Time);
    check(Limits::NONE.fuel(100), LimitKind::Fuel);
    let error = instance.set_limits(Limits::NONE.stack(1)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Engine(_)), "{error:?}");

    // Host functions of other programs are not looked at.
    let program = Host::<()>::new().program(SPIN).unwrap();
    let mut instance = program.instantiate(()).unwrap();
    instance.set_limits(Limits::NONE.memory(1 << 20)).unwrap();
    for limits in [Limits::NONE.host_calls(1), Limits::NONE.fuel(1)] {
        let error = instance.set_limits(limits).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Engine(_)), "{error:?}");
    }
}

/// Without limits there is no end to the fuel, nor to the time.
#[test]
fn limits_can_be_lifted() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.timeout(Duration::from_millis(1)).fuel(1 << 40));
    let guest = br#"(module (func (export "count") (param i32)
        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let mut instance = host.program(guest).unwrap().instantiate(()).unwrap();
    let count = instance.export::<i32, ()>("count").unwrap();
    assert!(count.call(&mut instance, i32::MAX).is_err());
    instance.clear_poison();
    instance.set_limits(Limits::NONE).unwrap();
    count.call(&mut instance, 100_000_000).unwrap();
}

#[test]
fn program_files_are_of_one_engine() {
    let plain = Host::<()>::new();
    let mut fueled = Host::<()>::new();
    fueled.limits(Limits::NONE.fuel(1000));
    let mut timed = Host::<()>::new();
    timed.limits(Limits::NONE.timeout(Duration::from_secs(600)));
    let file = |host: &Host<()>| host.program(SPIN).unwrap().serialize().unwrap();
    // SAFETY: they were made here.
    #[expect(unsafe_code, reason = "program files hold machine code")]
    let load = |host: &Host<()>, file: &[u8]| unsafe { host.deserialize(file) };
    for (from, to) in [
        (&plain, &fueled),
        (&fueled, &plain),
        (&plain, &timed),
        (&timed, &fueled),
    ] {
        let error = load(to, &file(from)).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::ProgramFile(_)),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(
            text.contains("fuel support") || text.contains("epoch interruption"),
            "{text}"
        );
    }
    let mut instance = load(&fueled, &file(&fueled))
        .unwrap()
        .instantiate(())
        .unwrap();
    let spin = instance.export::<(), ()>("spin").unwrap();
    assert!(spin.call(&mut instance, ()).unwrap_err().limit().is_some());
}

#[test]
fn engines_are_not_kept() {
    let mut host = Host::<()>::new();
    host.limits(Limits::NONE.timeout(Duration::from_secs(3600)));
    let program = host.program(SPIN).unwrap();
    let mut instance = program.instantiate(()).unwrap();
    instance
        .export::<(), ()>("nothing")
        .unwrap()
        .call(&mut instance, ())
        .unwrap();
    let engine = host.engine().weak();
    drop((host, program, instance));
    assert!(engine.upgrade().is_none());
}

const MEMORY: &[u8] = br#"(module (memory (export "memory") 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

#[test]
fn a_pool_holds_so_many_instances() {
    let mut host = Host::<()>::new();
    host.pooling(3, 4 << 20);
    host.limits(Limits::NONE.fuel(10_000).stack(256 << 10));
    let program = host.program(MEMORY).unwrap();
    let mut instances: Vec<_> = (0..3).map(|_| program.instantiate(()).unwrap()).collect();
    let error = program.instantiate(()).unwrap_err();
    assert_eq!(error.limit().unwrap().limit, LimitKind::Instances);
    assert_eq!(
        error.to_string(),
        "there may be 3 instances at once, all of which are in use; while instantiating"
    );
    instances.pop();
    let mut instance = program.instantiate(()).unwrap();
    let grow = instance.export::<i32, i32>("grow").unwrap();
    assert_eq!(grow.call(&mut instance, 63).unwrap(), 1);
    assert_eq!(grow.call(&mut instance, 1).unwrap(), -1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for instance in &mut instances {
        let grow = instance.export::<i32, i32>("grow").unwrap();
        assert_eq!(runtime.block_on(grow.call_async(instance, 1)).unwrap(), 1);
    }
}

#[test]
fn pools_hold_guests_with_a_host_page() {
    let mut host = Host::<i32>::new();
    host.pooling(10, 4 << 20);
    host.deferred_with_state("env", "add", |sum: &mut i32, n: i32| *sum += n);
    let guest = br#"(module
        (import "env" "add" (func $add (param i32)))
        (memory (export "memory") 1)
        (func (export "run") (call $add (i32.const 1))))"#;
    let program = host.program(guest).unwrap();
    let mut instances: Vec<_> = (0..10).map(|_| program.instantiate(0).unwrap()).collect();
    for instance in &mut instances {
        let run = instance.export::<(), ()>("run").unwrap();
        run.call(instance, ()).unwrap();
        assert_eq!(*instance.state(), 1);
    }
}

#[test]
fn large_pools_can_be_made() {
    let mut host = Host::<()>::new();
    host.pooling(10_000, 16 << 20);
    let program = host.program(MEMORY).unwrap();
    program.instantiate(()).unwrap();
}

#[test]
fn settings_that_no_engine_can_have_are_errors() {
    let check = |host: &Host<()>| -> Error {
        let error = host.program(SPIN).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Engine(_)), "{error:?}");
        error
    };
    let mut host = Host::<()>::new();
    check(host.limits(Limits::NONE.stack(0)));
    host.limits(Limits::NONE);
    host.program(SPIN).unwrap();
    check(Host::new().pooling(1, usize::MAX));
    let error = check(Host::with_engine(Engine::default()).pooling(1, 1 << 20));
    assert!(
        error.to_string().contains("InstanceAllocationStrategy"),
        "{error}"
    );
}
