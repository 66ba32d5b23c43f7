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

pub(super) fn wrapper_module(
    import: u32,
    ty: &FuncType,
    queue: Option<&Queue>,
    counter: Option<u32>,
) -> Vec<u8> {
    counting_module(import, ty, queue, counter, None)
}

/// The same; `crossed` counts those calls that got past the drain.
pub(super) fn counting_module(
    import: u32,
    ty: &FuncType,
    queue: Option<&Queue>,
    counter: Option<u32>,
    crossed: Option<u32>,
) -> Vec<u8> {
    let mut parts = Parts::default();
    let page = (queue.is_some() || counter.is_some()).then(|| parts.page());
    let access = queue.zip(page).map(|(queue, page)| Access {
        queue: *queue,
        page,
        drain: parts.drain(),
    });
    let import = parts.guest_import(import, ty);
    let mut body = Body::new(&[]);
    let mut code = body.code();
    // Parameters first: then a call site can leave them on its stack.
    pass_on(&mut code, ty.params.len() as u32);
    if let Some((page, counter)) = page.zip(counter) {
        page.increment(&mut code, counter);
    }
    if let Some(access) = access {
        access.drain_if_queued(&mut code);
    }
    if let Some((page, crossed)) = page.zip(crossed) {
        page.increment(&mut code, crossed);
    }
    code.call(import);
    let (params, results) = (module::values(&ty.params), module::values(&ty.results));
    parts.function(super::FUNCTION, params, results, body);
    parts.finish()
}

/// Leaves the first `params` locals on the stack.
pub(super) fn pass_on(code: &mut InstructionSink<'_>, params: u32) {
    for param in 0..params {
        code.local_get(param);
    }
}
