//! Comparisons, as values and as conditions, and clamping.

#![allow(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "`!` of comparisons is what is tested"
)]

mod inline_common;

use hostcall_link::inline::{and, eq, ge, gt, le, lit, lt, ne, not, or};
use inline_common::{Machine, Wire, binary, build, unary};

macro_rules! comparisons {
    ($($name:ident $function:ident $op:tt;)*) => {
        $(#[test]
        fn $name() {
            comparisons!(
                @types [bool i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64] $function $op
            );
        })*
    };
    (@types [$($ty:ty)*] $function:ident $op:tt) => {
        $(
        let what = concat!(stringify!($op), " of ", stringify!($ty));
        binary::<$ty, $ty, bool>(what, |a, b| $function(a, b), |a, b| a $op b);
        binary::<$ty, $ty, bool>(what, |a, b| not($function(a, b)), |a, b| !(a $op b));
        )*
    };
}

comparisons! {
    equal eq ==;
    not_equal ne !=;
    less lt <;
    less_or_equal le <=;
    greater gt >;
    greater_or_equal ge >=;
}

#[test]
fn conditions_choose_arms() {
    let mut machine = Machine::new(build(|b| {
        let (x, y) = (b.param::<i64>("x"), b.param::<u8>("y"));
        b.returns::<i32>();
        let n = b.local(lit(0));
        let bit = |cond, bit| b.if_(cond, || n.set(b, n.get() | lit(bit)));
        bit(ne(x.get(), lit(0)), 1);
        bit(eq(x.get(), lit(0)), 2);
        bit(ne(y.get(), lit(0)), 4);
        bit(eq(y.get(), lit(0)), 8);
        bit(not(ne(y.get(), lit(0))), 16);
        bit(not(and(ne(x.get(), lit(0)), lt(y.get(), lit(9)))), 32);
        bit(or(gt(x.get(), lit(7)), eq(lit(0), y.get())), 64);
        b.if_else(
            not(lt(x.get(), lit(3))),
            || (),
            || n.set(b, n.get() | lit(128)),
        );
        b.ret(n.get());
    }));
    for (x, y) in [
        (0, 0),
        (0, 1),
        (1, 0),
        (1_i64 << 32, 255_u8),
        (8, 9),
        (8, 8),
        (-1, 3),
    ] {
        let bit = |cond, bit| if cond { bit } else { 0 };
        let expected = bit(x != 0, 1)
            | bit(x == 0, 2)
            | bit(y != 0, 4)
            | bit(y == 0, 8 | 16)
            | bit(!(x != 0 && y < 9), 32)
            | bit(x > 7 || y == 0, 64)
            | bit(x < 3, 128);
        assert_eq!(machine.run(&[x.arg(), y.arg()]), Ok(expected), "{x} {y}");
    }
}

#[test]
fn flags_are_conditions() {
    unary::<bool, bool>("flag", |flag| and(flag, lit(true)), |flag| flag);
    unary::<bool, bool>("not flag", |flag| not(or(flag, lit(false))), |flag| !flag);
}
