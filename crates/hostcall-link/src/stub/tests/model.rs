//! What stubs do, in plain Rust.

use super::machine::Event;
use super::reader::{Call, width};
use super::shapes::Shape;
use crate::stub::{Length, Queue, StoreAs};

/// A queue, and what the host has seen of it.
#[derive(Clone)]
pub struct Model {
    queue: Queue,
    pub tail: u32,
    pub current: u32,
    pub run: u32,
    waiting: Vec<Event>,
    pub log: Vec<Event>,
    pub refuse: bool,
}

/// A drain fails.
pub struct Refused;

impl Model {
    pub fn new(queue: Queue) -> Model {
        Model {
            queue,
            tail: 0,
            current: 0,
            run: 0,
            waiting: Vec::new(),
            log: Vec::new(),
            refuse: false,
        }
    }

    /// A call of a stub, with the bits of its arguments.
    pub fn call(
        &mut self,
        id: u32,
        import: u32,
        shape: &Shape,
        args: &[u64],
        memory: &[u8],
    ) -> Result<(), Refused> {
        match queued(&self.queue, id, shape, args, memory) {
            Some((call, size)) => self.append(call, size),
            None => self.direct(import, args),
        }
    }

    fn append(&mut self, call: Call, size: u32) -> Result<(), Refused> {
        let fits = self.tail + size <= self.queue.size;
        if self.current != call.id || !fits {
            if self.tail.next_multiple_of(8) + 8 + size > self.queue.size {
                self.drain()?;
            }
            self.run = self.tail.next_multiple_of(8);
            self.tail = self.run + 8;
            self.current = call.id;
        }
        self.tail += size;
        self.waiting.push(Event::Queued(call));
        Ok(())
    }

    /// A call of an import that is not queued.
    pub fn direct(&mut self, import: u32, args: &[u64]) -> Result<(), Refused> {
        if self.current != 0 {
            self.drain()?;
        }
        self.log.push(Event::Direct(import, args.to_vec()));
        Ok(())
    }

    pub fn drain(&mut self) -> Result<(), Refused> {
        if std::mem::take(&mut self.refuse) {
            return Err(Refused);
        }
        if self.current == u32::MAX {
            self.log.push(Event::Waited);
        }
        self.log.append(&mut self.waiting);
        (self.tail, self.current, self.run) = (0, 0, 0);
        Ok(())
    }
}

/// The record of a call and its size, if the call can be queued.
fn queued(
    queue: &Queue,
    id: u32,
    shape: &Shape,
    args: &[u64],
    memory: &[u8],
) -> Option<(Call, u32)> {
    let most = u64::from(queue.size);
    let mut fields = Vec::new();
    for ((store, ty), arg) in shape.record.stores.iter().zip(&shape.ty.params).zip(args) {
        let low = u64::MAX >> (64 - 8 * width(store.as_, ty));
        fields.push(match store.as_ {
            StoreAs::Bool => u64::from(*arg != 0),
            StoreAs::Case { cases, .. } if *arg >= u64::from(cases) => return None,
            StoreAs::Char if char::from_u32(*arg as u32).is_none() => return None,
            _ => arg & low,
        });
    }
    let mut pieces = Vec::new();
    let mut size = u64::from(shape.record.size);
    for copy in &shape.record.copies {
        let pointer = args[copy.pointer as usize];
        let length = match copy.length {
            Length::Bytes(bytes) => bytes.into(),
            Length::Items { count, stride } => {
                let count = args[count as usize];
                count.checked_mul(stride.into()).filter(|_| count <= most)?
            }
        };
        let end = pointer.checked_add(length)?;
        let inside = end <= memory.len() as u64;
        if !pointer.is_multiple_of(copy.align.into()) || length > most || !inside {
            return None;
        }
        pieces.push(memory[pointer as usize..end as usize].to_vec());
        size += length.next_multiple_of(8);
    }
    (8 + size <= most).then_some((Call { id, fields, pieces }, size as u32))
}
