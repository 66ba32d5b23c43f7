//! Where calls are queued, and what is queued of one.

/// Where the queue is in the host page. Addresses are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The control words: twelve bytes, a multiple of 4.
    pub control: u32,
    /// Where runs begin, a multiple of 16.
    pub start: u32,
    /// How many bytes runs have.
    pub size: u32,
}

/// The memory that pointers refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Whether addresses are `i64`.
    pub wide: bool,
    /// Base-2 logarithm of the bytes in a page, 16 in most memories.
    pub page_size_log2: u32,
}

/// What is queued of one call: its parameters, and behind them what its pointers
/// point to, each piece at a multiple of 8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Bytes of the parameters: not 0, as records without bytes could not be
    /// counted, and a multiple of 8 if anything is copied.
    pub size: u32,
    /// One for each core parameter, in order.
    pub stores: Vec<Store>,
    /// What is copied out of the guest's memory.
    pub copies: Vec<Copied>,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// Bytes from the beginning of the record.
    pub offset: u32,
    /// Which bytes.
    pub as_: StoreAs,
}

/// Which bytes a parameter becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAs {
    /// Eight: the bits of an `i32` or `f32` with zeros above them, an `i64`, an
    /// `f64`.
    Word,
    /// Its own four or eight.
    Whole,
    /// The low byte of an `i32`.
    Low8,
    /// The two low bytes of an `i32`.
    Low16,
    /// One, 0 or 1: whether an `i32` is not zero.
    Bool,
    /// The low bytes of an `i32` that is less than `cases`. Any other is for the
    /// host function itself to refuse, so such a call is not queued.
    Case {
        /// How many cases there are.
        cases: u32,
        /// How many bytes are stored: 1, 2 or 4.
        bytes: u32,
    },
    /// All four of an `i32` that is a Unicode scalar value; others are refused in
    /// the same way.
    Char,
}

/// Something that a parameter points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The parameter that is the pointer.
    pub pointer: u32,
    /// How long it is.
    pub length: Length,
    /// What the pointer is a multiple of, a power of two.
    pub align: u32,
}

/// How many bytes a pointer points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Always so many.
    Bytes(u32),
    /// As many items as a parameter says.
    Items {
        /// The parameter that is the number of items.
        count: u32,
        /// Bytes of one item.
        stride: u32,
    },
}
