//! Encodes the bodies of providers: as functions of the linked module, and as
//! what stands at call sites.

use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{BlockType, Encode, Instruction};
use wasmparser::{BinaryReader, Operator, OperatorsReader};

use super::RewriteError;
use super::decide::Decision;
use super::number::Numbers;
use super::pool::Pool;
use super::resolve::{Graph, Target};
use super::template::{Template, ValTypes};
use super::types::TypeSpace;
use crate::{ParseError, Provider};

pub(super) const LOCAL_GET: u8 = 0x20;
pub(super) const LOCAL_SET: u8 = 0x21;
pub(super) const LOCAL_TEE: u8 = 0x22;

/// What encoding a body needs to know.
pub(super) struct Expander<'e, 'g, 'a> {
    pub(super) graph: &'e Graph<'a>,
    pub(super) decisions: &'e [Decision],
    pub(super) numbers: &'e Numbers,
    pub(super) types: &'e mut TypeSpace<'g>,
    /// The types of the locals of all templates so far.
    pub(super) values: ValTypes,
}

impl Expander<'_, '_, '_> {
    /// What stands at a call site of `node`: its arguments are on the stack
    /// before, its results after.
    pub(super) fn call_site(&mut self, node: u32) -> Result<Template, RewriteError> {
        let mut encoder = Encoder::new(self);
        encoder.expansion(node)?;
        Ok(encoder.finish())
    }

    /// The code of `node` as a function, up to its final `end`.
    pub(super) fn function(&mut self, node: u32) -> Result<Template, RewriteError> {
        let mut encoder = Encoder::new(self);
        encoder.function(node)?;
        Ok(encoder.finish())
    }
}

/// What leaving a body means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    Return,
    /// A branch out of the block that the body stands in.
    Branch,
}

struct Encoder<'c, 'e, 'g, 'a> {
    context: &'c mut Expander<'e, 'g, 'a>,
    pool: Pool,
    out: Template,
}

impl<'c, 'e, 'g, 'a> Encoder<'c, 'e, 'g, 'a> {
    fn new(context: &'c mut Expander<'e, 'g, 'a>) -> Self {
        Encoder {
            context,
            pool: Pool::default(),
            out: Template::default(),
        }
    }

    fn finish(mut self) -> Template {
        (self.out.locals, self.out.needs) = self.pool.finish();
        self.out
    }

    fn function(&mut self, node: u32) -> Result<(), RewriteError> {
        let mut locals = Vec::new();
        for ty in self.context.graph.signature(node).params() {
            let ty = self.value_type(node, *ty)?;
            locals.push(self.pool.parameter(ty));
        }
        self.declared(node, &mut locals)?;
        self.operators(node, Exit::Return, &locals)?;
        self.emit(&Instruction::End);
        Ok(())
    }

    fn expansion(&mut self, node: u32) -> Result<(), RewriteError> {
        let mark = self.pool.mark();
        let graph = self.context.graph;
        let takes_stack = graph.function(node).facts.takes_stack;
        let mut locals = self.parameters(node, takes_stack)?;
        self.declared(node, &mut locals)?;
        self.reset(node, &locals)?;
        if takes_stack {
            self.operators(node, Exit::Branch, &locals)?;
        } else {
            self.out.has_blocks = true;
            let block = self.block_type(node)?;
            self.emit(&Instruction::Block(block));
            self.operators(node, Exit::Branch, &locals)?;
            self.emit(&Instruction::End);
        }
        self.pool.release(&mark);
        Ok(())
    }

    /// Takes the arguments off the stack, unless the body does so itself.
    fn parameters(&mut self, node: u32, on_stack: bool) -> Result<Vec<u32>, RewriteError> {
        let params = self.context.graph.signature(node).params();
        if on_stack {
            // Nothing refers to them.
            return Ok(vec![u32::MAX; params.len()]);
        }
        let mut locals = Vec::new();
        for ty in params {
            let ty = self.value_type(node, *ty)?;
            locals.push(self.pool.take(ty));
        }
        for local in locals.iter().rev() {
            self.out.local(LOCAL_SET, *local);
        }
        Ok(locals)
    }

    fn declared(&mut self, node: u32, locals: &mut Vec<u32>) -> Result<(), RewriteError> {
        for ty in &self.context.graph.function(node).locals {
            let ty = self.value_type(node, *ty)?;
            locals.push(self.pool.take(ty));
        }
        Ok(())
    }

    /// Sets to zero what the body may read before it writes it: an expansion
    /// before may have left something there.
    fn reset(&mut self, node: u32, locals: &[u32]) -> Result<(), RewriteError> {
        let function = self.context.graph.function(node);
        let declared = &locals[locals.len() - function.locals.len()..];
        let resets = function.facts.resets.iter().zip(&function.locals);
        for ((reset, ty), local) in resets.zip(declared) {
            if *reset {
                let zero = self.zero(node, *ty)?;
                self.emit(&zero);
                self.out.local(LOCAL_SET, *local);
            }
        }
        Ok(())
    }

    fn zero(
        &mut self,
        node: u32,
        ty: wasmparser::ValType,
    ) -> Result<Instruction<'static>, RewriteError> {
        Ok(match ty {
            wasmparser::ValType::I32 => Instruction::I32Const(0),
            wasmparser::ValType::I64 => Instruction::I64Const(0),
            wasmparser::ValType::F32 => Instruction::F32Const(0.0.into()),
            wasmparser::ValType::F64 => Instruction::F64Const(0.0.into()),
            wasmparser::ValType::V128 => Instruction::V128Const(0),
            wasmparser::ValType::Ref(ty) => {
                let heap = self.remap(node).heap_type(ty.heap_type());
                Instruction::RefNull(heap.map_err(failed)?)
            }
        })
    }

    fn block_type(&mut self, node: u32) -> Result<BlockType, RewriteError> {
        match self.context.graph.signature(node).results() {
            [] => Ok(BlockType::Empty),
            [one] => {
                let ty = self.remap(node).val_type(*one).map_err(failed)?;
                Ok(BlockType::Result(ty))
            }
            many => {
                let ty = wasmparser::FuncType::new([], many.iter().copied());
                Ok(BlockType::FunctionType(self.context.types.intern(&ty)))
            }
        }
    }

    fn value_type(&mut self, node: u32, ty: wasmparser::ValType) -> Result<u32, RewriteError> {
        let ty = self.remap(node).val_type(ty).map_err(failed)?;
        Ok(self.context.values.intern(ty))
    }

    fn operators(&mut self, node: u32, exit: Exit, locals: &[u32]) -> Result<(), RewriteError> {
        let graph = self.context.graph;
        let provider = self.provider(node);
        let function = graph.function(node);
        let body = &provider.bytes[function.operators.clone()];
        let reader = BinaryReader::new(body, function.operators.start);
        let mut reader = OperatorsReader::new(reader);
        let mut place = Place {
            node,
            exit,
            locals,
            depth: 0,
            call: 0,
            reference: 0,
        };
        let on_stack = exit == Exit::Branch && function.facts.takes_stack;
        let skipped = if on_stack {
            graph.signature(node).params().len()
        } else {
            0
        };
        for ordinal in 0..function.facts.operators {
            let operator = reader.read()?;
            if ordinal < skipped as u32 {
                continue;
            }
            self.note_trap(provider, node, ordinal);
            self.operator(&mut place, operator)?;
        }
        Ok(())
    }

    fn note_trap(&mut self, provider: &Provider, node: u32, ordinal: u32) {
        let function = self.context.graph.nodes[node as usize].function;
        if let Some(message) = provider.traps.get(&(function, ordinal)) {
            self.out.trap(message);
        }
    }

    fn operator(
        &mut self,
        place: &mut Place<'_>,
        operator: Operator<'_>,
    ) -> Result<(), RewriteError> {
        place.track(&operator);
        self.out.has_blocks |= place.depth > 0;
        match operator {
            Operator::LocalGet { local_index } => self.local(place, LOCAL_GET, local_index),
            Operator::LocalSet { local_index } => self.local(place, LOCAL_SET, local_index),
            Operator::LocalTee { local_index } => self.local(place, LOCAL_TEE, local_index),
            Operator::Call { .. } => self.call(place, false)?,
            Operator::ReturnCall { .. } => self.call(place, true)?,
            Operator::RefFunc { .. } => self.reference(place),
            Operator::Return if place.exit == Exit::Branch => self.leave(place),
            Operator::ReturnCallRef { type_index } if place.exit == Exit::Branch => {
                self.copy(place.node, Operator::CallRef { type_index })?;
                self.leave(place);
            }
            other => self.copy(place.node, other)?,
        }
        Ok(())
    }

    fn local(&mut self, place: &Place<'_>, opcode: u8, local: u32) {
        self.out.local(opcode, place.locals[local as usize]);
    }

    fn copy(&mut self, node: u32, operator: Operator<'_>) -> Result<(), RewriteError> {
        let instruction = self.remap(node).instruction(operator).map_err(failed)?;
        self.emit(&instruction);
        Ok(())
    }

    fn leave(&mut self, place: &Place<'_>) {
        match place.exit {
            Exit::Return => self.emit(&Instruction::Return),
            Exit::Branch => self.emit(&Instruction::Br(place.depth)),
        }
    }

    fn call(&mut self, place: &mut Place<'_>, is_tail: bool) -> Result<(), RewriteError> {
        let ordinal = place.call;
        place.call += 1;
        let nested = self.context.decisions[place.node as usize].nested[ordinal];
        let target = self.context.graph.nodes[place.node as usize].calls[ordinal];
        match target {
            Target::Node { node, .. } if nested => self.expansion(node)?,
            _ => {
                let function = self.context.numbers.target(target);
                if is_tail && place.exit == Exit::Return {
                    self.emit(&Instruction::ReturnCall(function));
                    return Ok(());
                }
                self.emit(&Instruction::Call(function));
            }
        }
        if is_tail {
            self.leave(place);
        }
        Ok(())
    }

    fn reference(&mut self, place: &mut Place<'_>) {
        let target = self.context.graph.nodes[place.node as usize].refs[place.reference];
        place.reference += 1;
        let function = self.context.numbers.target(target);
        self.emit(&Instruction::RefFunc(function));
    }

    fn emit(&mut self, instruction: &Instruction<'_>) {
        self.out.bytes(|bytes| instruction.encode(bytes));
    }

    fn provider(&self, node: u32) -> &'a Provider {
        let node = &self.context.graph.nodes[node as usize];
        self.context.graph.providers[node.provider]
    }

    fn remap(&mut self, node: u32) -> Remap<'_, 'g> {
        let provider = self.context.graph.nodes[node as usize].provider;
        Remap {
            provider: self.context.graph.providers[provider],
            first_global: self.context.numbers.first_globals[provider],
            numbers: self.context.numbers,
            types: self.context.types,
        }
    }
}

/// Where in a body encoding stands.
struct Place<'p> {
    node: u32,
    exit: Exit,
    /// The template's number of each local of the body.
    locals: &'p [u32],
    /// Open blocks of the body itself.
    depth: u32,
    /// Direct calls so far.
    call: usize,
    /// References to functions so far.
    reference: usize,
}

impl Place<'_> {
    fn track(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => self.depth += 1,
            Operator::End | Operator::Delegate { .. } => self.depth -= 1,
            _ => {}
        }
    }
}

/// The indices of a provider's operators and types, in the linked module.
///
/// Functions are not here: a body's calls have been resolved one by one.
pub(super) struct Remap<'r, 'g> {
    pub(super) provider: &'r Provider,
    pub(super) first_global: u32,
    pub(super) numbers: &'r Numbers,
    pub(super) types: &'r mut TypeSpace<'g>,
}

impl Reencode for Remap<'_, '_> {
    type Error = Infallible;

    fn type_index(&mut self, index: u32) -> Result<u32, reencode::Error> {
        Ok(self.types.intern(&self.provider.types[index as usize]))
    }

    fn global_index(&mut self, index: u32) -> Result<u32, reencode::Error> {
        Ok(self.first_global + index)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error> {
        let memory = &self.provider.memories[index as usize];
        Ok(self.numbers.memory(memory.source))
    }
}

/// What has been validated can be encoded; this says so when it cannot.
pub(super) fn failed(error: reencode::Error) -> RewriteError {
    match error {
        reencode::Error::ParseError(error) => error.into(),
        other => ParseError::new(0, other.to_string()).into(),
    }
}
