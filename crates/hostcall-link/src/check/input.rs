//! What is compared: the guest, the linked module, and what was to stand in
//! the place of imports.

use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::{Import, TypeRef, Validator, WasmFeatures};

use super::error::CheckError;
use super::module::{Locals, Module, Op, Signature, is_function, operators};
use crate::{LinkOptions, Linked, ParseError, Provider};

/// Everything that is given, decoded.
pub(super) struct Input<'a> {
    pub(super) guest: Module<'a>,
    pub(super) linked: Module<'a>,
    pub(super) report: &'a Linked,
    pub(super) options: &'a LinkOptions<'a>,
    pub(super) providers: Vec<Source<'a>>,
    /// Parallel to the replacements of the options.
    pub(super) replacements: Vec<Replacing>,
    /// Parallel to the functions of the guest.
    pub(super) functions: Vec<Counterpart>,
}

/// A provider's module.
pub(super) struct Source<'a> {
    pub(super) provider: &'a Provider,
    pub(super) module: Module<'a>,
    /// What its memories are in the linked module.
    pub(super) memories: Vec<Option<u32>>,
    /// The functions that it defines, by function index.
    bodies: HashMap<u32, Rc<Body<'a>>>,
    /// For each function that it imports, the guest's import of the same name
    /// and signature, by function index.
    host_calls: Vec<Option<u32>>,
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

/// A function of a provider: the provider's position and the function's index.
pub(super) type Callee = (usize, u32);

/// What takes the place of an import.
#[derive(Clone, Copy)]
pub(super) struct Replacing {
    /// The guest's function index of the import.
    pub(super) function: u32,
    pub(super) callee: Callee,
}

/// What a function of the guest is in the linked module.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counterpart {
    /// The function with this index.
    Same(u32),
    /// A copy of a provider's function, or an expansion of it.
    Replaced(usize),
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
            replacements: Vec::new(),
            functions: Vec::new(),
        };
        input.add_replacements(validator)?;
        input.add_functions()?;
        Ok(input)
    }

    fn add_replacements(&mut self, validator: &mut Validator) -> Result<(), CheckError> {
        let options = self.options;
        for replacement in &options.replacements {
            let provider = self.source(validator, replacement.provider)?;
            let exports = &self.providers[provider].module.exports;
            let mut exports = exports.iter();
            let export = exports.find(|export| export.name == replacement.function);
            let import = self.guest.imports.get(replacement.import as usize);
            let (Some(export), Some((_, import))) = (export, import) else {
                return Err(asked(
                    "a function for an import",
                    "a replacement without one",
                ));
            };
            if !is_function(&import.ty) {
                return Err(asked("the import of a function", "another import"));
            }
            let before = &self.guest.imports[..replacement.import as usize];
            let before = before.iter().filter(|(_, import)| is_function(&import.ty));
            self.replacements.push(Replacing {
                function: before.count() as u32,
                callee: (provider, export.index),
            });
        }
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
        let source = Source::read(validator, provider, self.options, self.guest_memories())
            .map_err(|error| invalid("a provider", &error))?;
        self.providers.push(source);
        self.find_host_calls();
        Ok(self.providers.len() - 1)
    }

    fn find_host_calls(&mut self) {
        let mut guest: HashMap<(&str, &str), Vec<u32>> = HashMap::new();
        for function in 0..self.guest.imported_functions() {
            if let Some(import) = self.guest.function_import(function) {
                let (_, import) = &self.guest.imports[import];
                let name = (import.module, import.name);
                guest.entry(name).or_default().push(function);
            }
        }
        let Some(source) = self.providers.last_mut() else {
            return;
        };
        let module = &source.module;
        let found = (0..module.imported_functions()).map(|function| {
            let (_, import) = &module.imports[module.function_import(function)?];
            let named = guest.get(&(import.module, import.name))?.iter();
            let signature = module.signature(function);
            named
                .copied()
                .find(|named: &u32| self.guest.signature(*named) == signature)
        });
        source.host_calls = found.collect();
    }

    fn guest_memories(&self) -> u32 {
        self.guest.types.as_ref().memory_count()
    }

    /// Imports that stay keep their order, and so do defined functions.
    fn add_functions(&mut self) -> Result<(), CheckError> {
        let mut replaced = HashMap::new();
        for (position, replacing) in self.replacements.iter().enumerate() {
            if replaced.insert(replacing.function, position).is_some() {
                return Err(asked("one replacement for an import", "two"));
            }
        }
        let mut kept = self.kept_imports();
        for function in 0..self.guest.imported_functions() {
            let counterpart = match replaced.get(&function) {
                Some(position) => Counterpart::Replaced(*position),
                None => Counterpart::Same(kept.next().unwrap_or(u32::MAX)),
            };
            self.functions.push(counterpart);
        }
        let defined = self.guest.bodies.len() as u32;
        let first = self.linked.imported_functions();
        let defined = (first..first.saturating_add(defined)).map(Counterpart::Same);
        self.functions.extend(defined);
        Ok(())
    }

    /// The function indices, in the linked module, of imports that stay.
    fn kept_imports(&self) -> impl Iterator<Item = u32> + use<> {
        let imports = self.linked.imports.iter().zip(&self.report.imports);
        let functions = imports.filter(|((_, import), _)| is_function(&import.ty));
        let kept = functions.enumerate().filter_map(|(index, (_, import))| {
            let original = matches!(import, crate::LinkedImport::Original(_));
            original.then_some(index as u32)
        });
        let kept: Vec<u32> = kept.collect();
        kept.into_iter()
    }

    /// The first function of the linked module that the guest does not have.
    pub(super) fn first_added(&self) -> u32 {
        self.linked.imported_functions() + self.guest.bodies.len() as u32
    }

    /// The provider's function that a function of the linked module is told to be.
    pub(super) fn copy_of(&self, function: u32) -> Option<Callee> {
        let position = function.checked_sub(self.first_added())?;
        let told = self.report.added.get(position as usize)?;
        let provider = self.replacements.get(told.root as usize)?.callee.0;
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

    /// The provider's function that `callee` is: itself, or what replaces the
    /// guest's import of the same name; nothing if it stays a host function.
    pub(super) fn resolve(&self, callee: Callee) -> Option<Callee> {
        if self.host_call(callee).is_none() {
            return Some(callee);
        }
        let replacement = self.replacement_of(callee)?;
        Some(self.replacements[replacement].callee)
    }

    /// Whether bodies may stand where `callee` is called. Only the calls of an
    /// import can be kept from that.
    pub(super) fn call_sites(&self, callee: Callee) -> bool {
        let replacement = self.replacement_of(callee);
        replacement.is_none_or(|replacement| self.options.replacements[replacement].call_sites)
    }

    /// What replaces the guest's import that host function `callee` is.
    fn replacement_of(&self, callee: Callee) -> Option<usize> {
        let host_calls = &self.providers[callee.0].host_calls;
        let function = (*host_calls.get(callee.1 as usize)?)?;
        match self.functions.get(function as usize)? {
            Counterpart::Replaced(replacement) => Some(*replacement),
            Counterpart::Same(_) => None,
        }
    }

    /// The host function that a provider imports, when it is one.
    fn host_call(&self, callee: Callee) -> Option<&Import<'a>> {
        let module = &self.providers[callee.0].module;
        let import = module.function_import(callee.1)?;
        Some(&module.imports[import].1)
    }

    /// Whether function `linked` is the host function `callee`.
    pub(super) fn is_host_call(&self, callee: Callee, linked: u32) -> bool {
        let theirs = self.linked.function_import(linked);
        let theirs = theirs.map(|import| &self.linked.imports[import].1);
        let (Some(ours), Some(theirs)) = (self.host_call(callee), theirs) else {
            return false;
        };
        (ours.module, ours.name) == (theirs.module, theirs.name)
            && self.providers[callee.0].module.signature(callee.1) == self.linked.signature(linked)
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

fn asked(expected: &str, found: &str) -> CheckError {
    CheckError::new("the replacements asked for", 0, expected, found)
}
