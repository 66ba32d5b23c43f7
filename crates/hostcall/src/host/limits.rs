//! What a host allows its guests, and the engine for that.

use super::Host;
use crate::error::{Error, ErrorKind};
use crate::limits::{self, Limits, Pool};
use crate::registry::FuncOptions;

impl<T: 'static> Host<T> {
    /// Limits what every instance may use, of programs that are made from now on.
    ///
    /// A host that was made by [`Host::new`] gets a new engine if the limits need
    /// other settings, so [`Host::engine`] gives another one then. With
    /// [`Host::with_engine`], the engine must have the settings, or else
    /// [`Host::program`] says which one is missing.
    ///
    /// ```
    /// use hostcall::{Host, Limits};
    /// use std::time::Duration;
    ///
    /// let mut host = Host::<()>::new();
    /// host.limits(Limits::NONE.timeout(Duration::from_millis(50)).memory(16 << 20));
    /// ```
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        if let Some(mut settings) = self.settings {
            settings.set_limits(&limits);
            self.set_engine(settings);
        }
        self
    }

    /// Takes the memory of instances, and the stacks of async calls, out of a pool
    /// that is reserved at once: instances are made and dropped faster, and there
    /// are at most so many at once, with memories of at most `memory` bytes.
    ///
    /// A guest may have two memories, of which the host page is one, and two
    /// tables. An instance that does not fit any more is an error,
    /// [`LimitKind::Instances`](crate::LimitKind::Instances), until another one is
    /// dropped.
    ///
    /// Each of them takes about four mappings of the process. Linux allows 65,530
    /// by default, so for more than some 13,000 instances raise
    /// `vm.max_map_count`; where it is too low, making programs fails for want of
    /// memory.
    ///
    /// This is for hosts made by [`Host::new`]; they get a new engine.
    pub fn pooling(&mut self, instances: u32, memory: usize) -> &mut Self {
        match self.settings {
            Some(mut settings) => {
                settings.pool = Some(Pool { instances, memory });
                self.set_engine(settings);
            }
            None => {
                let problem = "`Host::pooling` is for engines of the host's own: give this one an \
                               `InstanceAllocationStrategy::Pooling`";
                self.unfit = Some(problem.to_owned());
            }
        }
        self
    }

    /// Makes every call of the host function `module.name` cost the guest so much
    /// fuel, however it was registered; nothing if fuel is not limited. See
    /// [`Guest::charge`](crate::Guest::charge) for what depends on the call.
    pub fn fuel_cost(&mut self, module: &str, name: &str, fuel: u64) -> &mut Self {
        self.fuel_costs.insert(module, name, fuel);
        self
    }

    /// What a host function asks for, after what was said of it by its name.
    pub(crate) fn options(&self, module: &str, name: &str, options: FuncOptions) -> FuncOptions {
        let FuncOptions { fuel, reentrant } = options;
        FuncOptions {
            fuel: *self.fuel_costs.get(module, name).unwrap_or(&fuel),
            reentrant: *self.reentrant.get(module, name).unwrap_or(&reentrant),
        }
    }

    /// Checks that the engine can do what is asked of it.
    pub(crate) fn check_engine(&self) -> Result<(), Error> {
        if let Some(problem) = &self.unfit {
            return Err(Error::of(ErrorKind::Engine(problem.clone())));
        }
        limits::check(&self.engine, &self.limits)
    }

    fn set_engine(&mut self, settings: limits::EngineSettings) {
        if self.settings == Some(settings) && self.unfit.is_none() {
            return;
        }
        self.settings = Some(settings);
        self.unfit = None;
        match settings.engine() {
            Ok(engine) => self.engine = engine,
            Err(error) => self.unfit = Some(error.to_string()),
        }
    }
}
