;; RUN: inspect %
(module
  (memory (export "memory") 1 2 shared)
  (memory i64 3)
  (func (export "f") (param v128)))
