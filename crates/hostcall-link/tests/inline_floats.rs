//! Floats compute as in Rust.

mod inline_common;

use inline_common::{binary, unary};

macro_rules! binary_tests {
    ($($name:ident |$a:ident, $b:ident| $op:expr;)*) => {
        $(#[test]
        fn $name() {
            binary::<f32, f32, f32>(stringify!($op), |$a, $b| $op, |$a, $b| $op);
            binary::<f64, f64, f64>(stringify!($op), |$a, $b| $op, |$a, $b| $op);
        })*
    };
}

binary_tests! {
    add |a, b| a + b;
    sub |a, b| a - b;
    mul |a, b| a * b;
    div |a, b| a / b;
    copysign |a, b| a.copysign(b);
}

macro_rules! unary_tests {
    ($($name:ident -> $r32:ty, $r64:ty: |$a:ident| $op:expr;)*) => {
        $(#[test]
        fn $name() {
            unary::<f32, $r32>(stringify!($op), |$a| $op, |$a| $op);
            unary::<f64, $r64>(stringify!($op), |$a| $op, |$a| $op);
        })*
    };
}

unary_tests! {
    neg -> f32, f64: |a| -a;
    abs -> f32, f64: |a| a.abs();
    sqrt -> f32, f64: |a| a.sqrt();
    floor -> f32, f64: |a| a.floor();
    ceil -> f32, f64: |a| a.ceil();
    trunc -> f32, f64: |a| a.trunc();
    round_ties_even -> f32, f64: |a| a.round_ties_even();
    signum -> f32, f64: |a| a.signum();
    is_nan -> bool, bool: |a| a.is_nan();
    is_finite -> bool, bool: |a| a.is_finite();
    is_infinite -> bool, bool: |a| a.is_infinite();
}

/// What `messages` says of `min` and `max`, which Rust leaves open for zeros.
#[test]
fn min_and_max() {
    macro_rules! test {
        ($($ty:ty)*) => {
            $(binary::<$ty, $ty, $ty>(
                "min",
                |a, b| a.min(b),
                |a, b| if a < b || b.is_nan() { a } else { b },
            );
            binary::<$ty, $ty, $ty>(
                "max",
                |a, b| a.max(b),
                |a, b| if a > b || b.is_nan() { a } else { b },
            );)*
        };
    }
    test!(f32 f64);
}

/// Apart from the sign of zero, it is what Rust's own methods give.
#[test]
fn min_and_max_are_those_of_rust() {
    macro_rules! test {
        ($($ty:ty)*) => {
            $(binary::<$ty, $ty, $ty>("min", |a, b| a.min(b) + zero(), |a, b| a.min(b) + 0.0);
            binary::<$ty, $ty, $ty>("max", |a, b| a.max(b) + zero(), |a, b| a.max(b) + 0.0);)*
        };
    }
    fn zero<T: hostcall_link::inline::Float + Zero>() -> hostcall_link::inline::Expr<T> {
        hostcall_link::inline::lit(T::ZERO)
    }
    test!(f32 f64);
}

trait Zero {
    const ZERO: Self;
}

impl Zero for f32 {
    const ZERO: f32 = 0.0;
}

impl Zero for f64 {
    const ZERO: f64 = 0.0;
}
