//! Finds out which Wasm proposals a module really uses.

use wasmparser::{
    AbstractHeapType, BlockType, CompositeInnerType, ConstExpr, DataKind, DataSectionReader,
    ElementItems, ElementKind, ElementSectionReader, FieldType, FunctionBody, GlobalType, HeapType,
    ImportSectionReader, Imports, MemoryType, Operator, OperatorsReader,
    OperatorsReaderAllocations, RecGroup, RefType, StorageType, SubType, Table, TableInit,
    TableType, TypeRef, ValType, VisitOperator, WasmFeatures,
};

use crate::{ExternType, ParseError};

/// Collects the proposals that types, sections and operators belong to.
pub(crate) struct FeatureScan {
    used: WasmFeatures,
    /// Kept from body to body, so that reading bodies does not allocate.
    allocations: OperatorsReaderAllocations,
}

impl Default for FeatureScan {
    fn default() -> FeatureScan {
        FeatureScan {
            used: WasmFeatures::empty(),
            allocations: OperatorsReaderAllocations::default(),
        }
    }
}

impl FeatureScan {
    /// The proposals found, by `wasmparser`'s names, such as `bulk-memory`.
    pub(crate) fn names(&self) -> Vec<String> {
        let names = self.used.iter_names();
        names
            .map(|(name, _)| name.to_lowercase().replace('_', "-"))
            .collect()
    }

    pub(crate) fn used(&mut self, feature: WasmFeatures) {
        self.used |= feature;
    }

    fn used_if(&mut self, condition: bool, feature: WasmFeatures) {
        if condition {
            self.used(feature);
        }
    }

    pub(crate) fn rec_group(&mut self, group: &RecGroup) {
        self.used_if(group.is_explicit_rec_group(), WasmFeatures::GC);
        for ty in group.types() {
            self.sub_type(ty);
        }
    }

    fn sub_type(&mut self, ty: &SubType) {
        let composite = &ty.composite_type;
        let described = composite.descriptor_idx.or(composite.describes_idx);
        let is_sub = !ty.is_final || ty.supertype_idx.is_some();
        self.used_if(is_sub, WasmFeatures::GC);
        self.used_if(described.is_some(), WasmFeatures::CUSTOM_DESCRIPTORS);
        self.used_if(composite.shared, WasmFeatures::SHARED_EVERYTHING_THREADS);
        match &composite.inner {
            CompositeInnerType::Func(ty) => self.func_type(ty),
            CompositeInnerType::Array(ty) => self.fields(&[ty.0]),
            CompositeInnerType::Struct(ty) => self.fields(&ty.fields),
            CompositeInnerType::Cont(_) => self.used(WasmFeatures::STACK_SWITCHING),
        }
    }

    fn func_type(&mut self, ty: &wasmparser::FuncType) {
        self.used_if(ty.results().len() > 1, WasmFeatures::MULTI_VALUE);
        for ty in ty.params().iter().chain(ty.results()) {
            self.val_type(*ty);
        }
    }

    fn fields(&mut self, fields: &[FieldType]) {
        self.used(WasmFeatures::GC);
        for field in fields {
            if let StorageType::Val(ty) = field.element_type {
                self.val_type(ty);
            }
        }
    }

    pub(crate) fn val_type(&mut self, ty: ValType) {
        match ty {
            ValType::V128 => self.used(WasmFeatures::SIMD),
            ValType::Ref(ty) => self.ref_type(ty),
            ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => {}
        }
    }

    pub(crate) fn ref_type(&mut self, ty: RefType) {
        self.used(WasmFeatures::REFERENCE_TYPES);
        let old = matches!(ty.heap_type(), HeapType::FUNC | HeapType::EXTERN);
        let non_null = old && !ty.is_nullable();
        self.used_if(non_null, WasmFeatures::FUNCTION_REFERENCES);
        self.heap_type(ty.heap_type());
    }

    pub(crate) fn heap_type(&mut self, ty: HeapType) {
        match ty {
            HeapType::Abstract { shared, ty } => {
                self.used_if(shared, WasmFeatures::SHARED_EVERYTHING_THREADS);
                self.used(proposal_of(ty));
            }
            HeapType::Concrete(_) => self.used(WasmFeatures::FUNCTION_REFERENCES),
            HeapType::Exact(_) => self.used(WasmFeatures::CUSTOM_DESCRIPTORS),
        }
    }

    pub(crate) fn block_type(&mut self, ty: BlockType) {
        match ty {
            BlockType::Empty => {}
            BlockType::Type(ty) => self.val_type(ty),
            BlockType::FuncType(_) => self.used(WasmFeatures::MULTI_VALUE),
        }
    }

    pub(crate) fn import_encoding(
        &mut self,
        section: ImportSectionReader<'_>,
    ) -> Result<(), ParseError> {
        for group in section {
            let compact = !matches!(group?, Imports::Single(..));
            self.used_if(compact, WasmFeatures::COMPACT_IMPORTS);
        }
        Ok(())
    }

    pub(crate) fn import(&mut self, ty: TypeRef) {
        match ty {
            TypeRef::Func(_) => {}
            TypeRef::FuncExact(_) => self.used(WasmFeatures::CUSTOM_DESCRIPTORS),
            TypeRef::Table(ty) => self.table_type(ty),
            TypeRef::Memory(ty) => self.memory_type(ty),
            TypeRef::Global(ty) => {
                self.used_if(ty.mutable, WasmFeatures::MUTABLE_GLOBAL);
                self.global_type(ty);
            }
            TypeRef::Tag(_) => self.tag(),
        }
    }

    pub(crate) fn export(&mut self, ty: &ExternType) {
        let mutable = matches!(ty, ExternType::Global(global) if global.mutable);
        self.used_if(mutable, WasmFeatures::MUTABLE_GLOBAL);
    }

    pub(crate) fn table(&mut self, table: &Table<'_>) -> Result<(), ParseError> {
        self.table_type(table.ty);
        match &table.init {
            TableInit::RefNull => Ok(()),
            TableInit::Expr(init) => {
                self.used(WasmFeatures::FUNCTION_REFERENCES);
                self.const_expr(init)
            }
        }
    }

    fn table_type(&mut self, ty: TableType) {
        self.used_if(ty.table64, WasmFeatures::MEMORY64);
        self.used_if(ty.shared, WasmFeatures::SHARED_EVERYTHING_THREADS);
        // A table of functions is as old as Wasm.
        if ty.element_type != RefType::FUNCREF {
            self.ref_type(ty.element_type);
        }
    }

    pub(crate) fn memory_type(&mut self, ty: MemoryType) {
        self.used_if(ty.memory64, WasmFeatures::MEMORY64);
        self.used_if(ty.shared, WasmFeatures::THREADS);
        let custom = ty.page_size_log2.is_some();
        self.used_if(custom, WasmFeatures::CUSTOM_PAGE_SIZES);
    }

    pub(crate) fn global_type(&mut self, ty: GlobalType) {
        self.used_if(ty.shared, WasmFeatures::SHARED_EVERYTHING_THREADS);
        self.val_type(ty.content_type);
    }

    pub(crate) fn tag(&mut self) {
        self.used(WasmFeatures::EXCEPTIONS);
    }

    pub(crate) fn data_count(&mut self) {
        self.used(WasmFeatures::BULK_MEMORY);
    }

    pub(crate) fn tables(&mut self, count: usize) {
        self.used_if(count > 1, WasmFeatures::REFERENCE_TYPES);
    }

    pub(crate) fn memories(&mut self, count: usize) {
        self.used_if(count > 1, WasmFeatures::MULTI_MEMORY);
    }

    pub(crate) fn elements(&mut self, section: ElementSectionReader<'_>) -> Result<(), ParseError> {
        for element in section {
            let element = element?;
            match element.kind {
                ElementKind::Active { offset_expr, .. } => self.const_expr(&offset_expr)?,
                ElementKind::Passive | ElementKind::Declared => {
                    self.used(WasmFeatures::BULK_MEMORY);
                }
            }
            if let ElementItems::Expressions(ty, items) = element.items {
                self.ref_type(ty);
                for item in items {
                    self.const_expr(&item?)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn data(&mut self, section: DataSectionReader<'_>) -> Result<(), ParseError> {
        for data in section {
            match data?.kind {
                DataKind::Passive => self.used(WasmFeatures::BULK_MEMORY),
                DataKind::Active { offset_expr, .. } => self.const_expr(&offset_expr)?,
            }
        }
        Ok(())
    }

    pub(crate) fn const_expr(&mut self, expr: &ConstExpr<'_>) -> Result<(), ParseError> {
        let mut operators = expr.get_operators_reader();
        while !operators.eof() {
            let operator = operators.read()?;
            self.used_if(is_extended_const(&operator), WasmFeatures::EXTENDED_CONST);
            self.visit_operator(&operator);
        }
        Ok(())
    }

    pub(crate) fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), ParseError> {
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let (_, ty) = locals.read()?;
            self.val_type(ty);
        }
        let allocations = std::mem::take(&mut self.allocations);
        let reader = locals.get_binary_reader();
        let mut operators = OperatorsReader::new_with_allocs(reader, allocations);
        while !operators.eof() {
            operators.visit_operator(self)?;
        }
        operators.finish()?;
        self.allocations = operators.into_allocations();
        Ok(())
    }
}

fn proposal_of(ty: AbstractHeapType) -> WasmFeatures {
    use AbstractHeapType::*;
    match ty {
        Func | Extern => WasmFeatures::REFERENCE_TYPES,
        Any | None | NoExtern | NoFunc | Eq | Struct | Array | I31 => WasmFeatures::GC,
        Exn | NoExn => WasmFeatures::EXCEPTIONS,
        Cont | NoCont => WasmFeatures::STACK_SWITCHING,
    }
}

/// These operators are as old as Wasm, but new in constant expressions.
fn is_extended_const(operator: &Operator<'_>) -> bool {
    use Operator::*;
    matches!(
        operator,
        I32Add | I32Sub | I32Mul | I64Add | I64Sub | I64Mul
    )
}
