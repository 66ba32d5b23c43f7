use hostcall::{GuestType, host_module};

#[derive(GuestType, Clone, Copy)]
struct Point {
    x: i32,
    y: i32,
}

struct App;

#[host_module(name = "env")]
impl App {
    fn mirror(point: &mut Point) {
        point.x = -point.y;
    }
}

fn main() {}
