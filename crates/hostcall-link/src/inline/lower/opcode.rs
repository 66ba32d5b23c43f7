//! Which Wasm operator does what to which type.

use wasm_encoder::{Instruction, MemArg, ValType};

use crate::inline::ast::{Binary, Shift, Unary};
use crate::inline::scalar::Kind;

macro_rules! by_width {
    ($(#[$doc:meta])* $name:ident($wide:ident) { $($case:ident: $narrow_op:ident $wide_op:ident),* $(,)? }) => {
        $(#[$doc])*
        pub(crate) fn $name($wide: bool, op: Op) -> Instruction<'static> {
            match (op, $wide) {
                $((Op::$case, false) => Instruction::$narrow_op,
                (Op::$case, true) => Instruction::$wide_op,)*
            }
        }

        /// Integer operators that both widths have.
        #[derive(Clone, Copy)]
        pub(crate) enum Op {
            $($case),*
        }
    };
}

by_width! {
    /// The integer operator for `i32`, or for `i64` if `wide`.
    int(wide) {
        Add: I32Add I64Add, Sub: I32Sub I64Sub, Mul: I32Mul I64Mul,
        DivS: I32DivS I64DivS, DivU: I32DivU I64DivU, RemS: I32RemS I64RemS, RemU: I32RemU I64RemU,
        And: I32And I64And, Or: I32Or I64Or, Xor: I32Xor I64Xor,
        Shl: I32Shl I64Shl, ShrS: I32ShrS I64ShrS, ShrU: I32ShrU I64ShrU,
        Rotl: I32Rotl I64Rotl, Rotr: I32Rotr I64Rotr,
        Clz: I32Clz I64Clz, Ctz: I32Ctz I64Ctz, Popcnt: I32Popcnt I64Popcnt,
        Eqz: I32Eqz I64Eqz, Eq: I32Eq I64Eq, Ne: I32Ne I64Ne,
        LtS: I32LtS I64LtS, LtU: I32LtU I64LtU, LeS: I32LeS I64LeS, LeU: I32LeU I64LeU,
        GtS: I32GtS I64GtS, GtU: I32GtU I64GtU, GeS: I32GeS I64GeS, GeU: I32GeU I64GeU,
    }
}

/// The operator that does a binary operation without any check, on this kind.
pub(crate) fn plain(op: Binary, kind: Kind) -> Instruction<'static> {
    if kind.float() {
        return float(op, kind == Kind::F64);
    }
    int(kind.wasm() == ValType::I64, int_op(op, kind.signed()))
}

fn int_op(op: Binary, signed: bool) -> Op {
    let by_sign = |s, u| if signed { s } else { u };
    match op {
        Binary::Add | Binary::WrappingAdd => Op::Add,
        Binary::Sub | Binary::WrappingSub => Op::Sub,
        Binary::Mul | Binary::WrappingMul => Op::Mul,
        Binary::Div | Binary::WrappingDiv => by_sign(Op::DivS, Op::DivU),
        Binary::Rem | Binary::WrappingRem => by_sign(Op::RemS, Op::RemU),
        Binary::And => Op::And,
        Binary::Or => Op::Or,
        Binary::Xor => Op::Xor,
        Binary::Eq => Op::Eq,
        Binary::Ne => Op::Ne,
        Binary::Min | Binary::Lt => by_sign(Op::LtS, Op::LtU),
        Binary::Le => by_sign(Op::LeS, Op::LeU),
        Binary::Max | Binary::Gt => by_sign(Op::GtS, Op::GtU),
        Binary::Ge => by_sign(Op::GeS, Op::GeU),
        Binary::Copysign => unreachable!("only floats have it"),
    }
}

fn float(op: Binary, wide: bool) -> Instruction<'static> {
    let by_width = |narrow, f64| if wide { f64 } else { narrow };
    match op {
        Binary::Add => by_width(Instruction::F32Add, Instruction::F64Add),
        Binary::Sub => by_width(Instruction::F32Sub, Instruction::F64Sub),
        Binary::Mul => by_width(Instruction::F32Mul, Instruction::F64Mul),
        Binary::Div => by_width(Instruction::F32Div, Instruction::F64Div),
        Binary::Copysign => by_width(Instruction::F32Copysign, Instruction::F64Copysign),
        Binary::Eq => by_width(Instruction::F32Eq, Instruction::F64Eq),
        Binary::Ne => by_width(Instruction::F32Ne, Instruction::F64Ne),
        Binary::Min | Binary::Lt => by_width(Instruction::F32Lt, Instruction::F64Lt),
        Binary::Le => by_width(Instruction::F32Le, Instruction::F64Le),
        Binary::Max | Binary::Gt => by_width(Instruction::F32Gt, Instruction::F64Gt),
        Binary::Ge => by_width(Instruction::F32Ge, Instruction::F64Ge),
        _ => unreachable!("only integers have it"),
    }
}

/// The operator of a float that does what the method does, if there is one.
pub(crate) fn float_unary(op: Unary, kind: Kind) -> Option<Instruction<'static>> {
    let by_width = |narrow, f64| Some(if kind == Kind::F64 { f64 } else { narrow });
    match op {
        Unary::Neg => by_width(Instruction::F32Neg, Instruction::F64Neg),
        Unary::Abs => by_width(Instruction::F32Abs, Instruction::F64Abs),
        Unary::Sqrt => by_width(Instruction::F32Sqrt, Instruction::F64Sqrt),
        Unary::Floor => by_width(Instruction::F32Floor, Instruction::F64Floor),
        Unary::Ceil => by_width(Instruction::F32Ceil, Instruction::F64Ceil),
        Unary::Trunc => by_width(Instruction::F32Trunc, Instruction::F64Trunc),
        Unary::RoundTiesEven => by_width(Instruction::F32Nearest, Instruction::F64Nearest),
        _ => None,
    }
}

/// The operator of a shift or rotation whose amount is within bounds.
pub(crate) fn shift(op: Shift, signed: bool) -> Op {
    match op {
        Shift::Left | Shift::WrappingLeft => Op::Shl,
        Shift::Right | Shift::WrappingRight if signed => Op::ShrS,
        Shift::Right | Shift::WrappingRight => Op::ShrU,
        Shift::RotateLeft => Op::Rotl,
        Shift::RotateRight => Op::Rotr,
    }
}

/// A constant of this kind.
pub(crate) fn constant(kind: Kind, bits: u64) -> Instruction<'static> {
    match kind.wasm() {
        ValType::I64 => Instruction::I64Const(bits as i64),
        ValType::F32 => Instruction::F32Const(f32::from_bits(bits as u32).into()),
        ValType::F64 => Instruction::F64Const(f64::from_bits(bits).into()),
        _ => Instruction::I32Const(bits as i32),
    }
}

/// A memory and an offset in it; the alignment is the natural one.
pub(crate) fn mem_arg(kind: Kind, memory: u32, offset: u32) -> MemArg {
    MemArg {
        offset: offset.into(),
        align: kind.bytes().trailing_zeros(),
        memory_index: memory,
    }
}

pub(crate) fn load(kind: Kind, arg: MemArg) -> Instruction<'static> {
    match kind {
        Kind::I8 => Instruction::I32Load8S(arg),
        Kind::U8 | Kind::Bool => Instruction::I32Load8U(arg),
        Kind::I16 => Instruction::I32Load16S(arg),
        Kind::U16 => Instruction::I32Load16U(arg),
        Kind::I32 | Kind::U32 => Instruction::I32Load(arg),
        Kind::I64 | Kind::U64 => Instruction::I64Load(arg),
        Kind::F32 => Instruction::F32Load(arg),
        Kind::F64 => Instruction::F64Load(arg),
    }
}

pub(crate) fn store(kind: Kind, arg: MemArg) -> Instruction<'static> {
    match kind {
        Kind::I8 | Kind::U8 | Kind::Bool => Instruction::I32Store8(arg),
        Kind::I16 | Kind::U16 => Instruction::I32Store16(arg),
        Kind::I32 | Kind::U32 => Instruction::I32Store(arg),
        Kind::I64 | Kind::U64 => Instruction::I64Store(arg),
        Kind::F32 => Instruction::F32Store(arg),
        Kind::F64 => Instruction::F64Store(arg),
    }
}
