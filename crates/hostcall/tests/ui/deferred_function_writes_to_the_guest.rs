use hostcall::{Guest, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred)]
    fn clear(&mut self, list: &mut [u8]) {
        list.fill(0);
    }

    #[hostcall(deferred)]
    fn sort(_guest: &mut Guest<'_, App>, list: &mut [u8]) {
        list.sort();
    }
}

fn main() {}
