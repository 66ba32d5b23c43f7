//! Bodies call other inline functions, and host functions as their slow paths.

mod inline_common;

use hostcall_link::inline::{
    BuildError, Builder, Expr, build, build_module, cast, eq, gt, lit, lt,
};
use inline_common::{Machine, Wire, narrow};
use wasmi::{Caller, Val};

fn machine(body: fn(&Builder)) -> Machine {
    Machine::new(build_module("f", body, &narrow()).expect("a body that builds"))
}

fn square(b: &Builder) {
    let x = b.param::<i32>("x");
    b.returns::<i32>();
    b.ret(x.get() * x.get());
}

fn sum_of_squares(b: &Builder) {
    let (x, y) = (b.param::<i32>("x"), b.param::<i32>("y"));
    b.returns::<i32>();
    let call = |arg| b.call::<Expr<i32>>("square", square, vec![b.arg(arg)]);
    b.ret(call(x.get()) + call(y.get()));
}

#[test]
fn nested_functions_are_built_once() {
    let mut machine = machine(sum_of_squares);
    assert_eq!(machine.run::<i32>(&[3.arg(), 4.arg()]), Ok(25));
    let overflow = machine.run::<i32>(&[3.arg(), 46341.arg()]);
    assert_eq!(overflow, Err("attempt to multiply with overflow".into()));
    let built = build_module("f", sum_of_squares, &narrow()).expect("a body that builds");
    assert_eq!(inline_common::text(&built).matches("(func ").count(), 2);
}

fn factorial(b: &Builder) {
    let n = b.param::<u8>("n");
    b.returns::<u64>();
    b.if_(eq(n.get(), lit(0)), || b.ret(lit(1_u64)));
    let rest = b.call::<Expr<u64>>("f", factorial, vec![b.arg(n.get() - lit(1))]);
    b.ret(cast::<_, u64>(n.get()) * rest);
}

#[test]
fn recursion() {
    let mut machine = machine(factorial);
    assert_eq!(machine.run::<u64>(&[5_u8.arg()]), Ok(120));
    assert_eq!(machine.run::<u64>(&[20_u8.arg()]), Ok(2432902008176640000));
    assert_eq!(
        machine.run::<u64>(&[21_u8.arg()]),
        Err("attempt to multiply with overflow".into())
    );
}

fn is_even(b: &Builder) {
    let n = b.param::<u32>("n");
    b.returns::<bool>();
    let odd = || b.call::<Expr<bool>>("is_odd", is_odd, vec![b.arg(n.get() - lit(1))]);
    b.ret(b.if_else(eq(n.get(), lit(0)), || lit(true), odd));
}

fn is_odd(b: &Builder) {
    let n = b.param::<u32>("n");
    b.returns::<bool>();
    let even = || b.call::<Expr<bool>>("f", is_even, vec![b.arg(n.get() - lit(1))]);
    b.ret(b.if_else(eq(n.get(), lit(0)), || lit(false), even));
}

#[test]
fn mutual_recursion() {
    let mut machine = machine(is_even);
    assert_eq!(machine.run::<bool>(&[10_u32.arg()]), Ok(true));
    assert_eq!(machine.run::<bool>(&[7_u32.arg()]), Ok(false));
}

fn count(b: &Builder) {
    let by = b.param::<u32>("by");
    b.returns::<()>();
    let count = b.state::<u32>();
    count.set(b, count.get() + by.get());
}

fn count_twice(b: &Builder) {
    let n = b.param::<u32>("n");
    b.returns::<u32>();
    b.call::<()>("count", count, vec![b.arg(n.get())]);
    let before = b.local(b.state::<u32>().get());
    b.call::<()>("count", count, vec![b.arg(lit(1_u32))]);
    b.ret(before.get() * lit(100) + b.state::<u32>().get());
}

#[test]
fn calls_without_result_keep_their_turn() {
    assert_eq!(machine(count_twice).run::<u32>(&[5_u32.arg()]), Ok(506));
}

/// Small values are handled inside, others by the host.
fn with_slow_path(b: &Builder) {
    let (x, small) = (b.param::<i64>("x"), b.param::<u8>("small"));
    b.returns::<i64>();
    b.if_(lt(x.get(), lit(100)), || b.ret(x.get()));
    b.if_(gt(small.get(), lit(3)), || {
        b.call_host::<()>("env", "note", vec![b.arg(small.get()), b.arg(x.get())]);
    });
    let byte = b.call_host::<Expr<i8>>("env", "narrow", vec![b.arg(x.get())]);
    let first = b.local(cast::<_, i64>(byte));
    let second = cast::<_, i64>(b.call_host::<Expr<i8>>("env", "narrow", vec![b.arg(x.get())]));
    b.ret(first.get() * lit(1000) + second);
}

#[test]
fn slow_paths_call_the_host() {
    let built = build_module("f", with_slow_path, &narrow()).expect("a body that builds");
    let mut machine = Machine::with_host(built, |_, linker| {
        let note = |mut caller: Caller<'_, Vec<Val>>, small: i32, x: i64| {
            caller.data_mut().extend([Val::I32(small), Val::I64(x)]);
        };
        linker
            .func_wrap("env", "note", note)
            .expect("one definition");
        // A careless host: the bits above the `i8` are dirty.
        let narrow = |x: i64| x as i32;
        linker
            .func_wrap("env", "narrow", narrow)
            .expect("one definition");
    });
    let mut run = |x: i64, small: u8| machine.run::<i64>(&[x.arg(), small.arg()]);
    assert_eq!(run(99, 9), Ok(99));
    assert_eq!(run(0x1234_5678_9a03, 3), Ok(3003));
    assert_eq!(run(0x1234_5678_9aff, 4), Ok(-1001));
    let noted = machine.store.data();
    assert!(matches!(
        noted[..],
        [Val::I32(4), Val::I64(0x1234_5678_9aff)]
    ));
}

#[test]
fn providers_know_what_they_need() {
    let provider = build("slow", with_slow_path, &narrow()).expect("a provider");
    let calls: Vec<_> = provider
        .host_calls()
        .map(|(module, name, _)| (module, name))
        .collect();
    assert_eq!(calls, [("env", "note"), ("env", "narrow")]);
    assert!(!provider.uses_memory() && !provider.uses_page());
    assert_eq!(
        provider.function("slow").expect("exported").to_string(),
        "(i64, i32) -> i64"
    );
    let provider = build("count", count_twice, &narrow()).expect("a provider");
    assert!(provider.uses_page());
}

#[test]
fn calls_that_do_not_fit_are_errors() {
    fn body(b: &Builder) {
        b.returns::<i32>();
        b.ret(b.call::<Expr<i32>>("square", square, vec![b.arg(lit(1_u64))]));
    }
    let error = build_module("f", body, &narrow()).expect_err("an argument of another type");
    assert!(matches!(error, BuildError::Mismatch { .. }), "{error}");
}

#[test]
fn bodies_without_their_result_are_errors() {
    fn body(b: &Builder) {
        b.returns::<i32>();
    }
    let error = build_module("f", body, &narrow()).expect_err("no result");
    assert!(matches!(error, BuildError::NoResult { .. }), "{error}");
}
