//! Blocks, branches, loops and returns happen in the order in which Rust does
//! them.

mod inline_common;

use hostcall_link::inline::{Expr, and, cast, eq, ge, gt, lit, lt, ne, or};
use inline_common::{Machine, Wire, build};

#[test]
fn nested_loops_break_and_continue_by_label() {
    fn native(n: u32) -> u32 {
        let mut sum = 0_u32;
        let mut i = 0;
        'outer: while i < n {
            i += 1;
            let mut j = 0;
            loop {
                if j >= i {
                    break;
                }
                j += 1;
                if j == 3 {
                    continue;
                }
                if i * j == 42 {
                    break 'outer;
                }
                if (i + j) % 7 == 0 {
                    continue 'outer;
                }
                sum += i * j;
            }
            sum += 1000;
        }
        sum
    }
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<u32>("n");
        b.returns::<u32>();
        let sum = b.local(lit(0));
        let i = b.local(lit(0));
        b.while_(
            || lt(i.get(), n.get()),
            |outer| {
                i.set(b, i.get() + lit(1));
                let j = b.local(lit(0));
                b.loop_(|inner| {
                    b.if_(ge(j.get(), i.get()), || b.break_(inner));
                    j.set(b, j.get() + lit(1));
                    b.if_(eq(j.get(), lit(3)), || b.continue_(inner));
                    b.if_(eq(i.get() * j.get(), lit(42)), || b.break_(outer));
                    b.if_(eq((i.get() + j.get()) % lit(7), lit(0)), || {
                        b.continue_(outer)
                    });
                    sum.set(b, sum.get() + i.get() * j.get());
                });
                sum.set(b, sum.get() + lit(1000));
            },
        );
        b.ret(sum.get());
    }));
    for n in 0..20 {
        assert_eq!(machine.run(&[n.arg()]), Ok(native(n)), "{n}");
    }
}

#[test]
fn loops_have_values() {
    #[expect(clippy::manual_is_multiple_of, reason = "bodies have no such method")]
    fn native(n: u64) -> u64 {
        let mut n = n;
        let mut steps = 0_u64;
        10 + loop {
            if n == 1 {
                break steps;
            }
            if steps == 100 {
                break 0;
            }
            steps += 1;
            n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        }
    }
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<u64>("n");
        b.returns::<u64>();
        let steps = b.local(lit(0));
        let value = lit(10)
            + b.loop_value(|label| {
                b.if_(eq(n.get(), lit(1)), || b.break_value(label, steps.get()));
                b.if_(eq(steps.get(), lit(100)), || b.break_value(label, lit(0)));
                steps.set(b, steps.get() + lit(1));
                let next = b.if_else(
                    eq(n.get() % lit(2), lit(0)),
                    || n.get() / lit(2),
                    || lit(3) * n.get() + lit(1),
                );
                n.set(b, next);
            });
        b.ret::<Expr<u64>>(value);
    }));
    for n in 1_u64..200 {
        assert_eq!(machine.run(&[n.arg()]), Ok(native(n)), "{n}");
    }
}

#[test]
fn loops_that_test_at_the_end() {
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<u32>("n");
        b.returns::<u32>();
        let digits = b.local(lit(0));
        b.loop_(|label| {
            digits.set(b, digits.get() + lit(1));
            n.set(b, n.get() / lit(10));
            b.if_(eq(n.get(), lit(0)), || b.break_(label));
        });
        b.ret(digits.get());
    }));
    for (n, digits) in [(0_u32, 1), (9, 1), (10, 2), (12345, 5), (u32::MAX, 10)] {
        assert_eq!(machine.run::<u32>(&[n.arg()]), Ok(digits), "{n}");
    }
}

#[test]
fn continue_in_a_while_tests_the_condition() {
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<i32>("n");
        b.returns::<i32>();
        let odd = b.local(lit(0));
        b.while_(
            || gt(n.get(), lit(0)),
            |label| {
                n.set(b, n.get() - lit(1));
                b.if_(eq(n.get() % lit(2), lit(0)), || b.continue_(label));
                b.if_(gt(odd.get(), lit(4)), || b.break_(label));
                odd.set(b, odd.get() + lit(1));
            },
        );
        b.ret(odd.get());
    }));
    for (n, odd) in [(-1, 0), (0, 0), (1, 0), (2, 1), (9, 4), (100, 5)] {
        assert_eq!(machine.run::<i32>(&[n.arg()]), Ok(odd), "{n}");
    }
}

#[test]
fn conditions_of_while_may_have_statements() {
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<u32>("n");
        b.returns::<u32>();
        let tests = b.local(lit(0));
        b.while_(
            || {
                b.block(|| {
                    tests.set(b, tests.get() + lit(1));
                    ne(n.get() / lit(2), lit(0))
                })
            },
            |_| n.set(b, n.get() / lit(2)),
        );
        b.ret(tests.get());
    }));
    for (n, tests) in [(0_u32, 1), (1, 1), (2, 2), (1000, 10)] {
        assert_eq!(machine.run::<u32>(&[n.arg()]), Ok(tests), "{n}");
    }
}

/// `x + { x = 10; x * 2 } + x`.
#[test]
fn blocks_inside_expressions_keep_their_turn() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<i32>("x");
        b.returns::<i32>();
        let sum = x.get()
            + b.block(|| {
                x.set(b, lit(10));
                x.get() * lit(2)
            })
            + x.get();
        b.ret(sum);
    }));
    for x in [0, 1, -5, 100] {
        assert_eq!(machine.run::<i32>(&[x.arg()]), Ok(x + 20 + 10));
    }
}

/// Every operation that reads an operand twice takes its first value.
#[test]
fn operands_are_read_before_later_ones_change_them() {
    macro_rules! test {
        ($ty:ty: $($op:expr),*) => {$({
            let mut machine = Machine::new(build(|b| {
                let x = b.param::<$ty>("x");
                b.returns::<$ty>();
                let op: fn(Expr<$ty>, Expr<$ty>) -> Expr<$ty> = $op;
                let later = b.block(|| {
                    x.set(b, x.get() + lit(1));
                    x.get()
                });
                b.ret(op(x.get(), later));
            }));
            for x in [3, 100] {
                let op: fn($ty, $ty) -> $ty = $op;
                assert_eq!(machine.run(&[x.arg()]), Ok(op(x, x + 1)), stringify!($op));
            }
        })*};
    }
    test!(i64: |x, y| x + y, |x, y| x - y, |x, y| x * y, |x, y| x / y, |x, y| x % y, |x, y| x.min(y));
    test!(i32: |x, y| x + y, |x, y| x - y, |x, y| x * y, |x, y| x / y, |x, y| x % y, |x, y| x.max(y));
    test!(u64: |x, y| x + y, |x, y| x * y, |x, y| x / y, |x, y| x % y, |x, y| x.min(y));
    test!(u32: |x, y| x + y, |x, y| x * y, |x, y| x / y, |x, y| x % y, |x, y| x.max(y));
    test!(i64: |x, y| x.wrapping_div(y), |x, y| x.wrapping_rem(y));
}

/// `x + if x > 3 { return 7 } else { 1 }`.
#[test]
fn returns_inside_expressions() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<i32>("x");
        b.returns::<i32>();
        let value = x.get()
            + b.if_else(
                gt(x.get(), lit(3)),
                || {
                    b.ret(lit(7));
                    b.never()
                },
                || lit(1),
            );
        b.ret(value);
    }));
    assert_eq!(machine.run::<i32>(&[3.arg()]), Ok(4));
    assert_eq!(machine.run::<i32>(&[4.arg()]), Ok(7));
}

/// Both arms leave, inside an operand.
#[test]
fn what_follows_when_nothing_comes_back() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<i32>("x");
        b.returns::<i32>();
        let never = b.if_else(
            gt(x.get(), lit(3)),
            || {
                b.ret(lit(7));
                b.never()
            },
            || {
                b.trap("too small");
                b.never()
            },
        );
        let value = b.local(x.get() + never);
        b.ret(value.get() * lit(2));
    }));
    assert_eq!(machine.run::<i32>(&[4.arg()]), Ok(7));
    assert_eq!(machine.run::<i32>(&[3.arg()]), Err("too small".into()));
}

#[test]
fn returns_from_within_loops() {
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<u32>("n");
        b.returns::<u32>();
        let i = b.local(lit(2));
        b.loop_(|_| {
            b.if_(gt(i.get() * i.get(), n.get()), || b.ret(n.get()));
            b.if_(eq(n.get() % i.get(), lit(0)), || b.ret(i.get()));
            i.set(b, i.get() + lit(1));
        });
        b.ret::<Expr<u32>>(b.never());
    }));
    for (n, factor) in [(2_u32, 2), (9, 3), (35, 5), (97, 97), (9991, 97)] {
        assert_eq!(machine.run::<u32>(&[n.arg()]), Ok(factor), "{n}");
    }
}

#[test]
fn early_returns_of_functions_without_result() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<u64>("x");
        b.returns::<()>();
        let place = b.state::<u64>();
        b.if_(eq(x.get(), lit(0)), || b.ret(()));
        place.set(b, lit(1));
        b.if_(eq(x.get(), lit(1)), || {
            place.set(b, lit(2));
            b.ret(());
        });
        b.if_else(eq(x.get(), lit(2)), || b.ret(()), || place.set(b, lit(4)));
        place.set(b, place.get() + lit(1));
    }));
    for (x, expected) in [(0_u64, 0), (1, 2), (2, 1), (3, 5)] {
        machine.page_bytes().fill(0);
        assert_eq!(machine.run(&[x.arg()]), Ok(()));
        assert_eq!(
            machine.page_bytes()[inline_common::STATE as usize],
            expected,
            "{x}"
        );
    }
}

/// The second operand of `&&` and `||` runs only if it is needed.
#[test]
fn short_circuit() {
    let mut machine = Machine::new(build(|b| {
        let (x, y) = (b.param::<bool>("x"), b.param::<bool>("y"));
        b.returns::<u32>();
        let ran = b.local(lit(0));
        let run = |bit: u32| {
            b.block(|| {
                ran.set(b, ran.get() | lit(bit));
                y.get()
            })
        };
        let both = b.local(and(x.get(), run(1)));
        let either = b.local(or(x.get(), run(2)));
        b.if_(and(x.get(), run(4)), || ran.set(b, ran.get() | lit(8)));
        b.if_(or(x.get(), run(16)), || ran.set(b, ran.get() | lit(32)));
        let flags = cast::<_, u32>(both.get()) * lit(64) + cast::<_, u32>(either.get()) * lit(128);
        b.ret(flags + ran.get());
    }));
    for x in [false, true] {
        for y in [false, true] {
            let bit = |cond, bit| if cond { bit } else { 0 };
            let ran = bit(x, 1) | bit(!x, 2) | bit(x, 4) | bit(!x, 16);
            let taken = bit(x && y, 8) | bit(x || y, 32);
            let expected = ran | taken | bit(x && y, 64) | bit(x || y, 128);
            assert_eq!(
                machine.run::<u32>(&[x.arg(), y.arg()]),
                Ok(expected),
                "{x} {y}"
            );
        }
    }
}

#[test]
fn late_initialisation() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<i16>("x");
        b.returns::<i16>();
        let late = b.declare::<i16>();
        b.if_else(
            lt(x.get(), lit(0)),
            || late.set(b, lit(-1)),
            || late.set(b, lit(1)),
        );
        b.ret(late.get());
    }));
    assert_eq!(machine.run::<i16>(&[5_i16.arg()]), Ok(1));
    assert_eq!(machine.run::<i16>(&[(-5_i16).arg()]), Ok(-1));
}

#[test]
fn variables_in_loops_start_anew() {
    let mut machine = Machine::new(build(|b| {
        let n = b.param::<u32>("n");
        b.returns::<u32>();
        let sum = b.local(lit(0));
        b.while_(
            || gt(n.get(), lit(0)),
            |_| {
                let twice = b.local(n.get() * lit(2));
                let fresh = b.local(lit(0));
                fresh.set(b, fresh.get() + twice.get());
                sum.set(b, sum.get() + fresh.get());
                n.set(b, n.get() - lit(1));
            },
        );
        b.ret(sum.get());
    }));
    assert_eq!(machine.run::<u32>(&[10_u32.arg()]), Ok(110));
}

/// What is computed for nothing still traps.
#[test]
fn unused_values_are_evaluated() {
    let mut machine = Machine::new(build(|b| {
        let x = b.param::<i32>("x");
        b.returns::<i32>();
        let _unused = b.local(lit(1) / x.get());
        b.eval(lit(10) / (x.get() - lit(1)));
        b.ret(x.get());
    }));
    assert_eq!(
        machine.run::<i32>(&[0.arg()]),
        Err("attempt to divide by zero".into())
    );
    assert_eq!(
        machine.run::<i32>(&[1.arg()]),
        Err("attempt to divide by zero".into())
    );
    assert_eq!(machine.run::<i32>(&[2.arg()]), Ok(2));
}

/// The first trap in the order of evaluation is the one that happens.
#[test]
fn traps_come_in_order() {
    let mut machine = Machine::new(build(|b| {
        let (x, y) = (b.param::<u32>("x"), b.param::<u32>("y"));
        b.returns::<u32>();
        let difference = b.local(x.get() - lit(1));
        let quotient = b.local(lit(100) / y.get());
        b.ret(quotient.get() + difference.get());
    }));
    let mut run = |x: u32, y: u32| machine.run::<u32>(&[x.arg(), y.arg()]);
    assert_eq!(run(0, 0), Err("attempt to subtract with overflow".into()));
    assert_eq!(run(1, 0), Err("attempt to divide by zero".into()));
    assert_eq!(run(1, 3), Ok(33));
}
