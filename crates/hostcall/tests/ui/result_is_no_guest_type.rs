use hostcall::host_module;
use std::time::Instant;

struct App;

#[host_module(name = "env")]
impl App {
    fn now() -> Instant {
        Instant::now()
    }

    fn fail() -> Result<(), String> {
        Err("a string is no error type".to_owned())
    }
}

fn main() {}
