;; RUN: link % --provide env=providers/math.wat -o %tmp/linked.wasm
;; RUN: run % --provide env=providers/math.wat --invoke run 4
;; RUN: plan % --provide env=providers/math.wat --json
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (func (export "run") (param i32) (result i32)
    (call $double (local.get 0)))
  (@custom ".debug_info" "x"))
