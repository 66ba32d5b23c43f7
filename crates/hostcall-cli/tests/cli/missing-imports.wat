;; RUN: run % --invoke f
;; RUN: inspect %
(module $demo
  (import "wasi_snapshot_preview1" "fd_read" (func (param i32 i64) (result i32)))
  (import "env" "log" (func $log (param $text i32) (param $len i32)))
  (import "env" "memory" (memory 1 4))
  (import "env" "table" (table 2 funcref))
  (import "env" "base" (global (mut i32)))
  (import "host" "now" (func (result i64)))
  (func (export "f")))
