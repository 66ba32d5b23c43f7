use hostcall::host_module;

type Count = u32;

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(errno)]
    fn count(&self) -> Count {
        0
    }
}

fn main() {}
