;; RUN: link % --provide env=providers/math.wat -o .
;; RUN: link % --provide env=providers/math.wat -o %tmp/missing/linked.wasm
;; RUN: link % --provide env=providers/math.wat -o "%tmp/a name.wasm"
;; RUN: plan "%tmp/a name.wasm"
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (export "double" (func $double)))
