//! The plugins: one that tenants use, and those that are up to no good. All have
//! the same interface, `handle: func(path: string) -> string`.

use crate::host::Tenant;
use hostcall::{Error, Host, Instance, LimitKind, Program};
use std::time::Duration;

/// A guest, and what is expected of it.
pub struct Plugin {
    pub name: &'static str,
    guest: &'static [u8],
    /// Whether an error is what should stop it; none should if there is none.
    stop: Option<fn(&Error) -> bool>,
}

macro_rules! guest {
    ($file:literal) => {
        include_bytes!(concat!("../../../../guests/plugins/", $file))
    };
}

/// The plugin that tenants use.
pub const COUNTER: Plugin = Plugin {
    name: "counter",
    guest: guest!("counter.wasm"),
    stop: None,
};

/// The others.
pub const MALICIOUS: [Plugin; 5] = [
    Plugin {
        name: "loop",
        guest: guest!("loop.wat"),
        stop: Some(|error| reached(error, LimitKind::Time)),
    },
    Plugin {
        name: "hog",
        guest: guest!("hog.wat"),
        stop: Some(|error| reached(error, LimitKind::Memory)),
    },
    Plugin {
        name: "reentrant",
        guest: guest!("reentrant.wat"),
        stop: Some(|error| error.reentrancy().is_some()),
    },
    Plugin {
        name: "flood",
        guest: guest!("flood.wat"),
        stop: Some(|error| reached(error, LimitKind::HostCalls)),
    },
    Plugin {
        name: "sleeper",
        guest: guest!("sleeper.wat"),
        stop: Some(|error| reached(error, LimitKind::Time)),
    },
];

fn reached(error: &Error, limit: LimitKind) -> bool {
    error.limit().is_some_and(|reached| reached.limit == limit)
}

/// A plugin that is ready to be instantiated.
#[derive(Clone)]
pub struct Loaded {
    program: Program<Tenant>,
    timeout: Duration,
    stop: Option<fn(&Error) -> bool>,
}

impl Plugin {
    pub fn load(&self, host: &Host<Tenant>, timeout: Duration) -> Result<Loaded, Error> {
        let program = host.program(self.guest)?;
        Ok(Loaded {
            program,
            timeout,
            stop: self.stop,
        })
    }
}

impl Loaded {
    pub async fn instantiate(&self, tenant: Tenant) -> Result<Instance<Tenant>, Error> {
        let mut instance = self.program.instantiate_async(tenant).await?;
        let limits = instance.limits();
        instance.set_limits(limits.timeout(self.timeout))?;
        Ok(instance)
    }

    /// Whether that is the error that should end its calls.
    pub fn is_stop(&self, error: &Error) -> bool {
        self.stop.is_some_and(|stop| stop(error))
    }
}
