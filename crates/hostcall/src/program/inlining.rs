//! Puts the bodies that the plan inlines into the guest.

use crate::error::{Error, Site};
use crate::host::{Host, HostFunc};
use crate::inline::{Body, InlinedCode, PageLayout};
use hostcall_link::inline::Target;
use hostcall_link::{
    Binding, Crossing, ExternType, HostPage, Import, LinkOptions, Linked, LinkedImport, MemoryType,
    ModuleInfo, Plan, PlannedImport, Provider, Replacement, RewriteError, RewriteErrorKind,
    Surface, link, plan,
};
use std::sync::Arc;

/// A guest with the bodies of host functions in it.
#[derive(Default)]
pub(super) struct LinkedGuest {
    /// `None` if the guest stays as it is.
    pub bytes: Option<Vec<u8>>,
    pub warnings: Vec<String>,
    pub page_layout: Option<Arc<PageLayout>>,
    pub code: Option<InlinedCode>,
    imports: Vec<LinkedImport>,
}

/// An import that a body takes the place of.
struct Inlining {
    /// Position among the guest's imports.
    import: usize,
    provider: Arc<Provider>,
    function: String,
    call_sites: bool,
    site: Arc<Site>,
    /// See [`HostFunc::block`].
    block: Option<usize>,
}

impl LinkedGuest {
    /// Links what the plan inlines, and takes note of it in the plan.
    pub fn new<T>(
        host: &Host<T>,
        surface: &Surface,
        info: &ModuleInfo,
        guest: &[u8],
        plan: &mut Plan,
    ) -> Result<LinkedGuest, Error> {
        let inliner = Inliner::new(host, info, plan)?;
        let inlinings = inliner.inlinings(plan)?;
        if inlinings.is_empty() && inliner.layout.is_empty() {
            return Ok(LinkedGuest::default());
        }
        let (layout, page) = (inliner.layout, inliner.page);
        let options = LinkOptions {
            replacements: inlinings.iter().map(Inlining::replacement).collect(),
            memory: info.memory().map(|(index, _)| index),
            page: (!layout.is_empty()).then_some(page),
            budget: host.inlining.budget,
            ..LinkOptions::default()
        };
        let linked = link(guest, &options).map_err(rewrite)?;
        plan.set_linked(&options, &linked);
        plan.added = added(info, surface, &linked, &inlinings)?;
        check_calls(host, plan, &inlinings)?;
        let imported = imported_functions(info, &linked);
        let sites = inlinings.into_iter().map(|inlining| inlining.site);
        let code = InlinedCode {
            module: None,
            ranges: linked.ranges,
            traps: linked.traps,
            imported,
            defined: info.functions,
            sites: sites.collect(),
        };
        Ok(LinkedGuest {
            page_layout: (!layout.is_empty()).then(|| Arc::new(layout)),
            code: Some(code),
            bytes: Some(linked.bytes),
            warnings: linked.warnings,
            imports: linked.imports,
        })
    }

    /// What becomes of each import of the linked module.
    pub fn planned<'p>(&self, plan: &'p Plan) -> Vec<&'p PlannedImport> {
        if self.bytes.is_none() {
            return plan.imports.iter().collect();
        }
        let mut added = plan.added.iter();
        let imports = self.imports.iter().filter_map(|import| match import {
            LinkedImport::Original(index) => plan.imports.get(*index as usize),
            LinkedImport::Added(_) => added.next(),
        });
        imports.collect()
    }
}

impl Inlining {
    fn replacement(&self) -> Replacement<'_> {
        Replacement {
            import: self.import as u32,
            provider: &self.provider,
            function: &self.function,
            call_sites: self.call_sites,
        }
    }

    /// Whether the body calls the host function of an import.
    fn calls(&self, import: &Import) -> bool {
        let mut calls = self.provider.host_calls();
        calls.any(|(module, name, ty)| {
            let same = module == import.module && name == import.name;
            same && matches!(&import.ty, ExternType::Func(wanted) if wanted == ty)
        })
    }
}

/// Makes the bodies of one guest.
struct Inliner<'a, T: 'static> {
    host: &'a Host<T>,
    memory: MemoryType,
    layout: PageLayout,
    page: HostPage,
}

impl<'a, T: 'static> Inliner<'a, T> {
    fn new(host: &'a Host<T>, info: &ModuleInfo, plan: &Plan) -> Result<Inliner<'a, T>, Error> {
        let bound = plan
            .imports
            .iter()
            .filter_map(|planned| func(host, planned));
        let bodies = bound.filter_map(|func| func.body.as_ref());
        // Also of functions that are called: their native form works on the
        // same structs.
        let laid_out = PageLayout::new(bodies.flat_map(Body::states));
        let (layout, page) = laid_out.ok_or_else(|| {
            Error::body("the structs in the host page take more than 4 GiB together")
        })?;
        let memory = info.memory().map(|(_, ty)| ty.clone());
        Ok(Inliner {
            host,
            memory: memory.unwrap_or_else(|| MemoryType::new(0, None)),
            layout,
            page,
        })
    }

    fn inlinings(&self, plan: &Plan) -> Result<Vec<Inlining>, Error> {
        let imports = plan.imports.iter().enumerate();
        let inlined = imports.filter(|(_, import)| import.crossing == Some(Crossing::Inline));
        let inlinings = inlined.filter_map(|(position, planned)| {
            let func = func(self.host, planned)?;
            let body = func.body.as_ref()?;
            Some(self.inlining(position, &planned.import, func, body))
        });
        inlinings.collect()
    }

    fn inlining(
        &self,
        position: usize,
        import: &Import,
        func: &HostFunc<T>,
        body: &Body,
    ) -> Result<Inlining, Error> {
        let target = Target {
            wide: self.memory.memory64,
            page_size_log2: self.memory.page_size_log2,
            states: &|id| Some(self.layout.place(id)?.start as u32),
        };
        let (provider, function) = body.provider(&import.name, &target)?;
        Ok(Inlining {
            import: position,
            provider,
            function,
            call_sites: self.host.inlining.allows(&import.module, &import.name),
            site: Arc::new(Site {
                module: import.module.clone(),
                name: import.name.clone(),
                signature: func.signature.clone(),
            }),
            block: func.block,
        })
    }
}

/// An invalid guest is an invalid guest, with linking or without.
fn rewrite(error: RewriteError) -> Error {
    match error.kind() {
        RewriteErrorKind::Guest(error) => error.clone().into(),
        _ => Error::body(error),
    }
}

/// The host function that an import is bound to.
fn func<'h, T>(host: &'h Host<T>, planned: &PlannedImport) -> Option<&'h HostFunc<T>> {
    match planned.binding {
        Binding::Item { item, .. } => host.items.get(item)?.func(),
        _ => None,
    }
}

/// Plans the imports that bodies have brought along.
fn added(
    info: &ModuleInfo,
    surface: &Surface,
    linked: &Linked,
    inlinings: &[Inlining],
) -> Result<Vec<PlannedImport>, Error> {
    let imports = linked.imports.iter().filter_map(|import| match import {
        LinkedImport::Added(import) => Some(import.clone()),
        LinkedImport::Original(_) => None,
    });
    let info = ModuleInfo {
        imports: imports.collect(),
        memories: info.memories.clone(),
        ..ModuleInfo::default()
    };
    let mut planned = plan(&info, surface)?.imports;
    for planned in &mut planned {
        let mut callers = inlinings.iter();
        if let Some(Inlining { site, .. }) = callers.find(|it| it.calls(&planned.import)) {
            planned.reason = format!("called by the body of `{}.{}`", site.module, site.name);
        }
        planned.crossing = Some(Crossing::Call);
    }
    Ok(planned)
}

/// A body calls what guests get by a name. The native form knows the function
/// of its own block only: that must be the same.
fn check_calls<T>(host: &Host<T>, plan: &Plan, inlinings: &[Inlining]) -> Result<(), Error> {
    for planned in plan.imports.iter().chain(&plan.added) {
        let func = func(host, planned);
        let callers = inlinings.iter().filter(|it| it.calls(&planned.import));
        for Inlining { site, block, .. } in callers {
            if func.is_none_or(|func| func.block != *block) {
                let (Site { module, name, .. }, import) = (&**site, &planned.import);
                return Err(Error::body(format_args!(
                    "the body of `{module}.{name}` calls `{}.{}` of its own block, but the host \
                     offers another function by that name first: rename one of them",
                    import.module, import.name
                )));
            }
        }
    }
    Ok(())
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
