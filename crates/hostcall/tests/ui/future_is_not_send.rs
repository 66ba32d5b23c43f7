use hostcall::host_module;
use std::rc::Rc;

struct App;

async fn pause() {}

#[host_module(name = "env")]
impl App {
    async fn held(n: u32) -> u32 {
        let shared = Rc::new(n);
        pause().await;
        *shared
    }

    async fn dropped(n: u32) -> u32 {
        let shared = *Rc::new(n);
        pause().await;
        shared
    }
}

fn main() {}
