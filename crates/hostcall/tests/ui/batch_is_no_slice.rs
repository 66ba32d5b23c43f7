use hostcall::host_module;

struct App;

#[host_module(name = "env")]
impl App {
    #[hostcall(deferred, batch)]
    fn sample(&mut self, _channel: u32, _value: f64) {}

    #[hostcall(deferred, batch)]
    fn samples(&mut self, _batch: Vec<f64>) {}

    #[hostcall(batch)]
    fn numbers(&mut self, _batch: &[f64]) {}

    #[hostcall(deferred, inline)]
    fn tick() {}
}

fn main() {}
