;; RUN: run % --invoke add 1 2
;; RUN: run % --invoke add 4294967295 0x10
;; RUN: run % --invoke add -5 3
;; RUN: run % --invoke add64 0xffffffffffffffff -1
;; RUN: run % --invoke half 5
;; RUN: run % --invoke half nan
;; RUN: run % --invoke half -- -inf
;; RUN: run % --invoke half 1e300
;; RUN: run % --invoke single 0.1
;; RUN: run % --invoke swap 1 2.5
;; RUN: run % --invoke nothing
;; RUN: run % --invoke lanes 0x0f
(module
  (func (export "add") (param $left i32) (param $right i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "add64") (param i64 i64) (result i64)
    (i64.add (local.get 0) (local.get 1)))
  (func (export "half") (param f64) (result f64)
    (f64.mul (local.get 0) (f64.const 0.5)))
  (func (export "single") (param f32) (result f32) (local.get 0))
  (func (export "swap") (param i32 f64) (result f64 i32)
    (local.get 1) (local.get 0))
  (func (export "lanes") (param v128) (result v128) (local.get 0))
  (func (export "nothing")))
