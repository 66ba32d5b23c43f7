//! Checks that are left out would never have found anything.

mod inline_common;

use hostcall_link::inline::{Expr, cast, lit};
use inline_common::{binary, unary};

fn widened(x: Expr<u32>) -> Expr<u64> {
    cast(x)
}

#[test]
fn widened_operands() {
    binary::<u32, u32, u64>(
        "*",
        |a, b| widened(a) * widened(b),
        |a, b| a as u64 * b as u64,
    );
    binary::<u32, u32, u64>(
        "* +",
        |a, b| widened(a) * widened(b) + lit(0x1_ffff_fffe),
        |a, b| a as u64 * b as u64 + 0x1_ffff_fffe,
    );
    binary::<u32, u32, u64>(
        "- may still overflow",
        |a, b| widened(a) - widened(b),
        |a, b| a as u64 - b as u64,
    );
    binary::<i32, i32, i64>(
        "signed *",
        |a, b| cast::<_, i64>(a) * cast::<_, i64>(b),
        |a, b| a as i64 * b as i64,
    );
    binary::<i8, i8, i16>(
        "narrow *",
        |a, b| cast::<_, i16>(a) * cast::<_, i16>(b),
        |a, b| a as i16 * b as i16,
    );
    unary::<i32, i64>("neg", |a| -cast::<_, i64>(a), |a| -(a as i64));
}

#[test]
fn masked_operands() {
    binary::<u32, u32, u32>("shift", |a, b| a << (b & lit(31)), |a, b| a << (b & 31));
    binary::<u64, u64, u64>(
        "one too many",
        |a, b| a << (b & lit(64)),
        |a, b| a << (b & 64),
    );
    binary::<i32, i32, i32>(
        "signed mask",
        |a, b| (a & lit(0xffff)) * (b & lit(0x7fff)),
        |a, b| (a & 0xffff) * (b & 0x7fff),
    );
    binary::<u8, u8, u8>(
        "or",
        |a, b| (a >> lit(4) | lit(8)) + (b >> lit(1) ^ lit(3)),
        |a, b| (a >> 4 | 8) + (b >> 1 ^ 3),
    );
    binary::<u32, u32, u32>(
        "mask is too wide",
        |a, b| (a & lit(0x7fff_ffff)) + (b | lit(1)),
        |a, b| (a & 0x7fff_ffff) + (b | 1),
    );
    unary::<u64, u8>("cast", |a| cast(a & lit(0x7f)), |a| (a & 0x7f) as u8);
    unary::<u64, i8>("cast", |a| cast(a & lit(0xff)), |a| (a & 0xff) as i8);
    unary::<i64, i16>("cast", |a| cast(a >> lit(49)), |a| (a >> 49) as i16);
}

#[test]
fn quotients_and_remainders() {
    binary::<u32, u32, u32>(
        "rem +",
        |a, b| a % lit(1000) + lit(1 << 20) % (b / lit(1000) % lit(7) + lit(1)),
        |a, b| a % 1000 + (1 << 20) % (b / 1000 % 7 + 1),
    );
    binary::<i32, i32, i32>(
        "safe division",
        |a, b| a / (b >> lit(1) & lit(7) | lit(1)),
        |a, b| a / (b >> 1 & 7 | 1),
    );
    binary::<i32, i32, i32>(
        "safe remainder",
        |a, b| (a >> lit(1)) % (b | lit(7)),
        |a, b| (a >> 1) % (b | 7),
    );
    binary::<i32, i32, i32>(
        "signed rem",
        |a, b| (a % lit(46341)) * (b % lit(46341)),
        |a, b| (a % 46341) * (b % 46341),
    );
    binary::<u16, u16, u16>(
        "min max",
        |a, b| a.min(lit(255)) * b.max(lit(3)).min(lit(257)),
        |a, b| a.min(255) * b.clamp(3, 257),
    );
    unary::<u64, u32>(
        "counts",
        |a| a.count_ones() * lit(67_108_863),
        |a| a.count_ones() * 67_108_863,
    );
}
