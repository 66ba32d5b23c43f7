//! Numbers functions, globals and memories of the linked module.
//!
//! Of the guest's own indices only those of functions move: everything else is
//! appended behind what the guest has.

use super::LinkOptions;
use super::decide::Decision;
use super::resolve::{Graph, Target};
use super::root::Root;
use super::scan::Guest;
use super::types::TypeSpace;
use crate::provider::MemorySource;

/// Where everything is in the linked module.
pub(super) struct Numbers {
    /// For each function import of the guest, the function that the guest
    /// reaches instead.
    imports: Vec<u32>,
    /// The new index of each function import that stays.
    kept: Vec<u32>,
    /// What is added to the index of a function that the guest defines.
    shift: u32,
    /// The index of the first added import.
    first_added: u32,
    /// Functions after the guest's own, in order.
    pub(super) appended: Vec<Appended>,
    pub(super) first_appended: u32,
    /// The function that calls from bodies reach, for each node that needs one.
    homes: Vec<Option<u32>>,
    /// For each provider, the index of its first global.
    pub(super) first_globals: Vec<u32>,
    /// The guest's memory that bodies mean.
    memory: u32,
    /// The host page.
    pub(super) page: u32,
}

/// A function of a provider, as the linked module defines it.
pub(super) struct Appended {
    pub(super) node: u32,
    pub(super) type_index: u32,
    pub(super) root: u32,
    /// Whether it is the root, or helps it.
    pub(super) is_root: bool,
}

pub(super) fn number(
    guest: &Guest<'_>,
    options: &LinkOptions<'_>,
    graph: &Graph<'_>,
    decisions: &[Decision],
    types: &mut TypeSpace<'_>,
) -> Numbers {
    let mut numbers = Numbers::new(guest, options, graph);
    numbers.append_roots(guest, graph, types);
    let mut roots = vec![Vec::new(); graph.nodes.len()];
    for (node, root) in graph.root_nodes.iter().zip(0u32..) {
        roots[*node as usize].push(root);
    }
    for node in needed(graph, decisions) {
        numbers.settle(node, &roots[node as usize], graph, types);
    }
    numbers
}

impl Numbers {
    fn new(guest: &Guest<'_>, options: &LinkOptions<'_>, graph: &Graph<'_>) -> Numbers {
        let mut next = 0;
        let kept = graph.stays.iter().map(|stays| {
            let index = next;
            next += u32::from(*stays);
            index
        });
        let kept: Vec<u32> = kept.collect();
        let first_added = next;
        let first_defined = first_added + graph.added.len() as u32;
        let shift = first_defined.wrapping_sub(kept.len() as u32);
        let first_appended = guest.counts.functions.wrapping_add(shift);
        let imports = kept.iter().zip(0u32..).map(|(kept, function)| {
            let root = graph.stand_ins.outer(function);
            root.map_or(*kept, |root| first_appended + root)
        });
        Numbers {
            imports: imports.collect(),
            kept,
            shift,
            first_added,
            appended: Vec::new(),
            first_appended,
            homes: vec![None; graph.nodes.len()],
            first_globals: first_globals(guest.counts.globals, graph),
            memory: options.memory.unwrap_or_default(),
            page: guest.counts.memories,
        }
    }

    /// One function for each root.
    fn append_roots(&mut self, guest: &Guest<'_>, graph: &Graph<'_>, types: &mut TypeSpace<'_>) {
        let roots = graph.roots.iter().zip(&graph.root_nodes).zip(0u32..);
        for ((root, node), number) in roots {
            let own = graph.signature(*node);
            let type_index = import_type(guest, root).unwrap_or_else(|| types.intern(own));
            self.appended.push(Appended {
                node: *node,
                type_index,
                root: number,
                is_root: true,
            });
        }
    }

    /// Gives a node the function that calls of it reach: that of a root if the
    /// type is right, else one of its own.
    fn settle(&mut self, node: u32, roots: &[u32], graph: &Graph<'_>, types: &mut TypeSpace<'_>) {
        let own_type = types.intern(graph.signature(node));
        let fits = |root: &&u32| types.same(self.appended[**root as usize].type_index, own_type);
        let position = roots.iter().find(fits).copied().unwrap_or_else(|| {
            self.appended.push(Appended {
                node,
                type_index: own_type,
                root: graph.nodes[node as usize].root,
                is_root: false,
            });
            self.appended.len() as u32 - 1
        });
        self.homes[node as usize] = Some(self.first_appended + position);
    }

    /// The new index of function `index` of the guest.
    pub(super) fn function(&self, index: u32) -> u32 {
        match self.imports.get(index as usize) {
            Some(index) => *index,
            None => index.wrapping_add(self.shift),
        }
    }

    /// The index of an added import.
    pub(super) fn added(&self, position: u32) -> u32 {
        self.first_added + position
    }

    /// The function that a call or reference in a body reaches.
    pub(super) fn target(&self, target: Target) -> u32 {
        match target {
            Target::Guest(index) => self.function(index),
            Target::Import(index) => self.kept[index as usize],
            Target::Added(position) => self.added(position),
            // Nodes that are called have been settled.
            Target::Node { node, .. } => self.homes[node as usize].unwrap_or_default(),
        }
    }

    pub(super) fn memory(&self, source: MemorySource) -> u32 {
        match source {
            MemorySource::Guest => self.memory,
            MemorySource::Page => self.page,
        }
    }
}

/// What stands for an import has the import's own type: so that references to it
/// keep their type.
fn import_type(guest: &Guest<'_>, root: &Root<'_>) -> Option<u32> {
    match guest.imports[root.import()? as usize].ty {
        wasmparser::TypeRef::Func(index) | wasmparser::TypeRef::FuncExact(index) => Some(index),
        _ => None,
    }
}

fn first_globals(guest: u32, graph: &Graph<'_>) -> Vec<u32> {
    let mut next = guest;
    let first = graph.providers.iter().map(|provider| {
        let first = next;
        next += provider.globals.len() as u32;
        first
    });
    first.collect()
}

/// The nodes that calls or references in the linked module reach.
fn needed(graph: &Graph<'_>, decisions: &[Decision]) -> Vec<u32> {
    let mut search = Search {
        graph,
        needed: Vec::new(),
        is_needed: vec![false; graph.nodes.len()],
        work: graph.root_nodes.clone(),
        is_seen: vec![false; graph.nodes.len()],
    };
    for target in graph.global_refs.iter().flatten().flatten() {
        search.need(*target);
    }
    while let Some(node) = search.work.pop() {
        if !std::mem::replace(&mut search.is_seen[node as usize], true) {
            search.body(node, &decisions[node as usize]);
        }
    }
    search.needed
}

struct Search<'s, 'a> {
    graph: &'s Graph<'a>,
    needed: Vec<u32>,
    is_needed: Vec<bool>,
    /// Nodes whose bodies are part of the linked module.
    work: Vec<u32>,
    is_seen: Vec<bool>,
}

impl Search<'_, '_> {
    fn body(&mut self, node: u32, decision: &Decision) {
        let graph = self.graph;
        let node = &graph.nodes[node as usize];
        for (target, nested) in node.calls.iter().zip(&decision.nested) {
            match target {
                Target::Node { node, .. } if *nested => self.work.push(*node),
                _ => self.need(*target),
            }
        }
        for target in &node.refs {
            self.need(*target);
        }
    }

    fn need(&mut self, target: Target) {
        let Target::Node { node, .. } = target else {
            return;
        };
        if !std::mem::replace(&mut self.is_needed[node as usize], true) {
            self.needed.push(node);
            self.work.push(node);
        }
    }
}
