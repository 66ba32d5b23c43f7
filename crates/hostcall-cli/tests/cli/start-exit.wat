;; RUN: run % --invoke f
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func $leave (call $exit (i32.const 3)))
  (start $leave)
  (func (export "f")))
