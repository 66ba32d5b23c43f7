;; RUN: run %
;; RUN: run % --invoke status 0
;; RUN: run % --invoke status 7
;; RUN: run % --invoke status 126
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const 42)))
  (func (export "status") (param i32) (call $exit (local.get 0))))
