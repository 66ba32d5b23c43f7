//! Ever larger modules: linking them, and compiling what comes out.

use super::{Size, series, sizes};
use crate::harness::{Case, Unit};
use crate::suites::link::link_and_compile;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemArg, MemoryType, Module, TypeSection, ValType,
};
use wasmtime::{Engine, Result};

pub fn cases(engine: &Engine) -> Result<Vec<Case>> {
    let mut sizes = sizes!("growth/module", "bytes": 10000, 100000, 1000000, 10000000);
    sizes.iter_mut().for_each(limit);
    series(sizes, Unit::MS_PER_MODULE, |bytes| {
        link_and_compile(engine, module(bytes))
    })
}

/// Ten megabytes take seconds to compile.
fn limit(size: &mut Size) {
    size.point.rounds = match size.n {
        0..1_000_000 => size.point.rounds,
        1_000_000..10_000_000 => 31,
        _ => 5,
    };
}

const MIX: u32 = 0;
const MEMORY: MemoryType = MemoryType {
    minimum: 1,
    maximum: None,
    memory64: false,
    shared: false,
    page_size_log2: None,
};

/// A module of about so many bytes: the same function again and again, which calls
/// a host function.
fn module(bytes: usize) -> Vec<u8> {
    let body = body().into_raw_body();
    // Its length takes two bytes more, its type one.
    let functions = (bytes / (body.len() + 3)).max(1) as u32;
    let mut types = TypeSection::new();
    types.ty().function([ValType::I64], [ValType::I64]);
    let mut imports = ImportSection::new();
    imports.import("udf", "mix", EntityType::Function(0));
    imports.import("env", "memory", MEMORY);
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..functions {
        declared.function(0);
        code.raw(&body);
    }
    let mut exports = ExportSection::new();
    exports.export("last", ExportKind::Func, functions);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared);
    module.section(&exports).section(&code);
    module.finish()
}

/// A loop that mixes a number into memory.
fn body() -> Function {
    let (x, at, word) = (
        0,
        1,
        MemArg {
            offset: 0,
            align: 3,
            memory_index: 0,
        },
    );
    let mut body = Function::new([(1, ValType::I32)]);
    let mut code = body.instructions();
    code.loop_(wasm_encoder::BlockType::Empty);
    for round in 1..4 {
        code.local_get(at).i64_load(word).local_get(x);
        code.i64_add().i64_const(round << 40).i64_xor();
        code.call(MIX).local_tee(x);
        code.i64_const(29)
            .i64_shr_u()
            .local_get(x)
            .i64_xor()
            .local_set(x);
        code.local_get(at).local_get(x).i64_store(word);
    }
    code.local_get(at).i32_const(8).i32_add().local_tee(at);
    code.i32_const(1 << 10).i32_lt_u().br_if(0).end();
    code.local_get(x).end();
    body
}
