;; RUN: inspect %
;; RUN: inspect --json %
;; RUN: run %
;; RUN: run % --invoke "a b"
(module $"odd\1b[31m name"
  (import "" "\n" (func (param $"\07" i32)))
  (import "a.b" "c d" (func))
  (func (export "a b") (param $x i32) (param i32) (result i64) (i64.const 0))
  (func (export "\1b[2J"))
  (@custom "tab\t" "x"))
