//! Shifts, rotations and counts of bits are Rust's.

mod inline_common;

use inline_common::{binary, unary};

macro_rules! shift_tests {
    ($($name:ident by [$($by:ty)*] of $types:tt |$a:ident, $n:ident| $op:expr;)*) => {
        $(#[test]
        fn $name() {
            $(shift_tests!(@by $by, $types, |$a, $n| $op);)*
        })*
    };
    (@by $by:ty, [$($ty:ty)*], |$a:ident, $n:ident| $op:expr) => {
        $(binary::<$ty, $by, $ty>(
            concat!(stringify!($op), " as ", stringify!($ty), " by ", stringify!($by)),
            |$a, $n| $op,
            |$a, $n| $op,
        );)*
    };
}

shift_tests! {
    shl by [i32 u8 u32 i64 i8] of [i8 u8 i16 u16 i32 u32 i64 u64 usize] |a, n| a << n;
    shr by [i32 u16 u64 isize] of [i8 u8 i16 u16 i32 u32 i64 u64 isize] |a, n| a >> n;
    wrapping_shl by [u32] of [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, n| a.wrapping_shl(n);
    wrapping_shr by [u32] of [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, n| a.wrapping_shr(n);
    rotate_left by [u32] of [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, n| a.rotate_left(n);
    rotate_right by [u32] of [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, n| a.rotate_right(n);
}

macro_rules! counts {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            counts!(@types $name i8 u8 i16 u16 i32 u32 i64 u64 isize usize);
        })*
    };
    (@types $name:ident $($ty:ty)*) => {
        $(unary::<$ty, u32>(
            concat!(stringify!($ty), "::", stringify!($name)),
            |a| a.$name(),
            |a| a.$name(),
        );)*
    };
}

counts! {
    count_ones count_zeros leading_zeros leading_ones trailing_zeros trailing_ones
}

macro_rules! swaps {
    ($($ty:ty)*) => {
        #[test]
        fn swap_bytes() {
            $(unary::<$ty, $ty>("swap_bytes", |a| a.swap_bytes(), |a| a.swap_bytes());)*
        }
    };
}

swaps! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }
