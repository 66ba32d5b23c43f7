//! Closures as host functions.

#![expect(unsafe_code, reason = "registering promises what is lifted")]

use crate::guest::Guest;
use crate::guest_type::{Lift, Returns};
use crate::registry::{Decl, FuncRegistry};
use std::marker::PhantomData;

/// A closure that can be a host function.
///
/// Its parameters are guest types, borrowed or not, each with its type written
/// out. It may take the guest first (`|guest: &mut Guest<'_, T>, ...|`), or, for
/// [`Host::func_with_state`](crate::Host::func_with_state), the state of the
/// host functions (`|state: &mut T, ...|`). The marker `M` tells the shapes
/// apart; it is inferred.
#[diagnostic::on_unimplemented(
    message = "this closure cannot be a host function over the state `{T}`",
    label = "not a host function",
    note = "every parameter needs its type written out, as in `|a: i32, text: &str|`, and must be a guest type; up to 12 of them",
    note = "a first parameter `&mut Guest<'_, {T}>` gets the guest; `Host::func_with_state` passes `&mut {T}`, the state",
    note = "next to the guest, take `GuestStr`, `GuestSlice<T>` or `GuestPtr<T>` in place of `&str`, `&[T]` or `&T`",
    note = "what it returns must implement `Returns`; the error in `AsResult(Err(error))` must be a guest type, in `AsErrno(Err(error))` implement `Errno`"
)]
pub trait IntoHostFunc<T, M>: Send + Sync + 'static {
    /// Registers the closure.
    #[doc(hidden)]
    fn register(self, decl: Decl<'_>, registry: &mut impl FuncRegistry<T>);
}

/// Marks closures that [`Host::func`](crate::Host::func) takes.
#[doc(hidden)]
pub struct Free<M>(PhantomData<M>);
/// Marks closures that take the state first. Kept apart, because a state that
/// is a guest type could also be an argument, `&mut T`.
#[doc(hidden)]
pub struct WithState<M>(PhantomData<M>);
/// Marks closures without a result, which can be deferred.
#[diagnostic::on_unimplemented(
    message = "a deferred host function has no result",
    label = "returns something",
    note = "the guest has gone on when it is called: return nothing, or a `Result<(), E>`"
)]
pub trait WithoutResult {}

/// Marks closures over parameters only.
#[doc(hidden)]
pub struct Plain;
/// Marks closures that take the guest first.
#[doc(hidden)]
pub struct WithGuest;

/// `(A, (B, ()))`
macro_rules! params {
    () => { () };
    ($head:ident $($tail:ident)*) => { ($head, params!($($tail)*)) };
}

// A closure is bound twice: once with the parameter types as written, which
// lets them be inferred, and once for any lifetime of what they borrow.
macro_rules! closure {
    ($($name:ident)*) => {
        impl<Kind, R: Returns<Ok = ()>, $($name),*> WithoutResult for Free<(Kind, R, $($name),*)> {}
        impl<R: Returns<Ok = ()>, $($name),*> WithoutResult for WithState<(R, $($name),*)> {}

        #[allow(non_snake_case, unused_variables, reason = "named after the type parameters")]
        impl<T, F, R, $($name),*> IntoHostFunc<T, Free<(Plain, R, $($name),*)>> for F
        where
            T: 'static,
            R: Returns + 'static,
            $($name: Lift + 'static,)*
            F: Fn($($name),*) -> R
                + for<'a> Fn($($name::Value<'a>),*) -> R
                + Send + Sync + 'static,
        {
            fn register(self, decl: Decl<'_>, registry: &mut impl FuncRegistry<T>) {
                // SAFETY: each of the parameters is lifted once, in order.
                unsafe {
                    registry.func::<params!($($name)*), R, _>(decl, move |_, args| {
                    $(let $name = args.arg::<$name>()?;)*
                    #[allow(clippy::too_many_arguments, reason = "as many as the closure takes")]
                    fn call<R, $($name),*>(func: impl Fn($($name),*) -> R, $($name: $name),*) -> R {
                        func($($name),*)
                    }
                    Ok(call(&self, $($name),*))
                })
                };
            }
        }

        #[allow(non_snake_case, unused_variables, reason = "named after the type parameters")]
        impl<T, F, R, $($name),*> IntoHostFunc<T, WithState<(R, $($name),*)>> for F
        where
            T: 'static,
            R: Returns + 'static,
            $($name: Lift + 'static,)*
            F: Fn(&mut T, $($name),*) -> R
                + for<'a> Fn(&mut T, $($name::Value<'a>),*) -> R
                + Send + Sync + 'static,
        {
            fn register(self, decl: Decl<'_>, registry: &mut impl FuncRegistry<T>) {
                // SAFETY: each of the parameters is lifted once, in order.
                unsafe {
                    registry.func::<params!($($name)*), R, _>(decl, move |state, args| {
                    $(let $name = args.arg::<$name>()?;)*
                    #[allow(clippy::too_many_arguments, reason = "as many as the closure takes")]
                    fn call<T, R, $($name),*>(
                        func: impl Fn(&mut T, $($name),*) -> R,
                        state: &mut T,
                        $($name: $name),*
                    ) -> R {
                        func(state, $($name),*)
                    }
                    Ok(call(&self, state, $($name),*))
                })
                };
            }
        }

        #[allow(non_snake_case, unused_variables, reason = "named after the type parameters")]
        impl<T, F, R, $($name),*> IntoHostFunc<T, Free<(WithGuest, R, $($name),*)>> for F
        where
            T: 'static,
            R: Returns + 'static,
            $($name: for<'a> Lift<Value<'a> = $name> + 'static,)*
            F: Fn(&mut Guest<'_, T>, $($name),*) -> R + Send + Sync + 'static,
        {
            fn register(self, decl: Decl<'_>, registry: &mut impl FuncRegistry<T>) {
                // SAFETY: as above.
                unsafe {
                    registry.guest_func::<params!($($name)*), ($($name,)*), R, _, _>(
                    decl,
                    |args| Ok(($(args.arg::<$name>()?,)*)),
                    move |guest, ($($name,)*)| self(guest, $($name),*),
                    )
                };
            }
        }
    };
}

closure!();
closure!(A);
closure!(A B);
closure!(A B C);
closure!(A B C D);
closure!(A B C D E);
closure!(A B C D E G);
closure!(A B C D E G H);
closure!(A B C D E G H I);
closure!(A B C D E G H I J);
closure!(A B C D E G H I J K);
closure!(A B C D E G H I J K L);
closure!(A B C D E G H I J K L M);
