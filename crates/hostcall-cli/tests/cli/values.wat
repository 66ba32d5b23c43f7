;; RUN: run % --invoke pair --signature 'func(text: string) -> string' 'héllo world'
;; RUN: run % --invoke pair --signature 'func(text: string) -> string' ''
;; RUN: run % --invoke pair --signature 'func(l: list<u16>) -> list<u16>' '[1, 0x10, 65535]'
;; RUN: run % --invoke pair --signature 'func(l: list<string>) -> list<string>' '["a, \"b\"", "\u{e9}\n",]'
;; RUN: run % --invoke pair --signature 'func(l: list<char>) -> list<char>' "['x', '\u{e9}', '\'']"
;; RUN: run % --invoke pair --signature 'func(l: list<f64>) -> list<f64>' '[1, 2.5, nan, -inf, 1e300, -0]'
;; RUN: run % --invoke pair --signature 'func(l: list<bool>) -> list<bool>' '[true,false]'
;; RUN: run % --invoke pair --signature 'func(l: list<option<s8>>) -> list<option<s8>>' '[some(-128), none]'
;; RUN: run % --invoke pair --signature 'func(l: list<result<u32, string>>) -> list<result<u32, string>>' '[ok(1), err("no")]'
;; RUN: run % --invoke pair --signature 'func(l: list<result>) -> list<result>' '[ok, err]'
;; RUN: run % --invoke pair --signature 'func(l: list<enum { red, dark-blue }>) -> list<enum { red, dark-blue }>' '[dark-blue, %red]'
;; RUN: run % --invoke pair --signature 'func(l: list<variant { dot, circle(f32), box(tuple<u8, u8>) }>) -> list<variant { dot, circle(f32), box(tuple<u8, u8>) }>' '[dot, circle(1.5), box((1, 2))]'
;; RUN: run % --invoke pair --signature 'func(p: record { x: s32, y: u32 }) -> record { x: s32, y: u32 }' '{y: 4294967295, x: -1}'
;; RUN: run % --invoke pair --signature 'func(p: tuple<s32, char>) -> tuple<s32, char>' "(-1, 'é')"
;; RUN: run % --invoke pair --signature 'func(l: list<list<s64>>) -> list<list<s64>>' '[[], [-1]]'
;; RUN: run % --invoke pair --signature 'func(o: option<u32>) -> result<u32, u32>' none
;; RUN: run % --invoke pair --signature 'func(l: list<record { a: option<u8>, b: u8 }>) -> list<record { a: option<u8>, b: u8 }>' '[{b: 1}]'
;; RUN: run % --invoke one --signature 'func(c: char) -> char' x
;; RUN: run % --invoke one --signature 'func(c: char) -> char' "'\n'"
;; RUN: run % --invoke one --signature 'func(c: char) -> char' 'é'
;; RUN: run % --invoke one --signature 'func(b: bool) -> u8' true
;; RUN: run % --invoke one --signature 'func(b: u32) -> s32' 4294967295
;; RUN: run % --invoke one --signature 'func(text: cstring) -> cstring' hello
;; RUN: run % --invoke one --signature 'func(p: pointer<record { x: s64 }>) -> u32' '{x: 7}'
;; RUN: run % --invoke one --signature 'func(b: u32) -> char' 0xd800

;; Gives back what it gets: two core values by return pointer, or one.
(module
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 1024))
  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get $size))))
  (func (export "pair") (param i32 i32) (result i32)
    (i32.store (i32.const 8) (local.get 0))
    (i32.store (i32.const 12) (local.get 1))
    (i32.const 8))
  (func (export "one") (param i32) (result i32) (local.get 0)))
