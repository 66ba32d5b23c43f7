//! Which Wasm proposals an operator uses: its own, and those of the types in
//! its immediates.

use wasmparser::{
    BlockType, BrTable, HeapType, Ieee32, Ieee64, MemArg, Ordering, RefType, ResumeTable, TryTable,
    V128, ValType, VisitOperator, VisitSimdOperator, WasmFeatures,
};

use crate::features::FeatureScan;

macro_rules! proposal {
    (mvp) => {
        WasmFeatures::empty()
    };
    (bulk_memory) => {
        WasmFeatures::BULK_MEMORY
    };
    (custom_descriptors) => {
        WasmFeatures::CUSTOM_DESCRIPTORS
    };
    (exceptions) => {
        WasmFeatures::EXCEPTIONS
    };
    (function_references) => {
        WasmFeatures::FUNCTION_REFERENCES
    };
    (gc) => {
        WasmFeatures::GC
    };
    (legacy_exceptions) => {
        WasmFeatures::LEGACY_EXCEPTIONS
    };
    (memory_control) => {
        WasmFeatures::MEMORY_CONTROL
    };
    (reference_types) => {
        WasmFeatures::REFERENCE_TYPES
    };
    (relaxed_simd) => {
        WasmFeatures::RELAXED_SIMD
    };
    (saturating_float_to_int) => {
        WasmFeatures::SATURATING_FLOAT_TO_INT
    };
    (shared_everything_threads) => {
        WasmFeatures::SHARED_EVERYTHING_THREADS
    };
    (sign_extension) => {
        WasmFeatures::SIGN_EXTENSION
    };
    (simd) => {
        WasmFeatures::SIMD
    };
    (stack_switching) => {
        WasmFeatures::STACK_SWITCHING
    };
    (tail_call) => {
        WasmFeatures::TAIL_CALL
    };
    (threads) => {
        WasmFeatures::THREADS
    };
    (wide_arithmetic) => {
        WasmFeatures::WIDE_ARITHMETIC
    };
}

macro_rules! visit_by_proposal {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $argty)*)?) {
                $($($arg.scan(self);)*)?
                self.used(proposal!($proposal));
            }
        )*
    };
}

impl<'a> VisitOperator<'a> for FeatureScan {
    type Output = ();

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visit_by_proposal);
}

impl<'a> VisitSimdOperator<'a> for FeatureScan {
    wasmparser::for_each_visit_simd_operator!(visit_by_proposal);
}

/// An immediate of an operator.
trait Immediate {
    /// Tells `scan` which proposals the immediate uses.
    fn scan(&self, scan: &mut FeatureScan);
}

macro_rules! no_proposal {
    ($($ty:ty),*) => {
        $(impl Immediate for $ty {
            fn scan(&self, _: &mut FeatureScan) {}
        })*
    };
}

no_proposal! {
    u8, u32, i32, i64, [u8; 16], Ieee32, Ieee64, V128, MemArg, Ordering, BrTable<'_>, ResumeTable
}

impl Immediate for BlockType {
    fn scan(&self, scan: &mut FeatureScan) {
        scan.block_type(*self);
    }
}

impl Immediate for TryTable {
    fn scan(&self, scan: &mut FeatureScan) {
        scan.block_type(self.ty);
    }
}

impl Immediate for HeapType {
    fn scan(&self, scan: &mut FeatureScan) {
        scan.heap_type(*self);
    }
}

impl Immediate for RefType {
    fn scan(&self, scan: &mut FeatureScan) {
        scan.ref_type(*self);
    }
}

impl Immediate for ValType {
    fn scan(&self, scan: &mut FeatureScan) {
        scan.val_type(*self);
    }
}

impl Immediate for Vec<ValType> {
    fn scan(&self, scan: &mut FeatureScan) {
        for ty in self {
            scan.val_type(*ty);
        }
    }
}
