//! The guest calls the host.

use super::Suite;
use crate::guests::{self, App, Data, bytes, cached_memory, looping, out_of_bounds, text};
use crate::harness::{Case, Comparison, Subject, Unit};
use crate::peers::{self, Functions, Work};
use hostcall::HostModule;
use std::hint::black_box;
use wasmtime::{Caller, Engine, Extern, Linker, Result, bail};

pub const SUITE: Suite = Suite {
    name: "call",
    cases,
};

fn cases(engine: &Engine) -> Result<Vec<Case>> {
    Ok(vec![
        scalar(engine)?,
        string(engine)?,
        string_linker(engine)?,
        struct_flat(engine)?,
        struct_pointer(engine)?,
        slice_mut(engine)?,
    ])
}

fn case(name: &'static str, subjects: Vec<Subject>, comparisons: Vec<Comparison>) -> Case {
    Case {
        name,
        unit: Unit::NS_PER_CALL,
        subjects,
        comparisons,
        growth: None,
    }
}

fn scalar(engine: &Engine) -> Result<Case> {
    let guest = looping(
        Some(r#""add" (func $add (param i32 i32) (result i32))"#),
        "(local.set $sum (call $add (local.get $sum) (i32.const 3)))",
    );
    let wasmtime = guests::wasmtime("wasmtime", engine, &guest, |linker| {
        let add = |mut caller: Caller<'_, Data>, a: i32, b: i32| {
            caller.data_mut().app.total += 1;
            a.wrapping_add(b)
        };
        linker.func_wrap("env", "add", add).map(drop)
    })?;
    let case = case(
        "call/scalar",
        vec![guests::hostcall(engine, &guest)?, wasmtime, native_add()],
        vec![
            Comparison::to("wasmtime", 1.05),
            Comparison::to("native", None),
        ],
    );
    let case = peers::add_wasmtime(case, engine, &guest)?;
    peers::add(case, Work::Run(Functions::Call), &guest)
}

/// The same calls without a guest, through a pointer.
fn native_add() -> Subject {
    Subject::new("native", |count| {
        let mut app = App::default();
        // The pointer is hidden from the compiler, which would inline the call.
        let add: fn(&mut App, i32, i32) -> i32 = black_box(|app, a, b| {
            app.total += 1;
            a.wrapping_add(b)
        });
        let sum = (0..count).fold(0, |sum, _| add(&mut app, sum, 3));
        Ok([u64::from(sum as u32), app.total])
    })
}

fn logging() -> String {
    looping(
        Some(r#""log" (func $log (param i32 i32))"#),
        "(call $log (i32.const 64) (i32.const 17))",
    )
}

fn string(engine: &Engine) -> Result<Case> {
    let guest = logging();
    let cached = guests::wasmtime("wasmtime-cached", engine, &guest, guests::log_by_hand)?;
    let case = case(
        "call/string",
        vec![
            guests::hostcall(engine, &guest)?,
            logging_by_export(engine, &guest)?,
            cached,
        ],
        vec![
            Comparison::to("wasmtime-get-export", 0.25),
            Comparison::to("wasmtime-cached", 1.10),
        ],
    );
    let case = peers::add_wasmtime(case, engine, &guest)?;
    peers::add(case, Work::Run(Functions::Call), &guest)
}

fn string_linker(engine: &Engine) -> Result<Case> {
    let guest = logging();
    let added = guests::wasmtime("hostcall", engine, &guest, |linker: &mut Linker<Data>| {
        Ok(App::add_to_linker(linker, |data| &mut data.app)?)
    })?;
    Ok(case(
        "call/string-linker",
        vec![added, logging_by_export(engine, &guest)?],
        vec![Comparison::to("wasmtime-get-export", 1.05)],
    ))
}

/// The memory is looked up by name in every call.
fn logging_by_export(engine: &Engine, guest: &str) -> Result<Subject> {
    guests::wasmtime("wasmtime-get-export", engine, guest, |linker| {
        let log = |mut caller: Caller<'_, Data>, pointer: u32, length: u32| {
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                bail!("the guest exports no memory");
            };
            let (bytes, data) = memory.data_and_store_mut(&mut caller);
            let text = text(bytes, pointer, length)?;
            data.app.total += text.len() as u64;
            Ok(())
        };
        linker.func_wrap("env", "log", log).map(drop)
    })
}

fn struct_flat(engine: &Engine) -> Result<Case> {
    let guest = looping(
        Some(r#""flat" (func $flat (param i32 i32) (result i32))"#),
        "(local.set $sum (call $flat (local.get $sum) (i32.const 3)))",
    );
    let wasmtime = guests::wasmtime("wasmtime-cached", engine, &guest, |linker| {
        let flat = |x: i32, y: i32| x.wrapping_add(y);
        linker.func_wrap("env", "flat", flat).map(drop)
    })?;
    let case = case(
        "call/struct-flat",
        vec![guests::hostcall(engine, &guest)?, wasmtime],
        vec![Comparison::to("wasmtime-cached", 1.10)],
    );
    peers::add(case, Work::Run(Functions::Call), &guest)
}

fn struct_pointer(engine: &Engine) -> Result<Case> {
    let guest = looping(
        Some(r#""pointer" (func $pointer (param i32) (result i32))"#),
        "(i32.store (i32.const 128) (local.get $sum))
         (local.set $sum (call $pointer (i32.const 128)))",
    );
    let wasmtime = guests::wasmtime("wasmtime-cached", engine, &guest, |linker| {
        let pointer = |caller: Caller<'_, Data>, pointer: u32| {
            let memory = cached_memory(&caller)?;
            let bytes = bytes(memory.data(&caller), pointer, 8)?;
            let (x, y) = bytes.split_at(4);
            let (x, y) = (
                i32::from_le_bytes(x.try_into()?),
                i32::from_le_bytes(y.try_into()?),
            );
            Ok(x.wrapping_add(y))
        };
        linker.func_wrap("env", "pointer", pointer).map(drop)
    })?;
    let case = case(
        "call/struct-pointer",
        vec![guests::hostcall(engine, &guest)?, wasmtime],
        vec![Comparison::to("wasmtime-cached", 1.10)],
    );
    peers::add(case, Work::Run(Functions::Call), &guest)
}

/// Doubles 1,024 numbers; starts over before they become infinite.
const DOUBLING: &str = r#"(module
    (import "env" "double" (func $double (param i32 i32)))
    (memory (export "memory") 1)
    (func $fill
        (local $i i32)
        (loop $again
            (f64.store offset=1024
                (i32.mul (local.get $i) (i32.const 8))
                (f64.convert_i32_u (local.get $i)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 1024)))))
    (func $digest (result i64)
        (local $i i32) (local $digest i64)
        (loop $again
            (local.set $digest (i64.add
                (i64.rotl (local.get $digest) (i64.const 5))
                (i64.load offset=1024 (i32.mul (local.get $i) (i32.const 8)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 1024))))
        (local.get $digest))
    (func (export "run") (param $n i64) (result i64)
        (call $fill)
        (loop $again
            (call $double (i32.const 1024) (i32.const 1024))
            (local.set $n (i64.sub (local.get $n) (i64.const 1)))
            (if (i64.eqz (i64.and (local.get $n) (i64.const 511))) (then (call $fill)))
            (br_if $again (i64.ne (local.get $n) (i64.const 0))))
        (call $digest)))"#;

fn slice_mut(engine: &Engine) -> Result<Case> {
    let wasmtime = guests::wasmtime("wasmtime-cached", engine, DOUBLING, |linker| {
        let double = |mut caller: Caller<'_, Data>, pointer: u32, count: u32| {
            let memory = cached_memory(&caller)?;
            let end = pointer as usize + count as usize * 8;
            let bytes = memory.data_mut(&mut caller).get_mut(pointer as usize..end);
            let bytes = bytes.ok_or_else(out_of_bounds)?;
            for value in bytes.as_chunks_mut::<8>().0 {
                *value = (f64::from_le_bytes(*value) * 2.0).to_le_bytes();
            }
            Ok(())
        };
        linker.func_wrap("env", "double", double).map(drop)
    })?;
    let case = case(
        "call/slice-mut",
        vec![guests::hostcall(engine, DOUBLING)?, wasmtime],
        vec![Comparison::to("wasmtime-cached", 1.05)],
    );
    peers::add(case, Work::Run(Functions::Call), DOUBLING)
}
