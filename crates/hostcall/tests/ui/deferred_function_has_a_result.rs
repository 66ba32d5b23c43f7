use hostcall::{Error, host_module};

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred)]
    fn count(&mut self, text: &str) -> u32 {
        text.len() as u32
    }

    #[hostcall(deferred)]
    fn parse(&mut self, text: &str) -> Result<u32, Error> {
        text.parse().map_err(Error::msg)
    }
}

fn main() {}
