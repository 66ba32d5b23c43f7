//! Runs an operation in every form that lowers in its own way: operands that
//! are variables, constants, or trees; and compares with Rust.

use std::cell::RefCell;

use hostcall_link::inline::{Builder, Expr, Scalar, lit};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Edges, Machine, Outcome, Wire, build, identical, native};

/// A scalar that tests may use.
pub trait Tested: Scalar + Wire + Edges {}
impl<T: Scalar + Wire + Edges> Tested for T {}

/// Rust's own arithmetic traps in debug builds only: there is nothing to compare
/// with in others.
const RELEASE: bool = !cfg!(debug_assertions);

/// Something that computes `x` on the stack rather than reading it again.
fn tree<T: Scalar>(b: &Builder, x: Expr<T>) -> Expr<T> {
    let wrapped = RefCell::new(Some(x));
    b.if_else(lit(true), || wrapped.take().expect("one arm"), || b.never())
}

fn unary_machine<T: Tested, R: Tested>(inline: fn(Expr<T>) -> Expr<R>, in_tree: bool) -> Machine {
    Machine::new(build(move |b| {
        let x = b.param::<T>("x");
        b.returns::<R>();
        let x = if in_tree { tree(b, x.get()) } else { x.get() };
        b.ret(inline(x));
    }))
}

/// `inline` must do what `native` does.
pub fn unary<T: Tested, R: Tested>(
    what: &str,
    inline: fn(Expr<T>) -> Expr<R>,
    native_form: fn(T) -> R,
) {
    if RELEASE {
        return;
    }
    for in_tree in [false, true] {
        let mut machine = unary_machine(inline, in_tree);
        let mut check = |x: T| {
            let expected = native(|| native_form(x));
            agree(what, &(x,), expected, machine.run(&[x.arg()]));
        };
        T::edges().into_iter().for_each(&mut check);
        random(T::values(), check);
    }
    for x in T::edges() {
        let mut machine = Machine::new(build(move |b| {
            b.returns::<R>();
            b.ret(inline(lit(x)));
        }));
        let expected = native(|| native_form(x));
        agree(what, &(x, "constant"), expected, machine.run(&[]));
    }
}

/// `inline` must do what `native` does.
pub fn binary<T: Tested, U: Tested, R: Tested>(
    what: &str,
    inline: fn(Expr<T>, Expr<U>) -> Expr<R>,
    native_form: fn(T, U) -> R,
) {
    if RELEASE {
        return;
    }
    for trees in [[false, false], [true, false], [false, true], [true, true]] {
        let mut machine = Machine::new(build(move |b| {
            let (x, y) = (b.param::<T>("x"), b.param::<U>("y"));
            b.returns::<R>();
            let x = if trees[0] { tree(b, x.get()) } else { x.get() };
            let y = if trees[1] { tree(b, y.get()) } else { y.get() };
            b.ret(inline(x, y));
        }));
        let mut check = |(x, y): (T, U)| {
            let expected = native(|| native_form(x, y));
            agree(
                what,
                &(x, y, trees),
                expected,
                machine.run(&[x.arg(), y.arg()]),
            );
        };
        pairs().into_iter().for_each(&mut check);
        random((T::values(), U::values()), check);
    }
    T::edges()
        .into_iter()
        .for_each(|x| constant_first(what, inline, native_form, x));
    U::edges()
        .into_iter()
        .for_each(|y| constant_second(what, inline, native_form, y));
}

fn constant_first<T: Tested, U: Tested, R: Tested>(
    what: &str,
    inline: fn(Expr<T>, Expr<U>) -> Expr<R>,
    native_form: fn(T, U) -> R,
    x: T,
) {
    let mut machine = Machine::new(build(move |b| {
        let y = b.param::<U>("y");
        b.returns::<R>();
        b.ret(inline(lit(x), y.get()));
    }));
    for y in U::edges() {
        let expected = native(|| native_form(x, y));
        agree(what, &("constant", x, y), expected, machine.run(&[y.arg()]));
    }
}

fn constant_second<T: Tested, U: Tested, R: Tested>(
    what: &str,
    inline: fn(Expr<T>, Expr<U>) -> Expr<R>,
    native_form: fn(T, U) -> R,
    y: U,
) {
    for in_tree in [false, true] {
        let mut machine = Machine::new(build(move |b| {
            let x = b.param::<T>("x");
            b.returns::<R>();
            let x = if in_tree { tree(b, x.get()) } else { x.get() };
            b.ret(inline(x, lit(y)));
        }));
        for x in T::edges() {
            let expected = native(|| native_form(x, y));
            agree(what, &(x, "constant", y), expected, machine.run(&[x.arg()]));
        }
    }
}

fn pairs<T: Edges, U: Edges>() -> Vec<(T, U)> {
    let with = |x: T| U::edges().into_iter().map(move |y| (x, y));
    T::edges().into_iter().flat_map(with).collect()
}

fn random<S: Strategy>(values: S, check: impl FnMut(S::Value)) {
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let check = RefCell::new(check);
    let mut runner = TestRunner::new(config);
    let run = runner.run(&values, |value| {
        check.borrow_mut()(value);
        Ok(())
    });
    run.expect("the same as Rust");
}

#[track_caller]
fn agree<R: Wire>(what: &str, of: &impl std::fmt::Debug, native: Outcome<R>, wasm: Outcome<R>) {
    assert!(
        identical(&native, &wasm),
        "{what} of {of:?}: Rust gives {native:?}, the body {wasm:?}"
    );
}
