use hostcall::{Memory, host_module};

struct App {
    count: u32,
}

fn elsewhere(x: u32) -> u32 {
    x
}

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    fn chosen(x: u32) -> u32 {
        match x {
            0 => 1,
            _ => 2,
        }
    }

    #[hostcall(inline)]
    fn counted(n: u32) -> u32 {
        let mut sum = 0;
        for i in 0..n {
            sum += i;
        }
        sum
    }

    #[hostcall(inline)]
    fn state_of_the_host(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    #[hostcall(inline)]
    fn called(x: u32) -> u32 {
        elsewhere(x) + x.pow(2)
    }

    #[hostcall(inline)]
    fn text(text: &str) -> u32 {
        text.len() as u32
    }

    #[hostcall(inline)]
    fn wide(x: u64) -> u64 {
        (x as u128 * 3) as u64
    }

    #[hostcall(inline)]
    fn fails(x: u32) -> Result<u32, hostcall::Error> {
        x.checked_add(1).ok_or_else(|| hostcall::Error::msg("too large"))
    }

    #[hostcall(inline)]
    fn printed(memory: &mut Memory<'_>, x: u32) -> u32 {
        println!("{x}");
        memory.read(x)
    }
}

fn main() {}
