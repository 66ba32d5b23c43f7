;; RUN: run % --invoke add 1
;; RUN: run % --invoke add 1 2 3
;; RUN: run % --invoke add 1 two
;; RUN: run % --invoke add 4294967296 1
;; RUN: run % --invoke add 1.5 1
;; RUN: run % --invoke half x
;; RUN: run % --invoke nothing 1
;; RUN: run % --invoke take anything
;; RUN: run % --invoke take none
;; RUN: run % --invoke take 'some(1)'
;; RUN: run % --invoke ad 1 2
;; RUN: run % --invoke memory
;; RUN: run % --signature 'func()'
;; RUN: run % --invoke add --signature 'func(a: strin)' x
;; RUN: run % --invoke add --signature 'func(a: string, b: u8)' x 1
;; RUN: run % --invoke add --signature 'func(a: u8, b: char) -> s16' 256 x
;; RUN: run % --invoke add --signature 'func(a: u8, b: char) -> s16' 255 xy
;; RUN: run % --invoke add --signature 'func(a: bool, b: enum { red, dark-blue }) -> s32' true blue
;; RUN: run % --invoke add --signature 'func(p: record { x: s32, y: s32 }) -> s32' '{x: 1, z: 2}'
;; RUN: run % --invoke add --signature 'func(p: record { x: s32, y: s32 }) -> s32' '{x: 1, x: 2}'
;; RUN: run % --invoke add --signature 'func(p: record { x: s32, y: s32 }) -> s32' '{x: 1}'
;; RUN: run % --invoke add --signature 'func(p: tuple<s32, s32>) -> s32' '(1, 2, 3)'
;; RUN: run % --invoke add --signature 'func(p: tuple<s32, s32>) -> s32' '(1)'
;; RUN: run % --invoke add --signature 'func(p: tuple<s32, s32>) -> s32' '(1, 2) 3'
;; RUN: run % --invoke add --signature 'func(p: option<s32>) -> s32' '3'
;; RUN: run % --invoke add --signature 'func(p: option<s32>) -> s32' 'some'
;; RUN: run % --invoke add --signature 'func(p: list<s32>) -> s32' '[1, x]'
;; RUN: run % --invoke add --signature 'func(p: list<string>) -> s32' '["a", "b]'
;; RUN: run % --invoke add --signature 'func(p: list<string>) -> s32' '["\q"]'
;; RUN: run % --max-memory much --invoke nothing
;; RUN: run % --dir nowhere --invoke nothing
;; RUN: run % --env =1 --invoke nothing
(module
  (memory (export "memory") 1)
  (func (export "add") (param $left i32) (param $right i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "half") (param f32) (result f32)
    (f32.mul (local.get 0) (f32.const 0.5)))
  (func (export "take") (param externref))
  (func (export "nothing")))
