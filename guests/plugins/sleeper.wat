;; Waits for seven weeks, in one call of the host.
(module
  (import "clock" "sleep" (func $sleep (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "handle") (param i32 i32) (result i32)
    (call $sleep (i32.const -1))
    (unreachable)))
