;; RUN: link % --provide env=providers/math.wat -o %tmp/linked.wasm
;; RUN: run %tmp/linked.wasm --invoke quadruple 5
;; RUN: link % --provide env=providers/math.wat -o %tmp/linked.wat
;; RUN: run %tmp/linked.wat --invoke quadruple 5
;; RUN: plan %tmp/linked.wasm
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (func (export "quadruple") (param i32) (result i32)
    (call $double (call $double (local.get 0)))))
