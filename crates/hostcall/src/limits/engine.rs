//! Engines that can do what limits ask of them.

use super::{Limits, timer};
use crate::error::{Error, ErrorKind};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
};

/// Stack that host functions have on a fiber, beside the guest's: what
/// Wasmtime's own defaults leave them.
const HOST_STACK: usize = 1536 << 10;

/// What the engine of a host is made with, if it is the host's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EngineSettings {
    fuel: bool,
    epochs: bool,
    stack: Option<usize>,
    table: Option<usize>,
    pub pool: Option<Pool>,
}

/// See [`Host::pooling`](crate::Host::pooling).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    pub instances: u32,
    pub memory: usize,
}

impl EngineSettings {
    /// Adds what these limits need, and drops what they do not.
    pub fn set_limits(&mut self, limits: &Limits) {
        self.fuel = limits.fuel.is_some();
        self.epochs = limits.epochs();
        self.stack = limits.stack;
        self.table = limits.table;
    }

    pub fn engine(&self) -> Result<Engine, Error> {
        let mut config = Config::new();
        config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
        config.consume_fuel(self.fuel);
        config.epoch_interruption(self.epochs);
        if let Some(stack) = self.stack {
            config.max_wasm_stack(stack);
            // A call of the guest by a host function on a fiber may use as much again:
            // Wasmtime takes it for the first there, and so measures from where it is.
            let fiber = stack.saturating_mul(2).saturating_add(HOST_STACK);
            config.async_stack_size(fiber);
        }
        if let Some(pool) = &self.pool {
            pool.configure(self.table, &mut config);
        }
        Engine::new(&config).map_err(|error| {
            Error::of(ErrorKind::Engine(format!(
                "no engine can be made with these settings: {error:#}"
            )))
        })
    }
}

impl Pool {
    /// Memories that a guest may have, one of which may be the host page.
    const MEMORIES: u32 = 2;
    const TABLES: u32 = 2;
    /// Address space that all memories together may take at most, as far as
    /// guests are fast in it.
    const RESERVED: u64 = 64 << 40;
    /// What Wasmtime reserves for a memory, and so needs no bounds checks in it.
    const RESERVATION: u64 = 4 << 30;

    fn configure(&self, table: Option<usize>, config: &mut Config) {
        let instances = self.instances;
        // One more for the heap of references, which is a memory, too.
        let memories = instances.saturating_mul(Pool::MEMORIES + 1);
        if u64::from(memories) * Pool::RESERVATION > Pool::RESERVED {
            config.memory_reservation(self.memory as u64);
            config.gc_heap_reservation(self.memory as u64);
        }
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(instances)
            .total_memories(memories)
            .total_tables(instances.saturating_mul(Pool::TABLES))
            .total_stacks(instances)
            .total_gc_heaps(instances)
            .max_memories_per_module(Pool::MEMORIES)
            .max_tables_per_module(Pool::TABLES)
            .max_memory_size(self.memory);
        if let Some(elements) = table {
            pool.table_elements(elements);
        }
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
}

/// Checks that an engine can do what `limits` ask.
pub(crate) fn check(engine: &Engine, limits: &Limits) -> Result<(), Error> {
    let stack = limits.stack;
    let problem = if limits.fuel.is_some() && !engine.get_consume_fuel() {
        "a limit of fuel needs an engine that counts it: `Config::consume_fuel(true)`".to_owned()
    } else if limits.epochs() && !engine.get_epoch_interruption() {
        "a timeout or a time slice needs an engine that guests can be stopped on: \
         `Config::epoch_interruption(true)`"
            .to_owned()
    } else if let Some(stack) = stack.filter(|stack| *stack != engine.get_max_wasm_stack()) {
        format!(
            "a limit of {stack} bytes of stack needs an engine with the same, and this one has {}: \
             `Config::max_wasm_stack({stack})`",
            engine.get_max_wasm_stack()
        )
    } else {
        return start_timer(limits);
    };
    Err(Error::of(ErrorKind::Engine(problem)))
}

/// Starts the thread for deadlines before there is one.
fn start_timer(limits: &Limits) -> Result<(), Error> {
    if !limits.epochs() && limits.host_time.is_none() {
        return Ok(());
    }
    timer::start().map_err(|error| {
        let problem = format!("no thread for deadlines can be started: {error}");
        Error::of(ErrorKind::Engine(problem))
    })
}
