//! Imports: those of the guest but for the replaced ones, in their order, and
//! the host functions that bodies call.

use wasmparser::{Import, TypeRef};

use super::Check;
use super::error::CheckError;
use super::module::Module;
use crate::LinkedImport;

const PLACE: &str = "the import section";

impl Check<'_, '_> {
    pub(super) fn imports(&mut self) -> Result<(), CheckError> {
        let input = self.input;
        let told = &input.report.imports;
        let there = &input.linked.imports;
        if told.len() != there.len() {
            let expected = format!("{} imports, as told", told.len());
            return Err(CheckError::new(PLACE, 0, expected, there.len().to_string()));
        }
        let mut kept = self.kept().into_iter();
        for (told, (offset, import)) in told.iter().zip(there) {
            match told {
                LinkedImport::Original(index) => {
                    let expected = kept.next();
                    if expected != Some(*index) {
                        let expected = format!("import {expected:?} of the guest");
                        return Err(CheckError::new(PLACE, *offset, expected, index.to_string()));
                    }
                    self.kept_import(*index, *offset, import)?;
                }
                LinkedImport::Added(told) => self.added_import(told, *offset, import)?,
            }
        }
        match kept.next() {
            None => Ok(()),
            Some(missing) => {
                let expected = format!("import {missing} of the guest");
                Err(CheckError::new(PLACE, 0, expected, "the end"))
            }
        }
    }

    /// The imports of the guest that stay.
    fn kept(&self) -> Vec<u32> {
        let mut replaced = self
            .input
            .options
            .replacements
            .iter()
            .map(|replacement| replacement.import)
            .collect::<Vec<u32>>();
        replaced.sort_unstable();
        let imports = 0..self.input.guest.imports.len() as u32;
        imports
            .filter(|index| replaced.binary_search(index).is_err())
            .collect()
    }

    fn kept_import(
        &self,
        index: u32,
        offset: usize,
        import: &Import<'_>,
    ) -> Result<(), CheckError> {
        let (_, original) = &self.input.guest.imports[index as usize];
        let same = (original.module, original.name) == (import.module, import.name)
            && same_type(
                &self.input.guest,
                &original.ty,
                &self.input.linked,
                &import.ty,
            );
        if same {
            return Ok(());
        }
        let (expected, found) = (format!("{original:?}"), format!("{import:?}"));
        Err(CheckError::new(PLACE, offset, expected, found))
    }

    /// Only functions are added, and only those that some body calls.
    fn added_import(
        &self,
        told: &crate::Import,
        offset: usize,
        import: &Import<'_>,
    ) -> Result<(), CheckError> {
        let wrong = |expected: &str| {
            let found = format!("{import:?}, told as {told:?}");
            Err(CheckError::new(PLACE, offset, expected, found))
        };
        let TypeRef::Func(ty) = import.ty else {
            return wrong("an added function");
        };
        let ty = crate::convert::func_type(
            self.input.linked.types[self.input.linked.type_id(ty)].unwrap_func(),
        );
        let name = (import.module, import.name);
        let mut sources = self.input.providers.iter();
        if !sources.any(|source| calls(&source.module, name)) {
            return wrong("a host function that a body calls");
        }
        let there = told.offset == offset as u64 && (&*told.module, &*told.name) == name;
        let told_type = matches!(&told.ty, crate::ExternType::Func(told) if *told == ty);
        if there && told_type {
            Ok(())
        } else {
            wrong("an import as told")
        }
    }
}

fn calls(module: &Module<'_>, name: (&str, &str)) -> bool {
    let mut imports = module.imports.iter();
    imports.any(|(_, import)| (import.module, import.name) == name)
}

fn same_type(left: &Module<'_>, from: &TypeRef, right: &Module<'_>, to: &TypeRef) -> bool {
    match (*from, *to) {
        (TypeRef::Func(from), TypeRef::Func(to))
        | (TypeRef::FuncExact(from), TypeRef::FuncExact(to)) => {
            left.type_id(from) == right.type_id(to)
        }
        (TypeRef::Tag(from), TypeRef::Tag(to)) => {
            from.kind == to.kind
                && left.type_id(from.func_type_idx) == right.type_id(to.func_type_idx)
        }
        // The types of these are compared with those that are defined.
        (TypeRef::Table(_), TypeRef::Table(_))
        | (TypeRef::Memory(_), TypeRef::Memory(_))
        | (TypeRef::Global(_), TypeRef::Global(_)) => true,
        _ => false,
    }
}
