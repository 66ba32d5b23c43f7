//! Checks that each root fits its import, the guest's memories, and what it
//! calls of the guest.

use std::collections::HashSet;

use wasmparser::{FuncType, TypeRef};

use super::LinkOptions;
use super::error::RewriteError;
use super::root::{Purpose, Root};
use super::scan::Guest;
use super::types::TypeSpace;
use crate::provider::{CallSource, Exported, HostCall, Memory, MemorySource};
use crate::{ImportName, RESERVED_PREFIX, convert};

/// Names that linking gives to exports itself, after the prefix.
const OWN_EXPORTS: [&str; 2] = ["page", "start"];

/// The roots that stand for function imports of the guest, by function index.
pub(super) struct StandIns {
    pub(super) replaced: Vec<Option<u32>>,
    pub(super) wrapped: Vec<Option<u32>>,
}

impl StandIns {
    /// What the guest reaches as the import.
    pub(super) fn outer(&self, function: u32) -> Option<u32> {
        let wrapper = self.wrapped.get(function as usize)?;
        wrapper.or(self.replaced[function as usize])
    }
}

pub(super) fn accept(
    guest: &Guest<'_>,
    options: &LinkOptions<'_>,
    roots: &[Root<'_>],
    types: &TypeSpace<'_>,
) -> Result<StandIns, RewriteError> {
    let imports = guest.function_imports.len();
    let mut stand_ins = StandIns {
        replaced: vec![None; imports],
        wrapped: vec![None; imports],
    };
    let mut names = HashSet::new();
    for (root, number) in roots.iter().zip(0u32..) {
        let acceptance = Acceptance {
            guest,
            options,
            types,
            root,
        };
        let function = acceptance.root().map_err(|message| root.error(message))?;
        let is_new = match root.purpose {
            Purpose::Replaces { .. } => set(&mut stand_ins.replaced, function, number),
            Purpose::Wraps { .. } => set(&mut stand_ins.wrapped, function, number),
            Purpose::Exported(name) => names.insert(name),
        };
        if !is_new {
            return Err(root.error(acceptance.twice()));
        }
    }
    Ok(stand_ins)
}

fn set(stand_ins: &mut [Option<u32>], function: Option<u32>, root: u32) -> bool {
    let place = function.and_then(|function| stand_ins.get_mut(function as usize));
    place.is_none_or(|place| place.replace(root).is_none())
}

struct Acceptance<'c, 'g> {
    guest: &'c Guest<'c>,
    options: &'c LinkOptions<'c>,
    types: &'c TypeSpace<'g>,
    root: &'c Root<'c>,
}

impl Acceptance<'_, '_> {
    /// The function index of the import that the root stands for, or what is
    /// wrong.
    fn root(&self) -> Result<Option<u32>, String> {
        let function = match self.root.purpose {
            Purpose::Replaces { import, .. } | Purpose::Wraps { import, .. } => {
                Some(self.import(import)?)
            }
            Purpose::Exported(name) => {
                check_name(name)?;
                self.export()?;
                None
            }
        };
        for memory in &self.root.provider.memories {
            self.check_memory(memory)?;
        }
        for call in &self.root.provider.host_calls {
            self.check_call(call)?;
        }
        Ok(function)
    }

    fn import(&self, position: u32) -> Result<u32, String> {
        let Some(import) = self.guest.imports.get(position as usize) else {
            return Err(format!(
                "there is no import {position}, the guest has {}",
                self.guest.imports.len()
            ));
        };
        let (TypeRef::Func(type_index) | TypeRef::FuncExact(type_index), Some(function)) =
            (import.ty, self.guest.function_import(position))
        else {
            return Err(format!(
                "`{}` is not a function: only functions can be {}",
                self.name(),
                self.root.purpose.done()
            ));
        };
        let export = self.export()?;
        self.check_type(export, type_index)?;
        Ok(function)
    }

    /// What the root is for, for messages: an import, or an export.
    fn name(&self) -> String {
        match self.root.purpose {
            Purpose::Replaces { import, .. } | Purpose::Wraps { import, .. } => {
                let import = &self.guest.imports[import as usize];
                ImportName::new(import.module, import.name).to_string()
            }
            Purpose::Exported(name) => name.escape_debug().to_string(),
        }
    }

    fn twice(&self) -> String {
        format!(
            "`{}` is {} twice, keep one of the {}",
            self.name(),
            self.root.purpose.done(),
            self.root.purpose.plural()
        )
    }

    fn export(&self) -> Result<&Exported, String> {
        let (provider, name) = (self.root.provider, self.root.name);
        provider.export(name).ok_or_else(|| {
            let offered: Vec<&str> = provider.functions().map(|it| it.0).collect();
            format!(
                "the provider exports no function `{}` for `{}`, it has: {}",
                name.escape_debug(),
                self.name(),
                offered.join(", ").escape_debug()
            )
        })
    }

    fn check_type(&self, export: &Exported, type_index: u32) -> Result<(), String> {
        let name = self.name();
        if self.types.is_shared(type_index) {
            return Err(format!(
                "`{name}` has a type that is shared between threads, which cannot be {}",
                self.root.purpose.done()
            ));
        }
        let wanted = self.types.function(type_index);
        if wanted.as_ref() == Some(self.root.provider.signature(export.function)) {
            return Ok(());
        }
        Err(format!(
            "`{name}` has the type {}, the provider's function `{}` has {}: \
             give it the type of the import",
            type_text(wanted),
            self.root.name.escape_debug(),
            export.ty
        ))
    }

    /// Checks that the guest has the function that a body calls of it.
    fn check_call(&self, call: &HostCall) -> Result<(), String> {
        let name = ImportName::new(&call.module, &call.name);
        let function = match call.source {
            CallSource::Host => return Ok(()),
            CallSource::Import(position) => self.guest.function_import(position),
            CallSource::Export => self.guest.exported_function(&call.name),
        };
        let Some(function) = function else {
            return Err(format!(
                "the provider calls `{name}`, but the guest has no such function"
            ));
        };
        let found = self.types.of_function(function);
        if found.as_ref() == Some(&self.root.provider.types[call.type_index as usize]) {
            return Ok(());
        }
        Err(format!(
            "the provider calls `{name}` as {}, but the guest's function is {}",
            call.ty,
            type_text(found)
        ))
    }

    /// Checks that a memory of the linked module is what a body expects.
    fn check_memory(&self, memory: &Memory) -> Result<(), String> {
        if memory.source == MemorySource::Page {
            return match self.options.page {
                Some(_) => Ok(()),
                None => Err("the body uses the host page, but the options have none".to_owned()),
            };
        }
        let Some(index) = self.options.memory else {
            return Err("the body uses the guest's memory, but the options name none".to_owned());
        };
        let count = self.guest.counts.memories;
        if index >= count {
            return Err(format!(
                "the options name memory {index}, the guest has {count}"
            ));
        }
        let (wanted, found) = (memory.ty, self.guest.types.as_ref().memory_at(index));
        let fits =
            wanted.memory64 == found.memory64 && wanted.page_size_log2() == found.page_size_log2();
        if fits {
            return Ok(());
        }
        Err(format!(
            "the body is built for a {}, the guest has a {}: build it for the guest",
            convert::memory_type(wanted),
            convert::memory_type(found)
        ))
    }
}

fn type_text(ty: Option<FuncType>) -> String {
    let ty = ty.map(|ty| convert::func_type(&ty).to_string());
    ty.unwrap_or_default()
}

/// Added exports have reserved names, so that they collide with none of the
/// guest's; but not those that linking gives.
fn check_name(name: &str) -> Result<(), String> {
    let shown = name.escape_debug();
    match name.strip_prefix(RESERVED_PREFIX) {
        None => Err(format!(
            "`{shown}` does not start with `{RESERVED_PREFIX}`: only such names can be added"
        )),
        Some(own) if OWN_EXPORTS.contains(&own) => Err(format!(
            "`{shown}` is the name of another export of linked modules, choose another"
        )),
        Some(_) => Ok(()),
    }
}
