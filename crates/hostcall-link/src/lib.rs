//! Parses a WebAssembly guest, describes it, plans how each of its imports
//! reaches its host function, and [links](link()): puts functions into the guest,
//! in the place of imports, around them, and around exports. No engine, no I/O:
//! bytes and names go in, plain data and bytes come out.
//!
//! ```
//! use hostcall_link::{Binding, Deferral, FuncType, HostItem, Inlining, ModuleInfo, Provides, Surface, ValType, plan};
//!
//! let guest = wat::parse_str(
//!     r#"(module
//!         (import "env" "log" (func (param i32 i32)))
//!         (memory (export "memory") 1))"#,
//! )?;
//! let info = ModuleInfo::parse(&guest)?;
//! assert_eq!(info.pointers_memory().unwrap().name, "memory");
//!
//! let log = HostItem {
//!     module: "env".into(),
//!     name: "log".into(),
//!     provides: Provides::Func {
//!         signature: "func(text: string)".into(),
//!         forms: vec![FuncType::new([ValType::I32, ValType::I32], [])],
//!         inlining: Inlining::Impossible,
//!         deferral: Deferral::Unasked,
//!         waits: false,
//!     },
//! };
//! let surface = Surface { items: vec![log], ..Surface::default() };
//! let plan = plan(&info, &surface)?;
//! assert_eq!(plan.imports[0].binding, Binding::Item { item: 0, form: 0 });
//! println!("{plan}");
//!
//! // What does not fit is explained, every problem at once.
//! let error = hostcall_link::plan(&info, &Surface::default()).unwrap_err();
//! assert!(error.to_string().contains("`env.log`"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`link()`] makes a linked module: imports replaced by functions of a
//! [`Provider`] or with such functions around them, small ones put into the places
//! where they are called; and added exports. [`inline`] builds bodies of host
//! functions, [`stub`] what queues calls for the host, lets it see queued calls
//! first, counts calls, or calls an export many times.
//!
//! [`ModuleInfo::parse`] validates everything but the inside of function
//! bodies, whose operators it only reads. Engines validate bodies anyway, when
//! they compile them.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod advice;
mod check;
mod convert;
mod error;
mod features;
mod fit;
mod header;
mod info;
pub mod inline;
mod link;
mod names;
mod operators;
mod parse;
mod plan;
mod plan_table;
mod provide;
mod provider;
mod quote;
mod report;
mod spaces;
pub mod stub;
mod suggest;
mod surface;
mod types;

pub use check::{CheckError, check};
pub use error::{Available, LinkError, ParseError, Place, Problem, ProblemKind};
pub use info::{Export, Import, ModuleInfo};
pub use link::{
    AddedExport, AddedFunction, Budget, HostPage, InlinedRange, LinkOptions, Linked, LinkedImport,
    Replacement, RewriteError, RewriteErrorKind, TrapSite, Wrapper, link,
};
pub use plan::{Binding, Crossing, Inlined, MappedExport, Plan, PlannedImport, plan};
pub use provide::{
    ProvideError, ProvideErrorKind, ProvideOptions, Provided, Provision, Unused, provide, unused,
};
pub use provider::{Provider, ProviderError};
pub use quote::ImportName;
pub use surface::{Deferral, HostItem, Inlining, Provides, Surface};
pub use types::{ExternType, FuncType, GlobalType, MemoryType, TableType, ValType};

/// Names that start with this are ours, in imports and exports: [`plan`]
/// refuses a guest that uses one.
pub const RESERVED_PREFIX: &str = "hostcall:";
