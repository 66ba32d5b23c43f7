//! The types of values in inline bodies, and the families they belong to.

use wasm_encoder::ValType;

/// How a scalar is represented. Narrow integers and `bool` live in an `i32`,
/// always sign- or zero-extended; `isize` and `usize` are 64 bits wide, since a
/// body has to mean the same on every host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl Kind {
    pub(crate) fn bits(self) -> u32 {
        match self {
            Kind::Bool => 1,
            Kind::I8 | Kind::U8 => 8,
            Kind::I16 | Kind::U16 => 16,
            Kind::I32 | Kind::U32 | Kind::F32 => 32,
            Kind::I64 | Kind::U64 | Kind::F64 => 64,
        }
    }

    pub(crate) fn bytes(self) -> u32 {
        self.bits().div_ceil(8)
    }

    pub(crate) fn signed(self) -> bool {
        matches!(self, Kind::I8 | Kind::I16 | Kind::I32 | Kind::I64)
    }

    pub(crate) fn float(self) -> bool {
        matches!(self, Kind::F32 | Kind::F64)
    }

    /// Whether the Wasm type has more bits than the scalar.
    pub(crate) fn narrow(self) -> bool {
        self.bits() < 32
    }

    pub(crate) fn wasm(self) -> ValType {
        match self {
            Kind::F32 => ValType::F32,
            Kind::F64 => ValType::F64,
            Kind::I64 | Kind::U64 => ValType::I64,
            _ => ValType::I32,
        }
    }

    /// The least integer of this kind.
    pub(crate) fn min(self) -> i128 {
        match self.signed() {
            true => -(1 << (self.bits() - 1)),
            false => 0,
        }
    }

    /// The greatest integer of this kind.
    pub(crate) fn max(self) -> i128 {
        match self.signed() {
            true => (1 << (self.bits() - 1)) - 1,
            false => (1 << self.bits()) - 1,
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type that values in inline bodies may have: an integer, a float, or
/// `bool`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a value in an inline body",
    label = "not an integer, a float or `bool`",
    note = "inline bodies compute with i8 to u64, isize, usize, f32, f64 and bool",
    note = "pass anything else through guest memory, or make this an ordinary host function by dropping `inline`"
)]
pub trait Scalar: sealed::Sealed + Copy + 'static {
    #[doc(hidden)]
    const KIND: Kind;
    /// Integers sign- or zero-extended to 64 bits, floats as their bits.
    #[doc(hidden)]
    fn encode(self) -> u64;
}

/// An integer or a float: what can be added, subtracted, multiplied, divided.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no arithmetic in inline bodies",
    label = "needs an integer or a float",
    note = "turn a `bool` into a number first: `flag as u32`"
)]
pub trait Num: Scalar {}

/// An integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an integer",
    label = "inline bodies have this for integers only",
    note = "cast a float first, as in `x as i64`, or take its bits with `x.to_bits()`"
)]
pub trait Int: Num + Bitwise {}

/// A type that has `%`: an integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `%` in inline bodies: Wasm has no remainder of floats",
    label = "needs an integer",
    note = "write `x - (x / y).trunc() * y` where its rounding is good enough"
)]
pub trait Remainder: Num {}

/// A signed integer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signed integer",
    label = "inline bodies have this for i8, i16, i32, i64 and isize"
)]
pub trait SignedInt: Int + Signed {
    /// The unsigned type of the same width.
    type Unsigned: Int;
}

/// A signed integer or a float: what can be negated.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no sign",
    label = "needs a signed integer or a float",
    note = "for unsigned integers write `x.wrapping_neg()`"
)]
pub trait Signed: Num {}

/// A float.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a float",
    label = "inline bodies have this for f32 and f64 only",
    note = "cast first, as in `x as f64`"
)]
pub trait Float: Signed {
    /// The unsigned integer of the same width.
    type Bits: Int;
    /// More than every number.
    const INFINITY: Self;
}

/// An integer or `bool`: what has `&`, `|`, `^` and `!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no bit operations in inline bodies",
    label = "needs an integer or `bool`",
    note = "work on the bits of a float: `x.to_bits()`, and `f64::from_bits(..)` to go back"
)]
pub trait Bitwise: Scalar {}

/// A type that memory holds: every integer of a fixed size, and the floats.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from or written to memory",
    label = "its bytes are not fixed",
    note = "use u8 instead of `bool`, and i32, u32, i64 or u64 instead of `isize` and `usize`"
)]
pub trait Stored: Scalar {}

/// An address in the guest's memory: `u32` or `u64`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an address in guest memory",
    label = "needs `u32` or `u64`",
    note = "give literals their type, as in `0_u32`, and cast other integers: `at as u32`"
)]
pub trait GuestAddress: Int {}

macro_rules! scalar {
    ($($ty:ty: $kind:ident, $encode:expr;)*) => {
        $(impl sealed::Sealed for $ty {}
        impl Scalar for $ty {
            const KIND: Kind = Kind::$kind;
            fn encode(self) -> u64 {
                let encode: fn($ty) -> u64 = $encode;
                encode(self)
            }
        })*
    };
}

scalar! {
    bool: Bool, |value| value.into();
    i8: I8, |value| value as i64 as u64;
    u8: U8, |value| value.into();
    i16: I16, |value| value as i64 as u64;
    u16: U16, |value| value.into();
    i32: I32, |value| value as i64 as u64;
    u32: U32, |value| value.into();
    i64: I64, |value| value as u64;
    u64: U64, |value| value;
    isize: I64, |value| value as i64 as u64;
    usize: U64, |value| value as u64;
    f32: F32, |value| value.to_bits().into();
    f64: F64, |value| value.to_bits();
}

macro_rules! family {
    ($($family:ident: $($ty:ty)*;)*) => {
        $($(impl $family for $ty {})*)*
    };
}

family! {
    Num: i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    Int: i8 u8 i16 u16 i32 u32 i64 u64 isize usize;
    Remainder: i8 u8 i16 u16 i32 u32 i64 u64 isize usize;
    Bitwise: bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize;
    Signed: i8 i16 i32 i64 isize f32 f64;
    Stored: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64;
    GuestAddress: u32 u64;
}

macro_rules! related {
    ($($family:ident $name:ident: $($ty:ty => $other:ty)*;)*) => {
        $($(impl $family for $ty {
            type $name = $other;
        })*)*
    };
}

related! {
    SignedInt Unsigned: i8 => u8 i16 => u16 i32 => u32 i64 => u64 isize => usize;
}

impl Float for f32 {
    type Bits = u32;
    const INFINITY: f32 = f32::INFINITY;
}

impl Float for f64 {
    type Bits = u64;
    const INFINITY: f64 = f64::INFINITY;
}
