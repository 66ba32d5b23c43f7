//! The type index space of the linked module: the guest's types, and after them
//! those that bodies need in addition.

use std::collections::HashMap;

use wasmparser::types::{CoreTypeId, Types, TypesRef};
use wasmparser::{CompositeInnerType, FuncType, PackedIndex, RefType, ValType};

/// Types, numbered as in the linked module.
///
/// Types that are equal by Wasm's rules are made equal in Rust: every reference
/// to a type names the first of its equals.
pub(super) struct TypeSpace<'g> {
    guest: TypesRef<'g>,
    /// The first index of each type of the guest.
    first: HashMap<CoreTypeId, u32>,
    /// Plain function types: final, without supertypes, alone in their group.
    plain: HashMap<FuncType, u32>,
    appended: Vec<FuncType>,
}

impl<'g> TypeSpace<'g> {
    pub(super) fn new(types: &'g Types) -> TypeSpace<'g> {
        let guest = types.as_ref();
        let mut space = TypeSpace {
            guest,
            first: HashMap::new(),
            plain: HashMap::new(),
            appended: Vec::new(),
        };
        let count = guest.core_type_count_in_module();
        for index in 0..count {
            let id = guest.core_type_at_in_module(index);
            space.first.entry(id).or_insert(index);
        }
        for index in 0..count {
            if let Some(ty) = space.plain_function(index) {
                space.plain.entry(ty).or_insert(index);
            }
        }
        space
    }

    fn plain_function(&self, index: u32) -> Option<FuncType> {
        let id = self.guest.core_type_at_in_module(index);
        let group = self.guest.rec_group_id_of(id);
        let alone = self.guest.rec_group_elements(group).len() == 1;
        let ty = self.guest.get(id)?;
        let plain = ty.is_final && ty.supertype_idx.is_none() && !ty.composite_type.shared;
        (alone && plain).then(|| self.function(index)).flatten()
    }

    /// Parameters and results of type `index` of the guest, if it is a
    /// function's.
    pub(super) fn function(&self, index: u32) -> Option<FuncType> {
        self.function_type(self.guest.core_type_at_in_module(index))
    }

    /// Parameters and results of a function of the guest.
    pub(super) fn of_function(&self, function: u32) -> Option<FuncType> {
        self.function_type(self.guest.core_function_at(function))
    }

    fn function_type(&self, ty: CoreTypeId) -> Option<FuncType> {
        let ty = self.guest.get(ty)?;
        let CompositeInnerType::Func(ty) = &ty.composite_type.inner else {
            return None;
        };
        let values = |types: &[ValType]| -> Vec<ValType> {
            types.iter().map(|ty| self.value(*ty)).collect()
        };
        Some(FuncType::new(values(ty.params()), values(ty.results())))
    }

    /// Whether functions of type `index` of the guest may run on any thread.
    pub(super) fn is_shared(&self, index: u32) -> bool {
        let ty = self.guest.get(self.guest.core_type_at_in_module(index));
        ty.is_some_and(|ty| ty.composite_type.shared)
    }

    /// Whether type `index` of the guest and linked type `other` are one type.
    pub(super) fn same(&self, index: u32, other: u32) -> bool {
        let count = self.guest.core_type_count_in_module();
        let id = |index| self.guest.core_type_at_in_module(index);
        index == other || (other < count && id(index) == id(other))
    }

    fn value(&self, ty: ValType) -> ValType {
        let ValType::Ref(reference) = ty else {
            return ty;
        };
        let id = reference.type_index().and_then(|ty| ty.as_core_type_id());
        let first = id.and_then(|id| self.first.get(&id));
        let Some(index) = first.and_then(|first| PackedIndex::from_module_index(*first)) else {
            return ty;
        };
        let nullable = reference.is_nullable();
        ValType::Ref(if reference.is_exact_type_ref() {
            RefType::exact(nullable, index)
        } else {
            RefType::concrete(nullable, index)
        })
    }

    /// The index of a plain function type, which is appended unless the guest
    /// has it.
    pub(super) fn intern(&mut self, ty: &FuncType) -> u32 {
        if let Some(index) = self.plain.get(ty) {
            return *index;
        }
        let index = self.count();
        self.plain.insert(ty.clone(), index);
        self.appended.push(ty.clone());
        index
    }

    /// The types after the guest's own.
    pub(super) fn appended(&self) -> &[FuncType] {
        &self.appended
    }

    pub(super) fn count(&self) -> u32 {
        self.guest.core_type_count_in_module() + self.appended.len() as u32
    }
}
