//! What the macros generate causes no warnings, neither where items are used by
//! guests only, nor where parentheses, blocks and `mut` look needless after the
//! rewriting.

#![deny(warnings)]

use hostcall::{HostState, Memory, host_module};

#[derive(Default, HostState)]
#[repr(C)]
struct Counters {
    hits: u64,
    rows: [Row; 4],
}

#[derive(Default, HostState)]
#[repr(C)]
struct Row {
    cells: [u16; 4],
}

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    fn only_a_return(x: i32) -> i32 {
        return x;
    }

    #[hostcall(inline)]
    fn leaves_everywhere(mut x: u32) -> u32 {
        let limit;
        if x > 100 {
            limit = 50;
        } else {
            return (x + 1) * 2;
        }
        let found = 'outer: loop {
            while x > limit {
                x -= 1;
                if x == 70 {
                    break 'outer x;
                } else if x & 3 == 0 {
                    continue 'outer;
                }
            }
            if x < 10 {
                break 0;
            } else {
                panic!("stuck");
            }
        };
        { found }
    }

    #[hostcall(inline)]
    fn nothing(_unused: u8, _: f32) {}

    #[hostcall(inline, skip)]
    fn never_called(x: u8) -> u8 {
        x
    }

    #[hostcall(inline)]
    fn context(&self, memory: &mut Memory<'_>, counters: &mut Counters, at: u32) -> bool {
        counters.hits += 1;
        counters.rows[at as usize].cells[0] ^= memory.load::<u16>(at);
        memory.fill(at, 0, 2);
        self.told(at);
        at > 3 && memory.size() > 9 || unreachable!()
    }

    fn told(&self, _at: u32) {}
}

/// That this file compiles is the test; that it computes comes on top.
#[test]
fn it_compiles() {
    assert_eq!(App::only_a_return(3), 3);
}
