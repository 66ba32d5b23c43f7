use hostcall::{GuestType, Secret, host_module};

struct App {
    token: Secret,
}

#[host_module(name = "env")]
impl App {
    fn token(&self) -> Secret {
        Secret::from(self.token.expose())
    }
}

#[derive(GuestType)]
struct Session {
    token: Secret,
}

fn main() {}
