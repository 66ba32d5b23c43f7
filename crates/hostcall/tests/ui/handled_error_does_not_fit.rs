use hostcall::{AsErrno, AsResult, Host, host_module};
use std::fmt;

#[derive(Debug)]
struct NotFound;

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not found")
    }
}

impl std::error::Error for NotFound {}

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(result)]
    fn length(&self, _name: &str) -> Result<u32, NotFound> {
        Err(NotFound)
    }

    #[hostcall(errno)]
    fn read(&self, _name: &str) -> Result<String, NotFound> {
        Err(NotFound)
    }
}

fn main() {
    let mut host = Host::<()>::new();
    host.func("env", "length", || AsResult(Err::<u32, _>(NotFound)));
    host.func("env", "read", || AsErrno(Err::<(), _>(NotFound)));
}
