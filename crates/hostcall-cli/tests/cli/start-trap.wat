;; RUN: run % --invoke f
;; RUN: inspect %
(module
  (func $boom unreachable)
  (start $boom)
  (func (export "f")))
