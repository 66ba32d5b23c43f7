//! Rewrites a guest as the plan says.

use super::inlining::{Callers, Inliner, Inlining, call_instead, check_calls, page_layout};
use super::planning::Offered;
use super::stubs::{Stubs, mapped, needs};
use crate::batching::BatchLayout;
use crate::deferred::{DeferredCalls, QUEUE};
use crate::error::Error;
use crate::host::Host;
use crate::inline::{InlinedCode, PageLayout};
use crate::limits::LIMITS;
use hostcall_link::{
    Crossing, ExternType, LinkOptions, Linked, LinkedImport, MemoryType, ModuleInfo, Plan,
    PlannedImport, RewriteError, RewriteErrorKind, link,
};
use std::sync::Arc;

/// A guest as it is compiled.
pub(super) struct LinkedGuest<T: 'static> {
    /// `None` if the guest stays as it is.
    pub bytes: Option<Vec<u8>>,
    pub warnings: Vec<String>,
    pub page_layout: Option<Arc<PageLayout>>,
    pub batch_layout: BatchLayout,
    pub deferred: Option<Arc<DeferredCalls<T>>>,
    pub code: Option<InlinedCode>,
    imports: Vec<LinkedImport>,
}

/// What an import of a linked module is.
pub(super) enum LinkedAs<'p> {
    Planned(&'p PlannedImport),
    /// Where the guest has queued calls delivered.
    Queue,
    /// Where it says that it calls what is not ours.
    Limits,
}

impl<T: 'static> LinkedGuest<T> {
    /// Rewrites what the plan says, and takes note of it in the plan.
    pub fn new(
        host: &Host<T>,
        offered: &Offered<'_, T>,
        info: &ModuleInfo,
        guest: &[u8],
        plan: &mut Plan,
    ) -> Result<LinkedGuest<T>, Error> {
        plan.mapped = mapped(info, &host.batching.mapped)?;
        let layouts = page_layout(host, plan).and_then(|mut page| {
            let batch = BatchLayout::new(needs(plan, &host.batching), &mut page)?;
            Some((page, batch))
        });
        let (page, batch) = layouts.ok_or_else(|| {
            Error::body("structs, queue and counters take more than 4 GiB of the host page")
        })?;
        let memory = info.memory().map(|(_, ty)| ty.clone());
        let rewriting = Rewriting {
            host,
            offered,
            info,
            memory: memory.unwrap_or_else(|| MemoryType::new(0, None)),
            page,
            batch,
        };
        rewriting.run(guest, plan)
    }

    /// What becomes of each import of the linked module.
    pub fn imports<'p>(&self, plan: &'p Plan) -> Vec<LinkedAs<'p>> {
        if self.bytes.is_none() {
            return plan.imports.iter().map(LinkedAs::Planned).collect();
        }
        let mut added = plan.added.iter();
        let imports = self.imports.iter().filter_map(|import| {
            match import {
                LinkedImport::Original(index) => plan.imports.get(*index as usize),
                LinkedImport::Added(import) if is(import, QUEUE) => return Some(LinkedAs::Queue),
                LinkedImport::Added(import) if is(import, LIMITS) => return Some(LinkedAs::Limits),
                LinkedImport::Added(_) => added.next(),
            }
            .map(LinkedAs::Planned)
        });
        imports.collect()
    }

    fn unchanged() -> LinkedGuest<T> {
        LinkedGuest {
            bytes: None,
            warnings: Vec::new(),
            page_layout: None,
            batch_layout: BatchLayout::default(),
            deferred: None,
            code: None,
            imports: Vec::new(),
        }
    }
}

struct Rewriting<'r, T: 'static> {
    host: &'r Host<T>,
    offered: &'r Offered<'r, T>,
    info: &'r ModuleInfo,
    /// The memory that pointers refer to; any, if there is none.
    memory: MemoryType,
    page: PageLayout,
    batch: BatchLayout,
}

impl<T: 'static> Rewriting<'_, T> {
    fn run(self, guest: &[u8], plan: &mut Plan) -> Result<LinkedGuest<T>, Error> {
        let inlinings = self.inlinings(plan)?;
        let page = self.page.host_page();
        let stubs = Stubs::new(self.host, &self.memory, plan, &self.batch);
        if inlinings.is_empty() && page.is_none() && stubs.is_empty() {
            return Ok(LinkedGuest::unchanged());
        }
        let options = LinkOptions {
            replacements: inlinings.iter().map(Inlining::replacement).collect(),
            wrappers: stubs.wrappers(),
            exports: stubs.exports(),
            export_start: self.batch.queue.is_some(),
            memory: self.info.memory().map(|(index, _)| index),
            budget: self.host.inlining.budget,
            page,
        };
        let linked = link(guest, &options).map_err(rewrite)?;
        plan.set_linked(&options, &linked);
        let callers = Callers::new(&inlinings);
        plan.added = self.added(&linked, &callers)?;
        check_calls(self.host, plan, &callers)?;
        let imported = imported_functions(self.info, &linked);
        let bodies = inlinings.iter().map(|inlining| inlining.site.clone());
        let sites = bodies.chain(stubs.sites(plan)).collect();
        Ok(LinkedGuest {
            code: Some(InlinedCode {
                module: None,
                ranges: linked.ranges,
                traps: linked.traps,
                imported,
                defined: self.info.functions,
                sites,
            }),
            page_layout: options.page.is_some().then(|| Arc::new(self.page)),
            batch_layout: self.batch,
            deferred: self
                .batch
                .queue
                .map(|queue| Arc::new(stubs.into_deferred(queue))),
            bytes: Some(linked.bytes),
            warnings: linked.warnings,
            imports: linked.imports,
        })
    }

    fn inlinings(&self, plan: &mut Plan) -> Result<Vec<Inlining>, Error> {
        let inliner = Inliner {
            host: self.host,
            memory: &self.memory,
            layout: &self.page,
        };
        let mut inlinings = inliner.inlinings(plan)?;
        if self.batch.queue.is_some() {
            call_instead(plan, &mut inlinings);
        }
        Ok(inlinings)
    }

    /// Plans the imports that bodies have brought along.
    fn added(&self, linked: &Linked, callers: &Callers<'_>) -> Result<Vec<PlannedImport>, Error> {
        let imports = linked.imports.iter().filter_map(|import| match import {
            LinkedImport::Added(import) if !is(import, QUEUE) && !is(import, LIMITS) => {
                Some(import.clone())
            }
            _ => None,
        });
        let info = ModuleInfo {
            imports: imports.collect(),
            memories: self.info.memories.clone(),
            ..ModuleInfo::default()
        };
        let mut planned = self.offered.plan(&info)?.imports;
        for planned in &mut planned {
            let caller = callers.of(&planned.import).next();
            if let Some(Inlining { site, .. }) = caller {
                planned.reason = format!("called by the body of `{}.{}`", site.module, site.name);
            }
            planned.crossing = Some(Crossing::Call);
        }
        Ok(planned)
    }
}

fn is(import: &hostcall_link::Import, name: (&str, &str)) -> bool {
    (import.module.as_str(), import.name.as_str()) == name
}

/// An invalid guest is an invalid guest, with linking or without.
fn rewrite(error: RewriteError) -> Error {
    match error.kind() {
        RewriteErrorKind::Guest(error) => error.clone().into(),
        _ => Error::body(error),
    }
}

/// How many functions the guest imports, and the linked module.
fn imported_functions(info: &ModuleInfo, linked: &Linked) -> [u32; 2] {
    let is_func = |ty: &ExternType| matches!(ty, ExternType::Func(_));
    let before = info.imports.iter().filter(|import| is_func(&import.ty));
    let after = linked.imports.iter().filter(|import| match import {
        LinkedImport::Original(index) => is_func(&info.imports[*index as usize].ty),
        LinkedImport::Added(import) => is_func(&import.ty),
    });
    [before.count() as u32, after.count() as u32]
}
