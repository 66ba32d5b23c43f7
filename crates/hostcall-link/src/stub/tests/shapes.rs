//! Functions whose calls are queued, and arguments for them.

use proptest::prelude::*;

use super::reader::width;
use crate::stub::{Copied, Length, Record, Store, StoreAs};
use crate::{FuncType, ValType};

/// A function, and what is queued of its calls.
#[derive(Clone, Debug)]
pub struct Shape {
    pub params: Vec<Param>,
    pub ty: FuncType,
    pub record: Record,
}

/// One or two parameters.
#[derive(Clone, Debug)]
pub enum Param {
    Number(ValType, StoreAs),
    /// A pointer and a number of items.
    Items {
        stride: u32,
        align: u32,
    },
    /// A pointer.
    Bytes {
        bytes: u32,
        align: u32,
    },
}

impl Shape {
    pub fn new(params: Vec<Param>, wide: bool) -> Shape {
        let mut shape = Shape {
            params: Vec::new(),
            ty: FuncType::default(),
            record: Record {
                size: 0,
                stores: Vec::new(),
                copies: Vec::new(),
            },
        };
        for param in &params {
            shape.param(param, if wide { ValType::I64 } else { ValType::I32 });
        }
        shape.params = params;
        let copies = !shape.record.copies.is_empty();
        let widths = shape.record.stores.iter().zip(&shape.ty.params);
        let widths = widths.map(|(store, ty)| width(store.as_, ty));
        let align = if copies { 8 } else { widths.max().unwrap_or(1) };
        shape.record.size = shape.record.size.max(1).next_multiple_of(align);
        shape
    }

    fn param(&mut self, param: &Param, address: ValType) {
        let pointer = self.ty.params.len() as u32;
        let (length, align) = match *param {
            Param::Number(ref ty, as_) => return self.store(ty.clone(), as_),
            Param::Items { stride, align } => {
                let count = pointer + 1;
                (Length::Items { count, stride }, align)
            }
            Param::Bytes { bytes, align } => (Length::Bytes(bytes), align),
        };
        self.store(address.clone(), StoreAs::Word);
        if let Length::Items { .. } = length {
            self.store(address, StoreAs::Word);
        }
        self.record.copies.push(Copied {
            pointer,
            length,
            align,
        });
    }

    fn store(&mut self, ty: ValType, as_: StoreAs) {
        let width = width(as_, &ty);
        let offset = self.record.size.next_multiple_of(width);
        self.record.stores.push(Store { offset, as_ });
        self.record.size = offset + width;
        self.ty.params.push(ty);
    }

    /// Arguments as bits, of which `picks` decides.
    pub fn args(&self, picks: &[(u8, u64)], memory: u64, queue: u64) -> Vec<u64> {
        let wide = |ty: &ValType| matches!(ty, ValType::I64 | ValType::F64);
        let mut picks = picks.iter().copied().cycle();
        let mut pick = || picks.next().unwrap();
        let mut args = Vec::new();
        for param in &self.params {
            match *param {
                Param::Number(_, as_) => args.push(number(pick(), as_)),
                Param::Items { stride, align } => {
                    args.push(pointer(pick(), align.into(), memory));
                    args.push(count(pick(), stride.into(), queue));
                }
                Param::Bytes { align, .. } => args.push(pointer(pick(), align.into(), memory)),
            }
        }
        for (arg, ty) in args.iter_mut().zip(&self.ty.params) {
            *arg &= if wide(ty) { u64::MAX } else { u32::MAX.into() };
        }
        args
    }
}

fn number((kind, x): (u8, u64), as_: StoreAs) -> u64 {
    match as_ {
        StoreAs::Case { cases, .. } if kind % 8 != 0 => x % u64::from(cases),
        StoreAs::Case { cases, .. } => u64::from(cases) + x % 2,
        StoreAs::Char if kind % 8 != 0 => x % 0xd800,
        // Around the edges of what is a character.
        StoreAs::Char => [0xd7ff, 0xd800, 0xdfff, 0xe000, 0x10_ffff, 0x11_0000][x as usize % 6],
        StoreAs::Bool if kind % 2 == 0 => 0,
        _ => x,
    }
}

fn pointer((kind, x): (u8, u64), align: u64, memory: u64) -> u64 {
    match kind % 16 {
        0 => memory - x % 40,
        1 => memory + x % 3,
        2 => u64::from(u32::MAX) - x % 40,
        3 => u64::MAX - x % 40,
        4 => x % memory,
        5 => x,
        6 => memory / align * align,
        _ => x % memory / align * align,
    }
}

fn count((kind, x): (u8, u64), stride: u64, queue: u64) -> u64 {
    match kind % 16 {
        0 => u64::from(u32::MAX) / stride + x % 3,
        1 => (u64::MAX / stride).wrapping_add(x % 3),
        2 => u64::MAX - x % 3,
        3 => u64::from(u32::MAX) - x % 3,
        4 | 5 => (queue / stride).saturating_sub(x % 5),
        6 => x % (queue + 2),
        7 => 0,
        _ => x % 9,
    }
}

fn numbers() -> impl Strategy<Value = Param> {
    let types = prop_oneof![
        Just(ValType::I32),
        Just(ValType::I64),
        Just(ValType::F32),
        Just(ValType::F64)
    ];
    let whole = (
        types,
        prop_oneof![Just(StoreAs::Word), Just(StoreAs::Whole)],
    );
    let cases = (1u32..300, prop_oneof![Just(1), Just(2), Just(4)]);
    let low = prop_oneof![
        Just(StoreAs::Low8),
        Just(StoreAs::Low16),
        Just(StoreAs::Bool),
        Just(StoreAs::Char),
        cases.prop_map(|(cases, bytes)| StoreAs::Case {
            cases: if bytes == 1 { cases.min(256) } else { cases },
            bytes
        }),
    ];
    prop_oneof![
        whole.prop_map(|(ty, as_)| Param::Number(ty, as_)),
        low.prop_map(|as_| Param::Number(ValType::I32, as_)),
    ]
}

fn params() -> impl Strategy<Value = Param> {
    let align = (0u32..4).prop_map(|log2| 1 << log2);
    let stride = prop_oneof![
        1u32..20,
        Just(1),
        Just(8),
        Just(4096),
        Just(1 << 31),
        Just(u32::MAX)
    ];
    prop_oneof![
        3 => numbers(),
        2 => (stride, align.clone()).prop_map(|(stride, align)| Param::Items { stride, align }),
        1 => (0u32..40, align).prop_map(|(bytes, align)| Param::Bytes { bytes, align }),
    ]
}

pub fn shapes() -> impl Strategy<Value = Vec<Vec<Param>>> {
    prop::collection::vec(prop::collection::vec(params(), 0..5), 1..5)
}
