use hostcall::{Memory, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    fn sum(a: i32, b: i64) -> i64 {
        a + b
    }

    #[hostcall(inline)]
    fn truth(flag: bool) -> u32 {
        let mut count = 0;
        if count {
            count += flag;
        }
        count
    }

    #[hostcall(inline)]
    fn rest(x: f64) -> f64 {
        x % 2.0
    }

    #[hostcall(inline)]
    fn first(memory: &mut Memory<'_>, at: i32) -> u32 {
        memory.load::<u32>(at)
    }

    #[hostcall(inline)]
    fn frozen(x: u32) -> u32 {
        x += 1;
        x
    }

    #[hostcall(inline)]
    fn unknown(count: u32) -> u32 {
        conut
    }
}

fn main() {}
