use hostcall::{Host, host_module};
use std::rc::Rc;

struct NotClone;

#[host_module(name = "env")]
impl NotClone {
    #[hostcall(blocking)]
    fn state(&self) {}
}

#[derive(Clone)]
struct NotSend(Rc<u32>);

#[host_module(name = "env")]
impl NotSend {
    #[hostcall(blocking)]
    fn state(&self) {}
}

type Text<'a> = &'a str;

struct Aliased;

#[host_module(name = "env")]
impl Aliased {
    #[hostcall(blocking)]
    fn borrow(text: Text) -> u32 {
        text.len() as u32
    }
}

fn main() {
    let mut host = Host::<()>::new();
    host.func_blocking("env", "len", |text: &str| text.len() as u32);
}
