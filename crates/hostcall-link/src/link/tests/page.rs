//! The host page, and the guest's memory in bodies.

use expect_test::expect;

use super::{built, linked, printed, try_linked};
use crate::{HostPage, LinkOptions};

const COUNTER: &str = r#"(module
    (import "hostcall:host" "page" (memory $page 0))
    (import "hostcall:guest" "memory" (memory $guest 0))
    (func (export "count") (param i32)
        (i64.store $page (i32.const 8) (i64.add (i64.load $page (i32.const 8)) (i64.const 1)))
        (memory.copy $guest $page (local.get 0) (i32.const 8) (i32.const 8))
        (memory.fill $guest (i32.const 0) (i32.const 1) (memory.size $guest))))"#;

const GUEST: &str = r#"(module
    (import "env" "count" (func $count (param i32)))
    (memory 1)
    (memory (export "memory") 2)
    (func (export "go") (call $count (i32.const 16)) (call $count (i32.const 24)))
    (data (memory 1) (i32.const 0) "guest"))"#;

fn with_page(options: &mut LinkOptions<'_>) {
    options.memory = Some(1);
    options.page = Some(HostPage {
        size: 70_000,
        init: vec![(8, vec![5])],
    });
}

#[test]
fn the_page_is_the_last_memory() {
    let linked = linked(GUEST, &[&built(COUNTER)], with_page);
    expect![[r#"
        (module
          (type (;0;) (func (param i32)))
          (type (;1;) (func))
          (memory (;0;) 1)
          (memory (;1;) 2)
          (memory $hostcall:page (;2;) 2 2)
          (export "memory" (memory 1))
          (export "go" (func 0))
          (export "hostcall:page" (memory $hostcall:page))
          (func (;0;) (type 1)
            (local i32)
            i32.const 16
            local.set 0
            block ;; label = @1
              i32.const 8
              i32.const 8
              i64.load $hostcall:page
              i64.const 1
              i64.add
              i64.store $hostcall:page
              local.get 0
              i32.const 8
              i32.const 8
              memory.copy 1 $hostcall:page
              i32.const 0
              i32.const 1
              memory.size 1
              memory.fill 1
            end
            i32.const 24
            local.set 0
            block ;; label = @1
              i32.const 8
              i32.const 8
              i64.load $hostcall:page
              i64.const 1
              i64.add
              i64.store $hostcall:page
              local.get 0
              i32.const 8
              i32.const 8
              memory.copy 1 $hostcall:page
              i32.const 0
              i32.const 1
              memory.size 1
              memory.fill 1
            end
          )
          (func $env.count (;1;) (type 0) (param i32)
            i32.const 8
            i32.const 8
            i64.load $hostcall:page
            i64.const 1
            i64.add
            i64.store $hostcall:page
            local.get 0
            i32.const 8
            i32.const 8
            memory.copy 1 $hostcall:page
            i32.const 0
            i32.const 1
            memory.size 1
            memory.fill 1
          )
          (data (;0;) (memory 1) (i32.const 0) "guest")
          (data (;1;) (memory $hostcall:page) (i32.const 8) "\05")
        )
    "#]]
    .assert_eq(&printed(&linked));
}

#[test]
fn bodies_and_the_host_share_it() {
    let linked = linked(GUEST, &[&built(COUNTER)], with_page);
    let engine = wasmi::Engine::default();
    let module = wasmi::Module::new(&engine, &linked.bytes).unwrap();
    let mut store = wasmi::Store::new(&engine, ());
    let instance = wasmi::Linker::new(&engine)
        .instantiate_and_start(&mut store, &module)
        .unwrap();
    let go = instance.get_typed_func::<(), ()>(&store, "go").unwrap();
    go.call(&mut store, ()).unwrap();
    let page = instance.get_memory(&store, "hostcall:page").unwrap();
    assert_eq!(page.data(&store)[8], 7);
    assert_eq!(page.data(&store).len(), 2 << 16);
    let memory = instance.get_memory(&store, "memory").unwrap();
    assert_eq!(memory.data(&store)[16], 6);
    assert_eq!(memory.data(&store)[24], 7);
    assert_eq!(memory.data(&store)[..3], [1, 1, b'e']);
}

#[test]
fn data_is_counted_where_the_guest_counts_it() {
    let guest = r#"(module
        (memory 1)
        (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)))
        (data "x"))"#;
    let linked = linked(guest, &[], with_page);
    assert!(printed(&linked).contains("(data (;1;) (memory 1) (i32.const 8)"));
}

#[test]
fn a_page_of_nothing_but_zeros() {
    let linked = linked("(module)", &[], |options| {
        options.page = Some(HostPage {
            size: 1,
            init: Vec::new(),
        });
    });
    expect![[r#"
        (module
          (memory (;0;) 1 1)
          (export "hostcall:page" (memory 0))
        )
    "#]]
    .assert_eq(&printed(&linked));
}

#[test]
fn what_bodies_use_must_be_there() {
    let refused = |guest: &str, change: &dyn Fn(&mut LinkOptions<'_>)| {
        let error = try_linked(guest, &[&built(COUNTER)], |options| {
            with_page(options);
            change(options);
        });
        format!("{}\n", error.unwrap_err())
    };
    let wide = GUEST.replace(r#"(memory (export "memory") 2)"#, "(memory i64 2)");
    let wide = wide.replace("(memory 1) (i32.const 0)", "(memory 1) (i64.const 0)");
    let small = GUEST.replace(r#"(export "memory") 2"#, "5 (pagesize 1)");
    let messages = [
        refused(GUEST, &|options| options.page = None),
        refused(GUEST, &|options| options.memory = None),
        refused(GUEST, &|options| options.memory = Some(2)),
        refused(&wide, &|_| {}),
        refused(&small, &|_| {}),
    ];
    expect![[r#"
        replacement 0: the body uses the host page, but the options have none
        replacement 0: the body uses the guest's memory, but the options name none
        replacement 0: the options name memory 2, the guest has 2
        replacement 0: the body is built for a memory of 0 or more pages, the guest has a 64-bit memory of 2 or more pages: build it for the guest
        replacement 0: the body is built for a memory of 0 or more pages, the guest has a memory of 5 or more pages of 2^0 bytes: build it for the guest
    "#]].assert_eq(&messages.concat());
}
