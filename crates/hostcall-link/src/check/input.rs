//! What is compared: the guest, the linked module, and the functions that were
//! to be put into it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use wasmparser::{Import, TypeRef, Validator, WasmFeatures};

use super::error::CheckError;
use super::module::{Locals, Module, Op, Signature, is_function, operators};
use super::reach::called_imports;
use super::roots::{Purpose, Root, Wanted};
use crate::{LinkOptions, Linked, LinkedImport, ParseError, Provider};

/// Everything that is given, decoded.
pub(super) struct Input<'a> {
    pub(super) guest: Module<'a>,
    pub(super) linked: Module<'a>,
    pub(super) report: &'a Linked,
    pub(super) options: &'a LinkOptions<'a>,
    pub(super) providers: Vec<Source<'a>>,
    /// What the options ask for, in order: replacements first.
    pub(super) roots: Vec<Root>,
    /// What the guest reaches as each of its functions.
    pub(super) functions: Vec<Counterpart>,
    /// What each function import of the guest is but for what stands around it.
    pub(super) inner: Vec<Counterpart>,
    /// The function imports that something in providers calls in that way.
    pub(super) called: HashSet<u32>,
}

/// A provider's module.
pub(super) struct Source<'a> {
    pub(super) provider: &'a Provider,
    pub(super) module: Module<'a>,
    /// What its memories are in the linked module.
    pub(super) memories: Vec<Option<u32>>,
    /// The functions that it defines, by function index.
    bodies: HashMap<u32, Rc<Body<'a>>>,
    /// What the functions are that it imports.
    pub(super) host_calls: Vec<HostCall>,
}

/// What a function is that a provider imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostCall {
    /// What the guest reaches as its function with this index.
    Outer(u32),
    /// An import of the guest, but for what stands around it.
    Inner(u32),
    /// A host function that the guest does not import.
    Host,
}

/// A function that a provider defines.
pub(super) struct Body<'a> {
    pub(super) signature: Signature,
    pub(super) locals: Rc<Locals>,
    pub(super) ops: Vec<Op<'a>>,
}

impl Body<'_> {
    pub(super) fn params(&self) -> u32 {
        self.signature.params.len() as u32
    }
}

/// The guest's function imports by module and name, in their order.
type ByName<'a> = HashMap<(&'a str, &'a str), Vec<u32>>;

/// A function of a provider: the provider's position and the function's index.
pub(super) type Callee = (usize, u32);

/// What a function of the guest is in the linked module.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counterpart {
    /// The function with this index.
    Same(u32),
    /// A copy of this root, or an expansion of it.
    Root(usize),
}

impl<'a> Input<'a> {
    pub(super) fn read(
        guest: &'a [u8],
        options: &'a LinkOptions<'a>,
        report: &'a Linked,
    ) -> Result<Input<'a>, CheckError> {
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let validator = &mut validator;
        let guest = Module::read(validator, guest).map_err(|error| invalid("the guest", &error))?;
        let linked = Module::read(validator, &report.bytes)
            .map_err(|error| invalid("the linked module", &error))?;
        let mut input = Input {
            guest,
            linked,
            report,
            options,
            providers: Vec::new(),
            roots: Vec::new(),
            functions: Vec::new(),
            inner: Vec::new(),
            called: HashSet::new(),
        };
        for wanted in Wanted::all(options) {
            input.add_root(validator, &wanted)?;
        }
        input.add_functions()?;
        input.called = called_imports(&input);
        Ok(input)
    }

    fn add_root(
        &mut self,
        validator: &mut Validator,
        wanted: &Wanted<'a>,
    ) -> Result<(), CheckError> {
        let provider = self.source(validator, wanted.provider)?;
        let exports = &self.providers[provider].module.exports;
        let mut exports = exports.iter();
        let export = exports.find(|export| export.name == wanted.function);
        let Some(export) = export else {
            return Err(asked("a function of a provider", "none of that name"));
        };
        let callee = (provider, export.index);
        self.roots.push(Root {
            purpose: wanted.purpose(&self.guest)?,
            callee,
            call_sites: wanted.call_sites,
        });
        Ok(())
    }

    /// The position of a provider, read when it is new.
    fn source(
        &mut self,
        validator: &mut Validator,
        provider: &'a Provider,
    ) -> Result<usize, CheckError> {
        let mut known = self.providers.iter();
        if let Some(position) = known.position(|known| std::ptr::eq(known.provider, provider)) {
            return Ok(position);
        }
        let mut source = Source::read(validator, provider, self.options, self.guest_memories())
            .map_err(|error| invalid("a provider", &error))?;
        source.host_calls = self.host_calls(&source.module)?;
        self.providers.push(source);
        Ok(self.providers.len() - 1)
    }

    /// What the functions are that `module`, a provider's, imports.
    fn host_calls(&self, module: &Module<'a>) -> Result<Vec<HostCall>, CheckError> {
        let named = self.imports_by_name();
        let functions = 0..module.imported_functions();
        let functions = functions.filter_map(|function| {
            let (_, import) = &module.imports[module.function_import(function)?];
            Some((import, module.signature(function)))
        });
        functions
            .map(|(import, signature)| self.host_call(&named, import, &signature))
            .collect()
    }

    fn host_call(
        &self,
        named: &ByName<'a>,
        import: &Import<'a>,
        signature: &Signature,
    ) -> Result<HostCall, CheckError> {
        let fits = |own: &u32| self.guest.signature(*own) == *signature;
        let there = |own: Option<u32>| own.filter(fits).ok_or_else(|| not_there(import));
        match import.module {
            "hostcall:import" => Ok(HostCall::Inner(there(position(&self.guest, import.name))?)),
            "hostcall:export" => {
                let own = self.guest.exported_function(import.name);
                Ok(HostCall::Outer(there(own)?))
            }
            _ => {
                let named = named.get(&(import.module, import.name));
                let mut named = named.into_iter().flatten().copied();
                Ok(named.find(fits).map_or(HostCall::Host, HostCall::Outer))
            }
        }
    }

    fn imports_by_name(&self) -> ByName<'a> {
        let mut named = ByName::new();
        for function in 0..self.guest.imported_functions() {
            if let Some(import) = self.guest.function_import(function) {
                let (_, import) = &self.guest.imports[import];
                let name = (import.module, import.name);
                named.entry(name).or_default().push(function);
            }
        }
        named
    }

    fn guest_memories(&self) -> u32 {
        self.guest.types.as_ref().memory_count()
    }

    /// Imports that stay keep their order, and so do defined functions.
    fn add_functions(&mut self) -> Result<(), CheckError> {
        let (mut replaced, mut wrapped) = (HashMap::new(), HashMap::new());
        for (position, root) in self.roots.iter().enumerate() {
            let known = match root.purpose {
                Purpose::Replaces(function) => replaced.insert(function, position),
                Purpose::Wraps(function) => wrapped.insert(function, position),
                Purpose::Exported => None,
            };
            if known.is_some() {
                return Err(asked("one replacement or wrapper for an import", "two"));
            }
        }
        let kept = self.kept_imports();
        for function in 0..self.guest.imported_functions() {
            let kept = kept.get(&function).copied().unwrap_or(u32::MAX);
            let root = |roots: &HashMap<u32, usize>| roots.get(&function).copied();
            let inner = root(&replaced).map_or(Counterpart::Same(kept), Counterpart::Root);
            self.inner.push(inner);
            let outer = root(&wrapped).map_or(inner, Counterpart::Root);
            self.functions.push(outer);
        }
        let defined = self.guest.bodies.len() as u32;
        let first = self.linked.imported_functions();
        let defined = (first..first.saturating_add(defined)).map(Counterpart::Same);
        self.functions.extend(defined);
        Ok(())
    }

    /// For each function import of the guest that is told to stay, its index in
    /// the linked module.
    fn kept_imports(&self) -> HashMap<u32, u32> {
        let imports = self.linked.imports.iter().zip(&self.report.imports);
        let functions = imports.filter(|((_, import), _)| is_function(&import.ty));
        let kept = (0u32..).zip(functions).filter_map(|(index, (_, told))| {
            let LinkedImport::Original(position) = told else {
                return None;
            };
            Some((self.guest.function_at(*position)?, index))
        });
        kept.collect()
    }

    /// The first function of the linked module that the guest does not have.
    pub(super) fn first_added(&self) -> u32 {
        self.linked.imported_functions() + self.guest.bodies.len() as u32
    }

    /// The provider's function that a function of the linked module is told to be.
    pub(super) fn copy_of(&self, function: u32) -> Option<Callee> {
        let position = function.checked_sub(self.first_added())?;
        let told = self.report.added.get(position as usize)?;
        let provider = self.roots.get(told.root as usize)?.callee.0;
        let imported = self.providers[provider].module.imported_functions();
        let callee = (provider, told.function.checked_add(imported)?);
        self.providers[provider]
            .bodies
            .contains_key(&callee.1)
            .then_some(callee)
    }

    /// The index of the host page in the linked module.
    pub(super) fn page(&self) -> Option<u32> {
        self.options.page.as_ref().map(|_| self.guest_memories())
    }

    pub(super) fn body(&self, callee: Callee) -> Option<Rc<Body<'a>>> {
        self.providers[callee.0].bodies.get(&callee.1).cloned()
    }

    /// What a function is in the linked module that a provider imports; nothing
    /// for those that the provider defines, and for host functions that the
    /// guest does not import.
    fn counterpart(&self, callee: Callee) -> Option<Counterpart> {
        let calls = &self.providers[callee.0].host_calls;
        match *calls.get(callee.1 as usize)? {
            HostCall::Outer(function) => self.functions.get(function as usize).copied(),
            HostCall::Inner(function) => self.inner.get(function as usize).copied(),
            HostCall::Host => None,
        }
    }

    fn is_imported(&self, callee: Callee) -> bool {
        (callee.1 as usize) < self.providers[callee.0].host_calls.len()
    }

    /// The root that a function is which a provider imports.
    fn root_of(&self, callee: Callee) -> Option<Root> {
        match self.counterpart(callee)? {
            Counterpart::Root(root) => Some(self.roots[root]),
            Counterpart::Same(_) => None,
        }
    }

    /// The provider's function that `callee` is: itself, or what stands for the
    /// import of the guest that it is; nothing if it stays another function.
    pub(super) fn resolve(&self, callee: Callee) -> Option<Callee> {
        if !self.is_imported(callee) {
            return Some(callee);
        }
        Some(self.root_of(callee)?.callee)
    }

    /// Whether bodies may stand where `callee` is called. Only the calls of an
    /// import can be kept from that.
    pub(super) fn call_sites(&self, callee: Callee) -> bool {
        self.root_of(callee).is_none_or(|root| root.call_sites)
    }

    /// Whether function `linked` is what a provider imports as `callee`, and no
    /// provider's function.
    pub(super) fn is_host_call(&self, callee: Callee, linked: u32) -> bool {
        match self.counterpart(callee) {
            Some(Counterpart::Same(function)) => function == linked,
            Some(Counterpart::Root(_)) => false,
            None => self.is_added(callee, linked),
        }
    }

    /// Whether import `linked` is the host function `callee`.
    pub(super) fn is_added(&self, callee: Callee, linked: u32) -> bool {
        let source = &self.providers[callee.0];
        let import = |module: &Module<'a>, function| {
            let (_, import) = &module.imports[module.function_import(function)?];
            Some((import.module, import.name, module.signature(function)))
        };
        let ours = import(&source.module, callee.1);
        source.host_calls.get(callee.1 as usize) == Some(&HostCall::Host)
            && ours.is_some()
            && ours == import(&self.linked, linked)
    }
}

impl<'a> Source<'a> {
    fn read(
        validator: &mut Validator,
        provider: &'a Provider,
        options: &LinkOptions<'_>,
        page: u32,
    ) -> Result<Source<'a>, ParseError> {
        let module = Module::read(validator, &provider.bytes)?;
        let imports = module.imports.iter();
        let memories = imports.filter(|(_, import)| matches!(import.ty, TypeRef::Memory(_)));
        let memories = memories.map(|(_, import)| match import.module {
            "hostcall:guest" => options.memory.filter(|memory| *memory < page),
            "hostcall:host" => options.page.as_ref().map(|_| page),
            _ => None,
        });
        Ok(Source {
            provider,
            memories: memories.collect(),
            bodies: bodies(&module)?,
            host_calls: Vec::new(),
            module,
        })
    }
}

fn bodies<'a>(module: &Module<'a>) -> Result<HashMap<u32, Rc<Body<'a>>>, ParseError> {
    let first = module.imported_functions();
    let mut bodies = HashMap::new();
    for (function, body) in (first..).zip(&module.bodies) {
        let signature = module.signature(function);
        let body = Body {
            locals: Rc::new(Locals::read(module, &signature, body)?),
            ops: operators(body)?,
            signature,
        };
        bodies.insert(function, Rc::new(body));
    }
    Ok(bodies)
}

fn invalid(place: &str, error: &ParseError) -> CheckError {
    let offset = error.offset() as usize;
    CheckError::new(place, offset, "a valid module", error.message())
}

pub(super) fn asked(expected: &str, found: &str) -> CheckError {
    CheckError::new("what was asked for", 0, expected, found)
}

/// The function import at the position that a name is.
fn position(guest: &Module<'_>, name: &str) -> Option<u32> {
    guest.function_at(name.parse().ok()?)
}

fn not_there(import: &Import<'_>) -> CheckError {
    let found = format!("a call of `{}` `{}`", import.module, import.name);
    asked("calls of functions that the guest has", &found)
}
