//! An operator taken apart: its name and its immediates, each of a known kind.
//! Two operators are compared kind by kind, whatever the operator.

use wasmparser::{
    BlockType, BrTable, Catch, Handle, HeapType, Ieee32, Ieee64, MemArg, Operator, Ordering,
    RefType, ResumeTable, TryTable, V128, ValType,
};

/// An immediate of an operator, by what it refers to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Immediate {
    /// A function that is called.
    Callee(u32),
    /// A function that a reference is taken of.
    Reference(u32),
    Local(u32),
    Global(u32),
    Memory(u32),
    Table(u32),
    Tag(u32),
    Data(u32),
    Element(u32),
    Type(u32),
    Label(u32),
    Block(BlockType),
    Access(MemArg),
    Heap(HeapType),
    Value(ValType),
    /// What means the same in every module: a constant, a lane, a field.
    Number(u64),
    Bytes([u8; 16]),
    /// Never equal to anything.
    Unknown,
}

/// The operator's name as `wasmparser` spells it, and its immediates.
pub(super) fn take_apart(operator: &Operator<'_>) -> (&'static str, Vec<Immediate>) {
    let (name, mut immediates) = parts(operator);
    if let Operator::RefFunc { function_index } = operator {
        immediates = vec![Immediate::Reference(*function_index)];
    }
    (name, immediates)
}

/// What a name given to an immediate means. Names that are missing here must
/// have a type of their own that tells (see [`Parts`]): an index that `wasmparser`
/// adds under a new name does not compile.
macro_rules! immediate {
    (function_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Callee(*$value))
    };
    (local_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Local(*$value))
    };
    (global_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Global(*$value))
    };
    (mem, $value:expr, $out:expr) => {
        $out.push(Immediate::Memory(*$value))
    };
    (src_mem, $value:expr, $out:expr) => {
        $out.push(Immediate::Memory(*$value))
    };
    (dst_mem, $value:expr, $out:expr) => {
        $out.push(Immediate::Memory(*$value))
    };
    (table, $value:expr, $out:expr) => {
        $out.push(Immediate::Table(*$value))
    };
    (table_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Table(*$value))
    };
    (src_table, $value:expr, $out:expr) => {
        $out.push(Immediate::Table(*$value))
    };
    (dst_table, $value:expr, $out:expr) => {
        $out.push(Immediate::Table(*$value))
    };
    (tag_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Tag(*$value))
    };
    (data_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Data(*$value))
    };
    (array_data_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Data(*$value))
    };
    (elem_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Element(*$value))
    };
    (array_elem_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Element(*$value))
    };
    (type_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (struct_type_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (array_type_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (array_type_index_src, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (array_type_index_dst, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (cont_type_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (argument_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (result_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Type(*$value))
    };
    (relative_depth, $value:expr, $out:expr) => {
        $out.push(Immediate::Label(*$value))
    };
    (field_index, $value:expr, $out:expr) => {
        $out.push(Immediate::Number(u64::from(*$value)))
    };
    (array_size, $value:expr, $out:expr) => {
        $out.push(Immediate::Number(u64::from(*$value)))
    };
    ($other:ident, $value:expr, $out:expr) => {
        $value.push_to($out)
    };
}

macro_rules! define_parts {
    (
        $(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })?
            => $visit:ident ($($ann:tt)*))*
    ) => {
        fn parts(operator: &Operator<'_>) -> (&'static str, Vec<Immediate>) {
            match operator {
                $(Operator::$op $({ $($arg),* })? => {
                    #[allow(unused_mut, reason = "most operators have no immediates")]
                    let mut immediates = Vec::new();
                    $($(immediate!($arg, $arg, &mut immediates);)*)?
                    (stringify!($op), immediates)
                })*
                // The enumeration is not exhaustive, the macro is.
                _ => ("an operator unknown to this version", vec![Immediate::Unknown]),
            }
        }
    };
}

wasmparser::for_each_operator!(define_parts);

/// An immediate whose type says what it means.
trait Parts {
    fn push_to(&self, out: &mut Vec<Immediate>);
}

macro_rules! numbers {
    ($($ty:ty: $value:ident => $number:expr;)*) => {
        $(impl Parts for $ty {
            fn push_to(&self, out: &mut Vec<Immediate>) {
                let $value = *self;
                out.push(Immediate::Number($number));
            }
        })*
    };
}

numbers! {
    u8: value => u64::from(value);
    i32: value => value as u64;
    i64: value => value as u64;
    Ieee32: value => u64::from(value.bits());
    Ieee64: value => value.bits();
    Ordering: value => value as u64;
}

macro_rules! one {
    ($($ty:ty => $kind:ident;)*) => {
        $(impl Parts for $ty {
            fn push_to(&self, out: &mut Vec<Immediate>) {
                out.push(Immediate::$kind(*self));
            }
        })*
    };
}

one! {
    [u8; 16] => Bytes;
    BlockType => Block;
    MemArg => Access;
    HeapType => Heap;
    ValType => Value;
}

impl Parts for V128 {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        out.push(Immediate::Bytes(*self.bytes()));
    }
}

impl Parts for RefType {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        out.push(Immediate::Value(ValType::Ref(*self)));
    }
}

impl Parts for Vec<ValType> {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        out.extend(self.iter().copied().map(Immediate::Value));
    }
}

impl Parts for BrTable<'_> {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        for target in self.targets() {
            // What cannot be read did not pass validation.
            out.push(target.map_or(Immediate::Unknown, Immediate::Label));
        }
        out.push(Immediate::Label(self.default()));
    }
}

impl Parts for TryTable {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        out.push(Immediate::Block(self.ty));
        for catch in &self.catches {
            catch.push_to(out);
        }
    }
}

impl Parts for Catch {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        let (kind, tag, label) = match *self {
            Catch::One { tag, label } => (0, Some(tag), label),
            Catch::OneRef { tag, label } => (1, Some(tag), label),
            Catch::All { label } => (2, None, label),
            Catch::AllRef { label } => (3, None, label),
        };
        out.push(Immediate::Number(kind));
        out.extend(tag.map(Immediate::Tag));
        out.push(Immediate::Label(label));
    }
}

impl Parts for ResumeTable {
    fn push_to(&self, out: &mut Vec<Immediate>) {
        for handle in &self.handlers {
            match *handle {
                Handle::OnLabel { tag, label } => {
                    out.extend([Immediate::Tag(tag), Immediate::Label(label)]);
                }
                Handle::OnSwitch { tag } => {
                    out.extend([Immediate::Number(1), Immediate::Tag(tag)]);
                }
            }
        }
    }
}
