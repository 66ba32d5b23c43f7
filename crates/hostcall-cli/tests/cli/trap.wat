;; RUN: run % --invoke outer 0
;; RUN: run % --invoke forever
;; RUN: run % --invoke outside
;; RUN: run % --invoke odd
(module
  (memory 1)
  (func $inner (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func $middle (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0))))
  (func (export "outer") (param i32) (result i32) (i32.add (i32.const 1) (call $middle (local.get 0))))
  (func $forever (export "forever") (call $forever) (call $forever))
  (func (export "outside") (drop (i32.load (i32.const 65536))))
  (func $"\1b[31mred" (export "odd") unreachable))
