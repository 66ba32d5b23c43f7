;; RUN: link % --provide env -o %tmp/linked.wasm
;; RUN: link % --provide env= -o %tmp/linked.wasm
;; RUN: link % -o %tmp/linked.wasm
;; RUN: link % --provide env=providers/math.wat
;; RUN: link % --provide env=missing.wat -o %tmp/linked.wasm
;; RUN: link % --provide env=. -o %tmp/linked.wasm
;; RUN: link % --provide env=not-wasm.txt -o %tmp/linked.wasm
;; RUN: link % --provide env=damaged.wasm -o %tmp/linked.wasm
;; RUN: link % --provide env=syntax-error.wat -o %tmp/linked.wasm
;; RUN: link % --provide env=providers/invalid.wat -o %tmp/linked.wasm
;; RUN: link % --provide env=providers/memory.wat -o %tmp/linked.wasm
;; RUN: link % --provide env=providers/imports.wat -o %tmp/linked.wasm
;; RUN: link % --provide env=providers/wide.wat -o %tmp/linked.wasm
;; RUN: run % --provide env=providers/wide.wat
;; RUN: plan % --provide env=providers/wide.wat
;; RUN: link % --provide evn=providers/math.wat -o %tmp/linked.wasm
;; RUN: link % --provide wasi=providers/wide.wat --provide env=providers/empty.wat -o %tmp/linked.wasm
;; RUN: link %/empty.wat --provide env=providers/math.wat -o %tmp/linked.wasm
;; RUN: link - --provide env=- -o %tmp/linked.wasm
;; RUN: link %/missing.wasm --provide env=providers/math.wat -o %tmp/linked.wasm
;; RUN: link % --provide env=providers/math.wat --budget-body many -o %tmp/linked.wasm
;; RUN: plan % --no-inline
;; SHOW: %tmp/linked.wasm
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (func (export "quadruple") (param i32) (result i32)
    (call $double (call $double (local.get 0)))))
