//! Runs guests on Wasmtime and writes down all that can be seen of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use wasmtime::{
    Config, Engine, Error, Extern, ExternType, Func, FuncType, Global, Instance, Memory, Module,
    Ref, SharedMemory, Store, Table, Tag, Trap, Val, ValType,
};

use super::generate::behaviour::{Binding, Event};

/// Fuel of one call.
const FUEL: u64 = 20_000;

/// Instantiates a guest and calls its exports. Nothing if there is no way to
/// give the guest what it imports.
pub fn run(guest: &[u8], bindings: &[Binding], providers: &[Vec<u8>]) -> Option<Vec<Event>> {
    let engine = engine();
    let module = Module::new(engine, guest).ok()?;
    let mut store: Store<Vec<Event>> = Store::new(engine, Vec::new());
    refuel(&mut store);
    let mut instances = Vec::new();
    for provider in providers {
        let module = Module::new(engine, provider).ok()?;
        instances.push(Instance::new(&mut store, &module, &[]).ok()?);
    }
    let mut externs = Vec::new();
    for (import, binding) in module.imports().zip(bindings) {
        externs.push(match binding {
            Binding::Stub(number) => stub(&mut store, *number, import.ty())?,
            Binding::Provided(provider, function) => {
                instances[*provider].get_export(&mut store, function)?
            }
        });
    }
    match Instance::new(&mut store, &module, &externs) {
        Ok(instance) => call_all(&mut store, instance),
        // An import whose type is not final does not take a provider's function.
        Err(error) if error.downcast_ref::<Trap>().is_none() => return None,
        Err(error) => note_error(&mut store, "instantiation", &error),
    }
    Some(store.into_data())
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true);
        config.cranelift_nan_canonicalization(true);
        config.relaxed_simd_deterministic(true);
        config.wasm_function_references(true);
        config.wasm_gc(true);
        config.wasm_exceptions(true);
        config.wasm_memory64(true);
        config.wasm_tail_call(true);
        config.wasm_custom_page_sizes(true);
        config.wasm_wide_arithmetic(true);
        // Guests have several memories each: reserve little for one.
        config.memory_reservation(1 << 20);
        Engine::new(&config).expect("a configuration of this machine")
    })
}

fn refuel(store: &mut Store<Vec<Event>>) {
    store.set_fuel(FUEL).expect("fuel is switched on");
}

fn stub(store: &mut Store<Vec<Event>>, number: u32, ty: ExternType) -> Option<Extern> {
    Some(match ty {
        ExternType::Func(ty) => host_function(store, number, ty)?.into(),
        ExternType::Global(ty) => {
            let value = Val::default_for_ty(ty.content())?;
            Global::new(store, ty, value).ok()?.into()
        }
        ExternType::Memory(ty) if ty.is_shared() => {
            SharedMemory::new(store.engine(), ty).ok()?.into()
        }
        ExternType::Memory(ty) => Memory::new(store, ty).ok()?.into(),
        ExternType::Table(ty) => {
            let init = Ref::null(ty.element().heap_type());
            Table::new(store, ty, init).ok()?.into()
        }
        ExternType::Tag(ty) => Tag::new(store, &ty).ok()?.into(),
    })
}

fn host_function(store: &mut Store<Vec<Event>>, number: u32, ty: FuncType) -> Option<Func> {
    let results: Option<Vec<Val>> = ty.results().map(|ty| Val::default_for_ty(&ty)).collect();
    let results = results?;
    Some(Func::new(store, ty, move |mut caller, arguments, out| {
        let event = format!("import {number}{}", texts(arguments));
        caller.data_mut().push(Event::Seen(event));
        out.copy_from_slice(&results);
        Ok(())
    }))
}

fn call_all(store: &mut Store<Vec<Event>>, instance: Instance) {
    let exports = instance.exports(&mut *store);
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

fn call(store: &mut Store<Vec<Event>>, name: &str, function: Func, round: usize) {
    let ty = function.ty(&*store);
    let arguments: Option<Vec<Val>> = ty.params().map(|ty| argument(&ty, round)).collect();
    let Some(arguments) = arguments else {
        return;
    };
    let mut results: Vec<Val> = ty.results().map(|_| Val::I32(0)).collect();
    refuel(store);
    match function.call(&mut *store, &arguments, &mut results) {
        Ok(()) => {
            let event = format!("{name}{} gives {}", texts(&arguments), texts(&results));
            store.data_mut().push(Event::Seen(event));
        }
        Err(error) => note_error(store, name, &error),
    }
}

fn argument(ty: &ValType, round: usize) -> Option<Val> {
    let number = [0, 3, -1][round];
    match ty {
        ValType::I32 => Some(Val::I32(number)),
        ValType::I64 => Some(Val::I64(number.into())),
        ValType::F32 => Some(Val::F32((number as f32).to_bits())),
        ValType::F64 => Some(Val::F64(f64::from(number).to_bits())),
        other => Val::default_for_ty(other),
    }
}

fn note_error(store: &mut Store<Vec<Event>>, name: &str, error: &Error) {
    let event = match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel | Trap::StackOverflow) => Event::Exhausted,
        Some(trap) => Event::Seen(format!("{name} traps: {trap}")),
        // An exception that nothing catches, or memory that ran out.
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
        Val::F32(bits) if f32::from_bits(*bits).is_nan() => "nan".into(),
        Val::F64(bits) if f64::from_bits(*bits).is_nan() => "nan".into(),
        Val::I32(_) | Val::I64(_) | Val::F32(_) | Val::F64(_) | Val::V128(_) => {
            format!("{value:?}")
        }
        reference => match reference.ref_() {
            Some(reference) if reference.is_null() => "null".into(),
            _ => "a reference".into(),
        },
    }
}

fn state(store: &mut Store<Vec<Event>>, export: &Extern) -> String {
    match export {
        Extern::Global(global) => text(&global.get(&mut *store)),
        Extern::Memory(memory) => {
            let mut hasher = DefaultHasher::new();
            memory.data(&*store).hash(&mut hasher);
            format!("{} pages, {:x}", memory.size(&*store), hasher.finish())
        }
        Extern::Table(table) => {
            let size = table.size(&*store);
            let items = (0..size).filter_map(|index| table.get(&mut *store, index));
            let nulls: Vec<bool> = items.map(|item| item.is_null()).collect();
            format!("{nulls:?}")
        }
        _ => "something".into(),
    }
}
