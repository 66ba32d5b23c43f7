use hostcall::{Guest, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(reentrant)]
    fn no_guest(&mut self) {}

    #[hostcall(reentrant = 0)]
    fn never(_guest: &mut Guest<'_, Self>) {}

    #[hostcall(fuel = 1.5)]
    fn half() {}

    #[hostcall(fuel = 0x1_0000_0000_0000_0000)]
    fn too_much() {}

    #[hostcall(inline, fuel = 10)]
    fn inline() {}
}

fn main() {}
