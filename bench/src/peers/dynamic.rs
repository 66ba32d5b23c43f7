//! Wasmtime's host functions of types that are known at run time only.

use crate::guests::{self, Data, cached_memory, text};
use crate::harness::Subject;
use wasmtime::{Caller, Engine, FuncType, Result, Val, ValType, format_err};

const NAME: &str = "wasmtime-dynamic";

/// In `call/scalar`.
pub fn scalar(engine: &Engine, guest: &str) -> Result<Subject> {
    let ty = FuncType::new(engine, [ValType::I32, ValType::I32], [ValType::I32]);
    guests::wasmtime(NAME, engine, guest, |linker| {
        let add = |mut caller: Caller<'_, Data>, args: &[Val], results: &mut [Val]| {
            caller.data_mut().app.total += 1;
            results[0] = Val::I32(i32_of(&args[0])?.wrapping_add(i32_of(&args[1])?));
            Ok(())
        };
        linker.func_new("env", "add", ty, add).map(drop)
    })
}

/// In `call/string`, with the memory found once.
pub fn string(engine: &Engine, guest: &str) -> Result<Subject> {
    let ty = FuncType::new(engine, [ValType::I32, ValType::I32], []);
    guests::wasmtime(NAME, engine, guest, |linker| {
        let log = |mut caller: Caller<'_, Data>, args: &[Val], _: &mut [Val]| {
            let (pointer, length) = (i32_of(&args[0])? as u32, i32_of(&args[1])? as u32);
            let memory = cached_memory(&caller)?;
            let (bytes, data) = memory.data_and_store_mut(&mut caller);
            data.app.total += text(bytes, pointer, length)?.len() as u64;
            Ok(())
        };
        linker.func_new("env", "log", ty, log).map(drop)
    })
}

fn i32_of(value: &Val) -> Result<i32> {
    value.i32().ok_or_else(|| format_err!("not an i32"))
}
