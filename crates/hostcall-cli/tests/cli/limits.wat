;; RUN: run % --timeout 100ms --invoke spin
;; RUN: run % --fuel 1000 --invoke spin
;; RUN: run % --fuel 1000 --invoke answer
;; RUN: run % --max-stack 64K --invoke recurse
;; RUN: run % --max-memory 128K --invoke hoard
;; RUN: run % --max-host-calls 3 --invoke yields 3
;; RUN: run % --max-host-calls 3 --invoke yields 4
;; RUN: run % --timeout 200ms --invoke sleep
;; RUN: run % --timeout soon --invoke answer
(module
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    ;; A subscription to a clock: in an hour.
    (data (i32.const 16) "\00\00\00\00\01\00\00\00")
    (data (i32.const 24) "\00\a0\b8\30\46\03\00\00")
    (func (export "answer") (result i32) (i32.const 42))
    (func (export "spin") (loop (br 0)))
    (func $recurse (export "recurse") (call $recurse))
    (func (export "hoard")
        (loop
            (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        unreachable)
    (func (export "yields") (param i32)
        (loop
            (drop (call $yield))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if 0 (local.get 0))))
    (func (export "sleep") (result i32)
        (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))
