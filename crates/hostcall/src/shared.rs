//! Instances that several host functions, threads and tasks work with, one at a
//! time, and never so that they wait for each other.

use crate::blocking_func::Signal;
use crate::error::{Error, ErrorKind};
use crate::instance::Instance;
use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

mod chain;
mod waits;

pub use chain::one_chain;
pub(crate) use chain::{Carried, carry, chain_of_call, current_chain, in_chain};
pub(crate) use waits::Hold;
use waits::Ticket;

/// A handle on an instance that several hold: host functions of other instances,
/// threads, tasks. Clones are handles on the same instance.
///
/// Who wants to work with it locks it, and waits until nobody else does. What
/// would wait for itself is refused instead, with the chain of calls, as
/// [`ErrorKind::Reentrancy`](crate::ErrorKind::Reentrancy):
///
/// - in one chain of calls, as `a.run -> env.ask_b -> b.ask -> env.ask_a -> a`;
/// - across chains that wait for what others of them hold.
///
/// A chain of calls is a thread with all that it calls; or, in async code, a call of
/// a guest with all that it awaits, and other calls through the same guard. A host function that runs on a thread of
/// its own (`#[hostcall(blocking)]`) belongs to the chain that has called it.
///
/// What a host function spawns itself (a thread, a task) is a chain of its own, even
/// if the host function waits for it: if that locks an instance which the host
/// function's chain holds, both wait forever. The same holds for a task that locks
/// one instance while it has a guard of another, both outside of any host function:
/// it should do so in [`one_chain`]; and for a guard that is never dropped.
///
/// ```
/// use hostcall::{Error, Host, Shared};
///
/// struct App { other: Option<Shared<App>> }
///
/// let mut host = Host::<App>::new();
/// host.func_with_state("env", "ask", |app: &mut App| -> Result<(), Error> {
///     let Some(other) = &app.other else { return Ok(()) };
///     let mut other = other.lock()?;
///     other.export::<(), ()>("run")?.call(&mut other, ())
/// });
/// let program = host.program(
///     br#"(module
///         (import "env" "ask" (func $ask))
///         (func (export "run") (call $ask)))"#,
/// )?;
/// let a = program.instantiate(App { other: None })?.into_shared_as("a");
/// let b = program.instantiate(App { other: Some(a.clone()) })?.into_shared_as("b");
/// let run = |shared: &Shared<App>| {
///     let mut instance = shared.lock()?;
///     instance.export::<(), ()>("run")?.call(&mut instance, ())
/// };
/// run(&b)?;
///
/// a.lock()?.state_mut().other = Some(b.clone());
/// let error = run(&a).unwrap_err();
/// let chain = error.reentrancy().unwrap().chain();
/// assert_eq!(chain.join(" -> "), "a.run -> env.ask -> b.run -> env.ask -> a");
/// # a.lock()?.state_mut().other = None;
/// # Ok::<(), Error>(())
/// ```
///
/// Handles that instances have of each other keep them alive, as any [`Arc`] does.
pub struct Shared<T: 'static>(Arc<Inner<T>>);

struct Inner<T: 'static> {
    name: Arc<str>,
    /// A number that no other has.
    id: u64,
    /// Absent while somebody works with it.
    instance: Mutex<Option<Instance<T>>>,
}

impl<T: 'static> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T: 'static> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0.name;
        f.debug_struct("Shared").field("name", name).finish()
    }
}

impl<T: 'static> Instance<T> {
    /// Shares the instance among several; see [`Shared`].
    pub fn into_shared(mut self) -> Shared<T> {
        let name = format!("instance {}", self.owner() >> 1);
        self.into_shared_as(&name)
    }

    /// The same, with a name that errors call it by.
    pub fn into_shared_as(mut self, name: &str) -> Shared<T> {
        Shared(Arc::new(Inner {
            name: name.into(),
            id: self.owner(),
            instance: Mutex::new(Some(self)),
        }))
    }
}

impl<T: 'static> Shared<T> {
    /// Waits until nobody else works with the instance, and blocks the thread
    /// meanwhile: in an async task, [`lock_async`](Shared::lock_async) does not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Reentrancy`](crate::ErrorKind::Reentrancy) if it would wait for
    /// itself.
    pub fn lock(&self) -> Result<SharedGuard<'_, T>, Error> {
        let mut ticket = self.ticket(chain::of_thread());
        if !ticket.take() {
            block(&mut ticket)?;
        }
        Ok(SharedGuard::new(Locked::new(self, ticket)))
    }

    /// Waits until nobody else works with the instance.
    ///
    /// # Errors
    ///
    /// As [`Shared::lock`].
    pub async fn lock_async(&self) -> Result<AsyncSharedGuard<'_, T>, Error> {
        let mut ticket = self.ticket(chain::of_task());
        poll_fn(|context| ticket.poll(context))
            .await
            .map_err(refused)?;
        Ok(AsyncSharedGuard(Locked::new(self, ticket)))
    }

    /// The instance, if nobody works with it.
    pub fn try_lock(&self) -> Option<SharedGuard<'_, T>> {
        let mut ticket = self.ticket(chain::of_thread());
        let locked = ticket.take().then(|| Locked::new(self, ticket))?;
        Some(SharedGuard::new(locked))
    }

    fn ticket(&self, chain: u64) -> Ticket {
        Ticket::new(self.0.id, self.0.name.clone(), chain)
    }
}

/// Blocks the thread until it holds the instance.
#[cold]
fn block(ticket: &mut Ticket) -> Result<(), Error> {
    let signal = Arc::<Signal>::default();
    let waker = Waker::from(signal.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        match ticket.poll(&mut context) {
            Poll::Ready(held) => return held.map_err(refused),
            Poll::Pending => signal.wait(None),
        }
    }
}

#[cold]
fn refused(refusal: crate::reentry::Reentrancy) -> Error {
    Error::of(ErrorKind::Reentrancy(refusal))
}

/// An instance that was taken out of its place.
struct Locked<'s, T: 'static> {
    shared: &'s Shared<T>,
    instance: Option<Instance<T>>,
    /// Gives it up when it is dropped, after the instance was put back.
    _ticket: Ticket,
}

impl<'s, T: 'static> Locked<'s, T> {
    fn new(shared: &'s Shared<T>, ticket: Ticket) -> Locked<'s, T> {
        let mut instance = shared.place().take();
        if let Some(instance) = &mut instance {
            let data = instance.store.data_mut();
            data.hold = Some(ticket.hold.clone());
            data.guarded = true;
        }
        Locked {
            shared,
            instance,
            _ticket: ticket,
        }
    }
}

impl<T: 'static> Shared<T> {
    fn place(&self) -> std::sync::MutexGuard<'_, Option<Instance<T>>> {
        self.0
            .instance
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: 'static> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        if let Some(instance) = &mut self.instance {
            instance.store.data_mut().hold = None;
        }
        *self.shared.place() = self.instance.take();
    }
}

const HELD: &str = "who holds the instance has it";

impl<T: 'static> Deref for Locked<'_, T> {
    type Target = Instance<T>;

    fn deref(&self) -> &Instance<T> {
        self.instance.as_ref().expect(HELD)
    }
}

impl<T: 'static> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut Instance<T> {
        self.instance.as_mut().expect(HELD)
    }
}

/// The instance of a [`Shared`] that this thread has locked; until it is dropped,
/// nobody else works with it.
pub struct SharedGuard<'s, T: 'static> {
    locked: Locked<'s, T>,
    /// The thread counts for it.
    stays: PhantomData<*const ()>,
}

impl<'s, T: 'static> SharedGuard<'s, T> {
    fn new(locked: Locked<'s, T>) -> SharedGuard<'s, T> {
        let stays = PhantomData;
        SharedGuard { locked, stays }
    }
}

/// The instance of a [`Shared`] that a task has locked; until it is dropped, nobody
/// else works with it. The task may keep it while it waits, and go to other threads
/// with it.
pub struct AsyncSharedGuard<'s, T: 'static>(Locked<'s, T>);

impl<T: 'static> Deref for SharedGuard<'_, T> {
    type Target = Instance<T>;

    fn deref(&self) -> &Instance<T> {
        &self.locked
    }
}

impl<T: 'static> DerefMut for SharedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut Instance<T> {
        &mut self.locked
    }
}

impl<T: 'static> Deref for AsyncSharedGuard<'_, T> {
    type Target = Instance<T>;

    fn deref(&self) -> &Instance<T> {
        &self.0
    }
}

impl<T: 'static> DerefMut for AsyncSharedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut Instance<T> {
        &mut self.0
    }
}

impl<T: 'static> fmt::Debug for SharedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedGuard").field(&**self).finish()
    }
}

impl<T: 'static> fmt::Debug for AsyncSharedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncSharedGuard").field(&**self).finish()
    }
}
