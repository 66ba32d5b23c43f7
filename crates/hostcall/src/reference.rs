//! `funcref` and `externref`: functions of the guest, objects of the host.

#![expect(unsafe_code, reason = "what `GuestType` promises")]

use crate::args::Args;
use crate::call::{Callable, export_form};
use crate::fault::{Fault, Lifted};
use crate::guest_type::{GuestType, Lift, Lower, Needs, returns_self};
use crate::layout::{Layouts, UNIT};
use crate::results::{Results, unstorable};
use crate::ty::Type;
use hostcall_link::FuncType;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use wasmtime::Func;

/// A reference that a guest passed, taken out of its slot.
pub(crate) enum Reference {
    /// A function, its core type, and the instance it belongs to.
    Func(Func, FuncType, u64),
    Object(Arc<dyn Any + Send + Sync>),
    /// An `externref` that hostcall did not make.
    Foreign,
}

/// What an `externref` holds.
#[derive(Clone)]
pub(crate) struct HostObject(pub Arc<dyn Any + Send + Sync>);

/// A function of the guest that it passed as a `funcref`: a callback.
///
/// `P` is a guest type or a tuple of them, `R` a guest type. Call it through
/// the guest handle, now or in a later call:
///
/// ```
/// use hostcall::{Guest, GuestFunc, Host};
///
/// let mut host = Host::<()>::new();
/// host.func("env", "twice", |guest: &mut Guest<'_, ()>, f: GuestFunc<i32, i32>, n: i32| {
///     let once = guest.call(&f, n)?;
///     guest.call(&f, once)
/// });
/// host.reentrant("env", "twice", 1);
/// ```
///
/// `Option<GuestFunc<P, R>>` is a `funcref` that may be null.
pub struct GuestFunc<P, R> {
    pub(crate) callable: Callable,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for GuestFunc<P, R> {
    fn clone(&self) -> Self {
        GuestFunc {
            callable: self.callable,
            types: PhantomData,
        }
    }
}

impl<P, R> fmt::Debug for GuestFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestFunc").finish_non_exhaustive()
    }
}

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl<P, R> GuestType for GuestFunc<P, R> {
    fn ty() -> Type {
        Type::FuncRef
    }
    const FLAT: usize = 1;
    /// Never stored, see `load`.
    const LAYOUT: Layouts = UNIT;
    const NEEDS: Needs = Needs::REFERENCES;
    const NULLABLE: bool = true;
}

impl<P: Lower, R: Lift> GuestFunc<P, R> {
    /// `func`, if its core type `found` is one of `P` and `R`.
    pub(crate) fn check(func: Func, found: &FuncType, wide: bool, owner: u64) -> Lifted<Self> {
        match export_form(&P::ty(), &R::ty(), wide, found) {
            Ok(form) => {
                let callable = Callable {
                    func,
                    form,
                    post: None,
                    owner,
                };
                Ok(GuestFunc {
                    callable,
                    types: PhantomData,
                })
            }
            Err(expected) => Err(Box::new(Fault::FuncType {
                expected,
                found: found.to_string(),
            })),
        }
    }
}

impl<P: Lower, R: Lift> Lift for GuestFunc<P, R> {
    type Value<'a> = GuestFunc<P, R>;

    fn lift(args: &mut Args<'_>) -> Lifted<Self> {
        match args.reference() {
            Some(Reference::Func(func, found, owner)) => {
                GuestFunc::check(*func, found, args.wide, *owner)
            }
            _ => Err(Box::new(Fault::NullReference)),
        }
    }

    fn load(_: &mut Args<'_>, _: u64) -> Lifted<Self> {
        // Memory holds no references; linking refuses types that would.
        Err(Box::new(Fault::NullReference))
    }
}

impl<P, R> Lower for GuestFunc<P, R> {
    type Value<'a> = GuestFunc<P, R>;

    fn lower(value: Self, results: &mut Results<'_>) -> wasmtime::Result<()> {
        results.func(&value.callable)
    }

    fn store(_: Self, _: &mut Results<'_>, _: u64) -> wasmtime::Result<()> {
        Err(unstorable())
    }
}

returns_self!(impl[P, R] GuestFunc<P, R>);

/// An object of the host that a guest holds as an `externref`: it can keep it
/// and pass it back, never look into it.
///
/// The object is shared, so cloning is cheap; it is dropped when neither host
/// nor guest can reach it. Use a lock or a cell that is `Sync` to change it.
///
/// `Option<HostRef<T>>` is an `externref` that may be null.
pub struct HostRef<T>(Arc<T>);

impl<T: Send + Sync + 'static> HostRef<T> {
    /// Makes `value` an object that can be given to guests.
    pub fn new(value: T) -> HostRef<T> {
        HostRef(Arc::new(value))
    }
}

impl<T> Deref for HostRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for HostRef<T> {
    fn clone(&self) -> Self {
        HostRef(self.0.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for HostRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostRef").field(&self.0).finish()
    }
}

// SAFETY: the constants are those of the type, see `tests/typed_vs_dynamic.rs`.

unsafe impl<T> GuestType for HostRef<T> {
    fn ty() -> Type {
        Type::ExternRef
    }
    const FLAT: usize = 1;
    /// Never stored, see `load`.
    const LAYOUT: Layouts = UNIT;
    const NEEDS: Needs = Needs::REFERENCES;
    const NULLABLE: bool = true;
}

impl<T: Send + Sync + 'static> Lift for HostRef<T> {
    type Value<'a> = HostRef<T>;

    fn lift(args: &mut Args<'_>) -> Lifted<Self> {
        match args.reference() {
            Some(Reference::Object(object)) => {
                if let Ok(object) = object.clone().downcast::<T>() {
                    return Ok(HostRef(object));
                }
            }
            None => return Err(Box::new(Fault::NullReference)),
            _ => {}
        }
        Err(Box::new(Fault::WrongObject {
            expected: std::any::type_name::<T>(),
        }))
    }

    fn load(_: &mut Args<'_>, _: u64) -> Lifted<Self> {
        Err(Box::new(Fault::NullReference))
    }
}

impl<T: Send + Sync + 'static> Lower for HostRef<T> {
    type Value<'a> = HostRef<T>;

    fn lower(value: Self, results: &mut Results<'_>) -> wasmtime::Result<()> {
        results.object(value.0)
    }

    fn store(_: Self, _: &mut Results<'_>, _: u64) -> wasmtime::Result<()> {
        Err(unstorable())
    }
}

returns_self!(impl[T: Send + Sync + 'static] HostRef<T>);
