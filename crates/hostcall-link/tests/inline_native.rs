//! The native form of operators does what Rust's own do, and says what their
//! panics say.

use hostcall_link::inline::native::{self, BodyTrap, Memory};
use proptest::prelude::*;
use std::fmt::Debug;
use std::panic::{UnwindSafe, catch_unwind};
use std::sync::Once;

/// What Rust's own operator gives, or says in its panic.
fn std<T>(operation: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    catch_unwind(operation).map_err(|panic| match panic.downcast::<&'static str>() {
        Ok(message) => (*message).to_owned(),
        Err(panic) => *panic.downcast::<String>().expect("a message"),
    })
}

fn said<T>(result: Result<T, BodyTrap>) -> Result<T, String> {
    result.map_err(|trap| trap.to_string())
}

/// Equal, where NaN is NaN.
fn same<T: PartialEq + Debug>(ours: &T, std: &T) -> bool {
    #[expect(clippy::eq_op, reason = "NaN is not equal to itself")]
    let nan = |x: &T| x != x;
    ours == std || (nan(ours) && nan(std))
}

macro_rules! integers {
    ($($ty:ident $signed:ident;)*) => {
        $(proptest! {
            #[test]
            fn $ty(a in edges::<$ty>(), b in edges::<$ty>(), amount in -1..70_i32) {
                prop_assert_eq!(said(native::add(a, b)), std(|| a + b));
                prop_assert_eq!(said(native::sub(a, b)), std(|| a - b));
                prop_assert_eq!(said(native::mul(a, b)), std(|| a * b));
                prop_assert_eq!(said(native::div(a, b)), std(|| a / b));
                prop_assert_eq!(said(native::rem(a, b)), std(|| a % b));
                prop_assert_eq!(said(native::wrapping_div(a, b)), std(|| a.wrapping_div(b)));
                prop_assert_eq!(said(native::wrapping_rem(a, b)), std(|| a.wrapping_rem(b)));
                prop_assert_eq!(said(native::shl(a, amount)), std(|| a << amount));
                prop_assert_eq!(said(native::shr(a, amount)), std(|| a >> amount));
                prop_assert_eq!(said(native::shl(a, b)), std(|| a << b));
                prop_assert_eq!(said(native::shr(a, b)), std(|| a >> b));
                prop_assert_eq!(native::min(a, b), a.min(b));
                prop_assert_eq!(native::max(a, b), a.max(b));
                $signed!(a);
            }
        })*
    };
}

macro_rules! signed {
    ($a:ident) => {
        prop_assert_eq!(said(native::neg($a)), std(|| -$a));
        // Its panic speaks of what it is made of.
        prop_assert_eq!(said(native::abs($a)), std(|| $a.abs()));
    };
}

macro_rules! unsigned {
    ($a:ident) => {};
}

integers! {
    i8 signed;
    u8 unsigned;
    i16 signed;
    u16 unsigned;
    i32 signed;
    u32 unsigned;
    i64 signed;
    u64 unsigned;
    isize signed;
    usize unsigned;
}

/// Small numbers, limits, and any.
fn edges<T>() -> impl Strategy<Value = T>
where
    T: TryFrom<i128> + Copy + Debug + Arbitrary + 'static,
{
    let width = 8 * size_of::<T>() as u32;
    let near = (0..=width, -2..=2_i128, any::<bool>()).prop_filter_map(
        "it fits",
        |(bits, more, negative)| {
            let power = 1_i128 << bits;
            T::try_from(if negative { -power } else { power } + more).ok()
        },
    );
    prop_oneof![near, any::<T>()]
}

proptest! {
    #[test]
    fn floats(a in floating(), b in floating()) {
        for (ours, std) in [
            (native::add(a, b), a + b),
            (native::sub(a, b), a - b),
            (native::mul(a, b), a * b),
            (native::div(a, b), a / b),
            (native::neg(a), -a),
            (native::abs(a), a.abs()),
            (Ok(native::min(a, b)), a.min(b)),
            (Ok(native::max(a, b)), a.max(b)),
        ] {
            let ours = ours.expect("floats never trap");
            prop_assert!(same(&ours, &std), "{a} {b}: {ours} {std}");
        }
    }
}

fn floating() -> impl Strategy<Value = f64> {
    let edges = [
        0.0,
        -0.0,
        1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
    ];
    prop_oneof![
        prop::sample::select(edges.to_vec()),
        any::<f64>(),
        any::<f64>().prop_map(f64::trunc)
    ]
}

/// Where Rust leaves it open, it is what the Wasm form gives.
#[test]
fn of_two_zeros_the_second_one() {
    for (a, b) in [(0.0_f64, -0.0), (-0.0, 0.0)] {
        assert_eq!(native::min(a, b).to_bits(), b.to_bits());
        assert_eq!(native::max(a, b).to_bits(), b.to_bits());
    }
}

#[test]
fn an_index_is_checked() {
    let mut array = [1, 2, 3];
    assert_eq!(*native::index(&array, 2).unwrap(), 3);
    *native::index_mut(&mut array, 0).unwrap() = 9;
    assert_eq!(array, [9, 2, 3]);
    let trap = native::index(&array, 3).unwrap_err();
    assert_eq!(trap.to_string(), "index out of bounds");
    assert!(native::index_mut(&mut array, usize::MAX).is_err());
}

proptest! {
    #[test]
    fn memory_is_bounded(
        at in 0..40_u64,
        from in 0..40_u64,
        length in prop_oneof![0..40_u64, u64::MAX - 8..u64::MAX],
        value: u64,
    ) {
        let before: [u8; 32] = std::array::from_fn(|i| i as u8);
        let mut bytes = before;
        let stored = Memory::new(&mut bytes).store(at, value).is_ok();
        prop_assert_eq!(stored, at <= 24);
        match stored {
            true => prop_assert_eq!(Memory::new(&mut bytes).load::<u64>(at).ok(), Some(value)),
            false => prop_assert_eq!(bytes, before),
        }

        let fits = |start: u64| start.checked_add(length).is_some_and(|end| end <= 32);
        let mut bytes = before;
        let copied = Memory::new(&mut bytes).copy(at, from, length).is_ok();
        prop_assert_eq!(copied, fits(at) && fits(from));
        let mut expected = before;
        if copied {
            expected.copy_within(from as usize..(from + length) as usize, at as usize);
        }
        prop_assert_eq!(bytes, expected);

        let filled = Memory::new(&mut bytes).fill(at, 0xee, length).is_ok();
        prop_assert_eq!(filled, fits(at));
        if filled {
            expected[at as usize..(at + length) as usize].fill(0xee);
        }
        prop_assert_eq!(bytes, expected);
    }
}

#[test]
fn memory_says_what_the_guest_says() {
    let mut bytes = [0; 4];
    let memory = Memory::new(&mut bytes);
    assert_eq!(memory.size(), 4);
    for address in [1, 4, u32::MAX] {
        let trap = memory.load::<u32>(address).unwrap_err();
        assert_eq!(trap.message(), "out of bounds of the guest's memory");
    }
}

#[test]
fn the_error_of_a_host_function_passes_through() {
    let trap = BodyTrap::host(Box::new(std::io::Error::other("no such key")));
    assert_eq!(trap.to_string(), "no such key");
    assert_eq!(trap.message(), "a host function failed");
    let error = trap.into_host().expect("it came from the host");
    assert!(error.downcast::<std::io::Error>().is_ok());
    assert!(BodyTrap::new("why").into_host().is_err());
}
