//! What the macro writes has types that rustc can infer.

use hostcall_link::inline::{Builder, Target, and, build_module, cast, ge, lit, lt, ne};

fn build(body: fn(&Builder)) {
    let target = Target {
        wide: false,
        page_size_log2: 16,
        states: &|_| None,
    };
    build_module("f", body, &target).expect("a body that builds");
}

#[test]
fn literals_take_the_type_of_the_other_operand() {
    build(|b| {
        let x = b.param::<i64>("x");
        b.returns::<i64>();
        let y = b.local(lit(1) + x.get());
        b.ret(lit(2) * (y.get() - lit(3)));
    });
}

#[test]
fn shift_amounts_fall_back_to_i32() {
    build(|b| {
        let x = b.param::<u64>("x");
        b.returns::<u64>();
        b.ret(x.get() << lit(3) | x.get() >> lit(61));
    });
}

#[test]
fn variables_take_the_type_of_what_is_assigned() {
    build(|b| {
        let x = b.param::<u8>("x");
        b.returns::<u8>();
        let v = b.local(lit(0));
        v.set(b, x.get());
        let late = b.declare();
        b.if_else(
            lt(x.get(), lit(10)),
            || late.set(b, lit(1)),
            || late.set(b, v.get()),
        );
        b.ret(late.get());
    });
}

#[test]
fn diverging_arms_take_the_type_of_the_other_arm() {
    build(|b| {
        let x = b.param::<u8>("x");
        b.returns::<f64>();
        let value = b.if_else(
            and(lt(x.get(), lit(10)), ne(x.get(), lit(3))),
            || cast(x.get()),
            || {
                b.trap("too large");
                b.never()
            },
        );
        b.ret(value * lit(0.5));
    });
}

#[test]
fn loops_break_with_values() {
    build(|b| {
        let n = b.param::<u32>("n");
        b.returns::<u32>();
        let i = b.local(lit(0));
        let found = b.loop_value(|label| {
            b.if_(ge(i.get() * i.get(), n.get()), || {
                b.break_value(label, i.get())
            });
            i.set(b, i.get() + lit(1));
        });
        b.ret(found);
    });
}

#[test]
fn methods_have_the_types_of_rust() {
    build(|b| {
        let (x, y) = (b.param::<i32>("x"), b.param::<f64>("y"));
        b.returns::<u32>();
        let ones = b.local(x.get().wrapping_add(lit(5)).count_ones());
        let root = b.local(cast::<_, u32>(y.get().sqrt().max(lit(0.0))));
        let bits = b.local(cast::<u64, u32>(y.get().to_bits()));
        b.ret(ones.get().rotate_left(lit(3)).min(root.get()) ^ bits.get());
    });
}
