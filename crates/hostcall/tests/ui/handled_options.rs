use hostcall::host_module;

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(result, errno)]
    fn both() -> Result<u32, u32> {
        Ok(0)
    }

    #[hostcall(errno, inline)]
    fn inline(n: u32) -> u32 {
        n
    }

    #[hostcall(deferred, result)]
    fn deferred() -> Result<(), u32> {
        Ok(())
    }

    #[hostcall(deferred, batch, errno)]
    fn batch(batch: &[u32]) -> Result<(), u32> {
        Err(batch.len() as u32)
    }

    #[hostcall(skip, errno)]
    fn skip() -> Result<(), u32> {
        Ok(())
    }
}

fn main() {}
