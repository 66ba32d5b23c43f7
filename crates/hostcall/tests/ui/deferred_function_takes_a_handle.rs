use hostcall::{Guest, GuestFunc, GuestPtr, GuestStr, HostRef, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred)]
    fn log(_guest: &mut Guest<'_, App>, _text: GuestStr) {}

    #[hostcall(deferred)]
    fn point(&mut self, _point: GuestPtr<u32>) {}

    #[hostcall(deferred)]
    fn later(&mut self, _call: GuestFunc<(), ()>, _object: Option<HostRef<u32>>) {}
}

fn main() {}
