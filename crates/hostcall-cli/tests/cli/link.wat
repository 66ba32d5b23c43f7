;; RUN: link % --provide env=providers/math.wat -o %tmp/linked.wat
;; SHOW: %tmp/linked.wat
;; RUN: link % --provide env=providers/math.wat --no-inline -o %tmp/linked.wat
;; SHOW: %tmp/linked.wat
;; RUN: link % --provide env=providers/math.wat --budget-function 3 --output %tmp/linked.wasm
;; RUN: inspect %tmp/linked.wasm
;; RUN: plan %tmp/linked.wasm
;; RUN: link - --provide env=providers/math.wat -o %tmp/piped.wasm < %
;; RUN: plan %tmp/piped.wasm
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (import "host" "log" (func $log (param i32)))
  (import "env" "memory" (memory 1))
  (func $show (export "show") (param $n i32)
    (call $log (call $double (local.get $n)))
    (call $log (call $double (i32.const 4)))))
