use hostcall::host_module;

struct Point {
    x: i32,
}

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(inline)]
    fn by_value(point: Point) -> i32 {
        1
    }

    #[hostcall(inline)]
    fn borrowed(point: &mut Point) -> i32 {
        point.x
    }
}

fn main() {}
