//! What is called often is short.

use expect_test::{Expect, expect};

use super::shapes::{Param, Shape};
use crate::stub::deferred::deferred_module;
use crate::stub::wrapper::wrapper_module;
use crate::stub::{Copied, FUNCTION, Guest, Length, Queue, Record, Store, StoreAs, deferred};
use crate::{FuncType, ValType};

const QUEUE: Queue = Queue {
    control: 16,
    start: 32,
    size: 4096,
};

const GUEST: Guest = Guest {
    wide: false,
    page_size_log2: 16,
};

fn store(offset: u32, as_: StoreAs) -> Store {
    Store { offset, as_ }
}

fn check(wasm: &[u8], expect: Expect) {
    let features = wasmparser::WasmFeatures::all();
    let valid = wasmparser::Validator::new_with_features(features).validate_all(wasm);
    let text = wasmprinter::print_bytes(wasm).unwrap();
    assert!(valid.is_ok(), "{:?}\n{text}", valid.err());
    expect.assert_eq(&text);
}

#[test]
fn numbers() {
    let record = Record {
        size: 16,
        stores: vec![store(0, StoreAs::Whole), store(8, StoreAs::Whole)],
        copies: Vec::new(),
    };
    let ty = FuncType::new([ValType::I32, ValType::F64], []);
    let wasm = deferred_module(3, &ty, 7, &record, &QUEUE, GUEST, None);
    check(
        &wasm,
        expect![[r#"
            (module
              (type (;0;) (func))
              (type (;1;) (func (param i32 f64)))
              (type (;2;) (func (param i32 f64)))
              (type (;3;) (func (param i32) (result i32)))
              (type (;4;) (func (param i32 f64)))
              (import "hostcall:host" "page" (memory (;0;) 0))
              (import "hostcall:queue" "drain" (func (;0;) (type 0)))
              (import "hostcall:import" "3" (func (;1;) (type 1)))
              (export "stub" (func $stub))
              (func $stub (;2;) (type 2) (param i32 f64)
                (local i32)
                i32.const 0
                i32.load offset=16
                local.tee 2
                i32.const 4080
                i32.le_u
                i32.const 0
                i32.load offset=20
                i32.const 7
                i32.eq
                i32.and
                if ;; label = @1
                  local.get 2
                  local.get 0
                  i32.store offset=32
                  local.get 2
                  local.get 1
                  f64.store offset=40
                  i32.const 0
                  local.get 2
                  i32.const 16
                  i32.add
                  i32.store offset=16
                else
                  local.get 0
                  local.get 1
                  call $slow
                end
              )
              (func $open (;3;) (type 3) (param i32) (result i32)
                (local i32)
                loop ;; label = @1
                  i32.const 0
                  i32.load offset=16
                  i32.const 7
                  i32.add
                  i32.const -8
                  i32.and
                  local.tee 1
                  i32.const 4088
                  local.get 0
                  i32.sub
                  i32.gt_u
                  if ;; label = @2
                    call 0
                    br 1 (;@1;)
                  end
                end
                i32.const 0
                i32.load offset=24
                i32.const 0
                i32.load offset=16
                i32.store offset=36
                local.get 1
                i32.const 7
                i32.store offset=32
                i32.const 0
                local.get 1
                i32.store offset=24
                i32.const 0
                i32.const 7
                i32.store offset=20
                i32.const 0
                local.get 1
                i32.const 8
                i32.add
                i32.store offset=16
                local.get 1
                i32.const 8
                i32.add
              )
              (func $slow (;4;) (type 4) (param i32 f64)
                (local i32)
                i32.const 16
                call $open
                local.set 2
                local.get 2
                local.get 0
                i32.store offset=32
                local.get 2
                local.get 1
                f64.store offset=40
                i32.const 0
                local.get 2
                i32.const 16
                i32.add
                i32.store offset=16
              )
            )
        "#]],
    );
}

#[test]
fn text() {
    let record = Record {
        size: 16,
        stores: vec![store(0, StoreAs::Word), store(8, StoreAs::Word)],
        copies: vec![Copied {
            pointer: 0,
            length: Length::Items {
                count: 1,
                stride: 1,
            },
            align: 1,
        }],
    };
    let ty = FuncType::new([ValType::I32, ValType::I32], []);
    let wasm = deferred_module(3, &ty, 7, &record, &QUEUE, GUEST, None);
    check(
        &wasm,
        expect![[r#"
            (module
              (type (;0;) (func))
              (type (;1;) (func (param i32 i32)))
              (type (;2;) (func (param i32 i32)))
              (type (;3;) (func (param i32) (result i32)))
              (type (;4;) (func (param i32 i32 i64 i64)))
              (type (;5;) (func (param i32 i32)))
              (type (;6;) (func (param i32 i32 i32)))
              (import "hostcall:guest" "memory" (memory (;0;) 0))
              (import "hostcall:host" "page" (memory (;1;) 0))
              (import "hostcall:queue" "drain" (func (;0;) (type 0)))
              (import "hostcall:import" "3" (func (;1;) (type 1)))
              (export "stub" (func $stub))
              (func $stub (;2;) (type 2) (param i32 i32)
                (local i64 i64 i32)
                local.get 1
                i64.extend_i32_u
                local.tee 2
                i64.const 4072
                i64.gt_u
                local.get 0
                i64.extend_i32_u
                local.get 2
                i64.add
                memory.size
                i64.extend_i32_u
                i64.const 16
                i64.shl
                i64.gt_u
                i32.or
                i64.const 16
                local.get 2
                i64.const 7
                i64.add
                i64.const -8
                i64.and
                i64.add
                local.set 3
                if ;; label = @1
                  local.get 0
                  local.get 1
                  call $direct
                else
                  i32.const 0
                  i32.load 1 offset=16
                  local.tee 4
                  i32.const 4096
                  local.get 3
                  i32.wrap_i64
                  i32.sub
                  i32.le_u
                  i32.const 0
                  i32.load 1 offset=20
                  i32.const 7
                  i32.eq
                  i32.and
                  if ;; label = @2
                    local.get 4
                    local.get 0
                    i64.extend_i32_u
                    i64.store 1 offset=32
                    local.get 4
                    local.get 1
                    i64.extend_i32_u
                    i64.store 1 offset=40
                    local.get 4
                    i32.const 48
                    i32.add
                    local.get 0
                    local.get 2
                    i32.wrap_i64
                    call $copy
                    i32.const 0
                    local.get 4
                    local.get 3
                    i32.wrap_i64
                    i32.add
                    i32.store 1 offset=16
                  else
                    local.get 0
                    local.get 1
                    local.get 2
                    local.get 3
                    call $slow
                  end
                end
              )
              (func $open (;3;) (type 3) (param i32) (result i32)
                (local i32)
                loop ;; label = @1
                  i32.const 0
                  i32.load 1 offset=16
                  i32.const 7
                  i32.add
                  i32.const -8
                  i32.and
                  local.tee 1
                  i32.const 4088
                  local.get 0
                  i32.sub
                  i32.gt_u
                  if ;; label = @2
                    call 0
                    br 1 (;@1;)
                  end
                end
                i32.const 0
                i32.load 1 offset=24
                i32.const 0
                i32.load 1 offset=16
                i32.store 1 offset=36
                local.get 1
                i32.const 7
                i32.store 1 offset=32
                i32.const 0
                local.get 1
                i32.store 1 offset=24
                i32.const 0
                i32.const 7
                i32.store 1 offset=20
                i32.const 0
                local.get 1
                i32.const 8
                i32.add
                i32.store 1 offset=16
                local.get 1
                i32.const 8
                i32.add
              )
              (func $slow (;4;) (type 4) (param i32 i32 i64 i64)
                (local i32)
                local.get 3
                i32.wrap_i64
                call $open
                local.set 4
                local.get 4
                local.get 0
                i64.extend_i32_u
                i64.store 1 offset=32
                local.get 4
                local.get 1
                i64.extend_i32_u
                i64.store 1 offset=40
                local.get 4
                i32.const 48
                i32.add
                local.get 0
                local.get 2
                i32.wrap_i64
                call $copy
                i32.const 0
                local.get 4
                local.get 3
                i32.wrap_i64
                i32.add
                i32.store 1 offset=16
              )
              (func $direct (;5;) (type 5) (param i32 i32)
                i32.const 0
                i32.load 1 offset=20
                if ;; label = @1
                  call 0
                end
                local.get 0
                local.get 1
                call 1
              )
              (func $copy (;6;) (type 6) (param i32 i32 i32)
                (local i32)
                local.get 2
                i32.const 64
                i32.gt_u
                local.get 1
                i64.extend_i32_u
                i64.const 64
                i64.add
                memory.size
                i64.extend_i32_u
                i64.const 16
                i64.shl
                i64.gt_u
                i32.or
                if ;; label = @1
                  local.get 0
                  local.get 1
                  local.get 2
                  memory.copy 1 0
                else
                  local.get 0
                  local.get 2
                  i32.add
                  local.set 3
                  loop ;; label = @2
                    local.get 0
                    local.get 3
                    i32.lt_u
                    if ;; label = @3
                      local.get 0
                      local.get 1
                      i64.load align=1
                      i64.store 1 align=1
                      local.get 0
                      i32.const 8
                      i32.add
                      local.set 0
                      local.get 1
                      i32.const 8
                      i32.add
                      local.set 1
                      br 1 (;@2;)
                    end
                  end
                end
              )
            )
        "#]],
    );
}

/// What a call site may get instead of a call.
#[test]
fn operators() {
    let count = |params: &[Param], wide, counter| {
        let shape = Shape::new(params.to_vec(), wide);
        let guest = Guest { wide, ..GUEST };
        let stub = deferred(0, &shape.ty, 1, &shape.record, &QUEUE, guest, counter);
        stub.operators(FUNCTION).unwrap()
    };
    let number = |ty| Param::Number(ty, StoreAs::Whole);
    let numbers = [number(ValType::I32), number(ValType::F64)];
    let case = Param::Number(ValType::I32, StoreAs::Case { cases: 3, bytes: 1 });
    let text = Param::Items {
        stride: 1,
        align: 1,
    };
    let counts = [
        ("no parameter", count(&[], false, None)),
        ("i32 and f64", count(&numbers, false, None)),
        ("counted", count(&numbers, false, Some(8))),
        ("a case", count(&[case], false, None)),
        ("text", count(std::slice::from_ref(&text), false, None)),
        (
            "text, 64 bits",
            count(std::slice::from_ref(&text), true, None),
        ),
        ("two texts", count(&[text.clone(), text], false, None)),
    ];
    let lines = counts.map(|(name, count)| format!("{name}: {count}\n"));
    expect![[r#"
        no parameter: 19
        i32 and f64: 27
        counted: 33
        a case: 31
        text: 71
        text, 64 bits: 76
        two texts: 122
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn wrappers() {
    let ty = FuncType::new([ValType::I32, ValType::ExternRef], [ValType::V128]);
    let wasm = wrapper_module(3, &ty, Some(&QUEUE), Some(8));
    check(
        &wasm,
        expect![[r#"
        (module
          (type (;0;) (func))
          (type (;1;) (func (param i32 externref) (result v128)))
          (type (;2;) (func (param i32 externref) (result v128)))
          (import "hostcall:host" "page" (memory (;0;) 0))
          (import "hostcall:queue" "drain" (func (;0;) (type 0)))
          (import "hostcall:import" "3" (func (;1;) (type 1)))
          (export "stub" (func $stub))
          (func $stub (;2;) (type 2) (param i32 externref) (result v128)
            local.get 0
            local.get 1
            i32.const 0
            i32.const 0
            i64.load offset=8
            i64.const 1
            i64.add
            i64.store offset=8
            i32.const 0
            i32.load offset=20
            if ;; label = @1
              call 0
            end
            call 1
          )
        )
    "#]],
    );
}
