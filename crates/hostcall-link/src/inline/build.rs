//! From the functions that build bodies to a module that linking takes.

use std::any::TypeId;
use std::cell::RefCell;
use std::rc::Rc;

use super::draft::Draft;
use super::{BuildError, Builder};
use crate::Provider;
use crate::provider::TrapNote;

/// The guest and the host page that a body is built for.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Whether the guest's memory has 64-bit addresses.
    pub wide: bool,
    /// The size of its pages: 16 for 64 KiB.
    pub page_size_log2: u32,
    /// Where in the host page a host state starts, in bytes, by its type.
    pub states: &'a dyn Fn(TypeId) -> Option<u32>,
}

/// A module with one exported function, and what its traps mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The module. It imports what its functions need: the guest's memory as
    /// `hostcall:guest` `memory`, the host page as `hostcall:host` `page`, and
    /// host functions under their own names.
    pub wasm: Vec<u8>,
    /// What traps mean, sorted by function and operator.
    pub traps: Vec<BuiltTrap>,
}

/// What a trap at an operator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltTrap {
    /// Index of the function among those that the module defines.
    pub function: u32,
    /// Ordinal of the operator in the body, counted from 0.
    pub operator: u32,
    /// The message.
    pub message: &'static str,
}

/// Builds the provider whose function `name` is `body`: what linking puts in the
/// place of an import.
///
/// # Errors
///
/// See [`BuildError`].
pub fn build(name: &str, body: fn(&Builder), target: &Target<'_>) -> Result<Provider, BuildError> {
    let built = build_module(name, body, target)?;
    let traps = built.traps.iter().map(|trap| TrapNote {
        func: trap.function,
        operator: trap.operator,
        message: trap.message,
    });
    Provider::built(&built.wasm, traps.collect()).map_err(|error| BuildError::Invalid {
        function: name.to_owned(),
        what: error.to_string(),
    })
}

/// Builds the module that exports `body` as `name`, along with the inline
/// functions that it calls.
///
/// # Errors
///
/// See [`BuildError`].
pub fn build_module(
    name: &str,
    body: fn(&Builder),
    target: &Target<'_>,
) -> Result<Built, BuildError> {
    let draft = Rc::new(RefCell::new(Draft::default()));
    draft.borrow_mut().function(name, body);
    build_all(&draft);
    super::assemble::assemble(&draft.borrow(), target)
}

/// Building a function may find others that it calls.
fn build_all(draft: &Rc<RefCell<Draft>>) {
    let mut next = 0;
    loop {
        let Some(build) = draft.borrow().functions.get(next).map(|entry| entry.build) else {
            return;
        };
        let builder = Builder::new(Rc::clone(draft));
        build(&builder);
        let function = builder.finish();
        draft.borrow_mut().functions[next].built = Some(function);
        next += 1;
    }
}
