//! What a guest can get wrong at the boundary.

use crate::limits::LimitExceeded;
use std::fmt;

/// A value from the guest that the boundary refused.
///
/// Every variant carries the offending value. The import and the argument it
/// came from are added when the fault leaves the host function; see
/// [`Error::fault`](crate::Error::fault).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `pointer + length` lies outside the guest's memory, or overflows.
    OutOfBounds {
        /// Address in guest memory.
        pointer: u64,
        /// Length in bytes; `None` when `count * size` overflows 64 bits.
        length: Option<u64>,
        /// Size of the guest's memory in bytes.
        memory: u64,
    },
    /// The address is not a multiple of the alignment its type needs.
    Misaligned {
        /// Address in guest memory.
        pointer: u64,
        /// Required alignment in bytes.
        align: u64,
    },
    /// The bytes are not UTF-8.
    Utf8 {
        /// Address of the string.
        pointer: u64,
        /// Its length in bytes.
        length: u64,
        /// Number of leading bytes that are valid.
        valid: u64,
    },
    /// No NUL byte between the address and the end of memory.
    MissingNul {
        /// Address of the string.
        pointer: u64,
    },
    /// Two arguments of one call overlap and at least one of them is mutable.
    Overlap {
        /// The range refused: address and length in bytes.
        this: (u64, u64),
        /// The range that was already borrowed.
        other: (u64, u64),
    },
    /// Not a Unicode scalar value.
    Char(u32),
    /// A discriminant that no case of the type has.
    Tag {
        /// The discriminant found.
        tag: u32,
        /// Number of cases; valid discriminants are below it.
        cases: u32,
    },
    /// A bit pattern in guest memory that the type of a borrowed struct or
    /// slice does not allow.
    BitPattern {
        /// Address in guest memory.
        pointer: u64,
        /// Name of the Rust type.
        ty: &'static str,
    },
    /// The guest has no memory that the host can reach.
    NoMemory,
    /// The guest's memory is shared between threads, so it cannot be borrowed.
    SharedMemory,
    /// A null function or object reference where one was required.
    NullReference,
    /// The guest exports no table of this name.
    NoTable {
        /// Name of the table.
        name: String,
    },
    /// An index beyond the end of a table.
    TableIndex {
        /// The index.
        index: u64,
        /// Number of elements in the table.
        size: u64,
    },
    /// A function reference of another type.
    FuncType {
        /// The core type the host asked for.
        expected: String,
        /// The core type of the function that the guest passed.
        found: String,
    },
    /// An object reference that holds a host value of another type, or none.
    WrongObject {
        /// Name of the Rust type that the host asked for.
        expected: &'static str,
    },
    /// Lists and strings that add up to more than a call may copy out of the
    /// guest. Guests can nest lists that share memory, so this is not bounded
    /// by the size of their memory.
    TooLarge {
        /// Bytes a call may copy.
        limit: u64,
    },
    /// More than [`Limits::transferred`](crate::Limits::transferred) allows. A call
    /// that fails for this is [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    Limit(LimitExceeded),
    /// The guest exports no usable `cabi_realloc`, so nothing can be allocated
    /// in it.
    NoRealloc,
    /// The guest's `cabi_realloc` returned an address that cannot be used.
    BadRealloc {
        /// The address it returned.
        pointer: u64,
        /// Bytes asked for.
        size: u64,
        /// Alignment asked for.
        align: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::OutOfBounds {
                pointer,
                length: Some(length),
                memory,
            } => write!(
                f,
                "address {pointer:#x} with length {length} lies outside the guest's memory of {memory} bytes"
            ),
            Fault::OutOfBounds {
                pointer,
                length: None,
                memory,
            } => write!(
                f,
                "the length of the list at address {pointer:#x} overflows; the guest's memory has {memory} bytes"
            ),
            Fault::Misaligned { pointer, align } => {
                write!(f, "address {pointer:#x} is not aligned to {align} bytes")
            }
            Fault::Utf8 {
                pointer,
                length,
                valid,
            } => write!(
                f,
                "the {length} bytes at address {pointer:#x} are not UTF-8: byte {valid} is invalid"
            ),
            Fault::MissingNul { pointer } => write!(
                f,
                "no NUL byte between address {pointer:#x} and the end of the guest's memory"
            ),
            Fault::Overlap {
                this: (at, len),
                other: (other_at, other_len),
            } => write!(
                f,
                "the {len} bytes at address {at:#x} overlap the {other_len} bytes at address \
                 {other_at:#x}, which another argument of the same call borrows; mutable \
                 arguments must not overlap others"
            ),
            Fault::Char(value) => write!(f, "{value:#x} is not a Unicode scalar value"),
            Fault::Tag { tag, cases } => {
                write!(
                    f,
                    "discriminant {tag} is out of range: the type has {cases} cases"
                )
            }
            Fault::BitPattern { pointer, ty } => write!(
                f,
                "the bytes at address {pointer:#x} are not a valid `{ty}` (a `bool`, `char` or enum in it is out of range)"
            ),
            Fault::NoMemory => f.write_str(
                "the guest has no memory the host can reach; export one, by convention as `memory`",
            ),
            Fault::SharedMemory => f.write_str(
                "the guest's memory is shared between threads and cannot be borrowed by the host",
            ),
            Fault::NoTable { name } => {
                write!(f, "the guest exports no table `{}`", name.escape_debug())
            }
            Fault::TableIndex { index, size } => {
                write!(f, "index {index} is beyond the table's {size} elements")
            }
            Fault::NullReference => f.write_str("the reference is null"),
            Fault::FuncType { expected, found } => {
                write!(f, "the function has type {found}, expected {expected}")
            }
            Fault::WrongObject { expected } => {
                write!(
                    f,
                    "the reference does not hold a host object of type `{expected}`"
                )
            }
            Fault::TooLarge { limit } => write!(
                f,
                "the lists and strings of this call add up to more than {limit} bytes"
            ),
            Fault::Limit(limit) => write!(f, "{limit}"),
            Fault::NoRealloc => f.write_str(
                "the guest exports no `cabi_realloc(old_ptr, old_size, align, new_size) -> ptr`, \
                 which the host needs to allocate strings and lists in it",
            ),
            Fault::BadRealloc {
                pointer,
                size,
                align,
            } => write!(
                f,
                "the guest's `cabi_realloc` returned address {pointer:#x} for {size} bytes \
                 aligned to {align}, which is misaligned or outside its memory"
            ),
        }
    }
}

impl std::error::Error for Fault {}

/// Result of lifting: the fault is boxed, so that the good path stays small.
pub type Lifted<T> = Result<T, Box<Fault>>;
