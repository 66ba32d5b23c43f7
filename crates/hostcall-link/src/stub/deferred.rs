//! Stubs that queue calls.

mod append;
mod checks;
mod copy;
mod layout;

use wasm_encoder::{BlockType, InstructionSink, ValType};

use super::module::{self, Body, Parts};
use super::queue::Access;
use super::wrapper::{Around, pass_on};
use super::{FUNCTION, Guest, Queue, Record};
use crate::{FuncType, Provider};
use layout::{Layout, Size};

/// A function of type `ty`, which has no results, that stands in the place of
/// import `import` and queues calls as function `id`, neither 0 nor `u32::MAX`. It
/// adds one to the `u64` at address `counter` of the host page for each call, and
/// to the one behind it for each that crosses at once.
///
/// What cannot be queued (a pointer that does not fit the guest's memory, more
/// than an empty queue can hold, a case that does not exist) crosses at once,
/// behind all that is queued: the host function refuses what it would refuse
/// without a queue.
///
/// # Panics
///
/// If the record does not fit the parameters: each is `i32`, `i64`, `f32` or `f64`
/// and has its store, and pointers and numbers of items are integers.
pub fn deferred(
    import: u32,
    ty: &FuncType,
    id: u32,
    record: &Record,
    queue: &Queue,
    guest: Guest,
    counter: Option<u32>,
) -> Provider {
    module::provider(&deferred_module(
        import, ty, id, record, queue, guest, counter,
    ))
}

pub(super) fn deferred_module(
    import: u32,
    ty: &FuncType,
    id: u32,
    record: &Record,
    queue: &Queue,
    guest: Guest,
    counter: Option<u32>,
) -> Vec<u8> {
    debug_assert!(id != 0 && id != u32::MAX, "these stand for no function");
    let layout = Layout::new(ty, record);
    let Some(room) = layout.room(queue) else {
        // No call has room, so each crosses directly.
        let around = Around {
            queue: Some(queue),
            counter,
            crossed: counter.map(at_once),
            metered: None,
        };
        return around.module(import, ty);
    };
    let mut parts = Parts::default();
    let memory = (!record.copies.is_empty()).then(|| parts.guest_memory(guest));
    let access = Access {
        queue: *queue,
        page: parts.page(),
        drain: parts.drain(),
    };
    let import = parts.guest_import(import, ty);
    let stub = Stub {
        ty,
        id,
        record,
        guest,
        memory: memory.unwrap_or_default(),
        layout,
        room,
        access,
    };
    stub.module(parts, import, counter)
}

/// Where the calls are counted that cross at once.
fn at_once(counter: u32) -> u32 {
    counter + 8
}

/// Functions of the module, behind the two that it imports: the stub itself, and
/// what it calls when things are not as usual.
const OPEN: u32 = 3;
const SLOW: u32 = 4;
/// There is no copy without checks, so one of these that is there has its place.
const DIRECT: u32 = 5;
const COPY: u32 = 6;

struct Stub<'a> {
    ty: &'a FuncType,
    id: u32,
    record: &'a Record,
    guest: Guest,
    /// The guest's memory, if anything is copied.
    memory: u32,
    layout: Layout,
    /// Bytes that are left for items in an empty queue.
    room: u32,
    access: Access,
}

impl Stub<'_> {
    fn module(&self, mut parts: Parts, import: u32, counter: Option<u32>) -> Vec<u8> {
        let params = module::values(&self.ty.params);
        let measured = self.layout.measured();
        let passed = [params.clone(), measured].concat();
        let (stub, checked) = self.stub(counter);
        parts.function(FUNCTION, params.clone(), Vec::new(), stub);
        let open = self.access.open(self.id);
        let open = parts.function("open", vec![ValType::I32], vec![ValType::I32], open);
        let slow = parts.function("slow", passed, Vec::new(), self.slow());
        debug_assert_eq!((open, slow), (OPEN, SLOW));
        if checked {
            let direct = parts.function("direct", params, Vec::new(), self.direct(import, counter));
            debug_assert_eq!(direct, DIRECT);
        }
        if !self.record.copies.is_empty() {
            let copy = parts.function("copy", self.copy_params(), Vec::new(), self.copy());
            debug_assert_eq!(copy, COPY);
        }
        parts.finish()
    }

    /// The function that is exported, and whether it has to check anything.
    fn stub(&self, counter: Option<u32>) -> (Body, bool) {
        let locals = [self.layout.measured(), self.layout.scratch()].concat();
        let mut body = Body::new(&locals);
        let mut code = body.code();
        if let Some(counter) = counter {
            self.access.page.increment(&mut code, counter);
        }
        let checked = self.checks(&mut code);
        if checked {
            code.if_(BlockType::Empty);
            pass_on(&mut code, self.layout.params());
            code.call(DIRECT);
            code.else_();
        }
        self.queue(&mut code);
        if checked {
            code.end();
        }
        (body, checked)
    }

    /// Queues a call that passed all checks.
    fn queue(&self, code: &mut InstructionSink<'_>) {
        let position = self.layout.position();
        self.access.tail(code);
        code.local_tee(position);
        self.last_tail(code);
        code.i32_le_u();
        self.access.current(code);
        code.i32_const(self.id as i32).i32_eq().i32_and();
        code.if_(BlockType::Empty);
        self.append(code);
        code.else_();
        // A function of its own: here, nothing has to outlive a call.
        pass_on(code, self.layout.passed());
        code.call(SLOW);
        code.end();
    }

    /// Leaves on the stack the last `tail` that the record fits behind.
    fn last_tail(&self, code: &mut InstructionSink<'_>) {
        let size = self.access.queue.size;
        if let Size::Fixed(total) = self.layout.total {
            code.i32_const((size - total) as i32);
            return;
        }
        code.i32_const(size as i32);
        self.layout.total.as_i32(code);
        code.i32_sub();
    }

    /// Queues a call in a run of its own.
    fn slow(&self) -> Body {
        let mut body = Body::new(&self.layout.scratch());
        let mut code = body.code();
        self.layout.total.as_i32(&mut code);
        code.call(OPEN).local_set(self.layout.position());
        self.append(&mut code);
        body
    }

    /// Calls the import, behind all that is queued.
    fn direct(&self, import: u32, counter: Option<u32>) -> Body {
        let mut body = Body::new(&[]);
        let mut code = body.code();
        self.access.drain_if_queued(&mut code);
        if let Some(counter) = counter {
            self.access.page.increment(&mut code, at_once(counter));
        }
        pass_on(&mut code, self.layout.params());
        code.call(import);
        body
    }
}
