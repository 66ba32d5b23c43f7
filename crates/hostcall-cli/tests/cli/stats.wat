;; RUN: run % --stats --provide env=providers/math.wat --invoke quadruple 5
;; RUN: run % --stats --provide env=providers/math.wat --no-inline --invoke quadruple 5
;; RUN: run % --stats --provide env=providers/math.wat --budget-body 0 --invoke quadruple 5
;; RUN: run % --stats=text --provide env=providers/math.wat --invoke times 5 123456
;; RUN: run % --stats=json --provide env=providers/math.wat --invoke times 5 123456
;; RUN: run % --stats --provide env=providers/math.wat --invoke halve 5 0
;; RUN: run % --provide env=providers/math.wat --invoke halve 5 0
;; RUN: run % --stats --provide env=providers/math.wat --no-inline --invoke halve 5 0
;; RUN: run % --stats=json --provide env=providers/math.wat --invoke halve 5 0
;; RUN: run % --stats --provide env=providers/math.wat --invoke leave
;; RUN: run % --stats=json --provide env=providers/math.wat --invoke leave
;; RUN: run % --stats --provide env=providers/math.wat --invoke quadruple five
;; RUN: run % --stats --provide env=providers/math.wat --invoke sextuple 5
;; RUN: run % --stats --provide env=providers/math.wat
;; RUN: run % --stats --invoke quadruple 5
;; RUN: run % --stats=yaml
;; RUN: run --stats % --provide env=providers/math.wat --invoke quadruple 5
(module
  (import "env" "double" (func $double (param i32) (result i32)))
  (import "env" "divide" (func $divide (param i32 i32) (result i32)))
  (import "env" "count" (func $count (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "quadruple") (param i32) (result i32)
    (call $double (call $double (local.get 0))))
  (func (export "halve") (param i32 i32) (result i32)
    (call $divide (call $double (local.get 0)) (local.get 1)))
  (func (export "leave")
    (drop (call $count))
    (call $exit (i32.const 3)))
  (func (export "_start")
    (drop (call $double (call $count)))
    unreachable)
  (func (export "times") (param $n i32) (param $times i32) (result i32)
    (loop $again
      (drop (call $double (local.get $n)))
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (local.get $times)))
    (call $count)))
