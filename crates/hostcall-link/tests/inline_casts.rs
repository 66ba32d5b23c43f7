//! `as` is Rust's: it wraps, extends, rounds and saturates.

mod inline_common;

use hostcall_link::inline::{cast, from_bits};
use inline_common::unary;

macro_rules! casts {
    ($($name:ident $from:ty => $($to:ty)*;)*) => {
        $(#[test]
        fn $name() {
            $(unary::<$from, $to>(
                concat!(stringify!($from), " as ", stringify!($to)),
                |x| cast(x),
                #[allow(clippy::unnecessary_cast)]
                |x| x as $to,
            );)*
        })*
    };
}

casts! {
    from_bool bool => bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize;
    from_i8 i8 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_u8 u8 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_i16 i16 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_u16 u16 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_i32 i32 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_u32 u32 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_i64 i64 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_u64 u64 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_isize isize => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_usize usize => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_f32 f32 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
    from_f64 f64 => i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64;
}

#[test]
fn floats_as_bits() {
    unary::<f32, u32>("to_bits", |x| x.to_bits(), |x| x.to_bits());
    unary::<f64, u64>("to_bits", |x| x.to_bits(), |x| x.to_bits());
    unary::<u32, f32>("from_bits", from_bits::<f32>, f32::from_bits);
    unary::<u64, f64>("from_bits", from_bits::<f64>, f64::from_bits);
}
