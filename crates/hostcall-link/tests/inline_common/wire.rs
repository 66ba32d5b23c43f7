//! Scalars as Wasm values.

use wasmi::{F32, F64, Val};

use super::Outcome;

/// A type that goes into a body and comes out of it.
pub trait Wire: Sized + Copy + PartialEq + std::fmt::Debug + 'static {
    const RESULTS: usize = 1;
    /// As an argument; narrow integers with dirt in the high bits.
    fn arg(self) -> Val;
    fn from_results(results: &[Val]) -> Self;
    /// Whether both are the same, bit for bit; NaNs are alike.
    fn same(self, other: Self) -> bool {
        self == other
    }
}

impl Wire for () {
    const RESULTS: usize = 0;
    fn arg(self) -> Val {
        unreachable!("not an argument")
    }
    fn from_results(_: &[Val]) {}
}

impl Wire for bool {
    fn arg(self) -> Val {
        Val::I32(if self { 0x100 } else { 0 })
    }
    fn from_results(results: &[Val]) -> bool {
        match results {
            [Val::I32(0)] => false,
            [Val::I32(1)] => true,
            other => panic!("not a bool: {other:?}"),
        }
    }
}

macro_rules! wire {
    ($($ty:ty: $val:ident $wide:ty, $arg:expr;)*) => {
        $(impl Wire for $ty {
            fn arg(self) -> Val {
                let arg: fn($ty) -> $wide = $arg;
                Val::$val(arg(self))
            }
            fn from_results(results: &[Val]) -> $ty {
                match results {
                    // Results are sign- or zero-extended.
                    [Val::$val(value)] if *value == *value as $ty as $wide => *value as $ty,
                    other => panic!("not of this type: {other:?}"),
                }
            }
        })*
    };
}

wire! {
    i8: I32 i32, |x| i32::from(x) ^ 0x55aa_5500;
    u8: I32 i32, |x| i32::from(x) ^ 0x55aa_5500;
    i16: I32 i32, |x| i32::from(x) ^ 0x55aa_0000;
    u16: I32 i32, |x| i32::from(x) ^ 0x55aa_0000;
    i32: I32 i32, |x| x;
    u32: I32 i32, |x| x as i32;
    i64: I64 i64, |x| x;
    u64: I64 i64, |x| x as i64;
    isize: I64 i64, |x| x as i64;
    usize: I64 i64, |x| x as i64;
}

macro_rules! float {
    ($($ty:ty: $val:ident $wrap:ident;)*) => {
        $(impl Wire for $ty {
            fn arg(self) -> Val {
                Val::$val($wrap::from_bits(self.to_bits()))
            }
            fn from_results(results: &[Val]) -> $ty {
                match results {
                    [Val::$val(value)] => <$ty>::from_bits(value.to_bits()),
                    other => panic!("not of this type: {other:?}"),
                }
            }
            fn same(self, other: $ty) -> bool {
                self.to_bits() == other.to_bits() || self.is_nan() && other.is_nan()
            }
        })*
    };
}

float! {
    f32: F32 F32;
    f64: F64 F64;
}

/// Whether both forms of a body came to the same.
pub fn identical<R: Wire>(a: &Outcome<R>, b: &Outcome<R>) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a.same(*b),
        (a, b) => a.as_ref().err() == b.as_ref().err(),
    }
}
