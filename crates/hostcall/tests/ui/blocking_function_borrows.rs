use hostcall::{Guest, GuestStr, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(blocking)]
    fn text(_text: &str, _list: &mut [u8]) {}

    #[hostcall(blocking)]
    fn handle(_text: GuestStr) {}

    #[hostcall(blocking)]
    fn state(&mut self) {}

    #[hostcall(blocking)]
    fn guest(_guest: &mut Guest<'_, Self>) {}

    #[hostcall(blocking, inline)]
    fn inline() {}

    #[hostcall(blocking, reentrant)]
    fn reentrant(&self) {}
}

fn main() {}
