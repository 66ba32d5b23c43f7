//! Futures as host functions.

#![expect(unsafe_code, reason = "registering promises what is lifted")]

use crate::args::Args;
use crate::crossing::{self, Params};
use crate::fiber::Waiting;
use crate::guest::AsyncGuest;
use crate::guest_type::{Lift, Returns};
use crate::host::{Host, HostFunc, HostRegistry, ItemKind, LinkFunc};
use crate::owned::{Owned, whole};
use crate::registry::{Decl, Registry};
use crate::ty::Signature;
use crate::value::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What an async host function that is a closure returns, if that borrows:
/// `Box::pin(async move { .. })`.
pub type HostFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// A closure that can be an async host function, see [`Host::func_async`]. The
/// marker `M` tells the shapes apart; it is inferred.
#[diagnostic::on_unimplemented(
    message = "this closure cannot be an async host function",
    label = "not an async host function",
    note = "every parameter needs its type written out, as in `|key: String| async move {{ .. }}`, and must be an owned guest type; up to 12 of them",
    note = "the future must be `Send`, and its output a guest type, or a `Result` of one",
    note = "`Host::func_async_with_state` passes the state; `#[host_module]` takes every `async fn`, and lends it what it borrows"
)]
pub trait IntoAsyncHostFunc<T, M>: Send + Sync + 'static {
    /// Registers the closure.
    #[doc(hidden)]
    fn register(self, decl: Decl<'_>, registry: &mut impl Registry<T>);
}

/// Parameters of an async host function as a tuple, `()` for none; see
/// [`Host::func_async_with_state`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parameters of a host function",
    label = "not a tuple of owned guest types",
    note = "write a tuple, as in `|state: &mut App, (key,): (String,)|`; up to 12 elements"
)]
pub trait ParamTuple: Sized + Send + 'static {
    #[doc(hidden)]
    type Params: Params + 'static;

    #[doc(hidden)]
    fn lift(args: &mut Args<'_>) -> wasmtime::Result<Self>;
}

/// `(A, (B, ()))`
macro_rules! params {
    () => { () };
    ($head:ident $($tail:ident)*) => { ($head, params!($($tail)*)) };
}

macro_rules! shapes {
    ($($name:ident)*) => {
        impl<$($name),*> ParamTuple for ($($name,)*)
        where
            $($name: for<'a> Lift<Value<'a> = $name> + Send + 'static,)*
        {
            type Params = params!($($name)*);

            #[inline(always)]
            #[allow(unused_variables, reason = "there may be no parameters")]
            fn lift(args: &mut Args<'_>) -> wasmtime::Result<Self> {
                Ok(($(args.arg::<$name>()?,)*))
            }
        }

        #[allow(non_snake_case, reason = "named after the type parameters")]
        impl<T, F, U, R, $($name),*> IntoAsyncHostFunc<T, (U, R, $($name),*)> for F
        where
            T: 'static,
            R: Returns + Send + 'static,
            U: Future<Output = R> + Send,
            ($($name,)*): ParamTuple,
            F: Fn($($name),*) -> U + Send + Sync + 'static,
        {
            fn register(self, decl: Decl<'_>, registry: &mut impl Registry<T>) {
                type Tuple<$($name),*> = ($($name,)*);
                // SAFETY: `ParamTuple` lifts each of the parameters once, in order.
                unsafe {
                    registry.async_func::<<Tuple<$($name),*> as ParamTuple>::Params, R, _>(
                        decl,
                        move |_, args, waiting| {
                            let ($($name,)*) =
                                <Tuple<$($name),*> as ParamTuple>::lift(args)?;
                            waiting.on(self($($name),*))
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
    /// Offers an async closure as `module.name`. The guest calls it like any
    /// other function; while the host waits, the guest is suspended.
    ///
    /// Programs that import it are called by
    /// [`Export::call_async`](crate::Export::call_async), under whatever runtime.
    /// The future is polled where it stands first: one that is ready at once
    /// suspends nothing.
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = std::pin::pin!(future);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     loop {
    /// #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
    /// #             return output;
    /// #         }
    /// #     }
    /// # }
    /// let mut host = Host::<()>::new();
    /// host.func_async("env", "fetch", |id: u32| async move {
    ///     // Any future will do.
    ///     std::future::ready(id * 2).await
    /// });
    /// let program = host.program(
    ///     br#"(module
    ///         (import "env" "fetch" (func $fetch (param i32) (result i32)))
    ///         (func (export "run") (result i32) (call $fetch (i32.const 21))))"#,
    /// )?;
    /// # block_on(async {
    /// let mut instance = program.instantiate_async(()).await?;
    /// let run = instance.export::<(), u32>("run")?;
    /// assert_eq!(run.call_async(&mut instance, ()).await?, 42);
    /// # Ok::<(), hostcall::Error>(())
    /// # })?;
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    pub fn func_async<M>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoAsyncHostFunc<T, M>,
    ) -> &mut Self {
        let decl = Decl::new(module, name, &[]);
        func.register(decl, &mut HostRegistry::new(self, whole));
        self
    }

    /// Offers an async closure that takes the state first, as `module.name`, and
    /// its parameters as a tuple. The future may borrow the state while it waits.
    /// Otherwise as [`Host::func_async`].
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// let mut host = Host::<Vec<String>>::new();
    /// host.func_async_with_state("env", "push", |lines: &mut Vec<String>, (line,): (String,)| {
    ///     Box::pin(async move {
    ///         lines.push(line);
    ///         lines.len() as u32
    ///     })
    /// });
    /// ```
    pub fn func_async_with_state<P, R>(
        &mut self,
        module: &str,
        name: &str,
        func: impl for<'a> Fn(&'a mut T, P) -> HostFuture<'a, R> + Send + Sync + 'static,
    ) -> &mut Self
    where
        P: ParamTuple,
        R: Returns + Send + 'static,
    {
        let decl = Decl::new(module, name, &[]);
        let call = move |state: &mut T, args: &mut Args<'_>, waiting: &mut Waiting<'_>| {
            let params = P::lift(args)?;
            waiting.on(func(state, params))
        };
        let mut registry = HostRegistry::new(self, whole);
        // SAFETY: `ParamTuple` lifts each of the parameters once, in order.
        unsafe { registry.async_func::<P::Params, R, _>(decl, call) };
        self
    }

    /// Offers an async function whose type is known only at run time; see
    /// [`Host::func_dynamic`] and [`Host::func_async`].
    ///
    /// ```
    /// use hostcall::{Error, Host, Value};
    ///
    /// let mut host = Host::<()>::new();
    /// let signature = "func(id: u32) -> string".parse()?;
    /// host.func_async_dynamic("env", "name", signature, |_guest, args, results| {
    ///     Box::pin(async move {
    ///         results[0] = Value::from(format!("user {}", args[0]));
    ///         Ok::<(), Error>(())
    ///     })
    /// });
    /// # Ok::<(), Error>(())
    /// ```
    pub fn func_async_dynamic<E>(
        &mut self,
        module: &str,
        name: &str,
        signature: Signature,
        func: impl for<'a> Fn(
            &'a mut AsyncGuest<'_, T>,
            &'a [Value],
            &'a mut [Value],
        ) -> HostFuture<'a, Result<(), E>>
        + Send
        + Sync
        + 'static,
    ) -> &mut Self
    where
        E: Into<wasmtime::Error> + Send + 'static,
    {
        let func = Arc::new(func);
        let link: Arc<LinkFunc<T>> = Arc::new(move |linker, linkage, site| {
            let func = func.clone();
            crossing::link_async_dynamic(
                linker,
                linkage,
                Owned { get: whole },
                site,
                move |guest, args, results, waiting| {
                    waiting.on(func(guest, args, results))?.map_err(Into::into)
                },
            )
        });
        let func = HostFunc {
            waits: true,
            ..HostFunc::native(signature, link)
        };
        self.item(module, name, ItemKind::Func(func))
    }
}
