//! Functions around imports that are not deferred.

use wasm_encoder::InstructionSink;

use super::Queue;
use super::module::{self, Body, Parts};
use super::queue::Access;
use crate::{FuncType, Provider};

/// A function of type `ty` that calls import `import`, after a drain if `queue`
/// has anything. It adds one to the `u64` at address `counter` of the host page
/// for each call.
///
/// # Panics
///
/// If `ty` has references other than `funcref` and `externref`.
pub fn wrapper(
    import: u32,
    ty: &FuncType,
    queue: Option<&Queue>,
    counter: Option<u32>,
) -> Provider {
    module::provider(&wrapper_module(import, ty, queue, counter))
}

/// As [`wrapper`]; it also tells the host of each call, before it makes it: by the
/// import `hostcall:limits` `call`, which traps if there were too many. That is
/// passed 1 if the function suspends the guest, and else 0; it also traps where the
/// guest cannot be suspended.
///
/// # Panics
///
/// As [`wrapper`].
pub fn metered(
    import: u32,
    ty: &FuncType,
    queue: Option<&Queue>,
    counter: Option<u32>,
    suspends: bool,
) -> Provider {
    let around = Around {
        queue,
        counter,
        metered: Some(suspends),
        ..Around::default()
    };
    module::provider(&around.module(import, ty))
}

pub(super) fn wrapper_module(
    import: u32,
    ty: &FuncType,
    queue: Option<&Queue>,
    counter: Option<u32>,
) -> Vec<u8> {
    let around = Around {
        queue,
        counter,
        ..Around::default()
    };
    around.module(import, ty)
}

/// What is done before a call.
#[derive(Default)]
pub(super) struct Around<'q> {
    /// What is drained.
    pub(super) queue: Option<&'q Queue>,
    /// Counts all calls.
    pub(super) counter: Option<u32>,
    /// Counts those that got past the drain.
    pub(super) crossed: Option<u32>,
    /// Whether the function suspends the guest, if the host is told of it.
    pub(super) metered: Option<bool>,
}

impl Around<'_> {
    pub(super) fn module(&self, import: u32, ty: &FuncType) -> Vec<u8> {
        let mut parts = Parts::default();
        let needs_page = self.queue.is_some() || self.counter.is_some();
        let page = needs_page.then(|| parts.page());
        let access = self.queue.zip(page).map(|(queue, page)| Access {
            queue: *queue,
            page,
            drain: parts.drain(),
        });
        let counted = self.metered.map(|suspends| (parts.counted(), suspends));
        let import = parts.guest_import(import, ty);
        let mut body = Body::new(&[]);
        let mut code = body.code();
        // Parameters first: then a call site can leave them on its stack.
        pass_on(&mut code, ty.params.len() as u32);
        if let Some((page, counter)) = page.zip(self.counter) {
            page.increment(&mut code, counter);
        }
        if let Some(access) = access {
            access.drain_if_queued(&mut code);
        }
        if let Some((page, crossed)) = page.zip(self.crossed) {
            page.increment(&mut code, crossed);
        }
        if let Some((counted, suspends)) = counted {
            code.i32_const(suspends.into()).call(counted);
        }
        code.call(import);
        let (params, results) = (module::values(&ty.params), module::values(&ty.results));
        parts.function(super::FUNCTION, params, results, body);
        parts.finish()
    }
}

/// Leaves the first `params` locals on the stack.
pub(super) fn pass_on(code: &mut InstructionSink<'_>, params: u32) {
    for param in 0..params {
        code.local_get(param);
    }
}
