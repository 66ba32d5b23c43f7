use hostcall::host_module;

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(nmae = "add")]
    fn plus(a: i32, b: i32) -> i32 {
        a + b
    }

    unsafe fn wait(&self) {}
}

fn main() {}
