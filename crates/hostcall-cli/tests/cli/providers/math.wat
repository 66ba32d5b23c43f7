(module
  (global $calls (mut i32) (i32.const 0))
  (func (export "double") (param $n i32) (result i32)
    (i32.shl (local.get $n) (i32.const 1)))
  (func (export "divide") (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))
  (func (export "count") (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.get $calls)))
