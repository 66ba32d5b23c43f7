use hostcall::{Guest, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    fn log(guest: &mut Guest<'_, App>, text: &str) {
        let _ = (guest, text);
    }
}

fn main() {}
