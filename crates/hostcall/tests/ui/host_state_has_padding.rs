use hostcall::HostState;

#[derive(Default, HostState)]
#[repr(C)]
struct Counters {
    hits: u32,
    total: u64,
}

fn main() {}
