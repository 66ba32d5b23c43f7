//! Modules of our own, put together part by part.

use arbitrary::{Result, Unstructured};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    FunctionSection, GlobalSection, GlobalType, HeapType, ImportSection, MemorySection, MemoryType,
    Module, NameMap, NameSection, RefType, TableSection, TableType, TypeSection, ValType,
};

use super::{Proposals, Signature};

#[derive(Default)]
pub struct Parts {
    types: TypeSection,
    imports: ImportSection,
    table: Option<(TableSection, ElementSection)>,
    memory: Option<MemorySection>,
    functions: FunctionSection,
    globals: GlobalSection,
    exports: ExportSection,
    pub code: CodeSection,
    names: Option<NameSection>,
}

impl Parts {
    pub fn add(&mut self, signature: &Signature, export: Option<&str>) {
        let index = self.types.len();
        let results = signature.results.iter().copied();
        self.types
            .ty()
            .function(signature.params.iter().copied(), results);
        self.functions.function(index);
        if let Some(name) = export {
            self.exports.export(name, ExportKind::Func, index);
        }
    }

    /// Imports are added before all else.
    pub fn import(&mut self, name: &str, signature: &Signature) {
        let index = self.types.len();
        let results = signature.results.iter().copied();
        self.types
            .ty()
            .function(signature.params.iter().copied(), results);
        self.imports
            .import("env", name, EntityType::Function(index));
    }

    /// A table that holds all functions in order.
    pub fn table(&mut self) {
        let functions = u64::from(self.types.len());
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: functions,
            maximum: None,
            shared: false,
        });
        let mut elements = ElementSection::new();
        let all: Vec<u32> = (0..self.types.len()).collect();
        elements.active(
            None,
            &ConstExpr::i32_const(0),
            Elements::Functions(all.into()),
        );
        self.table = Some((tables, elements));
    }

    pub fn memory(&mut self) {
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 1,
            maximum: Some(2),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        self.memory = Some(memories);
    }

    pub fn export(&mut self, name: &str, kind: ExportKind, index: u32) {
        self.exports.export(name, kind, index);
    }

    /// The first global bounds recursion; the others are for bodies.
    pub fn globals(
        &mut self,
        u: &mut Unstructured<'_>,
        proposals: Proposals,
    ) -> Result<Vec<(ValType, bool)>> {
        let mut types = vec![
            (ValType::I32, ConstExpr::i32_const(7)),
            (ValType::I64, ConstExpr::i64_const(-7)),
            (ValType::F32, ConstExpr::f32_const(1.5.into())),
            (ValType::F64, ConstExpr::f64_const((-0.0).into())),
            (ValType::EXTERNREF, ConstExpr::ref_null(HeapType::EXTERN)),
            (ValType::Ref(RefType::FUNCREF), ConstExpr::ref_func(0)),
        ];
        if proposals == Proposals::All {
            types.push((ValType::V128, ConstExpr::v128_const(9)));
        }
        let mut globals = vec![(ValType::I32, true)];
        self.global(ValType::I32, true, &ConstExpr::i32_const(30));
        for _ in 0..u.int_in_range(0..=3)? {
            let (ty, init) = u.choose(&types)?;
            let mutable = u.arbitrary()?;
            self.global(*ty, mutable, init);
            globals.push((*ty, mutable));
        }
        Ok(globals)
    }

    fn global(&mut self, val_type: ValType, mutable: bool, init: &ConstExpr) {
        let ty = GlobalType {
            val_type,
            mutable,
            shared: false,
        };
        self.globals.global(ty, init);
    }

    pub fn name_all(&mut self, functions: u32) {
        let mut map = NameMap::new();
        for function in 0..functions {
            map.append(function, &format!("named {function}"));
        }
        let mut names = NameSection::new();
        names.functions(&map);
        self.names = Some(names);
    }

    pub fn finish(self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports);
        module.section(&self.functions);
        if let Some((tables, _)) = &self.table {
            module.section(tables);
        }
        if let Some(memories) = &self.memory {
            module.section(memories);
        }
        module.section(&self.globals).section(&self.exports);
        if let Some((_, elements)) = &self.table {
            module.section(elements);
        }
        module.section(&self.code);
        if let Some(names) = &self.names {
            module.section(names);
        }
        module.finish()
    }
}
