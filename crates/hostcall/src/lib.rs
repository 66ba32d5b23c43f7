//! Host functions for WebAssembly guests on Wasmtime: safe by construction,
//! pleasant to write, visible, and often free.
//!
//! ```
//! use hostcall::{Error, Host, HostModule, host_module};
//!
//! /// What the host functions work on.
//! #[derive(Default)]
//! struct App {
//!     lines: Vec<String>,
//! }
//!
//! #[host_module(name = "env")]
//! impl App {
//!     /// `&str` is a pointer and a length in the guest: checked, then borrowed.
//!     fn log(&mut self, text: &str) {
//!         self.lines.push(text.to_owned());
//!     }
//!
//!     fn square(n: i32) -> Result<i32, Error> {
//!         n.checked_mul(n).ok_or_else(|| Error::msg("too large to square"))
//!     }
//! }
//!
//! let mut host = Host::new();
//! App::add_to_host(&mut host, |app| app);
//!
//! let program = host.program(
//!     br#"(module
//!         (import "env" "log" (func $log (param i32 i32)))
//!         (import "env" "square" (func $square (param i32) (result i32)))
//!         (memory (export "memory") 1)
//!         (data (i32.const 8) "hello")
//!         (func (export "run") (param i32) (result i32)
//!             (call $log (i32.const 8) (i32.const 5))
//!             (call $square (local.get 0))))"#,
//! )?;
//! let mut instance = program.instantiate(App::default())?;
//! let run = instance.export::<i32, i32>("run")?;
//! assert_eq!(run.call(&mut instance, 12)?, 144);
//! assert_eq!(instance.state().lines, ["hello"]);
//!
//! let error = run.call(&mut instance, 100_000).unwrap_err();
//! assert!(error.to_string().starts_with("host function `env.square` failed: too large to square"));
//! # Ok::<(), Error>(())
//! ```
//!
//! A [`Host`] holds what guests may import. Linking a guest against it checks
//! every import and gives a [`Program`]; an [`Instance`] of that runs, over a
//! state that the host functions share.
//!
//! # Rust types choose the representation
//!
//! | Rust parameter or result | core Wasm | meaning |
//! | --- | --- | --- |
//! | `i32 u32 i64 u64 f32 f64` | same width | by value |
//! | `bool char i8 u8 i16 u16` | `i32` | by the canonical ABI's rules; a bad `char` traps |
//! | `&str`, `String` | pointer, length | UTF-8 checked; `&str` borrows |
//! | `&[T]`, `&mut [T]` | pointer, length | borrowed in place; bounds, alignment, overlap checked |
//! | `&CStr` | pointer | up to the NUL byte, within memory |
//! | `&T`, `&mut T` | pointer | a `#[derive(GuestType)] #[repr(C)]` struct in place; `&mut` without padding |
//! | `T` with `#[derive(GuestType)]` | its fields | flattened |
//! | `Option`, `Result`, tuples, arrays, enums | flattened | as the canonical ABI does |
//! | `String`, `Vec<T>` as results | return pointer | allocated by the guest's `cabi_realloc` |
//! | `Result<T, E>` as the whole result | as `T` | `Err` traps, and keeps its type |
//! | the same with `#[hostcall(result)]` | flattened | the guest gets it; closures return [`AsResult`] |
//! | the same with `#[hostcall(errno)]` | `i32`, out-pointers | 0 or [`Errno::errno`], values by pointer; [`AsErrno`] |
//! | [`GuestFunc<P, R>`](GuestFunc) | `funcref` | a callback into the guest |
//! | [`HostRef<T>`](HostRef) | `externref` | a host object the guest can hold |
//!
//! Pointers and lengths are `i32`, or `i64` in guests whose memory is 64-bit.
//! A result of several core values is written through a return pointer, the
//! last parameter, as the canonical ABI has it; a guest may also import it as
//! a multi-value function. A tuple of scalars is multi-value first. Functions
//! in `#[host_module]` take any number of parameters, closures up to 12, exports
//! up to 16.
//!
//! # Inline functions
//!
//! `#[hostcall(inline)]` on a function over numbers puts its body into the
//! guests that import it, so that calling it costs what the same code costs in
//! the guest:
//!
//! ```
//! use hostcall::{Crossing, Host, HostModule, host_module};
//!
//! struct App;
//!
//! #[host_module(name = "env")]
//! impl App {
//!     #[hostcall(inline)]
//!     fn average(a: u32, b: u32) -> u32 {
//!         (a & b) + ((a ^ b) >> 1)
//!     }
//! }
//!
//! let mut host = Host::new();
//! App::add_to_host(&mut host, |app| app);
//! let program = host.program(
//!     br#"(module
//!         (import "env" "average" (func $average (param i32 i32) (result i32)))
//!         (func (export "run") (param i32 i32) (result i32)
//!             (call $average (local.get 0) (local.get 1))))"#,
//! )?;
//! assert_eq!(program.plan().imports[0].crossing, Some(Crossing::Inline));
//! # Ok::<(), hostcall::Error>(())
//! ```
//!
//! A body may hold arithmetic, control flow and calls of other inline
//! functions; it may work on guest memory ([`Memory`]), on structs that it shares
//! with the host ([`HostState`]), and call ordinary host functions of its block.
//! It means the same in the guest and as Rust, in errors, too, which
//! [`testing::inline_functions_agree`] tests. Bodies can also be given as Wasm,
//! see [`Host::inline_wat`] and [`Host::provide`]. What a body may not hold is
//! a compile error that says what to write instead; `docs/src/inline.md` has the
//! whole subset.
//!
//! # Deferred functions and mapped exports
//!
//! A function that returns nothing can be deferred: `#[hostcall(deferred)]`, or
//! [`Host::deferred`]. The guest queues its calls, with copies of what they point
//! to, and the host gets many for one crossing: in order, before any other host
//! function runs, and before the export returns. [`Error::deferred`] says which of
//! them failed, and what became of those behind it. With
//! `#[hostcall(deferred, batch)]`, or [`Host::deferred_batch`], the function takes
//! them as a slice.
//!
//! The other way, [`Host::map_export`] gives a guest a loop around an export, by
//! which [`Instance::map`], [`Instance::map_iter`] and [`Instance::fold`] call it
//! for many arguments. [`Host::count_calls`] counts calls of imports in the guest.
//!
//! # Async and blocking functions
//!
//! An `async fn` in a `#[host_module]`, or [`Host::func_async`], may wait: the guest
//! is suspended meanwhile, and what the function borrows of the state and of guest
//! memory stays borrowed across every `.await`. Guests that import one are called by
//! [`Export::call_async`], under any runtime; dropping that future cancels the call.
//! `#[hostcall(blocking)]`, or [`Host::func_blocking`], has a synchronous function run
//! on a thread of its own. `docs/src/async.md` has the rules.
//!
//! `docs/src/crossings.md` says which crossing pays, `docs/src/deferred.md` and
//! `docs/src/mapped.md` have the rules, `docs/src/errors.md` says who sees which
//! error.
//!
//! # Secrets
//!
//! A [`Secret`] is state that guests must not learn: it does not cross, does not
//! print, is wiped when dropped, and is compared with a guest's bytes without
//! telling by the time it takes how many were right. [`ct`] has the comparison,
//! `docs/src/constant-time.md` what that is worth.

#![warn(missing_docs)]

mod args;
mod async_func;
mod batching;
mod blocking_func;
mod by_name;
mod call;
mod closure;
mod core;
mod crossing;
pub mod ct;
mod deferred;
mod define;
mod enter;
mod error;
mod export;
mod fault;
mod fiber;
mod guest;
mod guest_type;
mod handled;
mod host;
mod inline;
mod instance;
mod layout;
mod limits;
mod linker;
mod map;
mod memory;
mod owned;
mod posting;
mod program;
mod reach;
mod reentry;
mod reference;
mod registry;
mod results;
mod secret;
mod shared;
pub mod testing;
mod ty;
mod value;
#[cfg(feature = "wasi")]
pub mod wasi;

#[doc(hidden)]
pub mod impl_;

pub use async_func::{HostFuture, IntoAsyncHostFunc, ParamTuple};
pub use blocking_func::IntoBlockingHostFunc;
pub use closure::IntoHostFunc;
pub use deferred::{BatchRecord, DeferredFailure, KeptCalls};
pub use error::{Error, ErrorKind, Frame};
pub use export::{DynExport, Export};
pub use fault::Fault;
pub use guest::{AsyncGuest, Guest};
pub use guest_type::{GuestPlace, GuestPtr, GuestSlice, GuestStr, GuestType, Lift, Lower, Returns};
pub use handled::{AsErrno, AsResult, Errno};
pub use host::{Host, HostModule, Unmatched};
pub use inline::HostState;
pub use instance::{ImportCalls, Instance};
pub use limits::{Deadline, LimitExceeded, LimitKind, Limits, Usage};
pub use map::{MapIter, Scalars};
pub use owned::StoreData;
pub use posting::Posted;
pub use program::Program;
pub use reentry::Reentrancy;
pub use reference::{GuestFunc, HostRef};
pub use secret::Secret;
pub use shared::{AsyncSharedGuard, Shared, SharedGuard, one_chain};
pub use ty::{Signature, Type};
pub use value::{DynFunc, DynObject, Value};

pub use hostcall_link::{
    Binding, Budget, Crossing, ExternType, FuncType, GlobalType, Inlined, LinkError, MappedExport,
    MemoryType, ModuleInfo, ParseError, Plan, PlannedImport, Problem, ProblemKind, ProviderError,
    TableType, ValType,
    inline::native::{BodyTrap, Memory},
};
pub use hostcall_macros::{GuestType, HostState, host_module};
pub use wasmtime::Trap;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The chapters of the book, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/inline.md")]
struct InlineChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/deferred.md")]
struct DeferredChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/mapped.md")]
struct MappedChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/async.md")]
struct AsyncChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/reentrancy.md")]
struct ReentrancyChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/crossings.md")]
struct CrossingsChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/errors.md")]
struct ErrorsChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/constant-time.md")]
struct ConstantTimeChapter;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/limits.md")]
struct LimitsChapter;
