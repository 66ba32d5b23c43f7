use hostcall::host_module;
use std::num::NonZeroU16;
use std::time::Instant;

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(result)]
    fn now() -> Result<Instant, u32> {
        Err(1)
    }

    #[hostcall(errno)]
    fn then() -> Result<(u32, Instant), NonZeroU16> {
        Err(NonZeroU16::MIN)
    }
}

fn main() {}
