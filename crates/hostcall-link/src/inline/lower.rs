//! Lowers a function's tree to Wasm operators.

mod bits;
mod cast;
mod checked;
mod code;
mod compare;
mod control;
mod divide;
mod memory;
mod multiply;
mod opcode;
mod operand;
mod select;

use wasm_encoder::{Instruction, ValType};

use super::BuildError;
use super::ast::{Binary, Function, LocalId, Node, Unary};
use super::range::{self, Range};
use super::scalar::Kind;
use super::usage::Usage;
use code::Code;
use opcode::Op;

/// What a function has to know of the module that it stands in.
pub(crate) struct Module {
    /// Whether the guest's memory has 64-bit addresses.
    pub(crate) wide: bool,
    pub(crate) page_size_log2: u32,
    pub(crate) guest_memory: u32,
    pub(crate) page_memory: u32,
    /// Where the states start in the host page.
    pub(crate) states: Vec<u32>,
    /// How many functions are imported.
    pub(crate) imports: u32,
    /// Parameters and results of the defined functions.
    pub(crate) types: Vec<Signature>,
}

/// The kinds of a function's parameters, and of its result.
pub(crate) type Signature = (Vec<Kind>, Option<Kind>);

/// A function's body.
pub(crate) struct Lowered {
    pub(crate) locals: Vec<ValType>,
    pub(crate) ops: Vec<Instruction<'static>>,
    /// What traps mean, by the ordinal of the operator.
    pub(crate) traps: Vec<(u32, &'static str)>,
}

struct Lower<'a> {
    module: &'a Module,
    function: &'a Function,
    usage: Usage,
    code: Code,
    /// The Wasm locals of the variables that have one.
    variables: Vec<Option<u32>>,
    /// What cannot be lowered: a call that does not fit.
    mismatch: Option<String>,
}

/// Lowers `function`. `lift`: it is called from the guest, so the bits above a
/// narrow parameter are anything.
pub(crate) fn lower(
    name: &str,
    function: &Function,
    module: &Module,
    lift: bool,
) -> Result<Lowered, BuildError> {
    let mut lower = Lower::new(function, module);
    if lift {
        lower.lift_params();
    }
    lower.block(&function.body);
    lower.finish(name)
}

impl<'a> Lower<'a> {
    fn new(function: &'a Function, module: &'a Module) -> Lower<'a> {
        let params = function.params;
        let variable = |local| (local < params).then_some(local);
        Lower {
            module,
            function,
            usage: Usage::of(function),
            code: Code::new(params),
            variables: (0..function.locals.len() as u32).map(variable).collect(),
            mismatch: None,
        }
    }

    /// Narrow parameters that are read become what their type allows.
    fn lift_params(&mut self) {
        for param in 0..self.function.params {
            let kind = self.function.locals[param as usize];
            if !kind.narrow() || self.usage.reads(param) == 0 {
                continue;
            }
            if self.usage.read_once(param) {
                self.usage.lift_at_read(param);
                continue;
            }
            self.emit(Instruction::LocalGet(param));
            self.normalise(kind);
            self.emit(Instruction::LocalSet(param));
        }
    }

    fn finish(self, name: &str) -> Result<Lowered, BuildError> {
        let function = || name.to_owned();
        if let Some(what) = self.mismatch {
            let function = function();
            return Err(BuildError::Mismatch { function, what });
        }
        let valued = self.function.body.value.is_some();
        if self.function.result.is_some() && !valued && !self.code.dead() {
            let function = function();
            return Err(BuildError::NoResult { function });
        }
        Ok(Lowered {
            locals: self.code.locals,
            ops: self.code.ops,
            traps: self.code.traps,
        })
    }

    fn emit(&mut self, op: Instruction<'static>) {
        self.code.emit(op);
    }

    /// An integer operator of the width that this kind has in Wasm.
    fn int(&mut self, kind: Kind, op: Op) {
        self.emit(opcode::int(wide(kind), op));
    }

    /// An integer constant of the width that this kind has in Wasm.
    fn constant(&mut self, kind: Kind, value: i128) {
        self.emit(opcode::constant(kind, value as u64));
    }

    /// What values `node` can have.
    fn range(&self, node: &Node) -> Range {
        range::range(node, self.function)
    }

    /// The Wasm local of a variable.
    fn variable(&mut self, local: LocalId) -> u32 {
        if let Some(index) = self.variables[local as usize] {
            return index;
        }
        let ty = self.function.locals[local as usize].wasm();
        let index = self.code.local(ty);
        self.variables[local as usize] = Some(index);
        index
    }

    /// Leaves the value of `node` on the stack.
    fn node(&mut self, node: &Node) {
        match node {
            Node::Const(kind, bits) => self.emit(opcode::constant(*kind, *bits)),
            Node::Get(local) => self.get(*local),
            Node::Unary(op, kind, a) => self.unary(*op, *kind, a),
            Node::Binary(op, kind, a, b) => self.binary(*op, *kind, a, b),
            Node::Shift(op, kind, by, a, amount) => self.shift(*op, *kind, *by, a, amount),
            Node::Cast(from, to, a) => {
                self.node(a);
                self.cast(*from, *to, self.range(a));
            }
            Node::Reinterpret(to, a) => {
                self.node(a);
                self.emit(cast::reinterpret(*to));
            }
            Node::Logic(op, a, b) => self.logic(*op, a, b),
            Node::Block(block) => self.block(block),
            Node::If(node) => self.if_(node),
            Node::Loop(node) => self.loop_(node),
            Node::Load(kind, place) => self.load(*kind, place),
            Node::Index { index, len, size } => self.index(index, *len, *size),
            Node::MemorySize => self.memory_size(),
            Node::Call(call) => self.call(call),
            Node::Never => self.code.unreachable(),
        }
    }

    /// A parameter as the guest passed it, or a variable.
    fn get_raw(&mut self, local: LocalId) {
        let index = self.variable(local);
        self.emit(Instruction::LocalGet(index));
    }

    fn get(&mut self, local: LocalId) {
        self.get_raw(local);
        if self.usage.lifted_at_read(local) {
            self.normalise(self.function.locals[local as usize]);
        }
    }

    fn unary(&mut self, op: Unary, kind: Kind, a: &Node) {
        match op {
            Unary::Not if kind == Kind::Bool => self.not_bool(a),
            Unary::IsNan => self.is_nan(kind, a),
            Unary::Signum => self.signum(kind, a),
            _ if kind.float() => self.float_unary(op, kind, a),
            Unary::Not => self.complement(kind, a),
            Unary::Neg => self.negate(kind, a),
            Unary::WrappingNeg => self.wrapping_negate(kind, a),
            Unary::Abs => self.abs(kind, a),
            Unary::WrappingAbs => self.wrapping_abs(kind, a),
            Unary::SwapBytes => self.swap_bytes(kind, a),
            _ => self.count_bits(op, kind, a),
        }
    }

    fn float_unary(&mut self, op: Unary, kind: Kind, a: &Node) {
        self.node(a);
        let op = opcode::float_unary(op, kind);
        self.emit(op.expect("floats have this operation"));
    }

    fn binary(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        use Binary::{Add, Div, Max, Min, Mul, Rem, Sub, WrappingDiv};
        match op {
            Min | Max => self.min_max(op, kind, a, b),
            Binary::Eq | Binary::Ne => self.equality(op, kind, a, b),
            _ if kind.float() => self.plain(op, kind, a, b),
            Add | Sub | Mul => self.checked(op, kind, a, b),
            Div => self.divide(kind, a, b),
            Rem | Binary::WrappingRem => self.remainder(op, kind, a, b),
            WrappingDiv => self.wrapping_divide(kind, a, b),
            _ => self.wrapping(op, kind, a, b),
        }
    }

    fn plain(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        self.node(a);
        self.node(b);
        self.emit(opcode::plain(op, kind));
    }

    fn wrapping(&mut self, op: Binary, kind: Kind, a: &Node, b: &Node) {
        self.plain(op, kind, a, b);
        if matches!(
            op,
            Binary::WrappingAdd | Binary::WrappingSub | Binary::WrappingMul
        ) {
            self.normalise(kind);
        }
    }

    /// Sign- or zero-extends the low bits of a narrow value to the `i32` that it
    /// lives in.
    fn normalise(&mut self, kind: Kind) {
        match kind {
            Kind::I8 => self.emit(Instruction::I32Extend8S),
            Kind::I16 => self.emit(Instruction::I32Extend16S),
            Kind::U8 | Kind::U16 => {
                self.constant(kind, kind.max());
                self.emit(Instruction::I32And);
            }
            Kind::Bool => {
                self.emit(Instruction::I32Const(0));
                self.emit(Instruction::I32Ne);
            }
            _ => {}
        }
    }
}

/// Whether values of this kind live in an `i64`.
fn wide(kind: Kind) -> bool {
    kind.wasm() == ValType::I64
}
