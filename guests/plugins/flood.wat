;; Calls the host for ever.
(module
  (import "kv" "get" (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "key")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "handle") (param i32 i32) (result i32)
    (loop $forever
      (drop (call $get
        (i32.const 8) (i32.const 3) (i32.const 16) (i32.const 8) (i32.const 24)))
      (br $forever))
    (unreachable)))
