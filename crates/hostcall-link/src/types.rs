//! Plain descriptions of core Wasm types, free of any engine's own types.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// The type of a value: what a local, a parameter or a global holds.
///
/// Reference types other than `funcref` and `externref` are kept as text. A
/// reference to a type that the module itself defines prints the index of that
/// type in the module, as in `(ref null 3)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum ValType {
    /// A 32-bit integer, or a pointer into a 32-bit memory.
    I32,
    /// A 64-bit integer, or a pointer into a 64-bit memory.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A 128-bit vector.
    V128,
    /// A nullable reference to any function.
    FuncRef,
    /// A nullable reference to a host value.
    ExternRef,
    /// Any other reference type, in text form, such as `(ref any)`.
    Ref(String),
}

impl ValType {
    fn as_str(&self) -> &str {
        match self {
            ValType::I32 => "i32",
            ValType::I64 => "i64",
            ValType::F32 => "f32",
            ValType::F64 => "f64",
            ValType::V128 => "v128",
            ValType::FuncRef => "funcref",
            ValType::ExternRef => "externref",
            ValType::Ref(text) => text,
        }
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ValType> for String {
    fn from(ty: ValType) -> String {
        match ty {
            ValType::Ref(text) => text,
            other => other.as_str().to_owned(),
        }
    }
}

impl From<String> for ValType {
    fn from(text: String) -> ValType {
        match text.as_str() {
            "i32" => ValType::I32,
            "i64" => ValType::I64,
            "f32" => ValType::F32,
            "f64" => ValType::F64,
            "v128" => ValType::V128,
            "funcref" => ValType::FuncRef,
            "externref" => ValType::ExternRef,
            _ => ValType::Ref(text),
        }
    }
}

/// The parameters and results of a function.
///
/// ```
/// use hostcall_link::{FuncType, ValType};
///
/// let ty = FuncType::new([ValType::I32, ValType::I32], [ValType::I64]);
/// assert_eq!(ty.to_string(), "(i32, i32) -> i64");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FuncType {
    /// What the caller passes, in order.
    pub params: Vec<ValType>,
    /// What the caller gets back, in order.
    pub results: Vec<ValType>,
}

impl FuncType {
    /// A function type with these parameters and results.
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        FuncType {
            params: params.into_iter().collect(),
            results: results.into_iter().collect(),
        }
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_tuple(f, &self.params)?;
        f.write_str(" -> ")?;
        match self.results.as_slice() {
            [one] => one.fmt(f),
            many => write_tuple(f, many),
        }
    }
}

fn write_tuple(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (position, ty) in types.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        ty.fmt(f)?;
    }
    f.write_str(")")
}

/// The type of a linear memory. Sizes are in pages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MemoryType {
    /// Pages that exist from the start.
    pub minimum: u64,
    /// Pages that the memory may grow to; no bound when `None`.
    pub maximum: Option<u64>,
    /// Whether addresses are `i64` instead of `i32`.
    pub memory64: bool,
    /// Whether several threads may use the memory at once.
    pub shared: bool,
    /// Base-2 logarithm of the bytes in a page: 16 unless the module asks for
    /// another size.
    pub page_size_log2: u32,
}

impl MemoryType {
    /// Base-2 logarithm of the ordinary page size, 64 KiB.
    pub const DEFAULT_PAGE_SIZE_LOG2: u32 = 16;

    /// A memory with 32-bit addresses.
    pub fn new(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType {
            minimum,
            maximum,
            memory64: false,
            shared: false,
            page_size_log2: Self::DEFAULT_PAGE_SIZE_LOG2,
        }
    }

    /// A memory with 64-bit addresses.
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType {
            memory64: true,
            ..MemoryType::new(minimum, maximum)
        }
    }

    /// A memory with 32-bit addresses that threads may share. Wasm requires a
    /// maximum for it.
    pub fn shared(minimum: u64, maximum: u64) -> MemoryType {
        MemoryType {
            shared: true,
            ..MemoryType::new(minimum, Some(maximum))
        }
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shared {
            f.write_str("shared ")?;
        }
        if self.memory64 {
            f.write_str("64-bit ")?;
        }
        f.write_str("memory of ")?;
        write_limits(f, self.minimum, self.maximum)?;
        f.write_str(" pages")?;
        if self.page_size_log2 != Self::DEFAULT_PAGE_SIZE_LOG2 {
            write!(f, " of 2^{} bytes", self.page_size_log2)?;
        }
        Ok(())
    }
}

/// The type of a global.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GlobalType {
    /// What the global holds.
    pub content: ValType,
    /// Whether it may change after instantiation.
    pub mutable: bool,
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mutable = if self.mutable { "mutable " } else { "" };
        write!(f, "{mutable}global of {}", self.content)
    }
}

/// The type of a table. Sizes are in elements.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableType {
    /// The type of every element, a reference.
    pub element: ValType,
    /// Elements that exist from the start.
    pub minimum: u64,
    /// Elements that the table may grow to; no bound when `None`.
    pub maximum: Option<u64>,
    /// Whether indices are `i64` instead of `i32`.
    pub table64: bool,
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = if self.table64 { "64-bit " } else { "" };
        write!(f, "{width}table of ")?;
        write_limits(f, self.minimum, self.maximum)?;
        write!(f, " {}", self.element)
    }
}

fn write_limits(f: &mut fmt::Formatter<'_>, minimum: u64, maximum: Option<u64>) -> fmt::Result {
    match maximum {
        Some(maximum) if maximum == minimum => write!(f, "exactly {minimum}"),
        Some(maximum) => write!(f, "{minimum} to {maximum}"),
        None => write!(f, "{minimum} or more"),
    }
}

/// The type of something that crosses a module's border: an import or an
/// export.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "type", rename_all = "lowercase")]
pub enum ExternType {
    /// A function.
    #[serde(rename = "function")]
    Func(FuncType),
    /// A linear memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// An exception tag, with what an exception carries as parameters.
    Tag(FuncType),
}

impl ExternType {
    /// The kind in one word: `function`, `memory`, `global`, `table` or `tag`.
    pub fn kind(&self) -> &'static str {
        match self {
            ExternType::Func(_) => "function",
            ExternType::Memory(_) => "memory",
            ExternType::Global(_) => "global",
            ExternType::Table(_) => "table",
            ExternType::Tag(_) => "tag",
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(ty) => write!(f, "function {ty}"),
            ExternType::Memory(ty) => ty.fmt(f),
            ExternType::Global(ty) => ty.fmt(f),
            ExternType::Table(ty) => ty.fmt(f),
            ExternType::Tag(ty) => write!(f, "tag {ty}"),
        }
    }
}
