;; RUN: run % --invoke grow 10
;; RUN: run % --max-memory 1M --invoke grow 10
;; RUN: run % --max-memory 128K --invoke grow 10
;; RUN: run % --max-memory 1000 --invoke grow 0
(module
  (memory (export "memory") 1)
  (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages))))
