//! Functions that call an export many times.

use std::ops::Range;

use wasm_encoder::{BlockType, InstructionSink};

use super::module::{self, Body, Parts};
use super::page::Page;
use super::{FUNCTION, Fields, fields};
use crate::{FuncType, Provider, ValType};

/// Addresses in the host page of what a driver works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many calls have returned, a `u32`. That is the position of the one that
    /// traps.
    pub progress: u32,
    /// What calls get, element by element; a multiple of 16.
    pub input: u32,
    /// What calls give; a multiple of 16.
    pub output: u32,
}

/// A function of type `(count: i32) -> ()` that calls the export `export` of type
/// `ty` for each of `count` elements. An element is its parameters, laid out as
/// [`fields`](super::fields()) says; so are its results in the output.
///
/// # Panics
///
/// If `ty` has types other than `i32`, `i64`, `f32` and `f64`.
pub fn map_driver(export: &str, ty: &FuncType, batch: &Batch) -> Provider {
    module::provider(&map_module(export, ty, batch))
}

/// A function of type `(count: i32) -> ()` that calls the export `export` of type
/// `ty` for each of `count` elements. The first parameters are an accumulator, with
/// the types of the results, which become the accumulator of the next call; the
/// other parameters are an element. The accumulator is in the output, and is up to
/// date there after each call.
///
/// # Panics
///
/// If `ty` has types other than `i32`, `i64`, `f32` and `f64`, or if its parameters
/// do not begin with its results.
pub fn fold_driver(export: &str, ty: &FuncType, batch: &Batch) -> Provider {
    module::provider(&fold_module(export, ty, batch))
}

pub(super) fn map_module(export: &str, ty: &FuncType, batch: &Batch) -> Vec<u8> {
    Driver::new(ty, &ty.params, batch, Kind::Map).module(export, ty)
}

pub(super) fn fold_module(export: &str, ty: &FuncType, batch: &Batch) -> Vec<u8> {
    let rest = ty.params.strip_prefix(ty.results.as_slice());
    let rest = rest.expect("the parameters begin with the results");
    Driver::new(ty, rest, batch, Kind::Fold).module(export, ty)
}

/// Calls in a turn.
const CALLS: u32 = 8;

/// The parameter of a driver.
const COUNT: u32 = 0;
/// How many calls have returned.
const DONE: u32 = 1;
/// Where the next element is in the input.
const INPUT: u32 = 2;
/// Where the next results are in the output.
const OUTPUT: u32 = 3;
/// The first result of the last call.
const RESULTS: u32 = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    Fold,
}

struct Driver<'a> {
    kind: Kind,
    batch: &'a Batch,
    /// The parameters that are an element.
    element: &'a [ValType],
    results: &'a [ValType],
    element_fields: Fields,
    result_fields: Fields,
}

impl<'a> Driver<'a> {
    fn new(ty: &'a FuncType, element: &'a [ValType], batch: &'a Batch, kind: Kind) -> Driver<'a> {
        Driver {
            kind,
            batch,
            element,
            results: &ty.results,
            element_fields: fields(element),
            result_fields: fields(&ty.results),
        }
    }

    fn module(&self, export: &str, ty: &FuncType) -> Vec<u8> {
        let mut parts = Parts::default();
        let page = parts.page();
        let export = parts.guest_export(export, ty);
        let mut locals = vec![wasm_encoder::ValType::I32; (RESULTS - DONE) as usize];
        locals.extend(module::values(self.results));
        let mut body = Body::new(&locals);
        self.calls(&mut body.code(), page, export);
        let params = vec![wasm_encoder::ValType::I32];
        parts.function(FUNCTION, params, Vec::new(), body);
        parts.finish()
    }

    /// All calls. `progress` is right whenever one of them leaves.
    ///
    /// No register outlives a call, so that locals are stored and loaded around
    /// each: most calls are made several to a turn, which moves them once.
    fn calls(&self, code: &mut InstructionSink<'_>, page: Page, export: u32) {
        if self.kind == Kind::Fold {
            self.load_accumulator(code, page);
        }
        self.turns(code, page, export, CALLS);
        self.turns(code, page, export, 1);
        self.progress(code, page, 0);
    }

    /// Turns of `calls` calls each, while so many are left.
    fn turns(&self, code: &mut InstructionSink<'_>, page: Page, export: u32, calls: u32) {
        code.loop_(BlockType::Empty);
        code.local_get(COUNT).local_get(DONE).i32_sub();
        code.i32_const(calls as i32).i32_ge_u();
        code.if_(BlockType::Empty);
        for call in 0..calls {
            self.progress(code, page, call);
            self.call(code, page, export, call);
        }
        advance(code, DONE, calls);
        advance(code, INPUT, calls * self.element_fields.size);
        if self.kind == Kind::Map {
            advance(code, OUTPUT, calls * self.result_fields.size);
        }
        code.br(1);
        code.end().end();
    }

    /// Notes that so many more calls have returned than were counted.
    fn progress(&self, code: &mut InstructionSink<'_>, page: Page, more: u32) {
        code.i32_const(0).local_get(DONE);
        if more > 0 {
            code.i32_const(more as i32).i32_add();
        }
        code.i32_store(page.at(self.batch.progress.into(), 4));
    }

    /// One call, which is at this position in its turn.
    fn call(&self, code: &mut InstructionSink<'_>, page: Page, export: u32, position: u32) {
        if self.kind == Kind::Fold {
            for result in self.result_locals() {
                code.local_get(result);
            }
        }
        self.load_element(code, page, position * self.element_fields.size);
        code.call(export);
        for result in self.result_locals().rev() {
            code.local_set(result);
        }
        match self.kind {
            Kind::Map => self.store_results(code, page, position * self.result_fields.size),
            Kind::Fold => self.store_results(code, page, 0),
        }
    }

    fn load_element(&self, code: &mut InstructionSink<'_>, page: Page, base: u32) {
        for (ty, offset) in self.element.iter().zip(&self.element_fields.offsets) {
            code.local_get(INPUT);
            page.load(code, ty, place(self.batch.input, base + *offset));
        }
    }

    fn load_accumulator(&self, code: &mut InstructionSink<'_>, page: Page) {
        let places = self.results.iter().zip(&self.result_fields.offsets);
        for ((ty, offset), local) in places.zip(self.result_locals()) {
            code.local_get(OUTPUT);
            page.load(code, ty, place(self.batch.output, *offset));
            code.local_set(local);
        }
    }

    fn store_results(&self, code: &mut InstructionSink<'_>, page: Page, base: u32) {
        let places = self.results.iter().zip(&self.result_fields.offsets);
        for ((ty, offset), local) in places.zip(self.result_locals()) {
            code.local_get(OUTPUT).local_get(local);
            page.store(code, ty, place(self.batch.output, base + *offset));
        }
    }

    fn result_locals(&self) -> Range<u32> {
        RESULTS..RESULTS + self.results.len() as u32
    }
}

fn place(buffer: u32, offset: u32) -> u64 {
    u64::from(buffer) + u64::from(offset)
}

fn advance(code: &mut InstructionSink<'_>, local: u32, by: u32) {
    if by > 0 {
        code.local_get(local).i32_const(by as i32).i32_add();
        code.local_set(local);
    }
}
