;; Has itself called back from within the call that it is called back by.
(module
  (import "kv" "put" (func $put (param i32 i32 i32 i32) (result i32)))
  (import "kv" "each" (func $each))
  (memory (export "memory") 1)
  (data (i32.const 8) "key")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "handle") (param i32 i32) (result i32)
    (drop (call $put (i32.const 8) (i32.const 3) (i32.const 8) (i32.const 3)))
    (call $each)
    (unreachable))
  (func (export "visit") (param i32 i32 i32 i32)
    (call $each)))
