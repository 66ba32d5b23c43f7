//! Imports: those of the guest but for what something takes the place of, in
//! their order, and the host functions that bodies call.

use wasmparser::{Import, TypeRef};

use super::Check;
use super::error::CheckError;
use super::input::Counterpart;
use super::module::{Module, is_function};
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
        let mut functions = 0;
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
                LinkedImport::Added(told) => {
                    self.added_import(told, *offset, import, functions)?;
                }
            }
            functions += u32::from(is_function(&import.ty));
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
        let imports = 0..self.input.guest.imports.len() as u32;
        let stays = |position: &u32| match self.input.guest.function_at(*position) {
            Some(function) => self.stays(function),
            None => true,
        };
        imports.filter(stays).collect()
    }

    /// Whether a function import stays: nothing takes its place, or stands
    /// around it without calling it.
    fn stays(&self, function: u32) -> bool {
        let input = self.input;
        let at = function as usize;
        match (input.inner[at], input.functions[at]) {
            (Counterpart::Root(_), _) => false,
            (_, Counterpart::Root(_)) => input.called.contains(&function),
            _ => true,
        }
    }

    /// Whether some provider imports the function from the host.
    fn is_called(&self, function: u32) -> bool {
        let sources = self.input.providers.iter().enumerate();
        let mut calls = sources.flat_map(|(provider, source)| {
            (0..source.host_calls.len() as u32).map(move |call| (provider, call))
        });
        calls.any(|callee| self.input.is_added(callee, function))
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
        function: u32,
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
        if !self.is_called(function) {
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
