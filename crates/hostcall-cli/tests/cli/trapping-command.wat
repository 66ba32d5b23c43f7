;; RUN: run %
(module
  (func $main unreachable)
  (func (export "_start") (call $main)))
