//! Finds out what takes the place of what: for each replacement its function,
//! and for each call in a body the function or the import that it reaches.

use std::collections::HashMap;

use wasmparser::{FuncType, TypeRef};

use super::LinkOptions;
use super::scan::Guest;
use super::types::TypeSpace;
use crate::Provider;
use crate::provider::{Callee, HostCall};

/// The functions of providers that the linked module needs, and how they call
/// each other.
pub(super) struct Graph<'a> {
    pub(super) providers: Vec<&'a Provider>,
    pub(super) nodes: Vec<Node>,
    /// The node of each replacement.
    pub(super) roots: Vec<u32>,
    /// The replacement of each function import of the guest.
    pub(super) replaced: Vec<Option<u32>>,
    /// Host functions to be imported in addition.
    pub(super) added: Vec<AddedImport>,
    /// For each provider and global, the functions that its first value refers
    /// to.
    pub(super) global_refs: Vec<Vec<Vec<Target>>>,
}

/// A function of a provider.
pub(super) struct Node {
    pub(super) provider: usize,
    /// Counted without imports.
    pub(super) function: u32,
    /// The replacement that needed it first.
    pub(super) replacement: u32,
    /// What its direct calls reach, in order.
    pub(super) calls: Vec<Target>,
    /// What its references to functions reach, in order.
    pub(super) refs: Vec<Target>,
}

/// What a function index in a body stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A function that is put into the guest.
    Node {
        node: u32,
        /// Whether its body may take the place of a call.
        call_sites: bool,
    },
    /// A function import of the guest, by function index.
    Guest(u32),
    /// One of [`Graph::added`].
    Added(u32),
}

/// A host function to be imported in addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AddedImport {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) type_index: u32,
    pub(super) ty: crate::FuncType,
}

impl Graph<'_> {
    pub(super) fn function(&self, node: u32) -> &crate::provider::Function {
        let node = &self.nodes[node as usize];
        &self.providers[node.provider].functions[node.function as usize]
    }

    pub(super) fn signature(&self, node: u32) -> &FuncType {
        let node = &self.nodes[node as usize];
        self.providers[node.provider].signature(node.function)
    }

    /// The first replacement that needs something of a provider.
    pub(super) fn first_replacement(&self, provider: usize) -> u32 {
        let nodes = self.nodes.iter();
        let nodes = nodes.filter(|node| node.provider == provider);
        nodes.map(|node| node.replacement).min().unwrap_or(0)
    }
}

pub(super) fn resolve<'a>(
    guest: &Guest<'_>,
    options: &LinkOptions<'a>,
    replaced: Vec<Option<u32>>,
    types: &mut TypeSpace<'_>,
) -> Graph<'a> {
    let mut resolver = Resolver {
        guest,
        options,
        types,
        index: HashMap::new(),
        graph: Graph {
            providers: Vec::new(),
            nodes: Vec::new(),
            roots: Vec::new(),
            replaced,
            added: Vec::new(),
            global_refs: Vec::new(),
        },
    };
    resolver.run();
    resolver.graph
}

struct Resolver<'r, 'g, 'a> {
    guest: &'r Guest<'r>,
    options: &'r LinkOptions<'a>,
    types: &'r mut TypeSpace<'g>,
    /// The node of each provider's function.
    index: HashMap<(usize, u32), u32>,
    graph: Graph<'a>,
}

impl<'a> Resolver<'_, '_, 'a> {
    fn run(&mut self) {
        for position in 0..self.options.replacements.len() {
            let root = self.root(position);
            self.graph.roots.push(root);
        }
        self.global_refs();
        let mut next = 0;
        while next < self.graph.nodes.len() {
            self.connect(next);
            next += 1;
        }
    }

    fn root(&mut self, position: usize) -> u32 {
        let replacement = &self.options.replacements[position];
        let provider = self.provider(replacement.provider);
        // The export has been found before.
        let export = replacement.provider.export(replacement.function);
        let function = export.map_or(0, |export| export.function);
        self.node(provider, function, position as u32)
    }

    /// The position of a provider, which is known by its address: two equal
    /// ones do not share globals.
    fn provider(&mut self, provider: &'a Provider) -> usize {
        let providers = &mut self.graph.providers;
        let known = providers.iter().position(|it| std::ptr::eq(*it, provider));
        known.unwrap_or_else(|| {
            providers.push(provider);
            providers.len() - 1
        })
    }

    fn node(&mut self, provider: usize, function: u32, replacement: u32) -> u32 {
        let nodes = &mut self.graph.nodes;
        *self.index.entry((provider, function)).or_insert_with(|| {
            nodes.push(Node {
                provider,
                function,
                replacement,
                calls: Vec::new(),
                refs: Vec::new(),
            });
            nodes.len() as u32 - 1
        })
    }

    fn global_refs(&mut self) {
        for position in 0..self.graph.providers.len() {
            let provider = self.graph.providers[position];
            let replacement = self.graph.first_replacement(position);
            let globals = provider.globals.iter();
            let refs = globals
                .map(|global| self.targets(position, &global.refs, replacement))
                .collect();
            self.graph.global_refs.push(refs);
        }
    }

    /// Finds what the calls and references of node `position` reach.
    fn connect(&mut self, position: usize) {
        let node = &self.graph.nodes[position];
        let (provider, replacement) = (node.provider, node.replacement);
        let function = node.function as usize;
        let facts = &self.graph.providers[provider].functions[function].facts;
        let callees: Vec<u32> = facts.calls.iter().map(|call| call.function).collect();
        let calls = self.targets(provider, &callees, replacement);
        let refs = self.targets(provider, &facts.refs, replacement);
        let node = &mut self.graph.nodes[position];
        node.calls = calls;
        node.refs = refs;
    }

    fn targets(&mut self, provider: usize, indices: &[u32], replacement: u32) -> Vec<Target> {
        let indices = indices.iter();
        indices
            .map(|index| self.target(provider, *index, replacement))
            .collect()
    }

    fn target(&mut self, provider: usize, index: u32, replacement: u32) -> Target {
        match self.graph.providers[provider].callee(index) {
            Callee::Function(function) => Target::Node {
                node: self.node(provider, function, replacement),
                call_sites: true,
            },
            Callee::Host(call) => self.host_call(provider, call),
        }
    }

    /// A host function is the import of the guest with the same name and type,
    /// or what replaces it, or an import of its own.
    fn host_call(&mut self, provider: usize, call: u32) -> Target {
        let provider = self.graph.providers[provider];
        let call = &provider.host_calls[call as usize];
        let ty = &provider.types[call.type_index as usize];
        let functions = self.guest.function_imports.iter();
        let found = functions.zip(0u32..).find(|(position, _)| {
            let import = &self.guest.imports[**position as usize];
            import.module == call.module && import.name == call.name && self.has_type(import.ty, ty)
        });
        let Some((_, function)) = found else {
            return Target::Added(self.added(call, ty));
        };
        match self.graph.replaced[function as usize] {
            Some(replacement) => Target::Node {
                node: self.graph.roots[replacement as usize],
                call_sites: self.options.replacements[replacement as usize].call_sites,
            },
            None => Target::Guest(function),
        }
    }

    fn has_type(&self, import: TypeRef, ty: &FuncType) -> bool {
        match import {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                self.types.function(index).as_ref() == Some(ty)
            }
            _ => false,
        }
    }

    fn added(&mut self, call: &HostCall, ty: &FuncType) -> u32 {
        let added = &mut self.graph.added;
        let import = AddedImport {
            module: call.module.clone(),
            name: call.name.clone(),
            type_index: self.types.intern(ty),
            ty: call.ty.clone(),
        };
        let known = added.iter().position(|it| *it == import);
        known.unwrap_or_else(|| {
            added.push(import);
            added.len() - 1
        }) as u32
    }
}
