//! Has everyone have only a share of a thread, so that some who compute without end
//! do not leave the others without one. It is time slices that make this possible: a
//! guest that computes comes back to its executor after each of them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::ready;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Who computes for a millisecond has to rest for so many,
const REST: u32 = 10;
/// but not until there is so much to rest. Most never get there.
const BURST: Duration = Duration::from_millis(100);

/// What one caller has used.
pub struct Share {
    /// When all that it has used is made up for.
    paid: Instant,
}

impl Share {
    pub fn new() -> Share {
        Share {
            paid: Instant::now(),
        }
    }

    /// Runs a future, with rests between its polls if they take long.
    pub async fn run<F: Future>(&mut self, future: F) -> F::Output {
        let mut future = pin!(future);
        let mut rest = pin!(sleep_until(self.rested()));
        poll_fn(|context| {
            ready!(rest.as_mut().poll(context));
            let start = Instant::now();
            let polled = future.as_mut().poll(context);
            self.paid = self.paid.max(start) + start.elapsed() * REST;
            if polled.is_pending() && self.rested() > Instant::now() {
                rest.as_mut().reset(self.rested());
                // Whoever wakes the future before has to wait.
                let _ = rest.as_mut().poll(context);
            }
            polled
        })
        .await
    }

    fn rested(&self) -> Instant {
        self.paid.checked_sub(BURST).unwrap_or(self.paid)
    }
}
