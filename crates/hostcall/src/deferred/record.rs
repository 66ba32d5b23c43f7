//! What the record of a deferred call holds, by the types of its parameters.

use crate::layout;
use crate::ty::{Signature, Type};
use hostcall_link::ValType;
use hostcall_link::stub::{Copied, Length, Record, Store, StoreAs};

/// Bytes of a core value in a record.
pub(super) const SLOT: usize = 8;

/// The record of a call that is handed over alone: its core values in order,
/// and behind them copies of what they point to. An error says why its calls
/// cannot be kept.
pub(crate) fn record(signature: &Signature, wide: bool) -> Result<Record, String> {
    let mut writer = Writer {
        wide,
        flat: Vec::new(),
        copies: Vec::new(),
    };
    for (name, ty) in &signature.params {
        let unfit = |reason| format!("`{name}: {ty}` {reason}");
        writer.write(ty).map_err(unfit)?;
    }
    let slots = (0..writer.flat.len()).map(|slot| Store {
        offset: (slot * SLOT) as u32,
        as_: StoreAs::Word,
    });
    Ok(Record {
        // Records without bytes could not be counted.
        size: (writer.flat.len().max(1) * SLOT) as u32,
        stores: slots.collect(),
        copies: writer.copies,
    })
}

struct Writer {
    wide: bool,
    flat: Vec<ValType>,
    copies: Vec<Copied>,
}

impl Writer {
    fn write(&mut self, ty: &Type) -> Result<(), &'static str> {
        match ty {
            Type::String => self.copy(ty, |count| Length::Items { count, stride: 1 }, 1),
            Type::List(item) => {
                let [size, align] = self.plain(item)?;
                let stride = size.max(1);
                self.copy(ty, |count| Length::Items { count, stride }, align);
            }
            Type::Pointer(item) => {
                let [size, align] = self.plain(item)?;
                self.copy(ty, |_| Length::Bytes(size), align);
            }
            Type::Record(_) | Type::Tuple(_) => {
                let mut fields = ty.fields().into_iter().flatten();
                fields.try_for_each(|ty| self.write(ty))?;
            }
            Type::CString => return Err("has no length: take a string"),
            Type::V128 => return Err("is no value that a queue can hold"),
            _ if is_reference(ty) => return Err("is a reference, which memory cannot hold"),
            _ if !is_plain(ty) => return Err("has pointers in one of its cases"),
            _ => ty.flatten(self.wide, &mut self.flat),
        }
        Ok(())
    }

    /// A pointer to bytes that are copied; `length` is told where a count
    /// would be.
    fn copy(&mut self, ty: &Type, length: impl FnOnce(u32) -> Length, align: u32) {
        let pointer = self.flat.len() as u32;
        self.copies.push(Copied {
            pointer,
            length: length(pointer + 1),
            align,
        });
        ty.flatten(self.wide, &mut self.flat);
    }

    /// Size and alignment of values that point to nothing.
    fn plain(&self, ty: &Type) -> Result<[u32; 2], &'static str> {
        match ty.layouts() {
            Some(layouts) if is_plain(ty) => {
                let layout = layouts[usize::from(self.wide)];
                Ok([layout.size as u32, layout.align as u32])
            }
            _ => Err("points to what has pointers itself"),
        }
    }
}

fn is_reference(ty: &Type) -> bool {
    match ty {
        Type::Option(ty) => ty.is_reference(),
        _ => ty.is_reference(),
    }
}

/// Whether a value has all of it in its own bytes.
fn is_plain(ty: &Type) -> bool {
    let parts = ty.fields().into_iter().chain(ty.payloads());
    match ty {
        Type::String | Type::List(_) | Type::CString | Type::Pointer(_) => false,
        Type::V128 | Type::FuncRef | Type::ExternRef => false,
        _ => parts.flatten().all(is_plain),
    }
}

/// The parameters of a function whose calls are handed over as a slice of
/// records: the fields of one.
pub(crate) fn batch_params(record: &Type) -> Vec<(String, Type)> {
    match record {
        Type::Record(fields) => fields.clone(),
        Type::Tuple(types) => {
            let types = types.iter().enumerate();
            types.map(|(i, ty)| (format!("p{i}"), ty.clone())).collect()
        }
        one => vec![("p0".to_owned(), one.clone())],
    }
}

/// The record of a call that is handed over in a slice: laid out as in memory.
/// An error says why there is none.
pub(crate) fn batch_record(signature: &Signature) -> Result<Record, String> {
    let types = signature.params.iter().map(|(_, ty)| ty.clone());
    let whole = Type::Tuple(types.collect());
    let mut stores = Vec::new();
    columns(&whole, 0, &mut stores);
    // Places have the same layout in both widths.
    let [layout, _] = whole.layouts().unwrap_or(layout::UNIT);
    match layout.size {
        0 => Err("records without bytes could not be counted".to_owned()),
        size => Ok(Record {
            size: size as u32,
            stores,
            copies: Vec::new(),
        }),
    }
}

/// The core values of `ty`, which starts at `offset`.
fn columns(ty: &Type, offset: u32, stores: &mut Vec<Store>) {
    let as_ = match ty {
        Type::Record(_) | Type::Tuple(_) => {
            let fields: Vec<_> = ty.fields().into_iter().flatten().collect();
            let layouts: Vec<_> = fields.iter().filter_map(|ty| ty.layouts()).collect();
            for (i, ty) in fields.iter().enumerate() {
                let at = layout::offset(&layouts, i, 0) as u32;
                columns(ty, offset + at, stores);
            }
            return;
        }
        Type::Bool => StoreAs::Bool,
        Type::Char => StoreAs::Char,
        Type::S8 | Type::U8 => StoreAs::Low8,
        Type::S16 | Type::U16 => StoreAs::Low16,
        Type::Enum(cases) => StoreAs::Case {
            cases: cases.len() as u32,
            bytes: layout::tag_size(cases.len()) as u32,
        },
        _ => StoreAs::Whole,
    };
    stores.push(Store { offset, as_ });
}
