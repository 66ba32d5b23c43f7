//! Bodies of functions: small, typed, and full of what is hard to move to
//! another place: early exits, locals that rely on being zero, loops, traps,
//! tail calls, recursion.

use arbitrary::{Result, Unstructured};
use wasm_encoder::{BlockType, Catch, Function, HeapType, Instruction, RefType, ValType};

use super::Signature;

/// What a body can refer to.
pub struct Surroundings {
    /// All functions of the module. Types have the same indices.
    pub functions: Vec<Signature>,
    /// Types, and whether they are mutable. The first, an `i32`, counts down
    /// with each call that could recur.
    pub globals: Vec<(ValType, bool)>,
    /// Whether most of what bodies do is to call.
    pub busy: bool,
    /// Whether table 0 holds all functions in order.
    pub table: bool,
    /// Whether vectors, exceptions and typed references may be used.
    pub vectors: bool,
}

pub fn body(
    u: &mut Unstructured<'_>,
    around: &Surroundings,
    signature: &Signature,
) -> Result<Function> {
    let mut writer = Writer {
        u,
        around,
        signature,
        out: Vec::new(),
        locals: signature.params.clone(),
        labels: vec![Label::Function],
        fuel: if around.busy { 150 } else { 40 },
    };
    match writer.u.int_in_range(0..=5)? {
        0 => writer.on_stack()?,
        1 => writer.wrapper()?,
        _ => writer.statements_and_results()?,
    }
    writer.out.push(Instruction::End);
    let declared = writer.locals[signature.params.len()..].iter();
    let mut function = Function::new_with_locals_types(declared.copied());
    for instruction in &writer.out {
        function.instruction(instruction);
    }
    Ok(function)
}

/// What a branch to a label takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    /// The results of the function.
    Function,
    Nothing,
    Value(ValType),
    /// Nothing; but it goes back.
    Loop,
}

struct Writer<'w, 'u> {
    u: &'w mut Unstructured<'u>,
    around: &'w Surroundings,
    signature: &'w Signature,
    out: Vec<Instruction<'static>>,
    locals: Vec<ValType>,
    labels: Vec<Label>,
    /// Statements and values that may still be nested.
    fuel: u32,
}

impl Writer<'_, '_> {
    fn emit(&mut self, instructions: impl IntoIterator<Item = Instruction<'static>>) {
        self.out.extend(instructions);
    }

    /// Takes the parameters in order and never touches one again.
    fn on_stack(&mut self) -> Result<()> {
        let params = self.signature.params.clone();
        let gets = (0u32..)
            .zip(&params)
            .map(|(local, _)| Instruction::LocalGet(local));
        self.out.extend(gets);
        let mut stack = params;
        while let Some(top) = stack.pop() {
            match (stack.last(), self.u.int_in_range(0..=3)?) {
                (Some(below), 0..=1) if *below == top && number(top) => {
                    let operator = self.binary(top)?;
                    self.emit([operator]);
                }
                (_, 2) => {
                    let local = self.declare(top);
                    self.emit([Instruction::LocalSet(local)]);
                }
                _ => self.emit([Instruction::Drop]),
            }
        }
        let declared = self.signature.params.len()..self.locals.len();
        for ty in self.signature.results.clone() {
            let mut same = declared.clone().filter(|local| self.locals[*local] == ty);
            match same.next() {
                Some(local) => self.emit([Instruction::LocalGet(local as u32)]),
                None => self.constant(ty)?,
            }
        }
        Ok(())
    }

    /// Calls a later function of the same type with its own arguments.
    fn wrapper(&mut self) -> Result<()> {
        let functions = self.around.functions.iter();
        let Some(last) = functions.clone().rposition(|it| it == self.signature) else {
            return self.results();
        };
        let first = functions.clone().position(|it| it == self.signature);
        if first == Some(last) {
            return self.statements_and_results();
        }
        // The last one is no wrapper of itself: it ends the chain.
        for local in 0..self.signature.params.len() as u32 {
            self.emit([Instruction::LocalGet(local)]);
        }
        let tail = self.u.arbitrary()?;
        self.guard(|writer| {
            writer.emit([Instruction::Unreachable]);
            Ok(())
        })?;
        self.emit([if tail {
            Instruction::ReturnCall(last as u32)
        } else {
            Instruction::Call(last as u32)
        }]);
        Ok(())
    }

    /// Does `otherwise` once calls that could recur are used up.
    fn guard(&mut self, otherwise: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.emit([
            Instruction::GlobalGet(0),
            Instruction::I32Const(1),
            Instruction::I32Sub,
            Instruction::GlobalSet(0),
            Instruction::GlobalGet(0),
            Instruction::I32Const(0),
            Instruction::I32LtS,
            Instruction::If(BlockType::Empty),
        ]);
        self.labels.push(Label::Nothing);
        otherwise(self)?;
        self.labels.pop();
        self.emit([Instruction::End]);
        Ok(())
    }

    fn statements_and_results(&mut self) -> Result<()> {
        self.statements()?;
        self.results()
    }

    fn statements(&mut self) -> Result<()> {
        let most = if self.around.busy { 8 } else { 4 };
        for _ in 0..self.u.int_in_range(0..=most)? {
            if self.fuel == 0 {
                break;
            }
            self.fuel -= 1;
            self.statement()?;
        }
        Ok(())
    }

    fn results(&mut self) -> Result<()> {
        let results = self.signature.results.clone();
        results.into_iter().try_for_each(|ty| self.value(ty))
    }

    fn statement(&mut self) -> Result<()> {
        if self.around.busy && self.u.ratio(1, 3)? {
            return if self.u.ratio(1, 4)? {
                self.tail_call()
            } else {
                self.call()
            };
        }
        match self.u.int_in_range(0..=17)? {
            0..=2 => self.set_local(),
            3 => self.set_global(),
            4 => self.if_else(),
            5 => self.block(),
            6 => self.bounded_loop(),
            7 | 8 => self.early_return(),
            9 => self.branch_out(),
            10 => self.trap(),
            11 | 16 => self.call(),
            17 if self.around.table => self.call_indirect(),
            12 => self.tail_call(),
            13 => self.table(),
            14 if self.around.vectors => self.try_table(),
            15 if self.around.vectors => self.call_ref(),
            _ => {
                let ty = self.any_type()?;
                self.value(ty)?;
                self.emit([Instruction::Drop]);
                Ok(())
            }
        }
    }

    fn any_type(&mut self) -> Result<ValType> {
        let mut types = vec![ValType::I32, ValType::I64, ValType::F32, ValType::F64];
        types.extend([ValType::EXTERNREF, ValType::FUNCREF]);
        types.extend(self.around.vectors.then_some(ValType::V128));
        self.u.choose(&types).copied()
    }

    fn declare(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    /// A local of this type, perhaps a new one, which is zero.
    fn local(&mut self, ty: ValType) -> Result<u32> {
        let locals = (0u32..).zip(&self.locals);
        let same: Vec<u32> = locals.filter(|(_, it)| **it == ty).map(|it| it.0).collect();
        if same.is_empty() || (self.locals.len() < 20 && self.u.ratio(1, 3)?) {
            return Ok(self.declare(ty));
        }
        self.u.choose(&same).copied()
    }

    fn set_local(&mut self) -> Result<()> {
        let ty = self.any_type()?;
        let local = self.local(ty)?;
        self.value(ty)?;
        self.emit([Instruction::LocalSet(local)]);
        Ok(())
    }

    fn set_global(&mut self) -> Result<()> {
        let globals = (0u32..).zip(&self.around.globals).skip(1);
        let mutable: Vec<(u32, ValType)> = globals
            .filter(|(_, (_, mutable))| *mutable)
            .map(|(global, (ty, _))| (global, *ty))
            .collect();
        if mutable.is_empty() {
            return Ok(());
        }
        let (global, ty) = *self.u.choose(&mutable)?;
        self.value(ty)?;
        self.emit([Instruction::GlobalSet(global)]);
        Ok(())
    }

    fn inside(&mut self, label: Label, body: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.labels.push(label);
        body(self)?;
        self.labels.pop();
        self.emit([Instruction::End]);
        Ok(())
    }

    fn condition(&mut self) -> Result<()> {
        self.value(ValType::I32)
    }

    fn if_else(&mut self) -> Result<()> {
        self.condition()?;
        let has_else = self.u.arbitrary()?;
        self.emit([Instruction::If(BlockType::Empty)]);
        self.inside(Label::Nothing, |writer| {
            writer.statements()?;
            if has_else {
                writer.emit([Instruction::Else]);
                writer.statements()?;
            }
            Ok(())
        })
    }

    fn block(&mut self) -> Result<()> {
        self.emit([Instruction::Block(BlockType::Empty)]);
        self.inside(Label::Nothing, |writer| {
            writer.statements()?;
            writer.condition()?;
            writer.emit([Instruction::BrIf(0)]);
            writer.statements()
        })
    }

    fn bounded_loop(&mut self) -> Result<()> {
        let counter = self.declare(ValType::I32);
        let rounds = self.u.int_in_range(1..=5)?;
        self.emit([
            Instruction::I32Const(rounds),
            Instruction::LocalSet(counter),
            Instruction::Loop(BlockType::Empty),
        ]);
        self.inside(Label::Loop, |writer| {
            writer.statements()?;
            writer.emit([
                Instruction::LocalGet(counter),
                Instruction::I32Const(1),
                Instruction::I32Sub,
                Instruction::LocalTee(counter),
                Instruction::BrIf(0),
            ]);
            Ok(())
        })
    }

    fn early_return(&mut self) -> Result<()> {
        self.condition()?;
        self.emit([Instruction::If(BlockType::Empty)]);
        let leave = self.u.arbitrary()?;
        self.inside(Label::Nothing, |writer| {
            writer.results()?;
            let depth = writer.labels.len() as u32 - 1;
            writer.emit([if leave {
                Instruction::Return
            } else {
                Instruction::Br(depth)
            }]);
            Ok(())
        })
    }

    /// A conditional branch to any label that fits.
    fn branch_out(&mut self) -> Result<()> {
        let depth = self.u.choose_index(self.labels.len())?;
        let label = self.labels[self.labels.len() - 1 - depth];
        let branch = Instruction::BrIf(depth as u32);
        match label {
            Label::Loop => Ok(()),
            Label::Nothing => {
                self.condition()?;
                self.emit([branch]);
                Ok(())
            }
            Label::Value(ty) => {
                self.value(ty)?;
                self.condition()?;
                self.emit([branch, Instruction::Drop]);
                Ok(())
            }
            Label::Function => {
                self.results()?;
                self.condition()?;
                self.emit([branch]);
                let drops = self.signature.results.iter().map(|_| Instruction::Drop);
                self.out.extend(drops);
                Ok(())
            }
        }
    }

    fn trap(&mut self) -> Result<()> {
        self.condition()?;
        self.emit([
            Instruction::I32Const(1234),
            Instruction::I32Eq,
            Instruction::If(BlockType::Empty),
            Instruction::Unreachable,
            Instruction::End,
        ]);
        Ok(())
    }

    fn arguments(&mut self, function: usize) -> Result<()> {
        let params = self.around.functions[function].params.clone();
        params.into_iter().try_for_each(|ty| self.value(ty))
    }

    fn call(&mut self) -> Result<()> {
        let function = self.u.choose_index(self.around.functions.len())?;
        self.leave_unless_calls_are_left()?;
        self.arguments(function)?;
        self.emit([Instruction::Call(function as u32)]);
        self.drop_results(function);
        Ok(())
    }

    fn call_indirect(&mut self) -> Result<()> {
        let function = self.u.choose_index(self.around.functions.len())?;
        self.leave_unless_calls_are_left()?;
        self.arguments(function)?;
        self.emit([
            Instruction::I32Const(function as i32),
            Instruction::CallIndirect {
                type_index: function as u32,
                table_index: 0,
            },
        ]);
        self.drop_results(function);
        Ok(())
    }

    fn leave_unless_calls_are_left(&mut self) -> Result<()> {
        self.guard(|writer| {
            writer.results()?;
            writer.emit([Instruction::Return]);
            Ok(())
        })
    }

    fn drop_results(&mut self, function: usize) {
        let drops = self.around.functions[function].results.iter();
        self.out.extend(drops.map(|_| Instruction::Drop));
    }

    fn tail_call(&mut self) -> Result<()> {
        let functions = self.around.functions.iter().enumerate();
        let same = functions.filter(|(_, it)| it.results == self.signature.results);
        let same: Vec<usize> = same.map(|it| it.0).collect();
        if same.is_empty() {
            return Ok(());
        }
        let function = *self.u.choose(&same)?;
        self.leave_unless_calls_are_left()?;
        self.condition()?;
        self.emit([Instruction::If(BlockType::Empty)]);
        self.inside(Label::Nothing, |writer| {
            writer.arguments(function)?;
            writer.emit([Instruction::ReturnCall(function as u32)]);
            Ok(())
        })
    }

    fn table(&mut self) -> Result<()> {
        self.emit([
            Instruction::Block(BlockType::Empty),
            Instruction::Block(BlockType::Empty),
        ]);
        self.labels.extend([Label::Nothing, Label::Nothing]);
        self.condition()?;
        let mut targets = vec![0, 1, 0];
        if self.signature.results.is_empty() {
            targets.push(self.labels.len() as u32 - 1);
        }
        self.emit([Instruction::BrTable(targets.into(), 1), Instruction::End]);
        self.labels.pop();
        self.statements()?;
        self.labels.pop();
        self.emit([Instruction::End]);
        Ok(())
    }

    fn try_table(&mut self) -> Result<()> {
        self.emit([Instruction::Block(BlockType::Empty)]);
        self.inside(Label::Nothing, |writer| {
            let catches = vec![Catch::All { label: 0 }];
            writer.emit([Instruction::TryTable(BlockType::Empty, catches.into())]);
            writer.inside(Label::Nothing, Self::statements)
        })
    }

    /// Calls an exported function through a reference.
    fn call_ref(&mut self) -> Result<()> {
        self.leave_unless_calls_are_left()?;
        self.arguments(0)?;
        self.emit([Instruction::RefFunc(0), Instruction::CallRef(0)]);
        self.drop_results(0);
        Ok(())
    }

    fn value(&mut self, ty: ValType) -> Result<()> {
        let choice = if self.fuel == 0 {
            0
        } else {
            self.u.int_in_range(0..=9)?
        };
        self.fuel = self.fuel.saturating_sub(1);
        match choice {
            0 => self.constant(ty),
            1..=4 => {
                let local = self.local(ty)?;
                self.emit([Instruction::LocalGet(local)]);
                Ok(())
            }
            5 => {
                let mut globals = (0u32..).zip(&self.around.globals);
                match globals.find(|(_, (it, _))| *it == ty) {
                    Some((global, _)) => {
                        self.emit([Instruction::GlobalGet(global)]);
                        Ok(())
                    }
                    None => self.constant(ty),
                }
            }
            6 if number(ty) => {
                self.value(ty)?;
                self.value(ty)?;
                let operator = self.binary(ty)?;
                self.emit([operator]);
                Ok(())
            }
            7 => self.choice(ty),
            8 => {
                self.emit([Instruction::Block(BlockType::Result(ty))]);
                self.inside(Label::Value(ty), |writer| {
                    writer.statements()?;
                    writer.value(ty)
                })
            }
            9 => {
                let local = self.local(ty)?;
                self.value(ty)?;
                self.emit([Instruction::LocalTee(local)]);
                Ok(())
            }
            _ => self.convert(ty),
        }
    }

    fn choice(&mut self, ty: ValType) -> Result<()> {
        self.value(ty)?;
        self.value(ty)?;
        self.condition()?;
        self.emit([match ty {
            ValType::Ref(_) => Instruction::TypedSelect(ty),
            _ => Instruction::Select,
        }]);
        Ok(())
    }

    fn constant(&mut self, ty: ValType) -> Result<()> {
        let small = self.u.int_in_range(-3..=9)?;
        let instruction = match ty {
            ValType::I32 if self.u.ratio(1, 8)? => Instruction::I32Const(self.u.arbitrary()?),
            ValType::I32 => Instruction::I32Const(small),
            ValType::I64 => Instruction::I64Const(small.into()),
            ValType::F32 => Instruction::F32Const((small as f32).into()),
            ValType::F64 => Instruction::F64Const(f64::from(small).into()),
            ValType::V128 => Instruction::V128Const(small.into()),
            ValType::Ref(RefType::EXTERNREF) => Instruction::RefNull(HeapType::EXTERN),
            ValType::Ref(_) => Instruction::RefNull(HeapType::FUNC),
        };
        self.emit([instruction]);
        Ok(())
    }

    fn binary(&mut self, ty: ValType) -> Result<Instruction<'static>> {
        use Instruction::*;
        let operators: &[Instruction<'static>] = match ty {
            ValType::I32 => &[
                I32Add, I32Sub, I32Mul, I32DivS, I32RemU, I32Xor, I32Shl, I32LtS,
            ],
            ValType::I64 => &[I64Add, I64Sub, I64Mul, I64DivU, I64RemS, I64And, I64Rotl],
            ValType::F32 => &[F32Add, F32Sub, F32Copysign],
            ValType::F64 => &[F64Add, F64Mul, F64Copysign],
            _ => &[V128Xor, I32x4Add],
        };
        self.u.choose(operators).cloned()
    }

    /// From a value of another type.
    fn convert(&mut self, ty: ValType) -> Result<()> {
        let (from, operator) = match ty {
            ValType::I32 if self.u.arbitrary()? => (ValType::EXTERNREF, Instruction::RefIsNull),
            ValType::I32 => (ValType::I64, Instruction::I32WrapI64),
            ValType::I64 if self.u.ratio(1, 4)? => (ValType::F64, Instruction::I64TruncF64S),
            ValType::I64 => (ValType::I32, Instruction::I64ExtendI32S),
            ValType::F32 => (ValType::I32, Instruction::F32ConvertI32S),
            ValType::F64 => (ValType::I64, Instruction::F64ConvertI64S),
            ValType::V128 => (ValType::I32, Instruction::I32x4Splat),
            _ => return self.constant(ty),
        };
        self.value(from)?;
        self.emit([operator]);
        Ok(())
    }
}

fn number(ty: ValType) -> bool {
    !matches!(ty, ValType::Ref(_))
}
