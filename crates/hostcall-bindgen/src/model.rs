//! The model of an interface: what the macros have understood.

mod inline;

pub use inline::*;

use syn::{Attribute, Ident, Type};

/// A set of host functions.
pub struct HostModule {
    /// The module that guests import from.
    pub name: String,
    /// The Rust type whose functions they are.
    pub state: Type,
    pub functions: Vec<Function>,
}

/// A host function.
pub struct Function {
    pub ident: Ident,
    pub module: String,
    pub name: String,
    pub receiver: Receiver,
    /// Without receiver and guest.
    pub params: Vec<Param>,
    /// As written; `()` if nothing is.
    pub result: Type,
    /// Its `#[cfg]`s, under which it exists.
    pub cfgs: Vec<Attribute>,
    /// Its body, if that can stand in the guest.
    pub inline: Option<Inline>,
    pub delivery: Delivery,
    pub handling: Handling,
    /// Fuel that a call costs.
    pub fuel: Option<u64>,
    /// How deep it may call the guest, if it may.
    pub reentrant: Option<Depth>,
    /// Whether guests can import it; others are there for inline functions.
    pub imported: bool,
}

/// How calls from the guest reach a host function.
pub enum Delivery {
    AtOnce,
    /// So, and the guest is suspended while the function waits.
    Async,
    /// So, on a thread of its own; `deadline` is its last parameter.
    Blocking {
        deadline: bool,
    },
    /// Later, in order; the guest does not wait.
    Deferred,
    /// So, and a run of calls at once, as `&[T]` of this.
    Batch(Box<Type>),
}

/// What becomes of an `Err` that a host function returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// It traps.
    Trap,
    /// The guest gets the canonical `result`.
    Result,
    /// The guest gets its code, and values through out-pointers.
    Errno,
}

/// How many calls of the guest may be made one inside the other.
#[derive(Clone, Copy)]
pub enum Depth {
    /// As many as the library allows if nothing is said.
    Default,
    Of(u32),
}

/// What a host function takes before its arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    None,
    /// `&self` or `&mut self`.
    State,
    /// `guest: &mut Guest<'_, Self>`, or an `AsyncGuest`.
    Guest,
}

pub struct Param {
    pub name: String,
    pub ty: Type,
}

/// A struct that stands in the host page.
pub struct HostState {
    pub ident: Ident,
    pub fields: Vec<StateField>,
}

pub struct StateField {
    pub vis: syn::Visibility,
    pub ident: Ident,
    pub ty: Type,
}

/// A struct or enum that can cross.
pub struct GuestType {
    pub ident: Ident,
    pub shape: Shape,
    /// Whether guest memory can be viewed as this type.
    pub place: bool,
}

pub enum Shape {
    Struct(Fields),
    Enum(Vec<Case>),
}

pub struct Case {
    pub ident: Ident,
    /// In the interface: `kebab-case`.
    pub name: String,
    pub fields: Fields,
}

/// The fields of a struct or case.
pub struct Fields {
    pub kind: FieldKind,
    pub fields: Vec<Field>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Unit,
    Positional,
    Named,
}

pub struct Field {
    /// `None` in positional fields.
    pub ident: Option<Ident>,
    /// In the interface: `kebab-case`.
    pub name: String,
    pub ty: Type,
}
