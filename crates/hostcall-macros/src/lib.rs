//! The macros of `hostcall`. See that crate for documentation; the logic is in
//! `hostcall-bindgen`.

use proc_macro::TokenStream;

/// Makes the functions of an `impl` block host functions.
///
/// `#[host_module(name = "env")]` says which module guests import from. Options
/// of a function are `#[hostcall(name = "...")]` and `#[hostcall(module = "...")]`
/// for what guests import, `#[hostcall(skip)]` for one that is no host function,
/// `#[hostcall(inline)]` for one whose body can stand in the guest,
/// `#[hostcall(deferred)]` and `#[hostcall(deferred, batch)]` for one that the
/// guest does not wait for, `#[hostcall(result)]` and `#[hostcall(errno)]` for one
/// whose error the guest gets, and `#[hostcall(blocking)]` for one that runs on a
/// thread of its own. An `async fn` may wait; the guest is suspended meanwhile.
///
/// `#[hostcall(fuel = 100)]` says how much fuel every call costs the guest, beside
/// what its own code takes; nothing is charged where fuel is not limited.
/// `#[hostcall(reentrant)]` lets a function that takes the guest call it, to a depth
/// of 16 calls one inside the other, `#[hostcall(reentrant = 4)]` to another depth.
///
/// # Errors for the guest
///
/// A function that returns `Result<T, E>` traps for an `Err`. With `result` the guest
/// gets the canonical `result<T, E>`, where `T` and `E` are guest types or `()`. With
/// `errno` it gets an `i32`: 0 for `Ok`, and what `Errno` says of `E` for `Err`. The
/// value of `Ok` is stored where the last parameters point: none for `()`, one for
/// each element of a tuple, one for any other guest type. They are checked when
/// they are written; for an `Err` they are not looked at.
///
/// # Async functions
///
/// An `async fn` takes what any other host function takes. It may hold all of that
/// while it waits, `&str`, `&[T]`, `&mut [T]`, `&T`, `&self` and `&mut self`, too: the
/// guest is suspended on its own stack, and the future of the call borrows the
/// instance, so nothing else touches what is borrowed, nor moves it. With
/// `guest: &mut AsyncGuest<'_, Self>` first, it takes what goes with a `Guest`: owned
/// values, `GuestStr`, `GuestSlice` and `GuestPtr`.
///
/// Its future must be `Send`: nothing that is not `Send` is held across an `.await`.
/// With `&self` the type must be `Sync`, with `&mut self` or the guest, `Send`. Programs
/// that import it are called by `Export::call_async`; in a plain Wasmtime linker
/// it is an error.
///
/// # Blocking functions
///
/// A blocking function is a synchronous one that runs on a thread of its own. In a
/// call by `Export::call_async` the guest is suspended meanwhile, in any other the
/// calling thread waits. It takes owned values: `String`, `Vec<T>`, numbers and other
/// types by value, but no borrow, no guest, and no `GuestFunc`. `&self` is a clone of
/// the state, so the type is `Clone` and `Send`, and best a handle, such as an `Arc`;
/// `&mut self` is refused.
///
/// A last parameter whose type is named `Deadline` is not passed by the guest: it is a
/// `hostcall::Deadline`, which says when the function should give up, because the time
/// of the call is over, or nobody waits for the function any more.
///
/// # Deferred functions
///
/// A deferred function returns nothing or `Result<(), E>`. A call of it puts a
/// record into a queue and returns; the function runs later, after every call
/// that was made before. What `&str`, `&[T]` and `&T` point to is copied at the
/// call. It takes no `&mut`, `&CStr`, `GuestStr`, `GuestSlice`, `GuestPtr`,
/// `GuestFunc` or `HostRef`; next to the guest it takes `String`, `Vec<T>` and `T`.
///
/// With `batch` it takes many calls at once, as one slice: `batch: &[T]`. The
/// parameters that guests pass are the fields of one `T`, a struct with
/// `#[derive(GuestType, Clone, Copy)]` and `#[repr(C)]`; or `T` is a number, `bool`
/// or `char`, and the only parameter.
///
/// An error or panic traps where the call is delivered, later than it was made.
///
/// # Inline functions
///
/// An inline function takes and returns integers, floats and `bool`. From its one
/// source there are two forms: a native one, which it also has as a function of
/// Rust, and one in Wasm, which linking puts into the guest. Both do the same.
/// Before its scalars it may take
///
/// - `memory: &mut Memory<'_>`, the guest's memory, with `load::<u32>(address)`,
///   `store(address, value)`, `copy(to, from, length)`, `fill(to, byte, length)`
///   and `size()`;
/// - `name: &mut S`, where `S` is a struct with `#[derive(HostState)]`, whose
///   fields it reads and assigns to;
/// - `&mut self`, to call other host functions.
///
/// Its body consists of
///
/// - literals, constants, `let` and assignments, `+=` and its like;
/// - `if` and `else`, `while`, `loop`, `break` (with a value, out of `loop`),
///   `continue`, `return`, labels, and blocks, as statements or as values;
/// - operators, which trap on overflow, and casts with `as`;
/// - methods of numbers: `wrapping_*`, `rotate_*`, `count_*`, `leading_*`,
///   `trailing_*`, `min`, `max`, `abs`, `sqrt`, `floor`, `to_bits` and more, and
///   `u64::from(x)`, `f64::from_bits(x)`;
/// - `panic!("why")`, `unreachable!()`, `assert!` and `debug_assert!`, which trap;
/// - calls of functions of the same block: of inline ones, which are handed on
///   `memory`, states and `self`, and of ordinary ones that take scalars, as
///   `self.name(..)`, for what only the host can do. If those return a `Result`,
///   the value is that of `Ok`; an `Err` traps.
///
/// Anything else is an error that says what to write instead. A function with
/// `#[hostcall(inline, skip)]` is there for inline functions only.
#[proc_macro_attribute]
pub fn host_module(attr: TokenStream, item: TokenStream) -> TokenStream {
    hostcall_bindgen::host_module(attr.into(), item.into()).into()
}

/// Lets a struct or enum cross the boundary between guest and host.
#[proc_macro_derive(GuestType)]
pub fn guest_type(item: TokenStream) -> TokenStream {
    hostcall_bindgen::guest_type(item.into()).into()
}

/// Lets a struct stand in the host page, where inline functions use it.
///
/// It has `#[repr(C)]` and named fields: integers of a fixed size, floats, arrays
/// of them, and other such structs, without padding between. It starts as its
/// `Default`.
#[proc_macro_derive(HostState)]
pub fn host_state(item: TokenStream) -> TokenStream {
    hostcall_bindgen::host_state(item.into()).into()
}
