//! Writes the code section: the guest's bodies, validated and rewritten on the
//! way, and after them those of providers.

use wasmparser::FuncValidatorAllocations;

use super::body::BodyWriter;
use super::error::limit;
use super::expand::Expander;
use super::leb;
use super::scan::Body;
use super::template::{Template, ValTypes};
use super::{Context, InlinedRange, RewriteError, TrapSite, decide};
use crate::Inlined;

/// Bytes of one body that engines accept.
const MAX_BODY: usize = 7_654_321;

/// Bytes of all code: so that offsets, which have 32 bits, cannot overflow while
/// a body is written.
const MAX_CODE: usize = 4_000_000_000;

/// The content of the code section, and what is known about it. All offsets
/// count from the start of the content.
#[derive(Default)]
pub(super) struct Code {
    pub(super) content: Vec<u8>,
    pub(super) ranges: Vec<InlinedRange>,
    pub(super) traps: Vec<TrapSite>,
    pub(super) replaced: Vec<Inlined>,
    /// The guest's functions that gained blocks, by their old index, in order.
    pub(super) gained_blocks: Vec<u32>,
}

/// What may stand at the call sites of an import.
pub(super) struct Site {
    /// What the guest reaches as the import.
    pub(super) root: u32,
    /// What replaces the import, if anything does: itself, or inside of what
    /// stands around it.
    pub(super) replacement: Option<u32>,
    /// Whether the body of that stands wherever `template` does.
    pub(super) has_body: bool,
    /// The body, if calls are to be replaced by it.
    pub(super) template: Option<Template>,
    /// Whether an exception may come out of it.
    pub(super) throws: bool,
    /// Whether tail calls are left in it.
    pub(super) tails: bool,
}

/// Everything that is written into the code section.
pub(super) struct Bodies {
    /// For each function import of the guest.
    pub(super) sites: Vec<Option<Site>>,
    /// Operators of each node, with nested bodies.
    operators: Vec<u32>,
    /// For each appended function.
    pub(super) functions: Vec<Template>,
    /// The types of the locals of all templates.
    pub(super) values: ValTypes,
}

/// Encodes the bodies of providers.
pub(super) fn prepare(mut expander: Expander<'_, '_, '_>) -> Result<Bodies, RewriteError> {
    let mut sites = Vec::new();
    for function in 0..expander.graph.stays.len() as u32 {
        let root = expander.graph.stand_ins.outer(function);
        let site = root.map(|root| site(&mut expander, function, root));
        sites.push(site.transpose()?);
    }
    let mut functions = Vec::new();
    for appended in &expander.numbers.appended {
        functions.push(expander.function(appended.node)?);
    }
    Ok(Bodies {
        sites,
        operators: expander.decisions.iter().map(|it| it.operators).collect(),
        functions,
        values: expander.values,
    })
}

fn site(
    expander: &mut Expander<'_, '_, '_>,
    function: u32,
    root: u32,
) -> Result<Site, RewriteError> {
    let (graph, decisions) = (expander.graph, expander.decisions);
    let node = graph.root_nodes[root as usize];
    let decision = &decisions[node as usize];
    let wanted = graph.roots[root as usize].call_sites() && decision.fits;
    let (throws, tails) = (decision.throws, decision.tails);
    let template = wanted.then(|| expander.call_site(node)).transpose()?;
    let replacement = graph.stand_ins.replaced[function as usize];
    let body = replacement.map(|replacement| graph.root_nodes[replacement as usize]);
    Ok(Site {
        root,
        replacement,
        has_body: body.is_some_and(|body| decide::holds(graph, decisions, node, body)),
        template,
        throws,
        tails,
    })
}

pub(super) fn write(
    context: &Context<'_, '_>,
    guest: Vec<Body<'_>>,
    bodies: &Bodies,
) -> Result<Code, RewriteError> {
    let mut writer = BodyWriter::new(context, bodies);
    let count = guest.len() + bodies.functions.len();
    leb::write_u32(&mut writer.code.content, count as u32);
    let mut allocations = FuncValidatorAllocations::default();
    for body in guest {
        allocations = guest_body(&mut writer, body, allocations)?;
    }
    let mut code = writer.finish();
    for replaced in code.replaced.iter_mut().zip(&context.graph.root_nodes) {
        let (replaced, node) = replaced;
        replaced.operators = bodies.operators[*node as usize];
    }
    let appended = context.numbers.appended.iter();
    for (appended, template) in appended.zip(&bodies.functions) {
        let params = context.graph.signature(appended.node).params().len();
        function(&mut code, template, params, appended.root, &bodies.values)?;
    }
    Ok(code)
}

fn guest_body(
    writer: &mut BodyWriter<'_>,
    (function, body): Body<'_>,
    allocations: FuncValidatorAllocations,
) -> Result<FuncValidatorAllocations, RewriteError> {
    let mut validator = function.into_validator(allocations);
    let length = writer.body(&mut validator, &body)?;
    limit("bytes in one function", length, MAX_BODY)?;
    limit("bytes of code", writer.code.content.len(), MAX_CODE)?;
    Ok(validator.into_allocations())
}

/// Writes one function of a provider.
fn function(
    code: &mut Code,
    template: &Template,
    params: usize,
    root: u32,
    values: &ValTypes,
) -> Result<(), RewriteError> {
    let mut body = Vec::new();
    declare(&mut body, template, params, values);
    let mut traps = Vec::new();
    template.write(
        &mut body,
        |local| local,
        |offset, message| traps.push((offset, message)),
    );
    limit("bytes in one function", body.len(), MAX_BODY)?;
    leb::write_u32(&mut code.content, body.len() as u32);
    let start = code.content.len();
    code.content.extend_from_slice(&body);
    code.ranges.push(InlinedRange {
        start: start as u32,
        end: code.content.len() as u32,
        root,
    });
    let traps = traps.into_iter().map(|(offset, message)| TrapSite {
        offset: (start + offset) as u32,
        root,
        message,
    });
    code.traps.extend(traps);
    Ok(())
}

fn declare(out: &mut Vec<u8>, template: &Template, params: usize, values: &ValTypes) {
    use wasm_encoder::Encode;

    let runs = template.locals[params..].chunk_by(|a, b| a.ty == b.ty);
    leb::write_u32(out, runs.clone().count() as u32);
    for run in runs {
        leb::write_u32(out, run.len() as u32);
        values.get(run[0].ty).encode(out);
    }
}
