use hostcall::{Guest, Host};

struct Opaque;

fn main() {
    let mut host = Host::<u32>::new();
    host.func("env", "opaque", |_: Opaque| 1);
    host.func("env", "borrow", |_: &mut Guest<'_, u32>, text: &str| text.len() as u32);
}
