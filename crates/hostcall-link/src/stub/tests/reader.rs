//! Reads a queue, written from the description of its format alone.

use std::collections::BTreeMap;

use crate::stub::{Length, Queue, Record, Store, StoreAs};
use crate::{FuncType, ValType};

/// A call as it was queued.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub id: u32,
    /// What was stored of each parameter.
    pub fields: Vec<u64>,
    /// What was copied.
    pub pieces: Vec<Vec<u8>>,
}

/// All queued calls in order; nothing if only the host has something.
pub fn read(
    page: &[u8],
    queue: &Queue,
    records: &BTreeMap<u32, (FuncType, Record)>,
) -> Option<Vec<Call>> {
    let [tail, current, last] = [0, 4, 8].map(|word| word_at(page, queue.control + word));
    let mut calls = Vec::new();
    match current {
        0 => {
            assert_eq!((tail, last), (0, 0));
            return Some(calls);
        }
        u32::MAX => return None,
        _ => {}
    }
    assert!(tail <= queue.size, "{tail} is behind the queue's end");
    let mut run = 0;
    loop {
        assert!(run % 8 == 0 && run <= last);
        let id = word_at(page, queue.start + run);
        let end = match run == last {
            true => tail,
            false => word_at(page, queue.start + run + 4),
        };
        records_of(page, queue, &mut calls, id, run + 8..end, &records[&id]);
        if run == last {
            assert_eq!(id, current);
            return Some(calls);
        }
        run = end.next_multiple_of(8);
    }
}

fn records_of(
    page: &[u8],
    queue: &Queue,
    calls: &mut Vec<Call>,
    id: u32,
    run: std::ops::Range<u32>,
    (ty, record): &(FuncType, Record),
) {
    let mut at = run.start;
    assert!(at < run.end, "a run without records");
    while at < run.end {
        let bytes = &page[(queue.start + at) as usize..];
        let (call, size) = record_at(bytes, id, ty, record);
        calls.push(call);
        at += size;
    }
    assert_eq!(at, run.end);
}

fn record_at(bytes: &[u8], id: u32, ty: &FuncType, record: &Record) -> (Call, u32) {
    let fields = record.stores.iter().zip(&ty.params);
    let fields = fields.map(|(store, ty)| field(bytes, store, ty));
    let fields: Vec<u64> = fields.collect();
    let mut pieces = Vec::new();
    let mut end = record.size;
    for copy in &record.copies {
        let length = match copy.length {
            Length::Bytes(bytes) => bytes,
            Length::Items { count, stride } => fields[count as usize] as u32 * stride,
        };
        pieces.push(bytes[end as usize..(end + length) as usize].to_vec());
        end += length.next_multiple_of(8);
    }
    (Call { id, fields, pieces }, end)
}

fn field(bytes: &[u8], store: &Store, ty: &ValType) -> u64 {
    let width = width(store.as_, ty) as usize;
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(&bytes[store.offset as usize..][..width]);
    u64::from_le_bytes(wide)
}

/// How many bytes are stored.
pub fn width(as_: StoreAs, ty: &ValType) -> u32 {
    match (as_, ty) {
        (StoreAs::Word, _) => 8,
        (StoreAs::Whole, ValType::I32 | ValType::F32) => 4,
        (StoreAs::Whole, _) => 8,
        (StoreAs::Low8 | StoreAs::Bool, _) => 1,
        (StoreAs::Low16, _) => 2,
        (StoreAs::Case { bytes, .. }, _) => bytes,
        (StoreAs::Char, _) => 4,
    }
}

fn word_at(page: &[u8], address: u32) -> u32 {
    u32::from_le_bytes(page[address as usize..][..4].try_into().unwrap())
}
