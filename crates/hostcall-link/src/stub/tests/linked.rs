//! Stubs, wrappers and drivers in a guest, linked together.

use std::collections::BTreeMap;

use wasmi::{Caller, Engine, Extern, Instance, Linker, Memory, Module, Store, Val};

use super::reader::read;
use super::shapes::{Param, Shape};
use crate::stub::{Batch, FUNCTION, Guest, Queue, StoreAs, deferred, map_driver, wrapper};
use crate::{
    AddedExport, FuncType, HostPage, LinkOptions, Linked, LinkedImport, Provider, ValType, Wrapper,
    link,
};

const QUEUE: Queue = Queue {
    control: 16,
    start: 32,
    size: 512,
};
const BATCH: Batch = Batch {
    progress: 28,
    input: 1024,
    output: 2048,
};
const GUEST: Guest = Guest {
    wide: false,
    page_size_log2: 16,
};
const DRIVER: &str = "hostcall:map:step";

/// Samples are deferred, and so is text; `now` gives a result.
const TEXT: &str = r#"(module
    (import "env" "sample" (func $sample (param i32 f64)))
    (import "env" "text" (func $text (param i32 i32)))
    (import "env" "now" (func $now (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "hello")
    (func (export "step") (param i32) (result i32)
        (call $sample (local.get 0) (f64.convert_i32_u (local.get 0)))
        (call $sample (i32.add (local.get 0) (i32.const 1)) (f64.const 0.5))
        (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 3)))
            (then (call $text (i32.const 0) (i32.rem_u (local.get 0) (i32.const 6)))))
        (i32.store (i32.const 0) (local.get 0))
        (if (result i32) (i32.rem_u (local.get 0) (i32.const 7))
            (then (local.get 0))
            (else (call $text (i32.const -1) (local.get 0)) (call $now)))))"#;

/// What the host is told, in order.
type Log = Vec<String>;

struct Host {
    log: Log,
    page: Option<Memory>,
    /// The records of both functions.
    shapes: BTreeMap<u32, (FuncType, crate::stub::Record)>,
}

fn shapes() -> [Shape; 2] {
    let sample = [ValType::I32, ValType::F64].map(|ty| Param::Number(ty, StoreAs::Whole));
    let text = Param::Items {
        stride: 1,
        align: 1,
    };
    [sample.to_vec(), vec![text]].map(|params| Shape::new(params, false))
}

fn linked(call_sites: bool) -> Linked {
    let stubs = (0..).zip(shapes()).map(|(import, shape)| {
        let (ty, record) = (&shape.ty, &shape.record);
        deferred(import, ty, import + 1, record, &QUEUE, GUEST, None)
    });
    let mut providers: Vec<Provider> = stubs.collect();
    let now = FuncType::new([], [ValType::I32]);
    providers.push(wrapper(2, &now, Some(&QUEUE), Some(8)));
    let step = FuncType::new([ValType::I32], [ValType::I32]);
    let driver = map_driver("step", &step, &BATCH);
    let wrappers = (0..).zip(&providers).map(|(import, provider)| Wrapper {
        import,
        provider,
        function: FUNCTION,
        call_sites,
    });
    let options = LinkOptions {
        wrappers: wrappers.collect(),
        exports: vec![AddedExport {
            name: DRIVER,
            provider: &driver,
            function: FUNCTION,
        }],
        memory: Some(0),
        page: Some(HostPage {
            size: 4096,
            init: Vec::new(),
        }),
        ..LinkOptions::default()
    };
    link(&wat::parse_str(TEXT).unwrap(), &options).unwrap_or_else(|error| panic!("{error}"))
}

fn start(wasm: &[u8]) -> (Store<Host>, Instance) {
    let engine = Engine::default();
    let module = Module::new(&engine, wasm).unwrap();
    let shapes = (1..).zip(shapes());
    let shapes = shapes.map(|(id, shape)| (id, (shape.ty, shape.record)));
    let mut store = Store::new(
        &engine,
        Host {
            log: Vec::new(),
            page: None,
            shapes: shapes.collect(),
        },
    );
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        let name = import.name().to_owned();
        let ty = import.ty().func().unwrap().clone();
        let called = move |mut caller: Caller<'_, Host>, args: &[Val], results: &mut [Val]| {
            match name.as_str() {
                "drain" => drain(&mut caller),
                "sample" => sampled(&mut caller, args[0].i32().unwrap(), number(&args[1])),
                "text" => said(&mut caller, args[0].i32().unwrap(), args[1].i32().unwrap()),
                _ => caller.data_mut().log.push("now".into()),
            }
            results.fill(Val::I32(1000));
            Ok(())
        };
        let defined = linker.func_new(import.module(), import.name(), ty, called);
        defined.unwrap();
    }
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    let page = instance.get_export(&store, "hostcall:page");
    store.data_mut().page = page.and_then(Extern::into_memory);
    (store, instance)
}

fn number(value: &Val) -> f64 {
    value.f64().unwrap().to_float()
}

fn drain(caller: &mut Caller<'_, Host>) {
    let page = caller.data().page.unwrap();
    let bytes = page.data(&*caller).to_vec();
    let calls = read(&bytes, &QUEUE, &caller.data().shapes).unwrap();
    let log = &mut caller.data_mut().log;
    for call in calls {
        log.push(match call.id {
            1 => format!(
                "sample {} {}",
                call.fields[0],
                f64::from_bits(call.fields[1])
            ),
            _ => format!("text {:?}", call.pieces[0]),
        });
    }
    let control = QUEUE.control as usize;
    page.data_mut(caller)[control..control + 12].fill(0);
}

fn sampled(caller: &mut Caller<'_, Host>, number: i32, value: f64) {
    let line = format!("sample {number} {value}");
    caller.data_mut().log.push(line);
}

fn said(caller: &mut Caller<'_, Host>, pointer: i32, length: i32) {
    let memory = caller.get_export("memory").unwrap();
    let memory = memory.into_memory().unwrap().data(&*caller);
    let (pointer, length) = (pointer as u32 as usize, length as u32 as usize);
    let line = match memory.get(pointer..pointer + length) {
        Some(text) => format!("text {text:?}"),
        None => "text outside".into(),
    };
    caller.data_mut().log.push(line);
}

/// What the host is told by forty steps, and what they give.
fn alone(wasm: &[u8]) -> (Log, Vec<i32>) {
    let (mut store, instance) = start(wasm);
    let step = instance.get_typed_func::<i32, i32>(&store, "step").unwrap();
    let results = (0..40).map(|number| step.call(&mut store, number).unwrap());
    let results = results.collect();
    finish(&mut store, instance);
    (store.into_data().log, results)
}

/// The same, driven.
fn driven(wasm: &[u8]) -> (Log, Vec<i32>) {
    let (mut store, instance) = start(wasm);
    let page = store.data().page.unwrap();
    let word = |address: u32, number: i32| (address as usize + 4 * number as usize, 4);
    for number in 0..40 {
        let (at, bytes) = word(BATCH.input, number);
        page.data_mut(&mut store)[at..at + bytes].copy_from_slice(&number.to_le_bytes());
    }
    let driver = instance.get_typed_func::<i32, ()>(&store, DRIVER).unwrap();
    driver.call(&mut store, 40).unwrap();
    finish(&mut store, instance);
    let results = (0..40).map(|number| {
        let (at, bytes) = word(BATCH.output, number);
        i32::from_le_bytes(page.data(&store)[at..at + bytes].try_into().unwrap())
    });
    let results = results.collect();
    (store.into_data().log, results)
}

/// A step that crosses, behind all that is queued.
fn finish(store: &mut Store<Host>, instance: Instance) {
    let step = instance.get_typed_func::<i32, i32>(&*store, "step");
    step.unwrap().call(&mut *store, 7).unwrap();
}

#[test]
fn linked_guests_do_what_guests_do() {
    let expected = alone(&wat::parse_str(TEXT).unwrap());
    for call_sites in [false, true] {
        let linked = linked(call_sites);
        assert_eq!(alone(&linked.bytes), expected);
        assert_eq!(driven(&linked.bytes), expected);
    }
}

#[test]
fn imports_stay_for_what_is_not_queued() {
    let imports = linked(true).imports;
    assert_eq!(imports.len(), 3);
    assert_eq!(imports[0], LinkedImport::Original(1));
    assert_eq!(imports[1], LinkedImport::Original(2));
    let LinkedImport::Added(drain) = &imports[2] else {
        panic!("{imports:?}");
    };
    assert_eq!((&*drain.module, &*drain.name), ("hostcall:queue", "drain"));
}
