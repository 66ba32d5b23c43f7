use hostcall::host_module;

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(result)]
    fn nothing(&self) {}

    #[hostcall(errno)]
    fn number(&self) -> u32 {
        0
    }

    #[hostcall(errno)]
    fn maybe(&self) -> Option<u32> {
        None
    }
}

fn main() {}
