//! A guest's memory, a host page and a host, in an interpreter.

use std::collections::BTreeMap;

use wasmi::{
    Caller, Config, Engine, Error, Extern, ExternType, F32, F64, Func, FuncType, Instance, Linker,
    Memory, Module, Store, Val, ValType,
};

use super::reader::{Call, read};
use crate::stub::{FUNCTION, Queue, Record};

/// The host page has 64 KiB.
pub const PAGE_BYTES: u32 = 1 << 16;

/// What the host has seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A queued call, at a drain.
    Queued(Call),
    /// A call of the import at this position, with the bits of its arguments.
    Direct(u32, Vec<u64>),
    /// A drain while `current` was `u32::MAX`.
    Waited,
}

/// Fuel of one call.
const FUEL: u64 = 1_000_000;

/// What the interpreter's host functions note. They must not panic, so queues are
/// read later.
enum Note {
    /// The host page at a drain.
    Drain(Vec<u8>),
    Direct(u32, Vec<u64>),
}

pub struct Host {
    page: Memory,
    queue: Queue,
    notes: Vec<Note>,
    /// Whether the next drain fails.
    pub refuse: bool,
}

/// What a function that the guest exports does.
pub type Export = fn(&mut [u8], &[u64]) -> Result<Vec<u64>, Error>;

pub struct Machine {
    pub store: Store<Option<Host>>,
    memory: Memory,
    page: Memory,
    queue: Queue,
    records: BTreeMap<u32, (crate::FuncType, Record)>,
}

impl Machine {
    /// `memory` is a memory type of the guest as Wasm text.
    pub fn new(memory: &str, queue: Queue) -> Machine {
        let engine = Engine::new(&config());
        let mut store = Store::new(&engine, None);
        let memory = made_memory(&mut store, memory);
        let page = made_memory(&mut store, "1");
        *store.data_mut() = Some(Host {
            page,
            queue,
            notes: Vec::new(),
            refuse: false,
        });
        Machine {
            store,
            memory,
            page,
            queue,
            records: BTreeMap::new(),
        }
    }

    /// The function of a module made for this machine.
    pub fn function(&mut self, wasm: &[u8], export: Option<Export>) -> Func {
        let module = Module::new(self.store.engine(), wasm);
        let module = module.unwrap_or_else(|error| panic!("{error}"));
        let mut linker = Linker::new(self.store.engine());
        for import in module.imports() {
            let item: Extern = match (import.module(), import.ty()) {
                ("hostcall:guest", _) => self.memory.into(),
                ("hostcall:host", _) => self.page.into(),
                ("hostcall:queue", _) => Func::wrap(&mut self.store, drain).into(),
                ("hostcall:import", ExternType::Func(ty)) => {
                    let position = import.name().parse().unwrap();
                    direct(&mut self.store, position, ty).into()
                }
                ("hostcall:export", ExternType::Func(ty)) => {
                    let export = export.expect("what the export does");
                    exported(&mut self.store, export, ty).into()
                }
                (module, _) => panic!("an import from {module}"),
            };
            linker.define(import.module(), import.name(), item).unwrap();
        }
        let instance = linker.instantiate_and_start(&mut self.store, &module);
        stub(&self.store, instance.unwrap())
    }

    /// Tells the host what function `id` queues.
    pub fn declare(&mut self, id: u32, ty: &crate::FuncType, record: &Record) {
        let record = (ty.clone(), record.clone());
        self.records.insert(id, record);
    }

    /// Calls a function with the bits of its arguments.
    pub fn call(&mut self, function: Func, args: &[u64]) -> Result<Vec<u64>, Error> {
        let ty = function.ty(&self.store);
        let args: Vec<Val> = values(ty.params(), args);
        let mut results = values(ty.results(), &vec![0; ty.results().len()]);
        self.store.set_fuel(FUEL)?;
        function.call(&mut self.store, &args, &mut results)?;
        Ok(results.iter().map(bits).collect())
    }

    pub fn host(&mut self) -> &mut Host {
        self.store.data_mut().as_mut().unwrap()
    }

    /// What the host has seen since this was asked last.
    pub fn seen(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for note in std::mem::take(&mut self.host().notes) {
            match note {
                Note::Direct(import, args) => events.push(Event::Direct(import, args)),
                Note::Drain(page) => match read(&page, &self.queue, &self.records) {
                    Some(calls) => events.extend(calls.into_iter().map(Event::Queued)),
                    None => events.push(Event::Waited),
                },
            }
        }
        events
    }

    /// Drains, as the host does by itself.
    pub fn drain(&mut self) {
        let page = self.page().to_vec();
        self.host().notes.push(Note::Drain(page));
        let control = self.queue.control as usize;
        self.page()[control..control + 12].fill(0);
    }

    pub fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    /// Adds a page to the guest's memory.
    pub fn grow(&mut self) {
        self.memory.grow(&mut self.store, 1).unwrap();
    }

    pub fn page(&mut self) -> &mut [u8] {
        self.page.data_mut(&mut self.store)
    }

    /// The words `tail`, `current` and `run`.
    pub fn control(&mut self) -> [u32; 3] {
        let control = self.queue.control;
        [0, 4, 8].map(|word| self.word(control + word))
    }

    pub fn word(&mut self, address: u32) -> u32 {
        let address = address as usize;
        u32::from_le_bytes(self.page()[address..address + 4].try_into().unwrap())
    }

    pub fn counter(&mut self, address: u32) -> u64 {
        let address = address as usize;
        u64::from_le_bytes(self.page()[address..address + 8].try_into().unwrap())
    }
}

fn config() -> Config {
    let mut config = Config::default();
    config.consume_fuel(true);
    config.wasm_multi_memory(true);
    config.wasm_memory64(true);
    config.wasm_custom_page_sizes(true);
    config
}

fn made_memory(store: &mut Store<Option<Host>>, ty: &str) -> Memory {
    let wasm = wat::parse_str(format!(r#"(module (memory (export "m") {ty}))"#)).unwrap();
    let module = Module::new(store.engine(), &wasm).unwrap();
    let instance = Instance::new(&mut *store, &module, &[]).unwrap();
    instance.get_memory(&*store, "m").unwrap()
}

fn stub(store: &Store<Option<Host>>, instance: Instance) -> Func {
    instance.get_func(store, FUNCTION).unwrap()
}

fn drain(mut caller: Caller<'_, Option<Host>>) -> Result<(), Error> {
    let host = caller.data_mut().as_mut().unwrap();
    if std::mem::take(&mut host.refuse) {
        return Err(Error::new("the host function fails"));
    }
    let (page, control) = (host.page, host.queue.control as usize);
    let bytes = page.data(&caller).to_vec();
    let host = caller.data_mut().as_mut().unwrap();
    host.notes.push(Note::Drain(bytes));
    page.data_mut(&mut caller)[control..control + 12].fill(0);
    Ok(())
}

/// An import, which gives its first arguments back.
fn direct(store: &mut Store<Option<Host>>, position: u32, ty: &FuncType) -> Func {
    Func::new(store, ty.clone(), move |mut caller, args, results| {
        let host = caller.data_mut().as_mut().unwrap();
        let args: Vec<u64> = args.iter().map(bits).collect();
        for (result, arg) in results.iter_mut().zip(&args) {
            *result = value(result.ty(), *arg);
        }
        host.notes.push(Note::Direct(position, args));
        Ok(())
    })
}

/// What a guest exports; it sees the host page.
fn exported(store: &mut Store<Option<Host>>, export: Export, ty: &FuncType) -> Func {
    Func::new(store, ty.clone(), move |mut caller, args, results| {
        let page = caller.data().as_ref().unwrap().page;
        let mut bytes = page.data(&caller).to_vec();
        let args: Vec<u64> = args.iter().map(bits).collect();
        let given = export(&mut bytes, &args)?;
        page.data_mut(&mut caller).copy_from_slice(&bytes);
        for (result, bits) in results.iter_mut().zip(given) {
            *result = value(result.ty(), bits);
        }
        Ok(())
    })
}

fn values(types: &[ValType], bits: &[u64]) -> Vec<Val> {
    let values = types.iter().zip(bits);
    values.map(|(ty, bits)| value(*ty, *bits)).collect()
}

fn value(ty: ValType, bits: u64) -> Val {
    match ty {
        ValType::I32 => Val::I32(bits as i32),
        ValType::I64 => Val::I64(bits as i64),
        ValType::F32 => Val::F32(F32::from_bits(bits as u32)),
        ValType::F64 => Val::F64(F64::from_bits(bits)),
        other => Val::default_for_ty(other),
    }
}

fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(*value as u32),
        Val::I64(value) => *value as u64,
        Val::F32(value) => value.to_bits().into(),
        Val::F64(value) => value.to_bits(),
        _ => 0,
    }
}
