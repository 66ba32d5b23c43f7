//! Host functions that run on a thread of their own, so that they block no
//! other: what waits for one of them, and closures.

#![expect(unsafe_code, reason = "registering promises what is lifted")]

use crate::async_func::ParamTuple;
use crate::error::Panicked;
use crate::fiber::Waiting;
use crate::guest_type::{Lift, Returns};
use crate::host::{Host, HostRegistry};
use crate::limits::{Deadline, HostLimit};
use crate::owned::whole;
use crate::registry::{Decl, Registry};
use crate::shared::{current_chain, in_chain};
use blocking::Task;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

/// A call of a host function on another thread.
///
/// If it is dropped, nobody waits for the function any more: it does not begin
/// if it has not yet, and is told so by its [`Deadline`] otherwise.
pub(crate) struct Running<R> {
    task: Task<wasmtime::Result<R>>,
    limit: Option<HostLimit>,
    abandoned: Arc<AtomicBool>,
}

impl<R: Send + 'static> Running<R> {
    pub fn start(
        limit: Option<HostLimit>,
        job: impl FnOnce(Deadline) -> R + Send + 'static,
    ) -> Running<R> {
        let abandoned = Arc::<AtomicBool>::default();
        let deadline = Deadline::new(limit.map(|limit| limit.at)).or(abandoned.clone());
        let chain = current_chain();
        let task = blocking::unblock(move || {
            let job = || in_chain(chain, || job(deadline));
            let returned = catch_unwind(AssertUnwindSafe(job));
            returned.map_err(|payload| wasmtime::Error::new(Panicked::new(&*payload)))
        });
        Running {
            task,
            limit,
            abandoned,
        }
    }

    /// Suspends the guest until it is done; where that cannot be, has this
    /// thread wait.
    pub fn wait(self, waiting: &mut Waiting<'_>) -> wasmtime::Result<R> {
        match waiting.waker {
            Some(_) => waiting.on(self)?,
            None => self.wait_here(),
        }
    }

    /// Has this thread wait until it is done, or the time is over.
    pub fn wait_here(mut self) -> wasmtime::Result<R> {
        let signal = Arc::<Signal>::default();
        let waker = Waker::from(signal.clone());
        loop {
            if let Poll::Ready(returned) = self.poll(&mut Context::from_waker(&waker)) {
                return returned;
            }
            match self.limit {
                Some(limit) if Instant::now() >= limit.at => return Err(limit.exceeded().into()),
                limit => signal.wait(limit.map(|limit| limit.at)),
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<wasmtime::Result<R>> {
        Pin::new(&mut self.task).poll(context)
    }
}

impl<R: Send + 'static> Future for Running<R> {
    type Output = wasmtime::Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll(context)
    }
}

impl<R> Drop for Running<R> {
    fn drop(&mut self) {
        self.abandoned.store(true, Relaxed);
    }
}

/// Wakes a thread that waits. The thread's own token is left alone: it may be
/// what an executor further up the stack waits for.
#[derive(Default)]
pub(crate) struct Signal {
    given: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// Waits until it is given, or the time is over.
    pub fn wait(&self, until: Option<Instant>) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        while !*given {
            given = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => self
                    .changed
                    .wait(given)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return,
                Some(left) => {
                    let waited = self.changed.wait_timeout(given, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *given = false;
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}

/// The state that a blocking function gets: a clone that goes to its thread.
#[doc(hidden)]
pub fn handle<T: Clone + Send + 'static>(state: &T) -> T {
    state.clone()
}

/// A closure that can be a blocking host function, see
/// [`Host::func_blocking`]. The marker `M` tells the shapes apart; it is inferred.
#[diagnostic::on_unimplemented(
    message = "this closure cannot be a blocking host function",
    label = "not a blocking host function",
    note = "every parameter needs its type written out, as in `|path: String|`, and must be an owned guest type; up to 12 of them",
    note = "what it returns is a guest type, or a `Result` of one, and goes between threads: it must be `Send`"
)]
pub trait IntoBlockingHostFunc<T, M>: Send + Sync + 'static {
    /// Registers the closure.
    #[doc(hidden)]
    fn register(self, decl: Decl<'_>, registry: &mut impl Registry<T>);
}

macro_rules! shapes {
    ($($name:ident)*) => {
        #[allow(non_snake_case, reason = "named after the type parameters")]
        impl<T, F, R, $($name),*> IntoBlockingHostFunc<T, (R, $($name),*)> for F
        where
            T: 'static,
            R: Returns + Send + 'static,
            $($name: for<'a> Lift<Value<'a> = $name> + Send + 'static,)*
            F: Fn($($name),*) -> R + Send + Sync + 'static,
        {
            fn register(self, decl: Decl<'_>, registry: &mut impl Registry<T>) {
                type Tuple<$($name),*> = ($($name,)*);
                let func = Arc::new(self);
                // SAFETY: `ParamTuple` lifts each of the parameters once, in order.
                unsafe {
                    registry.blocking_func::<<Tuple<$($name),*> as ParamTuple>::Params, R, _, _>(
                        decl,
                        move |_, args| {
                            let ($($name,)*) = <Tuple<$($name),*> as ParamTuple>::lift(args)?;
                            let func = func.clone();
                            Ok(move |_: Deadline| func($($name),*))
                        },
                    )
                };
            }
        }
    };
}

shapes!();
shapes!(A);
shapes!(A B);
shapes!(A B C);
shapes!(A B C D);
shapes!(A B C D E);
shapes!(A B C D E G);
shapes!(A B C D E G H);
shapes!(A B C D E G H I);
shapes!(A B C D E G H I J);
shapes!(A B C D E G H I J K);
shapes!(A B C D E G H I J K L);
shapes!(A B C D E G H I J K L M);

impl<T: 'static> Host<T> {
    /// Offers a closure as `module.name` that runs on a thread of its own, so that
    /// it may block: read files, wait for locks, compute for long.
    ///
    /// In a call by [`Export::call_async`](crate::Export::call_async) the guest is
    /// suspended meanwhile, and the executor's thread does other work; in one by
    /// [`Export::call`](crate::Export::call) the caller's thread waits. The threads
    /// are those of the `blocking` crate, which all hosts of the process share.
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// let mut host = Host::<()>::new();
    /// host.func_blocking("env", "size", |path: String| -> Result<u64, std::io::Error> {
    ///     Ok(std::fs::metadata(path)?.len())
    /// });
    /// ```
    ///
    /// `#[hostcall(blocking)]` in a `#[host_module]` also gives it the state, and a
    /// [`Deadline`] that tells it when nobody waits any more.
    pub fn func_blocking<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoBlockingHostFunc<T, M>,
    ) -> &mut Self {
        let decl = Decl::new(module, name, &[]);
        func.register(decl, &mut HostRegistry::new(self, whole));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LimitExceeded, LimitKind};
    use std::sync::mpsc::channel;
    use std::time::Duration;

    #[test]
    fn a_deadline_ends_the_wait() {
        let (begun, begin) = channel();
        let (end, ended) = channel::<()>();
        let since = Instant::now();
        let at = since + Duration::from_millis(20);
        let limit = LimitExceeded {
            limit: LimitKind::HostTime,
            allowed: 20_000_000,
            used: 0,
        };
        let limit = HostLimit { at, since, limit };
        let running = Running::start(Some(limit), move |deadline| {
            begun.send(deadline.instant()).unwrap();
            ended.recv().unwrap_err();
            deadline.is_over()
        });
        assert_eq!(begin.recv().unwrap(), Some(at));
        let error = running.wait_here().unwrap_err();
        let limit = error.downcast_ref::<LimitExceeded>().unwrap();
        assert_eq!(limit.limit, LimitKind::HostTime);
        assert!(limit.used >= limit.allowed, "{limit}");
        drop(end);
    }

    #[test]
    fn a_function_that_nobody_waits_for_is_told() {
        let (told, tell) = channel();
        let running = Running::start(None, move |deadline| {
            told.send(deadline.is_over()).unwrap();
            while !deadline.is_over() {
                std::thread::yield_now();
            }
            told.send(true).unwrap();
        });
        assert!(!tell.recv().unwrap());
        drop(running);
        assert!(tell.recv().unwrap());
    }

    #[test]
    fn the_token_of_the_thread_is_left_alone() {
        std::thread::current().unpark();
        let running = Running::start(None, |_| std::thread::sleep(Duration::from_millis(20)));
        running.wait_here().unwrap();
        // Hangs if the token was taken.
        std::thread::park();
    }
}
