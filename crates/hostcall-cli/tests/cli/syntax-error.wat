;; RUN: run %
;; RUN: inspect %
;; RUN: inspect - < %
(module
  (func (export "f") (i32.cnst 1)))
