//! Which casts with `as` there are.

use super::scalar::Scalar;

/// `self as U` is allowed in inline bodies.
#[diagnostic::on_unimplemented(
    message = "`{Self} as {U}` is not possible in an inline body",
    label = "no such cast",
    note = "from a number to `bool` compare: `x != 0`; from `bool` to a float go through an integer: `x as u8 as f64`"
)]
pub trait CastTo<U: Scalar>: Scalar {}

macro_rules! casts {
    ($($from:ty => $($to:ty)*;)*) => {
        $($(impl CastTo<$to> for $from {})*)*
    };
}

macro_rules! casts_to_numbers {
    ($($from:ty)*) => {
        $(casts! { $from => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64; })*
    };
}

casts_to_numbers! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64 }

casts! {
    bool => bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize;
}
