//! Which chain of calls this is.

use super::Hold;
use crate::instance::Instance;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

thread_local! {
    /// The chain of the call that is being made or polled; zero if it is that of
    /// the thread, or of nothing that is known.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
    /// The chain of what the thread calls itself.
    static THREAD: u64 = new_chain();
}

fn new_chain() -> u64 {
    static CHAINS: AtomicU64 = AtomicU64::new(1);
    CHAINS.fetch_add(1, Relaxed)
}

/// The chain of what blocks the thread.
pub(super) fn of_thread() -> u64 {
    match CURRENT.get() {
        0 => THREAD.with(|chain| *chain),
        chain => chain,
    }
}

/// The chain of what waits in a task: a new one, unless a call is polled.
pub(super) fn of_task() -> u64 {
    match CURRENT.get() {
        0 => new_chain(),
        chain => chain,
    }
}

/// As long as it is there, what the thread does belongs to a chain.
pub(crate) struct Carried(u64);

/// Has what the thread does belong to `chain`.
#[inline(always)]
pub(crate) fn carry(chain: u64) -> Carried {
    Carried(CURRENT.replace(chain))
}

impl Drop for Carried {
    #[inline(always)]
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The chain of the call that is being made, if that is known.
pub(crate) fn current_chain() -> Option<u64> {
    Some(CURRENT.get()).filter(|chain| *chain != 0)
}

/// Does `job` as a part of `chain`, on whatever thread.
pub(crate) fn in_chain<R>(chain: Option<u64>, job: impl FnOnce() -> R) -> R {
    let _carried = chain.map(carry);
    job()
}

/// The chain of a call: that which holds its instance, or of what calls it; else
/// it is one by itself.
pub(crate) fn chain_of_call(hold: Option<&Arc<Hold>>) -> u64 {
    hold.map_or_else(of_task, |hold| hold.chain)
}

/// Has all that `future` does count as one chain of calls: for a task that takes
/// several [`Shared`](crate::Shared) instances itself, one while it has another.
/// Then what would wait for itself is refused there, too, as in host functions.
///
/// ```
/// # use hostcall::{Host, one_chain};
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(future).poll(&mut context) {
/// #         std::task::Poll::Ready(output) => output,
/// #         std::task::Poll::Pending => unreachable!(),
/// #     }
/// # }
/// # let program = Host::<()>::new().program(b"(module)")?;
/// let a = program.instantiate(())?.into_shared_as("a");
/// # block_on(async {
/// one_chain(async {
///     let _held = a.lock_async().await?;
///     assert!(a.lock_async().await.is_err());
///     Ok::<(), hostcall::Error>(())
/// })
/// .await?;
/// # Ok::<(), hostcall::Error>(())
/// # })?;
/// # Ok::<(), hostcall::Error>(())
/// ```
pub async fn one_chain<F: Future>(future: F) -> F::Output {
    let chain = Some(of_task());
    let mut future = pin!(future);
    poll_fn(|context| in_chain(chain, || future.as_mut().poll(context))).await
}

/// As long as it is there, the chain that holds an instance calls an export of it.
pub(crate) struct Working {
    hold: Arc<Hold>,
    _carried: Carried,
}

impl Drop for Working {
    fn drop(&mut self) {
        self.hold.calls("");
    }
}

impl<T: 'static> Instance<T> {
    /// Lets what is called belong to the chain that holds the instance, if it is
    /// shared.
    pub(crate) fn working(&self, export: &str) -> Option<Working> {
        let hold = self.store.data().hold.clone()?;
        hold.calls(export);
        Some(Working {
            _carried: carry(hold.chain),
            hold,
        })
    }
}
