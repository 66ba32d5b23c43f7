//! One call, with ever more to hand over.

use super::{series, sizes};
use crate::guests::{self, Data, bytes, cached_memory, looping, mixed, out_of_bounds};
use crate::harness::{Case, Subject, Unit};
use wasmtime::{Caller, Engine, Linker, Result};

pub fn cases(engine: &Engine) -> Result<Vec<Case>> {
    let parameters = sizes!("growth/parameters", "parameters": 1, 4, 16);
    let string = sizes!("growth/string", "bytes": 16, 256, 4096, 65536, 1048576);
    let list = sizes!("growth/list", "elements": 16, 256, 4096, 65536, 262144);
    let unit = Unit::NS_PER_CALL;
    let mut cases = series(parameters, unit, |n| of_parameters(engine, n))?;
    cases.extend(series(string, unit, |n| of_string(engine, n))?);
    cases.extend(series(list, unit, |n| of_list(engine, n))?);
    Ok(cases)
}

/// The same guest twice.
fn subjects(
    engine: &Engine,
    guest: &str,
    link: impl FnOnce(&mut Linker<Data>) -> Result<()>,
) -> Result<Vec<Subject>> {
    Ok(vec![
        guests::hostcall(engine, guest)?,
        guests::wasmtime("wasmtime", engine, guest, link)?,
    ])
}

fn of_parameters(engine: &Engine, n: usize) -> Result<Vec<Subject>> {
    let params = "i32 ".repeat(n);
    let import = format!(r#""mix{n}" (func $f (param {params}) (result i32))"#);
    let numbers: String = (1..n).map(|n| format!("(i32.const {n})")).collect();
    let body = format!("(local.set $sum (call $f (local.get $sum) {numbers}))");
    let guest = looping(Some(&import), &body);
    subjects(engine, &guest, |linker| mix(linker, n))
}

macro_rules! mixer {
    ($($x:ident)+) => {
        |mut caller: Caller<'_, Data>, $($x: i32),+| {
            caller.data_mut().app.total += 1;
            mixed([$($x),+])
        }
    };
}

fn mix(linker: &mut Linker<Data>, parameters: usize) -> Result<()> {
    match parameters {
        1 => linker.func_wrap("env", "mix1", mixer!(a))?,
        4 => linker.func_wrap("env", "mix4", mixer!(a b c d))?,
        _ => linker.func_wrap("env", "mix16", mixer!(a b c d e f g h i j k l m n o p))?,
    };
    Ok(())
}

/// A guest that hands over `n` elements of its memory, where bytes are ASCII.
fn passing(import: &str, n: usize) -> String {
    format!(
        r#"(module
            (import "env" "{import}" (func $f (param i32 i32)))
            (memory (export "memory") 17)
            (func $fill (memory.fill (i32.const 64) (i32.const 97) (i32.const 0x100000)))
            (start $fill)
            (func (export "run") (param $n i64) (result i64)
                (loop $again
                    (call $f (i32.const 64) (i32.const {n}))
                    (local.set $n (i64.sub (local.get $n) (i64.const 1)))
                    (br_if $again (i64.ne (local.get $n) (i64.const 0))))
                (i64.const 0)))"#
    )
}

fn of_string(engine: &Engine, n: usize) -> Result<Vec<Subject>> {
    subjects(engine, &passing("log", n), guests::log_by_hand)
}

fn of_list(engine: &Engine, n: usize) -> Result<Vec<Subject>> {
    subjects(engine, &passing("sum", n), |linker| {
        let sum = |mut caller: Caller<'_, Data>, pointer: u32, count: u32| {
            let memory = cached_memory(&caller)?;
            let (memory, data) = memory.data_and_store_mut(&mut caller);
            let length = count.checked_mul(4).ok_or_else(out_of_bounds)?;
            let values = bytes(memory, pointer, length)?.as_chunks::<4>().0;
            let values = values.iter().map(|value| u32::from_le_bytes(*value));
            data.app.total += values.map(u64::from).sum::<u64>();
            Ok(())
        };
        linker.func_wrap("env", "sum", sum).map(drop)
    })
}
