//! Puts the bodies that the plan inlines into the guest.

use crate::error::{Error, Site};
use crate::host::{Host, HostFunc};
use crate::inline::{Body, PageLayout};
use hostcall_link::inline::Target;
use hostcall_link::{
    Binding, Crossing, ExternType, FuncType, Import, MemoryType, Plan, PlannedImport, Provider,
    Replacement,
};
use std::collections::HashMap;
use std::sync::Arc;

/// An import that a body takes the place of.
pub(super) struct Inlining {
    /// Position among the guest's imports.
    import: usize,
    provider: Arc<Provider>,
    function: String,
    call_sites: bool,
    pub site: Arc<Site>,
    /// See [`HostFunc::block`].
    block: Option<usize>,
}

impl Inlining {
    pub fn replacement(&self) -> Replacement<'_> {
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
        calls.any(|call| is_of(call, import))
    }
}

/// The bodies that call host functions, by the names of those.
pub(super) struct Callers<'i>(HashMap<(&'i str, &'i str), Vec<&'i Inlining>>);

impl<'i> Callers<'i> {
    pub fn new(inlinings: &'i [Inlining]) -> Callers<'i> {
        let mut callers: HashMap<_, Vec<_>> = HashMap::new();
        for inlining in inlinings {
            for (module, name, _) in inlining.provider.host_calls() {
                callers.entry((module, name)).or_default().push(inlining);
            }
        }
        Callers(callers)
    }

    /// Those that call the host function of an import, in order.
    pub fn of<'s>(&'s self, import: &'s Import) -> impl Iterator<Item = &'s Inlining> {
        let named: Option<&'s Vec<&'s Inlining>> = self.0.get(&(&*import.module, &*import.name));
        let named = named.into_iter().flatten().copied();
        named.filter(move |inlining| inlining.calls(import))
    }
}

/// Whether a call of a host function, by module, name and type, is of an import.
fn is_of((module, name, ty): (&str, &str, &FuncType), import: &Import) -> bool {
    let same = module == import.module && name == import.name;
    same && matches!(&import.ty, ExternType::Func(found) if found == ty)
}

/// Makes the bodies of one guest.
pub(super) struct Inliner<'a, T: 'static> {
    pub host: &'a Host<T>,
    pub memory: &'a MemoryType,
    pub layout: &'a PageLayout,
}

impl<T: 'static> Inliner<'_, T> {
    pub fn inlinings(&self, plan: &Plan) -> Result<Vec<Inlining>, Error> {
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

/// The host function that an import is bound to.
pub(super) fn func<'h, T>(host: &'h Host<T>, planned: &PlannedImport) -> Option<&'h HostFunc<T>> {
    match planned.binding {
        Binding::Item { item, .. } => host.items.get(item)?.func(),
        _ => None,
    }
}

/// A body calls what guests get by a name. The native form knows the function
/// of its own block only: that must be the same.
pub(super) fn check_calls<T>(
    host: &Host<T>,
    plan: &Plan,
    callers: &Callers<'_>,
) -> Result<(), Error> {
    for planned in plan.imports.iter().chain(&plan.added) {
        let func = func(host, planned);
        for Inlining { site, block, .. } in callers.of(&planned.import) {
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

/// The host structs that bodies work on, by the functions that the plan binds.
pub(super) fn page_layout<T>(host: &Host<T>, plan: &Plan) -> Option<PageLayout> {
    let bound = plan
        .imports
        .iter()
        .filter_map(|planned| func(host, planned));
    let bodies = bound.filter_map(|func| func.body.as_ref());
    // Also of functions that are called: their native form works on the same
    // structs.
    PageLayout::new(bodies.flat_map(Body::states))
}

/// Has bodies called that would call what the guest does not import: nothing
/// would deliver queued calls before that.
pub(super) fn call_instead(plan: &mut Plan, inlinings: &mut Vec<Inlining>) {
    let mut stay = calls_imports_only(plan, inlinings).into_iter();
    inlinings.retain(|inlining| {
        let stays = stay.next().is_none_or(|stays| stays);
        if !stays {
            let planned = &mut plan.imports[inlining.import];
            planned.crossing = Some(Crossing::Call);
            planned.reason = "not inlined: its body calls a function that is not imported, which \
                              deferred calls must come before"
                .to_owned();
        }
        stays
    });
}

/// Whether each body calls only what the guest imports, too.
fn calls_imports_only(plan: &Plan, inlinings: &[Inlining]) -> Vec<bool> {
    let mut named: HashMap<_, Vec<_>> = HashMap::new();
    for PlannedImport { import, .. } in &plan.imports {
        let name = (import.module.as_str(), import.name.as_str());
        named.entry(name).or_default().push(import);
    }
    let imported = |call: (_, _, &FuncType)| {
        let named = named.get(&(call.0, call.1));
        let mut named = named.into_iter().flatten();
        named.any(|import| is_of(call, import))
    };
    let bodies = inlinings.iter();
    bodies
        .map(|body| body.provider.host_calls().all(imported))
        .collect()
}
