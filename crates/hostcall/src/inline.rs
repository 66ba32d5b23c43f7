//! Host functions whose bodies stand in the guest.

use crate::by_name::ByName;
use crate::error::{Error, ErrorKind};
use crate::host::{Host, HostFunc, ItemKind};
use crate::program::binary;
use crate::ty::Signature;
use hostcall_link::inline::{Builder, Target, build};
use hostcall_link::{Budget, FuncType, Inlining, ModuleInfo, Provider};
use std::sync::Arc;

mod args;
mod code;
mod page;
mod slow_path;

pub use args::InlineArgs;
pub(crate) use code::InlinedCode;
pub use page::{HostState, PlainBytes, StateType, state_of};
pub(crate) use page::{PAGE, Page, PageLayout, state, state_mut};
pub use slow_path::{body_result, slow_path};

/// The Wasm form of a function of a host module, as its macro gives it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct InlineBody {
    /// Builds the Wasm form.
    pub build: fn(&Builder),
    /// What it uses of the host page.
    pub states: &'static [StateType],
    /// Whether it works on the guest's memory.
    pub memory: bool,
}

/// A body that can stand in the guest.
#[derive(Clone)]
pub(crate) enum Body {
    /// It has a native form, too.
    Rust(InlineBody),
    /// A function of a module.
    Wasm {
        provider: Arc<Provider>,
        function: String,
    },
}

impl Body {
    /// The module that the body is a function of, and that function's name.
    pub fn provider(
        &self,
        name: &str,
        target: &Target<'_>,
    ) -> Result<(Arc<Provider>, String), Error> {
        match self {
            Body::Rust(body) => {
                let provider = build(name, body.build, target).map_err(Error::body)?;
                Ok((Arc::new(provider), name.to_owned()))
            }
            Body::Wasm { provider, function } => Ok((provider.clone(), function.clone())),
        }
    }

    pub fn states(&self) -> &'static [StateType] {
        match self {
            Body::Rust(body) => body.states,
            Body::Wasm { .. } => &[],
        }
    }
}

/// What a host allows to be inlined.
#[derive(Clone, Debug, Default)]
pub(crate) struct InlineSettings {
    off: bool,
    /// Functions for which it is off.
    off_for: ByName<()>,
    pub budget: Budget,
}

impl InlineSettings {
    pub fn allows(&self, module: &str, name: &str) -> bool {
        !self.off && !self.off_for.contains(module, name)
    }
}

/// How a function goes into guests. A body without a native form always does,
/// if only as a function that is called.
pub(crate) fn inlining(body: Option<&Body>, allowed: bool) -> Inlining {
    match body {
        None => Inlining::Impossible,
        Some(Body::Wasm { .. }) => Inlining::Scalar,
        Some(Body::Rust(_)) if !allowed => Inlining::Off,
        Some(Body::Rust(body)) if body.memory => Inlining::Memory,
        Some(Body::Rust(_)) => Inlining::Scalar,
    }
}

impl<T: 'static> Host<T> {
    /// Offers a function given as Wasm text, `(func (param ...) ...)`, as
    /// `module.name`. It is put into the guests that import it.
    ///
    /// ```
    /// use hostcall::{Crossing, Host};
    ///
    /// let mut host = Host::<()>::new();
    /// host.inline_wat("env", "max", "(func (param i32 i32) (result i32)
    ///     (select (local.get 0) (local.get 1) (i32.gt_s (local.get 0) (local.get 1))))")?;
    /// let program = host.program(
    ///     br#"(module
    ///         (import "env" "max" (func $max (param i32 i32) (result i32)))
    ///         (func (export "run") (param i32) (result i32)
    ///             (call $max (local.get 0) (i32.const 7))))"#,
    /// )?;
    /// assert_eq!(program.plan().imports[0].crossing, Some(Crossing::Inline));
    ///
    /// let mut instance = program.instantiate(())?;
    /// let run = instance.export::<i32, i32>("run")?;
    /// assert_eq!(run.call(&mut instance, 3)?, 7);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text does not assemble, or uses what a body cannot have: a
    /// memory, a table, imports.
    pub fn inline_wat(&mut self, module: &str, name: &str, wat: &str) -> Result<&mut Self, Error> {
        let wasm = module_of(wat)?;
        let provider = Arc::new(Provider::parse(&wasm)?);
        let alone = ModuleInfo::parse(&wasm)?.functions == 1;
        let ty = provider.function(ONLY).filter(|_| alone);
        let ty = ty.ok_or_else(not_one_function)?;
        let signature = numeric(module, name, ty)?;
        Ok(self.wasm_func(module, name, signature, provider, ONLY))
    }

    /// Offers every function that a Wasm module exports, as `module.NAME`.
    /// They are put into the guests that import them. The module is given as
    /// Wasm or as text.
    ///
    /// ```
    /// use hostcall::Host;
    ///
    /// let mut host = Host::<()>::new();
    /// host.provide("math", br#"(module
    ///     (func (export "square") (param i64) (result i64)
    ///         (i64.mul (local.get 0) (local.get 0))))"#)?;
    /// # let program = host.program(
    /// #     br#"(module (import "math" "square" (func (param i64) (result i64))) (export "f" (func 0)))"#)?;
    /// # let mut instance = program.instantiate(())?;
    /// # assert_eq!(instance.export::<i64, i64>("f")?.call(&mut instance, 5)?, 25);
    /// # Ok::<(), hostcall::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is not a Wasm module, or has what a provider cannot have: a
    /// memory, a table, imports.
    pub fn provide(&mut self, module: &str, wasm: &[u8]) -> Result<&mut Self, Error> {
        let provider = Arc::new(Provider::parse(&binary(wasm)?)?);
        let functions = provider.functions();
        let functions = functions.map(|(name, ty)| {
            let signature = numeric(module, name, ty)?;
            Ok((name.to_owned(), signature))
        });
        for (name, signature) in functions.collect::<Result<Vec<_>, Error>>()? {
            self.wasm_func(module, &name, signature, provider.clone(), &name);
        }
        Ok(self)
    }

    fn wasm_func(
        &mut self,
        module: &str,
        name: &str,
        signature: Signature,
        provider: Arc<Provider>,
        function: &str,
    ) -> &mut Self {
        let function = function.to_owned();
        let body = Body::Wasm { provider, function };
        let func = HostFunc {
            body: Some(body),
            ..HostFunc::new(signature)
        };
        self.item(module, name, ItemKind::Func(func))
    }

    /// Switches inlining off, or on again, for all functions: then calls of
    /// `#[hostcall(inline)]` functions cross to their native form, with the
    /// same results.
    ///
    /// Functions given as Wasm have no native form. They stay in the guest,
    /// and calls of them stay calls.
    pub fn inlining(&mut self, on: bool) -> &mut Self {
        self.inlining.off = !on;
        self
    }

    /// Switches inlining off, or on again, for the function `module.name`;
    /// otherwise as [`Host::inlining`].
    pub fn inlining_of(&mut self, module: &str, name: &str, on: bool) -> &mut Self {
        match on {
            true => self.inlining.off_for.remove(module, name),
            false => self.inlining.off_for.insert(module, name, ()),
        }
        self
    }

    /// How much inlining may add to the code of a guest.
    pub fn inline_budget(&mut self, budget: Budget) -> &mut Self {
        self.inlining.budget = budget;
        self
    }
}

/// The name that [`module_of`] exports the function by.
const ONLY: &str = "body";

/// Assembles one function as a module that exports it.
fn module_of(wat: &str) -> Result<Vec<u8>, Error> {
    let rest = wat.trim_start().strip_prefix("(func");
    let rest = rest.ok_or_else(not_one_function)?;
    // Its own name comes before the export.
    let start = rest.trim_start();
    let named = start.starts_with('$');
    let end = start.find(|c: char| c.is_whitespace() || "();".contains(c));
    let (id, rest) = start.split_at(if named { end.unwrap_or(start.len()) } else { 0 });
    let module = format!("(module (func {id} (export \"{ONLY}\") {rest})");
    wat::parse_str(module).map_err(|error| Error::of(ErrorKind::Text(error.to_string())))
}

fn not_one_function() -> Error {
    let message = "expected one function, such as `(func (param i32) (result i32) ...)`";
    Error::of(ErrorKind::Text(message.to_owned()))
}

fn numeric(module: &str, name: &str, ty: &FuncType) -> Result<Signature, Error> {
    Signature::from_core(ty).ok_or_else(|| {
        Error::of(ErrorKind::Signature(format!(
            "`{module}.{name}` has the type {ty}: a provided function takes and returns numbers, \
             `funcref` and `externref`",
        )))
    })
}
