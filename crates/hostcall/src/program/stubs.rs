//! What linking puts around the imports and exports of a guest: stubs of
//! deferred functions, wrappers, and drivers of mapped exports.

use super::inlining::func;
use crate::batching::{BatchLayout, BatchNeeds, BatchSettings, COUNTER};
use crate::deferred::{DeferredCalls, Handler, Shape};
use crate::error::{Error, Site};
use crate::export::missing;
use crate::guest::Within;
use crate::host::Host;
use hostcall_link::stub::{self, Guest, Queue, Record};
use hostcall_link::{
    AddedExport, Binding, Crossing, ExternType, FuncType, MappedExport, MemoryType, ModuleInfo,
    Plan, PlannedImport, Provider, ValType, Wrapper,
};
use std::sync::Arc;

/// A module that stands around one import.
struct Around {
    /// Position among the guest's imports.
    import: usize,
    provider: Provider,
    call_sites: bool,
}

/// A driver of a mapped export.
struct Driver {
    name: String,
    provider: Provider,
}

/// What is put around a guest.
pub(super) struct Stubs<T: 'static> {
    around: Vec<Around>,
    drivers: Vec<Driver>,
    /// Of the deferred functions, by id.
    handlers: Vec<Handler<T>>,
}

/// The names of the drivers of an export.
pub(crate) fn map_name(export: &str) -> String {
    format!("hostcall:map:{export}")
}

pub(crate) fn fold_name(export: &str) -> String {
    format!("hostcall:fold:{export}")
}

impl<T: 'static> Stubs<T> {
    pub fn new(host: &Host<T>, memory: &MemoryType, plan: &Plan, layout: &BatchLayout) -> Stubs<T> {
        let mut maker = Maker {
            host,
            layout,
            memory,
            stubs: Stubs {
                around: Vec::new(),
                drivers: Vec::new(),
                handlers: Vec::new(),
            },
            counter: layout.counters,
        };
        for (position, planned) in plan.imports.iter().enumerate() {
            maker.import(position, planned);
        }
        if let Some(batch) = &layout.batch {
            maker.drivers(&plan.mapped, batch);
        }
        maker.stubs
    }

    pub fn is_empty(&self) -> bool {
        self.around.is_empty() && self.drivers.is_empty()
    }

    pub fn wrappers(&self) -> Vec<Wrapper<'_>> {
        let wrappers = self.around.iter().map(|around| Wrapper {
            import: around.import as u32,
            provider: &around.provider,
            function: stub::FUNCTION,
            call_sites: around.call_sites,
        });
        wrappers.collect()
    }

    pub fn exports(&self) -> Vec<AddedExport<'_>> {
        let exports = self.drivers.iter().map(|driver| AddedExport {
            name: &driver.name,
            provider: &driver.provider,
            function: stub::FUNCTION,
        });
        exports.collect()
    }

    /// The host functions whose code the wrappers are part of.
    pub fn sites<'s>(&'s self, plan: &'s Plan) -> impl Iterator<Item = Arc<Site>> + 's {
        let imports = self
            .around
            .iter()
            .map(|around| &plan.imports[around.import]);
        imports.map(|planned| site(planned, Default::default()))
    }

    pub fn into_deferred(self, queue: Queue) -> DeferredCalls<T> {
        let handlers = self.handlers;
        DeferredCalls { queue, handlers }
    }
}

struct Maker<'m, T: 'static> {
    host: &'m Host<T>,
    layout: &'m BatchLayout,
    memory: &'m MemoryType,
    stubs: Stubs<T>,
    /// Where the next import's calls are counted.
    counter: Option<u32>,
}

impl<T: 'static> Maker<'_, T> {
    fn import(&mut self, position: usize, planned: &PlannedImport) {
        let ExternType::Func(ty) = &planned.import.ty else {
            return;
        };
        let counter = self.counter;
        self.counter = counter.map(|counter| counter + COUNTER);
        let provider = match (planned.crossing, &self.layout.queue) {
            (Some(Crossing::Deferred), Some(queue)) => {
                self.deferred(position, planned, ty, queue, counter)
            }
            // Nothing of the host runs in a body, or sees what it does.
            (Some(Crossing::Inline), _) => self.wrapper(position, ty, None, counter),
            (_, queue) => match self.foreign(planned) {
                Some(suspends) if suspends || self.host.limits.metered() => {
                    let queue = queue.as_ref();
                    let position = position as u32;
                    Some(stub::metered(position, ty, queue, counter, suspends))
                }
                _ => self.wrapper(position, ty, queue.as_ref(), counter),
            },
        };
        if let Some(provider) = provider {
            let (module, name) = (&planned.import.module, &planned.import.name);
            self.stubs.around.push(Around {
                import: position,
                provider,
                call_sites: self.host.inlining.allows(module, name),
            });
        }
    }

    /// Whether the function suspends the guest, if it is not ours, as those of WASI
    /// are not. The guest has to say that it calls such a function.
    fn foreign(&self, planned: &PlannedImport) -> Option<bool> {
        let ours = self.host.items.len();
        let foreign = matches!(planned.binding, Binding::Item { item, .. } if item >= ours);
        foreign.then(|| suspends(planned))
    }

    fn wrapper(
        &self,
        position: usize,
        ty: &FuncType,
        queue: Option<&Queue>,
        counter: Option<u32>,
    ) -> Option<Provider> {
        let needed = queue.is_some() || counter.is_some();
        (needed && can_wrap(ty)).then(|| stub::wrapper(position as u32, ty, queue, counter))
    }

    fn deferred(
        &mut self,
        position: usize,
        planned: &PlannedImport,
        ty: &FuncType,
        queue: &Queue,
        counter: Option<u32>,
    ) -> Option<Provider> {
        let func = func(self.host, planned)?;
        // The plan defers what has a record only.
        let record = func.record(self.memory.memory64)?.ok()?;
        let id = self.stubs.handlers.len() as u32 + 1;
        let provider = self.stub(position, ty, id, &record, queue, counter);
        let site = site(planned, func.signature.clone());
        let options = self.host.options(&site.module, &site.name, func.options);
        self.stubs.handlers.push(Handler {
            metered: self.host.limits.metered(),
            fuel: options.fuel,
            caller: Within::Host {
                site: site.clone(),
                depth: options.reentrant,
            },
            site,
            shape: Shape::new(record, self.memory.memory64),
            func: func.deferred.clone()?,
        });
        Some(provider)
    }

    fn stub(
        &self,
        position: usize,
        ty: &FuncType,
        id: u32,
        record: &Record,
        queue: &Queue,
        counter: Option<u32>,
    ) -> Provider {
        let guest = Guest {
            wide: self.memory.memory64,
            page_size_log2: self.memory.page_size_log2,
        };
        stub::deferred(position as u32, ty, id, record, queue, guest, counter)
    }

    fn drivers(&mut self, mapped: &[MappedExport], batch: &stub::Batch) {
        for MappedExport { name, ty, folds } in mapped {
            self.stubs.drivers.push(Driver {
                name: map_name(name),
                provider: stub::map_driver(name, ty, batch),
            });
            if *folds {
                self.stubs.drivers.push(Driver {
                    name: fold_name(name),
                    provider: stub::fold_driver(name, ty, batch),
                });
            }
        }
    }
}

/// Whether a function of WASI suspends the guest: if they wait at all, those do that
/// are async in `wasmtime-wasi`.
fn suspends(planned: &PlannedImport) -> bool {
    let waits = planned.crossing == Some(Crossing::Async);
    waits
        && match &*planned.import.name {
            "fd_allocate" | "fd_fdstat_set_flags" | "fd_fdstat_set_rights" => false,
            "fd_prestat_get" | "fd_prestat_dir_name" | "fd_tell" => false,
            "poll_oneoff" => true,
            name => name.starts_with("fd_") || name.starts_with("path_"),
        }
}

fn site(planned: &PlannedImport, signature: crate::Signature) -> Arc<Site> {
    Arc::new(Site {
        module: planned.import.module.clone(),
        name: planned.import.name.clone(),
        signature,
    })
}

/// References of other types are known in the guest only. No host function has
/// them; imports that do are optional ones, which trap.
fn can_wrap(ty: &FuncType) -> bool {
    let mut types = ty.params.iter().chain(&ty.results);
    !types.any(|ty| matches!(ty, ValType::Ref(_)))
}

/// What the plan needs of the host page.
pub(super) fn needs(plan: &Plan, settings: &BatchSettings) -> BatchNeeds {
    let crossings = || plan.imports.iter().filter_map(|planned| planned.crossing);
    let defers = crossings().any(|crossing| crossing == Crossing::Deferred);
    let functions = crossings().count() as u32;
    let element = plan.mapped.iter().map(|mapped| {
        let (input, output) = sizes(&mapped.ty);
        input.max(output)
    });
    BatchNeeds {
        queue: defers.then_some(settings.queue_size),
        counters: settings.counts_calls.then_some(functions),
        element: element.max(),
    }
}

/// Bytes of the parameters and of the results of one element.
fn sizes(ty: &FuncType) -> (u32, u32) {
    (
        stub::fields(&ty.params).size,
        stub::fields(&ty.results).size,
    )
}

/// The exports that are to be mapped.
///
/// # Errors
///
/// If there is no function of such a name, or it takes or returns more than
/// numbers.
pub(super) fn mapped(info: &ModuleInfo, names: &[String]) -> Result<Vec<MappedExport>, Error> {
    let mut mapped: Vec<MappedExport> = Vec::new();
    for name in names {
        if mapped.iter().all(|known| known.name != *name) {
            mapped.push(mapped_export(info, name)?);
        }
    }
    Ok(mapped)
}

fn mapped_export(info: &ModuleInfo, name: &str) -> Result<MappedExport, Error> {
    let export = info.exports.iter().find(|export| export.name == name);
    let ty = match export.map(|export| &export.ty) {
        Some(ExternType::Func(ty)) => ty.clone(),
        _ => return Err(missing(info, name)),
    };
    let mut types = ty.params.iter().chain(&ty.results);
    if let Some(other) = types.find(|ty| !is_number(ty)) {
        return Err(crate::call::export_error(format!(
            "export `{}` has type {ty}, and {other} has no place in a batch: what is mapped takes \
             and returns i32, i64, f32 and f64",
            name.escape_debug()
        )));
    }
    let folds = !ty.results.is_empty() && ty.params.starts_with(&ty.results);
    let name = name.to_owned();
    Ok(MappedExport { name, ty, folds })
}

fn is_number(ty: &ValType) -> bool {
    use ValType::*;
    matches!(ty, I32 | I64 | F32 | F64)
}
