use hostcall::GuestType;

#[derive(GuestType, Clone, Copy)]
#[repr(C)]
struct Sample {
    id: u32,
    value: f64,
}

fn main() {}
