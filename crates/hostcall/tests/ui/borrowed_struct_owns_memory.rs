use hostcall::GuestType;

#[derive(GuestType, Clone)]
#[repr(C)]
struct Named {
    name: String,
}

fn main() {}
