//! Links: replaces imports of a guest by functions of providers, or puts such
//! functions around them, and puts small bodies into their call sites.

mod accept;
mod assemble;
mod body;
mod code;
mod customs;
mod decide;
mod error;
mod expand;
mod fresh;
mod leb;
mod names;
mod number;
mod pool;
mod resolve;
mod root;
mod scan;
mod sections;
mod template;
#[cfg(test)]
mod tests;
mod types;

pub use error::{RewriteError, RewriteErrorKind};
use expand::Expander;
use number::Numbers;
use resolve::Graph;
use scan::Guest;
use template::ValTypes;
use types::TypeSpace;

use std::collections::{BTreeSet, HashSet};

use crate::{Import, Inlined, Provider};

/// One import of a guest, and the function that takes its place.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The import: its position in the import section
    /// ([`Import::index`]).
    pub import: u32,
    /// Where the function comes from. Replacements that name the same
    /// `Provider` share its globals.
    pub provider: &'a Provider,
    /// The name of the function among the provider's exports.
    pub function: &'a str,
    /// Whether the body may stand at call sites. Otherwise calls stay calls,
    /// of a function that the linked module defines.
    pub call_sites: bool,
}

/// A function that stands around an import: what calls the import reaches it
/// instead.
///
/// What it calls as `hostcall:import` `N`, where `N` is the import's position,
/// is what the import would be without it: the function that replaces it, or
/// the import itself, which then stays.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper<'a> {
    /// The import: its position in the import section
    /// ([`Import::index`]).
    pub import: u32,
    /// Where the function comes from.
    pub provider: &'a Provider,
    /// The name of the function among the provider's exports.
    pub function: &'a str,
    /// Whether its body may stand at call sites, as for a [`Replacement`].
    pub call_sites: bool,
}

/// A function that a linked module exports in addition to the guest's exports.
#[derive(Clone, Copy, Debug)]
pub struct AddedExport<'a> {
    /// The name of the export, which starts with
    /// [`RESERVED_PREFIX`](crate::RESERVED_PREFIX).
    pub name: &'a str,
    /// Where the function comes from.
    pub provider: &'a Provider,
    /// The name of the function among the provider's exports.
    pub function: &'a str,
}

/// The memory that linking appends to a guest for the use of bodies and of the
/// host. It is exported as `hostcall:page`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPage {
    /// Its size in bytes, which is rounded up to pages of 64 KiB.
    pub size: u32,
    /// What it holds at first, beyond zeros: offsets and bytes.
    pub init: Vec<(u32, Vec<u8>)>,
}

/// How much of their own code guests may gain through bodies at call sites.
///
/// Whatever the budget, expansions add at most 64 MiB to a module, and a body
/// that grows beyond 65,536 operators is never put anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Operators of a body that may stand at a call site, with the bodies that
    /// are nested in it. 200 by default.
    pub body: u32,
    /// Operators that one function of the guest may gain. 5,000 by default.
    pub function: u32,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            body: 200,
            function: 5_000,
        }
    }
}

/// What to change about a guest.
#[derive(Clone, Debug, Default)]
pub struct LinkOptions<'a> {
    /// The imports to replace, each at most once.
    pub replacements: Vec<Replacement<'a>>,
    /// Index of the guest's memory that bodies mean when they use memory.
    pub memory: Option<u32>,
    /// The host page; without one, none is appended.
    pub page: Option<HostPage>,
    /// How much code bodies at call sites may add.
    pub budget: Budget,
    /// Functions that stand around imports, each import at most once.
    pub wrappers: Vec<Wrapper<'a>>,
    /// Functions that the linked module exports in addition.
    pub exports: Vec<AddedExport<'a>>,
    /// Whether the start function is exported as `hostcall:start`, for the host
    /// to call, instead of running by itself.
    pub export_start: bool,
}

/// A linked module and what became of the guest in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The linked module.
    pub bytes: Vec<u8>,
    /// Its imports, in the order of its import section.
    pub imports: Vec<LinkedImport>,
    /// What became of each replacement, in the order of the replacements. Where
    /// something stands around the import, too, the body stands at a call only
    /// inside of that.
    pub replaced: Vec<Inlined>,
    /// The functions that were added, in their order, after all of the guest's:
    /// first one for each root. The roots are the replacements, the wrappers and
    /// the added exports of [`LinkOptions`], in this order.
    pub added: Vec<AddedFunction>,
    /// The code that came from providers, sorted by offset.
    pub ranges: Vec<InlinedRange>,
    /// Operators whose traps mean something, sorted by offset.
    pub traps: Vec<TrapSite>,
    /// What was lost, in sentences.
    pub warnings: Vec<String>,
}

/// One import of a linked module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkedImport {
    /// An import of the guest: its position in the guest's import section.
    Original(u32),
    /// A host function that a body calls and that the guest does not import.
    Added(Import),
}

/// A function of a provider that a linked module defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddedFunction {
    /// A root whose provider has the function.
    pub root: u32,
    /// The function, counted among those that the provider defines.
    pub function: u32,
}

/// Code of a linked module that came from a provider: a body at a call site, or
/// a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlinedRange {
    /// Offset of the first byte in the linked module.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
    /// The root that it belongs to: of bodies inside bodies, the outermost.
    pub root: u32,
}

/// An operator whose trap means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrapSite {
    /// Offset of the operator in the linked module.
    pub offset: u32,
    /// The root that it belongs to, as for [`InlinedRange`].
    pub root: u32,
    /// What the trap means.
    pub message: &'static str,
}

/// Links a guest: replaces imports by functions of providers, and puts their
/// bodies into the guest's calls as far as the budget allows.
///
/// The result is an ordinary module. It behaves as the guest would if its
/// imports were bound to those functions, in any engine. Everything that the
/// guest exports is exported as before; but the start function may be left to
/// the host ([`LinkOptions::export_start`]).
///
/// # Errors
///
/// A [`RewriteError`] when `guest` is not a valid module, when it uses
/// [reserved](crate::RESERVED_PREFIX) names, when a replacement, a wrapper or an
/// added export does not fit it, or when the linked module would be too large
/// for any engine.
///
/// # Panics
///
/// In debug builds, when the linked module does not pass [`check`](crate::check()):
/// that is a mistake of this crate.
///
/// ```
/// use hostcall_link::{LinkOptions, Provider, Replacement, link};
///
/// let guest = wat::parse_str(
///     r#"(module
///         (import "env" "double" (func $double (param i32) (result i32)))
///         (func (export "eight") (result i32)
///             i32.const 4
///             call $double))"#,
/// )?;
/// let math = Provider::parse(&wat::parse_str(
///     r#"(module
///         (func (export "double") (param i32) (result i32)
///             local.get 0
///             i32.const 1
///             i32.shl))"#,
/// )?)?;
/// let options = LinkOptions {
///     replacements: vec![Replacement {
///         import: 0,
///         provider: &math,
///         function: "double",
///         call_sites: true,
///     }],
///     ..LinkOptions::default()
/// };
/// let linked = link(&guest, &options)?;
/// assert!(linked.imports.is_empty());
/// assert_eq!(linked.replaced[0].expanded, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn link(guest: &[u8], options: &LinkOptions<'_>) -> Result<Linked, RewriteError> {
    let linked = rewrite(guest, options)?;
    if cfg!(debug_assertions)
        && let Err(error) = crate::check(guest, options, &linked)
        && error.is_certain()
    {
        panic!("a mistake in the linker: {error}");
    }
    Ok(linked)
}

fn rewrite(guest: &[u8], options: &LinkOptions<'_>) -> Result<Linked, RewriteError> {
    options.page.as_ref().map_or(Ok(()), sections::check_page)?;
    let (guest, bodies) = scan::scan(guest)?;
    let mut types = TypeSpace::new(&guest.types);
    let roots = root::roots(options);
    let stand_ins = accept::accept(&guest, options, &roots, &types)?;
    let graph = resolve::resolve(&guest, roots, stand_ins, &mut types);
    let decisions = decide::decide(&graph, options.budget);
    let numbers = number::number(&guest, options, &graph, &decisions, &mut types);
    let expander = Expander {
        graph: &graph,
        decisions: &decisions,
        numbers: &numbers,
        types: &mut types,
        values: ValTypes::default(),
    };
    let prepared = code::prepare(expander)?;
    let context = Context {
        guest: &guest,
        options,
        graph: &graph,
        numbers: &numbers,
    };
    let code = code::write(&context, bodies, &prepared)?;
    assemble::assemble(&context, &mut types, code)
}

/// What the passes that write have in common.
struct Context<'c, 'a> {
    guest: &'c Guest<'c>,
    options: &'c LinkOptions<'a>,
    graph: &'c Graph<'a>,
    numbers: &'c Numbers,
}

impl Context<'_, '_> {
    /// The imports that stay: positions in the import section.
    fn kept_imports(&self) -> impl Iterator<Item = u32> {
        let functions = self.guest.function_imports.iter().zip(&self.graph.stays);
        let gone = functions.filter(|(_, stays)| !**stays);
        let gone: HashSet<u32> = gone.map(|(position, _)| *position).collect();
        let all = 0..self.guest.imports.len() as u32;
        all.filter(move |position| !gone.contains(position))
    }

    /// Functions that bodies take references to, in order.
    fn declared(&self) -> Vec<u32> {
        let targets = self.graph.nodes.iter().flat_map(|node| &node.refs);
        let functions: BTreeSet<u32> = targets.map(|target| self.numbers.target(*target)).collect();
        functions.into_iter().collect()
    }
}
