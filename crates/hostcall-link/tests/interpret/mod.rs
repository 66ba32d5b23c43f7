//! Runs guests in an interpreter and writes down all that can be seen of them.

use std::hash::{DefaultHasher, Hash, Hasher};

use hostcall_link::ModuleInfo;
use wasmi::{
    Config, Engine, Error, Extern, ExternType, Func, FuncType, Global, Instance, Memory, Module,
    Nullable, Ref, RefType, Store, Table, TrapCode, Val, ValType,
};

use crate::generate::behaviour::{Binding, Event};

/// Fuel of one call.
const FUEL: u64 = 20_000;

/// Instantiates a guest and calls its exports. Nothing if the interpreter does
/// not know all that the guest uses.
pub fn run(guest: &[u8], bindings: &[Binding], providers: &[Vec<u8>]) -> Option<Vec<Event>> {
    let engine = Engine::new(&config());
    let module = Module::new(&engine, guest).ok()?;
    let mut store: Store<Vec<Event>> = Store::new(&engine, Vec::new());
    refuel(&mut store);
    let mut instances = Vec::new();
    for provider in providers {
        let module = Module::new(&engine, provider).ok()?;
        instances.push(Instance::new(&mut store, &module, &[]).ok()?);
    }
    let mut externs = Vec::new();
    for (import, binding) in module.imports().zip(by_kind(guest, bindings)) {
        externs.push(match binding {
            Binding::Stub(number) => stub(&mut store, *number, import.ty())?,
            Binding::Provided(provider, function) => {
                instances[*provider].get_export(&store, function)?
            }
        });
    }
    match Instance::new(&mut store, &module, &externs) {
        Ok(instance) => call_all(&mut store, instance),
        Err(error) => note_error(&mut store, "instantiation", &error),
    }
    Some(store.into_data())
}

/// The bindings in the order in which the interpreter tells imports.
fn by_kind<'b>(guest: &[u8], bindings: &'b [Binding]) -> Vec<&'b Binding> {
    let info = ModuleInfo::parse(guest).expect("a valid guest");
    let mut sorted: Vec<_> = info.imports.iter().zip(bindings).collect();
    sorted.sort_by_key(|(import, _)| match import.ty.kind() {
        "function" => 0,
        "table" => 1,
        "memory" => 2,
        _ => 3,
    });
    sorted.into_iter().map(|(_, binding)| binding).collect()
}

fn config() -> Config {
    let mut config = Config::default();
    config.consume_fuel(true);
    config.wasm_multi_memory(true);
    config.wasm_tail_call(true);
    config.wasm_extended_const(true);
    config.wasm_custom_page_sizes(true);
    config.wasm_memory64(true);
    config.wasm_wide_arithmetic(true);
    config
}

fn refuel(store: &mut Store<Vec<Event>>) {
    store.set_fuel(FUEL).expect("fuel is switched on");
}

fn stub(store: &mut Store<Vec<Event>>, number: u32, ty: &ExternType) -> Option<Extern> {
    Some(match ty {
        ExternType::Func(ty) => host_function(store, number, ty).into(),
        ExternType::Global(ty) => {
            let value = Val::default_for_ty(ty.content());
            Global::new(store, value, ty.mutability()).into()
        }
        ExternType::Memory(ty) => Memory::new(store, *ty).ok()?.into(),
        ExternType::Table(ty) => {
            let init = match ty.element() {
                RefType::Func => Ref::Func(Nullable::Null),
                RefType::Extern => Ref::Extern(Nullable::Null),
            };
            Table::new(store, *ty, init).ok()?.into()
        }
    })
}

fn host_function(store: &mut Store<Vec<Event>>, number: u32, ty: &FuncType) -> Func {
    let results = ty.results().to_vec();
    Func::new(store, ty.clone(), move |mut caller, arguments, out| {
        let event = format!("import {number}{}", texts(arguments));
        caller.data_mut().push(Event::Seen(event));
        for (out, ty) in out.iter_mut().zip(&results) {
            *out = Val::default_for_ty(*ty);
        }
        Ok(())
    })
}

fn call_all(store: &mut Store<Vec<Event>>, instance: Instance) {
    let exports = instance.exports(&*store);
    let exports: Vec<(String, Extern)> = exports
        .map(|export| (export.name().to_owned(), export.into_extern()))
        .filter(|(name, _)| name != "hostcall:page")
        .collect();
    for round in 0..3 {
        for (name, export) in &exports {
            if let Extern::Func(function) = export {
                call(store, name, *function, round);
                if store.data().last() == Some(&Event::Exhausted) {
                    return;
                }
            }
        }
    }
    for (name, export) in &exports {
        let event = format!("{name} is {}", state(store, export));
        store.data_mut().push(Event::Seen(event));
    }
}

fn call(store: &mut Store<Vec<Event>>, name: &str, function: Func, round: i32) {
    let ty = function.ty(&*store);
    let arguments: Vec<Val> = ty.params().iter().map(|ty| argument(*ty, round)).collect();
    let mut results: Vec<Val> = ty
        .results()
        .iter()
        .map(|ty| Val::default_for_ty(*ty))
        .collect();
    refuel(store);
    match function.call(&mut *store, &arguments, &mut results) {
        Ok(()) => {
            let event = format!("{name}{} gives {}", texts(&arguments), texts(&results));
            store.data_mut().push(Event::Seen(event));
        }
        Err(error) => note_error(store, name, &error),
    }
}

fn argument(ty: ValType, round: i32) -> Val {
    let number = [0, 3, -1][round as usize];
    match ty {
        ValType::I32 => Val::I32(number),
        ValType::I64 => Val::I64(number.into()),
        ValType::F32 => Val::F32((number as f32).into()),
        ValType::F64 => Val::F64(f64::from(number).into()),
        other => Val::default_for_ty(other),
    }
}

fn note_error(store: &mut Store<Vec<Event>>, name: &str, error: &Error) {
    let event = match error.as_trap_code() {
        Some(
            TrapCode::OutOfFuel
            | TrapCode::StackOverflow
            | TrapCode::GrowthOperationLimited
            | TrapCode::OutOfSystemMemory,
        ) => Event::Exhausted,
        Some(trap) => Event::Seen(format!("{name} traps: {trap}")),
        // The message holds numbers of the interpreter's own.
        None => Event::Seen(format!("{name} fails")),
    };
    store.data_mut().push(event);
}

fn texts(values: &[Val]) -> String {
    let texts: Vec<String> = values.iter().map(text).collect();
    format!("({})", texts.join(", "))
}

/// Which NaN an operator gives is open.
fn text(value: &Val) -> String {
    match value {
        Val::F32(value) if value.to_float().is_nan() => "nan".into(),
        Val::F64(value) if value.to_float().is_nan() => "nan".into(),
        Val::F32(value) => format!("{:#x}", value.to_bits()),
        Val::F64(value) => format!("{:#x}", value.to_bits()),
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::FuncRef(reference) => is_null(reference.is_null()),
        Val::ExternRef(reference) => is_null(reference.is_null()),
        Val::V128(_) => "a vector".into(),
    }
}

fn is_null(null: bool) -> String {
    if null { "null" } else { "a reference" }.into()
}

fn state(store: &Store<Vec<Event>>, export: &Extern) -> String {
    match export {
        Extern::Global(global) => text(&global.get(store)),
        Extern::Memory(memory) => {
            let mut hasher = DefaultHasher::new();
            memory.data(store).hash(&mut hasher);
            format!("{} pages, {:x}", memory.size(store), hasher.finish())
        }
        Extern::Table(table) => {
            let items = (0..table.size(store)).filter_map(|index| table.get(store, index));
            let nulls = items.map(|item| match item {
                Ref::Func(item) => item.is_null(),
                Ref::Extern(item) => item.is_null(),
            });
            format!("{:?}", nulls.collect::<Vec<bool>>())
        }
        Extern::Func(_) => "a function".into(),
    }
}
