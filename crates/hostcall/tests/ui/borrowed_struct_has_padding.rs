use hostcall::{GuestType, host_module};

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Sample {
    id: u32,
    value: f64,
}

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Pair {
    first: Sample,
    second: Sample,
}

struct App;

#[host_module(name = "env")]
impl App {
    fn read(sample: &Sample, pairs: &[Pair]) -> f64 {
        sample.value + pairs.len() as f64
    }

    fn reset(sample: &mut Sample) {
        sample.value = 0.0;
    }

    fn swap(pairs: &mut [Pair]) {
        pairs.reverse();
    }
}

fn main() {}
