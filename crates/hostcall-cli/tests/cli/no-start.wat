;; RUN: run %
(module
  (memory (export "memory") 1)
  (func (export "add") (param $left i32) (param i32) (result i32) (i32.const 0))
  (func (export "both") (result i32 i64) (i32.const 0) (i64.const 0)))
