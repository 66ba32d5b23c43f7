//! What plugins may import, and what each of their calls may use.

use crate::store::{Refused, Store};
use hostcall::{AsErrno, Error, Guest, Host, HostModule, Limits, host_module};
use std::time::Duration;

/// What holds for all plugins. Time is set for each of them.
const LIMITS: Limits = Limits::NONE
    .memory(16 << 20)
    .table(1_000)
    .host_calls(8)
    .transferred(64 << 10)
    .timeout(Duration::from_secs(1))
    // Nobody waits longer than that for a thread that another guest computes on.
    .time_slice(Duration::from_millis(1));

/// What one tenant's plugins work on.
pub struct Tenant {
    pub number: u32,
    pub store: Store,
}

#[host_module(name = "kv")]
impl Tenant {
    /// Ready at once, so the guest is not suspended.
    async fn get(
        &self,
        key: &str,
        buffer: &mut [u8],
    ) -> Result<AsErrno<Result<u32, Refused>>, Error> {
        let value = self.store.get(self.number, key).map_err(Error::msg)?;
        let Some(value) = value else {
            return Ok(AsErrno(Err(Refused::NotFound)));
        };
        let Some(buffer) = buffer.get_mut(..value.len()) else {
            return Ok(AsErrno(Err(Refused::TooLong)));
        };
        buffer.copy_from_slice(&value);
        Ok(AsErrno(Ok(value.len() as u32)))
    }

    /// Waits until the value is on disk, together with those of others.
    async fn put(&self, key: &str, value: &[u8]) -> Result<AsErrno<Result<(), Refused>>, Error> {
        let written = self.store.put(self.number, key, value).await;
        written.map(AsErrno).map_err(Error::msg)
    }

    /// Calls the guest's `visit` for every key, which is not to do so again.
    #[hostcall(reentrant = 1)]
    fn each(guest: &mut Guest<'_, Self>) -> Result<(), Error> {
        let visit = guest.export::<(&str, &[u8]), ()>("visit")?;
        let tenant = guest.state();
        let entries = tenant.store.entries(tenant.number).map_err(Error::msg)?;
        for (key, value) in &entries {
            visit.call_in(guest, (key, value))?;
        }
        Ok(())
    }
}

/// The host of all plugins.
pub fn host() -> Host<Tenant> {
    let mut host = Host::new();
    host.limits(LIMITS);
    Tenant::add_to_host(&mut host, |tenant| tenant);
    host.func_async("clock", "sleep", |milliseconds: u32| async move {
        tokio::time::sleep(Duration::from_millis(milliseconds.into())).await;
    });
    host
}
