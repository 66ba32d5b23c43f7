//! Wasmtime's component model: typed host functions, as `bindgen!` defines them, for
//! a component whose core module loops.

use crate::guests::App;
use crate::harness::Subject;
use wasmtime::component::{Component, Linker, LinkerInstance, WasmStr};
use wasmtime::{Engine, Result, Store, StoreContextMut};

type Caller<'a> = StoreContextMut<'a, App>;

/// Adds the numbers that the guest passes, in `call/scalar`.
pub fn scalar(engine: &Engine) -> Result<Subject> {
    let guest = looping(
        r#"(export "add" (func (param "a" s32) (param "b" s32) (result s32)))"#,
        r#"(core func $f (canon lower (func $env "add")))"#,
        "(param i32 i32) (result i32)",
        "(local.set $sum (call $f (local.get $sum) (i32.const 3)))",
    );
    subject("wasmtime-component", engine, &guest, |env| {
        env.func_wrap("add", |mut caller: Caller<'_>, (a, b): (i32, i32)| {
            caller.data_mut().total += 1;
            Ok((a.wrapping_add(b),))
        })
    })
}

/// Takes the text as a `String`, in `call/string`: what `bindgen!` passes.
pub fn string(engine: &Engine) -> Result<Subject> {
    subject("wasmtime-component", engine, &logging(), |env| {
        env.func_wrap("log", |mut caller: Caller<'_>, (text,): (String,)| {
            caller.data_mut().total += text.len() as u64;
            Ok(())
        })
    })
}

/// Takes the text where it is, which `bindgen!` does not offer.
pub fn borrowed_string(engine: &Engine) -> Result<Subject> {
    subject("wasmtime-component-borrowed", engine, &logging(), |env| {
        env.func_wrap("log", |mut caller: Caller<'_>, (text,): (WasmStr,)| {
            let length = text.to_str(&caller)?.len();
            caller.data_mut().total += length as u64;
            Ok(())
        })
    })
}

fn logging() -> String {
    looping(
        r#"(export "log" (func (param "text" string)))"#,
        r#"(core func $f (canon lower (func $env "log") (memory $memory "memory")))"#,
        "(param i32 i32)",
        "(call $f (i32.const 64) (i32.const 17))",
    )
}

/// The component of a guest that does `body` in a loop. It imports `import` from
/// `env`, which is `lowered` to a function of the core type `signature`.
fn looping(import: &str, lowered: &str, signature: &str, body: &str) -> String {
    format!(
        r#"(component
            (import "env" (instance $env {import}))
            (core module $Memory
                (memory (export "memory") 1)
                (data (i32.const 64) "a line to the log"))
            (core instance $memory (instantiate $Memory))
            {lowered}
            (core module $Guest
                (import "env" "f" (func $f {signature}))
                (func (export "run") (param $n i64) (result i64)
                    (local $sum i32)
                    (loop $again
                        {body}
                        (local.set $n (i64.sub (local.get $n) (i64.const 1)))
                        (br_if $again (i64.ne (local.get $n) (i64.const 0))))
                    (i64.extend_i32_u (local.get $sum))))
            (core instance $guest (instantiate $Guest
                (with "env" (instance (export "f" (func $f))))))
            (func (export "run") (param "n" u64) (result u64)
                (canon lift (core func $guest "run"))))"#
    )
}

fn subject(
    name: &'static str,
    engine: &Engine,
    guest: &str,
    define: impl FnOnce(&mut LinkerInstance<'_, App>) -> Result<()>,
) -> Result<Subject> {
    let mut linker = Linker::new(engine);
    define(&mut linker.instance("env")?)?;
    let mut store = Store::new(engine, App::default());
    let component = Component::new(engine, wat::parse_str(guest)?)?;
    let instance = linker.instantiate(&mut store, &component)?;
    let run = instance.get_typed_func::<(u64,), (u64,)>(&mut store, "run")?;
    Ok(Subject::new(name, move |count| {
        *store.data_mut() = App::default();
        let (result,) = run.call(&mut store, (count,))?;
        Ok([result, store.data().total])
    }))
}
