;; RUN: link % --provide env=providers/math.wat -o %tmp/linked.wasm
;; RUN: plan %
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (import "hostcall:guest" "memory" (memory 1))
  (export "hostcall:page" (memory 0)))
