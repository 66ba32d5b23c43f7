//! Checks that each replacement fits its import and the guest's memories.

use wasmparser::TypeRef;

use super::error::RewriteError;
use super::scan::Guest;
use super::types::TypeSpace;
use super::{LinkOptions, Replacement};
use crate::provider::{Exported, Memory, MemorySource};
use crate::{ImportName, convert};

/// The replacement of each function import of the guest.
pub(super) fn accept(
    guest: &Guest<'_>,
    options: &LinkOptions<'_>,
    types: &TypeSpace<'_>,
) -> Result<Vec<Option<u32>>, RewriteError> {
    let mut replaced = vec![None; guest.function_imports.len()];
    for (position, replacement) in options.replacements.iter().enumerate() {
        let acceptance = Acceptance {
            guest,
            options,
            types,
        };
        let function = acceptance.import(replacement);
        let function = function.map_err(|message| RewriteError::replacement(position, message))?;
        let name = acceptance.name(replacement);
        if replaced[function].replace(position as u32).is_some() {
            let message = format!("`{name}` is replaced twice, keep one of the replacements");
            return Err(RewriteError::replacement(position, message));
        }
    }
    Ok(replaced)
}

struct Acceptance<'c, 'g> {
    guest: &'c Guest<'c>,
    options: &'c LinkOptions<'c>,
    types: &'c TypeSpace<'g>,
}

impl Acceptance<'_, '_> {
    /// The position among function imports of what is replaced, or what is
    /// wrong.
    fn import(&self, replacement: &Replacement<'_>) -> Result<usize, String> {
        let Some(import) = self.guest.imports.get(replacement.import as usize) else {
            return Err(format!(
                "there is no import {}, the guest has {}",
                replacement.import,
                self.guest.imports.len()
            ));
        };
        let position = self
            .guest
            .function_imports
            .binary_search(&replacement.import);
        let (TypeRef::Func(type_index) | TypeRef::FuncExact(type_index), Ok(position)) =
            (import.ty, position)
        else {
            let name = self.name(replacement);
            return Err(format!(
                "`{name}` is not a function: only functions can be replaced"
            ));
        };
        let export = self.export(replacement)?;
        self.check_type(replacement, export, type_index)?;
        for memory in &replacement.provider.memories {
            self.check_memory(memory)?;
        }
        Ok(position)
    }

    fn name(&self, replacement: &Replacement<'_>) -> ImportName<'_> {
        let import = &self.guest.imports[replacement.import as usize];
        ImportName::new(import.module, import.name)
    }

    fn export<'p>(&self, replacement: &Replacement<'p>) -> Result<&'p Exported, String> {
        let provider = replacement.provider;
        provider.export(replacement.function).ok_or_else(|| {
            let offered: Vec<&str> = provider.functions().map(|it| it.0).collect();
            format!(
                "the provider exports no function `{}` for `{}`, it has: {}",
                replacement.function.escape_debug(),
                self.name(replacement),
                offered.join(", ").escape_debug()
            )
        })
    }

    fn check_type(
        &self,
        replacement: &Replacement<'_>,
        export: &Exported,
        type_index: u32,
    ) -> Result<(), String> {
        let name = self.name(replacement);
        if self.types.is_shared(type_index) {
            return Err(format!(
                "`{name}` has a type that is shared between threads, which cannot be replaced"
            ));
        }
        let wanted = self.types.function(type_index);
        if wanted.as_ref() == Some(replacement.provider.signature(export.function)) {
            return Ok(());
        }
        let wanted = wanted.map(|ty| convert::func_type(&ty).to_string());
        Err(format!(
            "`{name}` has the type {}, the provider's function `{}` has {}: \
             give it the type of the import",
            wanted.unwrap_or_default(),
            replacement.function.escape_debug(),
            export.ty
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
