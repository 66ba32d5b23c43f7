//! Programs of one host share what they import, and get what each of them asks for.

use hostcall::{Error, Guest, Host, Limits, Program, Value};

/// Imports `env.f` under a core type, and calls it with 7.
fn calling(ty: &str) -> String {
    format!(
        r#"(module
            (import "env" "f" (func $f (param {ty}) (result i32)))
            (func (export "run") (result i32) (call $f ({ty}.const 7))))"#
    )
}

fn run(program: &Program<()>) -> Result<i32, Error> {
    let mut instance = program.instantiate(())?;
    instance.export::<(), i32>("run")?.call(&mut instance, ())
}

#[test]
fn a_name_means_to_each_what_fits_its_type() -> Result<(), Error> {
    let mut host = Host::<()>::new();
    host.func("env", "f", |_: i32| 32_i32)
        .func("env", "f", |_: i64| 64_i32);
    let (narrow, wide) = (calling("i32"), calling("i64"));
    let mut programs = Vec::new();
    for _ in 0..2 {
        programs.push((host.program(narrow.as_bytes())?, 32));
        programs.push((host.program(wide.as_bytes())?, 64));
    }
    for (program, result) in &programs {
        assert_eq!(run(program)?, *result);
    }
    Ok(())
}

#[test]
fn what_is_said_of_a_function_later_holds_for_later_programs() -> Result<(), Error> {
    let mut host = Host::<()>::new();
    host.func("env", "f", |guest: &mut Guest<'_, ()>, n: i32| {
        guest.export::<i32, i32>("back")?.call_in(guest, n)
    });
    let guest = calling("i32").replace(
        "(func (export",
        "(func (export \"back\") (param i32) (result i32) (local.get 0)) (func (export",
    );
    let before = host.program(guest.as_bytes())?;
    let after = host.reentrant("env", "f", 1).program(guest.as_bytes())?;
    assert!(run(&before).is_err());
    assert_eq!(run(&after)?, 7);
    assert!(run(&before).is_err());
    Ok(())
}

#[test]
fn limits_hold_for_programs_that_are_made_after_them() -> Result<(), Error> {
    let mut host = Host::<()>::new();
    host.func("env", "f", |n: i32| n);
    let guest = calling("i32");
    assert_eq!(run(&host.program(guest.as_bytes())?)?, 7);
    host.limits(Limits::NONE.host_calls(0));
    assert!(run(&host.program(guest.as_bytes())?).is_err());
    host.limits(Limits::NONE.fuel(1 << 20));
    assert_eq!(run(&host.program(guest.as_bytes())?)?, 7);
    host.limits(Limits::NONE);
    assert_eq!(run(&host.program(guest.as_bytes())?)?, 7);
    Ok(())
}

#[test]
fn a_catch_all_answers_where_others_have_a_function() -> Result<(), Error> {
    let mut host = Host::<()>::new();
    host.func("env", "f", |n: i32| n)
        .catch_all(|_, _, _, results| -> Result<(), Error> {
            results[0] = Value::S32(1);
            Ok(())
        });
    let (own, other) = (calling("i32"), calling("i32").replace("env", "other"));
    for _ in 0..2 {
        assert_eq!(run(&host.program(own.as_bytes())?)?, 7);
        assert_eq!(run(&host.program(other.as_bytes())?)?, 1);
    }
    Ok(())
}

#[cfg(feature = "wasi")]
mod wasi {
    use super::*;
    use hostcall::wasi::WasiCtxBuilder;

    /// Imports `sched_yield` under a core type, and calls it.
    fn yielding(ty: &str, argument: &str) -> String {
        format!(
            r#"(module
                (import "wasi_snapshot_preview1" "sched_yield" (func $f {ty} (result i32)))
                (import "env" "f" (func $g (param i32) (result i32)))
                (memory (export "memory") 1)
                (func (export "run") (result i32) (i32.add (call $f {argument}) (call $g (i32.const 7)))))"#
        )
    }

    fn host() -> Host<()> {
        let mut host = Host::new();
        host.func("wasi_snapshot_preview1", "sched_yield", |_: i64| 100_i32)
            .func("env", "f", |n: i32| n)
            .wasi(|_| WasiCtxBuilder::new().build_p1());
        host
    }

    #[test]
    fn host_functions_may_have_names_of_wasi() -> Result<(), Error> {
        let host = host();
        let (ours, theirs) = (yielding("(param i64)", "(i64.const 0)"), yielding("", ""));
        for _ in 0..2 {
            assert_eq!(run(&host.program(calling("i32").as_bytes())?)?, 7);
            assert_eq!(run(&host.program(ours.as_bytes())?)?, 107);
            assert_eq!(run(&host.program(theirs.as_bytes())?)?, 7);
        }
        Ok(())
    }

    /// Waits for a millisecond of the monotonic clock.
    const WAITING: &[u8] = br#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff"
            (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "\01\00\00\00\00\00\00\00\40\42\0f\00")
        (func (export "run") (result i32)
            (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))"#;

    #[test]
    fn wasi_may_cease_to_be_async() -> Result<(), Error> {
        let mut host = Host::<()>::new();
        host.wasi_async(|_| WasiCtxBuilder::new().build_p1());
        assert!(run(&host.program(WAITING)?).is_err());
        host.wasi(|_| WasiCtxBuilder::new().build_p1());
        assert_eq!(run(&host.program(WAITING)?)?, 0);
        Ok(())
    }
}
