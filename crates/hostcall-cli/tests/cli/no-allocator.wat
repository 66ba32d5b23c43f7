;; RUN: run % --invoke len --signature 'func(text: string) -> u32' hello
;; RUN: run % --invoke text --signature 'func() -> string'
;; RUN: inspect %
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\05\00\00\00hello")
  (func (export "len") (param $ptr i32) (param $len i32) (result i32) (local.get $len))
  (func (export "text") (result i32) (i32.const 0)))
