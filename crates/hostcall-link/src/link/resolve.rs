//! Finds out what takes the place of what: for each root its function, and for
//! each call in a body the function or the import that it reaches.

use std::collections::HashMap;

use wasmparser::{FuncType, TypeRef};

use super::accept::StandIns;
use super::root::Root;
use super::scan::Guest;
use super::types::TypeSpace;
use crate::Provider;
use crate::provider::{CallSource, Callee, HostCall};

/// The functions of providers that the linked module needs, and how they call
/// each other.
pub(super) struct Graph<'a> {
    pub(super) providers: Vec<&'a Provider>,
    /// For each provider, the first root that needs something of it.
    pub(super) first_roots: Vec<u32>,
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<Root<'a>>,
    /// The node of each root.
    pub(super) root_nodes: Vec<u32>,
    pub(super) stand_ins: StandIns,
    /// Whether each function import of the guest stays one.
    pub(super) stays: Vec<bool>,
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
    /// The root that needed it first.
    pub(super) root: u32,
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
    /// A function of the guest that nothing stands for, by function index.
    Guest(u32),
    /// A function import of the guest, by function index: itself, whatever
    /// stands around it.
    Import(u32),
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

    /// All that bodies and globals of providers refer to.
    fn targets(&self) -> impl Iterator<Item = &Target> {
        let nodes = self.nodes.iter();
        let bodies = nodes.flat_map(|node| node.calls.iter().chain(&node.refs));
        bodies.chain(self.global_refs.iter().flatten().flatten())
    }
}

pub(super) fn resolve<'a>(
    guest: &Guest<'_>,
    roots: Vec<Root<'a>>,
    stand_ins: StandIns,
    types: &mut TypeSpace<'_>,
) -> Graph<'a> {
    let mut resolver = Resolver {
        guest,
        types,
        named: named(guest),
        providers: HashMap::new(),
        index: HashMap::new(),
        graph: Graph {
            providers: Vec::new(),
            first_roots: Vec::new(),
            nodes: Vec::new(),
            roots,
            root_nodes: Vec::new(),
            stand_ins,
            stays: Vec::new(),
            added: Vec::new(),
            global_refs: Vec::new(),
        },
    };
    resolver.run();
    resolver.graph
}

fn named<'r>(guest: &'r Guest<'r>) -> HashMap<(&'r str, &'r str), Vec<u32>> {
    let mut named: HashMap<_, Vec<u32>> = HashMap::new();
    for (position, function) in guest.function_imports.iter().zip(0..) {
        let import = &guest.imports[*position as usize];
        let functions = named.entry((import.module, import.name)).or_default();
        functions.push(function);
    }
    named
}

struct Resolver<'r, 'g, 'a> {
    guest: &'r Guest<'r>,
    types: &'r mut TypeSpace<'g>,
    /// The function imports of the guest by module and name.
    named: HashMap<(&'r str, &'r str), Vec<u32>>,
    /// The position of each provider, which is known by its address: two equal
    /// ones do not share globals.
    providers: HashMap<*const Provider, usize>,
    /// The node of each provider's function.
    index: HashMap<(usize, u32), u32>,
    graph: Graph<'a>,
}

impl<'a> Resolver<'_, '_, 'a> {
    fn run(&mut self) {
        for number in 0..self.graph.roots.len() {
            let node = self.root(number);
            self.graph.root_nodes.push(node);
        }
        self.global_refs();
        let mut next = 0;
        while next < self.graph.nodes.len() {
            self.connect(next);
            next += 1;
        }
        self.graph.stays = self.stays();
    }

    fn root(&mut self, number: usize) -> u32 {
        let root = self.graph.roots[number];
        let provider = self.provider(root.provider, number as u32);
        self.node(provider, root.function(), number as u32)
    }

    /// An import stays unless something stands for it. One with a wrapper also
    /// stays if something calls it all the same.
    fn stays(&self) -> Vec<bool> {
        let graph = &self.graph;
        let imports = 0..self.guest.function_imports.len() as u32;
        let mut stays: Vec<bool> = imports
            .map(|function| graph.stand_ins.outer(function).is_none())
            .collect();
        for target in graph.targets() {
            if let Target::Import(function) = target {
                stays[*function as usize] = true;
            }
        }
        stays
    }

    /// The position of a provider that a root needs.
    fn provider(&mut self, provider: &'a Provider, root: u32) -> usize {
        let graph = &mut self.graph;
        *self.providers.entry(provider).or_insert_with(|| {
            graph.providers.push(provider);
            graph.first_roots.push(root);
            graph.providers.len() - 1
        })
    }

    fn node(&mut self, provider: usize, function: u32, root: u32) -> u32 {
        let nodes = &mut self.graph.nodes;
        *self.index.entry((provider, function)).or_insert_with(|| {
            nodes.push(Node {
                provider,
                function,
                root,
                calls: Vec::new(),
                refs: Vec::new(),
            });
            nodes.len() as u32 - 1
        })
    }

    fn global_refs(&mut self) {
        for position in 0..self.graph.providers.len() {
            let provider = self.graph.providers[position];
            let root = self.graph.first_roots[position];
            let globals = provider.globals.iter();
            let refs = globals
                .map(|global| self.targets(position, &global.refs, root))
                .collect();
            self.graph.global_refs.push(refs);
        }
    }

    /// Finds what the calls and references of node `position` reach.
    fn connect(&mut self, position: usize) {
        let node = &self.graph.nodes[position];
        let (provider, root) = (node.provider, node.root);
        let function = node.function as usize;
        let facts = &self.graph.providers[provider].functions[function].facts;
        let callees: Vec<u32> = facts.calls.iter().map(|call| call.function).collect();
        let calls = self.targets(provider, &callees, root);
        let refs = self.targets(provider, &facts.refs, root);
        let node = &mut self.graph.nodes[position];
        node.calls = calls;
        node.refs = refs;
    }

    fn targets(&mut self, provider: usize, indices: &[u32], root: u32) -> Vec<Target> {
        let indices = indices.iter();
        indices
            .map(|index| self.target(provider, *index, root))
            .collect()
    }

    fn target(&mut self, provider: usize, index: u32, root: u32) -> Target {
        match self.graph.providers[provider].callee(index) {
            Callee::Function(function) => Target::Node {
                node: self.node(provider, function, root),
                call_sites: true,
            },
            Callee::Host(call) => self.host_call(provider, call),
        }
    }

    /// What a function is that a provider imports. That the guest has those that
    /// come from it has been checked.
    fn host_call(&mut self, provider: usize, call: u32) -> Target {
        let provider = self.graph.providers[provider];
        let call = &provider.host_calls[call as usize];
        match call.source {
            CallSource::Host => self.host_function(provider, call),
            CallSource::Import(position) => {
                self.inner(self.guest.function_import(position).unwrap_or_default())
            }
            CallSource::Export => {
                let function = self.guest.exported_function(&call.name);
                self.outer(function.unwrap_or_default())
            }
        }
    }

    /// A host function is the import of the guest with the same name and type,
    /// or what stands for it, or an import of its own.
    fn host_function(&mut self, provider: &Provider, call: &HostCall) -> Target {
        let ty = &provider.types[call.type_index as usize];
        let named = self.named.get(&(&*call.module, &*call.name));
        let found = named.into_iter().flatten().find(|function| {
            let position = self.guest.function_imports[**function as usize];
            self.has_type(self.guest.imports[position as usize].ty, ty)
        });
        match found {
            Some(function) => self.outer(*function),
            None => Target::Added(self.added(call, ty)),
        }
    }

    /// What the guest itself reaches as `function`.
    fn outer(&self, function: u32) -> Target {
        let root = self.graph.stand_ins.outer(function);
        root.map_or(Target::Guest(function), |root| self.of_root(root))
    }

    /// What an import would be if nothing stood around it.
    fn inner(&self, function: u32) -> Target {
        let root = self.graph.stand_ins.replaced[function as usize];
        root.map_or(Target::Import(function), |root| self.of_root(root))
    }

    fn of_root(&self, root: u32) -> Target {
        Target::Node {
            node: self.graph.root_nodes[root as usize],
            call_sites: self.graph.roots[root as usize].call_sites(),
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
