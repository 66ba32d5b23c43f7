;; RUN: link % --provide env=providers/math.wat -o %tmp/linked.wasm
;; RUN: plan %
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (func (export "wrong") (result i32)
    (call $double (i64.const 1))))
