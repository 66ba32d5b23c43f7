use hostcall::host_module;

struct Point {
    x: i32,
    y: i32,
}

struct App;

#[host_module(name = "env")]
impl App {
    fn length(point: Point) -> f64 {
        f64::from(point.x * point.x + point.y * point.y).sqrt()
    }
}

fn main() {}
