use hostcall::HostState;

#[derive(HostState)]
#[repr(C)]
struct Counters {
    hits: u32,
}

fn main() {}
