use hostcall::HostState;

struct Inner;

#[derive(Default, HostState)]
#[repr(C)]
struct Refused {
    ready: bool,
    name: String,
    index: usize,
}

#[derive(HostState)]
#[repr(C)]
struct Unknown {
    inner: Inner,
}

fn main() {}
