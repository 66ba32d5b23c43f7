use hostcall::{GuestType, host_module};

type Count = u32;

#[derive(GuestType, Clone)]
struct Named {
    name: String,
}

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred)]
    fn count(&mut self) -> Count {
        0
    }

    #[hostcall(deferred, batch)]
    fn names(&mut self, _batch: &[Named]) {}
}

fn main() {}
