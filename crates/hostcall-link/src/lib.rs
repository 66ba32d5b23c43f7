//! Parses a WebAssembly guest, describes it, and plans how each of its imports
//! reaches its host function. No engine, no I/O: bytes and names go in, plain
//! data comes out.
//!
//! ```
//! use hostcall_link::{Binding, FuncType, HostItem, ModuleInfo, Provides, Surface, ValType, plan};
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
//! [`ModuleInfo::parse`] validates everything but the inside of function
//! bodies, whose operators it only reads. Engines validate bodies anyway, when
//! they compile them.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod advice;
mod convert;
mod error;
mod features;
mod fit;
mod header;
mod info;
mod names;
mod operators;
mod parse;
mod plan;
mod plan_table;
mod quote;
mod report;
mod spaces;
mod suggest;
mod surface;
mod types;

pub use error::{Available, LinkError, ParseError, Place, Problem, ProblemKind};
pub use info::{Export, Import, ModuleInfo};
pub use plan::{Binding, Crossing, Plan, PlannedImport, plan};
pub use quote::ImportName;
pub use surface::{HostItem, Provides, Surface};
pub use types::{ExternType, FuncType, GlobalType, MemoryType, TableType, ValType};

/// Names that start with this are ours, in imports and exports: [`plan`]
/// refuses a guest that uses one.
pub const RESERVED_PREFIX: &str = "hostcall:";
