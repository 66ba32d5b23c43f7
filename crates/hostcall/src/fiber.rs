//! Guests that wait: calls that run on a stack of their own, a fiber of
//! Wasmtime's, which is suspended while an async host function waits.
//!
//! An async host function is an ordinary one that polls a future, at first where
//! it stands. Only if that is not ready is the fiber suspended: by a function of
//! ours in the store that Wasmtime knows to be async, because that is the way to
//! suspend it from outside Wasmtime.

#![expect(unsafe_code, reason = "pointers handed through Wasmtime's frames")]

use crate::error::{Error, ErrorKind};
use crate::owned::StoreData;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use wasmtime::{AsContextMut, Caller, Func, TypedFunc};

/// What runs on a fiber, or while none can be suspended.
type Job<'j, T> = &'j mut dyn FnMut(&mut Caller<'_, StoreData<T>>);

/// A job that goes where its fiber goes.
struct SentJob<'j, T: 'static>(Job<'j, T>);

// SAFETY: `new` takes only jobs that are.
unsafe impl<T> Send for SentJob<'_, T> {}

impl<'j, T> SentJob<'j, T> {
    fn new(job: &'j mut (dyn FnMut(&mut Caller<'_, StoreData<T>>) + Send)) -> SentJob<'j, T> {
        SentJob(job)
    }

    fn pointer(&mut self) -> *mut Job<'static, T> {
        ptr::from_mut(&mut self.0).cast()
    }
}

/// What is polled while a fiber is suspended.
pub(crate) type Poller<'p> = &'p mut (dyn FnMut(&mut Context<'_>) -> Poll<()> + Send);

/// How the guest of one instance can be suspended.
pub(crate) struct Fiber<T: 'static> {
    task: Arc<Task<T>>,
    /// Runs a job where it is called.
    enter: TypedFunc<(), ()>,
    /// Polls until ready, and suspends the fiber in between.
    suspend: Func,
    /// Runs a job while the fiber cannot be suspended.
    hold: Func,
}

/// What the frames on a fiber and those that poll it tell each other. It lies
/// apart from the store, which is borrowed while they do.
///
/// All of it is touched only by the thread that polls the call; atomics make it
/// `Sync`. They are read and written one after the other, never exchanged, which
/// would be dear.
struct Task<T: 'static> {
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
    /// For the function that is called next.
    job: AtomicPtr<Job<'static, T>>,
    poller: AtomicPtr<Poller<'static>>,
}

impl<T> Default for Task<T> {
    fn default() -> Self {
        Task {
            waker: AtomicPtr::default(),
            lent: AtomicBool::default(),
            entered: AtomicBool::default(),
            polled: AtomicBool::default(),
            cancelled: AtomicBool::default(),
            interrupted: AtomicBool::default(),
            job: AtomicPtr::default(),
            poller: AtomicPtr::default(),
        }
    }
}

impl<T: Send + 'static> Fiber<T> {
    /// Puts functions of ours into the store. From then on Wasmtime calls guests
    /// in this store only on fibers, or unchecked, as we do.
    pub fn new(mut store: impl AsContextMut<Data = StoreData<T>>) -> wasmtime::Result<Fiber<T>> {
        let task = Arc::<Task<T>>::default();
        let of = task.clone();
        let enter = Func::wrap(&mut store, move |mut caller: Caller<'_, StoreData<T>>| {
            of.run_job(&mut caller);
        });
        let of = task.clone();
        let suspend = Func::wrap_async(&mut store, move |_: Caller<'_, StoreData<T>>, ()| {
            // SAFETY: the function has the task, and exists while it is called.
            Box::new(unsafe { of.lend() })
        });
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
        })
    }

    /// Runs `job` on a fiber: async host functions that it reaches may wait.
    pub async fn run(
        &self,
        mut store: impl AsContextMut<Data = StoreData<T>>,
        mut job: impl FnMut(&mut Caller<'_, StoreData<T>>) + Send,
    ) -> wasmtime::Result<()> {
        // It outlives the fiber, which ends before this function does.
        let mut job = SentJob::new(&mut job);
        self.task.job.store(job.pointer(), Relaxed);
        self.polled(self.enter.call_async(&mut store, ())).await
    }

    /// Polls a call, and lets the async host functions that it reaches know by
    /// whom.
    pub async fn polled<R>(&self, call: impl Future<Output = R>) -> R {
        let task = &*self.task;
        task.cancelled.store(false, Relaxed);
        task.entered.store(true, Relaxed);
        let unfinished = Unfinished(task);
        let mut call = pin!(call);
        let result = poll_fn(|context| {
            let _polling = task.polling(context.waker());
            call.as_mut().poll(context)
        })
        .await;
        std::mem::forget(unfinished);
        task.entered.store(false, Relaxed);
        result
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
        let waker = task.waker.load(Relaxed);
        let _waker = Restore::set(&task.waker, ptr::null_mut());
        // Wasmtime has its means of suspending taken away by `hold`, if they are
        // there to take.
        let func = match waker.is_null() || task.lent.load(Relaxed) {
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
    #[cold]
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

impl<T: 'static> Task<T> {
    fn run_job(&self, caller: &mut Caller<'_, StoreData<T>>) {
        let job = take(&self.job);
        // SAFETY: who has put it there waits until this returns or, on a fiber,
        // until that was unwound. Taking it has made this the only reference.
        if let Some(job) = unsafe { job.as_mut() } {
            job(caller);
        }
    }

    /// Polls what was left for it. Meanwhile no other can.
    ///
    /// # Safety
    ///
    /// The task must exist as long as the future.
    unsafe fn lend(&self) -> impl Future<Output = ()> + Send + use<T> {
        let task = AtomicPtr::new(ptr::from_ref(self).cast_mut());
        let poller = AtomicPtr::new(take(&self.poller));
        poll_fn(move |context| {
            // SAFETY: promised by the caller.
            let task = unsafe { &*task.load(Relaxed) };
            // SAFETY: as in `run_job`; `suspend` waits for this future.
            let Some(poller) = (unsafe { poller.load(Relaxed).as_mut() }) else {
                return Poll::Ready(());
            };
            let _lent = RestoreFlag::set(&task.lent, true);
            poller(context)
        })
    }

    /// Notes by whom the call is polled, until the guards are dropped.
    fn polling<'t>(&'t self, waker: &Waker) -> (Restore<'t, Waker>, [RestoreFlag<'t>; 2]) {
        let waker = ptr::from_ref(waker).cast_mut();
        (
            Restore::set(&self.waker, waker),
            [
                RestoreFlag::set(&self.lent, false),
                RestoreFlag::set(&self.polled, true),
            ],
        )
    }
}

/// What a pointer is, which is null then.
fn take<P>(pointer: &AtomicPtr<P>) -> *mut P {
    let taken = pointer.load(Relaxed);
    pointer.store(ptr::null_mut(), Relaxed);
    taken
}

/// Puts a pointer back when it is dropped.
struct Restore<'a, P>(&'a AtomicPtr<P>, *mut P);

impl<'a, P> Restore<'a, P> {
    fn set(place: &'a AtomicPtr<P>, pointer: *mut P) -> Restore<'a, P> {
        let before = place.load(Relaxed);
        place.store(pointer, Relaxed);
        Restore(place, before)
    }
}

impl<P> Drop for Restore<'_, P> {
    fn drop(&mut self) {
        self.0.store(self.1, Relaxed);
    }
}

/// Puts a flag back when it is dropped.
struct RestoreFlag<'a>(&'a AtomicBool, bool);

impl<'a> RestoreFlag<'a> {
    fn set(place: &'a AtomicBool, flag: bool) -> RestoreFlag<'a> {
        let before = place.load(Relaxed);
        place.store(flag, Relaxed);
        RestoreFlag(place, before)
    }
}

impl Drop for RestoreFlag<'_> {
    fn drop(&mut self) {
        self.0.store(self.1, Relaxed);
    }
}

/// Dropped if a call was, after it was unwound.
struct Unfinished<'a, T: 'static>(&'a Task<T>);

impl<T> Drop for Unfinished<'_, T> {
    fn drop(&mut self) {
        self.0.entered.store(false, Relaxed);
        if !self.0.cancelled.load(Relaxed) {
            self.0.interrupted.store(true, Relaxed);
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
        let (mut output, mut suspended) = (None, false);
        (self.suspend)(&mut |context| {
            // It has been polled, and others are to have their turn first.
            if !std::mem::replace(&mut suspended, true) {
                return Poll::Pending;
            }
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
