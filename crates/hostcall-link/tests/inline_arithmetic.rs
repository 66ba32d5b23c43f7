//! Arithmetic of integers is Rust's, overflow included.

mod inline_common;

use hostcall_link::inline::{Expr, Num, Scalar};
use inline_common::{Machine, Wire, binary, build, identical, unary};

macro_rules! binary_tests {
    ($($name:ident [$($ty:ty)*] |$a:ident, $b:ident| $op:expr;)*) => {
        $(#[test]
        #[allow(clippy::redundant_closure_call)]
        fn $name() {
            $(binary::<$ty, $ty, $ty>(
                concat!(stringify!($op), " as ", stringify!($ty)),
                |$a, $b| $op,
                |$a, $b| $op,
            );)*
        }
        )*
    };
}

macro_rules! unary_tests {
    ($($name:ident [$($ty:ty)*] |$a:ident| $op:expr;)*) => {
        $(#[test]
        fn $name() {
            $(unary::<$ty, $ty>(
                concat!(stringify!($op), " as ", stringify!($ty)),
                |$a| $op,
                |$a| $op,
            );)*
        }
        )*
    };
}

binary_tests! {
    add [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a + b;
    sub [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a - b;
    mul [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a * b;
    div [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a / b;
    rem [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a % b;
    wrapping_add [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.wrapping_add(b);
    wrapping_sub [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.wrapping_sub(b);
    wrapping_mul [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.wrapping_mul(b);
    wrapping_div [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.wrapping_div(b);
    wrapping_rem [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.wrapping_rem(b);
    and [bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a & b;
    or [bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a | b;
    xor [bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a ^ b;
    min [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.min(b);
    max [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a, b| a.max(b);
}

unary_tests! {
    neg [i8 i16 i32 i64 isize] |a| -a;
    not [bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a| !a;
    wrapping_neg [i8 u8 i16 u16 i32 u32 i64 u64 isize usize] |a| a.wrapping_neg();
    abs [i8 i16 i32 i64 isize] |a| a.abs();
    wrapping_abs [i8 i16 i32 i64 isize] |a| a.wrapping_abs();
    signum [i8 i16 i32 i64 isize] |a| a.signum();
}

macro_rules! unsigned_abs {
    ($($ty:ty, $unsigned:ty;)*) => {
        #[test]
        fn unsigned_abs() {
            $(unary::<$ty, $unsigned>("unsigned_abs", |a| a.unsigned_abs(), |a| a.unsigned_abs());)*
        }
    };
}

unsigned_abs! { i8, u8; i16, u16; i32, u32; i64, u64; isize, usize; }

/// Products on both sides of the first one that overflows.
#[test]
fn products_next_to_the_bounds() {
    let mut signed = machine::<i64>(|a, b| a * b);
    let mut unsigned = machine::<u64>(|a, b| a * b);
    let operands = (1..64).flat_map(|bits| [-1, 0, 1].map(|by| (1_i128 << bits) + by));
    for a in operands.chain([3, 10, 1_000_000_007, 6_700_417, 4_294_967_291]) {
        for bound in [i128::from(i64::MAX), u64::MAX.into(), i64::MIN.into()] {
            for b in (-2_i128..=2).map(|by| bound / a + by) {
                for (a, b) in [(a, b), (-a, b), (a, -b), (-a, -b)] {
                    check_product::<i64>(&mut signed, a, b);
                    check_product::<u64>(&mut unsigned, a, b);
                }
            }
        }
    }
}

fn machine<T: Scalar + Num + Wire>(op: fn(Expr<T>, Expr<T>) -> Expr<T>) -> Machine {
    Machine::new(build(move |b| {
        let (x, y) = (b.param::<T>("x"), b.param::<T>("y"));
        b.returns::<T>();
        b.ret(op(x.get(), y.get()));
    }))
}

fn check_product<T>(machine: &mut Machine, a: i128, b: i128)
where
    T: Wire + TryFrom<i128>,
{
    let (Ok(x), Ok(y)) = (T::try_from(a), T::try_from(b)) else {
        return;
    };
    let expected = T::try_from(a * b).map_err(|_| "attempt to multiply with overflow".to_owned());
    let found = machine.run::<T>(&[x.arg(), y.arg()]);
    assert!(identical(&expected, &found), "{a} * {b}: {found:?}");
}
