;; RUN: plan % --provide "a.b=providers/odd-names.wat"
;; RUN: plan % --provide "a.=providers/odd-names.wat"
;; RUN: run % --provide "a.b=providers/odd-names.wat" --invoke f 7
;; RUN: run % --provide "a.b=providers/odd-names.wat" --provide =providers/odd-names.wat --invoke f 7
;; RUN: run % --stats --provide "a.b=providers/odd-names.wat" --provide =providers/odd-names.wat --invoke f 7
;; RUN: run % --stats=json --provide "a.b=providers/odd-names.wat" --provide =providers/odd-names.wat --invoke f 7
(module
  (import "a.b" "\n" (func $a (param i32) (result i32)))
  (import "" "\1b[2J" (func $b (param i32) (result i32)))
  (func (export "f") (param i32) (result i32)
    (call $b (call $a (local.get 0)))))
