//! Built bodies are what one would write by hand.

mod inline_common;

use expect_test::{Expect, expect};
use hostcall_link::inline::{Builder, Expr, cast, gt, lit, lt};
use inline_common::{build, text};

fn check(body: impl Fn(&Builder) + 'static, expect: Expect) {
    expect.assert_eq(&text(&build(body)));
}

#[test]
fn clamp() {
    check(
        |b| {
            let (x, low, high) = (b.param::<i32>("x"), b.param("low"), b.param("high"));
            b.returns::<i32>();
            let value = b.if_else(
                lt(x.get(), low.get()),
                || low.get(),
                || b.if_else(gt(x.get(), high.get()), || high.get(), || x.get()),
            );
            b.ret(value);
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32 i32) (result i32)
                local.get 0
                local.get 1
                i32.lt_s
                if (result i32) ;; label = @1
                  local.get 1
                else
                  local.get 0
                  local.get 2
                  i32.gt_s
                  if (result i32) ;; label = @2
                    local.get 2
                  else
                    local.get 0
                  end
                end
              )
        "#]],
    );
}

#[test]
fn clamp_with_early_returns() {
    check(
        |b| {
            let (x, low, high) = (b.param::<i32>("x"), b.param("low"), b.param("high"));
            b.returns::<i32>();
            b.if_(lt(x.get(), low.get()), || b.ret(low.get()));
            b.if_(gt(x.get(), high.get()), || b.ret(high.get()));
            b.ret(x.get());
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32 i32) (result i32)
                local.get 0
                local.get 1
                i32.lt_s
                if (result i32) ;; label = @1
                  local.get 1
                else
                  local.get 0
                  local.get 2
                  i32.gt_s
                  if (result i32) ;; label = @2
                    local.get 2
                  else
                    local.get 0
                  end
                end
              )
        "#]],
    );
}

#[test]
fn mix64() {
    check(
        |b| {
            let x = b.param::<u64>("x");
            b.returns::<u64>();
            let z = b.local(x.get().wrapping_add(lit(0x9e37_79b9_7f4a_7c15)));
            z.set(
                b,
                (z.get() ^ (z.get() >> lit(30))).wrapping_mul(lit(0xbf58_476d_1ce4_e5b9)),
            );
            z.set(
                b,
                (z.get() ^ (z.get() >> lit(27))).wrapping_mul(lit(0x94d0_49bb_1331_11eb)),
            );
            b.ret(z.get() ^ (z.get() >> lit(31)));
        },
        expect![[r#"
              (func (;0;) (type 0) (param i64) (result i64)
                (local i64)
                local.get 0
                i64.const -7046029254386353131
                i64.add
                local.tee 1
                local.get 1
                i64.const 30
                i64.shr_u
                i64.xor
                i64.const -4658895280553007687
                i64.mul
                local.tee 1
                local.get 1
                i64.const 27
                i64.shr_u
                i64.xor
                i64.const -7723592293110705685
                i64.mul
                local.tee 1
                local.get 1
                i64.const 31
                i64.shr_u
                i64.xor
              )
        "#]],
    );
}

#[test]
fn wrapping_addition_is_one_operator() {
    check(
        |b| {
            let (x, y) = (b.param::<i32>("x"), b.param::<i32>("y"));
            b.returns::<i32>();
            b.ret(x.get().wrapping_add(y.get()));
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32) (result i32)
                local.get 0
                local.get 1
                i32.add
              )
        "#]],
    );
}

#[test]
fn checked_additions() {
    check(
        |b| {
            let (x, y) = (b.param::<u32>("x"), b.param::<u32>("y"));
            b.returns::<u32>();
            b.ret(x.get() + y.get());
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32) (result i32)
                (local i32)
                local.get 0
                local.get 1
                i32.add
                local.tee 2
                local.get 1
                i32.lt_u
                if ;; label = @1
                  unreachable
                end
                local.get 2
              )
        "#]],
    );
    check(
        |b| {
            let (x, y) = (b.param::<i32>("x"), b.param::<i32>("y"));
            b.returns::<i32>();
            b.ret(x.get() + y.get());
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32) (result i32)
                (local i64)
                local.get 0
                i64.extend_i32_s
                local.get 1
                i64.extend_i32_s
                i64.add
                local.tee 2
                i64.extend32_s
                local.get 2
                i64.ne
                if ;; label = @1
                  unreachable
                end
                local.get 2
                i32.wrap_i64
              )
        "#]],
    );
    check(
        |b| {
            let x = b.param::<i64>("x");
            b.returns::<i64>();
            b.ret(x.get() + lit(1));
        },
        expect![[r#"
              (func (;0;) (type 0) (param i64) (result i64)
                (local i64)
                local.get 0
                i64.const 1
                i64.add
                local.tee 1
                local.get 0
                i64.lt_s
                if ;; label = @1
                  unreachable
                end
                local.get 1
              )
        "#]],
    );
}

#[test]
fn checked_multiplication() {
    check(
        |b| {
            let (x, y) = (b.param::<i64>("x"), b.param::<i64>("y"));
            b.returns::<i64>();
            b.ret(x.get() * y.get());
        },
        expect![[r#"
              (func (;0;) (type 0) (param i64 i64) (result i64)
                (local i64)
                local.get 0
                local.get 1
                i64.mul
                local.tee 2
                f64.convert_i64_s
                local.get 0
                f64.convert_i64_s
                local.get 1
                f64.convert_i64_s
                f64.mul
                f64.sub
                f64.abs
                f64.const 0x1p+60 (;=1152921504606847000;)
                f64.gt
                if ;; label = @1
                  unreachable
                end
                local.get 2
              )
        "#]],
    );
}

#[test]
fn values_used_once_stay_on_the_stack() {
    check(
        |b| {
            let (x, y) = (b.param::<f64>("x"), b.param::<f64>("y"));
            b.returns::<f64>();
            let a = b.local(x.get() * x.get());
            let c = b.local(y.get() * y.get());
            let sum = b.local(a.get() + c.get());
            b.ret(sum.get().sqrt());
        },
        expect![[r#"
              (func (;0;) (type 0) (param f64 f64) (result f64)
                local.get 0
                local.get 0
                f64.mul
                local.get 1
                local.get 1
                f64.mul
                f64.add
                f64.sqrt
              )
        "#]],
    );
}

#[test]
fn counter_in_a_host_state() {
    check(
        |b| {
            let by = b.param::<u64>("by");
            b.returns::<u64>();
            let counter = b.state::<u64>();
            counter.set(b, counter.get().wrapping_add(by.get()));
            b.ret(counter.get());
        },
        expect![[r#"
              (func (;0;) (type 0) (param i64) (result i64)
                i32.const 0
                i32.const 0
                i64.load offset=16
                local.get 0
                i64.add
                i64.store offset=16
                i32.const 0
                i64.load offset=16
              )
        "#]],
    );
}

#[test]
fn byte_loop() {
    check(
        |b| {
            let (at, len) = (b.param::<u32>("at"), b.param::<u32>("len"));
            b.returns::<u32>();
            let memory = b.memory();
            let sum = b.local(lit(0));
            let i = b.local(lit(0));
            b.while_(
                || lt(i.get(), len.get()),
                |_| {
                    let byte = memory.load::<u8>(at.get().wrapping_add(i.get()));
                    sum.set(b, sum.get().wrapping_add(cast(byte)));
                    i.set(b, i.get().wrapping_add(lit(1)));
                },
            );
            b.ret(sum.get());
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32) (result i32)
                (local i32 i32)
                i32.const 0
                local.set 2
                i32.const 0
                local.tee 3
                local.get 1
                i32.lt_u
                if ;; label = @1
                  loop ;; label = @2
                    local.get 2
                    local.get 0
                    local.get 3
                    i32.add
                    i32.load8_u
                    i32.add
                    local.set 2
                    local.get 3
                    i32.const 1
                    i32.add
                    local.tee 3
                    local.get 1
                    i32.lt_u
                    br_if 0 (;@2;)
                  end
                end
                local.get 2
              )
        "#]],
    );
}

#[test]
fn narrow_parameters_are_lifted_only_if_they_are_read() {
    check(
        |b| {
            let (x, flag, _unused) = (
                b.param::<u8>("x"),
                b.param::<bool>("flag"),
                b.param::<i16>("unused"),
            );
            b.returns::<u8>();
            let value = b.if_else(flag.get(), || x.get(), || x.get().wrapping_add(lit(1)));
            b.ret(value);
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32 i32 i32) (result i32)
                local.get 0
                i32.const 255
                i32.and
                local.set 0
                local.get 1
                if (result i32) ;; label = @1
                  local.get 0
                else
                  local.get 0
                  i32.const 1
                  i32.add
                  i32.const 255
                  i32.and
                end
              )
        "#]],
    );
}

/// What is known when the body is built is neither computed nor checked.
#[test]
fn masks_are_constants() {
    const BITS: u32 = 12;
    check(
        |b| {
            let x = b.param::<u32>("x");
            b.returns::<u32>();
            b.ret(x.get() & ((lit(1) << lit(BITS)) - lit(1)));
        },
        expect![[r#"
              (func (;0;) (type 0) (param i32) (result i32)
                local.get 0
                i32.const 4095
                i32.and
              )
        "#]],
    );
}

#[test]
fn an_element_of_a_table() {
    check(
        |b| {
            let i = b.param::<u8>("i");
            b.returns::<u32>();
            let table = b.state::<[u32; 200]>();
            b.ret(table.at(cast(i.get())).get());
        },
        expect![[r#"
            (func (;0;) (type 0) (param i32) (result i32)
              (local i32)
              local.get 0
              i32.const 255
              i32.and
              local.tee 1
              i32.const 200
              i32.ge_u
              if ;; label = @1
                unreachable
              end
              local.get 1
              i32.const 2
              i32.shl
              i32.load offset=16
            )
        "#]],
    );
}

#[test]
fn a_slow_path() {
    check(
        |b| {
            let x = b.param::<u32>("x");
            b.returns::<u32>();
            b.if_(lt(x.get(), lit(128)), || b.ret(x.get()));
            b.ret(b.call_host::<Expr<u32>>("env", "slow", vec![b.arg(x.get())]));
        },
        expect![[r#"
              (func (;1;) (type 0) (param i32) (result i32)
                local.get 0
                i32.const 128
                i32.lt_u
                if (result i32) ;; label = @1
                  local.get 0
                else
                  local.get 0
                  call 0
                end
              )
        "#]],
    );
}

#[test]
fn what_cannot_overflow_is_not_checked() {
    check(
        |b| {
            let (x, y) = (b.param::<u32>("x"), b.param::<u32>("y"));
            b.returns::<u32>();
            let product = cast::<_, u64>(x.get()) * cast::<_, u64>(y.get());
            b.ret(cast::<_, u32>(product >> lit(32)) >> (y.get() & lit(31)));
        },
        expect![[r#"
            (func (;0;) (type 0) (param i32 i32) (result i32)
              local.get 0
              i64.extend_i32_u
              local.get 1
              i64.extend_i32_u
              i64.mul
              i64.const 32
              i64.shr_u
              i32.wrap_i64
              local.get 1
              i32.const 31
              i32.and
              i32.shr_u
            )
        "#]],
    );
    check(
        |b| {
            let x = b.param::<u32>("x");
            b.returns::<u16>();
            let table = b.state::<[u16; 256]>();
            b.ret(table.at(cast(x.get() & lit(0xff))).get());
        },
        expect![[r#"
            (func (;0;) (type 0) (param i32) (result i32)
              local.get 0
              i32.const 255
              i32.and
              i32.const 1
              i32.shl
              i32.load16_u offset=16
            )
        "#]],
    );
}
