;; RUN: run % --provide env=providers/math.wat --invoke quadruple 5
;; RUN: run % --provide env=providers/math.wat --no-inline --invoke quadruple 5
;; RUN: run --provide env=providers/math.wat % --invoke twice
;; RUN: run % --provide env=providers/math.wat --budget-body 0 --invoke twice
;; RUN: run % --provide env=providers/math.wat --invoke halve 5 0
;; RUN: run % --provide env=providers/math.wat --no-inline --invoke halve 5 0
;; RUN: run % --provide env=- --invoke quadruple 5 < %/providers/math.wat
;; RUN: run % --provide env=providers/wide.wat --provide env=providers/math.wat --invoke quadruple 5
;; RUN: run % --provide env=providers/math.wat --provide math=providers/wide.wat --invoke quadruple 5
;; RUN: run % --invoke quadruple 5
;; RUN: run % --provide evn=providers/math.wat --invoke quadruple 5
;; RUN: run % --provide env=providers/memory.wat --invoke quadruple 5
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (import "env" "divide" (func $divide (param i32 i32) (result i32)))
  (import "env" "count" (func $count (result i32)))
  (func (export "quadruple") (param i32) (result i32)
    (call $double (call $double (local.get 0))))
  (func (export "halve") (param i32 i32) (result i32)
    (call $divide (local.get 0) (local.get 1)))
  (func (export "twice") (result i32)
    (drop (call $count))
    (call $count)))
