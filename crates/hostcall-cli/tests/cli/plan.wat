;; RUN: plan %
;; RUN: plan % --provide env=providers/math.wat
;; RUN: plan % --provide env=providers/math.wat --no-inline
;; RUN: plan % --provide env=providers/math.wat --budget-body 2
;; RUN: plan % --provide env=providers/math.wat --budget-function 3
;; RUN: plan % --provide env=providers/wide.wat --provide env=providers/math.wat
;; RUN: plan % --provide env=providers/math.wat --provide evn=providers/wide.wat
;; RUN: plan % --provide env=providers/math.wat --json
;; RUN: plan %/empty.wat
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (import "env" "count" (func $count (result i32)))
  (import "env" "memory" (memory 1 4))
  (import "env" "base" (global (mut i32)))
  (import "env" "log" (func $log (param i32 i32)))
  (import "env" "failed" (tag (param i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (func (export "run") (param i32) (result i32)
    (call $double (call $double (local.get 0)))
    (call $double)))
