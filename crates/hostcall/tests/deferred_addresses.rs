//! Deferred functions read copies; what they refuse is told by the guest's addresses.

use hostcall::{Fault, Host};

#[test]
fn a_string_that_is_refused_late_has_its_own_address() {
    let mut host = Host::<()>::new();
    host.deferred("env", "log", |text: &str| drop(text.to_owned()));
    let program = host
        .program(
            br#"(module
                (import "env" "log" (func $log (param i32 i32)))
                (memory (export "memory") 1)
                (data (i32.const 8) "ab\ff")
                (func (export "run")
                    (call $log (i32.const 8) (i32.const 2))
                    (call $log (i32.const 8) (i32.const 3))))"#,
        )
        .unwrap();
    let mut instance = program.instantiate(()).unwrap();
    let run = instance.export::<(), ()>("run").unwrap();

    let error = run.call(&mut instance, ()).unwrap_err();
    let fault = Fault::Utf8 {
        pointer: 8,
        length: 3,
        valid: 2,
    };
    assert_eq!(error.fault(), Some(&fault));
    assert_eq!(error.deferred().map(|failure| failure.record), Some(2));
}
