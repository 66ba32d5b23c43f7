use hostcall::{AsyncGuest, Guest, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    async fn inline(n: u32) -> u32 {
        n
    }

    #[hostcall(deferred)]
    async fn deferred(_n: u32) {}

    #[hostcall(deferred, batch)]
    async fn batch(_batch: &[u32]) {}

    #[hostcall(blocking)]
    async fn blocking(&self) {}

    async fn with_guest(_guest: &mut Guest<'_, Self>) {}

    fn with_async_guest(_guest: &mut AsyncGuest<'_, Self>) {}

    async fn borrows(_guest: &mut AsyncGuest<'_, Self>, _text: &str) {}
}

fn main() {}
