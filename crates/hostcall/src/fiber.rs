//! Guests that wait: calls that run on a stack of their own, a fiber of
//! Wasmtime's, which is suspended while an async host function waits.
//!
//! An async host function is an ordinary one that polls a future, at first where
//! it stands. Only if that is not ready is the fiber suspended: by a function of
//! ours in the store that Wasmtime knows to be async, because that is the way to
//! suspend it from outside Wasmtime.

#![expect(unsafe_code, reason = "pointers handed through Wasmtime's frames")]

use crate::error::{Error, ErrorKind};
use crate::limits::Watch;
use crate::owned::StoreData;
use crate::shared::{Carried, carry};
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use wasmtime::{AsContextMut, Caller, Func, TypedFunc};

/// What runs on a fiber, or while none can be suspended.
type Job<'j, T> = &'j mut dyn FnMut(&mut Caller<'_, StoreData<T>>);

/// A job that goes where its fiber goes.
pub(crate) struct SentJob<'j, T: 'static>(Job<'j, T>);

// SAFETY: `new` takes only jobs that are.
unsafe impl<T> Send for SentJob<'_, T> {}

impl<'j, T> SentJob<'j, T> {
    pub fn new(job: &'j mut (dyn FnMut(&mut Caller<'_, StoreData<T>>) + Send)) -> SentJob<'j, T> {
        SentJob(job)
    }
}

/// What is polled while a fiber is suspended.
pub(crate) type Poller<'p> = &'p mut (dyn FnMut(&mut Context<'_>) -> Poll<()> + Send);

/// How the guest of one instance can be suspended.
pub(crate) struct Fiber<T: 'static> {
    task: Arc<Task>,
    /// Runs a job where it is called.
    enter: TypedFunc<(), ()>,
    /// Polls until ready, and suspends the fiber in between.
    suspend: Func,
    /// Runs a job while the fiber cannot be suspended.
    hold: Func,
    jobs: PhantomData<fn(Job<'_, T>)>,
}

/// What the frames on a fiber and those that poll it tell each other. It lies
/// apart from the store, which is borrowed while they do.
///
/// All of it is touched only by the thread that polls the call; atomics make it
/// `Sync`. They are read and written one after the other, never exchanged, which
/// would be dear.
#[derive(Default)]
struct Task {
    /// That of the task by which the call is polled now; null where the guest
    /// cannot be suspended.
    waker: AtomicPtr<Waker>,
    /// Whether Wasmtime's means of suspending are lent to a future already.
    lent: AtomicBool,
    /// Whether a call is being made on a fiber, even if that is suspended.
    entered: AtomicBool,
    /// Whether it is being polled: if it is not, what runs on the fiber unwinds it.
    polled: AtomicBool,
    /// Whether the call was dropped while a host function waited.
    cancelled: AtomicBool,
    /// Whether a call was dropped while the guest itself ran.
    interrupted: AtomicBool,
    /// For the function that is called next: a [`Job`].
    job: AtomicPtr<()>,
    /// What the fiber waits for.
    poller: AtomicPtr<Poller<'static>>,
    /// Whether others have had their turn since it began to wait.
    yielded: AtomicBool,
}

thread_local! {
    /// That of the call which is polled: the innermost, if one polls another.
    static POLLED: Cell<*const Task> = const { Cell::new(ptr::null()) };
}

impl<T: Send + 'static> Fiber<T> {
    /// Puts functions of ours into the store. From then on Wasmtime calls guests
    /// in this store only on fibers, or unchecked, as we do.
    pub fn new(mut store: impl AsContextMut<Data = StoreData<T>>) -> wasmtime::Result<Fiber<T>> {
        let task = Arc::<Task>::default();
        let of = task.clone();
        let enter = Func::wrap(&mut store, move |mut caller: Caller<'_, StoreData<T>>| {
            of.run_job(&mut caller);
        });
        // A future without a size is in a box without an allocation.
        let suspend =
            Func::wrap_async(&mut store, |_: Caller<'_, StoreData<T>>, ()| Box::new(Lend));
        let of = task.clone();
        let hold = Func::wrap_async(
            &mut store,
            move |mut caller: Caller<'_, StoreData<T>>, ()| {
                let task = of.clone();
                Box::new(async move { task.run_job(&mut caller) })
            },
        );
        Ok(Fiber {
            task,
            enter: enter.typed(&store)?,
            suspend,
            hold,
            jobs: PhantomData,
        })
    }

    /// Runs `job` on a fiber, when it is [polled](Fiber::polled).
    pub fn run<'r>(
        &'r self,
        store: impl AsContextMut<Data = StoreData<T>> + 'r,
        job: &'r mut SentJob<'_, T>,
    ) -> impl Future<Output = wasmtime::Result<()>> + 'r {
        // It outlives the future, and so the fiber.
        self.task
            .job
            .store(ptr::from_mut(&mut job.0).cast(), Relaxed);
        self.enter.call_async(store, ())
    }

    /// Polls a call, within its limits and as a part of `chain`: async host functions
    /// that it reaches may wait.
    pub async fn polled<R>(
        &self,
        watch: Option<Watch>,
        chain: Option<u64>,
        call: impl Future<Output = wasmtime::Result<R>>,
    ) -> wasmtime::Result<R> {
        let task = &*self.task;
        task.cancelled.store(false, Relaxed);
        task.entered.store(true, Relaxed);
        // After the call, which is unwound if it is dropped.
        let _entered = Entered(task);
        let call = pin!(call);
        Polled {
            task,
            watch,
            chain,
            call,
        }
        .await
    }
}

/// A call that is polled: one layer for all that is set meanwhile, because every
/// return is dear after stacks were switched.
struct Polled<'p, F> {
    task: &'p Task,
    watch: Option<Watch>,
    chain: Option<u64>,
    call: Pin<&'p mut F>,
}

impl<R, F: Future<Output = wasmtime::Result<R>>> Future for Polled<'_, F> {
    type Output = wasmtime::Result<R>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<wasmtime::Result<R>> {
        let this = &mut *self;
        let running = this.watch.as_ref().map(Watch::run);
        let polling = this.task.polling(this.chain, context.waker());
        let polled = this.call.as_mut().poll(context);
        drop(polling);
        drop(running);
        match (polled, &this.watch) {
            (Poll::Ready(result), _) => {
                this.task.entered.store(false, Relaxed);
                Poll::Ready(result)
            }
            (Poll::Pending, None) => Poll::Pending,
            (Poll::Pending, Some(watch)) => watch.suspended(context).map(Err),
        }
    }
}

impl<T: 'static> Fiber<T> {
    /// Whether the guest can be suspended where this is called.
    pub fn can_wait(&self) -> bool {
        !self.task.waker.load(Relaxed).is_null()
    }

    /// Whether it is a call of ours that is being made on a fiber.
    pub fn is_polled(&self) -> bool {
        self.task.polled.load(Relaxed)
    }

    /// Whether the call that is being made was dropped, and is unwound.
    pub fn is_unwinding(&self) -> bool {
        self.task.entered.load(Relaxed) && !self.task.polled.load(Relaxed)
    }

    /// Whether a call was dropped while the guest itself ran; or forgotten, which
    /// leaves the guest wherever it was, and looks as if it were being unwound.
    pub fn was_interrupted(&self) -> bool {
        self.task.interrupted.load(Relaxed) || self.is_unwinding()
    }

    pub fn clear_interrupted(&self) {
        self.task.interrupted.store(false, Relaxed);
        self.task.entered.store(false, Relaxed);
    }

    /// Runs `job`, and lets nothing suspend the fiber meanwhile: frames of host
    /// functions lie on it, with what may have to stay on this thread.
    pub fn hold(
        &self,
        store: impl AsContextMut<Data = StoreData<T>>,
        mut job: impl FnMut(&mut Caller<'_, StoreData<T>>),
    ) -> wasmtime::Result<()> {
        let task = &*self.task;
        let before = task.held();
        // Wasmtime has its means of suspending taken away by `hold`, if they are
        // there to take.
        let func = match before.waker.is_null() || task.lent.load(Relaxed) {
            true => self.enter.func(),
            false => &self.hold,
        };
        let mut job: Job<'_, T> = &mut job;
        task.job.store(ptr::from_mut(&mut job).cast(), Relaxed);
        // SAFETY: the function has neither parameters nor results. Wasmtime asks
        // that no such call be made on a fiber, because it might be suspended:
        // that is what this prevents.
        let held = unsafe { func.call_unchecked(store, &mut []) };
        task.job.store(ptr::null_mut(), Relaxed);
        held
    }

    /// The waker of the task that has called the guest, if it can be suspended
    /// here.
    ///
    /// # Safety
    ///
    /// It must not be used after the fiber was suspended.
    #[inline(always)]
    pub unsafe fn waker(&self) -> Option<&Waker> {
        // SAFETY: `polling` has put it there, and takes it away before it is
        // invalid; fibers run in between only.
        unsafe { self.task.waker.load(Relaxed).as_ref() }
    }

    /// Polls until ready, and suspends the fiber in between. It fails if the
    /// call was dropped meanwhile.
    #[inline(always)]
    pub fn suspend(
        &self,
        store: impl AsContextMut<Data = StoreData<T>>,
        mut poller: Poller<'_>,
    ) -> wasmtime::Result<()> {
        let task = &*self.task;
        if !self.can_wait() || task.lent.load(Relaxed) {
            return Err(cannot_wait("it"));
        }
        task.poller
            .store(ptr::from_mut(&mut poller).cast(), Relaxed);
        task.yielded.store(false, Relaxed);
        // SAFETY: the function has neither parameters nor results. What lies on
        // this fiber are frames of guests, of Wasmtime and of ours, and futures
        // that are `Send`: those of other host functions would have held it.
        let waited = unsafe { self.suspend.call_unchecked(store, &mut []) };
        if waited.is_err() {
            // The fiber was resumed only to be unwound.
            task.cancelled.store(true, Relaxed);
            task.waker.store(ptr::null_mut(), Relaxed);
        }
        waited
    }
}

impl Task {
    fn run_job<T: 'static>(&self, caller: &mut Caller<'_, StoreData<T>>) {
        let job = self.job.load(Relaxed).cast::<Job<'static, T>>();
        self.job.store(ptr::null_mut(), Relaxed);
        // SAFETY: who has put it there waits until this returns or, on a fiber,
        // until that was unwound. Taking it has made this the only reference.
        if let Some(job) = unsafe { job.as_mut() } {
            job(caller);
        }
    }

    /// Polls what the fiber waits for. Meanwhile no other can.
    #[inline(always)]
    fn lend(&self, context: &mut Context<'_>) -> Poll<()> {
        // It has been polled, and others are to have their turn first.
        if !self.yielded.load(Relaxed) {
            self.yielded.store(true, Relaxed);
            return Poll::Pending;
        }
        let poller = self.poller.load(Relaxed);
        // SAFETY: `suspend` has put it there, and waits until this is ready or was
        // dropped. It is polled by this alone.
        let Some(poller) = (unsafe { poller.as_mut() }) else {
            return Poll::Ready(());
        };
        self.lent.store(true, Relaxed);
        let _lent = Lent(self);
        poller(context)
    }

    /// Notes that the call was dropped.
    #[cold]
    fn unwound(&self) {
        self.entered.store(false, Relaxed);
        if !self.cancelled.load(Relaxed) {
            self.interrupted.store(true, Relaxed);
        }
    }

    /// Notes that the call is polled, and by whom, until the guard is dropped.
    #[inline(always)]
    fn polling(&self, chain: Option<u64>, waker: &Waker) -> Polling<'_> {
        self.waker.store(ptr::from_ref(waker).cast_mut(), Relaxed);
        self.polled.store(true, Relaxed);
        Polling {
            task: self,
            outer: POLLED.replace(self),
            _carried: chain.map(carry),
        }
    }
}

/// As long as it is there, a call is polled.
struct Polling<'t> {
    task: &'t Task,
    outer: *const Task,
    _carried: Option<Carried>,
}

impl Drop for Polling<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        POLLED.set(self.outer);
        self.task.polled.store(false, Relaxed);
        self.task.waker.store(ptr::null_mut(), Relaxed);
    }
}

/// Dropped when Wasmtime has its means of suspending back.
struct Lent<'t>(&'t Task);

impl Drop for Lent<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.lent.store(false, Relaxed);
    }
}

/// Polls what the fiber waits for that is polled.
struct Lend;

impl Future for Lend {
    type Output = ();

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `polling` has put it there, and takes it away before it is
        // invalid. It is the one whose fiber this is: fibers run only while their
        // calls are polled, and what was polled inside has returned.
        match unsafe { POLLED.get().as_ref() } {
            Some(task) => task.lend(context),
            None => Poll::Ready(()),
        }
    }
}

/// Lets nothing suspend the fiber until it is dropped.
struct Held<'t> {
    task: &'t Task,
    waker: *mut Waker,
}

impl Task {
    fn held(&self) -> Held<'_> {
        let waker = self.waker.load(Relaxed);
        self.waker.store(ptr::null_mut(), Relaxed);
        Held { task: self, waker }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.task.waker.store(self.waker, Relaxed);
    }
}

/// A call on a fiber; dropped when it is over, or after it was unwound.
struct Entered<'t>(&'t Task);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if self.0.entered.load(Relaxed) {
            self.0.unwound();
        }
    }
}

/// How an async host function waits.
#[doc(hidden)]
pub struct Waiting<'w> {
    pub(crate) waker: Option<&'w Waker>,
    pub(crate) suspend: &'w mut (dyn FnMut(Poller<'_>) -> wasmtime::Result<()> + 'w),
}

impl Waiting<'_> {
    /// Polls `future`, and suspends the guest until it is ready.
    ///
    /// # Errors
    ///
    /// If the guest cannot be suspended here, or the call is dropped meanwhile.
    #[inline(always)]
    pub fn on<F: Future + Send>(&mut self, future: F) -> wasmtime::Result<F::Output>
    where
        F::Output: Send,
    {
        let mut future = pin!(future);
        let Some(waker) = self.waker.take() else {
            return Err(cannot_wait("it"));
        };
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
            return Ok(output);
        }
        let mut output = None;
        (self.suspend)(&mut |context| {
            let polled = future.as_mut().poll(context);
            polled.map(|ready| output = Some(ready))
        })?;
        output.ok_or_else(|| cannot_wait("it"))
    }
}

/// The error for an async host function that is called where the guest cannot be
/// suspended.
#[cold]
pub(crate) fn cannot_wait(what: &str) -> wasmtime::Error {
    Error::of(ErrorKind::Async(format!(
        "{what} is async, and the guest cannot be suspended here: have the host call the guest by \
         `call_async`, and not from within a host function that is not async itself"
    )))
    .into()
}
