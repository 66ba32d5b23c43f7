;; RUN: run % --invoke f
;; RUN: run % --invoke f 1
(module
  (func (export "_initialize") unreachable)
  (func (export "f")))
