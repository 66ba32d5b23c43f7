(module
  (func (export "double") (param $n i32) (result i32)
    (i64.const 1)))
