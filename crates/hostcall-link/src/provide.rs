//! Links a guest with providers alone. What they do not provide stays an
//! import, for the host that runs the linked module.

mod error;
mod unused;

pub use error::{ProvideError, ProvideErrorKind};
pub use unused::{Unused, unused};

use crate::{
    Binding, Budget, Crossing, Deferral, HostItem, Import, Inlining, LinkOptions, Linked,
    LinkedImport, ModuleInfo, Plan, PlannedImport, Provider, Provides, Replacement, RewriteError,
    Surface, link, plan,
};

/// A provider, and the module from which guests import its functions.
#[derive(Clone, Copy, Debug)]
pub struct Provision<'a> {
    /// The module: an exported function `f` of the provider stands in for the
    /// import of `f` from it.
    pub module: &'a str,
    /// Where the functions come from.
    pub provider: &'a Provider,
}

/// How [`provide`] puts functions into a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvideOptions {
    /// Whether bodies may stand at call sites; true by default. Otherwise calls
    /// stay calls, of functions that the linked module defines.
    pub call_sites: bool,
    /// How much code bodies at call sites may add.
    pub budget: Budget,
}

impl Default for ProvideOptions {
    fn default() -> ProvideOptions {
        ProvideOptions {
            call_sites: true,
            budget: Budget::default(),
        }
    }
}

/// A guest with functions of providers in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The linked module. It runs on any engine whose host offers the imports
    /// that are left.
    pub linked: Linked,
    /// What became of each import of the guest, and why. Those that are left
    /// are bound to [`Binding::Open`], the others to an item: the exported
    /// functions of all provisions, counted in their order.
    pub plan: Plan,
}

/// Links a guest with providers, for whatever host runs the linked module.
///
/// An import that a provider has a function for by module and name is replaced
/// by that function; of several that fit, the first serves. All other imports
/// stay. A provider that the guest has no use for changes nothing: see
/// [`unused`].
///
/// ```
/// use hostcall_link::{ProvideOptions, Provider, Provision, provide};
///
/// let math = wat::parse_str(
///     r#"(module (func (export "double") (param i32) (result i32)
///         (i32.shl (local.get 0) (i32.const 1))))"#,
/// )?;
/// let guest = wat::parse_str(
///     r#"(module
///         (import "env" "double" (func $double (param i32) (result i32)))
///         (import "env" "log" (func $log (param i32)))
///         (func (export "run") (param i32)
///             (call $log (call $double (local.get 0)))))"#,
/// )?;
/// let provision = Provision { module: "env", provider: &Provider::parse(&math)? };
/// let provided = provide(&guest, &[provision], &ProvideOptions::default())?;
/// println!("{}", provided.plan);
///
/// let linked = wasmprinter::print_bytes(&provided.linked.bytes)?;
/// assert!(linked.contains("i32.shl") && !linked.contains("double\""));
/// assert!(linked.contains(r#"(import "env" "log""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the guest is not a valid module, imports a provided function under
/// another type, or uses names that are [reserved](crate::RESERVED_PREFIX).
pub fn provide(
    guest: &[u8],
    provisions: &[Provision<'_>],
    options: &ProvideOptions,
) -> Result<Provided, ProvideError> {
    let info = ModuleInfo::parse(guest).map_err(RewriteError::from)?;
    let offers = offers(provisions);
    let mut plan = plan(&info, &surface(&offers))?;
    leave(&mut plan);
    let options = LinkOptions {
        replacements: replacements(&plan, &offers, options.call_sites),
        memory: info.memory().map(|(index, _)| index),
        budget: options.budget,
        ..LinkOptions::default()
    };
    let linked = link(guest, &options)?;
    plan.set_linked(&options, &linked);
    plan.added = added(&linked);
    Ok(Provided { linked, plan })
}

/// A function of a provider, and how it is imported.
struct Offer<'a> {
    module: &'a str,
    provider: &'a Provider,
    name: &'a str,
}

fn offers<'a>(provisions: &[Provision<'a>]) -> Vec<Offer<'a>> {
    let offers = provisions
        .iter()
        .flat_map(|&Provision { module, provider }| {
            let names = provider.functions().map(|(name, _)| name);
            names.map(move |name| Offer {
                module,
                provider,
                name,
            })
        });
    offers.collect()
}

/// The offers, in their order, and nothing else.
fn surface(offers: &[Offer<'_>]) -> Surface {
    let items = offers.iter().filter_map(|offer| {
        let ty = offer.provider.function(offer.name)?;
        Some(HostItem {
            module: offer.module.to_owned(),
            name: offer.name.to_owned(),
            provides: Provides::Func {
                signature: ty.to_string(),
                forms: vec![ty.clone()],
                inlining: inlining(offer.provider),
                deferral: Deferral::Unasked,
                waits: false,
            },
        })
    });
    Surface {
        items: items.collect(),
        open: true,
        ..Surface::default()
    }
}

fn inlining(provider: &Provider) -> Inlining {
    match provider.uses_memory() {
        true => Inlining::Memory,
        false => Inlining::Scalar,
    }
}

/// Leaves imports to the host whose body cannot stand in this guest: there is
/// no native form to call.
fn leave(plan: &mut Plan) {
    let called = |planned: &&mut PlannedImport| planned.crossing == Some(Crossing::Call);
    for planned in plan.imports.iter_mut().filter(called) {
        planned.binding = Binding::Open;
    }
}

fn replacements<'a>(plan: &Plan, offers: &[Offer<'a>], call_sites: bool) -> Vec<Replacement<'a>> {
    let replacements = plan.imports.iter().filter_map(|planned| {
        let Binding::Item { item, .. } = planned.binding else {
            return None;
        };
        let offer = offers.get(item)?;
        Some(Replacement {
            import: planned.import.index,
            provider: offer.provider,
            function: offer.name,
            call_sites,
        })
    });
    replacements.collect()
}

/// What the bodies have brought along.
fn added(linked: &Linked) -> Vec<PlannedImport> {
    let added = linked.imports.iter().filter_map(|import| match import {
        LinkedImport::Added(import) => Some(called_by_bodies(import)),
        LinkedImport::Original(_) => None,
    });
    added.collect()
}

fn called_by_bodies(import: &Import) -> PlannedImport {
    PlannedImport {
        import: import.clone(),
        signature: None,
        crossing: Some(Crossing::Call),
        reason: "called by a body, for the host that runs the module".to_owned(),
        binding: Binding::Open,
        inlined: None,
    }
}
