//! Values at which arithmetic goes wrong.

use proptest::prelude::*;

pub trait Edges: Sized + Copy + 'static {
    fn edges() -> Vec<Self>;
    fn random() -> BoxedStrategy<Self>;

    /// Mostly edges.
    fn values() -> BoxedStrategy<Self>
    where
        Self: std::fmt::Debug,
    {
        prop_oneof![prop::sample::select(Self::edges()), Self::random()].boxed()
    }
}

impl Edges for bool {
    fn edges() -> Vec<bool> {
        vec![false, true]
    }
    fn random() -> BoxedStrategy<bool> {
        any::<bool>().boxed()
    }
}

macro_rules! ints {
    ($($ty:ty)*) => {
        $(impl Edges for $ty {
            fn edges() -> Vec<$ty> {
                let (min, max, half) = (<$ty>::MIN, <$ty>::MAX, 1 << (<$ty>::BITS / 2));
                let mut edges = vec![
                    min, min + 1, max, max - 1, 0, 1, 2, 3, 7, 10, (0 as $ty).wrapping_sub(1),
                    (0 as $ty).wrapping_sub(2), (0 as $ty).wrapping_sub(7), half, half - 1, half + 1,
                    max / 2, max / 2 + 1, min / 2, max / 3, <$ty>::BITS as $ty, <$ty>::BITS as $ty - 1,
                    0x5a,
                ];
                edges.sort();
                edges.dedup();
                edges
            }
            /// Of all magnitudes alike.
            fn random() -> BoxedStrategy<$ty> {
                (any::<$ty>(), 0..<$ty>::BITS).prop_map(|(x, by)| x >> by).boxed()
            }
        })*
    };
}

ints! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

macro_rules! floats {
    ($($ty:ident)*) => {
        $(impl Edges for $ty {
            fn edges() -> Vec<$ty> {
                let subnormal = $ty::from_bits(1);
                let mut edges = vec![
                    0.0, 0.5, 1.0, 1.5, 2.5, 3.7, 127.0, 127.9, 128.0, 255.0, 255.9, 256.0, 32767.5, 65535.9,
                    2147483648.0, 4294967296.0, 9.2e18, 9223372036854775808.0, 18446744073709551616.0,
                    $ty::MAX, $ty::MIN_POSITIVE, $ty::EPSILON, subnormal, $ty::INFINITY, $ty::NAN,
                ];
                edges.extend(edges.clone().iter().map(|x| -x));
                edges
            }
            fn random() -> BoxedStrategy<$ty> {
                prop::num::$ty::ANY.boxed()
            }
        })*
    };
}

floats! { f32 f64 }
